"""Where glucose is going: rate of change, the patient's own forecast, and a low that looks like lying on the sensor. Pure.

A forecast never crosses a gap over 20 min (the caller drops the tail there). A suspected compression low asks for a
finger-stick; it never hides the low itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.finding import Condition
from stream.glucose_course import Model, Point, Sample, Span
from stream.instants import SECOND, instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MINUTE = 60 * SECOND
JITTER_US = 30 * SECOND
RATE_US = 15 * MINUTE
FAST, FAST_OFF = 2.0, 1.0
"""mg/dL a minute: where a fall or rise begins, and where it ends (hysteresis)."""
AHEAD_US = 20 * MINUTE
AHEAD_MIN = 20.0
CALM_MG_DL = 10.0
"""A predicted low is over when the forecast lies this far above its limit."""
FORGETTING = 0.9995
MIDDLE_MG_DL = 120.0
_PRIOR = Model().spread
# Compression lows, after Baysal 2014 and Facchinetti 2016: steady, at night, a fall faster than a body's, a quick return.
NIGHT_FROM_H, NIGHT_TO_H = 22, 8
STEADY_FROM_US, STEADY_TO_US = 80 * MINUTE, 20 * MINUTE
STEADY_LEAST_US = 35 * MINUTE
STEADY_MG_DL = 18.0
DROP_MG_DL = 20.0
NEAR_LOW_MG_DL = 10.0
RETURNED_SHARE = 0.7
LONGEST_US = 120 * MINUTE

CONFIDENCE: Mapping[Condition, float] = {
    Condition.GLUCOSE_PREDICTED_LOW: 0.7,
    Condition.GLUCOSE_COMPRESSION_LOW: 0.5,
}


def rate(tail: Sequence[Point], sample: Sample) -> float | None:
    """Slope (least squares) of the quarter of an hour that ends with `sample`, in mg/dL a minute; None: too little to say."""
    points = [(p.at_us, p.mg_dl) for p in tail if p.at_us >= sample.at_us - RATE_US - JITTER_US]
    if not points or sample.at_us - points[0][0] < RATE_US * 2 // 3 - JITTER_US:
        return None
    times = [(at_us - sample.at_us) / MINUTE for at_us, _ in points] + [0.0]
    values = [mg_dl for _, mg_dl in points] + [sample.mg_dl]
    middle_t, middle_v = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - middle_t) ** 2 for t in times)
    return sum((t - middle_t) * (v - middle_v) for t, v in zip(times, values, strict=True)) / spread


def trend(span: Span, sample: Sample, now: float | None, sign: float) -> tuple[Span, int | None]:
    """A fall (sign -1) or rise (+1) after one more reading; and its end, if it ended."""
    speed = 0.0 if now is None else sign * now
    if span.onset_us < 0:
        return (Span(sample.at_us, sample.opened, sign * speed, sample.at_us) if speed >= FAST else span), None
    if speed < FAST_OFF:
        return Span(), sample.at_us
    worst = sign * max(sign * span.worst, speed)
    return span._replace(worst=worst, support_us=sample.at_us if speed >= FAST else span.support_us), None


def forecast(model: Model, sample: Sample, now: float | None) -> float | None:
    """Glucose in 20 min by the patient's own model; None: no trend to go by."""
    if now is None:
        return None
    return sample.mg_dl + sum(w * x for w, x in zip(model.weights, _features(sample.mg_dl, now), strict=True))


def learnt(model: Model, tail: Sequence[Point], sample: Sample) -> Model:
    """The model after it is known how forecasts of 20 min ago came out: recursive least squares, slowly forgetting."""
    if not tail:
        return model
    before = tail[-1]
    for origin in tail:
        due_us = origin.at_us + AHEAD_US
        if origin.rate is None or not before.at_us < due_us <= sample.at_us:
            continue
        share = (due_us - before.at_us) / (sample.at_us - before.at_us)
        came = before.mg_dl + share * (sample.mg_dl - before.mg_dl)
        model = _corrected(model, _features(origin.mg_dl, origin.rate), came - origin.mg_dl)
    return model


