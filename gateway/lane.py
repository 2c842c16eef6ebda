"""A lane by name, and what the outbox tells the courier about it: values passed between the two, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.reading import DeviceId, StreamName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.ranges import Ranges
    from gateway.reading import AbandonReason


RANGES_IN_A_RECEIPT = 500
"""A receipt with fewer ranges of a lane says all that is safe; one with as many may leave out the lowest."""


class LaneName(NamedTuple):
    """One stream of one device, within a client and epoch."""

    device: DeviceId
    stream: StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An event that is committed and may be sent."""

    lane: LaneName
    seq: int
    waveform: bool
    heard_s: float
    """When it was heard, seconds since 1970 by the best clock there was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A range that will never be sent; it grows when what follows is given up too."""

    lane: LaneName
    first: int
    last: int
    reason: AbandonReason


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """A lane as found in the file when the gateway starts."""

    lane: LaneName
    next_seq: int
    waveform: bool
    held: Ranges
    """Can be sent."""
    ages: tuple[tuple[int, float], ...] = ()
    """(seq, heard_s), ascending, about one for ten seconds."""
    gaps: tuple[Gap, ...] = field(default=())


AGE_MARK_S = 10.0


def lane_state(lane: LaneName, next_seq: int, rows: Iterable[tuple[int, float]], gaps: Iterable[Gap]) -> LaneState:
    """A lane from its rows (seq, heard_s), ascending in seq, and everybody's gaps."""
    held: list[tuple[int, int]] = []
    ages: list[tuple[int, float]] = []
    for seq, heard_s in rows:
        if held and seq == held[-1][1] + 1:
            held[-1] = (held[-1][0], seq)
        else:
            held.append((seq, seq))
        if not ages or heard_s >= ages[-1][1] + AGE_MARK_S:
            ages.append((seq, heard_s))
    return LaneState(
        lane=lane,
        next_seq=next_seq,
        waveform=lane.stream.startswith("ecg"),
        held=tuple(held),
        ages=tuple(ages),
        gaps=tuple(gap for gap in gaps if gap.lane == lane),
    )
