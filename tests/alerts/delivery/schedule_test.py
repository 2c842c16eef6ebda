"""When a notice that did not get through is tried again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Tier
from alerts.delivery.schedule import OTHER_S, next_attempt
from tests.alerts.desk import START


def _attempts(tier: Tier, lasts_s: float, most: int) -> list[float]:
    """Moments of the attempts, each of which fails after `lasts_s`."""
    at, moments = START, [0.0]
    while len(moments) < most:
        due = next_attempt(tier, START, len(moments), at + timedelta(seconds=lasts_s))
        if due is None:
            break
        at = max(due, at + timedelta(seconds=lasts_s))
        moments.append((at - START).total_seconds())
    return moments


def test_an_emergency_is_tried_as_the_page_says_and_each_minute_for_ever() -> None:
    assert _attempts(Tier.EMERGENCY, 0.0, 12) == [0, 1, 2, 4, 8, 15, 30, 60, 120, 180, 240, 300]


def test_an_endpoint_that_lets_us_wait_is_never_tried_twice_at_once() -> None:
    moments = _attempts(Tier.EMERGENCY, 5.0, 12)
    assert all(later - earlier >= 5 for earlier, later in pairwise(moments))
    assert moments[-1] - moments[-2] == 60


@pytest.mark.parametrize("tier", [Tier.TIP, Tier.DOCTOR])
def test_others_back_off_over_a_day_and_are_dead_letters_then(tier: Tier) -> None:
    moments = _attempts(tier, 0.0, 100)
    assert moments == list(OTHER_S)
    assert moments[-1] == 86_400


@given(done=st.integers(1, 10_000), after=st.floats(0, 1e9), age=st.floats(0, 1e7))
def test_an_emergency_is_always_tried_again_within_a_minute_whatever_the_far_side_asks(
    done: int, after: float, age: float
) -> None:
    now = START + timedelta(seconds=age)
    due = next_attempt(Tier.EMERGENCY, START, done, now, after)
    assert due is not None
    assert now <= due or due >= START
    if age >= 60:
        assert (due - now).total_seconds() <= 60


def test_a_lesser_notice_waits_as_long_as_it_is_asked_but_not_for_ever() -> None:
    assert next_attempt(Tier.DOCTOR, START, 1, START, 100.0) == START + timedelta(seconds=100)
    assert next_attempt(Tier.DOCTOR, START, 1, START, 1e9) == START + timedelta(hours=6)
