"""What is noted of every beat once it is believed: its interval, its likeness, its mark."""

from typing import Final

from stream.ecg import atrial_waves, beats, classes, episodes, rates, shapes, silence, waveform
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import BeatClass, EcgCondition, Mark, Quality
from stream.ecg.resample import raw_index

_NONE: Final = constant(EcgCondition.NONE)
_BEAT: Final = constant(Mark.BEAT)
_BAD: Final = int(Quality.BAD)
_N, _Q = int(BeatClass.N), int(BeatClass.Q)


@kernel
def note(chart: Record, pen: Record, marks: Samples, snapped: int, shape: Samples) -> None:
    """Note the beat whose R (in time of the wide band) is `snapped`; tell it and judge what rests on beats."""
    signal = chart.signal
    tracker = signal.first
    r = shapes.r_peak(snapped)
    before = tracker.beats[(tracker.count - 1) % BEAT_RING]
    if tracker.count and r <= before:
        return
    whole = tracker.count > 0 and before > signal.hole.end
    interval = (r - before) / RATE if whole else 0.0
    match = shapes.likeness(shape, signal.shapes.template) if signal.shapes.learned else 0.0
    alternate = shapes.likeness(shape, signal.shapes.previous[1]) - shapes.likeness(shape, signal.shapes.previous[0])
    shapes.learn(signal.shapes, shape, match, signal.fibrillation.now)
    place = beats.keep(tracker, r)
    signal.rhythm.intervals[place] = interval
    signal.rhythm.match[place] = match
    signal.rhythm.dip[place] = signal.rhythm.lowest / tracker.peak
    signal.rhythm.lowest = tracker.envelope
    signal.rhythm.alternate[place] = alternate
    index = raw_index(chart.clock, r)
    row = episodes.write(pen, marks, _BEAT, _NONE, index, index)
    marks[row].value = interval
    marks[row].second = match
    marks[row].confidence = waveform.is_clean(signal.rhythm, place)
    marks[row].beat = _Q if signal.quality.grade == _BAD else _N
    silence.on_beat(chart, pen, marks, r, interval)
    rates.on_beat(chart, pen, marks)
    atrial_waves.capture(signal, snapped, shape)
    classes.on_beat(chart, pen, marks, place)
