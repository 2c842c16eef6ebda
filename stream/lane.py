"""One lane's order: what may be judged now, what waits behind a hole, what is late.

A lane is (client, epoch, device, stream); `seq` counts its events without holes. Data in order passes at once; only what
lies beyond a hole is held. Pure: the time comes with the tick as listening time (see `Listening`), never from a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.ranges import EMPTY, Ranges, add, contains
from gateway.reading import STRIP_STREAMS, ClientId, DeviceId, EcgChunk, Epoch, StreamName
from stream.burden import NOTHING as NO_BURDEN
from stream.burden import Burden
from stream.finding import Finding
from stream.instants import SECOND, micros

if TYPE_CHECKING:
    from gateway.reading import Sequenced

HOLE_WAIT_US = 6 * SECOND
"""How long a hole may stay open: longer than a resend (5 s)."""
HOLD_LIMIT_US = 8 * SECOND
"""How much signal is held beyond a hole at most."""
HOLD_LIMIT_EVENTS = 256
"""The same for lanes whose events are no signal."""
ATTENTION_STEP_US = 2 * SECOND
"""A tick that follows later than this was not spent listening: the stream itself was away."""
BEATS_KEPT_US = 90 * SECOND
"""More than a chunk and a hold are long: enough to contradict what another lead says (`stream.leads`)."""
GRADES_KEPT = 32
RECENT_LIMIT = 64
"""So many episodes of a lane are remembered for late data to join; open ones always are."""

LaneKey = tuple[ClientId, Epoch, DeviceId, StreamName]


def is_strip(key: LaneKey) -> bool:
    """Whether a lane carries hand-held strips."""
    return key[3].startswith(STRIP_STREAMS)


@dataclass(slots=True)
class Listening:
    """Time spent listening: grows with the ticks, but not over the time that intake was away.

    So a restart of the stream itself never looks like silence of the patients, nor closes holes that are about to be filled.
    """

    us: int = 0
    last_tick_us: int = 0

    def tick(self, tick_us: int) -> int:
        """Take the next tick in; returns the listening time now."""
        if self.last_tick_us:
            self.us += min(max(tick_us - self.last_tick_us, 0), ATTENTION_STEP_US)
        self.last_tick_us = max(tick_us, self.last_tick_us)
        return self.us


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of the log as a lane sees it."""

    event: Sequenced
    received_us: int
    position: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """How far an episode was held against what the other leads show (`stream.leads`)."""

    episode: UUID
    next_us: int
    """The next instant of the signal that is looked at."""
    contradicted_us: int
    """The newest instant at which another lead contradicted it; -1: none did."""
    since_us: int
    """Listening time since which the other leads are waited for."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a device said of itself: a number, when, and in which of its statuses."""

    value: float
    at_us: int
    seq: int


@dataclass(frozen=True, slots=True)
class Gear:
    """The newest that a device said of itself, by its own time: the order of arrival cannot matter."""

    battery_percent: Told | None = None
    is_up: Told | None = None
    """1: its gateway hears it; 0: does not."""
    clock_offset_s: Told | None = None


@dataclass(slots=True)
class LaneChart:
    """What is remembered of a lane. Its fields are immutable values, so a shallow copy is a copy."""

    key: LaneKey
    next_seq: int = 1
    """The lowest seq that has neither passed nor been given up."""
    closed: Ranges = EMPTY
    """Ranges at or beyond `next_seq` that will not come now: given up, deferred, quarantined."""
    hole_since_us: int = -1
    """Listening time at which the hole at `next_seq` opened; -1: nothing is held."""
    judged_live: Ranges = EMPTY
    judged_past: Ranges = EMPTY
    """With `judged_live` the ledger: disjoint, and together all that came of this lane."""
    heard_us: int = -1
    """Listening time of the last event that moved the frontier; -1: never."""
    first_us: int = 0
    """Where the signal of this lane begins, in its own time; 0: nothing came yet."""
    frontier_us: int = 0
    """The signal's own time up to which it was judged."""
    due: Ranges = EMPTY
    """Late and not yet judged: seqs for the past pass."""
    due_from_us: int = 0
    due_to_us: int = 0
    """The signal time that `due` spans."""
    due_since_us: int = -1
    due_last_us: int = -1
    """Listening time of the first and of the newest late event of `due`."""
    patient: str | None = None
    """Whose ECG this lane's chart holds."""
    session: str = ""
    next_index: int = 0
    rate_hz: float = 0.0
    anchor_index: int = 0
    anchor_us: int = 0
    """A sample of the session and its instant: all other instants of the session follow from it."""
    beats: tuple[int, ...] = ()
    """The beats of the last `BEATS_KEPT_US`, as `leads.noted` puts them."""
    grades: tuple[tuple[int, int], ...] = ()
    """The last `GRADES_KEPT` changes of the signal's grade: instant of the decision (microseconds), `Quality`."""
    recent: tuple[Finding, ...] = ()
    """The newest statement of each episode of this lane: the open ones, and the last `RECENT_LIMIT`."""
    withheld: tuple[Finding, ...] = ()
    """Statements made and not said yet: old data that may show its own end, or what another lead may contradict."""
    weighed: tuple[Weighed, ...] = ()
    """How far the other leads were asked about what is withheld."""
    unseen: tuple[UUID, ...] = ()
    """Said to be present, but the signal that would show their end was lost: closed by later signal only."""
    burden: Burden = NO_BURDEN
    """Beats by class, and fibrillation, of the last hour and day."""
    strip_from_us: int = -1
    """Of a stream of strips: the first instant of the newest session; -1: it is none, or nothing came."""
    strip_is_due: bool = False
    """That session is not judged yet."""
    strip_read_us: int = -1
    """First instant of the newest strip that could be read."""
    gear: Gear | None = None
    """Of a lane of device statuses: what the device said of itself; None: nothing yet."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What may be judged now, in order, and what turned out to be late."""

    ready: tuple[Heard, ...] = ()
    late: tuple[Heard, ...] = ()


