"""The judge of strips: drawn rhythms, what must not matter, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from stream.ecg.marks import MISSING
from stream.strips.features import strip_features
from stream.strips.judge import StripClass, judge_strip
from stream.strips.tracing import BadStrip, trace_of
from tests.stream.strips.drawn import drawn, fibrillating, sinus


def test_sinus_is_normal():
    verdict = judge_strip(drawn(sinus()), 300.0)
    assert verdict.strip_class is StripClass.NORMAL
    assert verdict.reasons["rate_bpm"] == pytest.approx(60 / 0.85, abs=2)
    assert verdict.reasons["p_coherence"] > 0.8
    assert verdict.confidence == max(verdict.probabilities.values())
    assert sum(verdict.probabilities.values()) == pytest.approx(1.0)


def test_chaos_without_p_waves_is_fibrillation():
    verdict = judge_strip(drawn(fibrillating(), has_p=False), 300.0)
    assert verdict.strip_class is StripClass.AF
    assert verdict.reasons["irregularity"] > 0.1
    assert verdict.reasons["p_coherence"] < 0.5


def test_bigeminy_is_another_rhythm_and_no_fibrillation():
    intervals = [0.52 if i % 2 else 1.08 for i in range(34)]
    verdict = judge_strip(drawn(intervals, wide=frozenset(range(2, 35, 2))), 300.0)
    assert verdict.strip_class is StripClass.OTHER
    assert verdict.reasons["odd_share"] > 0.3


def test_noise_alone_is_unreadable():
    noise = (
        np.cumsum(np.random.default_rng(1).standard_normal(9000)) * 20
        + np.random.default_rng(2).standard_normal(9000) * 300
    )
    assert judge_strip(np.round(noise).astype(np.int16), 300.0).strip_class is StripClass.UNREADABLE


def test_a_dead_line_is_unreadable():
    assert judge_strip(np.zeros(9000, np.int16), 300.0).strip_class is StripClass.UNREADABLE
    assert judge_strip(np.full(9000, MISSING, np.int16), 300.0).strip_class is StripClass.UNREADABLE


@pytest.mark.parametrize("rhythm", ["sinus", "fibrillating"])
def test_the_way_round_of_the_electrodes_does_not_matter(rhythm):
    """Held upside down, a strip must read the same, to the last digit."""
    samples = drawn(sinus() if rhythm == "sinus" else fibrillating(), has_p=rhythm == "sinus")
    upright, turned = strip_features(trace_of(samples, 300.0)), strip_features(trace_of(-samples, 300.0))
    assert turned == pytest.approx(upright, rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("gain", [0.25, 4.0])
def test_the_gain_does_not_matter(gain):
    samples = drawn(sinus())
    scaled = np.round(samples * gain).astype(np.int16)
    one, other = judge_strip(samples, 300.0), judge_strip(scaled, 300.0)
    assert other.strip_class is one.strip_class
    assert other.confidence == pytest.approx(one.confidence, abs=0.15)


@pytest.mark.parametrize(("up", "down"), [(1, 2), (5, 12), (5, 3), (2, 1)])
@pytest.mark.parametrize("rhythm", ["sinus", "fibrillating"])
def test_the_rate_does_not_matter(rhythm, up, down):
    """125, 150, 500 and 600 samples a second instead of 300: the same class and rate of the heart."""
    samples = drawn(sinus() if rhythm == "sinus" else fibrillating(), has_p=rhythm == "sinus")
    one = judge_strip(samples, 300.0)
    resampled = np.round(signal.resample_poly(samples.astype(float), up, down)).astype(np.int16)
    other = judge_strip(resampled, 300.0 * up / down)
    assert other.strip_class is one.strip_class
    assert other.reasons["rate_bpm"] == pytest.approx(one.reasons["rate_bpm"], rel=0.02)


def test_a_few_missing_samples_change_nothing():
    samples = drawn(sinus())
    samples[4000:4003] = MISSING
    samples[7000:7150] = MISSING
    assert judge_strip(samples, 300.0).strip_class is StripClass.NORMAL


def test_the_same_strip_gets_the_same_verdict():
    samples = drawn(fibrillating(), has_p=False)
    assert judge_strip(samples, 300.0) == judge_strip(samples.copy(), 300.0)


@pytest.mark.parametrize(
    ("seconds", "rate_hz", "why"),
    [
        (7.9, 300.0, "7.9 s long"),  # a finger lifted at once
        (121.0, 300.0, "121.0 s long"),  # a recording, not a strip
        (30.0, 50.0, "50 samples a second"),  # a P wave cannot be seen
        (30.0, 2000.0, "2000 samples a second"),
    ],
)
def test_what_is_no_strip_is_refused(seconds, rate_hz, why):
    with pytest.raises(BadStrip, match=why):
        judge_strip(np.zeros(round(seconds * rate_hz), np.int16), rate_hz)
