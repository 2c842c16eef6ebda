"""Planned pauses of a patient, and the end of monitoring: kept, and put into effect in the same transaction.

A shell: what a pause mutes and what an end closes is `reaction`. Must never send a message to the bereaved.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from psycopg.rows import dict_row

from alerts import plans, reaction, register
from alerts.pauses import Pause, check_pause
from stream.finding import NAMESPACE
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.ladder import Role
    from alerts.pauses import PauseKind
    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("monitoring.sql"))

Row = dict[str, Any]


class End(StrEnum):
    """Why a patient is no longer monitored."""

    DISCHARGE = "discharge"
    """It was agreed that it is no longer needed."""
    WITHDRAWAL = "withdrawal"
    """The patient does not want it any more."""
    DEATH = "death"
    """The patient has died."""


class NoSuchPause(LookupError):
    """There is no such pause of this patient, or it is over."""


class NotMonitored(ValueError):
    """The patient's monitoring has ended: begin it again first."""


def pause(
    conn: Connection,
    patient: str,
    kind: PauseKind,
    span: tuple[datetime, datetime],
    *,
    by_whom: str,
    role: Role,
    key: str,
    now: datetime,
) -> Pause:
    """Plan a pause from `span[0]` to `span[1]`. The same key again makes no second one. Within a transaction.

    Raises:
        PauseRefused: beyond its bounds or the patient's plan, or set by somebody who may not.
        NotMonitored: there is nothing to pause.
    """
    planned = Pause(
        pause=uuid5(NAMESPACE, f"pause|{patient}|{key}"),
        patient=patient,
        kind=kind,
        from_at=span[0],
        until_at=span[1],
        by_whom=by_whom,
        role=role,
    )
    check_pause(planned, plans.current(conn, patient).pauses, now)
    register.lock(conn, patient)
    if is_ended(conn, patient):
        raise NotMonitored(f"monitoring of {patient} has ended")
    asked = {name: getattr(planned, name) for name in Pause.__dataclass_fields__}
    conn.execute(SQL["save_pause"], asked | {"kind": str(kind), "role": str(role), "now": now})
    _take_effect(conn, patient, now)
    return planned


def pauses(conn: Connection, patient: str, now: datetime, *, everything: bool = False) -> list[Row]:
    """Pauses that run or are to come; all of them where asked for."""
    return _rows(conn, "pauses", patient=patient, now=now, everything=everything)


def lift(conn: Connection, patient: str, which: UUID, *, by_whom: str, now: datetime) -> None:
    """End a pause before its time: what is still silent is told at once. Within a transaction.

    Raises:
        NoSuchPause: there is none, or it is over.
    """
    register.lock(conn, patient)
    if not _rows(conn, "lift_pause", patient=patient, pause=which, by_whom=by_whom, now=now):
        raise NoSuchPause(f"there is no pause {which} of {patient} that is not over")
    _take_effect(conn, patient, now)


def _take_effect(conn: Connection, patient: str, now: datetime) -> None:
    for subject in (patient, *(row["subject"] for row in _rows(conn, "silent_gateways", patient=patient))):
        register.lock(conn, subject)
        register.save(conn, reaction.paused(register.situation(conn, subject), now))


def end(conn: Connection, patient: str, why: End, *, by_whom: str, now: datetime) -> bool:
    """The patient is no longer monitored: every open alert is over, and only dispatch is told; False: it was so already.

    Within a transaction.
    """
    register.lock(conn, patient)
    if is_ended(conn, patient):
        return False
    changes = reaction.ended(register.situation(conn, patient), by_whom, why, f"ended:{now.isoformat()}", now)
    register.save(conn, changes)
    conn.execute(SQL["fall_silent"], {"patient": patient})
    _say(conn, patient, "ended", why, by_whom, now)
    return True


def begin(conn: Connection, patient: str, *, by_whom: str, now: datetime) -> bool:
    """The patient is monitored again: what is so is raised by the station's next comparison; False: it was so already.

    Within a transaction.
    """
    register.lock(conn, patient)
    if not is_ended(conn, patient):
        return False
    _say(conn, patient, "begun", "", by_whom, now)
    conn.execute(SQL["forget_levels"], {"patient": patient})
    return True


def state(conn: Connection, patient: str) -> Row | None:
    """The newest word about whether a patient is monitored; None: nobody ever ended it."""
    found = _rows(conn, "monitored", patient=patient)
    return found[0] if found else None


def is_ended(conn: Connection, patient: str) -> bool:
    """Whether monitoring has ended."""
    said = state(conn, patient)
    return said is not None and said["what"] == "ended"


def _say(conn: Connection, patient: str, what: str, why: str, by_whom: str, now: datetime) -> None:
    asked = {"patient": patient, "what": what, "why": str(why), "by_whom": by_whom, "now": now}
    conn.execute(SQL["save_monitored"], asked)


def _rows(conn: Connection, query: str, **asked: object) -> list[Row]:
    found: list[Row] = conn.cursor(row_factory=dict_row).execute(SQL[query], asked).fetchall()
    return found


def not_expected(conn: Connection, now: datetime) -> frozenset[str]:
    """Patients of whom no data is expected now: their monitoring has ended, or they have planned a pause."""
    return frozenset(row[0] for row in conn.cursor().execute(SQL["not_expected"], {"now": now}).fetchall())
