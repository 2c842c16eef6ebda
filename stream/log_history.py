"""The `History` port over a log that is at hand: what the log runner, replay and tests judge the past by."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.reading import EcgChunk, Reading
from stream.instants import micros

if TYPE_CHECKING:
    from gateway.reading import DeviceId
    from stream.batch import Batch
    from stream.lane import LaneKey


@dataclass(slots=True)
class LogHistory:
    """Chunks by lane and readings by device, each sorted as the port says, with the position that brought them."""

    _chunks: dict[LaneKey, list[tuple[int, int, int, EcgChunk]]] = field(default_factory=lambda: defaultdict(list))
    _readings: dict[DeviceId, list[tuple[int, str, int, int, Reading]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, batch: Batch) -> None:
        """Take a position in; to be called before it is judged."""
        for row in batch.rows:
            event = row.payload
            if isinstance(event, EcgChunk):
                key = (row.client, row.epoch, event.device, event.stream)
                insort(self._chunks[key], (micros(event.at), event.seq, batch.position, event), key=lambda e: e[:2])  # type: ignore[index]
            elif isinstance(event, Reading):
                entry = (micros(event.at), str(event.stream), event.seq, batch.position, event)
                insort(self._readings[event.device], entry, key=lambda e: e[:3])

    def chunks(self, lane: LaneKey, from_us: int, to_us: int, up_to: int) -> list[EcgChunk]:
        """See `stream.moment.History`."""
        listed = self._chunks.get(lane, [])
        first = bisect_left(listed, from_us, key=lambda e: e[0])
        last = bisect_left(listed, to_us, key=lambda e: e[0])
        return [chunk for _, _, position, chunk in listed[first:last] if position <= up_to]

    def readings(self, device: DeviceId, from_us: int, to_us: int, up_to: int) -> list[Reading]:
        """See `stream.moment.History`."""
        return [
            r for at, _, _, position, r in self._readings.get(device, []) if from_us <= at < to_us and position <= up_to
        ]
