"""Ventricular fibrillation and flutter, and fast VT that looks like them: once a second, over the last 5 s.

Fast rule: TCSC (Arafat 2011, mean over three 3-s windows) >= 48 and leakage (Kuo and Dillman 1978, 5 s) < 0.5, three
seconds in a row (six where the wave itself is BAD). Two beats of the patient's own template within 3 s cancel it.
Departures: 1-20 Hz by a fourth-order low pass at 125 Hz instead of the papers' filters.
"""

import math
from typing import Final

import numpy as np

from stream.ecg import episodes
from stream.ecg.chart import BEAT_RING, FIBRILLATION_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.resample import raw_index

_VF: Final = int(EcgCondition.VF)
_HZ: Final = 125
_WINDOW: Final = 3 * _HZ  # of one TCSC
_EDGE: Final = _HZ // 4  # 250 ms of cosine on each side
_CROSSING: Final = 0.2  # of the window's largest sample
_TCSC_ON: Final = 48.0
_LEAK_ON: Final = 0.5
_TCSC_OFF: Final = 40.0
_LEAK_OFF: Final = 0.6
_LEAST_UV: Final = 150.0  # peak to peak
_ON_AFTER: Final = 3
_ON_AFTER_BAD: Final = 6
_OFF_AFTER: Final = 3
_CLEAN: Final = 0.9
_CLEAN_WITHIN: Final = 3 * RATE
_CLEAN_BEATS: Final = 2
_FULL: Final = 32767.0
_SPAN: Final = 5 * RATE


def _taper() -> Samples:
    edge = 0.5 * (1.0 - np.cos(np.pi * np.arange(_EDGE) / _EDGE))
    return np.concatenate([edge, np.ones(_WINDOW - 2 * _EDGE), edge[::-1]]).astype(np.float32)


_TAPER: Final = _taper()


@kernel
def feed(fibrillation: Record, k: int, x: float) -> None:
    """Take every second internal sample of the 1-20 Hz band, uV."""
    if k % (RATE // _HZ):
        return
    fibrillation.ring[fibrillation.at] = np.int16(min(max(x, -_FULL), _FULL))
    fibrillation.at = (fibrillation.at + 1) % FIBRILLATION_RING
    fibrillation.filled = min(fibrillation.filled + 1, FIBRILLATION_RING)


@kernel
def _tcsc(fibrillation: Record) -> float:
    """Share (%) of the last 3 s, tapered, beyond 0.2 of its largest magnitude."""
    start = fibrillation.at + FIBRILLATION_RING - _WINDOW
    largest = np.float32(0.0)
    for i in range(_WINDOW):
        largest = max(largest, abs(float(fibrillation.ring[(start + i) % FIBRILLATION_RING])) * _TAPER[i])
    if largest == 0.0:
        return 0.0
    level = np.float32(_CROSSING) * largest
    beyond = 0
    for i in range(_WINDOW):
        beyond += abs(float(fibrillation.ring[(start + i) % FIBRILLATION_RING])) * _TAPER[i] > level
    return 100.0 * beyond / _WINDOW


@kernel
def _leakage(fibrillation: Record) -> float:
    """What is left (0 = a pure sine, 1 = all) after adding the signal to itself half a mean period earlier."""
    n = FIBRILLATION_RING
    at = fibrillation.at
    size = 0.0
    change = 0.0
    for i in range(1, n):
        here = float(fibrillation.ring[(at + i) % n])
        size += abs(here)
        change += abs(here - fibrillation.ring[(at + i - 1) % n])
    if change == 0.0:
        return 1.0
    half = min(max(int(math.pi * size / change + 0.5), 1), n // 2)
    rest = 0.0
    whole = 1e-9
    for i in range(half, n):
        now = float(fibrillation.ring[(at + i) % n])
        then = float(fibrillation.ring[(at + i - half) % n])
        rest += abs(now + then)
        whole += abs(now) + abs(then)
    return rest / whole


@kernel
def _swing(fibrillation: Record) -> float:
    return float(fibrillation.ring.max()) - float(fibrillation.ring.min())


@kernel
def clean_beats(tracker: Record, rhythm: Record, k: int, learned: int) -> int:
    """Beats of the last 3 s that have the template's shape."""
    if learned < _CLEAN_BEATS:
        return 0
    found = 0
    for back in range(1, min(int(tracker.count), BEAT_RING) + 1):
        place = (tracker.count - back) % BEAT_RING
        if k - tracker.beats[place] > _CLEAN_WITHIN:
            break
        found += rhythm.match[place] >= _CLEAN
    return found


@kernel
def last_clean_beat(tracker: Record, rhythm: Record, oldest: int) -> int:
    """R of the newest beat of the template's shape, or `oldest` where none is newer."""
    for back in range(1, min(int(tracker.count), BEAT_RING) + 1):
        place = (tracker.count - back) % BEAT_RING
        if tracker.beats[place] <= oldest:
            break
        if rhythm.match[place] >= _CLEAN:
            return int(tracker.beats[place])
    return oldest


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the second that ends with internal sample k."""
    signal = chart.signal
    f = signal.fibrillation
    if f.filled < FIBRILLATION_RING:
        return
    f.tcsc[0] = f.tcsc[1]
    f.tcsc[1] = f.tcsc[2]
    f.tcsc[2] = _tcsc(f)
    f.score = (f.tcsc[0] + f.tcsc[1] + f.tcsc[2]) / 3.0
    f.leak = _leakage(f)
    whole = k - signal.hole.end >= _SPAN
    swings = _swing(f) >= _LEAST_UV
    clean = clean_beats(signal.first, signal.rhythm, k, signal.shapes.learned) >= _CLEAN_BEATS
    f.now = f.score >= _TCSC_ON and f.leak < _LEAK_ON and swings and whole and not clean
    stays = f.score >= _TCSC_OFF and f.leak < _LEAK_OFF and swings and not clean
    if f.now:
        if f.holds_for == 0:
            f.since = k
        f.holds_for += 1
    else:
        f.holds_for = 0
    f.gone_for = 0 if stays else f.gone_for + 1
    _episode(chart, pen, marks, k)


@kernel
def _episode(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    f = chart.signal.fibrillation
    episode = chart.episodes[_VF]
    needed = _ON_AFTER_BAD if chart.signal.quality.wave_bad else _ON_AFTER
    if not episode.open and f.holds_for >= needed:
        onset = last_clean_beat(chart.signal.first, chart.signal.rhythm, f.since - _SPAN + 1)
        onset = raw_index(chart.clock, onset)
        row = episodes.open_episode(pen, marks, episode, _VF, onset, onset)
        episodes.tell(marks, row, episode, f.score, f.leak, 0.5 + 0.5 * min(1.0, (f.score - _TCSC_ON) / 30.0))
    elif episode.open and f.gone_for >= _OFF_AFTER and k - chart.signal.hole.end >= _OFF_AFTER * RATE:
        last = raw_index(chart.clock, k - _OFF_AFTER * RATE)
        row = episodes.close_episode(pen, marks, episode, _VF, last)
        episodes.tell(marks, row, episode, f.score, f.leak, 1.0)

