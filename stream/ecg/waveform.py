"""How much the last seconds look like fibrillation: features of the 1-20 Hz wave at 125 Hz and of the beats in it.

TCSC after Arafat (2011), leakage after Kuo and Dillman (1978); the others are moments and counts of the same window.
Departures: fourth-order low pass instead of the papers' filters; TCSC is the mean of three 3-s windows.
"""

import math
from typing import Final

import numpy as np

from stream.ecg.chart import FIBRILLATION_RING
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.quality import MUSCLE

(TCSC, TCSC_NOW, LEAK, LEAK_NOW, PEAKED, STEEP, SMALL, SPEED, CROSSINGS, DIP, ALIKE, NOISE) = range(12)
"""Share beyond 0.2 of the maximum, over 5 s and the last 3 s; leakage over 5 and 3 s; ln kurtosis of the wave and of its
slope; share below 0.1 of the maximum; ln of mean slope over mean size; zero crossings a second; mean dip of the
envelope between beats; beats of the patient's template in 3 s; ln power > 25 / 5-25 Hz."""

HZ: Final = 125
WINDOW: Final = 3 * HZ  # of one TCSC
SPAN_S: Final = 5
CLEAN_WITHIN_S: Final = 3
_N: Final = FIBRILLATION_RING
_EDGE: Final = HZ // 4  # 250 ms of cosine on each side
_CROSSING: Final = 0.2
_SMALL: Final = 0.1
_CLEAN_MATCH: Final = 0.9
_CLEAN_DIP: Final = 0.15  # the envelope falls to less than this between beats; flutter never rests
_FULL: Final = 32767.0


def _taper() -> Samples:
    edge = 0.5 * (1.0 - np.cos(np.pi * np.arange(_EDGE) / _EDGE))
    return np.concatenate([edge, np.ones(WINDOW - 2 * _EDGE), edge[::-1]]).astype(np.float32)


_TAPER: Final = _taper()


@kernel
def feed(fibrillation: Record, k: int, x: float) -> None:
    """Take every second internal sample of the 1-20 Hz band, uV."""
    if k % (RATE // HZ):
        return
    fibrillation.ring[fibrillation.at] = np.int16(min(max(x, -_FULL), _FULL))
    fibrillation.at = (fibrillation.at + 1) % _N
    fibrillation.filled = min(fibrillation.filled + 1, _N)


@kernel
def _at(fibrillation: Record, i: int) -> float:
    """Sample i of the ring, 0 = oldest."""
    place = fibrillation.at + i
    return float(fibrillation.ring[place if place < _N else place - _N])


@kernel
def _tcsc(fibrillation: Record) -> float:
    """Share of the last 3 s, tapered, beyond 0.2 of its largest magnitude."""
    largest = 0.0
    for i in range(WINDOW):
        largest = max(largest, abs(_at(fibrillation, _N - WINDOW + i)) * _TAPER[i])
    beyond = 0
    for i in range(WINDOW):
        beyond += abs(_at(fibrillation, _N - WINDOW + i)) * _TAPER[i] > _CROSSING * largest
    return beyond / WINDOW


@kernel
def _leakage(fibrillation: Record, n: int) -> float:
    """Of the last n samples: what is left (0: a pure sine) after adding the wave to itself half a mean period earlier."""
    size = 0.0
    change = 0.0
    before = _at(fibrillation, _N - n)
    for i in range(_N - n + 1, _N):
        here = _at(fibrillation, i)
        size += abs(here)
        change += abs(here - before)
        before = here
    if change == 0.0:
        return 1.0
    half = min(max(int(math.pi * size / change + 0.5), 1), n // 2)
    rest = 0.0
    whole = 0.0
    for i in range(_N - n + half, _N):
        now = _at(fibrillation, i)
        then = _at(fibrillation, i - half)
        rest += abs(now + then)
        whole += abs(now) + abs(then)
    return rest / whole if whole > 0.0 else 1.0


@kernel
def _moments(fibrillation: Record) -> None:
    """Fill in PEAKED to CROSSINGS, over 5 s."""
    size = change = square = fourth = slope2 = slope4 = largest = 0.0
    crossings = 0
    before = _at(fibrillation, 0)
    for i in range(1, _N):
        x = _at(fibrillation, i)
        d = abs(x - before)
        size += abs(x)
        change += d
        square += x * x
        fourth += x * x * x * x
        slope2 += d * d
        slope4 += d * d * d * d
        largest = max(largest, abs(x))
        crossings += (x > 0.0) != (before > 0.0)
        before = x
    small = 0
    for i in range(1, _N):
        small += abs(_at(fibrillation, i)) < _SMALL * largest
    features = fibrillation.features
    features[PEAKED] = math.log((fourth + 1.0) * _N / (square * square + 1.0))
    features[STEEP] = math.log((slope4 + 1.0) * _N / (slope2 * slope2 + 1.0))
    features[SMALL] = small / _N
    features[SPEED] = math.log((change + 1.0) / (size + 1.0))
    features[CROSSINGS] = crossings / SPAN_S


@kernel
def is_clean(rhythm: Record, place: int) -> bool:
    """Whether a beat has the template's shape and the wave rested before it, as between QRS complexes."""
    return bool(rhythm.match[place] >= _CLEAN_MATCH and rhythm.dip[place] < _CLEAN_DIP)


@kernel
def _beats(fibrillation: Record, tracker: Record, rhythm: Record, k: int) -> None:
    """Fill in DIP and ALIKE, over 3 s."""
    dip = 0.0
    beats = 0
    clean = 0
    for back in range(1, min(int(tracker.count), BEAT_RING) + 1):
        place = (tracker.count - back) % BEAT_RING
        if k - tracker.beats[place] > CLEAN_WITHIN_S * RATE:
            break
        beats += 1
        dip += rhythm.dip[place]
        clean += is_clean(rhythm, place)
    fibrillation.features[DIP] = min(dip / beats, 1.0) if beats else 1.0
    fibrillation.features[ALIKE] = clean


@kernel
def measure(signal: Record, k: int) -> None:
    """Fill in the features of the 5 s that end with internal sample k."""
    f = signal.fibrillation
    f.tcsc[0] = f.tcsc[1]
    f.tcsc[1] = f.tcsc[2]
    f.tcsc[2] = _tcsc(f)
    f.features[TCSC] = (f.tcsc[0] + f.tcsc[1] + f.tcsc[2]) / 3.0
    f.features[TCSC_NOW] = f.tcsc[2]
    f.features[LEAK] = _leakage(f, _N)
    f.features[LEAK_NOW] = _leakage(f, WINDOW)
    f.features[NOISE] = signal.quality.features[MUSCLE]
    _moments(f)
    _beats(f, signal.first, signal.rhythm, k)


@kernel
def swing(fibrillation: Record) -> float:
    """Peak to peak of the last 5 s, uV."""
    low = high = 0.0
    for i in range(_N):
        x = float(fibrillation.ring[i])
        low = min(low, x)
        high = max(high, x)
    return high - low
