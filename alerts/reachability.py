"""Whether a plan reaches somebody, proved before it is in force: every role at every hour of the week, each rule fires. Pure.

`prove` is given what this installation can do (`Means`) and gives every trouble as a sentence. Must never hold an alert up:
what is already sounding goes by its frozen ladder, and a plan that nobody wrote alerts by the default team.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts.alert import Tier
from alerts.ladder import Addressee, LadderName, Role
from alerts.plan import DEFAULT_LADDERS, OPTIONAL, Plan, PlanRefused, limits_of
from alerts.policy import QUIET, RULES
from alerts.schedule import holes, told
from stream.finding import Condition
from stream.limits import limit
from stream.statement import TECHNICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from alerts.schedule import OnCall, Schedule

LOG = "log"
"""The channel that nobody has to read: it may carry a tip, never be the only way of anything graver."""
TRIED_FOR = timedelta(days=30)
"""How long a trial stands before we ask for another (a choice of ours, 2026-11-24: phones, houses and people change)."""

Way = tuple[str, str]
"""(channel, address)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What this installation can reach people by, as it is now."""

    addresses: Mapping[str, frozenset[str] | None]
    """Channel, the addresses that it knows; None: any."""
    lacking: Mapping[Way, str] = field(default_factory=dict)
    """What an address that is known still lacks, as a secret."""
    tried: Mapping[Way, datetime] = field(default_factory=dict)
    """When a trial was last delivered there, as the address is set now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What keeps a plan from being in force, and what is only worth knowing."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


class Unreachable(PlanRefused):
    """A plan under which somebody would not be told, or a rule could not fire; the message says each reason."""

    def __init__(self, problems: Iterable[str]) -> None:
        """Each is a sentence of its own."""
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def prove(plan: Plan, means: Means, now: datetime, worn: frozenset[str] | None = None) -> Proof:
    """Everything that is wrong with a plan. `worn`: the kinds of data that the patient's devices send; None: unknown."""
    people = dict.fromkeys([*plan.team, *_on_call(plan.on_call)])
    unused = [
        f"{role}: there is no schedule {name!r}"
        for role, name in sorted(plan.schedules.items())
        if name and role not in plan.on_call
    ]
    problems = [
        *unused,
        *(f"{one.role}: {flaw}" for one in people if (flaw := flaw_of(one, means))),
        *_unserved(plan, now),
        *_unverified(plan, means, now),
        *_mute(plan),
    ]
    warnings = [*_untried(people, means, now), *_unworn(plan, worn)]
    return Proof(problems=tuple(dict.fromkeys(problems)), warnings=tuple(dict.fromkeys(warnings)))


def flaw_of(one: Addressee, means: Means) -> str | None:
    """Why nothing can be sent to somebody, whatever they do; None where it can."""
    if one.channel not in means.addresses:
        return f"there is no channel {one.channel!r}; there are: {', '.join(sorted(means.addresses))}"
    known = means.addresses[one.channel]
    if known is not None and one.address not in known:
        names = f"there are: {', '.join(sorted(known))}" if known else "there is none"
        return f"{one.channel} knows no {one.address!r}; {names}"
    if lacking := means.lacking.get((one.channel, one.address)):
        return f"{one.channel} {one.address!r}: {lacking}"
    return None


# --- Who is served, at which hours ------------------------------------------------------------------------------------


def _roles(plan: Plan) -> list[Role]:
    """Every role of any step of any ladder, each once."""
    planned = [plan.ladders.get(name, usual) for name, usual in DEFAULT_LADDERS.items()]
    return sorted({role for ladder in planned for step in ladder.steps for role in step.roles})


def _unserved(plan: Plan, now: datetime) -> Iterator[str]:
    for role in _roles(plan):
        if role in OPTIONAL or any(one.role is role for one in plan.team):
            continue
        schedule = plan.on_call.get(role)
        if schedule is None:
            yield f"{role}: the care team names nobody, and there is no schedule {role.value!r}"
        elif found := holes([schedule], now.date()):
            yield f"{role}: nobody on {told(found, schedule.zone)}"


_TIER_LADDERS: Mapping[Tier, tuple[LadderName, ...]] = {
    Tier.TIP: (LadderName.TIP, LadderName.NIGHT_LOW),
    Tier.DOCTOR: (LadderName.DOCTOR, LadderName.PAST_EMERGENCY),
    Tier.EMERGENCY: (LadderName.EMERGENCY,),
}


def _unverified(plan: Plan, means: Means, now: datetime) -> Iterator[str]:
    """Each tier needs one way that was tried and worked, at every hour."""
    for tier, names in _TIER_LADDERS.items():
        for name in names:
            ladder = plan.ladders.get(name, DEFAULT_LADDERS[name])
            roles = {role for step in ladder.steps for role in step.roles}

            def counts(channel: str, address: str, tier: Tier = tier) -> bool:
                is_way = (channel, address) in means.tried and channel != LOG
                return is_way or (channel == LOG and tier is Tier.TIP)

            if any(one.role in roles and counts(one.channel, one.address) for one in plan.team):
                continue
            schedules = [plan.on_call[role] for role in sorted(roles) if role in plan.on_call]
            if not schedules:
                yield f"{name}: no way of telling anybody was tried: {_how(plan, roles)}"
                continue
            # Schedules of one zone fill each other's hours; those of another must do alone.
            zones = {one.zone: [other for other in schedules if other.zone == one.zone] for one in schedules}
            left = {
                zone: holes(theirs, now.date(), lambda one: counts(one.channel, one.address))
                for zone, theirs in zones.items()
            }
            if all(left.values()):
                zone = min(left, key=lambda one: len(left[one]))
                yield f"{name}: no way that was tried on {told(left[zone], zone)}"


