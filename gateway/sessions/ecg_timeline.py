"""From frames that carry a device clock to runs of samples with a session, an index and a constant rate.

The rate is measured over a session's first frames and then holds for the session; a lost frame becomes a gap in the
index, computed from the device's clock alone. What cannot be one timeline (clock restarted, jumped, another rate) is a
new session. Never guesses by arrival: a frame is a duplicate only if clock and samples are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

from gateway.reading import SessionId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.reading import DeviceId
    from gateway.sessions.session import Moment

FRAMES_TO_MEASURE = 4
"""Held back at the start of a session (2.2 s on an H10): three intervals, so that a lost frame cannot fool the rate."""
JUMP_NS = 2_000_000_000
"""A device clock this much ahead of what passed here was set forward: no frame is heard before it was measured."""
STALL_NS = 60_000_000_000
"""A device clock this much behind what passed here stood still or was set back."""
LONGEST_GAP_NS = 600_000_000_000
"""Beyond ten minutes the rate's last digit no longer gives the number of lost samples."""
ODD_INTERVALS = 8
"""So many intervals in a row that do not fit the rate: it is another rate."""
RATE_TOLERANCE = 0.01
SEEN = 256
HOLES = 32
LATE_NS = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A frame as it came."""

    last_ns: int
    """Device clock at the last sample."""
    samples: tuple[int, ...]
    moment: Moment
    contact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A frame with its place in a session."""

    heard: Heard
    session: SessionId
    index: int
    rate_hz: float
    first_monotonic_ns: int
    """When the first sample was measured, by the gateway's clock that never steps."""
    opens: str | None = None
    """Why a session begins here; None inside of one."""


PLAUSIBLE_HZ = (10.0, 2000.0)
"""What no ECG device samples outside of: two frames that say otherwise hide a lost one."""


def measured_rate(frames: list[Heard], nominal_hz: float) -> float:
    """Samples a second by the device's clock, to 0.01 Hz; intervals that hide a lost frame are left out."""
    intervals = [(b.last_ns - a.last_ns, len(b.samples)) for a, b in pairwise(frames)]
    rates = [(count * 1e9 / ns, ns, count) for ns, count in intervals if ns > 0]
    plausible = [item for item in rates if PLAUSIBLE_HZ[0] <= item[0] <= PLAUSIBLE_HZ[1]]
    if not plausible:
        return nominal_hz
    # A lost frame makes an interval long and its rate low, never high: those near the highest are whole.
    highest = max(rate for rate, _, _ in plausible)
    whole = [item for item in plausible if item[0] >= highest * (1 - 2 * RATE_TOLERANCE)]
    return round(sum(count for _, _, count in whole) * 1e9 / sum(ns for _, ns, _ in whole), 2)


