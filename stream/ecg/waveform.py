"""How much the last seconds look like fibrillation: features of the 1-20 Hz wave at 125 Hz.

TCSC after Arafat (2011), leakage after Kuo and Dillman (1978); the others are moments and counts of the same window, its
regularity and its spectrum (spectrum.py). None depends on the gain of the device, its polarity, or on beats having been
found: features of beats made the trees worse in cross-validation. Costly ones are measured only once cheap ones ask.
Departures: fourth-order low pass instead of the papers' filters; TCSC is the mean of three 3-s windows.
"""

import math
from typing import Final

import numpy as np

from stream.ecg import spectrum
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.fibrillation_chart import HZ, SECONDS, SPAN
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel

# fmt: off
(
    TCSC, TCSC_NOW, LEAK, LEAK_NOW, PEAKED, STEEP, SMALL, SPEED, CROSSINGS, GENTLE, LEAN, EVEN,
    LIKE_NOW, LIKE, LIKE_TWICE, LAG, MAIN_HZ, NARROW, QUICK, SLOW, QRS, CENTRE, FLAT,
) = range(23)
# fmt: on
"""Share beyond 0.2 of the maximum, over 5 s and the last 3 s; leakage over 5 and 3 s; ln kurtosis of the wave and of its
slope; share below 0.1 of the maximum; ln of mean slope over mean size; zero crossings a second; share of slopes below
their mean; magnitude of the skewness; swing of the quietest second over the whole; likeness to itself over 3 s; ten of
spectrum.describe."""

WINDOW: Final = 3 * HZ  # of one TCSC
CLEAN_WITHIN_S: Final = 3
_EDGE: Final = HZ // 4  # 250 ms of cosine on each side
_CROSSING: Final = 0.2
_SMALL: Final = 0.1
_CLEAN_MATCH: Final = 0.9
_CLEAN_DIP: Final = 0.15  # the envelope falls to less than this between beats; flutter never rests
_CLEAN_BEATS: Final = 2  # in 3 s
_FAST_S: Final = 0.6  # mean interval
_RESTLESS: Final = 0.2  # TCSC
_LEAST_UV: Final = 150.0  # peak to peak
_FULL: Final = 32767.0
_PER_HZ: Final = RATE // HZ


def _taper() -> Samples:
    edge = 0.5 * (1.0 - np.cos(np.pi * np.arange(_EDGE) / _EDGE))
    return np.concatenate([edge, np.ones(WINDOW - 2 * _EDGE), edge[::-1]]).astype(np.float32)


_TAPER: Final = _taper()


@kernel
def feed(fibrillation: Record, k: int, x: float) -> None:
    """Take every second internal sample of the 1-20 Hz band, uV."""
    if k % _PER_HZ:
        return
    f = fibrillation
    i = k % RATE // _PER_HZ
    y = np.int16(min(max(x, -_FULL), _FULL))
    if i == 0:
        for j in range(SPAN - HZ):
            f.wave[j] = f.wave[j + HZ]
        for s in range(SECONDS - 1):
            f.lows[s] = f.lows[s + 1]
            f.highs[s] = f.highs[s + 1]
        f.lows[SECONDS - 1] = y
        f.highs[SECONDS - 1] = y
    f.wave[SPAN - HZ + i] = y
    f.lows[SECONDS - 1] = min(f.lows[SECONDS - 1], y)
    f.highs[SECONDS - 1] = max(f.highs[SECONDS - 1], y)
    if i == HZ - 1:
        f.seconds = min(f.seconds + 1, SECONDS)


@kernel
def swing(fibrillation: Record) -> float:
    """Peak to peak of the last 5 s, uV."""
    low = high = 0.0
    for s in range(SECONDS):
        low = min(low, float(fibrillation.lows[s]))
        high = max(high, float(fibrillation.highs[s]))
    return high - low


@kernel
def _tcsc(wave: Samples, first: int) -> float:
    """Share of the 3 s from sample `first`, tapered, beyond 0.2 of its largest magnitude."""
    largest = np.float32(0.0)
    for i in range(WINDOW):
        largest = max(largest, abs(wave[first + i] * _TAPER[i]))
    limit = np.float32(_CROSSING) * largest
    beyond = 0
    for i in range(WINDOW):
        beyond += abs(wave[first + i] * _TAPER[i]) > limit
    return beyond / WINDOW


