"""One lane's order: what passes at once, what waits beyond a hole, how a hole closes, what is late."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import DeviceStatus
from stream.instants import SECOND
from stream.lane import (
    HOLD_LIMIT_US,
    HOLE_WAIT_US,
    Heard,
    Hold,
    LaneChart,
    Listening,
    Passed,
    arrive,
    expire,
    give_up,
)
from tests.stream.shard import T0, chunk

KEY = ("gw1", "e1", "ecg1", "ecg/I")


def heard(seq, position=1):
    """A second of ECG."""
    return Heard(chunk(seq, seq), 0, position)


def seqs(*passed: Passed):
    return [one.event.seq for each in passed for one in each.ready]


@given(st.permutations(range(1, 9)))
def test_in_any_order_everything_passes_once_and_in_order(order):
    lane, hold = LaneChart(KEY), Hold()
    said = [arrive(lane, hold, heard(seq), 0) for seq in order]
    assert seqs(*said) == list(range(1, 9))
    assert not any(one.late for one in said)
    assert lane.judged_live == ((1, 8),)
    assert lane.hole_since_us == -1


def test_what_is_in_order_does_not_wait():
    lane, hold = LaneChart(KEY), Hold()
    for seq in range(1, 5):
        assert seqs(arrive(lane, hold, heard(seq), 0)) == [seq]


def test_a_hole_closes_when_it_was_open_too_long():
    lane, hold = LaneChart(KEY), Hold()
    arrive(lane, hold, heard(1), 0)
    arrive(lane, hold, heard(4), 0)
    assert seqs(expire(lane, hold, HOLE_WAIT_US - 1)) == []
    assert seqs(expire(lane, hold, HOLE_WAIT_US)) == [4]
    late = arrive(lane, hold, heard(2), HOLE_WAIT_US)
    assert [one.event.seq for one in late.late] == [2]
    assert lane.judged_live == ((1, 1), (4, 4))


def test_each_hole_has_its_own_time():
    lane, hold = LaneChart(KEY), Hold()
    arrive(lane, hold, heard(2), 0)
    arrive(lane, hold, heard(4), 5 * SECOND)
    assert seqs(expire(lane, hold, HOLE_WAIT_US)) == [2]
    assert seqs(expire(lane, hold, HOLE_WAIT_US + 1)) == []
    assert seqs(expire(lane, hold, 2 * HOLE_WAIT_US)) == [4]


def test_what_was_given_up_is_not_waited_for():
    lane, hold = LaneChart(KEY), Hold()
    arrive(lane, hold, heard(1), 0)
    arrive(lane, hold, heard(5), 0)
    assert seqs(give_up(lane, hold, 2, 3, 0)) == []
    assert seqs(give_up(lane, hold, 4, 4, 0)) == [5]
    assert lane.next_seq == 6


def test_what_was_given_up_ahead_is_skipped_when_it_is_reached():
    lane, hold = LaneChart(KEY), Hold()
    give_up(lane, hold, 2, 9, 0)
    assert seqs(arrive(lane, hold, heard(1), 0)) == [1]
    assert seqs(arrive(lane, hold, heard(10), 0)) == [10]


def test_no_more_than_the_limit_is_held():
    lane, hold = LaneChart(KEY), Hold()
    passed = [arrive(lane, hold, heard(seq), 0) for seq in range(2, 12)]
    assert hold.span_us() <= HOLD_LIMIT_US
    assert seqs(*passed) == list(range(2, 12))


def test_other_events_are_held_by_their_number():
    lane, hold = LaneChart((*KEY[:3], "status")), Hold()
    passed = [
        arrive(lane, hold, Heard(DeviceStatus(device="d", stream="status", seq=seq, at=T0), 0, 1), 0)
        for seq in range(2, 300)
    ]
    assert seqs(*passed) == list(range(2, 300))


def test_a_hold_knows_what_must_be_read_again():
    lane, hold = LaneChart(KEY), Hold()
    arrive(lane, hold, heard(1, position=3), 0)
    assert hold.low_water() is None
    arrive(lane, hold, heard(3, position=5), 0)
    arrive(lane, hold, heard(4, position=4), 0)
    assert hold.low_water() == 4


@given(st.lists(st.floats(0, 2), min_size=1, max_size=20))
def test_listening_is_the_time_that_passed_while_we_were_there(steps):
    listening, tick = Listening(), T0
    listening.tick(round(tick.timestamp() * SECOND))
    for step in steps:
        tick += timedelta(seconds=step)
        listening.tick(round(tick.timestamp() * SECOND))
    assert abs(listening.us - sum(steps) * SECOND) < 50


def test_the_time_that_the_stream_was_away_is_not_listening():
    listening = Listening()
    listening.tick(1_000 * SECOND)
    listening.tick(1_001 * SECOND)
    listening.tick(4_600 * SECOND)
    assert listening.us <= 3 * SECOND
    assert listening.tick(4_600 * SECOND) == listening.us
