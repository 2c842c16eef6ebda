"""A patient's plan: limits, tiers, ladders and the care team, with a dated source beside each default.

Must never change an alert that is already raised: those carry their ladders frozen. Pure; `limit_guard.py` guards what a
limit may be, `plans.py` keeps plans in the database.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from alerts.alert import Tier
from alerts.ladder import Addressee, Ladder, LadderName, Ladders, Role, Rung
from alerts.pauses import PauseKind
from alerts.quiet_hours import QuietHours
from alerts.schedule import Schedule
from stream.command import Timetable
from stream.limits import GUIDELINES

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlanRefused(ValueError):
    """A plan under which somebody would not be told; the message says which ladder, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a planned ladder, in roles."""

    after_s: float
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLadder:
    """A ladder as the plan says it, before it is known who is behind a role."""

    steps: tuple[Step, ...]
    repeat_s: float
    acknowledgement_s: float
    escalate_s: float | None = None
    escalate_to: LadderName | None = None


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

DEFAULT_LADDERS: Mapping[LadderName, PlannedLadder] = {
    # All defaults: alerting.md, "Escalation" and "Life cycle", 2026-11-24.
    LadderName.TIP: PlannedLadder(
        steps=(Step(after_s=0, roles=(Role.PATIENT,)),),
        repeat_s=_DAY, acknowledgement_s=7 * _DAY, escalate_s=_DAY, escalate_to=LadderName.DOCTOR,
    ),
    LadderName.NIGHT_LOW: PlannedLadder(
        # detection.md, tiers, 2026-11-24: predicted <= 55 at night unanswered. The times are a choice of ours: the low is
        # expected within 20 minutes.
        steps=(
            Step(after_s=0, roles=(Role.PATIENT,)),
            Step(after_s=2 * _MINUTE, roles=(Role.PATIENT, Role.FAMILY)),
            Step(after_s=5 * _MINUTE, roles=(Role.PATIENT, Role.FAMILY)),
        ),
        repeat_s=_HOUR, acknowledgement_s=_HOUR, escalate_s=10 * _MINUTE, escalate_to=LadderName.EMERGENCY,
    ),
    LadderName.DOCTOR: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.DOCTOR,)),
            Step(after_s=15 * _MINUTE, roles=(Role.DOCTOR,)),
            Step(after_s=60 * _MINUTE, roles=(Role.PRACTICE, Role.FAMILY)),
        ),
        repeat_s=2 * _HOUR, acknowledgement_s=_HOUR,
    ),
    LadderName.DOCTOR_URGENT: PlannedLadder(
        # What may kill tonight does not wait until somebody is back at the desk. The times are a choice of ours.
        steps=(
            Step(after_s=0, roles=(Role.DOCTOR,)),
            Step(after_s=10 * _MINUTE, roles=(Role.DOCTOR,)),
            Step(after_s=20 * _MINUTE, roles=(Role.PRACTICE, Role.FAMILY)),
        ),
        repeat_s=_HOUR, acknowledgement_s=_HOUR, escalate_s=30 * _MINUTE, escalate_to=LadderName.EMERGENCY,
    ),
    LadderName.PAST_EMERGENCY: PlannedLadder(
        # The doctor at once, and a check-in to the patient; unanswered for 5 min it is an emergency (log.md).
        steps=(Step(after_s=0, roles=(Role.DOCTOR, Role.PATIENT)),),
        repeat_s=15 * _MINUTE, acknowledgement_s=_HOUR, escalate_s=5 * _MINUTE, escalate_to=LadderName.EMERGENCY,
    ),
    LadderName.COUNTDOWN: PlannedLadder(
        # "Are you all right?" for 20-30 s before dispatch; doctor and family at once (alerting.md).
        steps=(Step(after_s=0, roles=(Role.PATIENT, Role.DOCTOR, Role.FAMILY)),),
        repeat_s=_MINUTE, acknowledgement_s=5 * _MINUTE, escalate_s=30.0, escalate_to=LadderName.EMERGENCY,
    ),
    LadderName.EMERGENCY: PlannedLadder(
        steps=(Step(after_s=0, roles=(Role.DISPATCH, Role.DOCTOR, Role.FAMILY, Role.PATIENT)),),
        repeat_s=_MINUTE, acknowledgement_s=5 * _MINUTE,
    ),
    LadderName.TECHNICAL: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.PATIENT, Role.FAMILY)),
            Step(after_s=10 * _MINUTE, roles=(Role.PRACTICE, Role.OPERATOR)),
        ),
        repeat_s=_DAY, acknowledgement_s=_DAY,
    ),
    # Silence by kind: alerting.md, "Defaults of silence", 2026-11-24. The findings come at 60 s (ECG), 20 min (CGM) and the
    # first missed measurement; the rest of each time is here. How often they come again is a choice of ours: none ends.
    LadderName.SILENT_ECG: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.PATIENT, Role.FAMILY)),
            Step(after_s=9 * _MINUTE, roles=(Role.PRACTICE,)),
        ),
        repeat_s=4 * _HOUR, acknowledgement_s=4 * _HOUR,
    ),
    LadderName.SILENT_SENSOR: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.PATIENT,)),
            Step(after_s=40 * _MINUTE, roles=(Role.FAMILY, Role.PRACTICE)),
        ),
        repeat_s=4 * _HOUR, acknowledgement_s=4 * _HOUR,
    ),
    LadderName.MISSED: PlannedLadder(
        steps=(Step(after_s=0, roles=(Role.PATIENT,)),), repeat_s=_DAY, acknowledgement_s=_DAY
    ),
    LadderName.MISSED_REPEATED: PlannedLadder(
        steps=(Step(after_s=0, roles=(Role.PRACTICE,)),), repeat_s=_DAY, acknowledgement_s=_DAY
    ),
    LadderName.CARE: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.PATIENT,)),
            Step(after_s=4 * _HOUR, roles=(Role.PATIENT, Role.FAMILY)),
            Step(after_s=_DAY, roles=(Role.PRACTICE,)),
        ),
        repeat_s=2 * _DAY, acknowledgement_s=_DAY,
    ),
    LadderName.ENROLMENT: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.PATIENT, Role.PRACTICE)),
            Step(after_s=_DAY, roles=(Role.FAMILY, Role.PRACTICE)),
        ),
        repeat_s=2 * _DAY, acknowledgement_s=2 * _DAY,
    ),
    LadderName.UNWATCHED: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.DOCTOR, Role.OPERATOR)),
            Step(after_s=15 * _MINUTE, roles=(Role.PRACTICE, Role.OPERATOR)),
        ),
        repeat_s=_HOUR, acknowledgement_s=_HOUR,
    ),
    LadderName.OPERATOR: PlannedLadder(
        steps=(
            Step(after_s=0, roles=(Role.OPERATOR,)),
            Step(after_s=60 * _MINUTE, roles=(Role.OPERATOR, Role.PRACTICE)),
        ),
        repeat_s=_DAY, acknowledgement_s=_DAY,
    ),
}  # fmt: skip

TIER_OF_LADDER: Mapping[LadderName, Tier] = {
    LadderName.TIP: Tier.TIP,
    LadderName.NIGHT_LOW: Tier.TIP,
    LadderName.DOCTOR: Tier.DOCTOR,
    LadderName.DOCTOR_URGENT: Tier.DOCTOR,
    LadderName.PAST_EMERGENCY: Tier.DOCTOR,
    LadderName.COUNTDOWN: Tier.EMERGENCY,
    LadderName.EMERGENCY: Tier.EMERGENCY,
    LadderName.TECHNICAL: Tier.TIP,
    LadderName.SILENT_ECG: Tier.TIP,
    LadderName.SILENT_SENSOR: Tier.TIP,
    LadderName.MISSED: Tier.TIP,
    LadderName.MISSED_REPEATED: Tier.TIP,
    LadderName.CARE: Tier.TIP,
    LadderName.ENROLMENT: Tier.TIP,
    LadderName.UNWATCHED: Tier.DOCTOR,
    LadderName.OPERATOR: Tier.TIP,
}
"""What an alert's tier is while a ladder runs."""

