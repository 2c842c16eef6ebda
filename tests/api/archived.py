"""The log as intake writes it, without MQTT and without the detector: what gateways sent, and what people told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import psycopg

from gateway.reading import ClientId, Epoch
from stream.admission import Arrival
from stream.archive import SQL, store
from stream.books import Books, Intake

if TYPE_CHECKING:
    from gateway.reading import Event


@dataclass
class Archive:
    """The one writer of a database."""

    dsn: str
    books: Books = field(default_factory=Books)
    position: int = 10_000
    """Behind what `Stream.says` writes."""

    def __post_init__(self) -> None:
        self.conn = psycopg.connect(self.dsn, autocommit=True)
        row = self.conn.execute(SQL["raise_fence"], {"shard": 0}).fetchone()
        assert row is not None
        self.fence = row[0]

    def take(self, *events: Event, client: str = "gw", at: datetime | None = None) -> None:
        """One batch: these events, and whatever waits in the inbox."""
        tick = at or datetime.now(UTC)
        arrivals = [
            Arrival(
                client=ClientId(client), epoch=Epoch("e"), sent_at=None,
                received_at=getattr(event, "received_at", None) or tick, is_from_gateway=True, event=event,
            )
            for event in events
        ]  # fmt: skip
        self.position += 1
        store(self.conn, self.books, Intake(arrivals=arrivals), shard=0, fence=self.fence, position=self.position,
              tick=tick)  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.conn.close()