def predicted(
    span: Span, sample: Sample, ahead: float | None, at_most: float, very_low: float
) -> tuple[Span, int | None]:
    """A predicted low after one more reading; over when it came true, or when the forecast is well above."""
    is_low_ahead = ahead is not None and ahead <= at_most and sample.mg_dl >= very_low
    if span.onset_us < 0:
        if not is_low_ahead:
            return span, None
        return Span(sample.at_us, sample.opened, round(ahead or 0.0, 1), sample.at_us, before=sample.mg_dl), None
    if is_low_ahead:
        return span._replace(worst=min(span.worst, round(ahead or 0.0, 1)), support_us=sample.at_us), None
    if sample.mg_dl < very_low or ahead is None or ahead > at_most + CALM_MG_DL:
        return Span(), sample.at_us
    return span, None


def compression(
    span: Span, tail: Sequence[Point], sample: Sample, now: float | None, low: float
) -> tuple[Span, int | None]:
    """A suspected compression low after one more reading; over when glucose is back, or after two hours."""
    if span.onset_us >= 0:
        worst = min(span.worst, sample.mg_dl)
        is_back = sample.mg_dl >= worst + RETURNED_SHARE * (span.before - worst) and sample.mg_dl > low
        if is_back or sample.at_us - span.onset_us >= LONGEST_US:
            return Span(), sample.at_us
        return span._replace(worst=worst, support_us=sample.at_us), None
    if sample.mg_dl >= low + NEAR_LOW_MG_DL or now is None or not is_night(sample.opened, sample.at_us):
        return span, None
    early = [p for p in tail if sample.at_us - STEADY_FROM_US <= p.at_us <= sample.at_us - STEADY_TO_US + JITTER_US]
    if not early or early[-1].at_us - early[0].at_us < STEADY_LEAST_US:
        return span, None
    calm = [p.mg_dl for p in early]
    before = early[-1].mg_dl
    if max(calm) - min(calm) > STEADY_MG_DL or before - sample.mg_dl < DROP_MG_DL:
        return span, None
    return Span(sample.at_us, sample.opened, sample.mg_dl, sample.at_us, before=before), None


def is_night(opened: str, at_us: int) -> bool:
    """By the device's own clock, which is set to where its wearer sleeps; by UTC where it has none."""
    text = opened[11:13]
    hour = int(text) if opened[10:11] in ("T", " ") and text.isdecimal() else instant(at_us).hour
    return hour >= NIGHT_FROM_H or hour < NIGHT_TO_H


def _features(mg_dl: float, now: float) -> tuple[float, float, float]:
    return now * AHEAD_MIN, mg_dl - MIDDLE_MG_DL, 1.0


def _corrected(model: Model, x: tuple[float, float, float], change: float) -> Model:
    (a, b, c, d, e, f), w = model.spread, model.weights
    # Directions that the days do not excite must not be forgotten without end.
    keeps = FORGETTING if a < _PRIOR[0] and d < _PRIOR[3] and f < _PRIOR[5] else 1.0
    px = (a * x[0] + b * x[1] + c * x[2], b * x[0] + d * x[1] + e * x[2], c * x[0] + e * x[1] + f * x[2])
    scale = keeps + px[0] * x[0] + px[1] * x[1] + px[2] * x[2]
    error = change - (w[0] * x[0] + w[1] * x[1] + w[2] * x[2])
    gain = (px[0] / scale, px[1] / scale, px[2] / scale)
    spread = (
        (a - gain[0] * px[0]) / keeps, (b - gain[0] * px[1]) / keeps, (c - gain[0] * px[2]) / keeps,
        (d - gain[1] * px[1]) / keeps, (e - gain[1] * px[2]) / keeps, (f - gain[2] * px[2]) / keeps,
    )  # fmt: skip
    return Model((w[0] + gain[0] * error, w[1] + gain[1] * error, w[2] + gain[2] * error), spread)
