"""What a row of RR intervals says of its rhythm: spread, order, repetition. Pure.

Names and sources: Zhou's entropy (Zhou 2015, PLoS One e0136544), coefficient of sample entropy (Lake and Moorman 2011,
Am J Physiol 300 H319), turning points, Poincare cells. Not the Lorenz plot of differences, which is patented.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST: Final = 6
"""Intervals without which nothing is said."""
WINDOW: Final = 12
WINDOWED: Final = ("jump", "spread", "zhou", "within5", "median", "step5")
"""What is taken as lowest and highest over windows of 12 intervals."""

_STRIDE: Final = 4
_CELL_S: Final = 0.04
_BIN: Final = 0.08
_BINS: Final = 40


def interval_features(rr_s: NDArray[np.float64]) -> dict[str, float]:
    """Features of intervals (seconds, in order); empty below six of them."""
    n = rr_s.size
    if n < FEWEST:
        return {}
    median, mean, spread = float(np.median(rr_s)), float(rr_s.mean()), float(rr_s.std())
    steps = np.diff(rr_s)
    jumps = np.abs(steps) / median
    off = rr_s / median - 1.0
    low, high = np.percentile(rr_s, [25, 75])
    return {
        "median": median,
        "mean": mean,
        "spread": spread / mean,
        "quartiles": float(high - low) / median,
        "jump": float(np.median(jumps)),
        "jump_mean": float(np.minimum(jumps, 1.0).mean()),
        **{f"step{percent}": float((jumps < percent / 100).mean()) for percent in (3, 5)},
        **{f"jump{percent}": float((jumps > percent / 100).mean()) for percent in (10, 20)},
        "rmssd": float(np.sqrt((steps**2).mean())) / mean,
        "within5": float((np.abs(off) < 0.05).mean()),
        "within10": float((np.abs(off) < 0.1).mean()),
        **{f"echo{lag}": value for lag, value in enumerate(_autocorrelation(off), 1)},
        "turns": float((steps[1:] * steps[:-1] < 0).sum()) / (n - 2),
        "cells": _cells(rr_s),
        "zhou": _zhou(rr_s),
        "sample_entropy": _sample_entropy(rr_s, median, mean),
        "two_bins": _two_bins(rr_s, median),
        "pairs": float(((off[:-1] < -0.12) & (rr_s[1:] > 1.05 * median)).mean()),
        "short": float((off < -0.15).mean()),
        "long": float((off > 0.15).mean()),
        "skew": (mean - median) / (spread + 1e-3),
        "shortest": float(rr_s.min()) / median,
        "longest": float(rr_s.max()) / median,
        "bend": float(np.median(np.abs(np.diff(steps)))) / median,
        "n": float(n),
    }


def window_features(rr_s: NDArray[np.float64]) -> dict[str, float]:
    """Lowest and highest of some features over windows of 12 intervals."""
    starts = range(0, max(rr_s.size - WINDOW + 1, 1), _STRIDE)
    windows = [f for i in starts if (f := interval_features(rr_s[i : i + WINDOW]))]
    if not windows:
        return {}
    return {
        f"{which}_{name}": pick(f[name] for f in windows)
        for name in WINDOWED
        for which, pick in (("low", min), ("high", max))
    }


def _autocorrelation(off: NDArray[np.float64]) -> list[float]:
    z = np.clip(off, -0.5, 0.5)
    z = z - z.mean()
    energy = float(z @ z) + 1e-9
    return [float(z[lag:] @ z[:-lag]) / energy for lag in range(1, 5)]


def _cells(rr_s: NDArray[np.float64]) -> float:
    """Cells of the Poincare plot that are hit, a beat."""
    grid = np.floor(np.minimum(rr_s, 2.5) / _CELL_S).astype(int)
    return len(np.unique(grid[:-1] * 100 + grid[1:])) / (rr_s.size - 1)


def _zhou(rr_s: NDArray[np.float64]) -> float:
    """Entropy of words of three rates in steps of 5 a minute, as Zhou weighs it by the number of different words."""
    symbol = np.minimum((12 / np.maximum(rr_s, 0.19)).astype(int), 63)
    words = (symbol[:-2] << 12) + (symbol[1:-1] << 6) + symbol[2:]
    share = np.unique(words, return_counts=True)[1] / words.size
    entropy = float(-(share * np.log2(share)).sum())
    return entropy * len(share) / (len(words) * math.log2(len(words)))


def _sample_entropy(rr_s: NDArray[np.float64], median: float, mean: float) -> float:
    """Coefficient of sample entropy, m = 1, tolerance 6 % of the median."""
    tolerance = 0.06 * median
    is_near = np.triu(np.abs(rr_s[:, None] - rr_s[None, :]) < tolerance, 1)
    stays = is_near[:-1, :-1] & is_near[1:, 1:]
    ratio = (int(stays.sum()) + 0.5) / (int(is_near[:-1, :-1].sum()) + 1)
    return -math.log(ratio) - math.log(2 * tolerance) - math.log(mean)


def _two_bins(rr_s: NDArray[np.float64], median: float) -> float:
    """Share of intervals in the two densest bins: regularly irregular rhythms."""
    counts = np.bincount(np.minimum((rr_s / median / _BIN).astype(int), _BINS - 1), minlength=_BINS)
    both = counts[:-1] + counts[1:]
    first = int(np.argmax(both))
    counts[first : first + 2] = 0
    return float(both[first] + (counts[:-1] + counts[1:]).max()) / rr_s.size