class EcgTimeline:
    """One lead of one device, over all its sessions."""

    def __init__(self, device: DeviceId, nominal_hz: float) -> None:
        self._device = device
        self._nominal_hz = nominal_hz
        self._used: dict[str, int] = {}
        self._seen: dict[int, int] = {}
        self.duplicates = 0
        """Frames that came twice and were dropped."""
        self._begin("first frame")

    def _begin(self, why: str) -> None:
        self._why = why
        self._waiting: list[Heard] = []
        self._rate_hz: float | None = None
        self._session = SessionId("")
        self._next_index = 0
        self._last_ns: int | None = None
        self._ahead_ns = 0
        self._holes: list[tuple[int, int]] = []
        self._odd = 0

    def frame(self, heard: Heard) -> list[Placed]:
        """Takes a frame; gives the frames whose place is now known (none while the rate is being measured)."""
        fingerprint = crc32(repr(heard.samples).encode())
        if self._seen.get(heard.last_ns) == fingerprint:
            self.duplicates += 1
            return []
        placed: list[Placed] = []
        if self._last_ns is not None:
            late = self._into_hole(heard)
            if late is not None:
                self._remember(heard.last_ns, fingerprint)
                return [late]
            broken = self._broken(heard)
            if broken:
                placed += self.flush()
                self._begin(broken)
        self._remember(heard.last_ns, fingerprint)
        if self._rate_hz is not None:
            placed.append(self._place(heard))
            if self._odd >= ODD_INTERVALS:
                self._begin(f"rate is no longer {placed[-1].rate_hz} Hz")
            return placed
        self._ahead_ns = max(self._ahead_ns, _ahead(heard)) if self._waiting else _ahead(heard)
        self._waiting.append(heard)
        self._last_ns = heard.last_ns
        return placed + (self.flush() if len(self._waiting) >= FRAMES_TO_MEASURE else [])

    def flush(self) -> list[Placed]:
        """Decides the rate now, by what there is (the link was lost while it was being measured)."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        self._rate_hz = measured_rate(waiting, self._nominal_hz)
        self._session = self._new_session(waiting[0])
        self._last_ns = None
        return list(self._place_first(waiting))

    def _place_first(self, waiting: list[Heard]) -> Iterator[Placed]:
        for number, heard in enumerate(waiting):
            yield self._place(heard, opens=self._why if number == 0 else None)

    def _new_session(self, first: Heard) -> SessionId:
        name = f"{self._device}@{first.last_ns}"
        # A strap whose clock restarts at the same nanosecond twice must not give two sessions one name.
        times = self._used[name] = self._used.get(name, 0) + 1
        return SessionId(name if times == 1 else f"{name}.{times}")

    def _remember(self, last_ns: int, fingerprint: int) -> None:
        self._seen[last_ns] = fingerprint
        if len(self._seen) > SEEN:
            del self._seen[next(iter(self._seen))]

    def _broken(self, heard: Heard) -> str | None:
        """Why this frame cannot belong to the running timeline; None if it can."""
        assert self._last_ns is not None
        passed_ns = heard.last_ns - self._last_ns
        shift_ns = _ahead(heard) - self._ahead_ns
        if passed_ns <= 0:
            return f"device clock went back by {-passed_ns / 1e9:.3f} s"
        if shift_ns > JUMP_NS:
            return f"device clock jumped ahead by {shift_ns / 1e9:.3f} s"
        if shift_ns < -STALL_NS:
            return f"device clock fell behind by {-shift_ns / 1e9:.3f} s"
        if passed_ns > LONGEST_GAP_NS:
            return f"nothing heard for {passed_ns / 1e9:.0f} s"
        return None

    def _place(self, heard: Heard, opens: str | None = None) -> Placed:
        assert self._rate_hz is not None
        count = len(heard.samples)
        if self._last_ns is not None:
            passed_ns = heard.last_ns - self._last_ns
            lost = round(passed_ns * self._rate_hz / 1e9) - count
            if lost > max(1, count // 4):
                self._holes = [*self._holes, (self._next_index, self._next_index + lost - 1)][-HOLES:]
                self._next_index += lost
                self._odd += 1
            elif abs(count * 1e9 / passed_ns / self._rate_hz - 1) > RATE_TOLERANCE:
                self._odd += 1
            else:
                self._odd = 0
        index = self._next_index
        self._next_index += count
        self._last_ns = heard.last_ns
        return self._placed(heard, index, opens)

    def _into_hole(self, heard: Heard) -> Placed | None:
        """A frame that was overtaken takes its place in the hole that it left, if it fits exactly."""
        if self._rate_hz is None or self._last_ns is None or not 0 < self._last_ns - heard.last_ns < LATE_NS:
            return None
        count = len(heard.samples)
        behind = round((self._last_ns - heard.last_ns) * self._rate_hz / 1e9)
        index = self._next_index - behind - count
        for number, (first, last) in enumerate(self._holes):
            if first <= index and index + count - 1 <= last:
                rest = [(first, index - 1), (index + count, last)]
                self._holes[number : number + 1] = [hole for hole in rest if hole[0] <= hole[1]]
                return self._placed(heard, index, None)
        return None

    def _placed(self, heard: Heard, index: int, opens: str | None) -> Placed:
        assert self._rate_hz is not None
        first_ns = heard.last_ns - round((len(heard.samples) - 1) * 1e9 / self._rate_hz)
        return Placed(
            heard=heard,
            session=self._session,
            index=index,
            rate_hz=self._rate_hz,
            first_monotonic_ns=first_ns - self._ahead_ns,
            opens=opens,
        )


def _ahead(heard: Heard) -> int:
    """How far the device's clock is ahead of the gateway's monotonic one, at least: radio delay makes it smaller."""
    return heard.last_ns - heard.moment.monotonic_ns
