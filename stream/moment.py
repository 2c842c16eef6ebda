"""The moment at which a household is judged: position, tick, and the few things that it may ask for. No clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from gateway.reading import DeviceId, EcgChunk, Reading
    from stream.assignments import Assignments, Span
    from stream.ecg_feed import Feed
    from stream.household import EcgCharts
    from stream.lane import LaneKey


class History(Protocol):
    """What was archived up to a position, the Ward's only way to the past: SQL in the embedded runner, else the log itself."""

    def chunks(self, lane: LaneKey, from_us: int, to_us: int, up_to: int) -> list[EcgChunk]:
        """Chunks of a lane that begin within [from_us, to_us), at positions <= up_to, by (at, seq)."""

    def readings(self, device: DeviceId, from_us: int, to_us: int, up_to: int) -> list[Reading]:
        """Readings of a device with from_us <= at < to_us, at positions <= up_to, by (at, stream, seq)."""


@dataclass(slots=True)
class Moment:
    """One position, seen from one household."""

    position: int
    tick_us: int
    second_us: int
    """The tick's whole second: rules of time are told in it, so that batching cannot matter."""
    listening_us: int
    assignments: Assignments
    history: History
    ecg: EcgCharts
    on_past_marks: Callable[[Feed, NDArray[np.void]], None] | None = None
    """See `Ward.on_past_marks`."""
    spans: dict[int, Span] = field(default_factory=dict)
    """What each assignment of this batch covers, by its `ord`."""
    patient: str = ""
    """Whom the detector is at work on, so that a failure can be laid to one patient."""
