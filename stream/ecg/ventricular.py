"""Is a run of odd beats ventricular tachycardia? A verdict once a second, over the last 16 s, where beats or windows ask.

The strictest rule (five V beats at 120) misses half of the true VT alarms of an intensive care unit, every run of three
doubles the false ones: small trees weigh how sure the beats are, their shape, rate, height and the noise
(models/ventricular.md). It adds to the rule of runs.py and may keep VT open; it never takes a finding away.
"""

import math
from typing import Final

from stream.ecg import runs, trees
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.quality import DRIFT, MUSCLE_NOW
from stream.ecg.resample import raw_index
from stream.ecg.ventricular_chart import SECONDS

# fmt: off
(
    LEAST_SURE, FIVE, FOUR, RUN, BEST_MATCH, HEIGHT, MATCH, SEVEN, RUN_BPM, DIP_ALL, OWN_SHAPE, WANDER, DIP, FIVE_BPM,
    VENTRICULAR_BEATS, WINDOW, MUSCLE,
) = range(17)
# fmt: on
"""Of the five beats most like VT: the lowest logit of V; mean logit less a penalty below 100 a minute, and that of the best
four; longest run of V; best match with the template; ln height; mean match; the best seven; rate of the run; mean envelope
between all beats; share of beats of the own shape; ln power < 1 Hz; envelope between the five; their rate; beats called
V; score of the windows over them; ln muscle noise."""

_VT: Final = constant(EcgCondition.VT)
_ON: Final = 0.42
_KEEP: Final = 0.2  # what was VT a second ago still is
_LEAST_RUN: Final = 3  # V in a row, or
_NONE_SURELY_NOT: Final = -1.0  # five beats none of which is surely no V: patterns of single V make no VT
_FRESH_S: Final = 6  # since the last beat of the run
_MOST_BEATS: Final = 31
_RUN_BEATS: Final = 5
_ASK_FOUR: Final = -1.0  # mean logit of four beats that asks for the verdict
_ASK_WINDOW: Final = 0.5  # so does such a window
_WINDOWS: Final = 14
_SURE: Final = 0.01  # a probability is never taken for surer than this
_OWN: Final = 0.9
_TOO_SLOW_BPM, _PER_BPM = 100.0, 0.1
_NONE: Final = -9.0
_TALLEST: Final = 100.0
_WINDOW_FROM_S, _WINDOW_TO_S = 2.5, 3.0  # after the first and the last of the beats
_FEATURE, _THRESHOLD, _LEAF, _BIAS = trees.load("ventricular")


@kernel
def on_class(chart: Record) -> None:
    """Keep what the verdict needs of the beat that was just classed."""
    classes = chart.signal.classes
    v = chart.signal.ventricular
    p = min(max(float(classes.decided.p_v), _SURE), 1.0 - _SURE)
    v.logits[classes.decided.place] = math.log(p / (1.0 - p))
    peak = chart.signal.first.peak
    v.heights[classes.decided.place] = min(classes.pending.height / peak, _TALLEST) if peak > 0.0 else 0.0


@kernel
def _dip(rhythm: Record, place: int) -> float:
    """Envelope before a beat, at most 1; what is no number (a lane that never had a QRS) counts as no rest."""
    dip = float(rhythm.dip[place])
    return 1.0 if math.isnan(dip) else min(dip, 1.0)


@kernel
def _place(newest: int, n: int, i: int) -> int:
    """Place in the rings of beat i of the n that end with number `newest`, 0 = oldest."""
    return (newest - n + 1 + i) % BEAT_RING


@kernel
def _best(chart: Record, newest: int, n: int, of: int) -> tuple[float, int]:
    """Of so many beats in a row, the score of those most like VT (the later of equals) and the first of them; -1: none."""
    beats, logits = chart.signal.first.beats, chart.signal.ventricular.logits
    best = _NONE
    first = -1
    for i in range(n - of + 1):
        total = 0.0
        for j in range(of):
            total += logits[_place(newest, n, i + j)]
        span = beats[_place(newest, n, i + of - 1)] - beats[_place(newest, n, i)]
        bpm = 60.0 * RATE * (of - 1) / span
        score = total / of + min((bpm - _TOO_SLOW_BPM) * _PER_BPM, 0.0)
        if score >= best:
            best = score
            first = i
    return best, first


@kernel
def _window_over(v: Record, first_s: float, last_s: float, second: int) -> float:
    """Largest score of the windows that hold most of a stretch."""
    begin = math.ceil(first_s + _WINDOW_FROM_S)
    end = min(int(last_s + _WINDOW_TO_S), second)
    best = v.windows[second % SECONDS] if end < begin else 0.0
    for s in range(begin, end + 1):
        best = max(best, v.windows[s % SECONDS])
    return best


