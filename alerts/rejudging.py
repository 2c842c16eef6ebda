"""What other limits would have raised: a patient's archived readings judged by both, and the alerts that differ. Pure.

The very rules of the live way (`stream.glucose`, `stream.pressure`) and the very policy. Where the archive does not hold
what a limit is compared with, it says so (`Untold`). Must never guess.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from alerts.alert import Occurrence, Tier
from alerts.limit_table import TABLE, Group
from alerts.plan import Plan, limits_of
from alerts.policy import CHAINS, RULES, agreed, is_quiet, tier_of
from stream import glucose, pressure
from stream.finding import Condition, FindingKind, SubjectKind
from stream.glucose_course import Course, Sample
from stream.instants import instant, micros
from stream.limits import limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stream.ring import Kept
    from stream.stretch import Stretch


class Minute(NamedTuple):
    """A minute of heart rate, as it was counted."""

    at: datetime
    rate_bpm: float
    low_bpm: float
    """Slowest over five intervals in a row."""


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
    minutes: Sequence[Minute] = ()
    """Heart rate by the minute, in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """One alert that these limits would have raised."""

    condition: str
    tier: Tier
    onset: datetime
    end: datetime | None


class Why(StrEnum):
    """Why it cannot be told what a limit would have done."""

    NO_RATES = "no_rates"
    """There is no heart rate of these days: what lay between the two limits was never written down."""
    BY_MINUTE = "by_minute"
    """Counted from the rates of whole minutes, so about right; of episodes without them it cannot be told."""
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
_MINUTE = timedelta(minutes=1)
_TOGETHER = timedelta(minutes=10)
"""Minutes beyond a limit that are no further apart are one alert."""
_FAST_FOR, _FAST_MORE_BPM = 10, 10.0
"""A fast heart lasts so many minutes, or is faster than the limit by so much (`stream/ecg/rates.py`)."""
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
    """A slow or fast heart: what was found, against the minutes that lie beyond the other limit."""
    condition, side = _RATES[name]
    found = [one for one in archive.episodes if one.condition == condition and not is_quiet(one)]
    was = [_of(one, plan) for one in found if one.onset >= archive.from_at]
    if not archive.minutes:
        return was, was, [Untold(limit=name, why=Why.NO_RATES, of=len(was), unsure=len(was))]
    runs = [Would(condition=condition, tier=_tier(condition, plan), onset=first, end=last)
            for first, last in _runs(name, new, archive) if first >= archive.from_at]  # fmt: skip
    if (new - old) * side < 0:
        return was, [*was, *_only(runs, was)], [Untold(limit=name, why=Why.BY_MINUTE, of=len(was))]
    counted = [minute.at for minute in archive.minutes]
    unseen = [one for one in was if not _is_counted(one, counted)]
    kept = [one for one in was if one in unseen or any(_meet(one, run) for run in runs)]
    return was, kept, [Untold(limit=name, why=Why.BY_MINUTE, of=len(was), unsure=len(unseen))]


def _runs(name: str, value: float, archive: Archive) -> list[tuple[datetime, datetime]]:
    """Times whose minutes lie beyond a limit of the heart rate."""
    if name == "brady_bpm":
        return _joined([one.at for one in archive.minutes if one.low_bpm < value], _TOGETHER)
    faster = _joined([one.at for one in archive.minutes if one.rate_bpm > value + _FAST_MORE_BPM], _TOGETHER)
    fast = _joined([one.at for one in archive.minutes if one.rate_bpm > value], _MINUTE)
    return sorted([*faster, *((a, b) for a, b in fast if b - a >= _FAST_FOR * _MINUTE)])


def _joined(minutes: Iterable[datetime], apart: timedelta) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for at in minutes:
        if found and at - found[-1][1] <= apart - _MINUTE:
            found[-1] = (found[-1][0], at + _MINUTE)
        else:
            found.append((at, at + _MINUTE))
    return found


def _is_counted(one: Would, minutes: Sequence[datetime]) -> bool:
    """Whether there is a rate of any minute of it."""
    at = bisect_left(minutes, one.onset - _MINUTE)
    return at < len(minutes) and (one.end is None or minutes[at] <= one.end)


def _of(one: Occurrence, plan: Plan) -> Would:
    return Would(condition=one.condition, tier=tier_of(one, plan).tier, onset=one.onset, end=one.end)


def _tier(condition: Condition, plan: Plan) -> Tier:
    return max(RULES[condition].tier, plan.tiers.get(condition, Tier.TIP), key=lambda tier: tier.rank)
