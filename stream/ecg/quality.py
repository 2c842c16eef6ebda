"""Signal quality of each second, over the last 8: GOOD, FAIR or BAD, and a finding when it stays BAD.

Two judgements: of the wave itself (drift, muscle noise, missing), which alone may delay fibrillation, and of the beats
found in it (do two bands agree, do beats resemble the template, do they rise above the noise). Fibrillation has poor
beats by nature; it must not hide behind that.
"""

import math
from typing import Final

import numpy as np

from stream.ecg import contact, episodes
from stream.ecg.chart import POWERS, QUALITY_FEATURES, QUALITY_SECONDS
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition, Mark, Quality
from stream.ecg.resample import raw_index

_NOISE: Final = constant(EcgCondition.NOISE)
_NONE: Final = constant(EcgCondition.NONE)
_TOLD: Final = constant(Mark.QUALITY)
_GOOD, _FAIR, _BAD = int(Quality.GOOD), int(Quality.FAIR), int(Quality.BAD)

DRIFT, MUSCLE, MUSCLE_NOW, ABSENT, AGREEMENT, ALIKE, STRANGE, CONTRAST = range(8)
"""Features: ln power < 1 / 0.5-40 Hz; ln > 25 / 5-25 Hz over 8 and 3 s; share missing or dead; agreement of two bands; share of
beats like and unlike the template; noise peak over QRS peak."""

# Log odds that the detector errs, by benchmarks/train_quality.py: of the wave alone, and with its beats.
_WAVE: Final = np.array([0.217, 4.266, -0.074, 0.0, 0.0, 0.0, 0.0, 0.0])
_WAVE_BIAS: Final = 3.291
_BEATS: Final = np.array([0.148, 2.792, 0.098, 0.0, -8.344, -2.4, 1.164, -0.281])
_BEATS_BIAS: Final = 11.276

_NO_POWER: Final = 1.0  # uV^2 a second
_AGREE_WITHIN: Final = RATE // 10
_DECIDED: Final = RATE // 2  # beats younger than this may still be undecided
_NOW_S: Final = 3
_ALIKE_FROM: Final = 0.9
_STRANGE_BELOW: Final = 0.6
_MOST_ABSENT: Final = 0.2
_GOOD_BELOW: Final = -2.94  # log odds of 0.05
_NOISE_S: Final = 60
_FINE_S: Final = 10


@kernel
def feed(quality: Record, drift: float, wide: float, body: float, muscle: float) -> None:
    """Add one internal sample of the four bands (uV)."""
    quality.power[0] += drift * drift
    quality.power[1] += wide * wide
    quality.power[2] += body * body
    quality.power[3] += muscle * muscle


@kernel
def agreement(first: Record, other: Record, begin: int, end: int) -> float:
    """F1 of the beats of two trackers between two internal samples; 1 where neither has one."""
    both = 0
    n = 0
    m = 0
    for i in range(min(int(other.count), BEAT_RING)):
        m += begin <= other.beats[i] < end
    for i in range(min(int(first.count), BEAT_RING)):
        at = first.beats[i]
        if at < begin or at >= end:
            continue
        n += 1
        for j in range(min(int(other.count), BEAT_RING)):
            if abs(other.beats[j] - at) <= _AGREE_WITHIN:
                both += 1
                break
    return min(1.0, 2.0 * both / (n + m)) if n + m else 1.0


@kernel
def _measure(signal: Record, k: int) -> None:
    """Fill in the features of the second that ends with internal sample k."""
    q = signal.quality
    place = q.seconds % QUALITY_SECONDS
    for i in range(POWERS):
        q.powers[place, i] = q.power[i]
        q.power[i] = 0.0
    q.absent[place] = 1.0 if contact.is_dead(signal.contact) else 1.0 - signal.contact.measured / RATE
    q.seconds += 1
    n = min(int(q.seconds), QUALITY_SECONDS)
    drift = wide = body = muscle = absent = body_now = muscle_now = 0.0
    for back in range(n):
        i = (place - back) % QUALITY_SECONDS
        drift += q.powers[i, 0]
        wide += q.powers[i, 1]
        body += q.powers[i, 2]
        muscle += q.powers[i, 3]
        absent += q.absent[i]
        if back < _NOW_S:
            body_now += q.powers[i, 2]
            muscle_now += q.powers[i, 3]
    q.features[DRIFT] = math.log((drift + _NO_POWER) / (wide + _NO_POWER))
    q.features[MUSCLE] = math.log((muscle + _NO_POWER) / (body + _NO_POWER))
    q.features[MUSCLE_NOW] = math.log((muscle_now + _NO_POWER) / (body_now + _NO_POWER))
    q.features[ABSENT] = absent / n
    end = k - _DECIDED
    begin = end - n * RATE
    q.features[AGREEMENT] = agreement(signal.first, signal.other, begin, end)
    beats = 0
    alike = 0
    strange = 0
    for i in range(min(int(signal.first.count), BEAT_RING)):
        if begin <= signal.first.beats[i] < end:
            beats += 1
            alike += signal.rhythm.match[i] >= _ALIKE_FROM
            strange += signal.rhythm.match[i] < _STRANGE_BELOW
    q.features[ALIKE] = alike / beats if beats else 0.5
    q.features[STRANGE] = strange / beats if beats else 0.5
    q.features[CONTRAST] = signal.first.floor / signal.first.peak if signal.first.peak > 0.0 else 1.0


@kernel
def _grade(q: Record) -> int:
    """Turn the features into a grade."""
    q.wave = _WAVE_BIAS
    q.beats = _BEATS_BIAS
    for i in range(QUALITY_FEATURES):
        q.wave += _WAVE[i] * q.features[i]
        q.beats += _BEATS[i] * q.features[i]
    absent = q.features[ABSENT] > _MOST_ABSENT
    q.wave_bad = q.wave > 0.0 or absent
    if q.beats > 0.0 or absent:
        return _BAD
    if q.beats > _GOOD_BELOW or q.seconds < QUALITY_SECONDS:
        return _FAIR
    return _GOOD


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Grade the second that ends with internal sample k, and raise or clear NOISE."""
    q = chart.signal.quality
    _measure(chart.signal, k)
    q.grade = _grade(q)
    if q.told != q.grade + 1:
        index = raw_index(chart.clock, k - RATE + 1)
        row = episodes.write(pen, marks, _TOLD, _NONE, index, index)
        marks[row].value = q.grade
        q.told = q.grade + 1
    if q.grade == _BAD and not chart.signal.fibrillation.now:
        if q.bad_for == 0:
            q.bad_since = k - RATE + 1
        q.bad_for += 1
        q.fine_for = 0
    else:
        q.fine_for += 1
        if q.fine_for >= _FINE_S:
            q.bad_for = 0
    _noise(chart, pen, marks, k)


@kernel
def _noise(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    q = chart.signal.quality
    episode = chart.episodes[_NOISE]
    if not episode.open and q.bad_for >= _NOISE_S:
        first = raw_index(chart.clock, q.bad_since)
        row = episodes.open_episode(pen, marks, episode, _NOISE, first, first)
        episodes.tell(marks, row, episode, q.bad_for, 0.0, 1.0)
    elif episode.open and q.fine_for >= _FINE_S:
        last = raw_index(chart.clock, k - _FINE_S * RATE)
        row = episodes.close_episode(pen, marks, episode, _NOISE, last)
        episodes.tell(marks, row, episode, (last - episode.first) / chart.clock.rate_hz, 0.0, 1.0)
