"""What can be seen of alerts: lists, one with its history, what was sent and every attempt. Read only.

The API and the command line show the very same. Must never change a row, nor open a body nobody asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg.rows import dict_row

from alerts.panels import EVERYTHING
from alerts.sending import place
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alerts.panels import Sight
    from alerts.register import Connection
    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_name("reading.sql"))

Row = dict[str, Any]
Before = tuple["datetime", "UUID"]
"""The last row of the page before: (raised_at or made_at, id)."""


def list_alerts(
    conn: Connection,
    *,
    limit: int,
    is_open: bool | None = None,
    tier: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    before: Before | None = None,
    sight: Sight = EVERYTHING,
) -> list[Row]:
    """Alerts that a viewer may see, newest first."""
    at, last = before or (None, None)
    return _rows(conn, "list_alerts", is_open=is_open, tier=tier, kind=kind, subject=subject, before_at=at, before=last,
                 limit=limit, **sight.asked())  # fmt: skip


def alerts_of(conn: Connection, patient: str, *, limit: int, before: Before | None = None) -> tuple[list[Row], int]:
    """One patient's alerts, closed ones too, newest first, with who closed each; and how many there are in all."""
    at, last = before or (None, None)
    found = _rows(conn, "alerts_of", patient=patient, before_at=at, before=last, limit=limit)
    return found, _rows(conn, "count_of", patient=patient)[0]["total"]


def about(conn: Connection, alert: UUID) -> Row | None:
    """Whose alert it is, its kind, tier and state, and the `persons` who were told; None: there is none of this id."""
    found = _rows(conn, "about", alert=alert)
    return found[0] if found else None


def alert_of(conn: Connection, notice: UUID) -> UUID | None:
    """Which alert a notice is of; None: there is none of this id."""
    found = _rows(conn, "alert_of", notice=notice)
    return found[0]["alert"] if found else None


def one_alert(conn: Connection, alert: UUID) -> Row | None:
    """An alert with its episodes, its history, what was sent and what came back."""
    found = _rows(conn, "one_alert", alert=alert)
    if not found:
        return None
    return found[0] | {
        "episodes": _rows(conn, "episodes", alert=alert),
        "history": _rows(conn, "history", alert=alert),
        "notices": list_deliveries(conn, limit=1000, alert=alert),
        "responses": _rows(conn, "responses", alert=alert),
    }


def list_deliveries(
    conn: Connection,
    *,
    limit: int,
    alert: UUID | None = None,
    status: str | None = None,
    person: str | None = None,
    before: Before | None = None,
    sight: Sight = EVERYTHING,
) -> list[Row]:
    """Notices with every attempt, newest first; without their bodies."""
    at, last = before or (None, None)
    notices = _rows(conn, "list_deliveries", alert=alert, status=status, person=person, before_at=at, before=last,
                    limit=limit, is_everything=sight == EVERYTHING, **sight.asked())  # fmt: skip
    attempts: dict[UUID, list[Row]] = {}
    for row in _rows(conn, "attempts", notices=[notice["notice"] for notice in notices]):
        attempts.setdefault(row.pop("notice"), []).append(row)
    return [notice | {"attempts": attempts.get(notice["notice"], [])} for notice in notices]


def body_of(conn: Connection, notice: UUID, seal: Seal) -> Row | None:
    """What a notice says; None where there is none, or it has not been tried yet."""
    found = _rows(conn, "sealed_body", notice=notice)
    if not found or found[0]["body"] is None:
        return None
    opened: Row = msgspec.json.decode(seal.open(found[0]["body"], place(notice)))
    return opened


def counts(conn: Connection) -> list[Row]:
    """Open alerts and undelivered notices, by tier and state: for the metrics."""
    return _rows(conn, "counts")


def behind(conn: Connection, now: datetime) -> Row:
    """How far the station is behind: for the metrics and for whoever watches it."""
    return _rows(conn, "behind", now=now)[0]


def _rows(conn: Connection, query: str, **asked: object) -> list[Row]:
    found: list[Row] = conn.cursor(row_factory=dict_row).execute(SQL[query], asked).fetchall()
    return found
