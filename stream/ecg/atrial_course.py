"""From scores of single beats to an episode: smoothed, with hysteresis, onset dated back, gaps closed, short ones dropped.

Times are R peaks in internal samples. What is told is never taken back: an episode is told when it has lasted long enough.
"""

from typing import Any, Final

from numpy.typing import NDArray

from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, kernel

NEVER: Final = -(1 << 40)
NOTHING, OPENED, CLOSED = 0, 1, 2

_GAP: Final = 10 * RATE
_ENOUGH: Final = 2  # scores, until there is a mean
_ALL: Final = 3


def begin(atrial: NDArray[Any]) -> None:
    """Make courses, of rows of ATRIAL that are zero, ones that have heard nothing."""
    for name in ("course", "proposed"):
        for field in ("rising", "onset", "end"):
            atrial[name][field] = NEVER
    atrial["doubt_onset"] = atrial["doubt_end"] = NEVER


@kernel
def take(
    course: Record, before: int, r: int, score: float, high: float, low: float, shortest: int, may_open: bool
) -> int:
    """Take the score (log odds) of the beat at r, judged after the one at `before`; OPENED, CLOSED or NOTHING.

    On above `high`, off below `low`; told after `shortest` samples. A mean of three scores stands for the middle one.
    """
    edge = _shift(course, before, r, score)
    if course.judged < _ENOUGH:
        return NOTHING
    mean = (course.scores[0] + course.scores[1] + course.scores[2]) / 3.0
    if mean <= 0.0:
        course.rising = NEVER
    elif course.rising == NEVER:
        course.rising = edge
    if course.on and mean < low:
        course.on = 0
        course.end = edge
    elif not course.on and mean > high and (may_open or course.told):
        course.on = 1
        if course.onset == NEVER or course.rising - course.end >= _GAP:
            course.onset = course.rising
            if course.told:
                course.told = 0
                return CLOSED
    return _told(course, shortest, may_open)


@kernel
def _shift(course: Record, before: int, r: int, score: float) -> int:
    """Add a score; returns where the stretch begins that the middle one stands for. The first one also stands before itself."""
    if course.judged == 0:
        for i in range(3):
            course.scores[i] = score
            course.at[i] = before
        course.at[2] = r
        course.judged = 1
        return int(before)
    for i in range(2):
        course.scores[i] = course.scores[i + 1]
        course.at[i] = course.at[i + 1]
    course.scores[2] = score
    course.at[2] = r
    course.judged += course.judged < _ALL
    return int(course.at[0] if course.judged == _ENOUGH else (course.at[0] + course.at[1]) // 2)


@kernel
def _told(course: Record, shortest: int, may_open: bool) -> int:
    """Tell what has lasted, and the end of what has been gone for longer than a gap."""
    centre = course.at[1]
    if course.on:
        if not course.told and may_open and centre - course.onset >= shortest:
            course.told = 1
            return OPENED
        return NOTHING
    if course.onset != NEVER and course.rising == NEVER and centre - course.end >= _GAP:
        course.onset = NEVER
        if course.told:
            course.told = 0
            return CLOSED
    return NOTHING
