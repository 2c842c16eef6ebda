"""What to send next: the window, going back, a backlog's order. Pure: time is an argument, bodies stay on disk.

Everything that is held is sent until a receipt covers it. A receipt that shows a hole sends the hole again at once; a
connection, a hello or a silence (5 s, doubling to 60 s) sends everything unreceipted again, never more than the window
at a time. A backlog over 120 s is announced as deferred and goes behind the present, readings first, at a bounded rate.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway import ranges
from gateway.lane import AGE_MARK_S, RANGES_IN_A_RECEIPT, LaneName
from gateway.reading import Abandoned, AbandonReason, Deferred

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gateway.lane import Gap, Kept, LaneState
    from gateway.ranges import Ranges
    from gateway.reading import Receipt

WINDOW = 256
"""Events that may be under way without a receipt."""
IN_ORDER_S = 120.0
"""A backlog up to this long goes in order, ahead of the present."""
LEAD_IN_S = 20.0
"""Of a longer one this much still counts as the present: what happens now is judged with what led to it."""
FIRST_PATIENCE_S = 5.0
LONGEST_PATIENCE_S = 60.0
BACKLOG_PER_S = 64.0
"""Events a second of a deferred backlog: about half a minute of ECG each second."""
NOTICES_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What to publish now, in this order."""

    notices: tuple[Abandoned | Deferred, ...] = ()
    parts: tuple[tuple[LaneName, int, int], ...] = ()
    """(lane, first, last): events to fetch from the outbox."""

    @property
    def is_empty(self) -> bool:
        """Nothing to publish."""
        return not self.notices and not self.parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a receipt means for the outbox."""

    lane: LaneName
    stored: Ranges
    safe: Ranges
    """Held until now: these rows may go."""
    lost: Ranges
    """The server once had them and has them no more, nor do we."""


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One lane's books."""

    waveform: bool
    next_seq: int = 1
    held: Ranges = ()
    todo: Ranges = ()
    """Held and not under way."""
    deferred: Ranges = ()
    """Of `held`: goes behind the present."""
    under_way: dict[int, int] = field(default_factory=dict)
    """seq -> number of the transmission that carried it last."""
    ages: list[tuple[int, float]] = field(default_factory=list)
    """(seq, heard_s), ascending in both, sparse."""
    gaps: dict[AbandonReason, Ranges] = field(default_factory=dict)
    moved_s: float = 0.0
    """When something was last sent into silence, or a receipt made progress."""
    patience_s: float = FIRST_PATIENCE_S
    announced: set[tuple[AbandonReason | None, int, int]] = field(default_factory=set)
    """Gaps (by reason) and deferred ranges (None) that were sent since the last going back."""


