"""One glucose stream of a patient: the newest readings, the state before them, the state after them. Pure.

A reading in order costs one step; one among the kept is folded in from the state before them; one older than these is
for the past pass (`stream.vitals_past`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream import glucose
from stream.glucose_course import Course, Sample

if TYPE_CHECKING:
    from stream.stretch import Stretch

BEGINNING = Course()
KEPT = 150
"""Readings kept of a stream: twelve hours of one every five minutes, some 6 kB."""


@dataclass(frozen=True, slots=True)
class GlucoseLane:
    """A stream of glucose as it is saved."""

    device: str
    stream: str
    ring: tuple[Sample, ...] = ()
    """The newest readings, by (`at`, `seq`)."""
    base: Course = BEGINNING
    """Before the first of them."""
    base_us: int = -1
    """The newest reading that fell off the ring; -1: none did."""
    tip: Course = BEGINNING
    """After the last of them."""
    heard_us: int = -1
    """Listening time of the last reading."""
    is_silent: bool = False
    """That nothing comes any more was said."""

    @property
    def key(self) -> str:
        """As in the ids and evidence of its episodes."""
        return f"{self.device}/{self.stream}"


def add(lane: GlucoseLane, sample: Sample, rules: glucose.Rules) -> tuple[GlucoseLane, list[Stretch], bool]:
    """The lane with one more reading, what ended by it, and whether all of the ring was judged anew.

    The caller sees to readings at or before `base_us`.
    """
    if not lane.ring or (sample.at_us, sample.seq) > lane.ring[-1][:2]:
        tip, ended = glucose.step(lane.tip, sample, rules)
        return trimmed(replace(lane, ring=(*lane.ring, sample), tip=tip), rules), ended, False
    ring = list(lane.ring)
    insort(ring, sample, key=lambda s: s[:2])
    return (*again(replace(lane, ring=tuple(ring)), rules), True)


def again(lane: GlucoseLane, rules: glucose.Rules) -> tuple[GlucoseLane, list[Stretch]]:
    """The whole ring judged anew from the state before it."""
    tip, ended = glucose.fold(lane.base, lane.ring, rules)
    return trimmed(replace(lane, tip=tip), rules), ended


def made(lane: GlucoseLane, samples: list[Sample], rules: glucose.Rules) -> tuple[GlucoseLane, list[Stretch]]:
    """The lane made anew of all these readings (by `at`)."""
    return again(replace(lane, ring=tuple(samples), base=BEGINNING, base_us=-1), rules)


def trimmed(lane: GlucoseLane, rules: glucose.Rules) -> GlucoseLane:
    """The lane with its oldest readings folded away."""
    spare = len(lane.ring) - KEPT
    if spare <= 0:
        return lane
    base, _ = glucose.fold(lane.base, lane.ring[:spare], rules)
    return replace(lane, ring=lane.ring[spare:], base=base, base_us=lane.ring[spare - 1].at_us)


def holds(lane: GlucoseLane, sample: Sample) -> bool:
    """Whether the ring has this very reading already."""
    at = bisect_left(lane.ring, sample[:2], key=lambda s: s[:2])
    return at < len(lane.ring) and lane.ring[at] == sample
