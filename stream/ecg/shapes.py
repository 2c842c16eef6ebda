"""Where a beat's R peak lies, and how its shape compares with the patient's own template.

One template a lane, of the shape that most beats have, and a second one of the commonest other shape, so that ventricular
beats in noise are known again. Neither is learned while fibrillation is suspected.
"""

import math
from typing import Final

import numpy as np

from stream.ecg.chart import SHAPE, WAVE_RING
from stream.ecg.kernel import Record, Samples, kernel

_MASK: Final = WAVE_RING - 1
_BAND_DELAY: Final = 7  # samples by which the QRS band lags behind the wide one
_WIDE_DELAY: Final = 2  # samples by which the wide band lags behind the signal
_SNAP: Final = 15  # 60 ms
_BASE: Final = (45, 16)  # samples before, where the level between beats is taken
_STRIDE: Final = 2
_SHIFT: Final = 1  # points by which shapes may be shifted against each other
_SAME: Final = 0.7  # correlation from which a beat teaches the template
_ALIKE: Final = 0.9
_RATE_OF_LEARNING: Final = 0.1
_NEW_TEMPLATE_AFTER: Final = 8
_NEW_SECOND_AFTER: Final = 3
_SECOND_MOST: Final = 10


@kernel
def snap(wide: Samples, at: int) -> int:
    """The extremum of the wide band within 60 ms of a fiducial of the QRS band, in time of the wide band."""
    centre = at - _BAND_DELAY
    base = np.float32(0.0)
    for j in range(centre - _BASE[0], centre - _BASE[1]):
        base += wide[j & _MASK]
    base /= np.float32(_BASE[0] - _BASE[1])
    best = centre
    largest = np.float32(-1.0)
    for j in range(centre - _SNAP, centre + _SNAP + 1):
        size = abs(wide[j & _MASK] - base)
        if size > largest:
            largest = size
            best = j
    return best


@kernel
def r_peak(snapped: int) -> int:
    """Internal sample of the R peak in the signal itself."""
    return max(snapped - _WIDE_DELAY, 0)


@kernel
def capture(shape: Samples, wide: Samples, snapped: int) -> None:
    """Copy the wave around a snapped peak, shape (SHAPE,), uV."""
    for i in range(SHAPE):
        shape[i] = wide[(snapped + (i - SHAPE // 2) * _STRIDE) & _MASK]


@kernel
def likeness(a: Samples, b: Samples) -> float:
    """Largest correlation of two shapes, shifted by up to 8 ms; 0 where one of them is flat."""
    best = -1.0
    for shift in range(-_SHIFT, _SHIFT + 1):
        n = SHAPE - abs(shift)
        i0 = max(shift, 0)
        j0 = max(-shift, 0)
        sa = sb = saa = sbb = sab = 0.0
        for i in range(n):
            x = a[i0 + i]
            y = b[j0 + i]
            sa += x
            sb += y
            saa += x * x
            sbb += y * y
            sab += x * y
        spread = (saa - sa * sa / n) * (sbb - sb * sb / n)
        if spread > 0.0:
            best = max(best, (sab - sa * sb / n) / math.sqrt(spread))
        else:
            return 0.0
    return best


@kernel
def familiarity(shapes: Record, shape: Samples) -> float:
    """Likeness to one of the two templates; only where the first is learned."""
    first = likeness(shape, shapes.template)
    if first > _ALIKE or shapes.second_learned == 0:
        return first
    return max(first, likeness(shape, shapes.second))


@kernel
def _learn_second(shapes: Record, shape: Samples) -> None:
    """Let a beat unlike the template teach the second one, or take its place when three were like neither."""
    if shapes.second_learned and likeness(shape, shapes.second) > _SAME:
        shapes.second_learned = min(shapes.second_learned + 1, _SECOND_MOST)
        shapes.second_strangers = 0
    else:
        shapes.second_strangers += 1
        if shapes.second_learned and shapes.second_strangers < _NEW_SECOND_AFTER:
            return
        shapes.second_learned = 1
        shapes.second_strangers = 0
    g = np.float32(1.0 / shapes.second_learned)
    for i in range(SHAPE):
        shapes.second[i] += g * (shape[i] - shapes.second[i])


@kernel
def learn(shapes: Record, shape: Samples, match: float, suspected: bool) -> None:
    """Let a beat teach the template, or, when 8 in a row are alike but unlike it, become it."""
    like_last = likeness(shape, shapes.previous[0])
    for i in range(SHAPE):
        shapes.previous[1, i] = shapes.previous[0, i]
        shapes.previous[0, i] = shape[i]
    if suspected:
        return
    if match < _SAME and shapes.learned:
        _learn_second(shapes, shape)
    shapes.strangers = shapes.strangers + 1 if match < _SAME and like_last > _ALIKE else 0
    if shapes.learned == 0 or shapes.strangers >= _NEW_TEMPLATE_AFTER:
        shapes.template[:] = shape
        shapes.learned = 1
        shapes.strangers = 0
    elif match > _SAME:
        shapes.learned += 1
        g = np.float32(max(_RATE_OF_LEARNING, 1.0 / shapes.learned))
        for i in range(SHAPE):
            shapes.template[i] += g * (shape[i] - shapes.template[i])
