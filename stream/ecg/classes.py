"""The class of each beat, decided once, in order, when the next beat is known or none has come for a while.

By prematurity and likeness to the patient's template. A beat in BAD signal is Q: false V come from noise.
"""

from typing import Final

from stream.ecg import sequence
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import BeatClass, Quality

_N, _S, _V, _Q = int(BeatClass.N), int(BeatClass.S), int(BeatClass.V), int(BeatClass.Q)
_BAD: Final = int(Quality.BAD)
_WAIT: Final = 3 * RATE // 2
_EARLY: Final = 0.88  # of the median interval
_STRANGE: Final = 0.75
_ALIKE: Final = 0.9
_LIKELY: Final = 0.5


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples, place: int) -> None:
    """Take the beat just noted at `place` of the rings: the one before it can be decided."""
    classes = chart.signal.classes
    tracker = chart.signal.first
    if classes.waiting:
        _decide(chart, pen, marks, (tracker.beats[place] - tracker.beats[classes.place]) / RATE)
    classes.waiting = 1
    classes.place = place


@kernel
def each_look(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """At internal sample k: class the waiting beat when the next one is late."""
    classes = chart.signal.classes
    if classes.waiting and k - chart.signal.first.beats[classes.place] >= _WAIT:
        _decide(chart, pen, marks, (k - chart.signal.first.beats[classes.place]) / RATE)


@kernel
def flush(chart: Record, pen: Record, marks: Samples) -> None:
    """The signal ends here (a restart, a long gap): class the waiting beat by what is known."""
    if chart.signal.classes.waiting:
        _decide(chart, pen, marks, 0.0)


@kernel
def _decide(chart: Record, pen: Record, marks: Samples, after_s: float) -> None:
    signal = chart.signal
    classes = signal.classes
    place = classes.place
    before = signal.rhythm.intervals[place]
    match = signal.rhythm.match[place]
    usual = signal.first.interval / RATE
    early = before > 0.0 and before < _EARLY * usual
    p_v = 0.5 * (1.0 - match) + (0.3 if early else 0.0)
    if match < _STRANGE:
        p_v += 0.3
    classes.waiting = 0
    decided = classes.decided
    decided.r = signal.first.beats[place]
    decided.before = before
    decided.after = after_s
    decided.p_v = min(max(p_v, 0.0), 1.0)
    decided.p_s = 0.8 if early and match >= _ALIKE else 0.1
    decided.grade = signal.quality.grade
    decided.place = place
    decided.beat = _N
    if decided.grade == _BAD:
        decided.beat = _Q
    elif decided.p_v > _LIKELY:
        decided.beat = _V
    elif decided.p_s > _LIKELY:
        decided.beat = _S
    classes.p_v[place] = decided.p_v
    classes.beat[place] = decided.beat
    sequence.on_class(chart, pen, marks)
