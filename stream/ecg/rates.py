"""Rates: too slow and too fast, over five and seventeen beats and over seconds. Nothing opens on a BAD signal."""

from typing import Final

from stream.ecg import contact, episodes
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import EcgCondition, Quality
from stream.ecg.quality import agreement
from stream.ecg.resample import raw_index

_BRADY: Final = int(EcgCondition.BRADY)
_TACHY: Final = int(EcgCondition.TACHY)
_EXTREME_BRADY: Final = int(EcgCondition.EXTREME_BRADY)
_EXTREME_TACHY: Final = int(EcgCondition.EXTREME_TACHY)
_BAD: Final = int(Quality.BAD)

_SLOW_INTERVALS: Final = 4  # five beats
_SLOW: Final = 40.0  # unless the patient's plan says otherwise
_SLOW_BACK: Final = 5.0  # over at the limit and so much more
_FAST_INTERVALS: Final = 16  # seventeen beats
_RAISED: Final = 130.0  # the same
_FAST_MORE: Final = 10.0  # above the limit by so much, it need not last
_RAISED_S: Final = 600
_NOW_INTERVALS: Final = 4
_EXTREME_SLOW, _EXTREME_SLOW_OFF = 30.0, 35.0
_EXTREME_FAST, _EXTREME_FAST_OFF = 180.0, 170.0
_EXTREME_S: Final = 10
_OFF_S: Final = 5
_AGREE: Final = 0.8
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
def _beat_before(tracker: Record, back: int) -> int:
    return int(tracker.beats[(tracker.count - 1 - back) % BEAT_RING])


@kernel
def on_beat(chart: Record, pen: Record, marks: Samples) -> None:
    """Judge BRADY and TACHY at a new beat."""
    tracker = chart.signal.first
    usable = chart.signal.quality.grade != _BAD
    slow = rate_of(chart, _SLOW_INTERVALS)
    episode = chart.episodes[_BRADY]
    newest = raw_index(chart.clock, _beat_before(tracker, 0))
    if not episode.open and usable and 0.0 < slow < chart.clock.slow_bpm:
        first = raw_index(chart.clock, _beat_before(tracker, _SLOW_INTERVALS))
        row = episodes.open_episode(pen, marks, episode, _BRADY, first, first)
        episodes.tell(marks, row, episode, slow, 0.0, 1.0)
    elif episode.open and slow >= chart.clock.slow_bpm + _SLOW_BACK:
        row = episodes.close_episode(pen, marks, episode, _BRADY, newest)
        episodes.tell(marks, row, episode, slow, 0.0, 1.0)
    fast = rate_of(chart, _FAST_INTERVALS)
    episode = chart.episodes[_TACHY]
    if not episode.open and usable and fast > chart.clock.fast_bpm + _FAST_MORE:
        first = raw_index(chart.clock, _beat_before(tracker, _FAST_INTERVALS))
        row = episodes.open_episode(pen, marks, episode, _TACHY, first, first)
        episodes.tell(marks, row, episode, fast, 0.0, 1.0)
    elif episode.open and 0.0 < fast < chart.clock.fast_bpm:
        row = episodes.close_episode(pen, marks, episode, _TACHY, newest)
        episodes.tell(marks, row, episode, fast, 0.0, 1.0)


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
    slow = usable and 0.0 < slow_rate < _EXTREME_SLOW
    _hold(signal.rates.extreme_slow, slow, heard and slow_rate >= _EXTREME_SLOW_OFF, k)
    _extreme(chart, pen, marks, signal.rates.extreme_slow, _EXTREME_BRADY, k, slow_rate)
    fast = usable and rate >= _EXTREME_FAST and _is_true_rate(chart, k)
    _hold(signal.rates.extreme_fast, fast, 0.0 < slow_rate < _EXTREME_FAST_OFF, k)
    _extreme(chart, pen, marks, signal.rates.extreme_fast, _EXTREME_TACHY, k, rate)
    raised = signal.rates.raised
    limit_bpm = chart.clock.fast_bpm
    _hold(raised, usable and rate > limit_bpm, 0.0 < rate < limit_bpm, k)
    episode = chart.episodes[_TACHY]
    if not episode.open and raised.holds_for >= _RAISED_S:
        first = raw_index(chart.clock, raised.since)
        row = episodes.open_episode(pen, marks, episode, _TACHY, first, first)
        episodes.tell(marks, row, episode, rate, 0.0, 1.0)


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
