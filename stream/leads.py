"""What several leads of one patient say together: a finding of one lead that another one shows to be untrue is not said.

One table for all conditions. Another lead is asked only while it is heard and can be judged; what it showed is looked at
second by second of the signal's own time, so neither chunks nor their order matter. Must never silence a finding because
another lead is noisy, off or late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from stream.ecg.marks import Quality
from stream.finding import Condition
from stream.instants import SECOND, instant, micros
from stream.lane import BEATS_KEPT_US, LaneChart, Weighed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.finding import Finding

WAIT_US: Final = 6 * SECOND
"""So long a lead that is heard but behind is waited for."""
SAME_BEAT_US: Final = 350_000
"""A beat of another lead this soon after the last one of this lead is the same beat."""
SILENCE_US: Final = 4 * SECOND
CALM_US: Final = 5 * SECOND
RATE_US: Final = 10 * SECOND
"""How far back from the second that is judged the other lead's beats count."""
AGAIN_US: Final = 10 * SECOND
"""What was contradicted is said when nothing has contradicted it for so long."""
OWN_SHAPE: Final = 0.9
"""Correlation with the lane's template from which a beat is of the patient's own shape."""
MOSTLY: Final = 0.8
"""Share of another lead's beats that must be of the patient's own shape before they outweigh this lead."""
APART: Final = 1.1
"""Factor by which another lead's rate must differ: more than a heart rate meter may be off (IEC 60601-2-27)."""
CALM_BEATS: Final = 3
"""Beats of the own shape after a rest: fibrillation and flutter never rest."""
ORDERLY_BPM, CALM_BPM = 150.0, 120.0
"""Below these no ventricle fibrillates, or races."""
NEVER_US: Final = 2**62

_MILLI, _DELAY_BITS = 1000, 15
_LONGEST_DELAY: Final = (1 << _DELAY_BITS) - 1


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat that another lead shows."""

    at_us: int
    is_own: bool
    """Of the patient's own shape."""
    is_clean: bool
    """And after a rest."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one lead says, as it stands at `at_us`."""

    onset_us: int
    at_us: int
    rate_bpm: float
    grade: int