@kernel
def _run(chart: Record, newest: int, n: int) -> None:
    """Fill in RUN and RUN_BPM: the longest row of beats that are rather V than not."""
    beats, v = chart.signal.first.beats, chart.signal.ventricular
    longest = row = begin = 0
    bpm = 0.0
    for i in range(n):
        if v.logits[_place(newest, n, i)] <= 0.0:
            row = 0
            continue
        if row == 0:
            begin = i
        row += 1
        if row > longest:
            longest = row
            span = beats[_place(newest, n, i)] - beats[_place(newest, n, begin)]
            bpm = 60.0 * RATE * (row - 1) / span if row > 1 else 0.0
    v.features[RUN] = longest
    v.features[RUN_BPM] = bpm


@kernel
def _five(chart: Record, newest: int, n: int, first: int, second: int) -> None:
    """Fill in what is said of the five beats that begin with beat `first` of n."""
    signal = chart.signal
    v = signal.ventricular
    least, best, height, match, dip = 1e9, -1.0, 0.0, 0.0, 0.0
    for i in range(first, first + _RUN_BEATS):
        place = _place(newest, n, i)
        least = min(least, v.logits[place])
        best = max(best, signal.rhythm.match[place])
        height += v.heights[place]
        match += signal.rhythm.match[place]
        dip += _dip(signal.rhythm, place)
    v.run_first = signal.first.beats[_place(newest, n, first)]
    v.run_last = signal.first.beats[_place(newest, n, first + _RUN_BEATS - 1)]
    v.features[LEAST_SURE] = least
    v.features[BEST_MATCH] = best
    v.features[HEIGHT] = math.log(height / _RUN_BEATS + 1e-3)
    v.features[MATCH] = match / _RUN_BEATS
    v.features[DIP] = dip / _RUN_BEATS
    v.features[FIVE_BPM] = 60.0 * RATE * (_RUN_BEATS - 1) / (v.run_last - v.run_first)
    v.features[WINDOW] = _window_over(v, v.run_first / RATE, v.run_last / RATE, second)


@kernel
def _measure(chart: Record, k: int) -> bool:
    """Fill in the features of the 16 s that end with internal sample k; whether they ask for a verdict at all."""
    signal = chart.signal
    v = signal.ventricular
    second = (k + 1) // RATE
    newest = int(signal.first.count) - (2 if signal.classes.waiting else 1)
    n = 0
    while n < min(newest + 1, _MOST_BEATS) and k - signal.first.beats[(newest - n) % BEAT_RING] < SECONDS * RATE:
        n += 1
    if n < _RUN_BEATS:
        return False
    highest = 0.0
    for s in range(second - _WINDOWS + 1, second + 1):
        highest = max(highest, v.windows[s % SECONDS])
    four, _ = _best(chart, newest, n, _RUN_BEATS - 1)
    if four <= _ASK_FOUR and highest <= _ASK_WINDOW:
        return False
    five, first = _best(chart, newest, n, _RUN_BEATS)
    if first < 0:
        return False
    v.features[FOUR] = four
    v.features[FIVE] = five
    v.features[SEVEN], _ = _best(chart, newest, n, _RUN_BEATS + 2)
    _five(chart, newest, n, first, second)
    _run(chart, newest, n)
    dip = 0.0
    own = 0
    ventricular = 0
    for i in range(n):
        place = _place(newest, n, i)
        dip += _dip(signal.rhythm, place)
        own += signal.rhythm.match[place] > _OWN
        ventricular += v.logits[place] > 0.0
    v.features[DIP_ALL] = dip / n
    v.features[OWN_SHAPE] = own / n
    v.features[VENTRICULAR_BEATS] = ventricular
    v.features[WANDER] = signal.quality.features[DRIFT]
    v.features[MUSCLE] = signal.quality.features[MUSCLE_NOW]
    return True


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the 16 s that end with internal sample k; the window of this second has its score."""
    v = chart.signal.ventricular
    v.windows[(k + 1) // RATE % SECONDS] = chart.signal.fibrillation.score
    v.asked = _measure(chart, k)
    v.score = 0.0
    if v.asked:
        v.score = 1.0 / (1.0 + math.exp(-trees.log_odds(v.features, _FEATURE, _THRESHOLD, _LEAF, _BIAS)))
    is_run = v.features[RUN] >= _LEAST_RUN or v.features[LEAST_SURE] > _NONE_SURELY_NOT
    v.holds = v.score > (_KEEP if v.holds else _ON) and is_run and k - v.run_last < _FRESH_S * RATE
    if not v.holds:
        return
    episode = chart.episodes[_VT]
    if episode.open:
        runs.goes_on(chart.signal.runs, v.run_last)
    elif raw_index(chart.clock, v.run_first) > episode.closed:
        runs.begin_vt(chart, pen, marks, v.run_first, v.features[FIVE_BPM], v.features[RUN], v.score)
        runs.goes_on(chart.signal.runs, v.run_last)
