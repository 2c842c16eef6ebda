"""A second, simple reading of the median beat: where QRS begins and ends by slope, where T ends by its tangent. Pure.

NeuroKit2's delineation is shown only where this one agrees: on public recordings it can tell far too long a QRS, each
beat alike. Must never be shown itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BEFORE_S, AFTER_S = 0.30, 0.65
_FLAT = 0.07
"""Share of the steepest slope below which nothing of the QRS complex is left, for `_STILL_S`."""
_STILL_S, _SMOOTH_S = 0.012, 0.008
_LEAST_T_MV = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds from the R peak; None: cannot be told."""

    qrs_on: float | None = None
    qrs_off: float | None = None
    t_off: float | None = None


def read(signal: Floats, peaks: NDArray[np.int64], rate_hz: float, rr_s: float) -> Reading:
    """The reading of the median of the beats at `peaks` of a signal in millivolts."""
    before, after = round(BEFORE_S * rate_hz), round(min(AFTER_S, 0.75 * rr_s) * rate_hz)
    whole = [signal[peak - before : peak + after] for peak in peaks if peak >= before and peak + after <= signal.size]
    if not whole:
        return Reading()
    beat: Floats = np.median(whole, axis=0)
    width = max(1, round(_SMOOTH_S * rate_hz))
    slope = np.convolve(np.gradient(beat), np.ones(width) / width, "same")
    near = round(0.1 * rate_hz)
    steep = np.abs(slope)
    middle = before - near + int(np.argmax(steep[before - near : before + near]))
    still, quiet = round(_STILL_S * rate_hz), steep < _FLAT * steep[middle]
    on = next((n for n in range(min(middle, before), still, -1) if quiet[n - still : n].all()), None)
    off = next((n for n in range(max(middle, before), beat.size - still) if quiet[n : n + still].all()), None)
    if on is None or off is None:
        return Reading()
    end = _t_end(beat, slope, off, float(np.median(beat[max(0, on - round(0.02 * rate_hz)) : on + 1])), rate_hz)
    return Reading((on - before) / rate_hz, (off - before) / rate_hz, None if end is None else (end - before) / rate_hz)


def _t_end(beat: Floats, slope: Floats, off: int, level: float, rate_hz: float) -> float | None:
    """Where the steepest tangent behind the top of T meets the level before QRS (Lepeschkin and Surawicz 1952)."""
    first = off + round(0.06 * rate_hz)
    if beat.size - first < round(0.1 * rate_hz):
        return None
    top = first + int(np.argmax(np.abs(beat[first:] - level)))
    height = beat[top] - level
    behind = -np.sign(height) * slope[top : top + round(0.2 * rate_hz)]
    if abs(height) < _LEAST_T_MV or behind.size < 3 or behind.max() <= 0:  # noqa: PLR2004 - a tangent needs a slope
        return None
    steepest = top + int(np.argmax(behind))
    return float(steepest + abs(beat[steepest] - level) / behind.max())
