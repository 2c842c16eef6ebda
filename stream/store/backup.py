"""A backup of the whole store as one file, made while everything runs.

One snapshot of all tables as COPY text in a zip, with a manifest of checksums, migrations and fences. Own code rather
than pg_dump: the same file restores into plain PostgreSQL and into TimescaleDB, into this or a later version of either,
and a damaged table is told by name. Must never leave a file under the asked name that is not a whole backup.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg import sql

from stream.store import partitions
from stream.store.connect import connect
from stream.store.migrate import FOLDERS
from stream.store.partitions import ECG, READING
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.store.connect import Connection

SQL = queries(Path(__file__).with_name("backup.sql"))
SCHEMAS = list(FOLDERS)
MANIFEST = "manifest.json"
VERSION = 1

Told = Callable[[str, int, int], None]
"""Hears what is being copied, and how many bytes of about how many are done."""


class BackupError(RuntimeError):
    """A backup could not be made, or is not what it should be."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a backup."""

    name: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str

    @property
    def member(self) -> str:
        """Its file in the zip."""
        return f"tables/{self.name}.copy"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds."""

    version: int
    made_at: datetime
    server: str
    judged_position: int
    fences: dict[int, int]
    """By shard."""
    migrations: dict[str, str]
    """Label and checksum of each, without those for TimescaleDB."""
    tables: tuple[Table, ...]
    days: dict[str, tuple[date, ...]]
    """Which days had a part of their own."""

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def size(self) -> int:
        """Bytes of all tables, before compression."""
        return sum(table.size for table in self.tables)


def back_up(dsn: str, path: Path, told: Told = lambda *_: None) -> Manifest:
    """Write a backup to `path`, readable by its owner only: it holds what people's bodies did.

    Raises:
        BackupError: `path` is there already, or cannot be written (nothing is left behind then).
    """
    with connect(dsn, "backup") as conn, _new_file(path) as zipped:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        with conn.transaction():
            conn.execute(SQL["patience"])
            total = _one(conn, "size", schemas=SCHEMAS)
            tables: list[Table] = []
            for name, columns in conn.execute(SQL["tables"], {"schemas": SCHEMAS}).fetchall():
                done = sum(table.size for table in tables)

                def copied(size: int, name: str = name, done: int = done) -> None:
                    told(name, done + size, total)

                tables.append(_copy_out(conn, zipped, name, tuple(columns), copied))
            manifest = _manifest(conn, tables)
        zipped.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest


@contextmanager
def opened(path: Path) -> Iterator[tuple[Manifest, zipfile.ZipFile]]:
    """A backup and its manifest.

    Raises:
        BackupError: no backup, cut off, or of a newer version.
    """
    try:
        with zipfile.ZipFile(path) as zipped:
            manifest = msgspec.json.decode(zipped.read(MANIFEST), type=Manifest)
            if manifest.version != VERSION:
                raise BackupError(f"{path} was made by a newer version of Tierwatch: install that one to restore it")
            yield manifest, zipped
    except FileNotFoundError as error:
        raise BackupError(f"there is no file {path}") from error
    except KeyError as error:
        raise BackupError(f"{path}: {error.args[0]}") from error
    except msgspec.DecodeError as error:
        raise BackupError(f"{path}: {MANIFEST} is damaged, or of a newer version: {error}") from error
    except zipfile.BadZipFile as error:
        raise BackupError(f"{path} is no backup, or was cut off: {error}") from error


def verify(path: Path, told: Told = lambda *_: None) -> Manifest:
    """Read all of a backup and compare every checksum.

    Raises:
        BackupError: it differs from what was written; every table that does is named.
    """
    with opened(path) as (manifest, zipped):
        wrong, done = [], 0
        for table in manifest.tables:
            told(table.name, done, manifest.size)
            if not _is_whole(zipped, table):
                wrong.append(table.name)
            done += table.size
        told("checksums", manifest.size, manifest.size)
        if wrong:
            raise BackupError(f"{path}: not what was written: {', '.join(wrong)}. Use another backup.")
        return manifest


def chunks(zipped: zipfile.ZipFile, table: Table) -> Iterator[bytes]:
    """The rows of a table as COPY text, a megabyte at a time."""
    with zipped.open(table.member) as member:
        while piece := member.read(1 << 20):
            yield piece


def _is_whole(zipped: zipfile.ZipFile, table: Table) -> bool:
    digest = hashlib.sha256()
    try:
        for piece in chunks(zipped, table):
            digest.update(piece)
    except Exception:  # noqa: BLE001 - zlib, lzma, zipfile, ... whatever damaged bytes can raise; all mean the same
        return False
    return digest.hexdigest() == table.sha256


def _copy_out(
    conn: Connection, zipped: zipfile.ZipFile, name: str, columns: tuple[str, ...], told: Callable[[int], None]
) -> Table:
    digest, size = hashlib.sha256(), 0
    query = sql.SQL(SQL["copy_out"]).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)), table=sql.Identifier(*name.split("."))
    )
    cursor = conn.cursor()
    with zipped.open(f"tables/{name}.copy", "w", force_zip64=True) as member, cursor.copy(query) as copy:
        told(0)
        for piece in copy:
            member.write(piece)
            digest.update(piece)
            if (size + len(piece)) >> 20 > size >> 20:
                told(size)
            size += len(piece)
    return Table(name=name, columns=columns, rows=cursor.rowcount, size=size, sha256=digest.hexdigest())


def _manifest(conn: Connection, tables: list[Table]) -> Manifest:
    server, judged, made_at = conn.execute(SQL["facts"]).fetchone() or ("", 0, None)
    return Manifest(
        version=VERSION,
        made_at=made_at,
        server=server,
        judged_position=judged or 0,
        fences=dict(conn.execute(SQL["fences"]).fetchall()),
        migrations={
            f"{folder}/{number:04}_{name}": checksum
            for folder, number, name, checksum in conn.execute(SQL["migrations"])
            if not name.endswith(".timescale")
        },
        tables=tuple(tables),
        days={table.name: tuple(partitions.days(conn, table)) for table in (ECG, READING)},
    )


@contextmanager
def _new_file(path: Path) -> Iterator[zipfile.ZipFile]:
    if path.exists():
        raise BackupError(f"{path} is there already: choose another name, a backup is never overwritten")
    partial = path.with_name(path.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
                yield zipped
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)  # unlike rename, never over a file that came meanwhile
    except OSError as error:
        raise BackupError(f"{path} could not be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _one(conn: Connection, query: str, **values: object) -> Any:
    row = conn.execute(SQL[query], values).fetchone()
    return None if row is None else row[0]
