"""V beats in a row and patterns of beats: couplet, NSVT, VT and when it does not stop, bigeminy, trigeminy, pacing.

Rules of detection.md ("Beat class and VT"), over classed beats only. A beat that could not be classed, or a hole in the
signal, is no evidence either way: it ends no VT and makes none. Paced beats are never ventricular ectopy.
"""

import math
from typing import Final

from stream.ecg import contact, episodes
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import BeatClass, EcgCondition, Quality
from stream.ecg.resample import raw_index
from stream.ecg.runs_chart import BACK

_VT: Final = constant(EcgCondition.VT)
_VT_SUSTAINED: Final = constant(EcgCondition.VT_SUSTAINED)
_NSVT: Final = constant(EcgCondition.NSVT)
_COUPLET: Final = constant(EcgCondition.COUPLET)
_PATTERNS: Final = (constant(EcgCondition.BIGEMINY), constant(EcgCondition.TRIGEMINY))
_PACING: Final = constant(EcgCondition.PACED)
_V, _Q, _PACED = int(BeatClass.V), int(BeatClass.Q), int(BeatClass.PACED)
_BAD: Final = int(Quality.BAD)

_LONGEST_S: Final = 1.2  # between beats of one run; slower is an escape rhythm
_NSVT_BEATS, _NSVT_BPM = 3, 100.0
_VT_BEATS, _VT_BPM = 5, 120.0
_VT_UNEVEN: Final = 0.25  # spread of intervals over their mean: AF with wide beats is no VT
_VT_NARROW: Final = 3  # so many beats of five like the template are the patient's own
_NARROW: Final = 0.9
_OTHERS: Final = 3  # beats that are not V end VT
_LATELY: Final = 8  # so does a rhythm in which half of so many beats are not V
_GONE_S: Final = 4  # or so long without V in signal that can be judged
_SUSTAINED_S: Final = 30
_FAST_BPM, _FAST_S = 150.0, 10
_FAST_BEATS, _FAST_V = 9, 8  # over the last nine beats, of which eight are V
_SLOWED_BPM: Final = 80.0  # below this over all beats looked back on, what was VT is one no more
_MOSTLY_OF, _MOSTLY_OTHERS = 16, 4  # so few of the last beats are not V while VT that is lost now and then goes on
_APART_S: Final = 60  # couplets closer than this are one finding
_PACED_ON, _PACED_OFF = 9, 3  # of the beats looked back on
_HISTORY: Final = 0xFFFF
_SPAN: Final = (8, 9)  # beats that a pattern must hold for, one after another
_THREE: Final = 3
_LEFT: Final = 4  # over when so few of them keep to it


@kernel
def on_class(chart: Record, pen: Record, marks: Samples) -> None:
    """Take the beat that was just classed."""
    runs = chart.signal.runs
    decided = chart.signal.classes.decided
    if decided.beat == _Q or decided.grade == _BAD:
        _end_run(chart, pen, marks)
        runs.known = 0
        return
    if decided.before <= 0.0:
        _end_run(chart, pen, marks)
        runs.known = 0
    is_v = decided.beat == _V
    _remember(runs, decided, is_v, chart.signal.rhythm.match[decided.place] >= _NARROW)
    runs.beats += 1
    of = min(runs.beats + 1, _MOSTLY_OF)
    if of - _ones(runs.history, of) > _MOSTLY_OTHERS:
        runs.since = 0
    if is_v:
        _extend(chart, pen, marks)
    else:
        _end_run(chart, pen, marks)
        runs.others += 1
        is_mixed = _ones(runs.history, _LATELY) <= _LATELY // 2
        if _may_end(chart) and (is_mixed or runs.others >= _OTHERS):
            _close_vt(chart, pen, marks)
    _pattern(chart, pen, marks, 0, runs.twos)
    _pattern(chart, pen, marks, 1, runs.threes)
    runs.paced = _shift(runs.paced, decided.beat == _PACED)
    _pacing(chart, pen, marks)


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """At internal sample k: end what no beat comes to end."""
    signal = chart.signal
    runs = signal.runs
    if (runs.run or chart.episodes[_NSVT].open) and k - runs.last_v >= _GONE_S * RATE:
        _end_run(chart, pen, marks)
    if chart.episodes[_COUPLET].open and k - runs.paired >= _APART_S * RATE:
        _close(chart, pen, marks, _COUPLET, runs.paired, chart.episodes[_COUPLET].value, runs.longest)
    if signal.quality.grade == _BAD or signal.fibrillation.now or not contact.is_attached(chart):
        runs.unsure = k
    seen = max(runs.last_v, runs.unsure, signal.hole.end)
    if _may_end(chart) and k - seen >= _GONE_S * RATE:
        _close_vt(chart, pen, marks)


