"""What other limits would have raised: a patient's archived readings judged by both, and the alerts that differ. Pure.

The very rules of the live way (`stream.glucose`, `stream.pressure`) and the very policy. Where the archive does not hold
what a limit is compared with, it says so (`Untold`). Must never guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from alerts.alert import Occurrence, Tier
from alerts.limit_table import TABLE, Group
from alerts.plan import Plan, limits_of
from alerts.policy import CHAINS, agreed, is_quiet, tier_of
from stream import glucose, pressure
from stream.finding import Condition, FindingKind, SubjectKind
from stream.glucose_course import Course, Sample
from stream.instants import instant, micros
from stream.limits import limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from stream.ring import Kept
    from stream.stretch import Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What is stored of one patient."""

    from_at: datetime
    """What began before this is not counted; readings may reach further back."""
    now: datetime
    glucose: Mapping[tuple[str, str], Sequence[Sample]] = field(default_factory=dict)
    """By device and stream, in order of time."""
    pressure: Sequence[Kept] = ()
    episodes: Sequence[Occurrence] = ()
    """What was found then: rhythms and symptoms agree with readings, and a slow or fast heart is counted from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """One alert that these limits would have raised."""

    condition: str
    tier: Tier
    onset: datetime
    end: datetime | None


class Why(StrEnum):
    """Why it cannot be told what a limit would have done."""

    RATE_BEYOND = "rate_beyond"
    """A looser rhythm limit sees what was never written down: the archive holds no rate between the two."""
    RATE_AT_OPENING = "rate_at_opening"
    """An episode keeps the rate at which it opened, not how far it went: of some it cannot be told."""
    NOT_KEPT = "not_kept"
    """It is about when and how data came, which is judged as it comes and cannot be judged again."""
    NO_READINGS = "no_readings"
    """There is not one reading of this kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A changed limit of which not all can be told."""

    limit: str
    why: Why
    of: int = 0
    """How many episodes there were."""
    unsure: int = 0
    """Of how many of them it cannot be told whether they would have been raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it."""

    before: tuple[Would, ...]
    """By the plan in force, over all the time."""
    after: tuple[Would, ...]
    more: tuple[Would, ...]
    """Only the other limits would have raised these."""
    fewer: tuple[Would, ...]
    """Only the plan in force raises these."""
    untold: tuple[Untold, ...]


_RATES: Mapping[str, tuple[Condition, int]] = {"brady_bpm": (Condition.BRADY, -1), "tachy_bpm": (Condition.TACHY, 1)}
"""What opens beyond the limit, and on which side of it."""
_SENSORS = frozenset(glucose.SENSOR.values())


def tried(plan: Plan, wished: Plan, archive: Archive) -> Tried:
    """The plan in force and one with other limits over the same archive."""
    old, new = limits_of(plan), limits_of(wished)
    changed = [name for name in TABLE if limit(old, name) != limit(new, name)]
    groups = {TABLE[name].group for name in changed}
    before: list[Would] = []
    after: list[Would] = []
    if Group.GLUCOSE in groups:
        before += _raised(_glucose(archive, old), plan, archive)
        after += _raised(_glucose(archive, new), wished, archive)
    if Group.PRESSURE in groups:
        before += _raised(_pressure(archive, old), plan, archive)
        after += _raised(_pressure(archive, new), wished, archive)
    untold: list[Untold] = []
    for name in changed:
        if name in _RATES:
            was, would, doubt = _rates(name, limit(old, name), limit(new, name), plan, archive)
            before, after, untold = before + was, after + would, untold + doubt
        elif TABLE[name].group is Group.OTHER:
            untold.append(Untold(limit=name, why=Why.NOT_KEPT))
        elif not (archive.glucose if TABLE[name].group is Group.GLUCOSE else archive.pressure):
            untold.append(Untold(limit=name, why=Why.NO_READINGS))
    return Tried(
        before=tuple(before),
        after=tuple(after),
        more=_only(after, before),
        fewer=_only(before, after),
        untold=tuple(untold),
    )


def _glucose(archive: Archive, limits: Mapping[str, float]) -> list[Stretch]:
    found: list[Stretch] = []
    for (device, stream), samples in archive.glucose.items():
        rules = glucose.rules_of(device, stream, limits)
        course, ended = glucose.fold(Course(), samples, rules)
        found += [*ended, *glucose.standing(course, rules)]
    return [one for one in found if one.condition not in _SENSORS]


def _pressure(archive: Archive, limits: Mapping[str, float]) -> list[Stretch]:
    return pressure.stretches(archive.pressure, limits, micros(archive.now))


def _raised(stretches: Iterable[Stretch], plan: Plan, archive: Archive) -> list[Would]:
    """The alerts that these make: what is quiet makes none, and of one family only the loudest speaks."""
    found = [_occurrence(one, plan.patient) for one in stretches]
    loud = [one for one in found if not is_quiet(one)]
    woulds = [
        Would(
            condition=one.condition,
            tier=agreed(one, tier_of(one, plan), archive.episodes).tier,
            onset=one.onset,
            end=one.end,
        )
        for one in loud
    ]
    return [one for one in woulds if one.onset >= archive.from_at and not _is_covered(one, woulds)]


def _occurrence(stretch: Stretch, patient: str) -> Occurrence:
    return Occurrence(
        subject=patient,
        subject_kind=SubjectKind.PATIENT,
        condition=stretch.condition,
        kind=FindingKind.PHYSIOLOGICAL,
        episode=UUID(int=0),
        revision=1,
        present=stretch.end_us is None,
        onset=instant(stretch.onset_us),
        end=None if stretch.end_us is None else instant(stretch.end_us),
        evidence=dict(stretch.evidence),
    )


def _is_covered(one: Would, all_of_them: Iterable[Would]) -> bool:
    chain = next((chain for chain in CHAINS if one.condition in chain), None)
    return chain is not None and any(
        other.condition in chain
        and chain[other.condition] < chain[one.condition]
        and other.tier.rank >= one.tier.rank
        and _meet(one, other)
        for other in all_of_them
    )


def _meet(one: Would, other: Would) -> bool:
    return (one.end is None or other.onset <= one.end) and (other.end is None or one.onset <= other.end)


def _only(these: Iterable[Would], those: Sequence[Would]) -> tuple[Would, ...]:
    """Those of `these` that have no counterpart: the same condition and tier at the same time."""
    return tuple(
        one
        for one in these
        if not any((one.condition, one.tier) == (other.condition, other.tier) and _meet(one, other) for other in those)
    )


def _rates(
    name: str, old: float, new: float, plan: Plan, archive: Archive
) -> tuple[list[Would], list[Would], list[Untold]]:
    """A slow or fast heart, from the episodes that were found: as far as their evidence carries."""
    condition, side = _RATES[name]
    mine = [one for one in archive.episodes if one.condition == condition and one.onset >= archive.from_at]
    was = [Would(condition=one.condition, tier=tier_of(one, plan).tier, onset=one.onset, end=one.end) for one in mine]
    if (new - old) * side < 0:
        return was, was, [Untold(limit=name, why=Why.RATE_BEYOND, of=len(mine))]
    unsure = sum(1 for one in mine if (float(one.evidence.get("rate_bpm", old)) - new) * side <= 0)
    doubt = [Untold(limit=name, why=Why.RATE_AT_OPENING, of=len(mine), unsure=unsure)] if unsure else []
    return was, was, doubt
