"""Features of intervals: what a metronome, a fibrillating and a bigeminal heart must give; what must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from stream.strips.intervals import FEWEST, interval_features, window_features

CLOCKWORK = np.full(30, 0.8)
BIGEMINY = np.tile([0.55, 1.05], 15)
CHAOS = np.clip(np.random.default_rng(3).gamma(9.0, 0.08, 60), 0.3, 1.6)


def test_clockwork_has_no_disorder():
    found = interval_features(CLOCKWORK)
    assert [found[name] for name in ("zhou", "jump", "rmssd", "spread")] == pytest.approx([0.0] * 4, abs=1e-12)
    assert found["within5"] == found["two_bins"] == 1
    assert found["median"] == 0.8


def test_bigeminy_has_two_intervals_and_an_echo():
    """Its neighbours differ as much as in fibrillation; what tells it apart is that every second one is the same."""
    found = interval_features(BIGEMINY)
    assert found["jump"] > 0.4
    assert found["echo2"] > 0.9
    assert found["echo1"] < -0.9
    assert found["two_bins"] == 1
    assert found["zhou"] < 0.1


def test_fibrillation_is_more_disordered_than_bigeminy():
    chaos, pairs = interval_features(CHAOS), interval_features(BIGEMINY)
    assert chaos["zhou"] > 0.6
    assert abs(chaos["echo2"]) < 0.4
    assert chaos["two_bins"] < 0.6
    assert chaos["sample_entropy"] > pairs["sample_entropy"] + 1


@pytest.mark.parametrize("name", ["spread", "jump", "rmssd", "two_bins", "pairs", "short", "long", "bend", "turns"])
def test_relative_features_do_not_depend_on_the_rate(name):
    assert interval_features(CHAOS * 1.5)[name] == pytest.approx(interval_features(CHAOS)[name], abs=1e-3)


def test_too_few_intervals_say_nothing():
    assert interval_features(CHAOS[: FEWEST - 1]) == {}
    assert window_features(CHAOS[: FEWEST - 1]) == {}
    assert interval_features(CHAOS[:FEWEST])


def test_windows_find_the_quiet_and_the_wild_part():
    mixed = np.concatenate([CLOCKWORK, CHAOS])
    found = window_features(mixed)
    assert found["low_jump"] == pytest.approx(0.0, abs=1e-12)
    assert found["high_jump"] > 0.15
