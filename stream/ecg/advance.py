"""One call takes a whole batch of chunks through every detector of every lane.

Per raw sample: bridge and resample; per internal sample: filters, trackers, silence; per second: quality, contact,
fibrillation, rates. Order of the marks: row of work, then time of decision. Must never allocate, wait, or look at a
clock.
"""

import math
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from stream.ecg import (
    beats,
    burden,
    classes,
    contact,
    episodes,
    evidence,
    fibrillation,
    filters,
    quality,
    rates,
    resample,
    rhythm,
    runs,
    shapes,
    silence,
    ventricular,
    waveform,
)
from stream.ecg.chart import EPISODES, new_charts
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import MARK, MISSING, WORK

LONGEST_GAP_S: Final = 10
"""A longer gap in the indices starts the signal afresh."""

SLOWEST_HZ: Final = 100
"""Least rate that is supported: bounds the seconds in a number of samples."""

FASTEST_HZ: Final = 1000
"""Greatest rate: the resampler's ring holds no more."""

_MARKS_A_SECOND: Final = 24
_MARKS_A_ROW: Final = 80
_SAME_RATE: Final = 0.01  # a new estimate of the device's rate within 1 % changes nothing
_PEN: Final = np.dtype([("written", "i8"), ("now", "i8"), ("work", "i4"), ("slot", "i4")], align=True)
_GAP: Final = cast("int", np.int16(MISSING))
_ATTACHED: Final = cast("bool", np.bool_(True))
_OTHER_DELAY: Final = 7  # samples by which the 10-25 Hz band lags behind the signal


class MarksTooSmall(ValueError):
    """The array for marks is smaller than `mark_capacity` of the work: nothing was done."""


class UnfitWork(ValueError):
    """A row of work names a lane, samples or a rate that do not exist: nothing was done."""


def mark_capacity(total_samples: int, rows: int) -> int:
    """Marks that `rows` chunks with so many samples in all can produce at most.

    A second gives at most 5 beats (224 ms apart, and one by search back) and as many classes, a grade, and an opening
    or closing of each condition that lasts; a row adds what its gap closes and, at a restart, the closing of all that
    was open.
    """
    return _MARKS_A_SECOND * math.ceil(total_samples / SLOWEST_HZ) + _MARKS_A_ROW * rows


def advance(charts: NDArray[Any], work: NDArray[Any], samples: NDArray[np.int16], marks: NDArray[Any]) -> int:
    """Take chunks through the detectors, in order; returns the number of marks written.

    charts: (lanes,) of ECG_CHART, changed in place. work: (rows,) of WORK. samples: int16 uV, the chunks one after
    another, MISSING where not measured. marks: (>= mark_capacity,) of MARK.
    """
    _check(charts.size, work, samples.size)
    if marks.size < mark_capacity(samples.size, work.size):
        message = f"{marks.size} marks for {work.size} chunks of {samples.size} samples: see mark_capacity"
        raise MarksTooSmall(message)
    pen = np.zeros(1, _PEN)
    written = int(_advance(charts, work, samples, marks, pen, new_charts(1)))
    if written > marks.size:
        message = f"{written} marks from {work.size} chunks of {samples.size} samples: mark_capacity is wrong"
        raise AssertionError(message)
    return written


def _check(lanes: int, work: NDArray[Any], samples: int) -> None:
    """Refuse what would leave an array: compiled code checks no bounds."""
    ends = work["first"].astype(np.int64) + work["count"]
    fit = {
        "slot": (work["slot"] >= 0) & (work["slot"] < lanes),
        "samples": (work["first"] >= 0) & (work["count"] >= 0) & (ends <= samples),
        "rate_hz": (work["rate_hz"] >= SLOWEST_HZ) & (work["rate_hz"] <= FASTEST_HZ),
    }
    for what, rows in fit.items():
        if not rows.all():
            row = int(np.argmin(rows))
            message = f"row {row} of the work, {work[row]}: {what} out of range ({lanes} lanes, {samples} samples)"
            raise UnfitWork(message)


def compile_kernels() -> None:
    """Compile (or load from the cache) all kernels by one tiny batch."""
    work = np.zeros(1, WORK)
    work["count"], work["rate_hz"], work["contact"] = 1, RATE, 1
    advance(new_charts(1), work, np.zeros(1, np.int16), np.zeros(mark_capacity(1, 1), MARK))


@kernel
def _advance(charts: Record, work: Samples, samples: Samples, marks: Samples, pens: Samples, fresh: Record) -> int:
    pen = pens[0]
    for row in range(work.size):
        job = work[row]
        pen.work = row
        pen.slot = job.slot
        chart = charts[job.slot]
        clock = chart.clock
        if job.restart and clock.started:
            _close_all(chart, pen, marks)
            charts[job.slot] = fresh[0]
        if not _continues(chart, job):
            if clock.started:
                pen.now = clock.next_index - 1
                classes.flush(chart, pen, marks)
            charts.signal[job.slot] = fresh.signal[0]
            clock.rate_hz = job.rate_hz
            clock.base = job.index
            clock.next_index = job.index
            clock.started = 1
        rates.limit(clock, job.slow_bpm, job.fast_bpm)
        while clock.next_index < job.index:
            _take(chart, pen, marks, _GAP, _ATTACHED)
        for i in range(job.first, job.first + job.count):
            _take(chart, pen, marks, samples[i], job.contact != 0)
    return int(pen.written)


