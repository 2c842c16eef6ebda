"""Ventricular fibrillation and flutter, and fast VT that looks like them: once a second, over the last 5 s.

Small trees judge the wave alone (models/fibrillation.md); two of three seconds above 0.65 open an episode, six in a row
where the wave itself is BAD. A heart below 100 a minute with clean beats is never asked. It closes when six seconds
that could be judged show nothing, and ends with the last sign.
"""

import math
from typing import Final

from stream.ecg import episodes, trees, waveform
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.fibrillation_chart import SECONDS
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.resample import raw_index

_VF: Final = constant(EcgCondition.VF)
_ON: Final = 0.65  # probability
_OFF: Final = 0.4
_OF_LAST: Final = 7  # bits of the last three seconds
_LEAST: Final = 2  # of them
_BAD_S: Final = 6
_OFF_S: Final = 6
_SPAN: Final = SECONDS * RATE
_FEATURE, _THRESHOLD, _LEAF, _BIAS = trees.load("fibrillation")


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the second that ends with internal sample k."""
    signal = chart.signal
    f = signal.fibrillation
    f.suspect = waveform.is_suspect(signal, k)
    f.score = 0.0
    if f.suspect:
        waveform.measure(f)
        f.score = 1.0 / (1.0 + math.exp(-trees.log_odds(f.features, _FEATURE, _THRESHOLD, _LEAF, _BIAS)))
    f.now = f.score > _ON
    f.recent = (f.recent << 1 | f.now) & _OF_LAST
    if f.now:
        if f.recent == 1:
            f.since = k
        f.in_a_row += 1
        f.gone_for = 0
    else:
        f.in_a_row = 0
        f.gone_for = f.gone_for + 1 if f.score < _OFF else 0
    _episode(chart, pen, marks, k)


@kernel
def _last_clean_beat(tracker: Record, rhythm: Record, oldest: int) -> int:
    """R of the newest beat of the template's shape, or `oldest` where none is newer."""
    for back in range(1, min(int(tracker.count), BEAT_RING) + 1):
        place = (tracker.count - back) % BEAT_RING
        if tracker.beats[place] <= oldest:
            break
        if waveform.is_clean(rhythm, place):
            return int(tracker.beats[place])
    return oldest


@kernel
def _is_seen(fibrillation: Record, is_bad: bool) -> bool:
    f = fibrillation
    if is_bad:
        return bool(f.in_a_row >= _BAD_S)
    return bool(f.now and (f.recent & 1) + (f.recent >> 1 & 1) + (f.recent >> 2 & 1) >= _LEAST)


@kernel
def _episode(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Open after enough seconds, close after enough without any sign."""
    signal = chart.signal
    f = signal.fibrillation
    episode = chart.episodes[_VF]
    percent = 100.0 * f.features[waveform.TCSC]
    if not episode.open and _is_seen(f, signal.quality.wave_bad != 0):
        onset = _last_clean_beat(signal.first, signal.rhythm, f.since - _SPAN + 1)
        onset = raw_index(chart.clock, onset)
        row = episodes.open_episode(pen, marks, episode, _VF, onset, onset)
        episodes.tell(marks, row, episode, percent, f.features[waveform.LEAK], f.score)
    elif episode.open and f.gone_for >= _OFF_S and k - signal.hole.end >= _OFF_S * RATE:
        last = raw_index(chart.clock, k - _OFF_S * RATE)
        row = episodes.close_episode(pen, marks, episode, _VF, last)
        episodes.tell(marks, row, episode, percent, f.features[waveform.LEAK], 1.0 - f.score)
