"""What every request needs: connections, keys, the clock. Made once by `create_app`.

Must never hold a patient's data.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4, uuid5

import msgspec
from fastapi import Depends, Header, Request
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts import trials
from api.accounts import console_names
from stream.command import COMMANDS, Command
from stream.finding import NAMESPACE
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import psycopg
    from psycopg_pool import ConnectionPool

    from alerts.clock import Clock
    from alerts.delivery.outcome import Channel
    from alerts.reachability import Means
    from alerts.sealing import Seal
    from alerts.settings import AlertsSettings
    from api.audit import HeadFile
    from api.settings import ApiSettings

SQL = queries(Path(__file__).with_name("reading.sql"))
_NAMES = {word: name for name, word in COMMANDS.items()}

Row = dict[str, Any]


class Books:
    """Sums of the ledger for the metrics: adding all lanes up reads the archive, so not at every scrape."""

    def __init__(self, keep_s: float = 60.0) -> None:
        """Nothing is read before somebody asks."""
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._sums = (0, 0)

    def sums(self, conn: psycopg.Connection[Any]) -> tuple[int, int]:
        """(unaccounted, unjudged), at most a minute old."""
        with self._lock:
            if time.monotonic() - self._read_at >= self._keep_s:
                lanes = rows(conn, "ledger")
                self._sums = (
                    sum(size(row["unaccounted"]) for row in lanes),
                    sum(size(row["unjudged"]) for row in lanes),
                )
                self._read_at = time.monotonic()
            return self._sums


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the routes are handed."""

    settings: ApiSettings
    pool: ConnectionPool[psycopg.Connection[Any]]
    clock: Clock
    keys: Path
    seal: Seal
    alerts: AlertsSettings
    channels: Mapping[str, Channel]
    head: HeadFile
    books: Books = field(default_factory=Books)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection whose work is committed at the end, or not at all."""
        with self.pool.connection() as conn:
            yield conn

    def now(self) -> datetime:
        """The injected clock."""
        return self.clock.now()

    def means(self, conn: psycopg.Connection[Any]) -> Means:
        """What people can be reached by now."""
        return trials.means(conn, self.alerts, self.channels, self.keys, console_names(conn))


def _house(request: Request) -> House:
    found: House = request.app.state.house
    return found


Here = Annotated[House, Depends(_house)]

IdempotencyKey = Annotated[
    str | None, Header(max_length=200, description="The same key again changes nothing and gives the same answer.")
]


def rows(conn: psycopg.Connection[Any], query: str, **asked: object) -> list[Row]:
    """The rows of one of the API's own queries: each is a function of the folder that owns the table."""
    found: list[Row] = conn.cursor(row_factory=dict_row).execute(SQL[query], asked).fetchall()
    return found


def tell(conn: psycopg.Connection[Any], command: Command, caller: str, key: str | None) -> UUID:
    """Write a command to the stream's inbox; it holds from the position of the log that takes it."""
    name = _NAMES[type(command)]
    identity = uuid5(NAMESPACE, f"command|{caller}|{name}|{key}") if key else uuid4()
    body = Jsonb(msgspec.to_builtins(command))
    rows(conn, "tell", id=identity, name=name, body=body, by_whom=caller)
    return identity


def ranges(multirange: Any) -> list[list[int]]:
    """A multirange of seqs as [[first, last], ...], both included."""
    return [[part.lower, part.upper - 1] for part in multirange]


def size(multirange: Any) -> int:
    """How many numbers a multirange holds."""
    return sum(part.upper - part.lower for part in multirange)
