"""P waves: a short segment before each QRS, and whether it is the same before every beat, as an atrium that contracts makes it.

Coherence is the energy of the mean segment over the mean energy, without bias: 1 = the same P before each beat, 0 = none. It
tells most over beats that come late: before an early one a T wave may lie on the P, or an ectopic P stand in its place.
Must never look at a segment that a hole touches.
"""

import math
from typing import Final

import numpy as np

from stream.ecg.atrial_chart import INTERVALS, POINTS, SEGMENTS, SIZES, WAVE_FEATURES
from stream.ecg.atrial_windows import ODD, middle, sort_first
from stream.ecg.kernel import Record, Samples, kernel

NAMES: Final = (
    "coherence16", "coherence32", "coherence48", "late24", "late24_alike", "late48", "late48_alike", "early48_alike",
    "neighbours32", "size32", "seen48",
)  # fmt: skip
"""Coherence of the beats around; of those that come late, with the share that resembles their mean, and that of the others;
correlation of neighbours; size against the QRS; share that could be seen."""

LATE24, LATE48, SEEN48 = 3, 5, 10
LOOK: Final = 24
"""Beats after the judged one that are looked at."""

_FIRST: Final = -50  # internal samples from R
_STRIDE: Final = 2
_FULL: Final = 127.0
_MASK: Final = SEGMENTS - 1
_BEATS: Final = INTERVALS - 1
_FEWEST: Final = 5
_FEWEST_LATE: Final = 4
_LATE: Final = 0.97  # of the median interval
_ALIKE: Final = 0.5
_ABSENT: Final = -1.0
_ANEW: Final = 8


@kernel
def capture(signal: Record, snapped: int, shape: Samples) -> None:
    """Keep the P segment of the beat being noted, whose R lies at `snapped` in time of the wide band; `shape` is its QRS."""
    atrial = signal.atrial
    place = atrial.noted & _MASK
    first = snapped + _FIRST
    oldest = max(signal.resampler.made - signal.wide.size, signal.hole.end + 1)
    atrial.seen[place] = first >= oldest and first >= 0
    atrial.noted += 1
    if not atrial.seen[place]:
        return
    mean = slope = 0.0
    for i in range(POINTS):
        x = signal.wide[(first + i * _STRIDE) % signal.wide.size]
        mean += x
        slope += x * (i - 0.5 * (POINTS - 1))
    mean /= POINTS
    slope /= POINTS * (POINTS * POINTS - 1) / 12.0
    energy = 0.0
    for i in range(POINTS):
        x = signal.wide[(first + i * _STRIDE) % signal.wide.size] - mean - slope * (i - 0.5 * (POINTS - 1))
        energy += x * x
    energy = math.sqrt(energy)
    _learn(atrial, energy)
    scale = _FULL / max(energy, atrial.usual, 1.0)
    for i in range(POINTS):
        x = signal.wide[(first + i * _STRIDE) % signal.wide.size] - mean - slope * (i - 0.5 * (POINTS - 1))
        atrial.segments[place, i] = np.int8(round(scale * x))
    low = high = shape[0]
    for i in range(shape.size):
        low = min(low, shape[i])
        high = max(high, shape[i])
    relative = energy / math.sqrt(POINTS) / (high - low) if high > low else 1.0
    atrial.share[place] = np.uint8(255.0 * min(relative, 1.0))


@kernel
def _learn(atrial: Record, energy: float) -> None:
    """Learn the usual energy; the median is taken anew every 8th beat, and at each of the first 8."""
    n = atrial.noted - 1
    atrial.sizes[n % SIZES] = energy
    if n < _ANEW or n % _ANEW == 0:
        known = int(min(n + 1, SIZES))
        ordered = np.empty(SIZES, np.float32)
        for i in range(known):
            ordered[i] = atrial.sizes[i]
        sort_first(ordered, known)
        atrial.usual = middle(ordered, known)


@kernel
def _usable(atrial: Record, beat: int) -> bool:
    return bool(atrial.seen[beat & _MASK] and not atrial.flags[beat & _BEATS] & ODD)


