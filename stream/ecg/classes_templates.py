"""The shapes of a patient's beats: up to eight templates, one of them dominant, learned beat by beat.

The dominant one is frequent, not premature and not wide: in bigeminy the count alone would choose the ectopic shape.
"""

import math
from typing import Final

from stream.ecg.classes_chart import LOW, P_WAVE, QRS, T_WAVE, TEMPLATES
from stream.ecg.classes_strip import CENTRE, QRS_BEGIN, SMOOTH_CENTRE, correlation
from stream.ecg.kernel import Record, Samples, kernel

UNIT: Final = 4.0
"""Parts of a microvolt in which averages are kept."""

SHIFTS: Final = 2  # points by which a beat may lie off its template
P_BEGIN: Final = CENTRE - 28
"""First point of the P region in a strip."""

LOW_BEGIN: Final = SMOOTH_CENTRE - LOW // 2
"""First point of the smoothed QRS in a smoothed strip."""

T_BEGIN: Final = SMOOTH_CENTRE + 6
"""First point of the T region in a smoothed strip."""

_SAME: Final = 0.88  # correlation below which a beat is a new shape
_SIZE: Final = (0.45, 2.2)  # of the template's swing; beyond that it is less alike
_SIZE_COSTS: Final = 0.15
_FORGET: Final = 0.995  # a beat
_SLOWEST: Final = 0.06  # share of the newest beat in an average
_HYSTERESIS: Final = 1.3
_YOUNG: Final = 3.0  # beats
_WIDTH: Final = 100.0  # ms
_PACED_BEATS: Final = 8.0
_PACED_MS: Final = 96.0  # of activity: a pacemaker's QRS is broad
_PACED_SPIKE: Final = math.log(3.5)  # times as sharp as the rest of the QRS, in the mean of the template
_PACED_OWN_SPIKE: Final = math.log(2.2)  # and in this beat
_FULL: Final = 32767.0


@kernel
def compare(classes: Record, wave: Samples, swing: float) -> float:
    """Find the template most like a strip and the dominant one; returns the correlation with the former (-2: none)."""
    best = -2.0
    for i in range(classes.templates_n):
        template = classes.templates[i]
        likeness, shift = correlation(wave, QRS_BEGIN, template.qrs, QRS, SHIFTS)
        if not _SIZE[0] <= swing / template.swing <= _SIZE[1]:
            likeness -= _SIZE_COSTS
        if likeness > best:
            best = likeness
            classes.nearest = i
            classes.shift = shift
    classes.is_new = best < _SAME
    most = -1.0
    dominant = classes.dominant
    for i in range(classes.templates_n):
        template = classes.templates[i]
        claim = template.count * (1.15 - template.premature) / (0.6 + (template.width / _WIDTH) ** 2)
        if i == classes.dominant:
            claim *= _HYSTERESIS
        if claim > most:
            most = claim
            dominant = i
    classes.dominant = dominant
    return best


@kernel
def learn(
    classes: Record, beat: Record, measures: tuple[float, ...], early: bool, before: float, on_time: bool
) -> None:
    """Let a beat teach its template, or start one in the place of the rarest.

    measures: base, swing, largest, width, activity, area, slope, sharp, sign, share (see `classes_features.measure`).
    early: it came early; on_time: neither it nor the next one did, so that P and T can be learned.
    """
    for i in range(classes.templates_n):
        classes.templates[i].count *= _FORGET
    if classes.is_new:
        place = classes.templates_n
        if place < TEMPLATES:
            classes.templates_n += 1
        else:
            place = 0
            for i in range(TEMPLATES):
                if classes.templates[i].count < classes.templates[place].count:
                    place = i
        classes.nearest = place
        classes.shift = 0
        template = classes.templates[place]
        template.count = 0.0
        template.premature = 1.0 if early else 0.0
        template.interval = before
    template = classes.templates[classes.nearest]
    template.count += 1.0
    share = 1.0 if classes.is_new else max(_SLOWEST, 1.0 / template.count)
    slow_share = 1.0 if classes.is_new else max(0.03, share)
    template.premature += slow_share * ((1.0 if early else 0.0) - template.premature)
    template.swing += share * (measures[1] - template.swing)
    template.width += share * (measures[3] - template.width)
    template.active += share * (measures[4] - template.active)
    template.spike += share * (beat.contrast - template.spike)
    template.area += share * (measures[5] - template.area)
    template.slope += share * (measures[6] - template.slope)
    template.sharp += share * (measures[7] - template.sharp)
    if template.count < _YOUNG:
        template.sign = measures[8]
    shift = classes.shift
    base = measures[0]
    _average(template.qrs, beat.wave, QRS_BEGIN + shift, QRS, base, share)
    half = shift // 2
    _average(template.low, classes.smooth, LOW_BEGIN + half, LOW, base, share)
    if classes.is_new or on_time:
        if not classes.is_new:
            template.interval += share * (min(before, 2.0) - template.interval)
        _average(template.t_wave, classes.smooth, T_BEGIN, T_WAVE, base, share)
        _average(template.p_wave, beat.wave, P_BEGIN + shift, P_WAVE, base, share)
        template.p_energy = _energy(template.p_wave)


@kernel
def _average(values: Samples, wave: Samples, begin: int, n: int, base: float, share: float) -> None:
    for i in range(n):
        x = UNIT * (wave[begin + i] - base)
        x = values[i] + share * (x - values[i])
        values[i] = round(min(max(x, -_FULL), _FULL))


@kernel
def _energy(values: Samples) -> float:
    """Mean-free energy of a P region, uV^2."""
    total = squares = 0.0
    for i in range(P_WAVE):
        x = values[i] / UNIT
        total += x
        squares += x * x
    return squares - total * total / P_WAVE


@kernel
def is_paced(classes: Record, beat: Record) -> bool:
    """Whether the beat just learned is a pacemaker's: a spike at its begin that stands out of a broad QRS, as in its template."""
    template = classes.templates[classes.nearest]
    return bool(
        template.count >= _PACED_BEATS
        and template.active >= _PACED_MS
        and template.spike >= _PACED_SPIKE
        and beat.contrast >= _PACED_OWN_SPIKE
    )
