"""Glucose of one stream: levels, trends, what is about to come, what the sensor says. Pure: a fold over readings by `at`.

`step` takes one reading further; in-order data costs one step, anything else is folded again from a state before it, so
that order cannot matter. A level's event starts after 15 min beyond and ends after 15 min back, where each reading stands
for its sampling interval, as iglu counts (Broll 2021); a gap over 45 min ends it (Battelino 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stream import glucose_trend
from stream.finding import Condition
from stream.glucose_course import EXPIRED, LOST, QUESTIONABLE, WARM_UP, Course, Level, Point, Sample, Span
from stream.instants import SECOND
from stream.limits import limit
from stream.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MINUTE = 60 * SECOND
LASTS_US = 15 * MINUTE
JITTER_US = 30 * SECOND
"""A clock that says 14:58 means a quarter of an hour."""
GAP_US = 45 * MINUTE
LONG_US = 120 * MINUTE
REPEATED_US = 24 * 60 * MINUTE
PREDICTION_GAP_US = 20 * MINUTE
TAIL_US = 85 * MINUTE
GAPS_KEPT = 15
GAPS_TRUSTED = 4
CONTINUOUS_US = 16 * MINUTE
"""A stream whose readings are mostly this close is a continuous sensor, whatever its name."""
USUAL_US = 5 * MINUTE
"""Of a continuous sensor before its second reading."""
CRITICAL_MG_DL = 40.0
FALLING = -1.0
"""mg/dL a minute: the first downward arrow of CGM displays."""
FASTER = 3.0
"""mg/dL a minute: the second step of a fall or rise."""
DOUBTED = 0.6
"""Confidence in what only readings support that their device doubts."""

LEVELS = (Condition.GLUCOSE_VERY_LOW, Condition.GLUCOSE_LOW, Condition.GLUCOSE_HIGH, Condition.GLUCOSE_VERY_HIGH)
LOWS = 2
"""So many of them, from the first, are lows."""
LONG: Mapping[Condition, Condition] = {
    Condition.GLUCOSE_VERY_LOW: Condition.GLUCOSE_PROLONGED_LOW,
    Condition.GLUCOSE_HIGH: Condition.GLUCOSE_PROLONGED_HIGH,
    Condition.GLUCOSE_VERY_HIGH: Condition.GLUCOSE_PROLONGED_VERY_HIGH,
}
SENSOR: Mapping[int, Condition] = {
    EXPIRED: Condition.SENSOR_EXPIRED,
    WARM_UP: Condition.SENSOR_WARM_UP,
    LOST: Condition.SENSOR_SIGNAL_LOSS,
}
CONDITIONS = frozenset(
    {
        *LEVELS, *LONG.values(), *SENSOR.values(), Condition.GLUCOSE_CRITICAL_LOW, Condition.GLUCOSE_LOW_REPEATED,
        Condition.GLUCOSE_FALL, Condition.GLUCOSE_RISE, Condition.GLUCOSE_PREDICTED_LOW, Condition.GLUCOSE_COMPRESSION_LOW,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what one stream is judged."""

    device: str
    stream: str
    very_low: float
    low: float
    high: float
    very_high: float
    predicted_low: float

    @property
    def is_continuous(self) -> bool:
        """Whether its name says that a sensor measures all the time."""
        return self.stream.startswith("cgm")

    def is_beyond(self, number: int, mg_dl: float) -> bool:
        """Whether a value lies beyond level `number` of `LEVELS`."""
        edge = (self.very_low, self.low, self.high, self.very_high)[number]
        return mg_dl < edge if number < LOWS else mg_dl > edge


class Step(NamedTuple):
    """What one reading is judged with, besides itself."""

    sample: Sample
    last_us: int
    """The reading before; -1: none, or beyond a gap."""
    interval_us: int
    rate: float | None


def rules_of(device: str, stream: str, own: Mapping[str, float]) -> Rules:
    """Rules of a stream under a patient's limits."""
    return Rules(
        device=device,
        stream=stream,
        very_low=limit(own, "glucose_very_low_mg_dl"),
        low=limit(own, "glucose_low_mg_dl"),
        high=limit(own, "glucose_high_mg_dl"),
        very_high=limit(own, "glucose_very_high_mg_dl"),
        predicted_low=limit(own, "glucose_predicted_low_mg_dl"),
    )


