"""How regular the wave of the last seconds is, and at which frequencies it moves.

An exact autocorrelation of the int16 wave (integers: its sum has no order), and from it, by the theorem of Wiener and
Khinchin with a Hann lag window (Blackman and Tukey 1958), a spectrum in steps of 0.5 Hz. No FFT, no allocation.
"""

import math
from typing import Final

import numpy as np

from stream.ecg.fibrillation_chart import BINS, HZ, LAGS, SPAN
from stream.ecg.kernel import Record, Samples, kernel

STEP: Final = 2  # samples of a lag
LAG_S: Final = STEP / HZ
BIN_HZ: Final = 0.5
_SHORTEST: Final = 10  # lags: 0.16 s, 375 a minute
_LONGEST: Final = 94  # 1.5 s, 40 a minute
_LONGEST_NOW: Final = 63  # in a window of 3 s
_AROUND: Final = 3
_FASTEST: Final = 18  # bins up to 9 Hz hold the main frequency
_SLOW: Final = 4  # up to 2 Hz
_QUICK: Final = 20  # from 10.5 Hz
_QRS: Final = (12, 32)  # 6.5 to 16 Hz


def _cosines() -> Samples:
    lags, bins = np.arange(LAGS), np.arange(1, BINS + 1)
    hann = 0.5 * (1.0 + np.cos(np.pi * lags / LAGS))
    table = 2.0 * hann[:, None] * np.cos(2.0 * np.pi * np.outer(lags * LAG_S, bins * BIN_HZ))
    table[0] *= 0.5
    return table.astype(np.float32)


_COSINES: Final = _cosines()


@kernel
def _dot(wave: Samples, one: np.uint64, other: np.uint64, n: np.uint64) -> int:
    """Sum of n products of the wave with itself. Unsigned numbers, which cannot count from the end: many at a time."""
    total = 0
    for i in range(n):  # a range of unsigned numbers is theirs, too
        total += wave[one + i] * wave[other + i]
    return total


@kernel
def correlate(ripple: Samples, wave: Samples, first: int, lags: int) -> None:
    """Autocorrelation of wave[first:] at so many lags, 1 at lag 0, each for its own number of products; else all 0."""
    power = _dot(wave, np.uint64(first), np.uint64(first), np.uint64(SPAN - first))
    for lag in range(lags):
        n = SPAN - first - lag * STEP
        total = _dot(wave, np.uint64(first + lag * STEP), np.uint64(first), np.uint64(n))
        ripple[lag] = total / power * (SPAN - first) / n if power else 0.0


@kernel
def best_lag(ripple: Samples, longest: int) -> int:
    """The lag from 0.16 s on at which the wave resembles itself most."""
    best = _SHORTEST
    for lag in range(_SHORTEST, longest + 1):
        if ripple[lag] > ripple[best]:
            best = lag
    return best


@kernel
def best_around(ripple: Samples, centre: int) -> float:
    """Largest likeness within 48 ms of a lag."""
    best = -1.0
    for lag in range(max(centre - _AROUND, 0), min(centre + _AROUND + 1, LAGS)):
        best = max(best, ripple[lag])
    return best


@kernel
def regularity_now(ripple: Samples, wave: Samples) -> float:
    """Likeness of the last 3 s to themselves at their best lag; overwrites `ripple`."""
    correlate(ripple, wave, SPAN - 3 * HZ, _LONGEST_NOW + 1)
    return float(ripple[best_lag(ripple, _LONGEST_NOW)])


@kernel
def transform(spectrum: Samples, ripple: Samples) -> None:
    """Power in each bin (0.5 Hz to 20 Hz), the sum is 1 (or all 0)."""
    for b in range(BINS):
        spectrum[b] = 0.0
    for lag in range(LAGS):
        # The products' own number is taken back: a biased autocorrelation has a spectrum that is not negative.
        r = np.float32(ripple[lag] * (SPAN - lag * STEP) / SPAN)
        for b in range(BINS):
            spectrum[b] += r * _COSINES[lag, b]
    total = 0.0
    for b in range(BINS):
        spectrum[b] = max(spectrum[b], np.float32(0.0))
        total += spectrum[b]
    if total > 0.0:
        for b in range(BINS):
            spectrum[b] = spectrum[b] / total


@kernel
def share(spectrum: Samples, low: int, high: int) -> float:
    """Share of the power in bins low <= b < high."""
    total = 0.0
    for b in range(max(low, 0), min(high, BINS)):
        total += spectrum[b]
    return total


@kernel
def main_bin(spectrum: Samples) -> int:
    """The bin below 9 Hz with most power."""
    best = 0
    for b in range(_FASTEST):
        if spectrum[b] > spectrum[best]:
            best = b
    return best


@kernel
def describe(fibrillation: Record, at: int) -> None:
    """Fill in ten features from `at` on.

    Likeness at the best lag and at twice it, that lag; main frequency, the share around it, beyond 10, below 2 and within
    6-16 Hz (after Barro 1989, J Med Eng Technol 13); centre; ln flatness.
    """
    features, ripple, spectrum = fibrillation.features, fibrillation.ripple, fibrillation.spectrum
    correlate(ripple, fibrillation.wave, 0, LAGS)
    lag = best_lag(ripple, _LONGEST)
    transform(spectrum, ripple)
    b = main_bin(spectrum)
    centre = 0.0
    logs = 0.0
    for i in range(BINS):
        centre += (i + 1) * BIN_HZ * spectrum[i]
        logs += math.log(spectrum[i] + 1e-6)
    features[at] = ripple[lag]
    features[at + 1] = best_around(ripple, min(2 * lag, LAGS - 1 - _AROUND))
    features[at + 2] = lag * LAG_S
    features[at + 3] = (b + 1) * BIN_HZ
    features[at + 4] = share(spectrum, int(0.7 * (b + 1)), math.ceil(1.4 * (b + 1)) - 1)
    features[at + 5] = share(spectrum, _QUICK, BINS)
    features[at + 6] = share(spectrum, 0, _SLOW)
    features[at + 7] = share(spectrum, _QRS[0], _QRS[1])
    features[at + 8] = centre
    features[at + 9] = logs / BINS + math.log(BINS)
