"""How many beats of which class, and how long atrial fibrillation: counted here, told every five minutes of signal.

What is much of it within an hour is judged by `stream.burden`, which also remembers over sessions and lost signal.
"""

from typing import Final

from stream.ecg import episodes
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import BeatClass, EcgCondition, Mark

STRETCH_S: Final = 300

_BURDEN: Final = constant(Mark.BURDEN)
_AF: Final = constant(EcgCondition.AF)
_V, _S, _Q = int(BeatClass.V), int(BeatClass.S), int(BeatClass.Q)


@kernel
def on_class(chart: Record) -> None:
    """Count the beat that was just classed; one that could not be is no beat here."""
    burden = chart.burden
    beat = chart.signal.classes.decided.beat
    if beat != _Q:
        burden.beats += 1
        burden.v += beat == _V
        burden.s += beat == _S


@kernel
def each_second(chart: Record, pen: Record, marks: Samples) -> None:
    """Count the second, and tell when the stretch is full."""
    burden = chart.burden
    af = chart.episodes[_AF]
    if af.open:
        burden.af_s += 1.0
        if not burden.in_af:
            # It was found after 64 beats: they are part of it.
            burden.af_s += (chart.clock.next_index - af.onset) / chart.clock.rate_hz
    burden.in_af = af.open
    if burden.seconds == 0:
        burden.first = max(chart.clock.next_index - int(chart.clock.rate_hz), 0)
    burden.seconds += 1
    if burden.seconds >= STRETCH_S:
        _tell(chart, pen, marks)


@kernel
def _tell(chart: Record, pen: Record, marks: Samples) -> None:
    """Tell what was counted, and begin anew: three marks, V, S, AF, in this order."""
    burden = chart.burden
    for beat, condition in ((_V, 0), (_S, 0), (0, _AF)):
        row = episodes.write(pen, marks, _BURDEN, condition, burden.first, burden.first)
        marks[row].beat = beat
        marks[row].value = burden.af_s if condition else burden.v if beat == _V else burden.s
        marks[row].second = burden.seconds if condition else burden.beats
    burden.seconds = 0
    burden.beats = 0
    burden.v = 0
    burden.s = 0
    burden.af_s = 0.0
