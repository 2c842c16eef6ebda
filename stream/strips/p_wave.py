"""Whether the same P wave comes before each beat. Pure.

Coherence: energy of the mean segment over the mean energy of the segments, without its bias by their number: 1 where
each beat has the same wave, 0 where they have nothing in common (fibrillation, noise).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from stream.ecg.filters import RATE
from stream.strips.median_beat import BEFORE, FEWEST, correlation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.strips.median_beat import Beats

_FEWEST: Final = 3
_NEAR_S: Final = 0.03


def p_features(r: NDArray[np.int64], rr_s: NDArray[np.float64], beats: Beats) -> dict[str, float]:
    """Hints of P waves from the beats that look alike (from all where those are few)."""
    keep = beats.is_alike if beats.is_alike.sum() >= FEWEST else np.ones(beats.r.size, bool)
    cut = beats.cut[keep]
    before_s = np.r_[1.0, rr_s][np.searchsorted(r, beats.r[keep])]
    p = _segments(cut, -0.25, -0.06)
    narrow = _segments(cut, -0.20, -0.07)
    mean = np.median(p, axis=0)
    alike = correlation(p, mean)
    left = float(np.sqrt(((p - mean) ** 2).mean()))
    at = np.argmax(p, axis=1) / RATE
    usual_at = int(np.argmax(mean)) / RATE
    neighbours = [correlation(p[i : i + 1], p[i + 1])[0] for i in range(len(p) - 1)]
    return {
        "p": coherence(p),
        "p_narrow": coherence(narrow),
        "p_early": coherence(_segments(cut, -0.36, -0.20)),
        "t": coherence(_segments(cut, 0.12, 0.45)),
        "after_t": coherence(_segments(cut, 0.40, 0.54)),
        # Beats that come late have their T wave well away from P.
        "p_slow": coherence(p[before_s >= np.nanmedian(before_s)]),
        "p_slow_narrow": coherence(narrow[before_s >= 0.97 * np.nanmedian(before_s)]),
        **{f"p_match{q}": float(np.percentile(alike, q)) for q in (10, 50, 90)},
        "p_next": float(np.median(neighbours)),
        "p_height": float(np.ptp(mean)) / beats.height,
        "p_most": float(mean.max()) / beats.height,
        "p_least": float(mean.min()) / beats.height,
        "p_left": left / beats.height,
        "p_over_left": float(np.ptp(mean)) / (left + 1e-3),
        "p_s": usual_at,
        "p_moves_s": float(np.median(np.abs(at - np.median(at)))),
        "p_near": float((np.abs(at - usual_at) < _NEAR_S).mean()),
    }


def coherence(segments: NDArray[np.float64]) -> float:
    """1: the same wave in each row; 0: nothing in common; NaN below three rows."""
    n = len(segments)
    if n < _FEWEST:
        return np.nan
    energy = float((segments**2).sum(axis=1).mean())
    mean = segments.mean(axis=0)
    return (float(mean @ mean) / (energy + 1e-9) * n - 1) / (n - 1)


def _segments(cut: NDArray[np.float64], first_s: float, last_s: float) -> NDArray[np.float64]:
    """A stretch of each beat (seconds from R), its mean and slope taken off."""
    rows = cut[:, BEFORE + round(first_s * RATE) : BEFORE + round(last_s * RATE)]
    t = np.linspace(-1, 1, rows.shape[1])
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows - np.outer(rows @ t / (t @ t), t))
