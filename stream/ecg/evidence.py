"""How high a peak of the QRS band must be to count as a beat, beyond the threshold that its tracker learned.

The witness (10-25 Hz) tells a lone sharp wave, which may be small, from a peak among others like it, which must be large
unless it looks like this patient's beats. Never judges a peak by when a beat was due: rhythms are what is looked for.
"""

from typing import Final

import numpy as np

from stream.ecg import shapes
from stream.ecg.chart import CREST_RING, CREST_SPAN
from stream.ecg.kernel import Record, Samples, kernel

_NEAR: Final = 20  # 80 ms: bands may peak so far apart
_AWAY: Final = 28  # 112 ms: farther out the envelope (100 ms) holds nothing of this peak
_ALONE: Final = 3.0  # times as high as all around it
_SMALL: Final = (0.25, 0.15)  # of the median QRS: what a lone peak must reach, the latter if it is sharp
_SHARP: Final = (0.25, 0.5)  # of the witness's median QRS; P and T waves have less
_QUIET: Final = 0.12  # noise peaks over QRS peaks, below which the lower claim is enough
_RIVAL: Final = 0.5  # of its height: another refused peak since the last beat
_AFTER_T: Final = 90  # 360 ms after a beat no T wave is taken for a small beat
_CROWDED: Final = (0.3, 0.7)  # the highest around it over its own height: from no claim to the full one
_NOISY: Final = (0.05, 0.12)  # noise peaks over QRS peaks, likewise
_LIKE: Final = (0.8, 0.5)  # correlation with the patient's beats, likewise
_MORE: Final = 0.5  # of the way from noise to QRS, the full claim


@kernel
def crest(other: Record, first: int, last: int) -> float:
    """Highest envelope of a band between two internal samples of the last 0.5 s, over its median QRS."""
    highest = np.float32(0.0)
    for block in range(first // CREST_SPAN, last // CREST_SPAN + 1):
        highest = max(highest, other.crests[block % CREST_RING])
    return float(highest / other.peak) if other.peak > 0.0 else 0.0


@kernel
def _share(x: float, begin: float, end: float) -> float:
    """0 up to `begin`, 1 from `end` on."""
    return min(max((x - begin) / (end - begin), 0.0), 1.0)


@kernel
def height_needed(signal: Record, shape: Samples, settled: int, at: int, k: int) -> float:
    """What the settled maximum with fiducial `at` and this shape must reach now, at internal sample k (uV)."""
    tracker, other = signal.first, signal.other
    needed = float(tracker.threshold)
    if tracker.peak <= 0.0:
        return needed
    own = crest(other, settled - _NEAR, settled + _NEAR)
    before = crest(other, k - (CREST_RING - 1) * CREST_SPAN, settled - _AWAY - CREST_SPAN)
    around = max(before, crest(other, settled + _AWAY + CREST_SPAN, k))
    noise = tracker.floor / tracker.peak
    claim = _MORE * _share(around / max(own, 1e-3), _CROWDED[0], _CROWDED[1]) * _share(noise, _NOISY[0], _NOISY[1])
    if claim > 0.0 and signal.shapes.learned:
        strange = 1.0 - _share(shapes.familiarity(signal.shapes, shape), _LIKE[1], _LIKE[0])
        needed += claim * strange * (tracker.peak - tracker.floor)
    if at - tracker.last >= _AFTER_T and own > _ALONE * around:
        if own > _SHARP[1]:
            needed = min(needed, _SMALL[1] * tracker.peak)
        if own > _SHARP[0] and noise < _QUIET and tracker.missed_height < _RIVAL * tracker.height:
            needed = min(needed, _SMALL[0] * tracker.peak)
    return needed