@kernel
def _may_end(chart: Record) -> bool:
    """Whether VT is open and the verdict does not hold it open."""
    return bool(chart.episodes[_VT].open and not chart.signal.ventricular.holds)


@kernel
def bpm(runs: Record, intervals: int) -> float:
    """Rate a minute over the last intervals between classed beats; 0 where they are not all known."""
    if runs.known <= intervals:
        return 0.0
    return float(60.0 * RATE * intervals / (runs.r[0] - runs.r[intervals]))


@kernel
def _shift(bits: int, is_set: bool) -> int:
    """One more bit at the end of the last 16."""
    return (bits << 1 | (1 if is_set else 0)) & _HISTORY


@kernel
def _remember(runs: Record, decided: Record, is_v: bool, is_narrow: bool) -> None:
    """Shift the beat into what is looked back on."""
    for i in range(BACK - 1, 0, -1):
        runs.r[i] = runs.r[i - 1]
    runs.r[0] = decided.r
    was_v = runs.history & 1
    runs.known = min(runs.known + 1, BACK)
    runs.history = _shift(runs.history, is_v)
    runs.narrow = _shift(runs.narrow, is_narrow)
    runs.twos = _shift(runs.twos, runs.known > 1 and was_v != runs.history & 1)
    runs.threes = _shift(runs.threes, runs.known >= _THREE and _ones(runs.history, _THREE) == 1)


@kernel
def _ones(bits: int, of: int) -> int:
    """How many of the newest `of` bits are set."""
    n = 0
    for i in range(of):
        n += bits >> i & 1
    return n


@kernel
def _is_even(runs: Record) -> bool:
    """Whether the last intervals of a run are alike, as in VT."""
    n = _VT_BEATS - 1
    mean = (runs.r[0] - runs.r[n]) / n
    spread = 0.0
    for i in range(n):
        spread += (runs.r[i] - runs.r[i + 1] - mean) ** 2
    return bool(math.sqrt(spread / n) < _VT_UNEVEN * mean)


@kernel
def _extend(chart: Record, pen: Record, marks: Samples) -> None:
    """A V beat: the run goes on, or begins."""
    runs = chart.signal.runs
    decided = chart.signal.classes.decided
    if runs.run and decided.before > _LONGEST_S:
        _end_run(chart, pen, marks)
    if runs.run == 0:
        runs.first = decided.r
        runs.trust = 0.0
    runs.run += 1
    runs.trust += decided.p_v
    runs.last_v = decided.r
    runs.others = 0
    vt = chart.episodes[_VT]
    if vt.open:
        _sustain(chart, pen, marks)
        return
    rate = bpm(runs, _NSVT_BEATS - 1)
    if runs.run >= _NSVT_BEATS and not chart.episodes[_NSVT].open:
        if rate >= _NSVT_BPM:
            _open(chart, pen, marks, _NSVT, runs.r[_NSVT_BEATS - 1], rate, runs.run)
        else:
            _pair(chart, pen, marks, rate)
    rate = bpm(runs, _VT_BEATS - 1)
    if runs.run >= _VT_BEATS and rate >= _VT_BPM and _is_even(runs) and _ones(runs.narrow, _VT_BEATS) < _VT_NARROW:
        begin_vt(chart, pen, marks, runs.r[_VT_BEATS - 1], rate, runs.run, runs.trust / runs.run)


@kernel
def begin_vt(
    chart: Record, pen: Record, marks: Samples, first: int, rate: float, beats: float, confidence: float
) -> None:
    """VT by a run of V, or by the verdict of ventricular.py, from the beat with R at the internal sample `first`."""
    runs = chart.signal.runs
    runs.vt_first = first
    if runs.since == 0:
        runs.since = first
        runs.beats = _VT_BEATS - 1  # intervals
    runs.fast_since = 0
    row = _open(chart, pen, marks, _VT, first, rate, beats)
    marks[row].confidence = confidence


@kernel
def goes_on(runs: Record, r: int) -> None:
    """VT holds by the verdict up to the beat with R at internal sample r, whatever its class."""
    runs.last_v = max(runs.last_v, r)