def _how(plan: Plan, roles: set[Role]) -> str:
    ways = sorted({(one.channel, one.address) for one in plan.team if one.role in roles and one.channel != LOG})
    if not ways:
        return f"the log is nobody's; give {' or '.join(sorted(roles))} a channel that reaches a person"
    return "try " + " or ".join(f"POST /api/v1/channels/{channel}/{address}/test" for channel, address in ways)


def _on_call(schedules: Mapping[Role, Schedule]) -> Iterator[Addressee]:
    for role, schedule in sorted(schedules.items()):
        for one in sorted(schedule.everybody()):
            yield _as(one, role)


def _as(one: OnCall, role: Role) -> Addressee:
    return Addressee(person=one.person, channel=one.channel, address=one.address, role=role)


def _untried(people: Iterable[Addressee], means: Means, now: datetime) -> Iterator[str]:
    for one in people:
        way = (one.channel, one.address)
        if one.channel == LOG:
            if one.role is not Role.OPERATOR:
                yield f"{one.role}: only logged; whoever looks finds it, nobody is told"
        elif way not in means.tried:
            yield f"{one.role}: {one.channel} {one.address!r} was never tried"
        elif now - means.tried[way] > TRIED_FOR:
            days = (now - means.tried[way]).days
            yield f"{one.role}: {one.channel} {one.address!r} was tried {days} days ago: try it again"


# --- Whether each rule can fire ---------------------------------------------------------------------------------------

ORDERED: tuple[tuple[str, str, str, Condition], ...] = (
    # (must be below, this one, else this limit never speaks, and with it this): the graver one would always come first.
    ("glucose_very_low_mg_dl", "glucose_low_mg_dl", "glucose_low_mg_dl", Condition.GLUCOSE_LOW),
    ("glucose_high_mg_dl", "glucose_very_high_mg_dl", "glucose_high_mg_dl", Condition.GLUCOSE_PROLONGED_HIGH),
    ("bp_very_low_systolic_mmhg", "bp_low_systolic_mmhg", "bp_low_systolic_mmhg", Condition.BP_LOW),
    ("bp_high_systolic_mmhg", "bp_crisis_systolic_mmhg", "bp_high_systolic_mmhg", Condition.BP_HIGH),
    ("bp_high_diastolic_mmhg", "bp_crisis_diastolic_mmhg", "bp_high_diastolic_mmhg", Condition.BP_HIGH),
    ("bp_repeat_min_s", "bp_repeat_max_s", "bp_crisis_systolic_mmhg", Condition.BP_CRISIS),
)
SPOKEN_FOR: tuple[tuple[str, float, Condition, Condition], ...] = (
    # At this value the graver rule, whose threshold no plan moves, always comes first (detection.md, 2026-11-24).
    ("brady_bpm", 30.0, Condition.BRADY, Condition.EXTREME_BRADY),
    ("tachy_bpm", 180.0, Condition.TACHY, Condition.EXTREME_TACHY),
)
NEEDS: tuple[tuple[str, frozenset[str]], ...] = (
    # Limits that begin so judge data of these kinds.
    ("brady_", frozenset({"ecg", "heart_rate"})),
    ("tachy_", frozenset({"ecg", "heart_rate"})),
    ("bp_", frozenset({"blood_pressure"})),
    ("glucose_", frozenset({"glucose"})),
    ("sensor_", frozenset({"glucose"})),
)


def _mute(plan: Plan) -> Iterator[str]:
    """Rules that could not fire, and tiers that would not be heeded."""
    for condition, tier in sorted(plan.tiers.items()):
        rule = RULES.get(condition)
        if rule is None:
            yield f"tiers: there is no condition {condition!r}"
        elif condition in QUIET:
            yield f"tiers: {condition} raises no alert of its own, so that {tier} would never come"
        elif condition not in set(Condition) or condition in TECHNICAL:
            yield f"tiers: {condition} is technical: it has a ladder of its own, and {tier} would be ignored"
        elif tier.rank < rule.tier.rank:
            yield f"tiers: {condition} is {rule.tier}; a plan may raise a tier, and {tier} would be ignored"
    own = limits_of(plan)
    for below, name, mute, condition in ORDERED:
        low, high = limit(own, below), limit(own, name)
        if low >= high:
            yield f"limits: {condition} can never fire by {mute}: {below} ({low:g}) is not below {name} ({high:g})"
    for name, edge, condition, graver in SPOKEN_FOR:
        if limit(own, name) == edge:
            yield f"limits: {condition} can never fire by {name}: at {edge:g} it is always {graver}"


def _unworn(plan: Plan, worn: frozenset[str] | None) -> Iterator[str]:
    if worn is None:
        return
    for name in sorted(plan.limits):
        kinds = next((kinds for prefix, kinds in NEEDS if name.startswith(prefix)), None)
        if kinds and not kinds & worn:
            yield f"limits: {name} judges {' or '.join(sorted(kinds))}, which no device of this patient sends yet"
