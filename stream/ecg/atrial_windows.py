"""Windows of RR intervals around a beat and what is measured of them: how irregular, and in which way.

After the usual measures of AF on RR intervals: Zhou's symbolic entropy (2015), turning points, autocorrelation;
densest bins and short-long pairs tell regularly irregular rhythms. Intervals next to a ventricular or
unreadable beat are left out; where most are, a window has few members instead of stale ones. Must never look further
ahead than LOOK beats. (Not the patented dRR Lorenz plot.)
"""

import math
from typing import Final

import numpy as np

from stream.ecg.atrial_chart import INTERVALS
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel

ODD, CUT, OUTSIDE = 1, 2, 4
"""Flags of a beat: not a conducted beat; the interval before it touches one; it is no interval at all."""

LOOK: Final = 56
"""Beats after the judged one that a window may use."""

FEATURES: Final = (
    "median", "relative", "mean_relative", "within10", "lag1", "lag2", "entropy", "dense", "turns", "jerk", "pairs",
)  # fmt: skip
"""Of one window: median (s); median and mean of |dRR| over it; share within 10 % of it; autocorrelation; Zhou's entropy; share of
the two densest 8 % bins; turning points; median second difference; short intervals before long ones."""

MEAN_RELATIVE: Final = FEATURES.index("mean_relative")
N_FEATURES: Final = len(FEATURES)

_SPANS: Final = np.array([[31, 32], [15, 16], [71, 56]])
"""Intervals up to the judged beat's own, less one, and after it. The first window keeps those that touch ectopic beats."""

NAMES: Final = (
    *(f"{window}_{feature}" for window in ("raw64", "clean32", "clean128") for feature in FEATURES),
    "odd32", "odd64", "cut64",
)  # fmt: skip
"""Of a judged beat; the last three are shares of the beats around."""

ROW: Final = len(NAMES)

NOW_NAMES: Final = (
    *(f"{window}_{feature}" for window in ("raw32", "clean32") for feature in FEATURES),
    "odd32",
    "cut32",
)
"""Of a proposal."""

NOW_ROW: Final = len(NOW_NAMES)

_MASK: Final = INTERVALS - 1
_SHORTEST: Final = RATE // 5
_LONGEST: Final = 3 * RATE
_FEWEST: Final = 6
_MOST: Final = 128
_FARTHEST: Final = 150  # beats back
_ABSENT: Final = np.float32(-1.0)
_SYMBOL: Final = 12 * RATE  # a symbol is 5 beats a minute
_WIDEST: Final = 71  # clean intervals before the judged one
_NEAR: Final = 0.1
_EARLY: Final = -0.12
_FOLLOWED: Final = 1.05
_BIN: Final = 0.08
_BINS: Final = 40


@kernel
def hear(atrial: Record, before: int, is_odd: bool) -> None:
    """Take the next beat, `before` internal samples after the last one (0: unknown)."""
    beat = atrial.count
    last = atrial.flags[(beat - 1) & _MASK] if beat else ODD
    flags = ODD if is_odd else 0
    if before <= _SHORTEST or before >= _LONGEST:
        flags |= OUTSIDE
    if flags or last & ODD:
        flags |= CUT
    atrial.interval[beat & _MASK] = before if 0 <= before < _LONGEST else 0
    atrial.flags[beat & _MASK] = flags
    atrial.count += 1


@kernel
def sort_first(v: Samples, n: int) -> None:
    """Sort the first n values (Shell's gaps)."""
    gap = 40
    while gap:
        for i in range(gap, n):
            x = v[i]
            j = i
            while j >= gap and v[j - gap] > x:
                v[j] = v[j - gap]
                j -= gap
            v[j] = x
        gap //= 3


