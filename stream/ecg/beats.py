"""Beats: an adaptive threshold on the envelope of slopes, decided causally.

After Zhou, Hou and Zuo's envelope detector as it was tuned in our prototype: Butterworth 6-20 Hz, derivative over
12 ms, envelope = 100 ms mean of its magnitude; threshold between the medians of the last 8 noise peaks and 8 QRS
peaks; a candidate is a maximum not exceeded for 247 ms. Departures: noise that rises on one side only (a step) is
refused, T waves and second humps by slope (the steeper, the sooner they come), search back by the median interval;
what a peak must reach depends on the evidence for it; nothing is believed where samples are missing.
The same code runs twice, on 6-20 Hz for the beats themselves and on 10-25 Hz as the witness.
"""

from typing import Final

import numpy as np

from stream.ecg.chart import BAND_RING, CREST_RING, CREST_SPAN, LEARNED, NEVER, SLOPE_RING
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, inlined_kernel, kernel

_MASK: Final = BAND_RING - 1
_SHARE: Final = 1.0 / SLOPE_RING
_LAG: Final = 3  # 12 ms: span of the derivative
_SETTLE: Final = 62  # 248 ms without a higher envelope settle a candidate
_LOOK_BACK: Final = 40  # 160 ms before the envelope's peak lies the QRS
_HEIGHT: Final = 0.347  # threshold between noise (0) and QRS (1)
_BACK_HEIGHT: Final = 0.612  # of the threshold, for a search back
_BACK_AFTER: Final = 1.652  # median intervals without a beat start a search back
_T_WAVE_WITHIN: Final = 90  # 360 ms
_T_WAVE_SLOPE: Final = 0.202  # of the last QRS's
_HUMP_WITHIN: Final = 60  # 240 ms: so soon only a beat as strong as the last one follows, in fast tachycardia
_HUMP_SLOPE: Final = 0.6
_ONE_SIDED: Final = 10.0
_FIRST_INTERVAL: Final = 200.0
_RELEARN_AFTER: Final = 9 * RATE // 2  # later than asystole is decided
_RELEARN_EVERY: Final = RATE // 2
_FORGET: Final = np.float32(0.7)
_FORGET_DOWN_TO: Final = 0.2  # of the last beats: below that noise would become beats
_TOO_SOON: Final = 56  # 224 ms from a beat to the next envelope maximum
_HOLE_MARGIN: Final = 15  # 60 ms behind a hole belong to it

NOT, BEAT, DOUBTFUL = 0, 1, 2


