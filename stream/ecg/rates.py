"""Rates: too slow and too fast, over five and seventeen beats and over seconds. Nothing opens unless both bands count it.

BRADY and TACHY are surely there (confidence 1) where the mean of the intervals is beyond the limit. They are told as
candidates (confidence 0.5, of no alert's worth) where the median comes so near that a heart rate meter's tolerance, 10 %
or 5 a minute, whichever is more (IEC 60601-2-27), reaches it: one beat missed or made up moves the mean, not the median.
"""

from typing import Final

from stream.ecg import contact, episodes
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition, Quality
from stream.ecg.quality import agreement
from stream.ecg.resample import raw_index
from stream.ecg.silence import CANDIDATE

_BRADY: Final = constant(EcgCondition.BRADY)
_TACHY: Final = constant(EcgCondition.TACHY)
_EXTREME_BRADY: Final = constant(EcgCondition.EXTREME_BRADY)
_EXTREME_TACHY: Final = constant(EcgCondition.EXTREME_TACHY)
_BAD: Final = int(Quality.BAD)

_SLOW_INTERVALS: Final = 4  # five beats
_SLOW: Final = 40.0  # unless the patient's plan says otherwise
_FAST_INTERVALS: Final = 16  # seventeen beats
_RAISED: Final = 130.0  # the same
_FAST_MORE: Final = 10.0  # above the limit by so much, it need not last
_RAISED_S: Final = 600
_TOLERANCE: Final = 0.1
_TOLERANCE_BPM: Final = 5.0
_BACK: Final = 5.0  # over when back at the limit, its tolerance and so much more
_NOW_INTERVALS: Final = 4
_EXTREME_SLOW, _EXTREME_SLOW_OFF = 30.0, 35.0
_EXTREME_FAST, _EXTREME_FAST_OFF = 180.0, 170.0
_EXTREME_S: Final = 10
_OFF_S: Final = 5
_AGREE: Final = 0.8
_AGREE_OF_FIVE: Final = 0.75  # one of the five may differ
_AGREE_WHEN_BAD: Final = 0.95  # noise is not the same in two bands
_MARGIN: Final = RATE // 10
_ALTERNATE: Final = 0.3  # beats resemble every other one: T waves were counted


@kernel
def limit(clock: Record, slow_bpm: float, fast_bpm: float) -> None:
    """Take the limits that a chunk came with; 0 stands for the usual ones."""
    clock.slow_bpm = slow_bpm if slow_bpm > 0.0 else _SLOW
    clock.fast_bpm = fast_bpm if fast_bpm > 0.0 else _RAISED


@kernel
def rate_of(chart: Record, intervals: int) -> float:
    """Rate a minute over the last intervals; 0 where there are not so many, or one spans a hole."""
    tracker = chart.signal.first
    if tracker.count <= intervals:
        return 0.0
    total = 0.0
    for back in range(1, intervals + 1):
        interval = chart.signal.rhythm.intervals[(tracker.count - back) % BEAT_RING]
        if interval <= 0.0:
            return 0.0
        total += interval
    return 60.0 * intervals / total


@kernel
def typical_rate_of(chart: Record, intervals: int) -> float:
    """Rate a minute of the median of an even number of last intervals; 0 as for `rate_of`."""
    if rate_of(chart, intervals) == 0.0:
        return 0.0
    count = chart.signal.first.count
    seconds = chart.signal.rhythm.intervals
    middle = 0.0
    for i in range(1, intervals + 1):
        interval = seconds[(count - i) % BEAT_RING]
        smaller = 0
        equal = 0
        for j in range(1, intervals + 1):
            smaller += seconds[(count - j) % BEAT_RING] < interval
            equal += seconds[(count - j) % BEAT_RING] == interval
        # The two of the middle, each the same for all that are equal.
        if smaller <= intervals // 2 - 1 < smaller + equal:
            middle += interval / equal
        if smaller <= intervals // 2 < smaller + equal:
            middle += interval / equal
    return 120.0 / middle


@kernel
def _beat_before(tracker: Record, back: int) -> int:
    return int(tracker.beats[(tracker.count - 1 - back) % BEAT_RING])


@kernel
def _is_counted(chart: Record, intervals: int, least: float) -> bool:
    """Whether both bands count the beats of the last intervals alike, the more so where the signal is BAD."""
    signal = chart.signal
    begin, end = _beat_before(signal.first, intervals) - _MARGIN, _beat_before(signal.first, 0) - _MARGIN
    needed = _AGREE_WHEN_BAD if signal.quality.grade == _BAD else least
    return contact.is_attached(chart) and agreement(signal.first, signal.other, begin, end) >= needed


@kernel
def _tolerance(limit_bpm: float) -> float:
    return max(_TOLERANCE * limit_bpm, _TOLERANCE_BPM)


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples) -> None:
    """Judge BRADY and TACHY at a new beat."""
    _on_slow(chart, pen, marks)
    _on_fast(chart, pen, marks)


