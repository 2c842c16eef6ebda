"""Plans over HTTP: read one, write the next version. An ETag guards against two writers at once.

What a plan may say is guarded by `alerts.plan`; a plan that could not tell anybody is refused with the reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from alerts import plan_changes, plans, trying
from alerts.alert import Tier
from alerts.ladder import Addressee, LadderName, Role
from alerts.limit_guard import check_limits
from alerts.limit_table import TABLE
from alerts.overview import what
from alerts.pauses import PauseKind
from alerts.plan import DEFAULT_TEAM, Plan, PlannedLadder, limits_of
from alerts.policy import RULES
from alerts.quiet_hours import QuietHours
from api.access import Asker, may
from api.board import Names
from api.described import problems
from api.house import Here, Row
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right
from stream.command import Timetable
from stream.limits import LIMITS
from stream.statement import TECHNICAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.rejudging import Tried, Would

router = APIRouter(prefix="/api/v1", tags=["plans"])

_SHOWN = 50
"""Alerts that differ and are named one by one, the newest."""


class PlanBody(BaseModel):
    """What is agreed with one patient; what is left out is the default."""

    model_config = ConfigDict(extra="forbid")

    limits: Annotated[dict[str, float], Field(max_length=50)] = {}
    guideline: Annotated[str, Field(description="Whose home blood pressure limits hold where none is set.")] = ""
    tiers: Annotated[dict[str, Tier], Field(max_length=50, description="Higher tiers than usual, by condition.")] = {}
    ladders: dict[LadderName, PlannedLadder] = {}
    team: Annotated[list[Addressee], Field(min_length=1, max_length=50)] = list(DEFAULT_TEAM)
    quiet: QuietHours | None = None
    pauses: Annotated[dict[PauseKind, float], Field(description="Longest planned pauses, in minutes; 0: never.")] = {}
    schedules: Annotated[
        dict[Role, str],
        Field(description="Which schedule says who is on call for a role; else that of the role's name."),
    ] = {}
    pressure_times: Annotated[Timetable | None, Field(description="When blood pressure is to be measured.")] = None
    reason: Annotated[
        str, Field(max_length=500, description="Why; must be given where a limit goes beyond what is advised.")
    ] = ""


class Trial(BaseModel):
    """Limits to be tried."""

    model_config = ConfigDict(extra="forbid")

    limits: Annotated[dict[str, float], Field(max_length=50, description="All of the patient's own, as they would be.")]


@router.get("/plans/{patient}")
def get_plan(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)], response: Response) -> Plan:
    """The plan in force; version 0 is the default. The ETag goes into If-Match when it is changed."""
    asker.check(patient)
    with house.transaction() as conn:
        plan = plans.current(conn, patient)
    response.headers["etag"] = f'"{plan.version}"'
    return plan


@router.put("/plans/{patient}", responses=problems(412))
def put_plan(
    patient: Id,
    body: PlanBody,
    house: Here,
    asker: Annotated[Asker, may(Right.TREAT)],
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Make this the next version, and tell the detector its limits. 412 if another version came first.

    422 where somebody would not be told at some hour of the week, or a rule could not fire: `problems` says each; where
    a limit is beyond its bounds (`limit` says which), or beyond what is advised without a reason (`unadvised`). Where
    nothing but limits and times to measure is new, what the plan in force lacks already is a warning, and keeps nobody from
    setting them.
    """
    asker.check(patient)
    with house.transaction() as conn:
        version = version_in(if_match)
        plan = Plan(
            patient=patient,
            version=plans.current(conn, patient).version if version is None else version,
            limits=body.limits,
            guideline=body.guideline,
            tiers=body.tiers,
            ladders=body.ladders,
            team=tuple(body.team),
            schedules=body.schedules,
            pressure_times=body.pressure_times,
            quiet=body.quiet,
            pauses=body.pauses,
            reason=body.reason,
        )
        made, warnings = plans.activate(
            conn, plan, house.means(conn), by_whom=asker.name, now=house.now(),
            limits_only=_telling(plan) == _telling(plans.current(conn, patient)),
        )  # fmt: skip
    response.headers["etag"] = f'"{made.version}"'
    return {"patient": patient, "version": made.version, "warnings": warnings}


