"""What readings show, compared with what was told: the difference becomes statements, under the ids that were given. Pure.

An announced episode never disappears: one that the readings no longer show is said to be over, or withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.instants import SECOND, instant, micros
from stream.lane import remember
from stream.limits import limit
from stream.statement import clean, cleared, is_open, opened, revised, withdrawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.finding import Finding
    from stream.household import PatientChart
    from stream.moment import Moment
    from stream.stretch import Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which of the told episodes these stretches are about."""

    is_ours: Callable[[Finding], bool]
    """Whether an episode may be one of these stretches."""
    is_covered: Callable[[Finding], bool] | None = None
    """Whether the stretches would show it if it were so still; None: they are not all that there is."""
    is_correction: bool = False
    """What is no longer shown was another person's."""
    widens_only: bool = False
    """The stretches were seen through a window: never shorten what was told."""
    same_stream: bool = False
    """An episode joins only a stretch of the same stream (`evidence`)."""
    keeps_before_us: int = -1
    """What began before this can be seen in part only: its onset stays as it was told."""


def retell(patient: PatientChart, stretches: Iterable[Stretch], scope: Scope, moment: Moment) -> list[Finding]:
    """Statements that bring what was told in line, in order of onset; remembered in the chart."""
    ordered = sorted(stretches, key=lambda s: (s.onset_us, s.condition, s.stream, s.opened))
    ours = [f for f in patient.recent if not f.withdrawn and scope.is_ours(f)]
    matched = _matched(ordered, ours, same_stream=scope.same_stream)
    said: list[Finding] = []
    for number, stretch in enumerate(ordered):
        before = matched.get(number)
        if before is None and _is_withheld(patient, stretch, moment):
            continue
        if before is not None and scope.widens_only:
            stretch = _widened(stretch, before)  # noqa: PLW2901 - the same stretch, seen whole
        elif before is not None and micros(before.onset) < scope.keeps_before_us:
            stretch = replace(stretch, onset_us=min(stretch.onset_us, micros(before.onset)))  # noqa: PLW2901
        statement = _statement(patient, stretch, before, moment)
        said += [statement] if statement is not None else []
    if scope.is_covered is not None:
        told = {f.episode for f in matched.values()}
        for before in ours:
            if before.episode not in told and scope.is_covered(before):
                said += _gone(before, is_correction=scope.is_correction)
    for finding in said:
        patient.recent = remember(patient.recent, finding)
    return said


def _matched(stretches: list[Stretch], ours: list[Finding], *, same_stream: bool) -> dict[int, Finding]:
    """The told episode of each stretch: by what opened it, else by overlap; each is taken once."""
    matched: dict[int, Finding] = {}
    free = list(ours)
    for fits in (_is_same, _overlaps):
        for number, stretch in enumerate(stretches):
            if number in matched:
                continue
            before = next((f for f in free if fits(f, stretch)), None)
            if before is not None and same_stream and before.evidence.get("stream") != stretch.stream:
                before = next(
                    (f for f in free if fits(f, stretch) and f.evidence.get("stream") == stretch.stream), None
                )
            if before is not None:
                matched[number] = before
                free.remove(before)
    return matched


def _is_same(before: Finding, stretch: Stretch) -> bool:
    return before.condition is stretch.condition and before.opened == stretch.opened


def _overlaps(before: Finding, stretch: Stretch) -> bool:
    if before.condition is not stretch.condition:
        return False
    until_us = stretch.end_us if stretch.end_us is not None else stretch.at_us
    ended_us = micros(before.end) if before.end else micros(before.at)
    return micros(before.onset) <= until_us and ended_us >= stretch.onset_us


def _is_withheld(patient: PatientChart, stretch: Stretch, moment: Moment) -> bool:
    """Old, and more is expected that belongs to it: told when that has come (`stream.vitals_past`)."""
    late_us = round(limit(patient.limits, "late_s") * SECOND)
    newest_us = stretch.last_us if stretch.end_us is None else stretch.end_us
    return bool(patient.due) and moment.tick_us - newest_us > late_us


def _widened(stretch: Stretch, before: Finding) -> Stretch:
    onset_us = min(micros(before.onset), stretch.onset_us)
    if is_open(before):
        return replace(stretch, onset_us=onset_us, end_us=None)
    ends = [us for us in (stretch.end_us, micros(before.end) if before.end else None) if us is not None]
    return replace(stretch, onset_us=onset_us, end_us=max(ends, default=stretch.at_us))


def _statement(patient: PatientChart, stretch: Stretch, before: Finding | None, moment: Moment) -> Finding | None:
    evidence = clean(stretch.evidence)
    late_us = round(limit(patient.limits, "late_s") * SECOND)
    is_live = before is not None and not before.late
    if before is None:
        said = opened(
            patient.patient, stretch.condition, stream=stretch.stream, opened_at=stretch.opened, onset_us=stretch.onset_us,
            at_us=stretch.at_us, evidence=evidence, confidence=stretch.confidence,
        )  # fmt: skip
    elif not _differs(before, stretch):
        return None
    elif stretch.end_us is None:
        revision = revised(
            before, at_us=stretch.at_us, onset_us=stretch.onset_us, evidence=evidence, confidence=stretch.confidence
        )
        return replace(revision, end=None, late=False)
    else:
        said = before
    if stretch.end_us is None:
        return said
    # One that was over before it was told is told once.
    is_late = not is_live and moment.tick_us - stretch.end_us > late_us
    over = cleared(said, at_us=stretch.at_us, end_us=stretch.end_us, is_late=is_late, evidence=evidence)
    return replace(over, onset=instant(stretch.onset_us), confidence=stretch.confidence)


def _differs(before: Finding, stretch: Stretch) -> bool:
    end = None if stretch.end_us is None else instant(stretch.end_us)
    if (
        before.present != (end is None)
        or before.onset != instant(stretch.onset_us)
        or (end is not None and before.end != end)
    ):
        return True
    now = clean(stretch.evidence)
    return end is None and any(before.evidence.get(name) != now.get(name) for name in stretch.matters)


def _gone(before: Finding, *, is_correction: bool) -> list[Finding]:
    if is_correction:
        return [withdrawn(before, at_us=micros(before.at), why="wrong_person")]
    if "superseded" in before.evidence and not is_open(before):
        return []
    return [cleared(before, at_us=micros(before.at), end_us=micros(before.onset), evidence={"superseded": 1})]
