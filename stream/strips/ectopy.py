"""Beats out of turn: early, late, of another shape; counted, and how far the worst goes. Pure.

An interval is judged against the median of the five before and the five after it, a shape against the usual beat.
Nothing here decides on a class of beat: these are hints for the judge of the whole strip.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.strips.median_beat import Beats

_AROUND: Final = 5


def ectopy_features(r: NDArray[np.int64], rr_s: NDArray[np.float64], beats: Beats) -> dict[str, float]:
    """Hints of ectopic beats; `r` are all beats of the strip, `rr_s` the intervals between them (NaN: unknown)."""
    usual = np.array([_usual(rr_s, i) for i in range(rr_s.size)])
    ratio = np.where(np.isfinite(rr_s / usual), rr_s / usual, 1.0)
    after = np.r_[ratio[1:], 1.0]
    match, width = _by_beat(r, beats)
    match, width = match[1:], width[1:]
    is_odd = (match < 0.8) | ((match < 0.9) & (width > 1.3))
    ventricular = int((is_odd & (ratio < 0.9)).sum())
    atrial = int((~is_odd & (ratio < 0.87) & (after > 0.93)).sum())
    even = np.where(is_odd, 1.0, ratio)
    return {
        "v": float(ventricular),
        "odd": float(is_odd.sum()),
        "s": float(atrial),
        "s_full": float((~is_odd & (ratio < 0.9) & (after > 1.05)).sum()),
        "v_share": ventricular / rr_s.size,
        "s_share": atrial / rr_s.size,
        "late": float((ratio > 1.25).sum()),
        "pauses": float((ratio > 1.6).sum()),
        "earliest": float(ratio.min()),
        "earliest2": float(np.sort(ratio)[min(1, ratio.size - 1)]),
        "latest": float(ratio.max()),
        "odd_wide": float((is_odd & (width > 1.3)).mean()),
        "earliest_even": float(even.min()),
        "even_steps": float(np.diff(ratio[~is_odd]).std()) if (~is_odd).sum() > 2 else np.nan,
        "early_width": float(np.where(ratio < 0.93, width, 0.0).max()),
        "early_match": float(np.where(ratio < 0.93, match, 1.0).min()),
        "v_most": float(((1 - match) * np.clip(1.1 - ratio, 0, 1)).max()),
        "s_most": float((match * np.clip(1 - ratio, 0, 1) * np.clip(after - 0.8, 0, 0.5)).max()),
        "early_run": float(max((len(list(g)) for is_early, g in groupby(ratio < 0.85) if is_early), default=0)),
    }


def _usual(rr_s: NDArray[np.float64], i: int) -> float:
    """Median of the known intervals around number i, without it; NaN where there are none."""
    around = np.concatenate([rr_s[max(0, i - _AROUND) : i], rr_s[i + 1 : i + 1 + _AROUND]])
    around = around[np.isfinite(around)]
    return float(np.median(around)) if around.size else np.nan


def is_usual(r: NDArray[np.int64], beats: Beats) -> NDArray[np.bool_]:
    """Which of all beats look like the usual one; those cut off by an end of the strip are believed to."""
    whole = np.isin(r, beats.r)
    alike = np.isin(r, beats.r[beats.is_alike])
    return np.asarray(alike | ~whole)


def _by_beat(r: NDArray[np.int64], beats: Beats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Match and width of all beats; 1 where a beat is not whole."""
    match, width = np.ones(r.size), np.ones(r.size)
    place = np.searchsorted(r, beats.r)
    match[place], width[place] = beats.match, beats.width
    return match, width
