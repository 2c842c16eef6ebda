"""Symptoms as episodes: until "I am fine", or for the plan's time; in any order."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from stream.finding import Condition
from stream.instants import instant, micros
from stream.symptoms import CODES, KEPT, Report, expires_us, kept, stretches
from tests.stream.shard import T0

HOUR_US = 3600 * 1_000_000
NEVER_US = micros(T0 + timedelta(days=3650))


def report(hours: float, *codes: str) -> Report:
    return Report(micros(T0) + round(hours * HOUR_US), tuple(sorted(codes)))


def told(*reports, now_us=NEVER_US, own=None):
    found = stretches(reports, own or {}, now_us)
    assert {s.condition for s in found} <= {Condition.SYMPTOM}

    def hours(us):
        return None if us is None else (instant(us) - T0).total_seconds() / 3600

    return sorted((str(s.evidence["code"]), hours(s.onset_us), hours(s.end_us)) for s in found)


def test_a_symptom_ends_by_itself_after_its_time():
    assert told(report(0, "faint")) == [("faint", 0, 4)]
    assert told(report(0, "faint"), now_us=micros(T0) + HOUR_US) == [("faint", 0, None)]
    assert told(report(0, "faint"), own={"symptom_s": 3600.0}) == [("faint", 0, 1)]


def test_fine_ends_all_of_them_and_is_none_itself():
    assert told(report(0, "faint", "chest_pain"), report(1, "fine")) == [("chest_pain", 0, 1), ("faint", 0, 1)]
    assert told(report(0, "fine")) == []


def test_a_second_press_is_the_same_and_said_later_it_is_felt_anew():
    assert told(report(0, "faint"), report(0.01, "faint")) == [("faint", 0, 4.01)]
    # An alert that somebody has closed meanwhile must not keep the second to itself.
    assert told(report(0, "faint"), report(3, "faint")) == [("faint", 0, 3), ("faint", 3, 7)]
    assert told(report(0, "faint"), report(5, "faint")) == [("faint", 0, 4), ("faint", 5, 9)]


def test_another_symptom_ends_none():
    assert told(report(0, "faint"), report(1, "dizzy"), now_us=micros(T0) + 2 * HOUR_US) == [
        ("dizzy", 1, None), ("faint", 0, None),
    ]  # fmt: skip


def test_what_is_not_on_the_list_is_told_all_the_same():
    assert told(report(0, "numb_arm")) == [("numb_arm", 0, 4)]


@given(st.lists(st.tuples(st.integers(0, 48), st.sampled_from(CODES)), max_size=12), st.randoms())
def test_order_and_repetition_change_nothing(rows, random):
    reports = [report(hours, code) for hours, code in rows]
    shuffled = [*reports, *reports[:3]]
    random.shuffle(shuffled)
    in_order: tuple[Report, ...] = ()
    mixed: tuple[Report, ...] = ()
    for one in sorted(reports):
        in_order = kept(in_order, one)
    for one in shuffled:
        mixed = kept(mixed, one)
    assert in_order == mixed
    assert len(kept(tuple(report(n, "faint") for n in range(KEPT)), report(99, "faint"))) == KEPT


@given(st.lists(st.tuples(st.integers(0, 48), st.sampled_from(CODES)), max_size=12), st.integers(0, 60))
def test_it_says_when_the_next_one_ends_by_itself(rows, hours):
    reports = sorted({report(at, code) for at, code in rows if at <= hours})
    now_us = micros(T0) + hours * HOUR_US
    when_us = expires_us(reports, {}, now_us)
    if when_us is None:
        assert all(s.end_us is not None for s in stretches(reports, {}, now_us))
    else:
        standing = [sum(s.end_us is None for s in stretches(reports, {}, us)) for us in (when_us - 1, when_us)]
        assert when_us > now_us
        assert standing[0] > standing[1]