@kernel
def measure(atrial: Record, judged: int, row: Samples) -> None:
    """Fill in row (WAVE_FEATURES,) for beat number `judged`, from the beats around it whose class is known."""
    for i in range(WAVE_FEATURES):
        row[i] = _ABSENT
    oldest = max(atrial.noted - SEGMENTS, 0)
    total = np.zeros(POINTS)
    energy = 0.0
    n = 0
    a = z = judged
    for step, half in enumerate((8, 16, 24)):
        low = max(judged - half, oldest)
        high = min(judged + half, atrial.count)
        for beat in range(low, high):
            if (a <= beat < z) or not _usable(atrial, beat):
                continue
            n += 1
            for j in range(POINTS):
                x = float(atrial.segments[beat & _MASK, j])
                total[j] += x
                energy += x * x
        a = low
        z = high
        row[step] = _coherence(total, energy, n) if n >= _FEWEST else _ABSENT
    row[SEEN48] = n / max(z - a, 1)
    _late(atrial, judged, 12, oldest, row, LATE24, False)
    _late(atrial, judged, 24, oldest, row, LATE48, True)
    _neighbours(atrial, max(judged - 16, oldest), min(judged + 16, atrial.count), row)


@kernel
def _coherence(total: Samples, energy: float, n: int) -> float:
    if energy <= 0.0:
        return 0.0
    square = 0.0
    for j in range(POINTS):
        square += total[j] * total[j]
    return (square / energy - 1.0) / (n - 1)


@kernel
def _late_from(atrial: Record, a: int, z: int) -> float:
    """Interval (internal samples) from which a beat comes late; 0 where too few are known."""
    ordered = np.empty(SEGMENTS, np.int32)
    known = 0
    for beat in range(a, z):
        if atrial.interval[beat & _BEATS]:
            ordered[known] = atrial.interval[beat & _BEATS]
            known += 1
    if known < _FEWEST_LATE:
        return 0.0
    sort_first(ordered, known)
    return _LATE * middle(ordered, known)


@kernel
def _late(atrial: Record, judged: int, half: int, oldest: int, row: Samples, o: int, with_early: bool) -> None:
    """Coherence of the late beats around, share of them like their mean; and of the early ones."""
    a = max(judged - half, oldest)
    z = min(judged + half, atrial.count)
    limit = _late_from(atrial, a, z)
    if limit == 0.0:
        return
    total = np.zeros(POINTS)
    energy = 0.0
    n = 0
    for beat in range(a, z):
        if _usable(atrial, beat) and atrial.interval[beat & _BEATS] >= limit:
            n += 1
            for j in range(POINTS):
                x = float(atrial.segments[beat & _MASK, j])
                total[j] += x
                energy += x * x
    if n < _FEWEST_LATE:
        return
    row[o] = _coherence(total, energy, n)
    row[o + 1] = _alike(atrial, a, z, limit, total, n, True)
    if with_early:
        row[o + 2] = _alike(atrial, a, z, limit, total, n, False)


@kernel
def _alike(atrial: Record, a: int, z: int, limit: float, total: Samples, n: int, late: bool) -> float:
    """Share of the late (or of the other) beats that resemble the mean of the other late ones; `total` is the sum of n."""
    size = 0.0
    for j in range(POINTS):
        size += total[j] * total[j]
    size = math.sqrt(size) / n + 1e-9
    looked = alike = 0
    for beat in range(a, z):
        if not _usable(atrial, beat) or (atrial.interval[beat & _BEATS] >= limit) != late:
            continue
        looked += 1
        product = square = 0.0
        for j in range(POINTS):
            x = float(atrial.segments[beat & _MASK, j])
            product += x * (total[j] - x if late else total[j]) / n
            square += x * x
        alike += product > _ALIKE * size * math.sqrt(square)
    return alike / looked if looked else _ABSENT


@kernel
def _neighbours(atrial: Record, a: int, z: int, row: Samples) -> None:
    """Mean correlation of the segments of neighbouring beats, and mean size."""
    total = size = before = 0.0
    pairs = n = 0
    for beat in range(a, z):
        if not _usable(atrial, beat):
            continue
        n += 1
        size += atrial.share[beat & _MASK] / 255.0
        square = product = 0.0
        joined = beat > a and _usable(atrial, beat - 1)
        for j in range(POINTS):
            x = float(atrial.segments[beat & _MASK, j])
            square += x * x
            if joined:
                product += x * atrial.segments[(beat - 1) & _MASK, j]
        if joined and square > 0.0 and before > 0.0:
            total += product / math.sqrt(square * before)
            pairs += 1
        before = square
    if pairs:
        row[8] = total / pairs
    if n:
        row[9] = size / n
