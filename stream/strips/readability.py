"""Whether a strip can be read: bands of power, agreement of two beat detectors, steps, rails, holes. Pure.

Everything is relative to the strip itself, so neither gain nor polarity of the device matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import signal

from stream.ecg.filters import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.strips.tracing import Trace

_BANDS: Final = {
    "base": (0.0, 0.7),
    "low": (0.7, 5.0),
    "qrs": (5.0, 15.0),
    "high": (15.0, 25.0),
    "muscle": (25.0, 45.0),
    "rest": (45.0, 100.0),
}
_ALL: Final = (0.7, 40.0)
_SAME_BEAT: Final = RATE // 10


def readability_features(trace: Trace, wide: NDArray[np.float64]) -> dict[str, float]:
    """Features of the whole strip; `wide` is its 0.6-40 Hz wave."""
    spread = float(wide.std()) + 1e-3
    z = wide / spread
    seconds = np.array([wide[i : i + RATE].std() for i in range(0, wide.size - RATE + 1, RATE // 2)]) + 1e-3
    raw = trace.wave
    return {
        "seconds": trace.seconds,
        "beats": float(trace.beats.size),
        "beats_bpm": 60 * trace.beats.size / trace.seconds,
        "agreement": agreement(trace.beats, trace.witness),
        **_powers(raw),
        "kurtosis": float((z**4).mean()),
        "skewness": abs(float((z**3).mean())),
        "flat": float((np.abs(np.diff(raw)) < 2e-3 * spread).mean()),
        "rail": float((np.abs(raw) >= 0.98 * np.abs(raw).max()).mean()),
        "missing": float(trace.missing.mean()),
        "loudest": float(np.log(seconds.max() / np.median(seconds))),
        "quietest": float(np.log(seconds.min() / np.median(seconds))),
        "unsteady": float(seconds.std() / seconds.mean()),
    }


def agreement(beats: NDArray[np.int64], witness: NDArray[np.int64]) -> float:
    """F1 of two lists of beats within 100 ms."""
    if not beats.size or not witness.size:
        return 0.0
    both = (np.abs(beats[:, None] - witness[None, :]).min(axis=1) <= _SAME_BEAT).sum()
    return 2.0 * float(both) / (beats.size + witness.size)


def _powers(raw: NDArray[np.float64]) -> dict[str, float]:
    """Logarithm of the power of each band over that of 0.7-40 Hz."""
    frequency, power = signal.welch(raw, RATE, nperseg=min(raw.size, 4 * RATE))

    def within(low: float, high: float) -> float:
        return float(power[(frequency >= low) & (frequency < high)].sum()) + 1e-6

    return {f"power_{name}": float(np.log(within(*band) / within(*_ALL))) for name, band in _BANDS.items()}
