"""Regular rhythms from above the ventricles that are no sinus rhythm: SVT, and flutter by the steps of its block.

SVT: narrow beats at 150 a minute or more, as even as a re-entry makes them. Flutter that conducts every other wave is one
of them (about 150): one lead rarely shows its waves between QRS and T, so it is told as SVT. Flutter is told where the
block steps: intervals are multiples of one period of 180 to 272 ms, three neighbouring multiples among them (two fit any
bigeminy), and the segment before the QRS was seen and holds no P. Must never open SVT where T waves are counted or most
beats are ventricular.
"""

from typing import Final

import numpy as np

from stream.ecg import atrial_waves as waves
from stream.ecg import atrial_windows as windows
from stream.ecg import episodes
from stream.ecg.atrial_chart import GRID, INTERVALS, WAITING
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.resample import raw_index

_SVT: Final = constant(EcgCondition.SVT)
_FLUTTER: Final = constant(EcgCondition.AFLUTTER)
_MASK: Final = INTERVALS - 1
_N: Final = 16
_FAST: Final = 2 * RATE // 5  # 0.40 s
_SLOWER: Final = 43 * RATE // 100
_SPREAD: Final = 0.08  # between the quartiles, of the median
_NEAR: Final = 0.10
_NEAR_LEAST: Final = 0.9
_ODD_MOST: Final = 0.25
_OVER: Final = 8  # intervals that show that it is over
_ALTERNATE: Final = 0.3  # beats resemble every other one: T waves were counted

_STEPS: Final = 32  # intervals in which flutter steps
_STEPS_LEAST: Final = 28
_STEPS_WITHIN: Final = 48  # beats
_PERIODS: Final = (45, 69)  # internal samples: 180 to 272 ms
_MULTIPLES: Final = (2, 6)
_FIT: Final = 0.9
_EACH: Final = 0.1
_P_SEEN: Final = 0.2
_SEEN_LEAST: Final = 0.25
_ALIKE_TWICE: Final = 2  # judgements that open
_GONE: Final = 3  # and that close


