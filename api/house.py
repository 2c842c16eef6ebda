"""What every request needs: connections, keys, the clock. Made once by `create_app`.

Must never hold a patient's data.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4, uuid5

import msgspec
from fastapi import Depends, Header, Request
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from stream.command import COMMANDS, Command
from stream.finding import NAMESPACE
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import psycopg
    from psycopg_pool import ConnectionPool

    from alerts.clock import Clock
    from alerts.sealing import Seal
    from api.settings import ApiSettings

SQL = queries(Path(__file__).with_name("reading.sql"))
_NAMES = {word: name for name, word in COMMANDS.items()}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the routes are handed."""

    settings: ApiSettings
    pool: ConnectionPool[psycopg.Connection[Any]]
    clock: Clock
    keys: Path
    seal: Seal

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection whose work is committed at the end, or not at all."""
        with self.pool.connection() as conn:
            yield conn

    def now(self) -> datetime:
        """The injected clock."""
        return self.clock.now()


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