def version_in(etag: str | None) -> int | None:
    """The version of an If-Match; None where there is none."""
    if etag is None:
        return None
    try:
        return int(etag.removeprefix("W/").strip('"'))
    except ValueError:
        raise Problem(412, "If-Match is no ETag of a plan: read the plan first") from None


@router.get("/plans/{patient}/versions")
def list_versions(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Row:
    """Every version, newest first: who put it in force, when and why, and what it changed."""
    asker.check(patient)
    with house.transaction() as conn:
        found = plans.versions(conn, patient)
        names = Names().team(conn, house.seal)
    changed = plan_changes.of_each([one.plan for one in found])
    return {
        "versions": [
            {
                "version": one.plan.version,
                "by_whom": one.by_whom,
                "by_name": names.get(one.by_whom),
                "at": one.at,
                "reason": one.plan.reason,
                "changes": [{"what": each.what, "before": each.before, "after": each.after} for each in changes],
            }
            for one, changes in zip(found, changed, strict=True)
        ]
    }


@router.get("/plans/{patient}/limits")
def get_limits(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Row:
    """Every limit that this plan is judged by: its value, its bounds with their source, and what it decides."""
    asker.check(patient)
    with house.transaction() as conn:
        plan = plans.current(conn, patient)
    values = limits_of(plan)
    return {"version": plan.version, "limits": [_told(name, plan, values) for name in TABLE]}


@router.post("/plans/{patient}/try")
def try_limits(patient: Id, body: Trial, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Row:
    """What these limits would have raised over the last 30 days, and what the plan in force would; changes nothing.

    Glucose and pressure are judged again by both; `untold` says of which limits it cannot be told, and why.
    """
    asker.check(patient)
    with house.transaction() as conn:
        plan = plans.current(conn, patient)
        wished = replace(plan, limits=body.limits)
        check_limits(limits_of(wished))
        archive, found = trying.on_archive(conn, plan, wished, house.now())
    return {
        "from": archive.from_at,
        "to": archive.now,
        "judged": {
            "glucose": sum(len(samples) for samples in archive.glucose.values()),
            "pressure": len(archive.pressure),
            "episodes": len(archive.episodes),
            "minutes": len(archive.minutes),
        },
        "tiers": {tier.value: _counts(found, tier) for tier in Tier},
        "more": [_would(one) for one in found.more[-_SHOWN:]],
        "fewer": [_would(one) for one in found.fewer[-_SHOWN:]],
        "untold": [{"limit": one.limit, "why": one.why, "of": one.of, "unsure": one.unsure} for one in found.untold],
    }


def _telling(plan: Plan) -> Plan:
    """The plan without what decides when something is found: only who is told how."""
    return replace(plan, version=0, limits={}, pressure_times=None, reason="", on_call={})


def _told(name: str, plan: Plan, values: Mapping[str, float]) -> Row:
    entry, bounds = TABLE[name], LIMITS[name]
    first = entry.decides[0] if entry.decides else None
    tiers = [] if first is None else [RULES[first].tier, plan.tiers.get(first, Tier.TIP)]
    return {
        "name": name,
        "group": entry.group,
        "is_common": entry.is_common,
        "decides": [{"condition": one, "what": what(one)} for one in entry.decides],
        "tier": max(tiers, key=lambda tier: tier.rank, default=None),
        "is_technical": first in TECHNICAL,
        "value": values.get(name, float(bounds.default)),
        "is_own": name in plan.limits,
        "default": float(bounds.default),
        "lowest": float(bounds.lowest),
        "highest": float(bounds.highest),
        "advised_from": float(bounds.advised_from),
        "advised_to": float(bounds.advised_to),
        "source": bounds.source,
    }


def _counts(found: Tried, tier: Tier) -> dict[str, int]:
    return {
        name: sum(1 for one in those if one.tier is tier)
        for name, those in (
            ("before", found.before), ("after", found.after), ("more", found.more), ("fewer", found.fewer),
        )
    }  # fmt: skip


def _would(one: Would) -> Row:
    return {
        "condition": one.condition,
        "what": what(one.condition),
        "tier": one.tier,
        "onset": one.onset,
        "end": one.end,
    }