def fold(course: Course, samples: Iterable[Sample], rules: Rules) -> tuple[Course, list[Stretch]]:
    """The course after `samples` (by `at`), and every stretch that ended among them."""
    ended: list[Stretch] = []
    for sample in samples:
        course, over = step(course, sample, rules)
        ended += over
    return course, ended


def step(course: Course, sample: Sample, rules: Rules) -> tuple[Course, list[Stretch]]:
    """The course after one more reading, and the stretches that it ended."""
    if sample.at_us <= course.last_us:
        return course, []  # the same instant twice: the first counts
    course, ended = _sensor(course, sample, rules)
    if not sample.can_be_judged:
        return course, ended
    if 0 <= course.last_us < sample.at_us - GAP_US:
        ended += closed(course, rules)
        course = _after_gap(course)
    gaps = (*course.gaps[1 - GAPS_KEPT :], sample.at_us - course.last_us) if course.last_us >= 0 else course.gaps
    last_us = course.tail[-1].at_us if course.tail else -1
    if sample.at_us - last_us > PREDICTION_GAP_US and course.tail:
        ended += _stretches(course, rules, trends_only=True, end_us=last_us)
        course = course._replace(tail=(), fall=Span(), rise=Span(), predicted=Span(), compression=Span())
    tail = tuple(point for point in course.tail if point.at_us >= sample.at_us - TAIL_US)
    rate = glucose_trend.rate(tail, sample)
    now = Step(sample, last_us, interval_of(gaps, is_continuous=rules.is_continuous), rate)
    course = course._replace(model=glucose_trend.learnt(course.model, tail, sample))
    levels: list[Level] = []
    for number, level in enumerate(course.levels):
        stepped, over = _level(level, now, number, rules)
        levels.append(stepped)
        ended += over
    course = course._replace(levels=tuple(levels))
    course, over = _others(course, tail, now, rules)
    tail = (*tail, Point(sample.at_us, sample.mg_dl, rate))
    return course._replace(last_us=sample.at_us, gaps=gaps, tail=tail), ended + over