class Courier:
    """The books of one client and epoch."""

    def __init__(
        self, lanes: Iterable[LaneState], *, window: int = WINDOW, backlog_per_s: float = BACKLOG_PER_S
    ) -> None:
        self._window = window
        self._per_s = backlog_per_s
        self._lanes: dict[LaneName, _Lane] = {}
        self._online = False
        self._transmission = 0
        self._tokens = 0.0
        self._tokens_s = 0.0
        self._newest: datetime | None = None
        for state in lanes:
            lane = _Lane(
                waveform=state.waveform,
                next_seq=state.next_seq,
                held=state.held,
                todo=state.held,
                ages=list(state.ages),
            )
            for gap in state.gaps:
                lane.gaps[gap.reason] = ranges.add(lane.gaps.get(gap.reason, ()), gap.first, gap.last)
            self._lanes[state.lane] = lane

    # ------------------------------------------------------------------ what happened

    def kept(self, kept: Iterable[Kept]) -> None:
        """Events were committed (or dated) and may be sent."""
        for item in kept:
            lane = self._lanes.setdefault(item.lane, _Lane(waveform=item.waveform))
            lane.held = ranges.add(lane.held, item.seq, item.seq)
            lane.todo = ranges.add(lane.todo, item.seq, item.seq)
            lane.next_seq = max(lane.next_seq, item.seq + 1)
            if not lane.ages or (item.seq > lane.ages[-1][0] and item.heard_s >= lane.ages[-1][1] + AGE_MARK_S):
                lane.ages.append((item.seq, item.heard_s))

    def gave_up(self, gaps: Iterable[Gap]) -> None:
        """The outbox gave these up: they are reported until a receipt covers them."""
        for gap in gaps:
            lane = self._lanes.setdefault(gap.lane, _Lane(waveform=False))
            lane.next_seq = max(lane.next_seq, gap.last + 1)
            lane.gaps[gap.reason] = ranges.add(lane.gaps.get(gap.reason, ()), gap.first, gap.last)
            self._drop(lane, ((gap.first, gap.last),))

    def connected(self, now: float, wall_s: float) -> None:
        """The broker let us in: whatever was under way is not counted on."""
        self._online = True
        self.hello(now, wall_s)

    def disconnected(self) -> None:
        """Nothing can be sent until `connected`."""
        self._online = False

    def hello(self, now: float, wall_s: float) -> None:
        """Intake started anew: everything unreceipted again."""
        for lane in self._lanes.values():
            lane.patience_s = FIRST_PATIENCE_S
            self._go_back(lane, now, wall_s)

    def again(self, name: LaneName, seqs: Ranges) -> None:
        """Sends these once more, without waiting: a message that held them was refused as a whole."""
        lane = self._lanes[name]
        for seq in [seq for seq in lane.under_way if ranges.contains(seqs, seq)]:
            del lane.under_way[seq]
        lane.todo = ranges.union(lane.todo, _intersection(lane.held, seqs))

    def receipt(self, receipt: Receipt, now: float) -> list[Settled]:
        """What is safe, what is missing and what is lost. The caller has checked the epoch."""
        is_newest = self._newest is None or receipt.server_time >= self._newest
        if is_newest:
            self._newest = receipt.server_time
        settled: list[Settled] = []
        for told in receipt.lanes:
            name = LaneName(told.device, told.stream)
            lane = self._lanes.get(name)
            if lane is None:
                continue
            safe = _intersection(lane.held, told.stored)
            latest = max(
                (number for seq, number in lane.under_way.items() if ranges.contains(told.stored, seq)), default=0
            )
            self._drop(lane, safe)
            closed = False
            for reason, given in list(lane.gaps.items()):
                lane.gaps[reason] = ranges.subtract(given, told.stored)
                closed = closed or lane.gaps[reason] != given
            # Only the newest receipt can say what is missing: an overtaken one never knew of what came after it.
            lost = self._lost(lane, told.stored) if is_newest else ()
            for first, last in lost:
                given = lane.gaps.get(AbandonReason.STORE_LOST, ())
                lane.gaps[AbandonReason.STORE_LOST] = ranges.add(given, first, last)
            # Sent before something of the same lane that has arrived, and not arrived: it never will.
            overtaken = [seq for seq, number in lane.under_way.items() if number < latest]
            for seq in overtaken:
                del lane.under_way[seq]
            if overtaken:
                lane.todo = ranges.union(lane.todo, tuple((seq, seq) for seq in sorted(overtaken)))
            if safe or closed:
                lane.moved_s, lane.patience_s = now, FIRST_PATIENCE_S
            if safe or closed or lost:
                settled.append(Settled(lane=name, stored=told.stored, safe=safe, lost=lost))
        return settled

    def _lost(self, lane: _Lane, stored: Ranges) -> Ranges:
        lowest = 1 if len(stored) < RANGES_IN_A_RECEIPT else stored[0][0]
        holes = ranges.holes(stored, lowest)
        below = tuple((a, min(b, lane.next_seq - 1)) for a, b in holes if a < lane.next_seq)
        here = ranges.union(lane.held, tuple(pair for given in lane.gaps.values() for pair in given))
        return ranges.subtract(below, here) if below else ()

    def _drop(self, lane: _Lane, gone: Ranges) -> None:
        if not gone:
            return
        lane.held = ranges.subtract(lane.held, gone)
        lane.todo = ranges.subtract(lane.todo, gone)
        lane.deferred = ranges.subtract(lane.deferred, gone)
        for seq in [seq for seq in lane.under_way if ranges.contains(gone, seq)]:
            del lane.under_way[seq]
        if lane.held:
            keep = bisect_right(lane.ages, (lane.held[0][0], float("inf"))) - 1
            del lane.ages[: max(0, keep)]
        else:
            lane.ages.clear()

    def _go_back(self, lane: _Lane, now: float, wall_s: float) -> None:
        lane.moved_s = now
        lane.under_way.clear()
        lane.announced.clear()
        lane.todo = lane.held
        lane.deferred = _to_defer(lane, wall_s)

    # ------------------------------------------------------------------ what to do

    def due(self, now: float, wall_s: float, most: int = WINDOW) -> Sending:
        """What to publish now: at most `most` events, never more under way than the window."""
        if not self._online:
            return Sending()
        for lane in self._lanes.values():
            waits = bool(lane.under_way) or any(reason is not None for reason, _, _ in lane.announced)
            if waits and now - lane.moved_s >= lane.patience_s:
                lane.patience_s = min(LONGEST_PATIENCE_S, lane.patience_s * 2)
                self._go_back(lane, now, wall_s)
        notices = self._notices(now)
        self._tokens = min(self._per_s, self._tokens + max(0.0, now - self._tokens_s) * self._per_s)
        self._tokens_s = now
        parts: list[tuple[LaneName, int, int]] = []
        room = min(most, self._window - self.under_way)
        # Readings are small and may be urgent, so they go first, among the present too.
        in_order = sorted(self._lanes.items(), key=lambda item: item[1].waveform)
        for name, lane in in_order:
            room -= self._take(name, lane, ranges.subtract(lane.todo, lane.deferred), room, now, parts)
        # A quarter of the window stays free of backlog, so that the present never waits for it.
        behind = min(room - self._window // 4, int(self._tokens))
        for name, lane in in_order:
            taken = self._take(name, lane, _intersection(lane.todo, lane.deferred), behind, now, parts)
            behind -= taken
            self._tokens -= taken
        return Sending(notices=notices, parts=tuple(parts))

    def _take(
        self,
        name: LaneName,
        lane: _Lane,
        source: Ranges,
        allowed: int,
        now: float,
        parts: list[tuple[LaneName, int, int]],
    ) -> int:
        """Puts at most `allowed` of `source` under way, lowest first; how many."""
        if allowed <= 0 or not source:
            return 0
        if not lane.under_way:
            lane.moved_s = now
        picked: list[tuple[int, int]] = []
        left = allowed
        for first, last in source:
            upto = min(last, first + left - 1)
            picked.append((first, upto))
            left -= upto - first + 1
            if left <= 0:
                break
        for first, last in picked:
            self._transmission += 1
            parts.append((name, first, last))
            lane.under_way.update(dict.fromkeys(range(first, last + 1), self._transmission))
        lane.todo = ranges.subtract(lane.todo, tuple(picked))
        return allowed - left

    def _notices(self, now: float) -> tuple[Abandoned | Deferred, ...]:
        """Gaps and deferred ranges that were not sent since the last going back."""
        found: list[Abandoned | Deferred] = []
        for name, lane in self._lanes.items():
            for reason, given in lane.gaps.items():
                for first, last in given:
                    if len(found) < NOTICES_AT_ONCE and (reason, first, last) not in lane.announced:
                        if not lane.under_way:
                            lane.moved_s = now
                        lane.announced.add((reason, first, last))
                        found.append(
                            Abandoned(device=name.device, stream=name.stream, first=first, last=last, reason=reason)
                        )
            if lane.deferred and not any(reason is None for reason, _, _ in lane.announced):
                for first, last in lane.deferred:
                    lane.announced.add((None, first, last))
                    found.append(Deferred(device=name.device, stream=name.stream, first=first, last=last))
        return tuple(found)

    # ------------------------------------------------------------------ how it stands

    @property
    def unsent(self) -> int:
        """Events that no receipt covers yet."""
        return sum(ranges.size(lane.held) for lane in self._lanes.values())

    @property
    def under_way(self) -> int:
        """Events sent since the last going back, without a receipt."""
        return sum(len(lane.under_way) for lane in self._lanes.values())

    @property
    def needs_sending(self) -> bool:
        """Something is held, in order, and not under way."""
        return self._online and any(ranges.subtract(lane.todo, lane.deferred) for lane in self._lanes.values())

    @property
    def all_is_sent(self) -> bool:
        """Nothing is held and nothing given up is unreported."""
        return not any(lane.held or any(lane.gaps.values()) for lane in self._lanes.values())


def _intersection(a: Ranges, b: Ranges) -> Ranges:
    return ranges.subtract(a, ranges.subtract(a, b)) if a and b else ()


def _to_defer(lane: _Lane, wall_s: float) -> Ranges:
    """What of a lane's backlog goes behind the present; nothing if it is short."""
    if not lane.held or not lane.ages or wall_s - lane.ages[0][1] <= IN_ORDER_S:
        return ()
    edge = wall_s - LEAD_IN_S
    young = next((seq for seq, heard_s in lane.ages if heard_s >= edge), None)
    last = (young - 1) if young is not None else lane.next_seq - 1
    return tuple((a, min(b, last)) for a, b in lane.held if a <= last)