NOTHING = Passed()


@dataclass(slots=True)
class Hold:
    """Events of one lane beyond its hole. Never saved: rebuilt from the log, whose rows it only points to."""

    events: dict[int, Heard] = field(default_factory=dict)

    def low_water(self) -> int | None:
        """First position that must be read again to rebuild this hold."""
        return min((heard.position for heard in self.events.values()), default=None)

    def span_us(self) -> int:
        """Signal time held, of ECG; 0 for other events."""
        return sum(_duration_us(heard.event) for heard in self.events.values())


def arrive(lane: LaneChart, hold: Hold, heard: Heard, listening_us: int) -> Passed:
    """Take one event in. The log holds each seq once, so what lies behind the frontier is late."""
    seq = heard.event.seq
    if seq == lane.next_seq and not hold.events:
        lane.next_seq = seq + 1
        if lane.closed:
            _skip_closed(lane)
        lane.judged_live = add(lane.judged_live, seq, seq)
        return Passed((heard,))
    if seq < lane.next_seq or contains(lane.closed, seq):
        return Passed(late=(heard,))
    hold.events[seq] = heard
    ready = _release(lane, hold, listening_us)
    while hold.events and (hold.span_us() > HOLD_LIMIT_US or len(hold.events) > HOLD_LIMIT_EVENTS):
        ready += _close_hole(lane, hold, listening_us)
    return Passed(tuple(ready))


def give_up(lane: LaneChart, hold: Hold, first: int, last: int, listening_us: int) -> Passed:
    """Seq `first`..`last` will not come now (abandoned, deferred or quarantined): nobody waits for it."""
    if last < lane.next_seq:
        return NOTHING
    lane.closed = add(lane.closed, max(first, lane.next_seq), last)
    _skip_closed(lane)
    return Passed(tuple(_release(lane, hold, listening_us)))


def expire(lane: LaneChart, hold: Hold, listening_us: int) -> Passed:
    """At a tick: close the hole if it has been open too long."""
    ready: list[Heard] = []
    while lane.hole_since_us >= 0 and listening_us - lane.hole_since_us >= HOLE_WAIT_US:
        ready += _close_hole(lane, hold, listening_us)
    return Passed(tuple(ready)) if ready else NOTHING


def late(lane: LaneChart, heard: Heard, listening_us: int) -> None:
    """Note an event for the past pass."""
    first_us, end_us = span_of(heard.event)
    if not lane.due:
        lane.due_from_us, lane.due_to_us, lane.due_since_us = first_us, end_us, listening_us
    lane.due_from_us, lane.due_to_us = min(lane.due_from_us, first_us), max(lane.due_to_us, end_us)
    lane.due = add(lane.due, heard.event.seq, heard.event.seq)
    lane.due_last_us = listening_us


def span_of(event: Sequenced) -> tuple[int, int]:
    """First and last instant of an event in its own time, in microseconds."""
    at = micros(event.at)
    return at, at + _duration_us(event)


def remember(recent: tuple[Finding, ...], finding: Finding) -> tuple[Finding, ...]:
    """`recent` with the newest statement of its episode; the oldest closed ones fall off the end."""
    kept = [f for f in recent if f.episode != finding.episode]
    kept.append(finding)
    spare = len(kept) - RECENT_LIMIT
    if spare > 0:
        closed = [f.episode for f in kept if not f.present][:spare]
        kept = [f for f in kept if f.episode not in closed]
    return tuple(kept)


def _release(lane: LaneChart, hold: Hold, listening_us: int) -> list[Heard]:
    ready: list[Heard] = []
    while (heard := hold.events.pop(lane.next_seq, None)) is not None:
        ready.append(heard)
        lane.judged_live = add(lane.judged_live, lane.next_seq, lane.next_seq)
        lane.next_seq += 1
        _skip_closed(lane)
    if not hold.events:
        lane.hole_since_us = -1
    elif ready or lane.hole_since_us < 0:
        lane.hole_since_us = listening_us
    return ready


def _close_hole(lane: LaneChart, hold: Hold, listening_us: int) -> list[Heard]:
    lane.next_seq = min(hold.events)
    lane.closed = tuple((first, last) for first, last in lane.closed if first > lane.next_seq)
    return _release(lane, hold, listening_us)


def _skip_closed(lane: LaneChart) -> None:
    while lane.closed and lane.closed[0][0] <= lane.next_seq:
        lane.next_seq = max(lane.next_seq, lane.closed[0][1] + 1)
        lane.closed = lane.closed[1:]


def _duration_us(event: Sequenced) -> int:
    if isinstance(event, EcgChunk):
        return round(len(event.samples) // 2 * SECOND / event.rate_hz)
    return 0