@kernel
def median(values: Samples, n: int) -> float:
    """Median of the first n (<= LEARNED) values, n > 0; without allocating."""
    low = 0.0
    for rank in range(n // 2 + 1):
        # The value of this rank: the smallest that has at most `rank` smaller ones and more than `rank` not larger.
        for i in range(n):
            smaller = 0
            equal = 0
            for j in range(n):
                smaller += values[j] < values[i]
                equal += values[j] == values[i]
            if smaller <= rank < smaller + equal:
                if rank == n // 2 - 1:
                    low = values[i]
                if rank == n // 2:
                    return float(values[i] if n % 2 else 0.5 * (low + values[i]))
                break
    return 0.0


@inlined_kernel
def follow(tracker: Record, k: int, x: float) -> int:
    """Take one sample of the band; returns the settled maximum of the envelope, or -1."""
    before = tracker.band[(k - _LAG) & _MASK]
    tracker.band[k & _MASK] = x
    slope = np.float32(abs(x - before))
    at = tracker.slope_at
    tracker.slope_sum += slope - tracker.slopes[at]
    tracker.slopes[at] = slope
    tracker.slope_at = (at + 1) % SLOPE_RING
    height = float(np.float32(tracker.slope_sum * _SHARE))
    rising = height > tracker.envelope
    tracker.envelope = height
    block = k // CREST_SPAN % CREST_RING
    tracker.crests[block] = height if k % CREST_SPAN == 0 else max(tracker.crests[block], height)
    _start_up(tracker, k, height)
    if tracker.peaks_n == 0:
        return -1
    if tracker.candidate == NEVER:
        if rising:
            tracker.candidate = k
            tracker.height = height
    elif height > tracker.height:
        tracker.candidate = k
        tracker.height = height
    elif k - tracker.candidate >= _SETTLE:
        settled = tracker.candidate
        tracker.candidate = NEVER
        return int(settled)
    return -1


@kernel
def _start_up(tracker: Record, k: int, height: float) -> None:
    """Until 8 beats are known, the maximum of each of the first 8 seconds stands for one."""
    if tracker.learning >= LEARNED or tracker.peaks_n == LEARNED:
        return
    tracker.learning_max = max(tracker.learning_max, height)
    if (k + 1) % RATE == 0:
        tracker.learning += 1
        _learn_peak(tracker, tracker.learning_max)
        tracker.learning_max = 0.0
        tracker.noise_n = max(tracker.noise_n, 1)
        refresh(tracker)


@kernel
def _learn_peak(tracker: Record, height: float) -> None:
    if tracker.peaks_n < LEARNED:
        tracker.peaks[tracker.peaks_n] = height
        tracker.peaks_n += 1
    else:
        tracker.peaks[tracker.peaks_at] = height
        tracker.peaks_at = (tracker.peaks_at + 1) % LEARNED


@kernel
def _learn_noise(tracker: Record, height: float) -> None:
    if tracker.noise_n < LEARNED:
        tracker.noise[tracker.noise_n] = height
        tracker.noise_n += 1
    else:
        tracker.noise[tracker.noise_at] = height
        tracker.noise_at = (tracker.noise_at + 1) % LEARNED


@kernel
def _learn_interval(tracker: Record, samples: float) -> None:
    if tracker.intervals_n < LEARNED:
        tracker.intervals[tracker.intervals_n] = samples
        tracker.intervals_n += 1
    else:
        tracker.intervals[tracker.intervals_at] = samples
        tracker.intervals_at = (tracker.intervals_at + 1) % LEARNED


@kernel
def refresh(tracker: Record) -> None:
    """Compute the medians and the threshold anew, after anything was learned."""
    tracker.peak = median(tracker.peaks, tracker.peaks_n)
    tracker.floor = median(tracker.noise, tracker.noise_n)
    tracker.threshold = tracker.floor + _HEIGHT * (tracker.peak - tracker.floor)
    tracker.interval = median(tracker.intervals, tracker.intervals_n) if tracker.intervals_n else _FIRST_INTERVAL


@kernel
def fiducial(tracker: Record, settled: int) -> int:
    """Where the band is largest in the 160 ms before the envelope's maximum."""
    best = settled - _LOOK_BACK
    largest = np.float32(-1.0)
    for j in range(settled - _LOOK_BACK, settled + 1):
        size = abs(tracker.band[j & _MASK])
        if size > largest:
            largest = size
            best = j
    return best


@kernel
def _is_after_wave(tracker: Record, at: int, steepest: float) -> bool:
    """Whether a peak at `at` is a T wave or the second hump of the last beat, going by its slope."""
    apart = at - tracker.last
    if apart >= _T_WAVE_WITHIN:
        return False
    soon = min((_T_WAVE_WITHIN - apart) / (_T_WAVE_WITHIN - _HUMP_WITHIN), 1.0)
    return bool(steepest < (_T_WAVE_SLOPE + soon * (_HUMP_SLOPE - _T_WAVE_SLOPE)) * tracker.last_slope)


@kernel
def judge(tracker: Record, settled: int, at: int, hole_begin: int, hole_end: int, needed: float) -> int:
    """Judge a settled maximum whose fiducial is `at` and learn from it: BEAT, DOUBTFUL (kept for a search back) or NOT.

    needed: the height (uV) that makes it a beat.
    """
    height = tracker.height
    if settled - tracker.last < _TOO_SOON or hole_begin <= at <= hole_end + _HOLE_MARGIN:
        return NOT
    up = 0.0
    down = 0.0
    for j in range(settled - _LOOK_BACK + _LAG, settled + 1):
        slope = tracker.band[j & _MASK] - tracker.band[(j - _LAG) & _MASK]
        up = max(up, slope)
        down = max(down, -slope)
    steepest = max(up, down)
    two_sided = up * _ONE_SIDED >= down and down * _ONE_SIDED >= up
    is_after_wave = _is_after_wave(tracker, at, steepest)
    if height > needed and two_sided and not is_after_wave:
        _accept(tracker, at, height, steepest, hole_end)
        return BEAT
    likely = height * tracker.threshold / needed if needed > 0.0 else 0.0
    _learn_noise(tracker, height)
    refresh(tracker)
    far_enough = at - tracker.last >= _T_WAVE_WITHIN
    if two_sided and not is_after_wave and far_enough and likely > tracker.missed_likely:
        tracker.missed = at
        tracker.missed_likely = likely
        tracker.missed_height = height
        tracker.missed_slope = steepest
        return DOUBTFUL
    return NOT


@kernel
def _accept(tracker: Record, at: int, height: float, steepest: float, hole_end: int) -> None:
    _learn_peak(tracker, height)
    if tracker.last > hole_end:
        _learn_interval(tracker, at - tracker.last)
    tracker.last = at
    tracker.last_slope = steepest
    tracker.last_height = height
    tracker.missed = NEVER
    tracker.missed_height = 0.0
    tracker.missed_likely = 0.0
    refresh(tracker)
    tracker.usual = tracker.peak


@kernel
def search_back(tracker: Record, k: int, hole_end: int) -> bool:
    """When a beat is overdue, believe the best refused peak above a lower threshold; lower all after 4.5 s without one."""
    if tracker.intervals_n == 0:
        return False
    waited = k - tracker.last
    overdue = waited > _BACK_AFTER * tracker.interval
    if overdue and tracker.missed != NEVER and tracker.missed_likely > _BACK_HEIGHT * tracker.threshold:
        _accept(tracker, tracker.missed, tracker.missed_height, tracker.missed_slope, hole_end)
        return True
    if waited > _RELEARN_AFTER and waited % _RELEARN_EVERY == 0 and tracker.peak > _FORGET_DOWN_TO * tracker.usual:
        for i in range(tracker.peaks_n):
            tracker.peaks[i] *= _FORGET
        refresh(tracker)
    return False


@kernel
def keep(tracker: Record, r: int) -> int:
    """Note a beat at internal sample r; returns its place in the rings."""
    place = tracker.count % BEAT_RING
    tracker.beats[place] = r
    tracker.count += 1
    return int(place)