@kernel
def _continues(chart: Record, job: Record) -> bool:
    clock = chart.clock
    if not clock.started:
        return False
    near = job.index - clock.next_index <= LONGEST_GAP_S * clock.rate_hz
    return bool(near and abs(job.rate_hz - clock.rate_hz) <= _SAME_RATE * clock.rate_hz)


@kernel
def _close_all(chart: Record, pen: Record, marks: Samples) -> None:
    """Close what is open with the last sample of the old session."""
    last = chart.clock.next_index - 1
    pen.now = last
    classes.flush(chart, pen, marks)
    for condition in range(EPISODES):
        episode = chart.episodes[condition]
        if episode.open:
            row = episodes.close_episode(pen, marks, episode, condition, last)
            episodes.tell(marks, row, episode, episode.value, 0.0, 1.0)


@kernel
def _take(chart: Record, pen: Record, marks: Samples, value: int, attached: bool) -> None:
    """Take one raw sample (uV or MISSING)."""
    clock = chart.clock
    signal = chart.signal
    pen.now = clock.next_index
    if attached == (signal.contact.off != 0):
        contact.bit(chart, pen, marks, not attached, clock.next_index)
    clock.next_index += 1
    missing = value == MISSING or not attached
    resample.push(signal.resampler, float(value), missing, clock.rate_hz)
    railed = abs(value) >= contact.RAIL
    while resample.ready(signal.resampler, clock.rate_hz):
        gone = resample.is_missing(signal.resampler, clock.rate_hz)
        k = signal.resampler.made
        x = resample.pull(signal.resampler, clock.rate_hz)
        _step(chart, pen, marks, k, x, gone, railed)


@kernel
def _step(chart: Record, pen: Record, marks: Samples, k: int, x: float, missing: bool, railed: bool) -> None:
    """Take internal sample k (uV, bridged) through all layers."""
    signal = chart.signal
    if missing:
        if k - signal.hole.end > 1:
            signal.hole.begin = k
        signal.hole.end = k
    wide = filters.run(signal.sections, filters.WIDE, x)
    signal.wide[k % signal.wide.size] = wide
    drift = filters.run(signal.sections, filters.DRIFT, x)
    body = filters.run(signal.sections, filters.BODY, x)
    muscle = filters.run(signal.sections, filters.MUSCLE, x)
    quality.feed(signal.quality, drift, wide, body, muscle)
    contact.feed(signal.contact, x, missing, railed)
    waveform.feed(signal.fibrillation, k, filters.run(signal.sections, filters.FIBRILLATION, x))
    _witness(signal, k, filters.run(signal.sections, filters.QRS_HIGH, x))
    _beat(chart, pen, marks, k, filters.run(signal.sections, filters.QRS, x))
    signal.rhythm.lowest = min(signal.rhythm.lowest, signal.first.envelope)
    silence.feed(chart, k, x)
    if (k + 1) % silence.EVERY == 0:
        silence.each_look(chart, pen, marks, k)
        classes.each_look(chart, pen, marks, k)
    if (k + 1) % RATE == 0:
        quality.each_second(chart, pen, marks, k)
        contact.each_second(chart, pen, marks, k)
        fibrillation.each_second(chart, pen, marks, k)
        rates.each_second(chart, pen, marks, k)
        ventricular.each_second(chart, pen, marks, k)
        runs.each_second(chart, pen, marks, k)
        burden.each_second(chart, pen, marks)


@kernel
def _witness(signal: Record, k: int, x: float) -> None:
    """Take one sample of the second band."""
    tracker = signal.other
    settled = beats.follow(tracker, k, x)
    if settled >= 0:
        at = beats.fiducial(tracker, settled)
        verdict = beats.judge(tracker, settled, at, signal.hole.begin, signal.hole.end, tracker.threshold)
        if verdict == beats.BEAT:
            beats.keep(tracker, at - _OTHER_DELAY)
    missed = tracker.missed
    if beats.search_back(tracker, k, signal.hole.end):
        beats.keep(tracker, missed - _OTHER_DELAY)


@kernel
def _beat(chart: Record, pen: Record, marks: Samples, k: int, x: float) -> None:
    """Take one sample of the QRS band."""
    signal = chart.signal
    tracker = signal.first
    settled = beats.follow(tracker, k, x)
    if settled >= 0:
        at = beats.fiducial(tracker, settled)
        snapped = shapes.snap(signal.wide, at)
        shapes.capture(signal.shapes.candidate, signal.wide, snapped)
        needed = evidence.height_needed(signal, signal.shapes.candidate, settled, at, k)
        verdict = beats.judge(tracker, settled, at, signal.hole.begin, signal.hole.end, needed)
        if verdict == beats.BEAT:
            rhythm.note(chart, pen, marks, snapped, signal.shapes.candidate)
        elif verdict == beats.DOUBTFUL:
            signal.shapes.doubtful[:] = signal.shapes.candidate
            signal.shapes.doubtful_r = snapped
            classes.doubt(chart, snapped, k)
    if beats.search_back(tracker, k, signal.hole.end):
        rhythm.note(chart, pen, marks, signal.shapes.doubtful_r, signal.shapes.doubtful)
