"""The wave of one beat, taken out of the ring when the beat is found: classes are decided when the ring has moved on.

At 125 Hz, centred on R. Must be causal: what the ring does not hold yet repeats its newest sample.
"""

import math
from typing import Final

from stream.ecg.chart import WAVE_RING
from stream.ecg.classes_chart import QRS, SMOOTH, STRIP
from stream.ecg.kernel import Record, Samples, kernel

CENTRE: Final = 38
"""Point of a strip at R."""

SMOOTH_CENTRE: Final = 15
"""Point of the smoothed strip at R."""

QRS_BEGIN: Final = CENTRE - QRS // 2
"""First point of the QRS in a strip."""

WIDE_DELAY: Final = 2  # internal samples by which the wide band lags behind the signal
_MASK: Final = WAVE_RING - 1
_STRIDE: Final = 2
_LARGEST: Final = 32000.0
_SPIKE_REACH: Final = 30  # samples, 120 ms
_SPIKE_HALF: Final = 4  # samples, 16 ms
_NOISE: Final = (70, 20)  # samples before R where nothing of the QRS is
_SMOOTH_HALF: Final = 4  # points on each side of a triangle, first null at 25 Hz
_MOST_CONTRAST: Final = 5.0
_MS: Final = 4.0  # a sample
_NONE: Final = -2.0
_LEVEL: Final = 16  # points that the level between beats rests on


@kernel
def capture(beat: Record, wide: Samples, r: int, newest: int, height: float) -> None:
    """Take the wave around R (internal sample r) out of the ring whose newest sample is `newest`, uV."""
    centre = r + WIDE_DELAY
    beat.r = r
    beat.height = height
    for i in range(STRIP):
        at = min(centre + (i - CENTRE) * _STRIDE, newest - 1)
        x = 0.25 * (wide[(at - 1) & _MASK] + 2.0 * wide[at & _MASK] + wide[(at + 1) & _MASK])
        beat.wave[i] = round(min(max(x, -_LARGEST), _LARGEST))
    noise = 0.0
    for at in range(centre - _NOISE[0], centre - _NOISE[1]):
        noise += abs(_curvature(wide, at))
    beat.noise = noise / (_NOISE[0] - _NOISE[1])
    _spike(beat, wide, centre, newest)


@kernel
def _curvature(wide: Samples, at: int) -> float:
    return float(wide[at & _MASK] - 2.0 * wide[(at - 1) & _MASK] + wide[(at - 2) & _MASK])


@kernel
def _spike(beat: Record, wide: Samples, centre: int, newest: int) -> None:
    """Find the sharpest point of the QRS, and how sharp the rest of it is: a pacemaker's spike stands out."""
    begin = centre - _SPIKE_REACH
    end = min(centre + _SPIKE_REACH, newest) + 1
    beat.spike = 0.0
    best = centre
    for at in range(begin, end):
        size = abs(_curvature(wide, at))
        if size > beat.spike:
            beat.spike = size
            best = at
    rest = 1e-6
    for at in range(begin, end):
        if abs(at - best) > _SPIKE_HALF:
            rest = max(rest, abs(_curvature(wide, at)))
    beat.contrast = math.log(min(max(beat.spike / rest, 0.2), _MOST_CONTRAST))
    beat.spike_at = (best - 1 - centre) * _MS


@kernel
def smooth(series: Samples, wave: Samples) -> None:
    """The strip below 8 Hz (a triangle over 72 ms) at every other point, into (SMOOTH,)."""
    for i in range(SMOOTH):
        middle = CENTRE + _STRIDE * (i - SMOOTH_CENTRE)
        total = 0.0
        for j in range(-_SMOOTH_HALF, _SMOOTH_HALF + 1):
            at = min(max(middle + j, 0), STRIP - 1)
            total += (_SMOOTH_HALF + 1 - abs(j)) * wave[at]
        series[i] = total / ((_SMOOTH_HALF + 1) * (_SMOOTH_HALF + 1))


@kernel
def level(wave: Samples) -> float:
    """Level between beats: median of the wave 304 to 60 ms before R, uV."""
    # By counting, since there is no scratch array: ranks are unique, earlier of equals first.
    low = high = 0.0
    for i in range(_LEVEL):
        x = wave[2 * i]
        rank = 0
        for j in range(_LEVEL):
            rank += wave[2 * j] < x or (wave[2 * j] == x and j < i)
        if rank == _LEVEL // 2 - 1:
            low = float(x)
        elif rank == _LEVEL // 2:
            high = float(x)
    return 0.5 * (low + high)


@kernel
def correlation(wave: Samples, begin: int, template: Samples, n: int, farthest: int) -> tuple[float, int]:
    """Largest mean-free correlation of n points from `begin` with a template over shifts of up to `farthest` points.

    Returns it and the shift; (0, 0) where one of them is flat.
    """
    st = stt = 0.0
    for i in range(n):
        t = float(template[i])
        st += t
        stt += t * t
    spread_t = stt - st * st / n
    best = _NONE
    shift = 0
    if spread_t <= 0.0:
        return 0.0, 0
    for s in range(-farthest, farthest + 1):
        sx = sxx = sxt = 0.0
        for i in range(n):
            x = float(wave[begin + s + i])
            sx += x
            sxx += x * x
            sxt += x * template[i]
        spread = (sxx - sx * sx / n) * spread_t
        if spread > 0.0:
            c = (sxt - sx * st / n) / spread**0.5
            if c > best:
                best = c
                shift = s
    return (best, shift) if best > _NONE else (0.0, 0)
