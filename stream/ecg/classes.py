"""The class of each beat, decided once, in order, when the next beat is known or none has come for two seconds.

First a verdict from the beat's own shape and intervals, then one that also knows the patient's earlier verdicts; S only among
the beats that are no V. A beat in BAD signal is Q: false V come from noise. Must decide every beat, whatever happens.
"""

from typing import Final

from stream.ecg import classes_features as features
from stream.ecg import classes_history, classes_intervals, classes_model, classes_scale, sequence
from stream.ecg import classes_strip as strip
from stream.ecg import classes_templates as templates
from stream.ecg.chart import WAVE_RING
from stream.ecg.classes_chart import QRS
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import BeatClass, Quality

_N, _S, _V, _Q = int(BeatClass.N), int(BeatClass.S), int(BeatClass.V), int(BeatClass.Q)
_PACED: Final = int(BeatClass.PACED)
_BAD: Final = int(Quality.BAD)
_LIKELY: Final = 0.5
_WAIT_S: Final = 2.0
_WAIT: Final = int(_WAIT_S * RATE)
_REACH: Final = 80  # samples before R that a strip needs


@kernel
def doubt(chart: Record, snapped: int, k: int) -> None:
    """Keep the wave of a refused peak (in time of the wide band): a search back may believe it when the ring has moved on."""
    signal = chart.signal
    strip.capture(signal.classes.doubtful, signal.wide, snapped - strip.WIDE_DELAY, k, signal.first.height)


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples, place: int) -> None:
    """Take the beat just noted at `place` of the rings: the one before it can be decided."""
    signal = chart.signal
    classes = signal.classes
    if classes.waiting:
        _decide(chart, pen, marks, float(signal.rhythm.intervals[place]))
    r = signal.first.beats[place]
    newest = signal.resampler.made - 1
    if newest - r > WAVE_RING - _REACH and classes.doubtful.r == r:
        _copy(classes.pending, classes.doubtful)
    else:
        strip.capture(classes.pending, signal.wide, r, newest, signal.first.last_height)
    classes.waiting = 1
    classes.place = place


@kernel
def _copy(to: Record, of: Record) -> None:
    to.r = of.r
    to.wave[:] = of.wave
    to.noise = of.noise
    to.spike = of.spike
    to.spike_at = of.spike_at
    to.contrast = of.contrast
    to.height = of.height


@kernel
def each_look(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """At internal sample k: class the waiting beat when the next one is late."""
    classes = chart.signal.classes
    if classes.waiting and k - classes.pending.r >= _WAIT:
        _decide(chart, pen, marks, _WAIT_S)


@kernel
def flush(chart: Record, pen: Record, marks: Samples) -> None:
    """The signal ends here (a restart, a long gap): class the waiting beat by what is known."""
    if chart.signal.classes.waiting:
        _decide(chart, pen, marks, 0.0)


@kernel
def _decide(chart: Record, pen: Record, marks: Samples, after_s: float) -> None:
    """Class the waiting beat, `after_s` before the next one (0: unknown)."""
    signal = chart.signal
    classes = signal.classes
    decided = classes.decided
    place = classes.place
    before_s = signal.rhythm.intervals[place]
    classes.waiting = 0
    p_v, before, after = _ventricular(chart, place, after_s)
    paced = templates.is_paced(classes, classes.pending)
    if paced:
        p_v = 0.0
    classes_intervals.fill(classes.rhythm, classes.interval_features, before, after)
    p_s = 0.0
    if p_v <= _LIKELY and not paced:
        p_s = classes_model.probability(classes_model.supraventricular(classes.interval_features)) * (1.0 - p_v)
    decided.r = classes.pending.r
    decided.before = before_s
    decided.after = after_s
    decided.p_v = p_v
    decided.p_s = p_s
    decided.grade = signal.quality.grade
    decided.place = place
    decided.beat = _N
    if decided.grade == _BAD:
        decided.beat = _Q
    elif paced:
        decided.beat = _PACED
    elif p_v > _LIKELY:
        decided.beat = _V
    elif p_s > _LIKELY * (1.0 - p_v):
        decided.beat = _S
    classes.p_v[place] = p_v
    classes.beat[place] = decided.beat
    classes_intervals.learn(classes.rhythm, before_s, p_v > _LIKELY)
    sequence.on_class(chart, pen, marks)


@kernel
def _ventricular(chart: Record, place: int, after_s: float) -> tuple[float, float, float]:
    """Probability of V of the waiting beat, and the intervals around it; its template and scales learn from it."""
    classes = chart.signal.classes
    beat = classes.pending
    classes.inputs[:] = 0.0
    before, after, early, on_time = features.intervals(chart, place, after_s)
    strip.smooth(classes.smooth, beat.wave)
    measures = features.measure(beat.wave, strip.level(beat.wave))
    likeness = templates.compare(classes, beat.wave, measures[1])
    features.shape(classes, beat, measures, likeness, before, after)
    classes_scale.compare(classes)
    logit = classes_model.first(classes.inputs)
    classes_history.fill(classes, logit)
    p_v = classes_model.probability(classes_model.second(classes.inputs))
    templates.learn(classes, beat, measures, early, before, on_time)
    classes_history.learn(classes, logit)
    for i in range(QRS):
        classes.previous[1, i] = classes.previous[0, i]
        classes.previous[0, i] = beat.wave[strip.QRS_BEGIN + i]
    classes.previous_n += 1
    return p_v, before, after
