"""Pauses and asystole: how long no beat was seen, on a lead that is attached, by two bands.

Pause: 2 s without a beat, told again at 3 and 4 s and when it ends. Asystole: 4 s in which the envelope stayed below
0.3 of the median QRS in the first band and below half the threshold in the second one, and no fibrillation.
"""

from typing import Final

import numpy as np

from stream.ecg import contact, episodes
from stream.ecg.chart import STRONG_BEATS
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import EcgCondition, Quality
from stream.ecg.resample import raw_index

EVERY: Final = 5
"""Internal samples from one look at the silence to the next."""

_PAUSE: Final = int(EcgCondition.PAUSE)
_ASYSTOLE: Final = int(EcgCondition.ASYSTOLE)
_BAD: Final = int(Quality.BAD)
_PAUSE_S: Final = 2.0
_ASYSTOLE_S: Final = 4.0
_DEAF: Final = 100  # 400 ms after R in which the envelope still belongs to the beat and its T wave
_QUIET: Final = 0.3  # of the median QRS, for asystole: P waves go on in a true one (up to 0.26 in Challenge 2015)
_HALF: Final = 0.5  # of the threshold
_STRONG: Final = 0.4  # of the usual QRS: P waves, once the threshold has come down to them, end no asystole
_BACK_WITHIN: Final = 5 * RATE
_KNOWN_BEATS: Final = 8  # below that nothing is known about this lead's QRS


@kernel
def feed(chart: Record, k: int) -> None:
    """Keep the largest envelopes since shortly after the last beat (or hole), and what was usual before asystole."""
    silence, first, other = chart.signal.silence, chart.signal.first, chart.signal.other
    if k - max(last_beat(first), chart.signal.hole.end) <= _DEAF:
        silence.loudest[0] = 0.0
        silence.loudest[1] = 0.0
        if not chart.episodes[_ASYSTOLE].open:
            silence.usual[0] = first.peak
            silence.usual[1] = other.threshold
    else:
        silence.loudest[0] = max(silence.loudest[0], first.envelope)
        silence.loudest[1] = max(silence.loudest[1], other.envelope)


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
    heard = last_beat(signal.first) > signal.hole.end
    if not contact.is_attached(chart):
        return
    if heard:
        _pause(chart, pen, marks, last, quiet_s)
    _asystole(chart, pen, marks, last, quiet_s)


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
def _asystole(chart: Record, pen: Record, marks: Samples, last: int, quiet_s: float) -> None:
    """Open once after 4 s of quiet."""
    signal = chart.signal
    episode = chart.episodes[_ASYSTOLE]
    if episode.open or quiet_s < _ASYSTOLE_S:
        return
    quiet = (
        signal.silence.loudest[0] < _QUIET * signal.silence.usual[0]
        and signal.silence.loudest[1] < _HALF * signal.silence.usual[1]
    )
    if quiet and not signal.fibrillation.now:
        first = raw_index(chart.clock, last)
        row = episodes.open_episode(pen, marks, episode, _ASYSTOLE, first, first)
        episodes.tell(marks, row, episode, quiet_s, signal.silence.loudest[0] / signal.silence.usual[0], 1.0)


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples, r: int, interval_s: float) -> None:
    """A beat at internal sample r ends a pause; three strong ones within 5 s end asystole."""
    silence = chart.signal.silence
    pause = chart.episodes[_PAUSE]
    if pause.open:
        row = episodes.close_episode(pen, marks, pause, _PAUSE, raw_index(chart.clock, r) - 1)
        episodes.tell(marks, row, pause, interval_s, 0.0, 1.0)
    if chart.signal.first.last_height >= _STRONG * silence.usual[0]:
        for i in range(STRONG_BEATS - 1):
            silence.strong[i] = silence.strong[i + 1]
        silence.strong[STRONG_BEATS - 1] = r
    asystole = chart.episodes[_ASYSTOLE]
    begun = raw_index(chart.clock, silence.strong[0])
    if asystole.open and r - silence.strong[0] <= _BACK_WITHIN and begun > asystole.first:
        row = episodes.close_episode(pen, marks, asystole, _ASYSTOLE, begun - 1)
        episodes.tell(marks, row, asystole, (begun - asystole.first) / chart.clock.rate_hz, 0.0, 1.0)
