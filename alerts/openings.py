"""Who outside opened the packet of an emergency: shown in the alert's history; and to which notice they answer.

Must never count as an answer: whoever looks has not taken it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts import course, reaction, register
from alerts.alert import Alert, AlertId, Change
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alerts.ladder import Addressee
    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))
Row = dict[str, Any]


def dispatched(conn: Connection, alert: UUID) -> Row | None:
    """The newest notice by which dispatch was told of an alert: `notice`, `person`, `endpoint`; None: it was not."""
    row: Row | None = conn.cursor(row_factory=dict_row).execute(SQL["dispatched"], {"alert": alert}).fetchone()
    return row


def all_dispatched(conn: Connection, limit: int) -> list[Row]:
    """The alerts of which dispatch was told, open ones first, then the newest."""
    found: list[Row] = conn.cursor(row_factory=dict_row).execute(SQL["all_dispatched"], {"limit": limit}).fetchall()
    return found


def opened(conn: Connection, alert: UUID, by_whom: str, cause: str, now: datetime) -> None:
    """A row of history: somebody opened it. The same cause again is the same opening. In a transaction."""
    subject = register.subject_of(conn, alert)
    assert subject is not None
    register.lock(conn, subject)
    if register.has_cause(conn, alert, cause):
        return

    def noted(alert: Alert, told: tuple[Addressee, ...]) -> Change:
        del told
        changed, entry = course.entered(alert, alert.state, cause=cause, what="opened", now=now, by_whom=by_whom)
        return Change(alert=changed, entries=(entry,))

    situation = register.situation(conn, subject, alert=alert)
    register.save(conn, reaction.answered(situation, AlertId(alert), noted, now))
