"""Regular tachycardia from above the ventricles: narrow beats at 150 a minute or more, as even as a re-entry makes them.

Atrial flutter that conducts every other wave (about 150 a minute) is one of them: one lead rarely shows its waves between QRS
and T, so it is told as SVT. Must never open where T waves are counted, where most beats are ventricular, or in BAD signal.
"""

from typing import Final

import numpy as np

from stream.ecg import atrial_windows as windows
from stream.ecg import episodes
from stream.ecg.atrial_chart import INTERVALS
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.resample import raw_index

_SVT: Final = int(EcgCondition.SVT)
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