@kernel
def _leakage(wave: Samples, n: int) -> float:
    """Of the last n samples: what is left (0: a pure sine) after adding the wave to itself half a mean period earlier."""
    size = 0
    change = 0
    for i in range(SPAN - n + 1, SPAN):
        size += abs(int(wave[i]))
        change += abs(int(wave[i]) - wave[i - 1])
    if change == 0:
        return 1.0
    half = min(max(int(math.pi * size / change + 0.5), 1), n // 2)
    rest = 0
    whole = 0
    for i in range(SPAN - n + half, SPAN):
        now = int(wave[i])
        then = int(wave[i - half])
        rest += abs(now + then)
        whole += abs(now) + abs(then)
    return rest / whole if whole else 1.0


@kernel
def _moments(fibrillation: Record) -> None:
    """Fill in PEAKED to LEAN, over 5 s."""
    wave = fibrillation.wave
    size = change = square = third = fourth = slope2 = slope4 = 0.0
    crossings = 0
    largest = 0
    before = float(wave[0])
    for i in range(1, SPAN):
        x = float(wave[i])
        d = abs(x - before)
        x2 = x * x
        size += abs(x)
        change += d
        square += x2
        third += x2 * x
        fourth += x2 * x2
        slope2 += d * d
        slope4 += d * d * d * d
        largest = max(largest, abs(int(wave[i])))
        crossings += (x > 0.0) != (before > 0.0)
        before = x
    small = 0
    gentle = 0
    mean = change / (SPAN - 1)
    for i in range(1, SPAN):
        small += abs(int(wave[i])) < _SMALL * largest
        gentle += abs(int(wave[i]) - wave[i - 1]) < mean
    features = fibrillation.features
    features[PEAKED] = math.log((fourth + 1.0) * SPAN / (square * square + 1.0))
    features[STEEP] = math.log((slope4 + 1.0) * SPAN / (slope2 * slope2 + 1.0))
    features[SMALL] = small / SPAN
    features[SPEED] = math.log((change + 1.0) / (size + 1.0))
    features[CROSSINGS] = crossings / SECONDS
    features[GENTLE] = gentle / SPAN
    features[LEAN] = min(abs(third) * math.sqrt(SPAN) / (square * math.sqrt(square) + 1.0), 10.0)


@kernel
def is_clean(rhythm: Record, place: int) -> bool:
    """Whether a beat has the template's shape and the wave rested before it, as between QRS complexes."""
    return bool(rhythm.match[place] >= _CLEAN_MATCH and rhythm.dip[place] < _CLEAN_DIP)


@kernel
def rests_on_beats(tracker: Record, rhythm: Record, k: int) -> bool:
    """Whether 5 s that end with internal sample k hold a heart below 100 a minute, two beats of it clean in the last 3."""
    clean = 0
    n = 0
    total = 0.0
    for back in range(1, min(int(tracker.count), BEAT_RING) + 1):
        place = (tracker.count - back) % BEAT_RING
        age = k - tracker.beats[place]
        if age > SECONDS * RATE:
            break
        clean += age <= CLEAN_WITHIN_S * RATE and is_clean(rhythm, place)
        if rhythm.intervals[place] > 0.0:
            n += 1
            total += rhythm.intervals[place]
    return clean >= _CLEAN_BEATS and total >= _FAST_S * n


@kernel
def is_suspect(signal: Record, k: int) -> bool:
    """The cheap questions: is there a wave, does no calm heart explain it, does it rest little? Fills in TCSC."""
    f = signal.fibrillation
    if f.seconds < SECONDS or swing(f) < _LEAST_UV or k - signal.hole.end < SECONDS * RATE:
        return False
    if rests_on_beats(signal.first, signal.rhythm, k):
        return False
    f.features[TCSC_NOW] = _tcsc(f.wave, SPAN - WINDOW)
    f.features[TCSC] = (_tcsc(f.wave, 0) + _tcsc(f.wave, HZ) + f.features[TCSC_NOW]) / 3.0
    return bool(f.features[TCSC] > _RESTLESS)


@kernel
def measure(fibrillation: Record) -> None:
    """Fill in the other features, once the wave is suspect."""
    f = fibrillation
    features = f.features
    features[LEAK] = _leakage(f.wave, SPAN)
    features[LEAK_NOW] = _leakage(f.wave, WINDOW)
    _moments(f)
    quietest = float(f.highs[0]) - float(f.lows[0])
    for s in range(1, SECONDS):
        quietest = min(quietest, float(f.highs[s]) - float(f.lows[s]))
    features[EVEN] = quietest / max(swing(f), 1.0)
    features[LIKE_NOW] = spectrum.regularity_now(f.ripple, f.wave)
    spectrum.describe(f, LIKE)
