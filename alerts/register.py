"""Alerts in the database: gathers the situation of one subject under its lock, and saves changes whole.

A shell: it decides nothing. Must be called within a transaction; the caller commits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts.alert import Alert, AlertId, Change, Episode
from alerts.ladder import Addressee
from alerts.pauses import Pause
from alerts.reaction import Situation
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    import psycopg

SQL = queries(Path(__file__).with_name("register.sql"))

Connection = Any
"""`psycopg.Connection` of any row factory; cursors here say which rows they want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the log of findings something was said."""

    shard: int
    position: int
    ord: int


def lock(conn: Connection, subject: str) -> None:
    """Keep everybody else who would change this subject's alerts waiting until the transaction ends."""
    conn.execute(SQL["lock_subject"], {"subject": subject})


def try_lock(conn: Connection, subject: str) -> bool:
    """The same without waiting; False where somebody is at it."""
    row = _rows(conn).execute(SQL["try_lock_subject"], {"subject": subject}).fetchone()
    return bool(row and row["pg_try_advisory_xact_lock"])


def situation(
    conn: Connection,
    subject: str,
    *,
    episode: UUID | None = None,
    alert: UUID | None = None,
    since: datetime | None = None,
) -> Situation:
    """All that is known of a subject whose lock is held, with the alert that is asked for or holds an episode.

    `since`: and closed ones whose condition was true then or later.
    """
    asked_for = {"subject": subject, "episode": episode, "alert": alert, "since": since}
    rows = _rows(conn).execute(SQL["alerts_of"], asked_for)
    alerts = {row["alert"]: msgspec.convert(row, Alert) for row in rows.fetchall()}
    episodes: dict[AlertId, dict[UUID, Episode]] = {key: {} for key in alerts}
    told: dict[AlertId, list[Addressee]] = {}
    undelivered: dict[AlertId, set[tuple[str, str]]] = {}
    if alerts:
        asked = {"alerts": list(alerts)}
        for row in _rows(conn).execute(SQL["episodes_of"], asked).fetchall():
            episodes[row["alert"]][row["episode"]] = msgspec.convert(row, Episode)
        for row in _rows(conn).execute(SQL["told_of"], asked).fetchall():
            told.setdefault(row["alert"], []).append(msgspec.convert(row, Addressee))
        for row in _rows(conn).execute(SQL["undelivered_of"], asked).fetchall():
            undelivered.setdefault(row["alert"], set()).add((row["person"], row["channel"]))
    planned = _rows(conn).execute(SQL["pauses_of"], {"subject": subject}).fetchall()
    watched = _rows(conn).execute(SQL["watched_of"], {"subject": subject}).fetchone()
    return Situation(
        alerts=alerts,
        episodes=episodes,
        told={key: tuple(people) for key, people in told.items()},
        undelivered={key: frozenset(reached) for key, reached in undelivered.items()},
        pauses=tuple(msgspec.convert(row, Pause) for row in planned),
        ended_at=watched["at"] if watched and watched["what"] == "ended" else None,
    )


def save(conn: Connection, changes: Iterable[Change], place: Place | None = None) -> None:
    """Write changes: alert, history, episode, notices, and what is pointless now; wakes the station at commit."""
    for change in changes:
        alert = change.alert
        conn.execute(SQL["save_alert"], _row(alert) | {"ladders": Jsonb(msgspec.to_builtins(alert.ladders))})
        first = alert.entries - len(change.entries) + 1
        for n, entry in enumerate(change.entries, first):
            row = _row(entry) | {"alert": alert.alert, "n": n, "detail": Jsonb(entry.detail)}
            conn.execute(SQL["save_entry"], row)
        if change.episode is not None:
            where = _row(place) if place else {"shard": None, "position": None, "ord": None}
            evidence = Jsonb(change.episode.evidence)
            row = _row(change.episode) | where | {"alert": alert.alert, "evidence": evidence}
            conn.execute(SQL["save_episode"], row)
        if change.moot:
            conn.execute(SQL["make_moot"], {"alert": alert.alert, "types": [str(type_) for type_ in change.moot]})
        for notice in change.notices:
            conn.execute(SQL["save_notice"], _row(notice) | _row(notice.to))
        if change.entries:
            conn.execute(SQL["wake"], {"alert": str(alert.alert)})


def has_cause(conn: Connection, alert: UUID, cause: str) -> bool:
    """Whether this cause has changed the alert already."""
    row = _rows(conn).execute(SQL["has_cause"], {"alert": alert, "cause": cause}).fetchone()
    return bool(row and row["exists"])


def subject_of(conn: Connection, alert: UUID) -> str | None:
    """Whose alert it is; None where there is no such alert."""
    row = _rows(conn).execute(SQL["subject_of"], {"alert": alert}).fetchone()
    return None if row is None else str(row["subject"])


def due_alerts(conn: Connection, now: datetime, limit: int = 50) -> list[tuple[AlertId, str]]:
    """Alerts with a step that is due, and their subjects; the most urgent first. Unlocked."""
    rows = _rows(conn).execute(SQL["due_alerts"], {"now": now, "limit": limit}).fetchall()
    return [(row["alert"], row["subject"]) for row in rows]


def _rows(conn: Connection) -> psycopg.Cursor[dict[str, Any]]:
    cursor: psycopg.Cursor[dict[str, Any]] = conn.cursor(row_factory=dict_row)
    return cursor


def _row(word: Any) -> dict[str, Any]:
    """A word as parameters; enumerations as their values."""
    values = {one.name: getattr(word, one.name) for one in fields(word)}
    return {name: str(value) if isinstance(value, str) else value for name, value in values.items()}
