"""The board: what the pages show of all open alerts at one moment, with the people's names, and each viewer's part of it.

A patient's part holds their own alerts only, and no numbers or codes of ours. Must never be built from anything but rows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from alerts import overview
from api.house import rows
from api.sealed import ACCOUNT, PERSON
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from alerts.panels import Sight
    from alerts.sealing import Seal
    from api.access import Asker

SQL = queries(Path(__file__).with_suffix(".sql"))
Connection = psycopg.Connection[Any]

_PATIENTS_OWN = (
    "alert", "condition", "kind", "state", "tier", "past", "raised_at", "acknowledged_until", "answered_at",
    "answered_name", "asked_until", "well_at", "plain", "plain_do", "told", "response_kind", "response_at", "next",
    "next_due_at", "doctor_at",
)  # fmt: skip
"""What a patient is shown of an alert: no evidence, no reason of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All open alerts at one moment."""

    at: datetime
    """The injected clock."""
    read_at: float
    """`time.monotonic` of the reading: what is too old is not shown as alive."""
    lag_s: float | None
    """Since intake stored its newest batch, in real seconds."""
    alerts: tuple[dict[str, Any], ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Of the care team, by person."""


@dataclass(slots=True)
class Names:
    """Names that were opened once: unsealing them at each look would cost more than all the rest."""

    _people: dict[str, tuple[datetime, dict[str, str | None]]] = field(default_factory=dict)
    _team: dict[bytes, str] = field(default_factory=dict)

    def people(self, conn: Connection, patients: list[str], seal: Seal) -> dict[str, dict[str, str | None]]:
        """Name, birth date and sex of patients, as far as they are entered."""
        found = conn.cursor(row_factory=dict_row).execute(SQL["who"], {"patients": patients}).fetchall()
        for row in found:
            known = self._people.get(row["patient"])
            if known is None or known[0] != row["changed_at"]:
                self._people[row["patient"]] = (row["changed_at"], _opened(row, seal))
        return {row["patient"]: self._people[row["patient"]][1] for row in found}

    def team(self, conn: Connection, seal: Seal) -> dict[str, str]:
        """Names of those who have an account, by person."""
        found = conn.cursor(row_factory=dict_row).execute(SQL["names"]).fetchall()
        for row in found:
            if row["name"] not in self._team:
                self._team[row["name"]] = seal.open(row["name"], ACCOUNT.place("name", row["login"])).decode()
        return {row["person"]: self._team[row["name"]] for row in found}


def read(conn: Connection, names: Names, seal: Seal, now: datetime) -> Board:
    """The board as it is now."""
    found = overview.open_alerts(conn)
    team = names.team(conn, seal)
    people = names.people(conn, sorted({row["subject"] for row in found}), seal)
    for row in found:
        row["person"] = people.get(row["subject"])
        row["answered_name"] = team.get(row["answered_by"], row["answered_by"])
    stored = rows(conn, "stored_age")
    return Board(at=now, read_at=time.monotonic(), lag_s=stored[0]["age_s"] if stored else None, alerts=tuple(found),
                 names=team)  # fmt: skip


def part_of(board: Board, asker: Asker, sight: Sight) -> dict[str, dict[str, Any]]:
    """What this viewer may see of the board, by alert."""
    seen = [row for row in board.alerts if sight.shows(row)]
    if asker.patient is None:
        unnamed = {} if sight.is_clinical else {"person": None}
        return {str(row["alert"]): row | unnamed for row in seen}
    return {
        str(row["alert"]): {name: row[name] for name in _PATIENTS_OWN} for row in seen if row["inhibited_by"] is None
    }


def _opened(row: dict[str, Any], seal: Seal) -> dict[str, str | None]:
    def text(column: str) -> str | None:
        sealed = row[column]
        return None if sealed is None else msgspec.json.decode(seal.open(sealed, PERSON.place(column, row["patient"])))

    return {"name": text("name"), "birth_date": text("birth_date"), "sex": row["sex"]}
