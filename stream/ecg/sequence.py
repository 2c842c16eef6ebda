"""What follows once a beat has its class: it is told, and runs, rhythms and burdens hear of it, in this order."""

from typing import Final

from stream.ecg import atrial, burden, episodes, runs, ventricular
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition, Mark
from stream.ecg.resample import raw_index

_NONE: Final = constant(EcgCondition.NONE)
_CLASS: Final = constant(Mark.CLASS)


@kernel
def on_class(chart: Record, pen: Record, marks: Samples) -> None:
    """The beat in `signal.classes.decided` has its class."""
    decided = chart.signal.classes.decided
    index = raw_index(chart.clock, decided.r)
    row = episodes.write(pen, marks, _CLASS, _NONE, index, index)
    marks[row].value = decided.p_v
    marks[row].second = decided.p_s
    marks[row].confidence = max(decided.p_v, decided.p_s, 1.0 - decided.p_v - decided.p_s)
    marks[row].beat = decided.beat
    ventricular.on_class(chart)
    runs.on_class(chart, pen, marks)
    burden.on_class(chart)
    atrial.on_class(chart, pen, marks)
