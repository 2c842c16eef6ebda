"""Ventricular fibrillation and flutter, and fast VT that looks like them: once a second, over the last 5 s.

Two ways to see it: the fast rule (TCSC >= 48 % and leakage < 0.5) three seconds in a row, or a score of all features
(a logistic model with products) above 0.8 for two seconds in a row. Both need six seconds where the wave itself is BAD,
and two beats of the patient's own template within 3 s cancel them.
"""

import math
from typing import Final

from stream.ecg import episodes, waveform
from stream.ecg.chart import FIBRILLATION_FEATURES, FIBRILLATION_RING
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.fibrillation_weights import BIAS, LINEAR, MEAN, SPREAD, SQUARE
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.resample import raw_index

_VF: Final = int(EcgCondition.VF)
_TCSC_ON: Final = 0.48
_LEAK_ON: Final = 0.5
_SCORE_ON: Final = 0.8
_SCORE_OFF: Final = 0.4
_LEAST_UV: Final = 150.0  # peak to peak
_RULE_S: Final = 3
_SCORE_S: Final = 2
_BAD_S: Final = 6
_OFF_S: Final = 3
_CLEAN_BEATS: Final = 2
_FARTHEST: Final = 4.0  # spreads from the mean that a feature may be
_SPAN: Final = waveform.SPAN_S * RATE


@kernel
def _score(features: Samples) -> float:
    """Probability that most of the last 5 s is fibrillation or fast VT."""
    total = BIAS
    for i in range(FIBRILLATION_FEATURES):
        x = min(max((features[i] - MEAN[i]) / SPREAD[i], -_FARTHEST), _FARTHEST)
        total += LINEAR[i] * x
        for j in range(i, FIBRILLATION_FEATURES):
            y = min(max((features[j] - MEAN[j]) / SPREAD[j], -_FARTHEST), _FARTHEST)
            total += SQUARE[i, j] * x * y
    return 1.0 / (1.0 + math.exp(-total))


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
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the second that ends with internal sample k."""
    signal = chart.signal
    f = signal.fibrillation
    if f.filled < FIBRILLATION_RING:
        return
    waveform.measure(signal, k)
    f.score = _score(f.features)
    possible = (
        waveform.swing(f) >= _LEAST_UV and k - signal.hole.end >= _SPAN and f.features[waveform.ALIKE] < _CLEAN_BEATS
    )
    by_rule = possible and f.features[waveform.TCSC] >= _TCSC_ON and f.features[waveform.LEAK] < _LEAK_ON
    by_score = possible and f.score > _SCORE_ON
    if by_rule or by_score:
        if not f.now:
            f.since = k
        f.gone_for = 0
    elif not possible or f.score < _SCORE_OFF:
        f.gone_for += 1
    f.now = by_rule or by_score
    f.rule_for = f.rule_for + 1 if by_rule else 0
    f.score_for = f.score_for + 1 if by_score else 0
    _episode(chart, pen, marks, k)


@kernel
def _episode(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Open after enough seconds, close 3 s after the last sign."""
    signal = chart.signal
    f = signal.fibrillation
    episode = chart.episodes[_VF]
    bad = signal.quality.wave_bad
    seen = f.rule_for >= (_BAD_S if bad else _RULE_S) or f.score_for >= (_BAD_S if bad else _SCORE_S)
    if not episode.open and seen:
        onset = _last_clean_beat(signal.first, signal.rhythm, f.since - _SPAN + 1)
        onset = raw_index(chart.clock, onset)
        row = episodes.open_episode(pen, marks, episode, _VF, onset, onset)
        episodes.tell(marks, row, episode, 100.0 * f.features[waveform.TCSC], f.features[waveform.LEAK], f.score)
    elif episode.open and f.gone_for >= _OFF_S and k - signal.hole.end >= _OFF_S * RATE:
        last = raw_index(chart.clock, k - _OFF_S * RATE)
        row = episodes.close_episode(pen, marks, episode, _VF, last)
        episodes.tell(marks, row, episode, 100.0 * f.features[waveform.TCSC], f.features[waveform.LEAK], 1.0 - f.score)
