"""All features of one strip, under their names. Pure.

What cannot be measured is NaN, and the judge's trees know what that means. Nothing here depends on gain or polarity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stream.strips.between_beats import between_features
from stream.strips.ectopy import ectopy_features, is_usual
from stream.strips.intervals import interval_features, window_features
from stream.strips.median_beat import cut_beats, likeness_features, wave_features, wide_band
from stream.strips.p_wave import p_features
from stream.strips.readability import readability_features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from stream.strips.tracing import Trace


def strip_features(trace: Trace) -> dict[str, float]:
    """Features of a strip by name, group first: `rr.median`, `p.p_slow`; those that cannot be measured are absent."""
    wide = wide_band(trace.wave)
    found = _named("read", readability_features(trace, wide))
    rr_s = trace.intervals_s
    known = rr_s[np.isfinite(rr_s)]
    beats = cut_beats(trace, wide)
    if beats is None or not known.size:
        return found
    usual = is_usual(trace.beats, beats)
    clean = rr_s[usual[1:] & usual[:-1] & np.isfinite(rr_s)]
    return {
        **found,
        **_named("rr", interval_features(known) | window_features(known)),
        **_named("clean", interval_features(clean)),
        **_named("rate", _rates(known)),
        **_named("like", likeness_features(beats)),
        **_named("wave", wave_features(beats, known)),
        **_named("ectopy", ectopy_features(trace.beats, rr_s, beats)),
        **_named("p", p_features(trace.beats, rr_s, beats)),
        **_named("between", between_features(trace.beats, beats)),
    }


def row_of(found: Mapping[str, float], names: tuple[str, ...]) -> NDArray[np.float32]:
    """The features in a model's order; NaN where one is absent."""
    return np.array([found.get(name, np.nan) for name in names], np.float32)


def _rates(rr_s: NDArray[np.float64]) -> dict[str, float]:
    bpm = 60 / rr_s
    low, median, high = np.percentile(bpm, [5, 50, 95])
    return {
        "slowest": float(bpm.min()),
        "slow": float(low),
        "median": float(median),
        "fast": float(high),
        "fastest": float(bpm.max()),
        "pause_s": float(rr_s.max()),
    }


def _named(group: str, found: Mapping[str, float]) -> dict[str, float]:
    return {f"{group}.{name}": value for name, value in found.items()}
