"""Features of a window: what must not matter, and that none is ever a number that trees cannot take."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.ecg import waveform
from stream.ecg.fibrillation_chart import FIBRILLATION, HZ, SPAN
from tests.stream.ecg.recordings import excerpt

RELAXED = settings(max_examples=25, deadline=None, derandomize=True)
SPREAD = 0.05
"""Rounding to microvolts moves a feature by so much at most (half a mean period, for the leakage, by one sample)."""


def measured(wave: NDArray[np.float64]) -> NDArray[np.float32]:
    """Features of 5 s at 125 Hz, fed sample by sample as the chart is."""
    states: Any = np.zeros(1, FIBRILLATION)
    for i, x in enumerate(wave):
        waveform.feed(states[0], 2 * i, x)
    assert states["seconds"][0] == 5
    waveform.measure(states[0])
    return np.asarray(states["features"][0]).copy()


def fibrillating(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    hz = 5 + np.convolve(rng.normal(0, 1, SPAN), np.ones(50) / 15, "same")
    return np.asarray(600 * np.sin(np.cumsum(2 * np.pi * hz / HZ)) + rng.normal(0, 40, SPAN))


@RELAXED
@given(seed=st.integers(0, 1000), gain=st.sampled_from([0.25, 4.0]))
def test_the_gain_of_a_device_does_not_matter(seed: int, gain: float) -> None:
    wave = fibrillating(seed)
    assert measured(gain * wave) == pytest.approx(measured(wave), abs=SPREAD, rel=SPREAD)


@RELAXED
@given(seed=st.integers(0, 1000))
def test_polarity_does_not_matter(seed: int) -> None:
    """But for which extremum of a second is the first: nothing."""
    wave = np.round(fibrillating(seed))
    assert measured(-wave) == pytest.approx(measured(wave), abs=1e-3)


@pytest.mark.parametrize("wave", [np.zeros(SPAN), np.full(SPAN, 32767.0), np.tile([1e9, -1e9, 0.0, 5.0, -5.0], 125)])
def test_features_are_always_numbers(wave: NDArray[np.float64]) -> None:
    """A flat line, the rail, a wave beyond it: trees must never meet a NaN."""
    assert np.isfinite(measured(wave)).all()


def test_the_window_holds_the_last_five_seconds_in_order() -> None:
    states: Any = np.zeros(1, FIBRILLATION)
    wave = np.arange(8 * HZ)
    for i, x in enumerate(wave):
        waveform.feed(states[0], 2 * i, float(x))
        waveform.feed(states[0], 2 * i + 1, 9999.0)  # between the samples of the window
    assert states["wave"][0].tolist() == wave[-SPAN:].tolist()
    assert states["lows"][0].tolist() == wave[-SPAN::HZ].tolist()
    assert states["highs"][0].tolist() == wave[-SPAN + HZ - 1 :: HZ].tolist()


def test_fibrillation_is_unlike_sinus() -> None:
    """On real recordings: much like a sine, its power close to one frequency, no steep QRS."""
    waves = [excerpt("vfdb/422", 1700, 5)[0], excerpt("vfdb/420", 60, 5)[0]]
    restless, calm = (measured(wave[::2] - wave.mean()) for wave in waves)
    assert restless[waveform.LEAK] < calm[waveform.LEAK] - 0.1
    assert restless[waveform.NARROW] > calm[waveform.NARROW] + 0.2
    assert restless[waveform.STEEP] < calm[waveform.STEEP] - 0.5
