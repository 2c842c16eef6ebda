"""Atrial fibrillation, beat by beat: what is heard of each classed beat, and what is said of AF.

Every 8th beat one that lies 56 beats back is judged, by windows of intervals around it and by its P waves; scores become
episodes in `atrial_course`. A proposal rests on the last 32 beats alone and is told only where nothing confirmed it. Nothing new
is told while fibrillation of the ventricles or silence is found, nor where ectopy leaves too few intervals.
"""

import math
from typing import Final

from stream.ecg import atrial_course as course
from stream.ecg import atrial_regular as regular
from stream.ecg import atrial_score as score
from stream.ecg import atrial_waves as waves
from stream.ecg import atrial_windows as windows
from stream.ecg import episodes
from stream.ecg.atrial_chart import GRID, GRID_RING, WAITING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import BeatClass, EcgCondition
from stream.ecg.resample import raw_index

_AF: Final = constant(EcgCondition.AF)
_POSSIBLE: Final = constant(EcgCondition.AF_POSSIBLE)
_VF: Final = constant(EcgCondition.VF)
_ASYSTOLE: Final = constant(EcgCondition.ASYSTOLE)
_VT: Final = constant(EcgCondition.VT)
_CONDUCTED: Final = (int(BeatClass.N), int(BeatClass.S))
_UNLIKELY: Final = 0.5
_LOST_AFTER: Final = windows.LOOK + 4 * GRID  # beats of a signal that began afresh, until an old episode may end
_LONG_PROPOSED: Final = 300 * RATE


@kernel
def on_class(chart: Record, pen: Record, marks: Samples) -> None:
    """The beat in `signal.classes.decided` has its class."""
    signal = chart.signal
    decided = signal.classes.decided
    conducted = decided.beat == _CONDUCTED[0] or decided.beat == _CONDUCTED[1]
    fluttering = signal.fibrillation.now or chart.episodes[_VF].open
    is_odd = not conducted or decided.p_v > _UNLIKELY or fluttering
    event = hear(signal.atrial, decided.r, round(decided.before * RATE), is_odd, _may_open(chart), True)
    regular.on_beat(chart, pen, marks)
    atrial = signal.atrial
    if (atrial.count - 1) % GRID:
        return
    regular.on_judged(chart, pen, marks)
    if atrial.course.judged:
        _fibrillation(chart, pen, marks, event)
        _proposal(chart, pen, marks)


@kernel
def hear(atrial: Record, r: int, before: int, is_odd: bool, may_open: bool, with_waves: bool) -> int:
    """Take a classed beat, and judge one that lies further back: OPENED, CLOSED or NOTHING of AF.

    `before`: samples since the beat before, 0 unknown. Without waves (beats alone) only the intervals speak.
    """
    windows.hear(atrial, before, is_odd)
    newest = atrial.count - 1
    if newest % GRID:
        return course.NOTHING
    atrial.grid[(newest // GRID) % GRID_RING] = r
    if with_waves and newest >= waves.LOOK:
        seen = newest - waves.LOOK
        waves.measure(atrial, seen, atrial.waves[(seen // GRID) % WAITING])
    score.propose(atrial, newest)
    judged = newest - windows.LOOK
    if judged < GRID:
        return course.NOTHING
    return score.judge(atrial, judged, may_open, with_waves)


@kernel
def _may_open(chart: Record) -> bool:
    """Whether no rhythm without atria is found."""
    return not (chart.episodes[_VF].open or chart.episodes[_ASYSTOLE].open or chart.episodes[_VT].open)


@kernel
def _fibrillation(chart: Record, pen: Record, marks: Samples, event: int) -> None:
    """Say what became of AF at a judged beat."""
    af = chart.signal.atrial.course
    episode = chart.episodes[_AF]
    if event == course.CLOSED and episode.open:
        _close(chart, pen, marks, raw_index(chart.clock, af.end))
    if event == course.OPENED and not episode.open:
        onset = raw_index(chart.clock, af.onset)
        row = episodes.open_episode(pen, marks, episode, _AF, onset, onset)
        _tell(chart, marks, row)
    elif episode.open and af.onset == course.NEVER and chart.signal.atrial.count > _LOST_AFTER:
        # Open since before the signal began afresh, and not found in it.
        _close(chart, pen, marks, chart.clock.base)


@kernel
def _close(chart: Record, pen: Record, marks: Samples, last: int) -> None:
    row = episodes.close_episode(pen, marks, chart.episodes[_AF], _AF, last)
    _tell(chart, marks, row)


@kernel
def _tell(chart: Record, marks: Samples, row: int) -> None:
    """The mean score, the rate of the last 64 beats, and how sure that is."""
    atrial = chart.signal.atrial
    scores = atrial.course.scores
    mean = (scores[0] + scores[1] + scores[2]) / 3.0
    confidence = 1.0 / (1.0 + math.exp(-abs(mean)))
    episodes.tell(marks, row, chart.episodes[_AF], mean, windows.rate(atrial, 64), confidence)


@kernel
def _proposal(chart: Record, pen: Record, marks: Samples) -> None:
    """Tell a proposal that ended, or lasts, and was not confirmed."""
    atrial = chart.signal.atrial
    af = atrial.course
    proposed = atrial.proposed
    episode = chart.episodes[_POSSIBLE]
    confirmed = chart.episodes[_AF].open or af.on
    centre = af.at[1]
    if atrial.doubt_end != course.NEVER and (confirmed or atrial.doubt_onset <= af.end):
        atrial.doubt_end = course.NEVER
    if episode.open:
        if confirmed or atrial.doubt_end != course.NEVER or not proposed.told:
            last = atrial.doubt_end if atrial.doubt_end != course.NEVER else centre
            _possible(chart, pen, marks, False, raw_index(chart.clock, last))
            atrial.doubt_end = course.NEVER
    elif atrial.doubt_end != course.NEVER:
        if centre > atrial.doubt_end:
            _possible(chart, pen, marks, True, raw_index(chart.clock, atrial.doubt_onset))
            _possible(chart, pen, marks, False, raw_index(chart.clock, atrial.doubt_end))
            atrial.doubt_end = course.NEVER
    elif proposed.told and not confirmed and proposed.onset > af.end and centre - proposed.onset >= _LONG_PROPOSED:
        _possible(chart, pen, marks, True, raw_index(chart.clock, proposed.onset))


@kernel
def _possible(chart: Record, pen: Record, marks: Samples, opens: bool, index: int) -> None:
    episode = chart.episodes[_POSSIBLE]
    if opens:
        row = episodes.open_episode(pen, marks, episode, _POSSIBLE, index, index)
    else:
        row = episodes.close_episode(pen, marks, episode, _POSSIBLE, index)
    rate = windows.rate(chart.signal.atrial, 64)
    episodes.tell(marks, row, episode, (pen.now - episode.onset) / chart.clock.rate_hz, rate, _UNLIKELY)
