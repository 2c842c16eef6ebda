"""Intervals: repeatable, wider with fewer records, exact where nothing was seen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alerts.validation.bootstrap import interval, interval_of_quantile, rate_bound, share_bounds, summed


def share(sums):
    return 100 * sums["hit"] / (sums["hit"] + sums["miss"])


RECORDS = [{"hit": 90.0 + n, "miss": 10.0 - n} for n in range(10)]


def test_the_same_records_give_the_same_interval():
    low, high = interval(RECORDS, share)
    assert (low, high) == interval(RECORDS, share)
    assert low < share({name: np.array([n]) for name, n in summed(RECORDS).items()})[0] < high


def test_records_go_together():
    # Ten records of one kind each: to draw beats apart would give a narrow interval, and a wrong one.
    records = [{"hit": 100.0, "miss": 0.0}] * 5 + [{"hit": 0.0, "miss": 100.0}] * 5
    low, high = interval(records, share)
    assert low <= 20
    assert high >= 80


def test_records_that_hold_nothing_of_it_say_nothing():
    assert interval([*RECORDS, {"hit": 0.0, "miss": 0.0}], share) == interval(RECORDS, share)


@pytest.mark.parametrize("records", [[], [{"hit": 5.0, "miss": 1.0}]])
def test_one_record_says_nothing_of_others(records):
    assert all(math.isnan(x) for x in interval(records, share))


def test_a_percentile_by_records():
    low, high = interval_of_quantile([[1.0, 2.0, 3.0], [10.0], [4.0, 5.0]], 50)
    assert 1 <= low < high <= 10
    assert all(math.isnan(x) for x in interval_of_quantile([[1.0], []], 50))


@pytest.mark.parametrize(("events", "bound"), [(0, 2.9957), (1, 4.7439), (10, 16.9622)])
def test_poisson(events, bound):
    assert rate_bound(events) == pytest.approx(bound, abs=1e-3)


def test_all_of_eighteen_is_no_proof_of_all():
    low, high = share_bounds(18, 18)
    assert high == 100
    assert low == pytest.approx(81.47, abs=0.01)
    assert share_bounds(0, 18) == pytest.approx((0.0, 18.53), abs=0.01)
