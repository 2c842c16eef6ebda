"""What stands in the lists of a record: words, and where a hospital gave it a code, onset, reaction or dose. Pure.

A list that is not known is None, an empty one: none. Must never hold what is over, refuted or entered in error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LISTS = ("problems", "medication", "allergies", "implants", "directives")
"""The fields of a record that are lists of entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One problem, drug, allergy, implant or directive that holds now. None: not said."""

    text: str
    """What it is, in the words of whoever entered it."""
    system: str | None = None
    """Of the code, as `http://snomed.info/sct`."""
    code: str | None = None
    display: str | None = None
    """The code's own words."""
    onset: str | None = None
    """Since when, of an implant when it was put in: YYYY, YYYY-MM or YYYY-MM-DD."""
    status: str | None = None
    """FHIR's clinical status, as `active` or `recurrence`."""
    certainty: str | None = None
    """FHIR's verification status, as `confirmed` or `unconfirmed`."""
    criticality: str | None = None
    """Of an allergy: `low`, `high` or `unable-to-assess`."""
    reaction: str | None = None
    """Of an allergy: what happened, as `anaphylaxis`."""
    dose: str | None = None
    """Of a drug: how it is taken."""

    @property
    def words(self) -> str:
        """The entry in one line, as an alert carries it: `Penicillin: anaphylaxis, high risk (2009)`."""
        head = f"{self.text}, {self.dose}" if self.dose and self.dose not in self.text else self.text
        risk = "high risk" if self.criticality == "high" else None
        after = ", ".join(part for part in (self.reaction, risk) if part)
        doubt = self.certainty if self.certainty not in {None, "confirmed"} else None
        between = ", ".join(part for part in (self.onset, doubt) if part)
        return head + (f": {after}" if after else "") + (f" ({between})" if between else "")

    @property
    def same(self) -> tuple[str, str]:
        """By what two entries are one: the code, or else the words."""
        return (self.system or "", self.code) if self.code else ("text", " ".join(self.text.casefold().split()))


Entries = dict[str, tuple[Entry, ...] | None]
"""By the name of the list, each of `LISTS`."""


def of_rows(value: Iterable[str | Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Entries from what is stored; rows of before entries had codes hold their words alone."""
    return tuple(Entry(text=one) if isinstance(one, str) else msgspec.convert(one, Entry) for one in value)


def to_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """What is stored of entries: only what is said."""
    return [{name: value for name, value in msgspec.to_builtins(one).items() if value is not None} for one in entries]


def words(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The entries as an alert carries them."""
    return tuple(one.words for one in entries)
