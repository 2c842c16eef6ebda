"""Who looked at what, and who asked for what: an append-only book, each row chained to the one before by its hash.

A row is written before what it tells of is carried out, in a transaction of its own. The newest hash is also kept in a
file beside the keys, so that a tail cut off in the database shows. Must never hold a name, an address or an id in `what`.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from psycopg.rows import dict_row

from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime


SQL = queries(Path(__file__).with_suffix(".sql"))
Row = dict[str, Any]
Connection = Any

_LOG: Any = structlog.get_logger(__name__)
BEGUN, REFUSED = "begun", "refused"
LONGEST = 100
"""Characters of a subject: what somebody writes into an address is not kept whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that somebody is about to do, or was refused."""

    who: str
    role: str
    """Kind of account, `machine`, or `link` for a one-time link."""
    what: str
    """Method and template of the route."""
    subject: str | None = None
    outcome: str = BEGUN
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row that is known: its number, and its hash."""

    n: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the chain."""

    rows: int
    """How many rows it should have."""
    cut: int | None = None
    """Number of the first row that is missing or is not as it was written; None: it is whole."""
    why: str = ""


def write(conn: Connection, entry: Entry) -> Head:
    """Add a row. The caller commits at once, and holds nothing else meanwhile: others wait for their turn.

    Raises:
        psycopg.Error: it could not be written; what it tells of must not be done then.
    """
    asked = {
        "who": entry.who, "role": entry.role, "what": entry.what, "outcome": entry.outcome, "reason": entry.reason,
        "subject": None if entry.subject is None else entry.subject.replace("\0", "")[:LONGEST],
    }  # fmt: skip
    row = conn.cursor(row_factory=dict_row).execute(SQL["add"], asked).fetchone()
    return Head(row["n"], bytes(row["hash"]))


def listed(
    conn: Connection,
    *,
    limit: int,
    subject: str | None = None,
    who: str | None = None,
    but: str | None = None,
    between: tuple[datetime | None, datetime | None] = (None, None),
    before: int | None = None,
) -> list[Row]:
    """Rows, newest first; `but`: without those of this role."""
    asked = {"subject": subject, "who": who, "but": but, "from_at": between[0], "to_at": between[1], "before": before,
             "limit": limit}  # fmt: skip
    found: list[Row] = conn.cursor(row_factory=dict_row).execute(SQL["listed"], asked).fetchall()
    return found


def verify(conn: Connection, known: Head | None) -> Verdict:
    """Walk the whole chain. `known`: the newest row by the file beside the keys.

    What was cut off after that row was noted, or by somebody who can write that file too, cannot be found.
    """
    cursor = conn.cursor(row_factory=dict_row)
    newest = cursor.execute(SQL["newest"]).fetchone()
    rows = max(newest["n"] if newest else 0, known.n if known else 0)
    if cut := cursor.execute(SQL["cut"]).fetchone():
        return Verdict(rows=rows, cut=cut["n"], why=cut["why"])
    if known is not None:
        if newest is None or newest["n"] < known.n:
            return Verdict(rows=rows, cut=(newest["n"] if newest else 0) + 1, why="the end is missing")
        if not _is_there(conn, known):
            return Verdict(rows=rows, cut=known.n, why="the chain was written anew: the file beside the keys differs")
    return Verdict(rows=rows)


@dataclass(slots=True)
class HeadFile:
    """The newest row, in a file beside the keys; at most a second behind what this process wrote."""

    path: Path
    rest_s: float = 1.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: Head | None = None
    _saved_at: float = float("-inf")

    def note(self, head: Head) -> bool:
        """A row was written and committed; whether it is time to save."""
        with self._lock:
            if self._last is None or head.n > self._last.n:
                self._last = head
            return time.monotonic() - self._saved_at >= self.rest_s

    def save(self, conn: Connection) -> None:
        """Write the newest down, unless the row that the file knows is no longer there: then it stays as evidence."""
        with self._lock:
            self._saved_at = time.monotonic()
            known = self.read()
            if self._last is None or (known is not None and known.n >= self._last.n):
                return
            if known is not None and not _is_there(conn, known):
                _LOG.error("audit_cut", n=known.n)
                return
            beside = self.path.with_suffix(f".{os.getpid()}")
            beside.write_text(f"{self._last.n} {self._last.digest.hex()}\n", encoding="ascii")
            beside.replace(self.path)

    def read(self) -> Head | None:
        """What the file says; None: there is none yet."""
        try:
            n, digest = self.path.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        return Head(int(n), bytes.fromhex(digest))


def _is_there(conn: Connection, head: Head) -> bool:
    row = conn.cursor(row_factory=dict_row).execute(SQL["one"], {"n": head.n}).fetchone()
    return row is not None and bytes(row["hash"]) == head.digest
