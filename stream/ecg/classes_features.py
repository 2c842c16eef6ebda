"""What can be measured of a beat: intervals, shape against the patient's templates, T, P and noise.

All features are bounded and free of gain and polarity. With one beat of look-ahead; nothing later is used.
"""

import math
from typing import Final

from stream.ecg.classes_chart import BEAT_RING, LOW, P_WAVE, QRS, T_WAVE
from stream.ecg.classes_strip import CENTRE, QRS_BEGIN, correlation
from stream.ecg.classes_templates import LOW_BEGIN, P_BEGIN, SHIFTS, T_BEGIN, UNIT
from stream.ecg.kernel import Record, Samples, kernel

# fmt: off
(RP_M10, RP_M32, RN_M10, RN_M32, RP_RN, RP, RN, RPP_M10, SUM2, CV10, RP_P75, RP_P90, DD10, RP_SLOW, SHORT10, RP_RPP,
 RP_R2, RN_RPP, RP_OWN, RN_OWN,
 ALIKE, ALIKE_LOW, DIFFERENCE, SWING_, WIDTH_, AREA_, SLOPE_, SHARP_, SIGN_, WIDTH, AREA, SHARP, SLOPE, POSITIVE,
 ALIKE_1, ALIKE_2, ACTIVITY,
 NEAREST, SHARE, SHARE_DOMINANT, PREMATURE, IS_DOMINANT, WIDTH_NEAREST_, IS_NEW, TEMPLATES_N, NEAREST_OTHER,
 T_ALIKE, T_MEAN, T_DIFFERENCE, T_MEAN_,
 P_ALIKE, P_DIFFERENCE, P_SWING, P_ENERGY_, P_SHIFT, P_BEST, P_SLOPE,
 NOISE, ENVELOPE,
 SPIKE, SPIKE_REST, SPIKE_AT) = range(62)
# fmt: on
"""Numbers of the features; a trailing _ is the logarithm of the ratio to the dominant template."""

_SEEN: Final = 3.0  # beats of a template that is worth naming
_SHORT: Final = 0.87
_TINY: Final = 1e-6
_RING_MASK: Final = BEAT_RING - 1  # a power of two: a mask is never negative, a remainder might be
_LONGEST_S: Final = 2.0  # longer is all the same: so long a class waits for the next beat
_P_SHIFTS: Final = 4  # points, 32 ms


@kernel
def log_ratio(x: float, y: float) -> float:
    """ln(x / y) within a factor of 5."""
    return math.log(min(max(x / max(y, _TINY), 0.2), 5.0))


@kernel
def fisher(c: float) -> float:
    """Fisher's z of a correlation, bounded."""
    return math.atanh(min(max(c, -0.97), 0.985))


@kernel
def measure(wave: Samples, base: float) -> tuple[float, float, float, float, float, float, float, float, float, float]:
    """Measure the QRS of a strip.

    Returns base, swing, largest (uV), width above 30 %, width of activity, area over largest (ms), steepest 8 ms (uV),
    sharpness (squared steps over squares), sign of R, and the share of the area on R's side.
    """
    top = bottom = largest = wave[QRS_BEGIN] - base
    largest = steepest = area = squares = steps = 0.0
    for i in range(QRS):
        x = wave[QRS_BEGIN + i] - base
        top = max(top, x)
        bottom = min(bottom, x)
        largest = max(largest, abs(x))
        area += abs(x)
        squares += x * x
        if i:
            step = wave[QRS_BEGIN + i] - wave[QRS_BEGIN + i - 1]
            steps += step * step
            steepest = max(steepest, abs(step))
    sign = 1.0 if wave[CENTRE] > base else -1.0
    largest = max(largest, 1.0)
    swing = max(top - bottom, 1.0)
    positive = width = 0.0
    first = QRS
    last = 0
    limit = 0.3 * largest
    before = 0.0
    for i in range(QRS):
        x = wave[QRS_BEGIN + i] - base
        positive += max(sign * x, 0.0)
        height = abs(x)
        if i:
            high = max(height, before)
            if min(height, before) >= limit:
                width += 1.0
            elif high > limit:
                width += (high - limit) / max(abs(height - before), 1.0)
            if abs(wave[QRS_BEGIN + i] - wave[QRS_BEGIN + i - 1]) >= 0.15 * steepest:
                first = min(first, i)
                last = i
        before = height
    activity = 8.0 * max(last - first + 1, 1)
    return (
        base,
        swing,
        largest,
        max(8.0 * width, 4.0),
        activity,
        max(8.0 * area / largest, 4.0),
        max(steepest, 1.0),
        max(steps / max(squares, 1.0), 1e-6),
        sign,
        positive / max(area, 1.0),
    )


