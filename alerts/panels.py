"""Whose patients somebody looks after, derived from what is agreed and from what was sent: it is stored nowhere else.

A patient belongs to those whom the care team of their plan names; without a plan they belong to every doctor. And to
whoever is told of an alert of theirs, while it is open and for a day after. Must never be wider than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from alerts.ladder import Role
from alerts.plan import DEFAULT_TEAM
from stream.finding import FindingKind, SubjectKind
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))

ANY_DOCTOR = next(one.person for one in DEFAULT_TEAM if one.role is Role.DOCTOR)
"""The person of the default team behind whom every doctor stands."""
AFTERWARDS = timedelta(days=1)
"""So long after its end whoever was told of an alert may still look into it: to undo, and to write down what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What of patients and their alerts somebody may see."""

    names: frozenset[str] | None = None
    """How notices call them; None: they see alerts about equipment whoever was told."""
    others: frozenset[str] = frozenset()
    """Patients who are others' to look after."""
    only: frozenset[str] | None = None
    """The only patients whom they may see; None: all but `others`."""
    is_clinical: bool = True
    """False: alerts about the equipment alone."""

    def covers(self, patient: str) -> bool:
        """Whether this patient is theirs to see."""
        return self.is_clinical and patient not in self.others and (self.only is None or patient in self.only)

    def shows(self, row: Mapping[str, Any]) -> bool:
        """Whether an alert (`subject`, `subject_kind`, `kind`, `persons` who were told) is theirs to see."""
        if not self.is_clinical:
            return bool(row["kind"] == FindingKind.TECHNICAL)
        if row["subject_kind"] == SubjectKind.PATIENT:
            return self.covers(row["subject"]) or self._was_told(row)
        return self.only is None and (self.names is None or self._was_told(row))

    def _was_told(self, row: Mapping[str, Any]) -> bool:
        return self.only is None and self.names is not None and not self.names.isdisjoint(row["persons"])

    def asked(self) -> dict[str, Any]:
        """As parameters of the queries that list alerts."""
        return {
            "names": None if self.names is None else sorted(self.names),
            "others": sorted(self.others),
            "only": None if self.only is None else sorted(self.only),
            "is_clinical": self.is_clinical,
        }


EVERYTHING = Sight()


def others(conn: Connection, names: frozenset[str], now: datetime, patient: str | None = None) -> frozenset[str]:
    """Patients whom none of these names looks after; `patient`: asked of this one alone."""
    asked = {"names": sorted(names), "listed": Jsonb({"names": sorted(names)}), "patient": patient,
             "since": now - AFTERWARDS}  # fmt: skip
    return frozenset(row[0] for row in conn.cursor().execute(SQL["others"], asked).fetchall())