DISPATCH_ENDPOINT = "dispatch"
"""Name in the settings of the endpoint of the dispatch centre that serves a patient without a plan."""

OPERATOR = Addressee(person="operator", channel="log", address="operator", role=Role.OPERATOR)
"""Who hears what nobody else can be told."""

DEFAULT_TEAM: tuple[Addressee, ...] = (
    Addressee(person="dispatch", channel="webhook", address=DISPATCH_ENDPOINT, role=Role.DISPATCH),
    Addressee(person="doctor", channel="log", address="doctor", role=Role.DOCTOR),
    Addressee(person="practice", channel="log", address="practice", role=Role.PRACTICE),
    Addressee(person="patient", channel="log", address="patient", role=Role.PATIENT),
    OPERATOR,
)
"""Of a patient without a plan: nobody is unreachable for want of paperwork."""

OPTIONAL = frozenset({Role.FAMILY})
"""Roles that a patient may be without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is agreed with one patient. A new version never touches what the old one raised."""

    patient: str
    version: int = 0
    """0: the defaults, nobody has written a plan."""
    limits: dict[str, float] = field(default_factory=dict)
    guideline: str = ""
    """Whose home blood pressure limits hold where the plan sets none (`stream.limits.GUIDELINES`); empty: the defaults."""
    tiers: dict[str, Tier] = field(default_factory=dict)
    """Conditions that deserve a higher tier in this patient; a lower one is ignored."""
    ladders: dict[LadderName, PlannedLadder] = field(default_factory=dict)
    """Ladders of this patient's own; what is left out is the default."""
    team: tuple[Addressee, ...] = DEFAULT_TEAM
    quiet: QuietHours | None = None
    """Hours in which a tip that asks for nothing waits."""
    pauses: dict[PauseKind, float] = field(default_factory=dict)
    """Longest planned pauses of this patient, in minutes; 0: never. What is left out may be as long as anybody's."""
    schedules: dict[Role, str] = field(default_factory=dict)
    """Which of the practice's schedules says who is on call for a role; left out: the one of the role's own name."""
    on_call: dict[Role, Schedule] = field(default_factory=dict)
    """Those schedules as they are now; read with the plan, never written with it."""
    reason: str = ""
    """Why this version was made, in its writer's words; asked for where a limit goes beyond what is advised."""
    pressure_times: Timetable | None = None
    """When blood pressure is to be measured; one that is missed is told. None: whenever the patient likes."""