@kernel
def intervals(chart: Record, place: int, after_s: float) -> tuple[float, float, bool, bool]:
    """Fill in what intervals say of the beat at `place` of the rings, `after_s` before the next one (0: unknown).

    Returns the interval before and after it (s; the usual one where unknown), whether it came early, and whether neither it nor
    the next one did.
    """
    classes = chart.signal.classes
    ring = chart.signal.rhythm.intervals
    f = classes.inputs
    m10, _, _ = _quantiles(ring, place, 10)
    m32, p75, p90 = _quantiles(ring, place, BEAT_RING - 2)
    known = m32 > 0.0
    before = min(ring[place], 3.0) if ring[place] > 0.0 else (m10 if known else 0.8)
    if not known:
        m10 = m32 = p75 = p90 = before
    after = min(after_s, _LONGEST_S) if after_s > 0.0 else m10
    second = ring[(place - 1) % BEAT_RING]
    second = min(second, 3.0) if second > 0.0 else m10
    third = ring[(place - 2) % BEAT_RING]
    third = min(third, 3.0) if third > 0.0 else m10
    classes.slow_n += 1
    if classes.slow_n == 1:
        classes.slow = before
    else:
        classes.slow += (min(before, 2.0) - classes.slow) / min(classes.slow_n, 300)
    f[RP_M10] = log_ratio(before, m10)
    f[RP_M32] = log_ratio(before, m32)
    f[RN_M10] = log_ratio(after, m10)
    f[RN_M32] = log_ratio(after, m32)
    f[RP_RN] = log_ratio(before, after)
    f[RP] = math.log(max(before, 0.2))
    f[RN] = math.log(max(after, 0.2))
    f[RPP_M10] = log_ratio(second, m10)
    f[SUM2] = log_ratio(before + after, 2.0 * m10)
    f[RP_P75] = log_ratio(before, p75)
    f[RP_P90] = log_ratio(before, p90)
    f[RP_SLOW] = log_ratio(before, classes.slow)
    f[RP_RPP] = log_ratio(before, second)
    f[RP_R2] = log_ratio(before, third)
    f[RN_RPP] = log_ratio(after, second)
    _variability(f, ring, place, m10, m32)
    early = before < 0.86 * m10 or before < 0.8 * p75
    return before, after, early, not early and after > 0.75 * m10


@kernel
def _quantiles(ring: Samples, place: int, n: int) -> tuple[float, float, float]:
    """Median, 75th and 90th percentile of the up to n known intervals before `place`; 0 where there is none."""
    known = 0
    for i in range(1, n + 1):
        known += ring[(place - i) & _RING_MASK] > 0.0
    q50 = q75 = q90 = 0.0
    for i in range(1, n + 1):
        x = ring[(place - i) & _RING_MASK]
        if x <= 0.0:
            continue
        rank = 0
        for j in range(1, n + 1):
            y = ring[(place - j) & _RING_MASK]
            rank += y > 0.0 and (y < x or (y == x and j < i))
        if rank == known // 2:
            q50 = float(x)
        if rank == 3 * known // 4:
            q75 = float(x)
        if rank == 9 * known // 10:
            q90 = float(x)
    return q50, q75, q90


@kernel
def _variability(f: Samples, ring: Samples, place: int, m10: float, m32: float) -> None:
    n = short = 0
    total = squares = steps = last = 0.0
    for i in range(10, 0, -1):
        x = ring[(place - i) % BEAT_RING]
        if x <= 0.0:
            continue
        if n:
            steps += abs(x - last)
        last = x
        n += 1
        total += x
        squares += x * x
        short += x < _SHORT * m32
    mean = total / max(n, 1)
    f[CV10] = min(math.sqrt(max(squares / max(n, 1) - mean * mean, 0.0)) / (mean + _TINY), 1.0)
    f[DD10] = min(steps / max(n - 1, 1) / m10, 1.0)
    f[SHORT10] = short / max(n, 1)


