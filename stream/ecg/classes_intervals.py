"""What intervals alone say of a supraventricular beat: 29 features with a memory of some 200 beats.

Intervals next to a ventricular beat are no history. Works on the intervals of a record's annotations as on those of a
chart, so that the model can learn from long recordings whose waves are not there.
"""

import math
from typing import Final

import numpy as np

from stream.ecg.classes_chart import INTERVAL_FEATURES, INTERVALS
from stream.ecg.kernel import Record, Samples, kernel

_LONGEST_S: Final = 3.0
_SHORTEST_S: Final = 0.25
_PAUSE_S: Final = 2.5
_SOON: Final = 3  # beats after an onset in which only a faster one counts anew
_FAST: Final = 0.05
_STEP: Final = 0.02  # of a quartile's own size, by which it follows
_NO_ONSET: Final = -1
_LONG_AGO: Final = 60
_HISTORY: Final = 10
_TINY: Final = 1e-6


@kernel
def fill(past: Record, f: Samples, before: float, after: float) -> None:
    """Features of a beat, shape (INTERVAL_FEATURES,), from the intervals (s, > 0) before and after it."""
    before = min(before, _LONGEST_S)
    after = min(after, _LONGEST_S)
    if past.seen == 0:
        _start(past, before)
    m10 = _median10(past, before)
    n = int(past.n)
    m50 = past.sorted[n // 2] if n else before
    p75 = past.sorted[3 * n // 4] if n else before
    p90 = past.sorted[9 * n // 10] if n else before
    second, third, fourth, fifth = past.last[0], past.last[1], past.last[2], past.last[3]
    _onset(past, before, second, m10)
    f[0] = before / m10
    f[1] = before / m50
    f[2] = after / m10
    f[3] = after / m50
    f[4] = before / after
    f[5] = before
    f[6] = second / m10
    f[7] = before / p75
    f[8] = before / p90
    f[9] = before / past.slow
    f[10] = before / second
    f[11] = before / third
    f[12] = after / second
    f[13] = before / past.upper
    f[14] = m10 / past.upper
    f[15] = past.lower / past.upper
    f[16] = past.onset if past.since_onset >= 0 else 1.0
    f[17] = min(past.since_onset, _LONG_AGO) if past.since_onset >= 0 else _LONG_AGO
    f[18] = before / past.before_onset
    f[19] = past.ventricular & 1
    f[20] = (past.ventricular >> 1) & 1
    n = 0
    for i in range(_HISTORY):
        n += (past.ventricular >> i) & 1
    f[21] = n
    f[22] = fourth / m10
    f[23] = fifth / m10
    f[24] = before / past.brisk
    _variability(past, f, m10, m50)
    for i in range(INTERVAL_FEATURES):
        f[i] = min(max(f[i], 0.0), 100.0)


@kernel
def learn(past: Record, before: float, ventricular: bool) -> None:
    """Take the beat into the memory, once it is known whether it is ventricular; `before` in seconds, 0: unknown."""
    if before > 0.0:
        before = min(before, _LONGEST_S)
        for i in range(3, 0, -1):
            past.last[i] = past.last[i - 1]
        past.last[0] = before
        past.brisk += _FAST * (before - past.brisk)
        past.seen += 1
        if not ventricular and not past.ventricular & 1 and _SHORTEST_S < before < _PAUSE_S:
            _keep(past, before)
            past.slow += (before - past.slow) / min(past.seen + 1.0, 400.0)
            step = max(_STEP, 0.5 / past.seen) * past.upper
            past.upper += step * (0.75 if before > past.upper else -0.25)
            past.lower += step * (0.25 if before > past.lower else -0.75)
    past.ventricular = ((past.ventricular << 1) | (1 if ventricular else 0)) & 0xFFFF


@kernel
def _start(past: Record, before: float) -> None:
    past.slow = past.brisk = past.before_onset = 0.8
    past.upper = past.lower = before
    past.since_onset = _NO_ONSET
    past.onset = 1.0
    for i in range(4):
        past.last[i] = before


@kernel
def _keep(past: Record, before: float) -> None:
    """Put an interval into the ring and among the sorted ones, in place of the oldest where they are full."""
    new = np.float32(before)
    place = int(past.n)
    if place == INTERVALS:
        place = 0
        while past.sorted[place] != past.intervals[past.at]:
            place += 1
    else:
        past.n += 1
    while place > 0 and past.sorted[place - 1] > new:
        past.sorted[place] = past.sorted[place - 1]
        place -= 1
    while place + 1 < past.n and past.sorted[place + 1] < new:
        past.sorted[place] = past.sorted[place + 1]
        place += 1
    past.sorted[place] = new
    past.intervals[past.at] = new
    past.at = (past.at + 1) % INTERVALS


@kernel
def _median10(past: Record, alone: float) -> float:
    """Median of the newest ten intervals; `alone` where there is none."""
    n = min(int(past.n), 10)
    for i in range(n):
        x = past.intervals[(past.at - 1 - i) % INTERVALS]
        rank = 0
        for j in range(n):
            y = past.intervals[(past.at - 1 - j) % INTERVALS]
            rank += y < x or (y == x and j < i)
        if rank == n // 2:
            return float(x)
    return alone


@kernel
def _onset(past: Record, before: float, second: float, m10: float) -> None:
    """Remember a sudden onset: a much shorter interval than before, until the rate is back."""
    if past.since_onset >= 0:
        past.since_onset += 1
    after_ventricular = past.ventricular & 1
    if before < 0.87 * second and before < 0.9 * m10 and not after_ventricular:
        if before < 0.9 * past.before_onset or past.since_onset < 0 or past.since_onset > _SOON:
            past.since_onset = 0
            past.before_onset = max(second, m10) if second < 1.3 * m10 else m10
            past.onset = before / past.before_onset
    elif before > 1.15 * second and before > 0.93 * past.before_onset:
        past.since_onset = _NO_ONSET
        past.before_onset = m10


@kernel
def _variability(past: Record, f: Samples, m10: float, m50: float) -> None:
    """Scatter of the last 10, steps of the last 10, share of short ones, share of large steps of the last 20."""
    n = min(int(past.n), 10)
    total = squares = steps = 0.0
    short = 0
    for i in range(n):
        x = past.intervals[(past.at - 1 - i) % INTERVALS]
        total += x
        squares += x * x
        short += x < 0.87 * m50
        if i:
            steps += abs(x - past.intervals[(past.at - i) % INTERVALS])
    mean = total / max(n, 1)
    f[25] = math.sqrt(max(squares / max(n, 1) - mean * mean, 0.0)) / (mean + _TINY)
    f[26] = steps / max(n - 1, 1) / m10
    f[27] = short / max(n, 1)
    n = min(int(past.n), 20)
    large = 0
    for i in range(1, n):
        large += (
            abs(past.intervals[(past.at - 1 - i) % INTERVALS] - past.intervals[(past.at - i) % INTERVALS]) > 0.08 * m50
        )
    f[28] = large / max(n - 1, 1)
