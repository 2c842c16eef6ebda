"""Brings a database to the schema of this version: numbered `.sql` files, each applied once, in one fixed order.

A file that was applied is history: it is never edited and never skipped. Must never guess its way past a difference
between the files and what a store says was applied: it stops and says what to do.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ROOT = Path(__file__).parents[2]
FOLDERS = ("stream", "alerts", "api")
"""The way of the data: a later folder may refer to an earlier one, never the reverse."""
OUTSIDE = "-- outside a transaction"
"""First line of a file that holds one statement which refuses to run in a transaction (CREATE INDEX CONCURRENTLY)."""

_SQL = queries(Path(__file__).with_name("migrate.sql"))
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)(\.timescale)?\.sql")
_LOCK = int.from_bytes(b"tierwtch", "big") >> 1

Connection = psycopg.Connection[tuple[Any, ...]]


class MigrationError(RuntimeError):
    """The store and the migrations of this version do not fit together."""


class State(StrEnum):
    """How one migration stands in one store."""

    APPLIED = "applied"
    """Done, and the file is still the one that was applied."""
    PENDING = "pending"
    """Will be applied by the next `migrate`."""
    NOT_FOR_THIS_SERVER = "not for this server"
    """Needs TimescaleDB, which this server lacks."""
    CHANGED = "changed"
    """The file was edited after it had been applied."""
    UNKNOWN = "unknown"
    """Applied by a version of Tierwatch that had a file which this one lacks."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Migration:
    """One numbered file."""

    folder: str
    number: int
    name: str
    """As in the file's name, with `.timescale` where it is for TimescaleDB only."""
    text: str
    for_timescale: bool

    @property
    def label(self) -> str:
        """`stream/0001_log`."""
        return f"{self.folder}/{self.number:04}_{self.name}"

    @property
    def plain_label(self) -> str:
        """Its own label, or that of the file which it goes along with."""
        return self.label.removesuffix(".timescale")

    @property
    def checksum(self) -> str:
        """Of the text, so that another line ending is no change."""
        return sha256(self.text.encode()).hexdigest()


def migrate(
    dsn: str, root: Path = ROOT, lock_timeout_s: float = 60.0, only: Collection[str] | None = None
) -> list[str]:
    """Apply what is missing; returns the labels of what was applied now.

    `only` names what a store that is about to be restored had; files for TimescaleDB are applied along with those.

    Raises:
        MigrationError: an applied file was changed, the store is newer than this code, another migration holds the
            lock for too long, or a file failed (it left nothing behind; those before it stay applied).
    """
    with _connect(dsn) as conn, _locked(conn, lock_timeout_s):
        conn.execute(_SQL["create_migration_table"])
        timescale = _timescale(conn)
        if timescale:
            conn.execute(_SQL["create_timescale"])
        pending: list[Migration] = []
        for label, (state, migration) in _compare(conn, migrations(root), timescale=timescale).items():
            _refuse(label, state)
            if state is State.PENDING and migration is not None and (only is None or migration.plain_label in only):
                pending.append(migration)
        for migration in pending:
            _apply(conn, migration)
        return [migration.label for migration in pending]


def status(dsn: str, root: Path = ROOT) -> dict[str, State]:
    """How every known or applied migration stands, in order; changes nothing."""
    with _connect(dsn) as conn:
        return {
            label: state for label, (state, _) in _compare(conn, migrations(root), timescale=_timescale(conn)).items()
        }


def migrations(root: Path = ROOT) -> list[Migration]:
    """Every migration file below `root`, in the order of application.

    Raises:
        MigrationError: a file whose name does not fit, a number given twice, or a number left out.
    """
    found: list[Migration] = []
    for folder in FOLDERS:
        here = sorted((_read(folder, path) for path in (root / folder / "migrations").glob("*.sql")), key=_order)
        plain = [migration.number for migration in here if not migration.for_timescale]
        if plain != list(range(1, len(plain) + 1)):
            raise MigrationError(f"{folder}/migrations: numbers must be 1, 2, 3 ... each once; they are {plain}")
        found += here
    return found


def _read(folder: str, path: Path) -> Migration:
    named = _FILE.fullmatch(path.name)
    if named is None:
        raise MigrationError(f"{path}: call it NNNN_name.sql or NNNN_name.timescale.sql (lower case, digits, _)")
    return Migration(
        folder=folder,
        number=int(named[1]),
        name=named[2] + (named[3] or ""),
        text=path.read_text(encoding="utf-8"),
        for_timescale=named[3] is not None,
    )


def _order(migration: Migration) -> tuple[int, bool]:
    return migration.number, migration.for_timescale


def _connect(dsn: str) -> Connection:
    return psycopg.connect(dsn, autocommit=True, application_name="tierwatch migrate")


@contextmanager
def _locked(conn: Connection, timeout_s: float) -> Iterator[None]:
    # Asked for again and again rather than waited for: a waiting statement would hold a snapshot, and a
    # CREATE INDEX CONCURRENTLY of the one who has the lock would wait for that snapshot for ever.
    give_up = time.monotonic() + timeout_s
    while not _one(conn, "try_lock", lock=_LOCK):
        if time.monotonic() > give_up:
            raise MigrationError(f"another migration has held this database for {timeout_s:g} s: let it finish")
        time.sleep(0.1)
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute(_SQL["unlock"], {"lock": _LOCK})


def _compare(conn: Connection, files: list[Migration], *, timescale: bool) -> dict[str, tuple[State, Migration | None]]:
    applied: dict[str, str] = {}
    if _one(conn, "has_migration_table"):
        for folder, number, name, checksum in conn.execute(_SQL["applied"]):
            applied[f"{folder}/{number:04}_{name}"] = checksum
    told: dict[str, tuple[State, Migration | None]] = {}
    for migration in files:
        checksum = applied.pop(migration.label, None)
        if checksum is not None:
            told[migration.label] = (State.APPLIED if checksum == migration.checksum else State.CHANGED, migration)
        elif migration.for_timescale and not timescale:
            told[migration.label] = (State.NOT_FOR_THIS_SERVER, migration)
        else:
            told[migration.label] = (State.PENDING, migration)
    return told | dict.fromkeys(applied, (State.UNKNOWN, None))


def _refuse(label: str, state: State) -> None:
    if state is State.CHANGED:
        raise MigrationError(
            f"{label} was edited after it had been applied here: restore the file as it was, "
            f"and write what is to change as a new migration with the next number"
        )
    if state is State.UNKNOWN:
        raise MigrationError(
            f"this store has {label}, which this version of Tierwatch lacks: it was made by a newer version; "
            f"install that one, or restore a backup from before it"
        )


def _apply(conn: Connection, migration: Migration) -> None:
    record = {
        "folder": migration.folder,
        "number": migration.number,
        "name": migration.name,
        "checksum": migration.checksum,
    }
    try:
        if migration.text.startswith(OUTSIDE):
            # A crash between the two runs the statement again: it must say IF NOT EXISTS.
            conn.execute(migration.text)  # our own file, without parameters
            conn.execute(_SQL["record"], record)
        else:
            with conn.transaction():
                conn.execute(migration.text)  # our own file, without parameters
                conn.execute(_SQL["record"], record)
    except psycopg.Error as error:
        raise MigrationError(f"{migration.label} failed and was not applied: {error}") from error


def _timescale(conn: Connection) -> bool:
    return bool(_one(conn, "can_timescale"))


def _one(conn: Connection, query: str, **parameters: object) -> object:
    row = conn.execute(_SQL[query], parameters).fetchone()
    return None if row is None else row[0]