@kernel
def shape(
    classes: Record, beat: Record, measures: tuple[float, ...], likeness: float, before: float, after: float
) -> None:
    """Fill in what the wave says, once `compare` has found the templates; nothing where there is none yet."""
    f = classes.inputs
    base, swing, largest, width, activity, area, slope, sharp, sign, positive = measures[:10]
    f[WIDTH] = math.log(width)
    f[AREA] = math.log(area)
    f[SHARP] = math.log(sharp)
    f[SLOPE] = slope / swing
    f[POSITIVE] = positive
    f[ACTIVITY] = activity
    f[NOISE] = math.log(beat.noise / swing + 1e-5)
    f[ENVELOPE] = min(beat.height / largest, 2.0)
    f[SPIKE] = math.log(beat.spike / swing + 1e-3)
    f[SPIKE_REST] = beat.contrast
    f[SPIKE_AT] = beat.spike_at / 100.0
    for i in range(2):
        c = 0.0
        if classes.previous_n > i:
            c, _ = correlation(beat.wave, QRS_BEGIN, classes.previous[i], QRS, SHIFTS)
        f[ALIKE_1 + i] = fisher(c)
    f[IS_NEW] = classes.is_new
    f[TEMPLATES_N] = classes.templates_n
    if classes.templates_n == 0:
        return
    dominant = classes.templates[classes.dominant]
    nearest = classes.templates[classes.nearest]
    total = 0.0
    for i in range(classes.templates_n):
        total += classes.templates[i].count
    f[NEAREST] = fisher(likeness)
    f[SHARE] = 0.0 if classes.is_new else nearest.count / total
    f[SHARE_DOMINANT] = dominant.count / total
    f[PREMATURE] = nearest.premature
    f[IS_DOMINANT] = classes.nearest == classes.dominant and not classes.is_new
    f[WIDTH_NEAREST_] = log_ratio(nearest.width, dominant.width)
    f[NEAREST_OTHER] = fisher(likeness if classes.nearest != classes.dominant and nearest.count > _SEEN else -1.0)
    f[SWING_] = log_ratio(swing, dominant.swing)
    f[WIDTH_] = log_ratio(width, dominant.width)
    f[AREA_] = log_ratio(area, dominant.area)
    f[SLOPE_] = log_ratio(slope, dominant.slope)
    f[SHARP_] = log_ratio(sharp, dominant.sharp)
    f[SIGN_] = sign * dominant.sign
    f[RP_OWN] = log_ratio(before, dominant.interval)
    f[RN_OWN] = log_ratio(after, dominant.interval)
    _against(f, beat.wave, dominant, base)
    c, _ = correlation(classes.smooth, LOW_BEGIN, dominant.low, LOW, SHIFTS)
    f[ALIKE_LOW] = fisher(c)
    _t_wave(f, classes.smooth, dominant, base, swing, sign, after)
    _p_wave(f, beat.wave, dominant)


@kernel
def _against(f: Samples, wave: Samples, dominant: Record, base: float) -> None:
    """QRS against the dominant template: correlation and difference."""
    c, shift = correlation(wave, QRS_BEGIN, dominant.qrs, QRS, SHIFTS)
    off = energy = 0.0
    for i in range(QRS):
        t = dominant.qrs[i] / UNIT
        x = wave[QRS_BEGIN + shift + i] - base - t
        off += x * x
        energy += t * t
    f[ALIKE] = fisher(c)
    f[DIFFERENCE] = min(math.log(off / max(energy, 1.0) + 1e-3), 4.0)


@kernel
def _t_wave(
    f: Samples, series: Samples, dominant: Record, base: float, swing: float, sign: float, after: float
) -> None:
    """The T region, as far as the next beat leaves it alone."""
    n = min(T_WAVE, max(5, int(after * 62.5) - 17))
    mine = theirs = 0.0
    for i in range(n):
        mine += series[T_BEGIN + i] - base
        theirs += dominant.t_wave[i] / UNIT
    mine /= n
    theirs /= n
    xx = yy = xy = off = 0.0
    for i in range(n):
        x = series[T_BEGIN + i] - base
        y = dominant.t_wave[i] / UNIT
        off += (x - y) ** 2
        xx += (x - mine) ** 2
        yy += (y - theirs) ** 2
        xy += (x - mine) * (y - theirs)
    f[T_ALIKE] = fisher(xy / math.sqrt(xx * yy + 1.0))
    f[T_MEAN] = min(max(sign * mine / swing, -1.5), 1.5)
    f[T_DIFFERENCE] = math.log(min(math.sqrt(off / n) / dominant.swing, 3.0) + 1e-3)
    f[T_MEAN_] = min(max(mine / swing - theirs / dominant.swing, -1.5), 1.5)


@kernel
def _p_wave(f: Samples, wave: Samples, dominant: Record) -> None:
    """The P region."""
    here, _ = correlation(wave, P_BEGIN, dominant.p_wave, P_WAVE, 0)
    best, shift = correlation(wave, P_BEGIN, dominant.p_wave, P_WAVE, _P_SHIFTS)
    mine = theirs = 0.0
    for i in range(P_WAVE):
        mine += wave[P_BEGIN + i]
        theirs += dominant.p_wave[i] / UNIT
    mine /= P_WAVE
    theirs /= P_WAVE
    energy = off = 0.0
    top = bottom = wave[P_BEGIN] - mine
    for i in range(P_WAVE):
        x = wave[P_BEGIN + i] - mine
        energy += x * x
        off += (x - dominant.p_wave[i] / UNIT + theirs) ** 2
        top = max(top, x)
        bottom = min(bottom, x)
    f[P_ALIKE] = fisher(here)
    f[P_BEST] = fisher(best)
    f[P_SHIFT] = shift
    f[P_DIFFERENCE] = math.log(min(math.sqrt(off / P_WAVE) / dominant.swing, 3.0) + 1e-3)
    f[P_SWING] = min((top - bottom) / dominant.swing, 2.0)
    f[P_ENERGY_] = min(max(math.log((energy + 1.0) / (dominant.p_energy + 1.0)), -6.0), 6.0)
    slope = (wave[P_BEGIN + P_WAVE - 1] - wave[P_BEGIN]) / dominant.swing
    f[P_SLOPE] = min(max(slope, -2.0), 2.0)