@kernel
def _on_slow(chart: Record, pen: Record, marks: Samples) -> None:
    slow = rate_of(chart, _SLOW_INTERVALS)
    if slow == 0.0:
        return
    episode = chart.episodes[_BRADY]
    limit_bpm = chart.clock.slow_bpm
    nearly = limit_bpm + _tolerance(limit_bpm)
    typical = typical_rate_of(chart, _SLOW_INTERVALS)
    begin = _beat_before(chart.signal.first, _SLOW_INTERVALS)
    is_settled = chart.signal.silence.swung < begin and _is_counted(chart, _SLOW_INTERVALS, _AGREE_OF_FIVE)
    if is_settled and (slow < limit_bpm or typical < nearly):
        _open(chart, pen, marks, _BRADY, begin, slow if slow < limit_bpm else typical, slow < limit_bpm)
    elif episode.open and min(slow, typical) >= nearly + _BACK:
        newest = raw_index(chart.clock, _beat_before(chart.signal.first, 0))
        row = episodes.close_episode(pen, marks, episode, _BRADY, newest)
        episodes.tell(marks, row, episode, slow, 0.0, 1.0)


@kernel
def _on_fast(chart: Record, pen: Record, marks: Samples) -> None:
    fast = rate_of(chart, _FAST_INTERVALS)
    if fast == 0.0:
        return
    episode = chart.episodes[_TACHY]
    limit_bpm = chart.clock.fast_bpm + _FAST_MORE
    nearly = limit_bpm - _tolerance(limit_bpm)
    typical = typical_rate_of(chart, _FAST_INTERVALS)
    if (fast > limit_bpm or typical > nearly) and _is_counted(chart, _FAST_INTERVALS, _AGREE):
        begin = _beat_before(chart.signal.first, _FAST_INTERVALS)
        _open(chart, pen, marks, _TACHY, begin, fast if fast > limit_bpm else typical, fast > limit_bpm)
    elif episode.open and max(fast, typical) < nearly - _BACK:
        newest = raw_index(chart.clock, _beat_before(chart.signal.first, 0))
        row = episodes.close_episode(pen, marks, episode, _TACHY, newest)
        episodes.tell(marks, row, episode, fast, 0.0, 1.0)


@kernel
def _open(chart: Record, pen: Record, marks: Samples, condition: int, begin: int, rate: float, is_sure: bool) -> None:
    """Open, or tell that a candidate is surely beyond its limit now."""
    episode = chart.episodes[condition]
    if not episode.open:
        first = raw_index(chart.clock, begin)
        row = episodes.open_episode(pen, marks, episode, condition, first, first)
        episodes.tell(marks, row, episode, rate, 0.0, 1.0 if is_sure else CANDIDATE)
    elif is_sure and episode.confidence < 1.0:
        row = episodes.update_episode(pen, marks, episode, condition)
        episodes.tell(marks, row, episode, rate, 0.0, 1.0)


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the rates that must hold for seconds."""
    signal = chart.signal
    if signal.first.count <= _NOW_INTERVALS:
        return
    rate = rate_of(chart, _NOW_INTERVALS)
    waited = (k - _beat_before(signal.first, 0)) / RATE
    heard = _beat_before(signal.first, 0) > signal.hole.end
    usable = heard and signal.quality.grade != _BAD and contact.is_attached(chart)
    slow_rate = min(rate, 60.0 / waited) if waited > 0.0 else rate
    slow = usable and 0.0 < slow_rate < _EXTREME_SLOW and signal.silence.swung < _beat_before(signal.first, 0)
    _hold(signal.rates.extreme_slow, slow, heard and slow_rate >= _EXTREME_SLOW_OFF, k)
    _extreme(chart, pen, marks, signal.rates.extreme_slow, _EXTREME_BRADY, k, slow_rate)
    fast = usable and rate >= _EXTREME_FAST and _is_true_rate(chart, k)
    _hold(signal.rates.extreme_fast, fast, 0.0 < slow_rate < _EXTREME_FAST_OFF, k)
    _extreme(chart, pen, marks, signal.rates.extreme_fast, _EXTREME_TACHY, k, rate)
    raised = signal.rates.raised
    limit_bpm = chart.clock.fast_bpm
    _hold(raised, usable and rate > limit_bpm, 0.0 < rate < limit_bpm, k)
    if raised.holds_for >= _RAISED_S:
        _open(chart, pen, marks, _TACHY, raised.since, rate, True)


@kernel
def _is_true_rate(chart: Record, k: int) -> bool:
    """Whether both bands count the same beats, and these do not alternate in shape as QRS and T do."""
    signal = chart.signal
    end = k - RATE // 2
    total = 0.0
    n = 0
    for back in range(2 * _NOW_INTERVALS):
        total += signal.rhythm.alternate[(signal.first.count - 1 - back) % BEAT_RING]
        n += 1
    return agreement(signal.first, signal.other, end - 8 * RATE, end) >= _AGREE and total / n < _ALTERNATE


@kernel
def _hold(pace: Record, holds: bool, is_over: bool, k: int) -> None:
    if holds:
        if pace.holds_for == 0:
            pace.since = k - RATE + 1
        pace.holds_for += 1
        pace.gone_for = 0
    elif is_over:
        pace.gone_for += 1
        pace.holds_for = 0


@kernel
def _extreme(chart: Record, pen: Record, marks: Samples, pace: Record, condition: int, k: int, rate: float) -> None:
    episode = chart.episodes[condition]
    if not episode.open and pace.holds_for >= _EXTREME_S:
        first = raw_index(chart.clock, pace.since)
        row = episodes.open_episode(pen, marks, episode, condition, first, first)
        episodes.tell(marks, row, episode, rate, 0.0, 1.0)
    elif episode.open and pace.gone_for >= _OFF_S:
        last = raw_index(chart.clock, k - _OFF_S * RATE)
        row = episodes.close_episode(pen, marks, episode, condition, last)
        episodes.tell(marks, row, episode, rate, 0.0, 1.0)
