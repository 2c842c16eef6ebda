"""What patients decide themselves: the unit of their glucose, what each of their family sees, when their alarm is tried.

Must never give a family account more than its patient has allowed.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_name("own.sql"))
Connection = psycopg.Connection[Any]
Row = dict[str, Any]

TEST_WAIT = timedelta(minutes=10)
"""So long after a test of the alarm the next one."""


class Unit(StrEnum):
    """How a person reads their glucose."""

    MG_DL = "mg/dL"
    MMOL_L = "mmol/L"


class Share(StrEnum):
    """What a patient may let a family account see. Where the patient is, is not among it."""

    STATUS = "status"
    """Whether their readings can be seen, and are fine."""
    ALERTS = "alerts"
    """Plain words of what is open, who has been told, who has it."""
    READINGS = "readings"
    """The last readings, with their age."""
    DEVICES = "devices"
    """What they wear, its battery, when it was last heard."""


DEFAULT = frozenset({Share.STATUS, Share.ALERTS})
"""What a family account sees until its patient says otherwise."""


def unit(conn: Connection, patient: str) -> Unit:
    """How a patient reads their glucose."""
    row = conn.execute(SQL["own"], {"patient": patient}).fetchone()
    return Unit(row[0]) if row else Unit.MG_DL


def choose_unit(conn: Connection, patient: str, chosen: Unit) -> None:
    """A patient reads their glucose so. The caller commits."""
    conn.execute(SQL["choose_unit"], {"patient": patient, "glucose_unit": chosen})


def take_test(conn: Connection, patient: str, now: datetime) -> bool:
    """Whether a patient may try their alarm now; if so it is counted. The caller commits before anything is sent."""
    return conn.execute(SQL["take_test"], {"patient": patient, "now": now, "wait": TEST_WAIT}).fetchone() is not None


def family(conn: Connection, patient: str, seal: Seal) -> list[Row]:
    """The family accounts of a patient, and what each sees."""
    rows = conn.cursor(row_factory=dict_row).execute(SQL["family"], {"patient": patient}).fetchall()
    return [
        {
            "login": row["login"],
            "name": seal.open(row["name"], f"api.account|name|{row['login']}").decode(),
            "shown": sorted(_known(row["shown"])),
        }
        for row in rows
    ]


def shown_to(conn: Connection, login: str) -> frozenset[Share]:
    """What a family account sees."""
    row = conn.execute(SQL["shown_to"], {"login": login}).fetchone()
    return _known(row[0] if row else None)


def share(conn: Connection, patient: str, login: str, shown: Collection[Share], now: datetime) -> bool:
    """From now on a family account sees this; False: it is none of this patient's. The caller commits."""
    asked = {"patient": patient, "login": login, "shown": sorted(shown), "now": now}
    return conn.execute(SQL["share"], asked).fetchone() is not None


def _known(shown: list[str] | None) -> frozenset[Share]:
    return DEFAULT if shown is None else frozenset(Share(one) for one in shown if one in set(Share))
