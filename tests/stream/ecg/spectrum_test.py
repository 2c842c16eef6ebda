"""Regularity and spectrum against NumPy's own, and what must not matter to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.ecg import spectrum
from stream.ecg.fibrillation_chart import BINS, HZ, LAGS, SPAN

RELAXED = settings(max_examples=25, deadline=None, derandomize=True)
SECONDS = np.arange(SPAN) / HZ


def noise(seed: int, size_uv: float = 300.0) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, size_uv, SPAN).astype(np.int16)


def sine(hz: float, size_uv: float = 500.0) -> NDArray[np.int16]:
    return np.round(size_uv * np.sin(2 * np.pi * hz * SECONDS + 0.4)).astype(np.int16)


def correlated(wave: NDArray[np.int16]) -> NDArray[np.float32]:
    ripple = np.zeros(LAGS, np.float32)
    spectrum.correlate(ripple, wave, 0, LAGS)
    return ripple


def transformed(wave: NDArray[np.int16]) -> NDArray[np.float32]:
    powers = np.zeros(BINS, np.float32)
    spectrum.transform(powers, correlated(wave))
    return powers


@RELAXED
@given(seed=st.integers(0, 1000))
def test_the_autocorrelation_is_numpys(seed: int) -> None:
    """To float32, at every lag, also at full scale, where int32 sums would overflow."""
    wave = noise(seed, 20000.0)
    x = wave.astype(float)
    whole = np.correlate(x, x, "full")[SPAN - 1 :][: LAGS * spectrum.STEP : spectrum.STEP]
    counted = SPAN - np.arange(LAGS) * spectrum.STEP
    assert correlated(wave) == pytest.approx(whole / whole[0] * SPAN / counted, abs=1e-5)


@RELAXED
@given(hz=st.floats(1.5, 8.0))
def test_a_sine_is_regular_and_narrow(hz: float) -> None:
    """Its own period is the best lag (or a multiple of it), and nearly all power lies around its frequency."""
    wave = sine(hz)
    ripple, powers = correlated(wave), transformed(wave)
    assert ripple[spectrum.best_lag(ripple, 94)] > 0.95
    peak = spectrum.main_bin(powers)
    assert (peak + 1) * spectrum.BIN_HZ == pytest.approx(hz, abs=0.5)
    assert spectrum.share(powers, peak - 2, peak + 3) > 0.9


@RELAXED
@given(seed=st.integers(0, 1000), gain=st.sampled_from([-4, -1, 2, 4]))
def test_gain_and_polarity_change_nothing(seed: int, gain: int) -> None:
    """Another device, or swapped electrodes."""
    wave = noise(seed)
    scaled = (wave * gain).astype(np.int16)
    assert correlated(scaled).tolist() == correlated(wave).tolist()
    assert transformed(scaled).tolist() == transformed(wave).tolist()


def test_a_spectrum_is_shares_of_one() -> None:
    powers = transformed(noise(1))
    assert powers.min() >= 0.0
    assert powers.sum() == pytest.approx(1.0, abs=1e-4)


def test_nothing_has_no_spectrum() -> None:
    """A flat line gives zeros, never a number that is none."""
    flat = np.zeros(SPAN, np.int16)
    assert not correlated(flat).any()
    assert not transformed(flat).any()
    ripple = np.zeros(LAGS, np.float32)
    assert spectrum.regularity_now(ripple, flat) == 0.0
