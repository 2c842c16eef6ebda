"""A backup back into an empty store, whole or not at all.

What came after the backup is lost to the store, and its outboxes may have deleted it on our word: this module says from
where on. Must never touch a store that holds anything, and never let a writer of the lost store go on with the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from psycopg import sql

from gateway.ranges import Ranges, normalise
from stream.store import partitions
from stream.store.backup import SCHEMAS, SQL, BackupError, Manifest, Told, chunks, opened, verify
from stream.store.connect import connect
from stream.store.migrate import migrate, migrations
from stream.store.partitions import ECG, READING

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Sequence
    from pathlib import Path

    from psycopg.types.range import Range

    from stream.store.connect import Connection

FENCE_LEAP = 1_000_000
"""More starts than any writer of the lost store can have had since the backup."""


class NotEmpty(BackupError):
    """There is a store in this database already: give an empty database, or a new data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStand:
    """How far the restored store has one lane of one outbox.

    Whatever lies outside of `stored`, and the outbox deleted on a receipt given after the backup, is lost: the outbox
    answers the next `hello` with `Abandoned(store_lost)` for it.
    """

    client: str
    epoch: str
    device: str
    stream: str
    stored: Ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    later: tuple[str, ...]
    """Migrations that this version has and the backup had not: applied after it was loaded."""
    fences: dict[int, int]
    lanes: tuple[LaneStand, ...]


def restore(dsn: str, path: Path, told: Told = lambda *_: None) -> Restored:
    """Check a backup, then load it into the empty database `dsn`.

    Raises:
        BackupError: damaged, or made by a version with other migrations; nothing was touched.
        NotEmpty: there is a store already; nothing was touched.
    """
    manifest = verify(path, told)
    _refuse_other_migrations(manifest)
    with connect(dsn, "restore") as conn:
        if conn.execute(SQL["is_empty"], {"schemas": SCHEMAS}).fetchone() != (True,):
            raise NotEmpty("this database holds a store already: give an empty database, or a new data folder")
        made = migrate(dsn, only=manifest.migrations)
        if not set(manifest.migrations) <= set(made):
            raise NotEmpty("somebody else is making a store in this database: end `tierwatch up` first")
        try:
            _make_parts(conn, manifest)
            with opened(path) as (_, zipped), conn.transaction():
                _load(conn, zipped, manifest, told)
                fences = _raise_fences(conn)
            later = migrate(dsn)
        except BaseException:
            _clear(conn)
            raise
        return Restored(manifest=manifest, later=tuple(later), fences=fences, lanes=lanes(conn))


def lanes(conn: Connection) -> tuple[LaneStand, ...]:
    """How far each lane is stored."""
    rows = conn.execute(SQL["lanes"]).fetchall()
    return tuple(
        LaneStand(client=client, epoch=epoch, device=device, stream=stream, stored=_ranges(stored))
        for client, epoch, device, stream, stored in rows
    )


def _ranges(stored: Sequence[Range[int]]) -> Ranges:
    return normalise(
        (seqs.lower, seqs.upper - 1) for seqs in stored if seqs.lower is not None and seqs.upper is not None
    )


def _refuse_other_migrations(manifest: Manifest) -> None:
    ours = {migration.label: migration.checksum for migration in migrations()}
    for label, checksum in manifest.migrations.items():
        if label not in ours:
            raise BackupError(f"the backup has {label}, which this version lacks: restore it with the newer version")
        if ours[label] != checksum:
            raise BackupError(f"{label} differs from the one of the backup: restore it with the version that made it")


def _make_parts(conn: Connection, manifest: Manifest) -> None:
    for table in (ECG, READING):
        if partitions.is_partitioned(conn, table):
            for day in manifest.days.get(table.name, ()):
                partitions.make(conn, table, day, holds_rows=False)


def _load(conn: Connection, zipped: zipfile.ZipFile, manifest: Manifest, told: Told) -> None:
    conn.execute(SQL["patience"])
    tables = {table.name: table for table in manifest.tables}
    conn.execute(sql.SQL(SQL["empty"]).format(tables=sql.SQL(", ").join(_identifier(name) for name in tables)))
    order = TopologicalSorter[str]({name: set() for name in tables})
    for later, earlier in conn.execute(SQL["references"], {"schemas": SCHEMAS}):
        order.add(later, earlier)
    triggered = [row[0] for row in conn.execute(SQL["with_triggers"], {"schemas": SCHEMAS})]
    _on_each(conn, "disable_triggers", triggered)
    done = 0
    for name in order.static_order():
        table = tables[name]
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        query = sql.SQL(SQL["copy_in"]).format(table=_identifier(name), columns=columns)
        with conn.cursor().copy(query) as copy:
            for piece in chunks(zipped, table):
                told(name, done, manifest.size)
                copy.write(piece)
                done += len(piece)
    _on_each(conn, "enable_triggers", triggered)
    for name, column, sequence in conn.execute(SQL["identities"], {"schemas": SCHEMAS}).fetchall():
        query = sql.SQL(SQL["go_on_numbering"]).format(table=_identifier(name), column=sql.Identifier(column))
        conn.execute(query, {"sequence": sequence})


def _raise_fences(conn: Connection) -> dict[int, int]:
    conn.execute(SQL["raise_fences"], {"by": FENCE_LEAP})
    return dict(conn.execute(SQL["fences"]).fetchall())


def _clear(conn: Connection) -> None:
    if not conn.closed:
        conn.execute(sql.SQL(SQL["drop_all"]).format(schemas=sql.SQL(", ").join(map(sql.Identifier, SCHEMAS))))
        conn.execute(SQL["drop_migrations"])


def _on_each(conn: Connection, query: str, names: list[str]) -> None:
    for name in names:
        conn.execute(sql.SQL(SQL[query]).format(table=_identifier(name)))


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
