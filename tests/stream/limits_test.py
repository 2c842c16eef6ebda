"""Limits: one table for the detector and for the plan that guards it."""

from __future__ import annotations

import math

import pytest

from alerts.limit_guard import BOUNDS, LimitRefused, check_limits
from stream.limits import DEFAULTS, GUIDELINES, LIMITS, limit


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_limit_is_ordered_and_says_who_says_so_and_when(name):
    one = LIMITS[name]
    assert 0 < one.lowest <= one.advised_from <= one.default <= one.advised_to <= one.highest
    assert any(f"20{year:02d}" in one.source for year in range(30))
    assert limit({}, name) == one.default == DEFAULTS[name]


def test_the_detector_and_the_plan_read_one_table():
    assert BOUNDS is LIMITS


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_absolute_bounds_refuse_and_recommended_bounds_warn(name):
    one = LIMITS[name]
    for value in (one.lowest - 0.1, one.highest + 0.1, math.nan, math.inf):
        with pytest.raises(LimitRefused, match=name):
            check_limits({name: value})
    assert check_limits({name: one.advised_from}) == check_limits({name: one.advised_to}) == {}
    for value in {one.lowest, one.highest} - {one.advised_from, one.advised_to}:
        warning = check_limits({name: value})[name]
        assert name in warning
        assert one.source in warning


@pytest.mark.parametrize("name", sorted(GUIDELINES))
def test_a_guideline_sets_limits_that_may_be_set_without_a_warning(name):
    assert check_limits(GUIDELINES[name]) == {}


def test_a_patients_own_limit_lies_over_the_default_and_an_unknown_name_is_an_error():
    assert limit({"glucose_low_mg_dl": 80.0}, "glucose_low_mg_dl") == 80.0
    with pytest.raises(KeyError):
        limit({}, "nonsense")