@kernel
def _sustain(chart: Record, pen: Record, marks: Samples) -> None:
    """VT goes on; say so when it is one that does not stop."""
    runs = chart.signal.runs
    if 0.0 < bpm(runs, BACK - 1) < _SLOWED_BPM:
        _close_vt(chart, pen, marks)
        return
    n = _FAST_BEATS - 1
    rate = bpm(runs, n)
    if rate < _FAST_BPM or _ones(runs.history, _FAST_BEATS) < _FAST_V:
        runs.fast_since = 0
    elif runs.fast_since == 0:
        runs.fast_since = max(runs.r[n], runs.vt_first)
    lasted = runs.last_v - runs.since
    long = runs.since > 0 and lasted >= _SUSTAINED_S * RATE and 60.0 * RATE * runs.beats >= _NSVT_BPM * lasted
    fast = runs.fast_since > 0 and runs.last_v - runs.fast_since >= _FAST_S * RATE
    if (long or fast) and not chart.episodes[_VT_SUSTAINED].open:
        first = min(runs.since, runs.vt_first) if long else runs.vt_first
        _open(chart, pen, marks, _VT_SUSTAINED, first, rate, (runs.last_v - first) / RATE)


@kernel
def _end_run(chart: Record, pen: Record, marks: Samples) -> None:
    """The run of V beats is over, or cannot be followed further."""
    runs = chart.signal.runs
    if not chart.episodes[_VT].open:
        rate = 60.0 * RATE * (runs.run - 1) / (runs.last_v - runs.first) if runs.run > 1 else 0.0
        if chart.episodes[_NSVT].open:
            _close(chart, pen, marks, _NSVT, runs.last_v, rate, runs.run)
        elif runs.run > 1:
            _pair(chart, pen, marks, rate)
    runs.run = 0


@kernel
def _pair(chart: Record, pen: Record, marks: Samples, rate: float) -> None:
    """Two V beats in a row, or a run too slow for a tachycardia: said once, and once more when they stop."""
    runs = chart.signal.runs
    if not chart.episodes[_COUPLET].open:
        runs.longest = 0
        _open(chart, pen, marks, _COUPLET, runs.first, rate, runs.run)
    runs.longest = max(runs.longest, runs.run)
    runs.paired = runs.last_v


@kernel
def _close_vt(chart: Record, pen: Record, marks: Samples) -> None:
    """VT is over, and so is all that goes with it."""
    runs = chart.signal.runs
    for condition in (_VT_SUSTAINED, _VT, _NSVT):
        episode = chart.episodes[condition]
        if episode.open:
            seconds = (runs.last_v - runs.vt_first) / RATE
            _close(chart, pen, marks, condition, runs.last_v, episode.value, seconds)
    runs.run = 0
    runs.fast_since = 0


@kernel
def _pattern(chart: Record, pen: Record, marks: Samples, which: int, kept: int) -> None:
    """Open a pattern that held for long enough, close one that is mostly gone."""
    runs = chart.signal.runs
    span = _SPAN[which]
    episode = chart.episodes[_PATTERNS[which]]
    if kept & 1:
        runs.pattern_last[which] = runs.r[0]
        runs.pattern[which] += 1
    if runs.known <= span + which:
        return
    ones = _ones(kept, span)
    if not episode.open and ones == span:
        runs.pattern[which] = span + 1 + which
        _open(chart, pen, marks, _PATTERNS[which], runs.r[span + which], runs.pattern[which], 0.0)
    elif episode.open and ones <= _LEFT:
        _close(chart, pen, marks, _PATTERNS[which], runs.pattern_last[which], runs.pattern[which], 0.0)


@kernel
def _pacing(chart: Record, pen: Record, marks: Samples) -> None:
    """Open where most of the last beats are paced, close where few are."""
    runs = chart.signal.runs
    episode = chart.episodes[_PACING]
    paced = _ones(runs.paced, BACK)
    if runs.paced & 1:
        runs.paced_last = runs.r[0]
    if runs.known < BACK:
        return
    if not episode.open and paced >= _PACED_ON:
        _open(chart, pen, marks, _PACING, runs.r[BACK - 1], 100.0 * paced / BACK, 0.0)
    elif episode.open and paced <= _PACED_OFF:
        _close(chart, pen, marks, _PACING, runs.paced_last, episode.value, 0.0)


@kernel
def _open(chart: Record, pen: Record, marks: Samples, condition: int, r: int, value: float, second: float) -> int:
    """Open at the beat whose R is the internal sample `r`; returns the row."""
    runs = chart.signal.runs
    episode = chart.episodes[condition]
    first = raw_index(chart.clock, r)
    row = episodes.open_episode(pen, marks, episode, condition, first, first)
    episodes.tell(marks, row, episode, value, second, runs.trust / runs.run if runs.run else 1.0)
    return int(row)


@kernel
def _close(chart: Record, pen: Record, marks: Samples, condition: int, r: int, value: float, second: float) -> None:
    """Close at the beat whose R is the internal sample `r`."""
    episode = chart.episodes[condition]
    row = episodes.close_episode(pen, marks, episode, condition, raw_index(chart.clock, r))
    episodes.tell(marks, row, episode, value, second, 1.0)
