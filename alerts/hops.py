"""From the skin to the person: when each hop had what an alert rests on. Read only.

Device time is the data's own; all the others are clocks of our machines. Must never guess: what is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("hops.sql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hops:
    """The times of one alert."""

    alert: UUID
    device: str | None = None
    stream: str | None = None
    device_at: datetime | None = None
    """When the sample or reading that decided it was true, by the device."""
    received_at: datetime | None = None
    """When the first clock of ours heard it."""
    sent_at: datetime | None = None
    stored_at: datetime | None = None
    judged_at: datetime | None = None
    alerted_at: datetime | None = None
    delivered_at: datetime | None = None
    """When the first person's channel had it."""
    position: int | None = None
    """Of the finding in the log."""
    episode: UUID | None = None

    def times(self) -> dict[str, str | None]:
        """The hops by name, in their order, ISO 8601."""
        named = {
            "device": self.device_at,
            "sent": self.sent_at,
            "stored": self.stored_at,
            "judged": self.judged_at,
            "alerted": self.alerted_at,
            "delivered": self.delivered_at,
        }
        return {name: at.isoformat() if at else None for name, at in named.items()}


def of(conn: Connection, alert: UUID) -> Hops:
    """The hop times of an alert, as far as they are known by now."""
    cursor = conn.cursor(row_factory=dict_row)
    row = cursor.execute(SQL["first_hops"], {"alert": alert}).fetchone()
    if row is None:
        return Hops(alert=alert)
    alerted = cursor.execute(SQL["alerted_at"], {"alert": alert}).fetchone()
    delivered = cursor.execute(SQL["first_delivery"], {"alert": alert}).fetchone()
    return Hops(
        alert=alert,
        device=row["device"],
        stream=row["lane_stream"],
        device_at=row["at"],
        received_at=row["received_at"],
        sent_at=row["sent_at"],
        stored_at=row["stored_at"],
        judged_at=row["judged_at"],
        alerted_at=alerted["written_at"] if alerted else None,
        delivered_at=delivered["delivered_at"] if delivered else None,
        position=row["judged_position"],
        episode=row["episode"],
    )