@kernel
def middle(v: Samples, n: int) -> float:
    """Median of the first n values, sorted, n > 0."""
    return float(v[n // 2]) if n % 2 else 0.5 * (v[n // 2 - 1] + v[n // 2])


@kernel
def gather(atrial: Record, judged: int, leave_out: int, rr: Samples, beat: Samples) -> tuple[int, int]:
    """Intervals without a flag of `leave_out` around beat `judged`, in order: number of them, and where the judged one lies.

    rr, beat: (INTERVALS,), filled with samples and beat numbers. At most 71 before it, and LOOK beats behind.
    """
    oldest = max(atrial.count - INTERVALS, judged - _FARTHEST, 1)
    n = 0
    first = judged
    while first >= oldest and n <= _WIDEST:
        n += not atrial.flags[first & _MASK] & leave_out
        first -= 1
    first += 1
    n = 0
    at = -1
    for i in range(first, min(atrial.count, judged + LOOK + 1)):
        if not atrial.flags[i & _MASK] & leave_out:
            rr[n] = atrial.interval[i & _MASK]
            beat[n] = i
            if i <= judged:
                at = n
            n += 1
    return n, at


@kernel
def _cut(beat: Samples, n: int, at: int, judged: int, back: int, ahead: int) -> tuple[int, int]:
    """Members [a, z) of a window: never further back than twice its span, nor ahead."""
    a = max(0, at - back)
    z = min(n, at + ahead + 1)
    oldest = judged - 2 * max(back, 0) - 8
    newest = judged + 2 * max(ahead, 0) + 8
    while a < z and beat[a] < oldest:
        a += 1
    while z > a and beat[z - 1] > newest:
        z -= 1
    return a, z


@kernel
def measure(atrial: Record, judged: int, least: float, row: Samples) -> bool:
    """Fill in row (ROW,) for beat number `judged`; False, and the rest left, where the rhythm is steadier than `least`."""
    rr = np.empty(INTERVALS, np.int32)
    beat = np.empty(INTERVALS, np.int64)
    sort = np.empty(_MOST, np.int32)
    n, at = gather(atrial, judged, OUTSIDE, rr, beat)
    _window(rr, beat, n, at, judged, 0, sort, row, 0)
    if 0.0 <= row[MEAN_RELATIVE] < least:
        return False
    n, at = gather(atrial, judged, CUT, rr, beat)
    _window(rr, beat, n, at, judged, 1, sort, row, N_FEATURES)
    _window(rr, beat, n, at, judged, 2, sort, row, 2 * N_FEATURES)
    row[3 * N_FEATURES] = share(atrial, judged, 16, ODD)
    row[3 * N_FEATURES + 1] = share(atrial, judged, 32, ODD)
    row[3 * N_FEATURES + 2] = share(atrial, judged, 32, CUT)
    return True


@kernel
def measure_now(atrial: Record, judged: int, least: float, row: Samples) -> bool:
    """The same for a proposal: row (NOW_ROW,), of 32 intervals around beat number `judged`."""
    rr = np.empty(INTERVALS, np.int32)
    beat = np.empty(INTERVALS, np.int64)
    sort = np.empty(_MOST, np.int32)
    n, at = gather(atrial, judged, OUTSIDE, rr, beat)
    _window(rr, beat, n, at, judged, 1, sort, row, 0)
    if 0.0 <= row[MEAN_RELATIVE] < least:
        return False
    n, at = gather(atrial, judged, CUT, rr, beat)
    _window(rr, beat, n, at, judged, 1, sort, row, N_FEATURES)
    row[2 * N_FEATURES] = share(atrial, judged, 16, ODD)
    row[2 * N_FEATURES + 1] = share(atrial, judged, 16, CUT)
    return True


@kernel
def _window(
    rr: Samples, beat: Samples, n: int, at: int, judged: int, window: int, sort: Samples, row: Samples, o: int
) -> None:
    a, z = _cut(beat, n, at, judged, _SPANS[window, 0], _SPANS[window, 1])
    describe(rr, a, z, sort, row, o)


@kernel
def share(atrial: Record, judged: int, around: int, flag: int) -> float:
    """Share of the beats around `judged` that carry a flag."""
    a = max(judged - around, atrial.count - INTERVALS, 0)
    z = min(judged + around, atrial.count)
    n = 0
    for i in range(a, z):
        n += (atrial.flags[i & _MASK] & flag) != 0
    return float(n / max(z - a, 1))


@kernel
def rate(atrial: Record, last: int) -> float:
    """Beats a minute over so many last intervals, those that are none left out; 0 without any."""
    total = 0
    n = 0
    for i in range(max(atrial.count - last, 0), atrial.count):
        if not atrial.flags[i & _MASK] & OUTSIDE:
            total += atrial.interval[i & _MASK]
            n += 1
    return float(60.0 * RATE * n / total) if n else 0.0


@kernel
def describe(rr: Samples, a: int, z: int, sort: Samples, row: Samples, o: int) -> None:
    """Fill in the features of the intervals rr[a:z] (samples) from row[o] on; -1 below six of them."""
    n = z - a
    if n < _FEWEST:
        for i in range(N_FEATURES):
            row[o + i] = _ABSENT
        return
    for i in range(n):
        sort[i] = rr[a + i]
    sort_first(sort, n)
    median = middle(sort, n)
    row[o] = median / RATE
    _differences(rr, a, n, median, sort, row, o)
    _shape(rr, a, n, median, row, o)
    row[o + 6] = _entropy(rr, a, n, sort)


@kernel
def _differences(rr: Samples, a: int, n: int, median: float, sort: Samples, row: Samples, o: int) -> None:
    """relative, mean_relative, turns, jerk."""
    turns = 0
    total = 0.0
    for i in range(n - 1):
        sort[i] = abs(rr[a + i + 1] - rr[a + i])
        total += min(sort[i] / median, 1.0)
    sort_first(sort, n - 1)
    row[o + 1] = middle(sort, n - 1) / median
    row[o + 2] = total / (n - 1)
    for i in range(1, n - 1):
        before = rr[a + i] - rr[a + i - 1]
        after = rr[a + i + 1] - rr[a + i]
        sort[i - 1] = abs(after - before)
        turns += before * after < 0
    sort_first(sort, n - 2)
    row[o + 8] = turns / (n - 2)
    row[o + 9] = middle(sort, n - 2) / median


@kernel
def _shape(rr: Samples, a: int, n: int, median: float, row: Samples, o: int) -> None:
    """within10, lag1, lag2, dense, pairs."""
    total = 0.0
    near = pairs = 0
    bins = np.zeros(_BINS, np.int32)
    for i in range(n):
        x = rr[a + i] / median - 1.0
        near += abs(x) < _NEAR
        pairs += i < n - 1 and x < _EARLY and rr[a + i + 1] > _FOLLOWED * median
        bins[min(int((x + 1.0) / _BIN), _BINS - 1)] += 1
        total += min(max(x, -0.5), 0.5)
    mean = total / n
    energy = 1e-9
    lag1 = lag2 = before = before2 = 0.0
    for i in range(n):
        x = min(max(rr[a + i] / median - 1.0, -0.5), 0.5) - mean
        energy += x * x
        lag1 += x * before
        lag2 += x * before2
        before2 = before
        before = x
    row[o + 3] = near / n
    row[o + 4] = lag1 / energy
    row[o + 5] = lag2 / energy
    row[o + 7] = _two_densest(bins) / n
    row[o + 10] = pairs / (n - 1)


@kernel
def _two_densest(bins: Samples) -> int:
    """Intervals in the densest pair of neighbouring bins and in the densest pair of the others."""
    total = 0
    for _ in range(2):
        best = 0
        for i in range(_BINS - 1):
            if bins[i] + bins[i + 1] > bins[best] + bins[best + 1]:
                best = i
        total += bins[best] + bins[best + 1]
        bins[best] = bins[best + 1] = 0
    return total


@kernel
def _entropy(rr: Samples, a: int, n: int, sort: Samples) -> float:
    """Zhou's: Shannon entropy of words of three symbols of rate, times their number, normalised."""
    m = n - 2
    first = min(_SYMBOL // rr[a], 63)
    second = min(_SYMBOL // rr[a + 1], 63)
    for i in range(m):
        third = min(_SYMBOL // rr[a + i + 2], 63)
        sort[i] = (first << 12) + (second << 6) + third
        first = second
        second = third
    sort_first(sort, m)
    entropy = 0.0
    words = 0
    run = 1
    for i in range(1, m + 1):
        if i < m and sort[i] == sort[i - 1]:
            run += 1
        else:
            entropy -= run / m * math.log2(run / m)
            words += 1
            run = 1
    return entropy * words / (m * math.log2(m))
