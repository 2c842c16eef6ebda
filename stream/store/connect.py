"""How a process of ours connects to the store, and how one wakes another.

Patient at the start only, when the server may be starting too. Later losses are raised: whoever was in the middle of
something must go back to its last commit, which no helper can do for it. A wake carries nothing: the rows are the truth.
"""

from __future__ import annotations

import random
import time
from typing import Any, Self

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0


class StoreUnreachable(RuntimeError):
    """The database did not answer for as long as we were told to wait."""


def connect(dsn: str, name: str, patience_s: float = 30.0) -> Connection:
    """A connection in autocommit, seen in pg_stat_activity as `tierwatch NAME`.

    Raises:
        StoreUnreachable: no connection within `patience_s`; the last error is its cause.

    """
    give_up = time.monotonic() + patience_s
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return psycopg.connect(dsn, autocommit=True, application_name=f"tierwatch {name}", connect_timeout=5)
        except psycopg.OperationalError as error:
            # Jitter, so that children that lost the server together do not come back in step.
            pause_s = wait_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            if time.monotonic() + pause_s > give_up:
                raise StoreUnreachable(f"no database for {patience_s:g} s: {error}") from error
            time.sleep(pause_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def wake(conn: Connection, channel: str) -> None:
    """Wake whoever waits on this channel, when the current transaction commits."""
    conn.execute("SELECT pg_notify(%s, '')", [channel])


class Waiter:
    """Waits for a wake, but never longer than asked: a lost wake costs a second, no more."""

    def __init__(self, dsn: str, name: str, *channels: str) -> None:
        """Nothing is opened before the first `wait`."""
        self._dsn = dsn
        self._name = name
        self._channels = channels
        self._conn: Connection | None = None

    def __enter__(self) -> Self:
        """Listening from here on."""
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.close()

    def close(self) -> None:
        """Stop listening; a later `wait` starts again."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def wait(self, timeout_s: float = 1.0) -> bool:
        """Whether somebody woke us before `timeout_s` was over. The caller looks at its rows either way.

        True too after the server was lost and found again: a wake may have gone by in between.
        """
        start = time.monotonic()
        try:
            if self._conn is None:
                self._listen()
                return True
            return any(self._conn.notifies(timeout=timeout_s, stop_after=1))
        except (psycopg.OperationalError, StoreUnreachable):
            self.close()
            time.sleep(max(0.0, timeout_s - (time.monotonic() - start)))
            return False

    def _listen(self) -> None:
        conn = connect(self._dsn, self._name, patience_s=0.0)
        for channel in self._channels:
            conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._conn = conn
