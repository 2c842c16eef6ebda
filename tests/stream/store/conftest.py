"""A store to be filled by hand: `filler` writes rows as intake would, one batch a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from stream.store.connect import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Filler:
    """Writes rows of one lane."""

    dsn: str
    conn: Connection
    lane: int
    position: int = 0
    seqs: dict[str, int] = field(default_factory=dict)

    def batch(self, tick: datetime, *ecg_at: datetime, readings_at: tuple[datetime, ...] = ()) -> int:
        """One position of the log with a chunk at each of these times."""
        self.position += 1
        with self.conn.transaction():
            self.conn.execute(
                "INSERT INTO stream.batch (shard, position, tick_at, rows) VALUES (0, %s, %s, %s)",
                [self.position, tick, len(ecg_at) + len(readings_at)],
            )
            for ord_, at in enumerate(ecg_at):
                self.conn.execute(
                    "INSERT INTO stream.ecg VALUES (%s, %s, %s, 'ada', 's', 0, 250, 'I', true, 0, 'device', 0, %s, %s, "
                    "NULL, %s, true, '', 3, %s)",
                    [self.lane, self._next("ecg"), at, self.position, ord_, tick, b"\0\1\0\2\0\3\0"],
                )
            for ord_, at in enumerate(readings_at, len(ecg_at)):
                self.conn.execute(
                    "INSERT INTO stream.reading VALUES (%s, %s, %s, 'ada', 'd', 1, 'glucose', '{95,NULL}', '{test}', NULL, "
                    "NULL, 'device', '', 0, %s, %s, NULL, %s, true, '')",
                    [self.lane, self._next("reading"), at, self.position, ord_, tick],
                )
            self.conn.execute("UPDATE stream.cursor SET judged_position = %s", [self.position])
        return self.position

    def chart(self, position: int) -> None:
        """A chart that was last saved at this position."""
        self.conn.execute("INSERT INTO stream.chart VALUES ('ecg', '1', 0, 1, %s, %s, '')", [position, position])

    def rows(self, query: str) -> list[Any]:
        """First column of each row."""
        return [row[0] for row in self.conn.execute(query)]

    def _next(self, table: str) -> int:
        self.seqs[table] = self.seqs.get(table, 0) + 1
        return self.seqs[table]


@pytest.fixture
def filler(dsn: str) -> Iterator[Filler]:
    """A migrated store with one lane."""
    with connect(dsn, "filler") as conn:
        conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e1')")
        conn.execute("INSERT INTO stream.lane (source, device, stream) SELECT source, 'd', 'ecg/I' FROM stream.source")
        row = conn.execute("SELECT lane FROM stream.lane").fetchone()
        assert row is not None
        yield Filler(dsn, conn, row[0])


@pytest.fixture
def now() -> datetime:
    """Noon of the day on which these tests happen."""
    return NOW
