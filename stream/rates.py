"""The course of heart rates, a row a minute and lead, from the kernels' beats as they are told. For people to look at.

Nothing is judged by it, so nothing of it is in a chart: a restart costs a part of a minute. Must never count a beat that
was found in noise, nor an interval across a gap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from stream.ecg.marks import Mark, Quality
from stream.instants import SECOND, instant

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from stream.ecg_feed import Feed
    from stream.lane import LaneKey

MINUTE_US = 60 * SECOND
SETTLE_US = 10 * SECOND
"""So long after its end a minute is waited for: a beat is decided seconds after it was."""
IN_A_ROW = 5
"""Intervals over which the slowest and the fastest rate are taken, as for a slow heart (`EcgCondition.BRADY`)."""
LEAST = 3
"""Fewer intervals are no rate of a minute."""

Place = tuple[str, str, int]
"""Device, stream, and the minute (microseconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One minute of one lead."""

    device: str
    stream: str
    at: datetime
    patient: str
    beats: int
    rate_bpm: float
    low_bpm: float
    high_bpm: float


@dataclass(slots=True)
class _Lead:
    """What a lane showed last."""

    grade: int = Quality.FAIR
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=IN_A_ROW))


@dataclass(slots=True)
class _Minute:
    patient: str
    beats: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    fastest_s: float = float("inf")

    def rate(self, place: Place) -> Rate:
        mean = 60 * self.beats / self.seconds
        return Rate(
            device=place[0], stream=place[1], at=instant(place[2]), patient=self.patient, beats=self.beats, rate_bpm=mean,
            low_bpm=min(60 * IN_A_ROW / self.slowest_s, mean) if self.slowest_s else mean,
            high_bpm=max(60 * IN_A_ROW / self.fastest_s, mean) if self.slowest_s else mean,
        )  # fmt: skip


@dataclass(slots=True)
class Rates:
    """All minutes under way."""

    tick_us: int = 0
    _leads: dict[LaneKey, _Lead] = field(default_factory=dict)
    _minutes: dict[Place, _Minute] = field(default_factory=dict)
    _due: list[tuple[int, Place]] = field(default_factory=list)

    def take(self, feed: Feed, marks: NDArray[np.void]) -> None:
        """See `Ward.on_marks`."""
        self._take(feed, marks, self._leads)

    def take_past(self, feed: Feed, marks: NDArray[np.void]) -> None:
        """See `Ward.on_past_marks`: what came late is judged from a fresh start, so what was shown last does not count."""
        self._take(feed, marks, {})

    def due(self, tick_us: int) -> list[Rate]:
        """The minutes that are over at this tick, each once."""
        self.tick_us = tick_us
        found = []
        while self._due and self._due[0][0] <= tick_us:
            _, place = heappop(self._due)
            minute = self._minutes.pop(place)
            if minute.beats >= LEAST:
                found.append(minute.rate(place))
        return found

    def _take(self, feed: Feed, marks: NDArray[np.void], leads: dict[LaneKey, _Lead]) -> None:
        kinds = marks["kind"]
        told: list[Any] = marks[(kinds == Mark.BEAT) | (kinds == Mark.QUALITY)].tolist()
        for mark in told:
            row = feed.rows[mark[1]]
            lead = leads.get(row.lane.key)
            if lead is None:
                lead = leads[row.lane.key] = _Lead()
            if mark[2] == Mark.QUALITY:
                lead.grade = int(mark[7])
            elif lead.grade == Quality.BAD or mark[7] <= 0:
                lead.intervals.clear()
            else:
                self._count(row.lane.key, row.patient, row.time_of(int(mark[4])), mark[7], lead)

    def _count(self, key: LaneKey, patient: str, at_us: int, interval_s: float, lead: _Lead) -> None:
        place = (key[2], key[3], at_us // MINUTE_US * MINUTE_US)
        minute = self._minutes.get(place)
        if minute is None:
            minute = self._minutes[place] = _Minute(patient)
            heappush(self._due, (max(self.tick_us, place[2] + MINUTE_US) + SETTLE_US, place))
        minute.beats += 1
        minute.seconds += interval_s
        lead.intervals.append(interval_s)
        if len(lead.intervals) == IN_A_ROW:
            row_s = sum(lead.intervals)
            minute.slowest_s = max(minute.slowest_s, row_s)
            minute.fastest_s = min(minute.fastest_s, row_s)
