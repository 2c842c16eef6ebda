"""Pauses and asystole: how long no beat was seen, on a lead that is attached and whose line stands still, by two bands.

Pause: 2 s without a beat, told again at 3 and 4 s and when it ends. Asystole: 4 s without a beat, of which the last 2.5
were well below a QRS in both bands, and no fibrillation; from 3.5 s on it is told as a candidate (confidence 0.5: of no
alert's worth, since a pause of 3 s has one). A line that moves by more than a QRS is an electrode that moves: then 10 s
must pass. Must never wait longer than that.
"""

from typing import Final

import numpy as np

from stream.ecg import contact, episodes
from stream.ecg.chart import LEVELS, SHAPE, STRONG_BEATS
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition, Quality
from stream.ecg.resample import raw_index

EVERY: Final = 5
"""Internal samples from one look at the silence to the next."""
CANDIDATE: Final = 0.5
"""Confidence of what is beyond a limit only if the meters' tolerance is granted; what is surely beyond has 1."""

_PAUSE: Final = constant(EcgCondition.PAUSE)
_ASYSTOLE: Final = constant(EcgCondition.ASYSTOLE)
_BAD: Final = int(Quality.BAD)
_PAUSE_S: Final = 2.0
_NEARLY_S: Final = 3.5
_ASYSTOLE_S: Final = 4.0
_MOVING_S: Final = 10.0  # where the line moved: AAMI EC13 wants the alarm of standstill within 10 s
_DEAF: Final = 100  # 400 ms after R in which the envelope still belongs to the beat and its T wave
_QUIET: Final = 0.35  # of the median QRS, for asystole: P waves go on in a true one (up to 0.31 in Challenge 2015)
_STILL: Final = 0.15  # of the same: no fibrillation, whatever the seconds before the silence look like
_BELOW: Final = 0.6  # of the threshold, in the second band
_QUIET_FOR: Final = 5 * RATE // 2  # the T wave of a wide paced beat lasts into the silence
_STRONG: Final = 0.4  # of the usual QRS: P waves, once the threshold has come down to them, end no asystole
_BACK_WITHIN: Final = 5 * RATE
_KNOWN_BEATS: Final = 8  # below that nothing is known about this lead's QRS
_LEVEL: Final = RATE // 5
_SWING_UV: Final = (1000.0, 3000.0)  # less is no electrode that moves, more is no heart's, whatever the QRS seems to be
_UNSETTLED: Final = 15 * RATE  # so long an electrode that moved may move again


@kernel
def feed(chart: Record, k: int, x: float) -> None:
    """Take one sample (uV, bridged): how the line moves, and the largest envelopes since shortly after the last beat."""
    silence, first, other = chart.signal.silence, chart.signal.first, chart.signal.other
    since = k - max(last_beat(first), chart.signal.hole.end)
    if since <= _DEAF:
        silence.loudest[0] = 0.0
        silence.loudest[1] = 0.0
        if not chart.episodes[_ASYSTOLE].open:
            silence.usual[0] = first.peak
            silence.usual[1] = other.threshold
    else:
        silence.loudest[0] = max(silence.loudest[0], first.envelope)
        silence.loudest[1] = max(silence.loudest[1], other.envelope)
    if first.envelope >= _QUIET * silence.usual[0] or other.envelope >= _BELOW * silence.usual[1]:
        silence.loud_at = k
    silence.level += x
    if (k + 1) % _LEVEL == 0:
        _follow_level(silence, k, since <= RATE)
        beat = min(max(qrs_height(chart.signal.shapes), _SWING_UV[0]), _SWING_UV[1])
        if silence.high - silence.low > beat:
            silence.swung = k


