"""Plans over HTTP: read one, write the next version. An ETag guards against two writers at once.

What a plan may say is guarded by `alerts.plan`; a plan that could not tell anybody is refused with the reason.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from alerts import plans
from alerts.alert import Tier
from alerts.ladder import Addressee, LadderName, Role
from alerts.pauses import PauseKind
from alerts.plan import DEFAULT_TEAM, Plan, PlannedLadder
from alerts.quiet_hours import QuietHours
from api.access import Caller
from api.described import problems
from api.house import Here
from api.people_routes import Id
from api.problem import Problem
from stream.command import Timetable

router = APIRouter(prefix="/api/v1", tags=["plans"])


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


@router.get("/plans/{patient}")
def get_plan(patient: Id, house: Here, caller: Caller, response: Response) -> Plan:
    """The plan in force; version 0 is the default. The ETag goes into If-Match when it is changed."""
    del caller
    with house.transaction() as conn:
        plan = plans.current(conn, patient)
    response.headers["etag"] = f'"{plan.version}"'
    return plan


@router.put("/plans/{patient}", responses=problems(412))
def put_plan(
    patient: Id,
    body: PlanBody,
    house: Here,
    caller: Caller,
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Make this the next version, and tell the detector its limits. 412 if another version came first.

    422 where somebody would not be told at some hour of the week, or a rule could not fire: `problems` says each.
    """
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
        )
        made, warnings = plans.activate(conn, plan, house.means(conn), by_whom=caller, now=house.now())
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
