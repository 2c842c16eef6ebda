"""What is left between the beats once the usual one is taken off: fibrillatory waves, or noise. Pure.

Atrial fibrillation and flutter leave 4-9 Hz there, muscle more than 15 Hz, a quiet baseline neither.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import signal

from stream.ecg.filters import RATE
from stream.strips.median_beat import AFTER, BEFORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.strips.median_beat import Beats

_FIRST: Final = round(0.22 * RATE)  # samples before R from which the usual beat is taken off
_FROM: Final = round(0.30 * RATE)  # after R
_TO: Final = round(0.06 * RATE)  # before the next R
_FEWEST: Final = 50
_ATRIAL: Final = signal.butter(2, [4.0, 9.0], "band", fs=RATE, output="sos")
_MUSCLE: Final = signal.butter(2, 15.0, "high", fs=RATE, output="sos")
_HUMPS: Final = signal.butter(2, [1.0, 12.0], "band", fs=RATE, output="sos")


def between_features(r: NDArray[np.int64], beats: Beats) -> dict[str, float]:
    """Levels (logarithm, of the QRS height) and spectrum between T and the next QRS."""
    wave = beats.wave
    is_quiet = _quiet(r, wave.size)
    found = {"quiet_share": float(is_quiet.mean())}
    if is_quiet.sum() <= _FEWEST:
        return found
    left = _left(r, beats)
    pad = min(2 * RATE, wave.size - 1)
    atrial = signal.sosfiltfilt(_ATRIAL, left, padlen=pad)
    muscle = signal.sosfiltfilt(_MUSCLE, left, padlen=pad)

    def level(x: NDArray[np.float64]) -> float:
        return float(np.log(x[is_quiet].std() / beats.height + 1e-6))

    humps = signal.sosfiltfilt(_HUMPS, np.where(is_quiet, wave, 0.0), padlen=pad)
    peaks, _ = signal.find_peaks(humps, prominence=0.04 * beats.height)
    return found | {
        "quiet": level(wave),
        "left": level(left),
        "f": level(atrial),
        "muscle": level(muscle),
        "f_over_muscle": level(atrial) - level(muscle),
        "humps": float(is_quiet[peaks].sum()) / r.size,
        **_spectrum(np.where(is_quiet, left - left[is_quiet].mean(), 0.0)),
    }


def _quiet(r: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    """From 300 ms after a beat to 60 ms before the next."""
    is_quiet = np.zeros(n, bool)
    for at, following in pairwise(r):
        is_quiet[at + _FROM : max(at + _FROM, following - _TO)] = True
    return is_quiet


def _left(r: NDArray[np.int64], beats: Beats) -> NDArray[np.float64]:
    """The wave without the usual beat at each R, faded in and out."""
    fade = np.r_[np.linspace(0, 1, 20), np.ones(BEFORE + AFTER - 40), np.linspace(1, 0, 20)]
    usual = beats.usual * fade
    left = beats.wave.copy()
    for at in r:
        first, last = max(0, at - _FIRST), min(left.size, at + AFTER)
        level = beats.usual[BEFORE - _FIRST] if first else 0.0
        left[first:last] -= usual[BEFORE + first - at : BEFORE + last - at] - level
    return left


def _spectrum(left: NDArray[np.float64]) -> dict[str, float]:
    frequency, power = signal.welch(left, RATE, nperseg=min(left.size, 4 * RATE))
    keep = (frequency >= 1) & (frequency < 20)
    frequency, power = frequency[keep], power[keep] / (power[keep].sum() + 1e-12)
    is_atrial = (frequency >= 3.5) & (frequency < 10)
    peak = int(np.argmax(power * is_atrial))
    return {
        "f_share": float(power[is_atrial].sum()),
        "f_hz": float(frequency[peak]),
        "f_peak": float(power[max(0, peak - 1) : peak + 2].sum()),
        "f_entropy": float(-(power * np.log(power + 1e-12)).sum()),
        "f_median_hz": float(frequency[min(int(np.searchsorted(np.cumsum(power), 0.5)), frequency.size - 1)]),
    }
