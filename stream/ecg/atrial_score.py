"""The score of AF at a beat: log odds of learned trees over its intervals, and over these with its P waves.

A cheap look at the mean relative difference of 64 intervals spares steady rhythms the rest. Must never give a beat a high
score because its intervals were cut away.
"""

from typing import Final

import numpy as np

from stream.ecg import atrial_course as course
from stream.ecg import atrial_waves as waves
from stream.ecg import atrial_windows as windows
from stream.ecg import trees
from stream.ecg.atrial_chart import GRID, GRID_RING, WAITING, WAVE_FEATURES
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel

HIGH: Final = 1.5
LOW: Final = -1.0
SHORTEST: Final = 24 * RATE
PROPOSED_HIGH: Final = 2.0
PROPOSED_LOW: Final = 0.0
NOW: Final = 16
"""Beats before the newest, around which its last 32 lie."""

CHOSEN: Final = tuple(
    name for name in windows.NAMES if name not in ("clean128_median", "clean128_jerk", "raw64_median")
)
"""Interval features that the second model sees beside the first one's score and the P waves."""
SECOND: Final = 1 + WAVE_FEATURES + len(CHOSEN)

STEADY: Final = -5.0
"""The score of a rhythm whose mean relative difference is below STEADY_BELOW."""

STEADY_BELOW: Final = 0.05
FAR: Final = 8.0
LATE: Final = (waves.LATE24, waves.LATE48)
SAME_P: Final = 0.4
SEEN_LEAST: Final = 0.25
"""Of 48 P segments: with fewer the intervals speak alone."""

P_PENALTY: Final = 3.0
_NO_P: Final = 0.1
_NOT_SEEN: Final = -0.5
_CUT_MOST: Final = 0.5
CHOSEN_AT: Final = np.array([windows.NAMES.index(name) for name in CHOSEN])
_FIRST: Final = trees.load("atrial_intervals")
_F1, _T1, _L1, _B1 = _FIRST
_BOTH: Final = trees.load("atrial_waves")
_F2, _T2, _L2, _B2 = _BOTH
_NOW: Final = trees.load("atrial_now")
_F0, _T0, _L0, _B0 = _NOW


@kernel
def log_odds(atrial: Record, judged: int, with_waves: bool) -> float:
    """Score of beat number `judged`."""
    row = np.empty(windows.ROW, np.float32)
    if not windows.measure(atrial, judged, STEADY_BELOW, row):
        return STEADY
    first = min(max(trees.log_odds(row, _F1, _T1, _L1, _B1), -FAR), FAR)
    evidence = atrial.waves[(judged // GRID) % WAITING]
    if not with_waves or evidence[waves.SEEN48] < SEEN_LEAST:
        return first
    both = np.empty(SECOND, np.float32)
    beside(first, evidence, row, both)
    second = min(max(trees.log_odds(both, _F2, _T2, _L2, _B2), -FAR), FAR)
    return 0.5 * (first + second) - penalty(evidence)


@kernel
def beside(first: float, evidence: Samples, row: Samples, both: Samples) -> None:
    """Fill in what the second model sees, (SECOND,)."""
    both[0] = first
    for i in range(WAVE_FEATURES):
        both[1 + i] = evidence[i]
    for i in range(CHOSEN_AT.size):
        both[1 + WAVE_FEATURES + i] = row[CHOSEN_AT[i]]


@kernel
def penalty(evidence: Samples) -> float:
    """What a P wave that is the same before each late beat takes off."""
    same = evidence[waves.LATE24] > SAME_P and evidence[waves.LATE48] > SAME_P
    return P_PENALTY if same else 0.0


@kernel
def is_held(atrial: Record, judged: int, with_waves: bool) -> bool:
    """Whether too few intervals are left to begin an episode here, and no atrium at rest speaks for it."""
    if windows.share(atrial, judged, 32, windows.CUT) <= _CUT_MOST:
        return False
    late = atrial.waves[(judged // GRID) % WAITING][waves.LATE48]
    return not (with_waves and _NOT_SEEN < late < _NO_P)


@kernel
def is_held_now(atrial: Record, judged: int) -> bool:
    """The same for a proposal."""
    return bool(windows.share(atrial, judged, NOW, windows.CUT) > _CUT_MOST)


@kernel
def judge(atrial: Record, judged: int, may_open: bool, with_waves: bool) -> int:
    """Take beat number `judged` into the course of AF: OPENED, CLOSED or NOTHING."""
    return follow(atrial, judged, log_odds(atrial, judged, with_waves), may_open, with_waves)


@kernel
def follow(atrial: Record, judged: int, score: float, may_open: bool, with_waves: bool) -> int:
    """The same for a score that is known."""
    place = judged // GRID
    before = atrial.grid[(place - 1) % GRID_RING]
    r = atrial.grid[place % GRID_RING]
    may = may_open and not is_held(atrial, judged, with_waves)
    return course.take(atrial.course, before, r, score, HIGH, LOW, SHORTEST, may)


@kernel
def propose(atrial: Record, newest: int) -> None:
    """Judge the last 32 beats; a proposal that ends waits in `doubt_onset`, `doubt_end`."""
    judged = newest - NOW
    if judged < NOW:
        return
    row = np.empty(windows.NOW_ROW, np.float32)
    score = STEADY
    if windows.measure_now(atrial, judged, STEADY_BELOW, row):
        score = min(max(trees.log_odds(row, _F0, _T0, _L0, _B0), -FAR), FAR)
    place = judged // GRID
    before = atrial.grid[(place - 1) % GRID_RING]
    held = is_held_now(atrial, judged)
    onset = atrial.proposed.onset
    event = course.take(
        atrial.proposed, before, atrial.grid[place % GRID_RING], score, PROPOSED_HIGH, PROPOSED_LOW, 0, not held
    )
    if event == course.CLOSED:
        if atrial.doubt_end == course.NEVER:
            atrial.doubt_onset = onset
        atrial.doubt_end = atrial.proposed.end
