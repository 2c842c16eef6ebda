"""A day a part: the native partitions of `stream.ecg` and `stream.reading`, made ahead, filled, dropped.

Rows for a day without a part land in the DEFAULT partition and are as readable as any; making their part means moving
them. Must never make a row invisible for a moment, nor keep the writer waiting for more than about a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from stream.store.sql import queries

if TYPE_CHECKING:
    from stream.store.connect import Connection

LOCK_TIMEOUT = "1s"
ROWS_A_BATCH = 10_000
SCHEMA = "stream"

_SQL = queries(Path(__file__).with_name("partitions.sql"))
_DAY = re.compile(r"_(\d{8})$")
_BEFORE_ALL = {"lane": 0, "seq": 0, "at": datetime.min.replace(tzinfo=UTC)}


class Busy(RuntimeError):
    """Somebody held the table for longer than we let the writer wait: the next maintenance tries again."""


@dataclass(frozen=True, slots=True)
class Divided:
    """A table of `stream` that is divided into days."""

    name: str

    def day_of(self, part: str) -> date | None:
        """The day of a part; None for the default partition."""
        found = _DAY.search(part)
        return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date() if found else None

    def part(self, day: date) -> str:
        """`ecg_20261124`."""
        return f"{self.name}_{day:%Y%m%d}"

    @property
    def default(self) -> str:
        """`ecg_default`."""
        return f"{self.name}_default"

    @property
    def whole(self) -> str:
        """`stream.ecg`."""
        return f"{SCHEMA}.{self.name}"


ECG = Divided("ecg")
READING = Divided("reading")


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day starts and the next one does, UTC."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def is_partitioned(conn: Connection, table: Divided) -> bool:
    """False where TimescaleDB looks after the table."""
    row = conn.execute(_SQL["is_partitioned"], {"table": table.whole}).fetchone()
    return row is not None and bool(row[0])


def days(conn: Connection, table: Divided) -> list[date]:
    """Days that have a part of their own, ascending."""
    parts = [row[0] for row in conn.execute(_SQL["partitions"], {"table": table.whole})]
    return sorted(day for part in parts if (day := table.day_of(part)) is not None)


def days_in_default(conn: Connection, table: Divided) -> dict[date, int]:
    """Rows in the default partition by day."""
    return {row[0]: row[1] for row in conn.execute(_query("days_in_default", table))}


def make(conn: Connection, table: Divided, day: date, *, holds_rows: bool) -> int:
    """Give a day its part, moving what lies in the default partition for it; returns how many rows moved.

    Rows are copied first, a batch a transaction, and stay readable where they are. Then, in one transaction with the
    default partition locked, the few that came since are copied too, the default partition lets go of all of them, and
    the part is attached. Cut off anywhere, the next call goes on from there.

    Raises:
        Busy: the lock did not come in time; nothing changed but the copies.
    """
    start, stop = bounds(day)
    conn.execute(_query("create", table, day))
    if holds_rows:
        _copy(conn, table, day)
    span = {"start": start, "stop": stop}
    try:
        with conn.transaction():
            conn.execute(_SQL["wait_briefly"], {"timeout": LOCK_TIMEOUT})
            conn.execute(_query("lock_table", table))
            conn.execute(_query("lock_default", table))
            conn.execute(_query("drop_stale_copies", table, day))
            conn.execute(_query("copy_rest", table, day), span)
            moved = conn.execute(_query("clear_default", table, day), span).rowcount
            conn.execute(_query("attach", table, day))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise Busy(f"{table.whole} was in use for more than {LOCK_TIMEOUT}") from error
    return moved


def holds_log(conn: Connection, table: Divided, day: date, keep: dict[int, int]) -> bool:
    """Whether a part holds rows at or behind the position that each shard must keep."""
    query = _query("holds_log", table, day)
    rows = [conn.execute(query, {"shard": shard, "keep": position}).fetchone() for shard, position in keep.items()]
    return any(row is not None and row[0] for row in rows)


def drop(conn: Connection, table: Divided, day: date) -> None:
    """Drop a day with all its rows.

    Raises:
        Busy: the lock did not come in time; nothing changed.
    """
    try:
        with conn.transaction():
            conn.execute(_SQL["wait_briefly"], {"timeout": LOCK_TIMEOUT})
            conn.execute(_query("drop", table, day))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise Busy(f"{table.whole} was in use for more than {LOCK_TIMEOUT}") from error


def delete_from_default(conn: Connection, table: Divided, limit: datetime, keep: dict[int, int]) -> int:
    """Delete what is over the limit from the default partition, a batch at a time; returns how many rows."""
    query, gone = _query("delete_some_before", table), 0
    for shard, position in keep.items():
        values = {"limit": limit, "shard": shard, "keep": position, "most": ROWS_A_BATCH}
        while (some := conn.execute(query, values).rowcount) > 0:
            gone += some
    return gone


def _copy(conn: Connection, table: Divided, day: date) -> None:
    start, stop = bounds(day)
    query = _query("copy_some", table, day)
    place: dict[str, object] = dict(_BEFORE_ALL)
    while row := conn.execute(query, {"start": start, "stop": stop, "most": ROWS_A_BATCH, **place}).fetchone():
        place = dict(zip(("lane", "seq", "at"), row, strict=True))


def _query(name: str, table: Divided, day: date | None = None) -> sql.Composed:
    start, stop = bounds(day or date(2000, 1, 1))
    return sql.SQL(_SQL[name]).format(
        table=sql.Identifier(SCHEMA, table.name),
        default=sql.Identifier(SCHEMA, table.default),
        partition=sql.Identifier(SCHEMA, table.part(day) if day else table.default),
        start=sql.Literal(start),
        stop=sql.Literal(stop),
    )