def limits_of(plan: Plan) -> dict[str, float]:
    """The limits that the detector judges by: the guideline's, and over them the plan's own.

    Raises:
        PlanRefused: a guideline that we do not know.
    """
    if plan.guideline and plan.guideline not in GUIDELINES:
        raise PlanRefused(f"guideline {plan.guideline!r} is unknown; there are: {', '.join(sorted(GUIDELINES))}")
    return {**GUIDELINES.get(plan.guideline, {}), **plan.limits}


SLOWEST_REPEAT_S = 300.0
"""An emergency that nobody has taken is repeated at least this often, whatever a plan says."""


SHORTEST_COUNTDOWN_S, LONGEST_COUNTDOWN_S = 20.0, 30.0
"""How long a patient may be asked before dispatch is told (alerting.md, "Escalation")."""
SHORTEST_SILENCE_S, LONGEST_SILENCE_S = 300.0, 7200.0
"""How long a doctor may leave an urgent alert unanswered before it is an emergency: a choice of ours."""


def check_ladders(ladders: Mapping[LadderName, PlannedLadder]) -> None:
    """See that each ladder tells somebody, and an emergency tells them at once.

    Raises:
        PlanRefused: it does not.

    """
    for name, ladder in ladders.items():
        times = [ladder.repeat_s, ladder.acknowledgement_s, *(step.after_s for step in ladder.steps)]
        if not all(math.isfinite(time) and time >= 0 for time in times):
            raise PlanRefused(f"ladder {name}: times are seconds from 0 on")
        if not any(step.roles for step in ladder.steps):
            raise PlanRefused(f"ladder {name} tells nobody: give it a step with a role")
        if ladder.repeat_s <= 0 or ladder.acknowledgement_s <= 0:
            raise PlanRefused(f"ladder {name}: it must repeat, and an acknowledgement must hold for a while")
        if (ladder.escalate_s is None) != (ladder.escalate_to is None):
            raise PlanRefused(f"ladder {name}: escalate_s and escalate_to belong together")
        if name in _CHECKS:
            _CHECKS[name](ladder)


def _check_emergency(ladder: PlannedLadder) -> None:
    if min(step.after_s for step in ladder.steps if step.roles) > 0:
        raise PlanRefused("ladder emergency: its first step must come at once (after_s 0)")
    if ladder.repeat_s > SLOWEST_REPEAT_S:
        raise PlanRefused(f"ladder emergency: it must repeat every {SLOWEST_REPEAT_S:g} s or sooner")


def _check_urgent(ladder: PlannedLadder) -> None:
    _check_escalates(LadderName.DOCTOR_URGENT, ladder, SHORTEST_SILENCE_S, LONGEST_SILENCE_S)