@kernel
def is_regular_fast(atrial: Record) -> bool:
    """Whether the last 16 intervals are short and even, and their beats mostly conducted."""
    if atrial.count <= _N or atrial.interval[(atrial.count - 1) & _MASK] >= _SLOWER:
        return False
    ordered = np.empty(_N, np.int32)
    odd = 0
    for i in range(_N):
        place = (atrial.count - 1 - i) & _MASK
        if atrial.flags[place] & windows.OUTSIDE:
            return False
        odd += atrial.flags[place] & windows.ODD
        ordered[i] = atrial.interval[place]
    windows.sort_first(ordered, _N)
    median = windows.middle(ordered, _N)
    if median > _FAST or odd > _ODD_MOST * _N:
        return False
    near = 0
    for i in range(_N):
        near += abs(ordered[i] - median) <= _NEAR * median
    return bool(ordered[3 * _N // 4 - 1] - ordered[_N // 4] <= _SPREAD * median and near >= _NEAR_LEAST * _N)


@kernel
def _is_over(atrial: Record) -> bool:
    """Whether the last 8 intervals are slower, or most are uneven."""
    ordered = np.empty(_OVER, np.int32)
    for i in range(_OVER):
        place = (atrial.count - 1 - i) & _MASK
        if atrial.flags[place] & windows.OUTSIDE:
            return True
        ordered[i] = atrial.interval[place]
    windows.sort_first(ordered, _OVER)
    median = windows.middle(ordered, _OVER)
    near = 0
    for i in range(_OVER):
        near += abs(ordered[i] - median) <= _NEAR * median
    return bool(median > _SLOWER or near < _OVER // 2)


@kernel
def _span(atrial: Record, intervals: int) -> int:
    """Internal samples of the last intervals."""
    total = 0
    for i in range(intervals):
        total += atrial.interval[(atrial.count - 1 - i) & _MASK]
    return total


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples) -> None:
    """Judge SVT at a beat that was heard."""
    signal = chart.signal
    atrial = signal.atrial
    episode = chart.episodes[_SVT]
    r = signal.classes.decided.r
    if episode.open:
        if atrial.count > _OVER and _is_over(atrial):
            first_other = raw_index(chart.clock, r - _span(atrial, _OVER))
            row = episodes.close_episode(pen, marks, episode, _SVT, first_other)
            episodes.tell(marks, row, episode, episode.value, 0.0, 1.0)
    elif is_regular_fast(atrial) and not _alternates(signal):
        onset = raw_index(chart.clock, r - _span(atrial, _N))
        row = episodes.open_episode(pen, marks, episode, _SVT, onset, onset)
        episodes.tell(marks, row, episode, 60.0 * RATE * _N / _span(atrial, _N), 0.0, 1.0)


@kernel
def _alternates(signal: Record) -> bool:
    """Whether beats resemble the one before the last more than the last."""
    total = 0.0
    for back in range(_OVER):
        total += signal.rhythm.alternate[(signal.first.count - 1 - back) % BEAT_RING]
    return total / _OVER >= _ALTERNATE


@kernel
def flutter_period(atrial: Record) -> int:
    """Internal samples of the wave of which all the last intervals are multiples, three neighbouring ones among them; 0: none."""
    rr = np.empty(_STEPS, np.int32)
    times = np.empty(_MULTIPLES[1] + 1, np.int32)
    n = 0
    beat = atrial.count - 1
    while beat >= max(atrial.count - _STEPS_WITHIN, 1) and n < _STEPS:
        if not atrial.flags[beat & _MASK] & windows.CUT:
            rr[n] = atrial.interval[beat & _MASK]
            n += 1
        beat -= 1
    if n < _STEPS_LEAST:
        return 0
    for period in range(_PERIODS[0], _PERIODS[1]):
        times[:] = 0
        fit = 0
        for i in range(n):
            multiple = (rr[i] + period // 2) // period
            if _MULTIPLES[0] <= multiple <= _MULTIPLES[1] and abs(rr[i] - multiple * period) <= _NEAR * period:
                times[multiple] += 1
                fit += 1
        for multiple in range(_MULTIPLES[0], _MULTIPLES[1] - 1):
            least = min(times[multiple], times[multiple + 1], times[multiple + 2])
            if fit >= _FIT * n and least >= _EACH * n:
                return period
    return 0


@kernel
def on_judged(chart: Record, pen: Record, marks: Samples) -> None:
    """Judge flutter at a beat of the grid."""
    signal = chart.signal
    atrial = signal.atrial
    episode = chart.episodes[_FLUTTER]
    period = flutter_period(atrial)
    evidence = atrial.waves[((atrial.count - 1 - waves.LOOK) // GRID) % WAITING]
    if period and evidence[waves.SEEN48] >= _SEEN_LEAST and evidence[waves.LATE48] < _P_SEEN:
        atrial.flutter_for += 1
        atrial.flutter_gone = 0
    else:
        atrial.flutter_for = 0
        atrial.flutter_gone += 1
    newest = raw_index(chart.clock, signal.classes.decided.r)
    if not episode.open and atrial.flutter_for >= _ALIKE_TWICE:
        onset = raw_index(chart.clock, signal.classes.decided.r - _span(atrial, _STEPS + GRID))
        row = episodes.open_episode(pen, marks, episode, _FLUTTER, onset, onset)
        episodes.tell(marks, row, episode, windows.rate(atrial, _STEPS), 60.0 * RATE / period, 0.5)
    elif episode.open and atrial.flutter_gone >= _GONE:
        row = episodes.close_episode(pen, marks, episode, _FLUTTER, newest)
        episodes.tell(marks, row, episode, episode.value, 0.0, 0.5)
