"""Events packed into MQTT messages: in order, none over the size limit. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from gateway import wire
from gateway.lane import LaneName
from gateway.reading import Abandoned, Deferred, EcgChunk, EventBatch, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from gateway.reading import ClientId, Epoch, Event

PAYLOAD_BYTES = 200 * 1024
"""Under the 256 kB that a message may have, with room for what a size estimate misses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message."""

    payload: bytes
    numbered: tuple[tuple[LaneName, int], ...]
    """The events in it that have a number."""

    @property
    def digest(self) -> str:
        """As intake names it in a refusal."""
        return sha256(self.payload).hexdigest()


def pack(
    client: ClientId,
    epoch: Epoch,
    sent_at: datetime,
    events: Sequence[Event],
    *,
    alone: Callable[[LaneName, int], bool] = lambda _lane, _seq: False,
    limit: int = PAYLOAD_BYTES,
) -> list[Parcel]:
    """The events as messages of at most about `limit` bytes; those of `alone` in a message each."""
    groups: list[list[Event]] = [[]]
    size = 0
    for event in events:
        single = _numbered(event) and alone(_lane(event), _seq(event))
        weight = _weight(event)
        if groups[-1] and (single or size + weight > limit):
            groups.append([])
            size = 0
        groups[-1].append(event)
        size = limit if single else size + weight
    return [_parcel(client, epoch, sent_at, group) for group in groups if group]


def greeting(client: ClientId, epoch: Epoch, sent_at: datetime, outbox_percent: int | None = None) -> bytes:
    """A message without events: intake answers with a receipt, which says what time it is."""
    return wire.encode_batch(
        EventBatch(client=client, epoch=epoch, sent_at=sent_at, events=(), outbox_percent=outbox_percent)
    )


def _parcel(client: ClientId, epoch: Epoch, sent_at: datetime, events: Iterable[Event]) -> Parcel:
    batch = EventBatch(client=client, epoch=epoch, sent_at=sent_at, events=tuple(events))
    numbered = tuple((_lane(event), _seq(event)) for event in batch.events if _numbered(event))
    return Parcel(payload=wire.encode_batch(batch), numbered=numbered)


def _numbered(event: Event) -> bool:
    return not isinstance(event, Abandoned | Deferred)


def _lane(event: Event) -> LaneName:
    return LaneName(event.device, event.stream)


def _seq(event: Event) -> int:
    return 0 if isinstance(event, Abandoned | Deferred) else event.seq


def _weight(event: Event) -> int:
    """Bytes of an event on the wire, at the most."""
    if isinstance(event, EcgChunk):
        return len(event.samples) + 420
    return 500 + 9 * len(event.values) if isinstance(event, Reading) else 600
