"""The measurer: a process of its own that measures the strip of each alert, once it is complete. Nobody waits for it.

Whatever goes wrong with one strip becomes a row that says so, and a strip that its measurer dies of is given up after a
few tries: none is measured for ever. May be stopped at any moment, and run twice.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts import measures
from alerts.faults import where
from alerts.lives import Life
from alerts.strip import surrounded
from alerts.strip_beats import AFTER_S, WARM_UP_S
from stream.ecg_coding import compile_coding
from stream.store.sql import queries

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from alerts.clock import Clock
    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))
COMPLETE = timedelta(seconds=25)
"""So long after an alert was raised its strip, and what the last beats need behind it, is in the archive."""
KEPT = timedelta(days=30)
MOST_TRIES = 3
AT_ONCE = 20
EVERY_S = 2.0
NO_ECG = "no_ecg"
_LOG: Any = structlog.get_logger(__name__)
_LIMITS = "SET statement_timeout = '30s'; SET lock_timeout = '5s'"


def run(
    dsn: str, clock: Clock, stop: threading.Event, ready: Callable[[], None] = lambda: None, every_s: float = EVERY_S
) -> None:
    """Measure what is due, again and again until `stop`; a database that is away is waited for."""
    compile_coding()  # on a cold cache it takes seconds: no transaction waits for it
    ready()
    life, conn = Life("measurer"), None
    while not stop.wait(every_s):
        try:
            if conn is None or conn.closed:
                conn = psycopg.connect(dsn, autocommit=True, application_name="tierwatch measurer", connect_timeout=5)
                conn.execute(_LIMITS)
            life.beat(conn)
            while not stop.is_set() and measure_due(conn, clock.now(), stop, life):
                pass
        except psycopg.OperationalError as error:
            _LOG.warning("measurer_without_database", error=type(error).__name__)
            if conn is not None:
                conn.close()
    if conn is not None:
        conn.close()


def measure_due(
    conn: Connection, now: datetime, stop: threading.Event | None = None, life: Life | None = None, limit: int = AT_ONCE
) -> int:
    """Measure the oldest strips that are due; returns how many rows are done. A connection in autocommit."""
    asked = {"version": measures.current(), "most": MOST_TRIES, "complete": now - COMPLETE, "kept": now - KEPT,
             "limit": limit}  # fmt: skip
    done = 0
    for row in conn.cursor(row_factory=dict_row).execute(SQL["due"], asked).fetchall():
        if stop is not None and stop.is_set():
            break
        if life is not None:
            life.beat(conn)
        _measure(conn, row["alert"], now, is_given_up=row["is_given_up"])
        done += 1
    return done


def measures_of(conn: Connection, alert: UUID) -> dict[str, Any] | None:
    """What was measured in the strip of an alert, with `version` and `measured_at`; None: nothing yet."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["measures_of"], {"alert": alert}).fetchone()
    return None if row is None else {"version": row["version"], "measured_at": row["at"], **row["measures"]}


def _measure(conn: Connection, alert: UUID, now: datetime, *, is_given_up: bool) -> None:
    began = time.monotonic()
    if not is_given_up:
        conn.execute(SQL["begin"], {"alert": alert, "version": measures.current()})
    found = _nothing("gave_up") if is_given_up else _found(conn, alert)
    asked = {"alert": alert, "at": now, "measures": Jsonb(found), "keeps": found["cannot"].get("rr") == NO_ECG}
    conn.execute(SQL["conclude"], asked)
    took_s = round(time.monotonic() - began, 2)
    _LOG.info("strip_measured", alert=str(alert), cannot=found["cannot"], beats=len(found["beats"]), took_s=took_s)


def _found(conn: Connection, alert: UUID) -> dict[str, Any]:
    try:
        taken = surrounded(conn, alert, WARM_UP_S, AFTER_S)
        return _nothing(NO_ECG) if taken is None else measures.measured(*taken)
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - said in the row and the log: the next strip must not wait for it
        _LOG.error("strip_not_measured", alert=str(alert), **where(error))
        return _nothing("error")


def _nothing(why: str) -> dict[str, Any]:
    return {
        **{f"{name}_ms": None for name in ("rr", "pr", "qrs", "qt", "qtc")},
        "cannot": dict.fromkeys(("rr", "pr", "qrs", "qtc"), why),
        "beats": [],
    }