def _check_countdown(ladder: PlannedLadder) -> None:
    _check_escalates(LadderName.COUNTDOWN, ladder, SHORTEST_COUNTDOWN_S, LONGEST_COUNTDOWN_S)
    at_once = {role for step in ladder.steps if step.after_s == 0 for role in step.roles}
    if not {Role.PATIENT, Role.DOCTOR} <= at_once:
        raise PlanRefused("ladder countdown: its first step (after_s 0) must ask the patient and tell the doctor")
    if any(Role.DISPATCH in step.roles for step in ladder.steps):
        raise PlanRefused("ladder countdown: dispatch is told when it ends, by the ladder emergency")


def _check_escalates(name: LadderName, ladder: PlannedLadder, shortest_s: float, longest_s: float) -> None:
    if ladder.escalate_to is not LadderName.EMERGENCY or ladder.escalate_s is None:
        raise PlanRefused(f"ladder {name}: unanswered it must become an emergency (escalate_s, escalate_to)")
    if not shortest_s <= ladder.escalate_s <= longest_s:
        raise PlanRefused(
            f"ladder {name}: escalate_s = {ladder.escalate_s:g} is beyond {shortest_s:g} to {longest_s:g}"
        )


_CHECKS = {
    LadderName.EMERGENCY: _check_emergency,
    LadderName.COUNTDOWN: _check_countdown,
    LadderName.DOCTOR_URGENT: _check_urgent,
}


def frozen(plan: Plan) -> Ladders:
    """The plan's ladders with people in place of roles, and the schedules of those who are on call by the hour."""
    ladders = {name: _resolved(plan.ladders.get(name, planned), plan) for name, planned in DEFAULT_LADDERS.items()}
    return {**ladders, LadderName.TIP: replace(ladders[LadderName.TIP], quiet=plan.quiet)}


def _resolved(planned: PlannedLadder, plan: Plan) -> Ladder:
    rungs = []
    for step in sorted(planned.steps, key=lambda step: step.after_s):
        behind = {role: [one for one in plan.team if one.role is role] for role in step.roles}
        on_call = [role for role in step.roles if role in plan.on_call]
        missing = tuple(
            role for role, people in behind.items() if not people and role not in on_call and role not in OPTIONAL
        )
        to = [one for people in behind.values() for one in people]
        if missing:
            to += [] if OPERATOR in to else [OPERATOR]
            on_call += [Role.OPERATOR] if Role.OPERATOR in plan.on_call and Role.OPERATOR not in on_call else []
        rungs.append(Rung(after_s=step.after_s, to=_each_once(to), missing=missing, on_call=tuple(on_call)))
    asked = {role for rung in rungs for role in rung.on_call}
    return Ladder(
        rungs=tuple(rungs),
        repeat_s=max(planned.repeat_s, rungs[-1].after_s + 1.0 if rungs else 1.0),
        acknowledgement_s=planned.acknowledgement_s,
        escalate_s=planned.escalate_s,
        escalate_to=planned.escalate_to,
        schedules={role: one for role, one in plan.on_call.items() if asked and role in {*asked, Role.OPERATOR}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom a rung tells."""

    to: tuple[Addressee, ...]
    missing: tuple[Role, ...]
    """Roles that the care team lacks, or for which nobody is on call at that hour: the operator is told instead."""
    is_hour: bool
    """Whether it is the hour: at another somebody is on call."""


def told_at(ladder: Ladder, rung: Rung, at: datetime) -> Told:
    """Whom a rung that is due at `at` tells: its people, and whoever is on call then. Never nobody."""
    to, missing = list(rung.to), list(rung.missing)
    is_hour = False
    for role in rung.on_call:
        found = on_duty(ladder, role, at)
        to += found
        if not found and role not in OPTIONAL and not any(one.role is role for one in rung.to):
            missing.append(role)
            is_hour = True
    if is_hour or not to:
        to += [OPERATOR, *on_duty(ladder, Role.OPERATOR, at)]
    return Told(to=_each_once(to), missing=tuple(missing), is_hour=is_hour)


def on_duty(ladder: Ladder, role: Role, at: datetime) -> list[Addressee]:
    """Who is on call for a role."""
    schedule = ladder.schedules.get(role)
    return [
        Addressee(person=one.person, channel=one.channel, address=one.address, role=role)
        for one in (schedule.on_call(at) if schedule else ())
    ]


def _each_once(to: list[Addressee]) -> tuple[Addressee, ...]:
    """The same person by the same channel in two roles hears it once."""
    distinct = {(one.person, one.channel): one for one in reversed(to)}
    return tuple(sorted(distinct.values()))