@kernel
def _follow_level(silence: Record, k: int, is_new: bool) -> None:
    """Take a fifth of a second's mean: its extremes from shortly before the last beat on."""
    silence.levels[(k // _LEVEL) % LEVELS] = silence.level / _LEVEL
    silence.level = 0.0
    if is_new:
        silence.low = silence.levels.min()
        silence.high = silence.levels.max()
    else:
        silence.low = min(silence.low, silence.levels[(k // _LEVEL) % LEVELS])
        silence.high = max(silence.high, silence.levels[(k // _LEVEL) % LEVELS])


@kernel
def qrs_height(shapes: Record) -> float:
    """Peak to peak of the patient's own beat, uV; infinite while none is known."""
    if shapes.learned == 0:
        return np.inf
    low = high = shapes.template[0]
    for i in range(1, SHAPE):
        low = min(low, shapes.template[i])
        high = max(high, shapes.template[i])
    return float(high - low)


@kernel
def last_beat(first: Record) -> int:
    """R of the newest beat."""
    return int(first.beats[(first.count - 1) % BEAT_RING])


@kernel
def each_look(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the silence up to internal sample k."""
    signal = chart.signal
    if signal.first.count < _KNOWN_BEATS:
        return
    last = max(last_beat(signal.first), signal.hole.end)
    quiet_s = (k - last) / RATE
    if not contact.is_attached(chart) or (signal.silence.swung > last - _UNSETTLED and quiet_s < _MOVING_S):
        return
    if last_beat(signal.first) > signal.hole.end:
        _pause(chart, pen, marks, last, quiet_s)
    other = last_beat(signal.other)
    if other > last + _DEAF:  # what the second band took for a beat is no silence yet
        quiet_s = (k - other) / RATE
    _asystole(chart, pen, marks, k, last, quiet_s)


@kernel
def _pause(chart: Record, pen: Record, marks: Samples, last: int, quiet_s: float) -> None:
    """Open at 2 s, tell again at each whole second up to asystole."""
    signal = chart.signal
    episode = chart.episodes[_PAUSE]
    believed = (
        signal.quality.grade != _BAD
        and signal.silence.loudest[0] < signal.first.threshold
        and signal.silence.loudest[1] < signal.other.threshold
    )
    if quiet_s < _PAUSE_S or not believed:
        return
    if not episode.open:
        first = raw_index(chart.clock, last)
        row = episodes.open_episode(pen, marks, episode, _PAUSE, first, first)
        episodes.tell(marks, row, episode, quiet_s, 0.0, 1.0)
    elif quiet_s <= _ASYSTOLE_S + 1.0 and quiet_s >= np.floor(episode.value) + 1.0:
        row = episodes.update_episode(pen, marks, episode, _PAUSE)
        episodes.tell(marks, row, episode, quiet_s, 0.0, 1.0)


@kernel
def _asystole(chart: Record, pen: Record, marks: Samples, k: int, last: int, quiet_s: float) -> None:
    """Open as a candidate 3.5 s after the last beat, surely after 4, if the last seconds were quiet."""
    silence = chart.signal.silence
    episode = chart.episodes[_ASYSTOLE]
    is_sure = quiet_s >= _ASYSTOLE_S
    if quiet_s < _NEARLY_S or (episode.open and (episode.confidence == 1.0 or not is_sure)):
        return
    loud = silence.loudest[0] / silence.usual[0]
    if k - silence.loud_at < _QUIET_FOR or (chart.signal.fibrillation.now and loud >= _STILL):
        return
    if not episode.open:
        first = raw_index(chart.clock, last)
        row = episodes.open_episode(pen, marks, episode, _ASYSTOLE, first, first)
    else:
        row = episodes.update_episode(pen, marks, episode, _ASYSTOLE)
    episodes.tell(marks, row, episode, quiet_s, loud, 1.0 if is_sure else CANDIDATE)


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples, r: int, interval_s: float) -> None:
    """A beat at internal sample r ends a pause; three strong ones within 5 s end asystole, one a candidate of it."""
    silence = chart.signal.silence
    pause = chart.episodes[_PAUSE]
    if pause.open:
        row = episodes.close_episode(pen, marks, pause, _PAUSE, raw_index(chart.clock, r) - 1)
        episodes.tell(marks, row, pause, interval_s, 0.0, 1.0)
    is_strong = chart.signal.first.last_height >= _STRONG * silence.usual[0]
    if is_strong:
        for i in range(STRONG_BEATS - 1):
            silence.strong[i] = silence.strong[i + 1]
        silence.strong[STRONG_BEATS - 1] = r
    asystole = chart.episodes[_ASYSTOLE]
    if asystole.open:
        is_over = r - silence.strong[0] <= _BACK_WITHIN
        back = silence.strong[0] if is_over else r
        begun = raw_index(chart.clock, back)
        if (is_over or (is_strong and asystole.confidence < 1.0)) and begun > asystole.first:
            row = episodes.close_episode(pen, marks, asystole, _ASYSTOLE, begun - 1)
            episodes.tell(marks, row, asystole, (begun - asystole.first) / chart.clock.rate_hz, 0.0, 1.0)