def interval_of(gaps: tuple[int, ...], *, is_continuous: bool) -> int:
    """For how long a reading stands: the sampling interval of a sensor, a quarter of an hour for a finger-stick.

    The lower quartile of the last gaps: readings that are missing only lengthen them.
    """
    if not is_sensor(gaps, is_continuous=is_continuous):
        return LASTS_US
    known = sorted(gaps)
    return known[len(known) // 4] if known else USUAL_US


def is_sensor(gaps: tuple[int, ...], *, is_continuous: bool) -> bool:
    """Whether readings come from a continuous sensor: by the name of their stream, or because they come like that."""
    return is_continuous or (len(gaps) >= GAPS_TRUSTED and sorted(gaps)[len(gaps) // 2] <= CONTINUOUS_US)


def standing(course: Course, rules: Rules) -> list[Stretch]:
    """What holds at the newest reading."""
    return _stretches(course, rules)


def closed(course: Course, rules: Rules, *, with_sensor: bool = False) -> list[Stretch]:
    """What held at the newest reading, ended there: a gap has followed, or (`with_sensor`) another sensor has taken over."""
    told = _stretches(course, rules, end_us=course.last_us)
    for number, level in enumerate(course.levels):
        long = LONG.get(LEVELS[number])
        if (
            long is not None
            and level.event_us >= 0
            and not level.is_long
            and course.last_us - level.event_us >= LONG_US
        ):
            told.append(_of_level(level, number, long, course.last_us, course.last_us, rules))
    return [stretch for stretch in told if with_sensor or stretch.condition not in SENSOR.values()]


def _after_gap(course: Course) -> Course:
    levels = tuple(Level(before_us=max(level.before_us, level.event_us)) for level in course.levels)
    return Course(
        last_us=course.last_us, gaps=course.gaps, levels=levels, model=course.model, sensor=course.sensor,
        sensor_marks=course.sensor_marks,
    )  # fmt: skip


def _sensor(course: Course, sample: Sample, rules: Rules) -> tuple[Course, list[Stretch]]:
    mark = next((mark for mark in SENSOR if sample.marks & mark), 0)
    if mark == course.sensor_marks:
        if mark:
            course = course._replace(sensor=course.sensor._replace(support_us=sample.at_us))
        return course, []
    ended = []
    if course.sensor_marks:
        span = course.sensor
        ended.append(_of_span(span, SENSOR[course.sensor_marks], sample.at_us, sample.at_us, rules, {}))
    span = Span(sample.at_us, sample.opened, 0.0, sample.at_us) if mark else Span()
    return course._replace(sensor=span, sensor_marks=mark), ended


def _level(level: Level, now: Step, number: int, rules: Rules) -> tuple[Level, list[Stretch]]:
    sample, ended = now.sample, list[Stretch]()
    is_beyond = rules.is_beyond(number, sample.mg_dl)
    is_sure = not sample.marks & QUESTIONABLE
    if level.run_us >= 0 and is_beyond != level.run_is_beyond:
        # The run that ends here, by what is known of the interval now.
        level, over = _weighed(level, now.last_us, now, number, rules)
        ended += over
    if level.run_us < 0 or is_beyond != level.run_is_beyond:
        level = level._replace(
            run_us=sample.at_us,
            run_is_beyond=is_beyond,
            run_opened=sample.opened,
            run_worst=sample.mg_dl,
            run_is_sure=is_sure,
        )
    elif is_beyond:
        worst = min(level.run_worst, sample.mg_dl) if number < LOWS else max(level.run_worst, sample.mg_dl)
        level = level._replace(run_worst=worst, run_is_sure=level.run_is_sure or is_sure)
    level, over = _weighed(level, sample.at_us, now, number, rules)
    return level, ended + over


def _weighed(level: Level, last_us: int, now: Step, number: int, rules: Rules) -> tuple[Level, list[Stretch]]:
    """The level when its run reaches to `last_us`: an event may begin or end by it."""
    lasts = last_us - level.run_us + now.interval_us >= LASTS_US - JITTER_US
    if level.run_is_beyond:
        if level.event_us < 0:
            if not lasts:
                return level, []
            level = level._replace(event_us=level.run_us, event_opened=level.run_opened, worst=level.run_worst)
        worst = min(level.worst, level.run_worst) if number < LOWS else max(level.worst, level.run_worst)
        level = level._replace(worst=worst, support_us=last_us, is_sure=level.is_sure or level.run_is_sure)
    elif level.event_us < 0:
        return level, []
    reached_us = last_us if level.run_is_beyond else level.run_us
    level = level._replace(is_long=level.is_long or reached_us - level.event_us >= LONG_US)
    if level.run_is_beyond or not lasts:
        return level, []
    over = _of_event(level, number, level.run_us, now.sample.at_us, rules)
    run = level[:5]
    return Level(*run, before_us=level.event_us), over


def _others(course: Course, tail: tuple[Point, ...], now: Step, rules: Rules) -> tuple[Course, list[Stretch]]:
    """Everything but the levels."""
    sample, rate = now.sample, now.rate
    very_low = course.levels[0]
    is_falling = very_low.event_us >= 0 and very_low.run_is_beyond and rate is not None and rate <= FALLING
    is_critical = sample.mg_dl < CRITICAL_MG_DL or is_falling
    is_back = sample.mg_dl >= rules.very_low
    critical, critical_end = _critical(course.critical, now, is_critical=is_critical, is_back=is_back)
    fall, fall_end = glucose_trend.trend(course.fall, sample, rate, -1.0)
    rise, rise_end = glucose_trend.trend(course.rise, sample, rate, 1.0)
    forecast = glucose_trend.forecast(course.model, sample, rate)
    predicted, predicted_end = glucose_trend.predicted(
        course.predicted, sample, forecast, rules.predicted_low, rules.very_low
    )
    compression, compression_end = glucose_trend.compression(course.compression, tail, sample, rate, rules.low)
    before = course
    course = course._replace(critical=critical, fall=fall, rise=rise, predicted=predicted, compression=compression)
    ends = {
        Condition.GLUCOSE_CRITICAL_LOW: (before.critical, critical_end),
        Condition.GLUCOSE_FALL: (before.fall, fall_end),
        Condition.GLUCOSE_RISE: (before.rise, rise_end),
        Condition.GLUCOSE_PREDICTED_LOW: (before.predicted, predicted_end),
        Condition.GLUCOSE_COMPRESSION_LOW: (before.compression, compression_end),
    }
    return course, [
        _of_span(span, condition, end_us, sample.at_us, rules, _evidence(span, condition))
        for condition, (span, end_us) in ends.items()
        if end_us is not None
    ]


def _critical(span: Span, now: Step, *, is_critical: bool, is_back: bool) -> tuple[Span, int | None]:
    sample = now.sample
    if span.onset_us < 0:
        return (Span(sample.at_us, sample.opened, sample.mg_dl, sample.at_us) if is_critical else span), None
    if not is_back:
        return span._replace(worst=min(span.worst, sample.mg_dl), support_us=sample.at_us, back_us=-1), None
    back_us = span.back_us if span.back_us >= 0 else sample.at_us
    if sample.at_us - back_us + now.interval_us >= LASTS_US - JITTER_US:
        return Span(), back_us
    return span._replace(back_us=back_us), None


def _stretches(course: Course, rules: Rules, *, trends_only: bool = False, end_us: int | None = None) -> list[Stretch]:
    at_us = course.last_us
    spans = {
        Condition.GLUCOSE_FALL: course.fall,
        Condition.GLUCOSE_RISE: course.rise,
        Condition.GLUCOSE_PREDICTED_LOW: course.predicted,
        Condition.GLUCOSE_COMPRESSION_LOW: course.compression,
    }
    told: list[Stretch] = []
    if not trends_only:
        spans[Condition.GLUCOSE_CRITICAL_LOW] = course.critical
        for number, level in enumerate(course.levels):
            if level.event_us >= 0:
                told += _of_event(level, number, end_us, at_us, rules)
        if course.sensor_marks:
            sensor = SENSOR[course.sensor_marks]
            told.append(_of_span(course.sensor, sensor, end_us, course.sensor.support_us, rules, {}))
    told += [
        _of_span(span, condition, end_us, at_us, rules, _evidence(span, condition))
        for condition, span in spans.items()
        if span.onset_us >= 0
    ]
    return told


def _of_event(level: Level, number: int, end_us: int | None, at_us: int, rules: Rules) -> list[Stretch]:
    condition = LEVELS[number]
    told = [_of_level(level, number, condition, end_us, at_us, rules)]
    if level.is_long and condition in LONG:
        told.append(_of_level(level, number, LONG[condition], end_us, at_us, rules))
    is_again = level.before_us >= 0 and level.event_us - level.before_us <= REPEATED_US
    if is_again and condition is Condition.GLUCOSE_LOW:
        told.append(_of_level(level, number, Condition.GLUCOSE_LOW_REPEATED, end_us, at_us, rules))
    return told


def _of_level(level: Level, number: int, condition: Condition, end_us: int | None, at_us: int, rules: Rules) -> Stretch:
    worst = "lowest_mg_dl" if number < LOWS else "highest_mg_dl"
    return Stretch(
        condition=condition, stream=f"{rules.device}/{rules.stream}", opened=level.event_opened, onset_us=level.event_us,
        last_us=level.support_us, at_us=at_us, end_us=end_us, confidence=1.0 if level.is_sure else DOUBTED,
        evidence={"device": rules.device, "stream": rules.stream, worst: level.worst},
    )  # fmt: skip


def _of_span(
    span: Span, condition: Condition, end_us: int | None, at_us: int, rules: Rules, evidence: Mapping[str, float]
) -> Stretch:
    return Stretch(
        condition=condition, stream=f"{rules.device}/{rules.stream}", opened=span.opened, onset_us=span.onset_us,
        last_us=span.support_us, at_us=at_us, end_us=end_us, matters=("faster_than_mg_dl_min",),
        confidence=glucose_trend.CONFIDENCE.get(condition, 1.0),
        evidence={"device": rules.device, "stream": rules.stream, **evidence},
    )  # fmt: skip


def _evidence(span: Span, condition: Condition) -> dict[str, float]:
    if condition in (Condition.GLUCOSE_FALL, Condition.GLUCOSE_RISE):
        step_mg_dl_min = FASTER if abs(span.worst) >= FASTER else glucose_trend.FAST
        return {"rate_mg_dl_min": span.worst, "faster_than_mg_dl_min": step_mg_dl_min}
    if condition is Condition.GLUCOSE_PREDICTED_LOW:
        is_night = glucose_trend.is_night(span.opened, span.onset_us)
        return {"expected_mg_dl": span.worst, "mg_dl": span.before, "at_night": float(is_night)}
    if condition is Condition.GLUCOSE_COMPRESSION_LOW:
        return {"lowest_mg_dl": span.worst, "before_mg_dl": span.before}
    return {"lowest_mg_dl": span.worst}