def noted(beats: tuple[int, ...], at_us: int, decided_us: int, match: float, is_clean: bool) -> tuple[int, ...]:
    """`beats` and one more: milliseconds, how many later it was decided, whether it is clean, or at least own, in one number."""
    delay = min(max((decided_us - at_us) // _MILLI, 0), _LONGEST_DELAY)
    oldest = (at_us - BEATS_KEPT_US) // _MILLI << _DELAY_BITS + 2
    # One comes, and at most two go: this is paid for every beat.
    spent = sum(beat < oldest for beat in beats[:2])
    return (*beats[spent:], (at_us // _MILLI << _DELAY_BITS | delay) << 2 | (match >= OWN_SHAPE) << 1 | is_clean)


def shown(lane: LaneChart, from_us: int, at_us: int) -> list[Beat]:
    """Beats of a lane after `from_us` that were decided by `at_us`, in order."""
    found = []
    for beat in lane.beats:
        milli, delay = beat >> _DELAY_BITS + 2, beat >> 2 & _LONGEST_DELAY
        if milli * _MILLI > from_us and (milli + delay) * _MILLI <= at_us:
            found.append(Beat(milli * _MILLI, bool(beat & 2), bool(beat & 1)))
    return found


def grade_at(lane: LaneChart, at_us: int) -> int:
    """The grade as it was then, so that what came since in the same position cannot matter."""
    return next((grade for decided_us, grade in reversed(lane.grades) if decided_us <= at_us), Quality.FAIR)


def _beats(claim: Claim, other: LaneChart) -> bool:
    """The other lead shows a beat in this silence."""
    from_us = max(claim.onset_us + SAME_BEAT_US, claim.at_us - SILENCE_US)
    return bool(shown(other, from_us, claim.at_us))


def _beats_in_order(claim: Claim, other: LaneChart, below_bpm: float = ORDERLY_BPM) -> bool:
    """The other lead shows the patient's own beats, with rests between them: no ventricle fibrillates."""
    beats = shown(other, claim.at_us - CALM_US, claim.at_us)
    is_calm = _mean_bpm(beats) < below_bpm and sum(beat.is_clean for beat in beats) >= CALM_BEATS
    return is_calm and _is_own(beats)


def _beats_calmly(claim: Claim, other: LaneChart) -> bool:
    """The same at a calm rate: no ventricle races."""
    return _beats_in_order(claim, other, CALM_BPM)


def _beats_faster(claim: Claim, other: LaneChart) -> bool:
    """The other lead shows the patient's own beats where this lead misses some."""
    beats = _since_onset(claim, other)
    return min(_mean_bpm(beats), _typical_bpm(beats)) >= APART * claim.rate_bpm and _is_own(beats)


def _beats_slower(claim: Claim, other: LaneChart) -> bool:
    """The other lead, which is no worse, shows the patient's own beats and fewer: this lead counts waves or noise."""
    beats = _since_onset(claim, other)
    is_slower = 0.0 < APART * max(_mean_bpm(beats), _typical_bpm(beats)) <= claim.rate_bpm
    return is_slower and _is_own(beats) and grade_at(other, claim.at_us) <= claim.grade


def _since_onset(claim: Claim, other: LaneChart) -> list[Beat]:
    return shown(other, max(claim.onset_us - SAME_BEAT_US, claim.at_us - RATE_US), claim.at_us)


def _is_own(beats: Sequence[Beat]) -> bool:
    return sum(beat.is_own for beat in beats) >= MOSTLY * len(beats)


def _mean_bpm(beats: Sequence[Beat]) -> float:
    """Rate a minute by the mean interval; 0 where there is none."""
    if len(beats) < 2:  # noqa: PLR2004 - an interval has two ends
        return 0.0
    return 60.0 * (len(beats) - 1) * SECOND / (beats[-1].at_us - beats[0].at_us)


def _typical_bpm(beats: Sequence[Beat]) -> float:
    """The same by the median: a claim rests on either (`stream.ecg.rates`)."""
    intervals = [after.at_us - before.at_us for before, after in pairwise(beats)]
    return 60.0 * SECOND / median(intervals) if intervals else 0.0


CONTRADICTED_BY: Final[Mapping[Condition, Callable[[Claim, LaneChart], bool]]] = {
    # Silence is true of the heart only if no lead that can be judged shows a beat.
    Condition.ASYSTOLE: _beats,
    Condition.PAUSE: _beats,
    # Fibrillation and fast VT leave no lead with the patient's own beats at a calm rate.
    Condition.VF: _beats_in_order,
    Condition.VT: _beats_calmly,
    Condition.VT_SUSTAINED: _beats_calmly,
    # Beats are missed more often than made up in the patient's own shape; T waves are not of that shape.
    Condition.EXTREME_BRADY: _beats_faster,
    Condition.BRADY: _beats_faster,
    Condition.EXTREME_TACHY: _beats_slower,
    Condition.TACHY: _beats_slower,
}
"""What another lead would have to show for a finding of this one to be untrue; all others are said at once."""


def weigh(lane: LaneChart, told: Sequence[Finding], others: Iterable[LaneChart], listening_us: int) -> int | None:
    """From which instant on an episode may be said, by what the other leads that are heard show.

    None: not known yet, or contradicted still; `NEVER_US`: it ended (or was lost from sight) and was contradicted all
    the time. `told` are the statements made of it so far, none of them said.
    """
    first, newest = told[0], told[-1]
    contradicts = CONTRADICTED_BY.get(first.condition)
    if contradicts is None:
        return micros(first.at)
    begun = Weighed(first.episode, micros(first.at), -1, listening_us)
    state = next((one for one in lane.weighed if one.episode == first.episode), begun)
    end_us = NEVER_US if newest.present else max(micros(newest.at), micros(first.at) + 1)
    at_us, last_us = state.next_us, state.contradicted_us
    asked = [one for one in others if one.frontier_us >= at_us or listening_us - state.since_us < WAIT_US]
    known_us = min([max(lane.frontier_us, micros(first.at)), *(one.frontier_us for one in asked)])
    while at_us <= known_us and at_us < end_us:
        if any(_can_be_judged(other, at_us) and contradicts(_claim(lane, told, at_us), other) for other in asked):
            last_us = at_us
        elif last_us < 0 or at_us - last_us >= AGAIN_US:
            return at_us
        at_us += SECOND
    forget(lane, first)
    if at_us >= end_us or (last_us >= 0 and first.episode in lane.unseen):
        return NEVER_US
    since_us = state.since_us if at_us == state.next_us else listening_us
    lane.weighed = (*lane.weighed, Weighed(first.episode, at_us, last_us, since_us))
    return None


def forget(lane: LaneChart, finding: Finding) -> None:
    """An episode was said, or never will be: nothing is weighed any more."""
    lane.weighed = tuple(one for one in lane.weighed if one.episode != finding.episode)


def said_from(told: Sequence[Finding], at_us: int) -> list[Finding]:
    """The statements of an episode as they are said when it may be said from `at_us` on: what came before is one."""
    early = [f for f in told if micros(f.at) <= at_us]
    if at_us <= micros(told[0].at):
        return list(told)
    return [replace(early[-1], at=instant(at_us)), *told[len(early) :]]


def _can_be_judged(other: LaneChart, at_us: int) -> bool:
    return grade_at(other, at_us) <= Quality.FAIR


def _claim(lane: LaneChart, told: Sequence[Finding], at_us: int) -> Claim:
    now = next((f for f in reversed(told) if micros(f.at) <= at_us), told[0])
    rate_bpm = float(now.evidence.get("rate_bpm", 0.0))
    return Claim(micros(now.onset), at_us, rate_bpm, grade_at(lane, at_us))
