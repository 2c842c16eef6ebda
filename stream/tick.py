"""The tick: the one time that the stream goes by. Grows with the monotonic clock, follows the wall clock gently. Pure.

A step of the wall clock is slewed, never taken over, and is reported: half of a house would be late at once otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.instants import SECOND

MAX_SLEW = 0.05
"""Share of the time that passes by which the tick may run fast or slow to meet the wall clock."""
STEP_US = 2 * SECOND
"""A wall clock further from the tick than this was stepped, not adrift."""
MAX_LEAP_US = 30 * 86_400 * SECOND
"""At a start: further ahead than this, somebody must say that it is meant."""


ACCEPT_LEAP = "TIERWATCH_ACCEPT_CLOCK_LEAP"
"""In the environment of a start: the leap is meant."""


class ClockLeap(RuntimeError):
    """The wall clock is more than 30 days ahead of the last tick: all data would be late for ever if it is wrong.

    Set the clock right; or, if it is right, start once with TIERWATCH_ACCEPT_CLOCK_LEAP=1 in the environment.
    """


@dataclass(slots=True)
class TickClock:
    """The tick, from readings of the wall clock and of the monotonic clock (microseconds)."""

    tick_us: int
    monotonic_us: int
    is_stepped: bool = False
    """Whether the wall clock stands apart from the tick; `step_us` says how far."""
    step_us: int = 0

    def advance(self, wall_us: int, monotonic_us: int) -> int:
        """The tick now; it never goes back, and two calls a microsecond apart differ."""
        passed_us = max(monotonic_us - self.monotonic_us, 1)
        self.monotonic_us = max(monotonic_us, self.monotonic_us)
        apart_us = wall_us - (self.tick_us + passed_us)
        slew_us = round(MAX_SLEW * passed_us)
        self.tick_us += max(passed_us + max(-slew_us, min(slew_us, apart_us)), 1)
        self.step_us = wall_us - self.tick_us
        self.is_stepped = abs(self.step_us) > STEP_US if not self.is_stepped else abs(self.step_us) > STEP_US // 4
        return self.tick_us


def start(last_us: int | None, wall_us: int, monotonic_us: int, *, accepts_leap: bool = False) -> TickClock:
    """The tick at a start: the wall clock, but never before the last tick.

    Raises:
        ClockLeap: the wall clock is too far ahead and `accepts_leap` was not given.
    """
    if last_us is not None and wall_us - last_us > MAX_LEAP_US and not accepts_leap:
        days = (wall_us - last_us) / SECOND / 86_400
        raise ClockLeap(
            f"the wall clock is {days:.1f} days ahead of the last tick: set it right, or start with {ACCEPT_LEAP}=1"
        )
    return TickClock(max(wall_us, (last_us or 0) + 1), monotonic_us)
