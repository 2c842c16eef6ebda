"""Everything that lies sealed is sealed anew with the newest key, batch by batch, while the product runs.

Each folder names its sealed columns; a test compares the list with the schema. An end in between loses nothing: every row
is sealed with a key that is there, and the next run goes on with what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_suffix(".sql"))
BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A table with columns that lie sealed, each bound to table, column and row."""

    schema: str
    table: str
    key: str
    """The column that names the row."""
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """As in SQL."""
        return f"{self.schema}.{self.table}"

    def place(self, column: str, key: object) -> str:
        """What the bytes of one column of one row are bound to."""
        return f"{self.name}|{column}|{key}"


NOTICE = Sealed(schema="alerts", table="notice", key="notice", columns=("body",))
TABLES = (NOTICE,)
"""Of this folder."""


def left(conn: psycopg.Connection[Any], tables: Iterable[Sealed], newest: int) -> dict[str, int]:
    """How many rows of each table are still sealed with another key than this one."""
    return {one.name: conn.execute(_query("left", one, newest)).fetchone()[0] for one in tables}  # type: ignore[index]


def rewrite(conn: psycopg.Connection[Any], table: Sealed, seal: Seal, many: int = BATCH) -> Iterator[int]:
    """Seal a table anew, from its beginning; gives how many rows each batch had, once it is committed.

    `conn` is in autocommit. One pass: what somebody seals with the old key meanwhile is found by `left`.
    """
    newest, after = seal.newest, ""
    while True:
        with conn.transaction():
            asked = {"after": after, "many": many}
            rows = conn.cursor(row_factory=dict_row).execute(_query("stale", table, newest), asked).fetchall()
            for row in rows:
                new = {name: _anew(seal, row[name], table.place(name, row["key"])) for name in table.columns}
                conn.execute(_query("reseal", table, newest), {**new, "key": row["key"]})
        if not rows:
            return
        after = rows[-1]["key"]
        yield len(rows)


def _anew(seal: Seal, sealed: bytes | None, place: str) -> bytes | None:
    return None if sealed is None else seal.seal(seal.open(sealed, place), place)


def _query(name: str, table: Sealed, newest: int) -> sql.Composed:
    columns = [sql.Identifier(column) for column in table.columns]
    return sql.SQL(SQL[name]).format(
        table=sql.Identifier(table.schema, table.table),
        key=sql.Identifier(table.key),
        columns=sql.SQL(", ").join(columns),
        stale=sql.SQL(" OR ").join(
            sql.SQL("substr({}, 1, 1) <> {}").format(column, sql.Literal(bytes([newest]))) for column in columns
        ),
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(column, sql.Placeholder(name))
            for column, name in zip(columns, table.columns, strict=True)
        ),
    )
