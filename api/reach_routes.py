"""Who can be reached over HTTP: the practice's schedules, trials of a way to somebody, and what a plan in force lacks.

A schedule is guarded as plans are: one that would leave a patient without somebody to tell is refused with the reason.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from alerts import plans, schedules, trials
from alerts.delivery.outcome import Delivered
from alerts.reachability import TRIED_FOR, prove
from alerts.schedule import Schedule, SpecialDay, WeeklyShift
from api.access import Asker, may
from api.described import problems
from api.house import Here
from api.people_routes import Id
from api.plan_routes import version_in
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["reachability"])

Planner = Annotated[Asker, may(Right.KEEP, Right.TREAT)]
"""Whoever writes a plan must know who can be reached by what."""
Name = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,40}$")]


class ScheduleBody(BaseModel):
    """Who is on call at the practice, by the hours of the week."""

    model_config = ConfigDict(extra="forbid")

    zone: Annotated[str, Field(max_length=60, description="IANA time zone, as Europe/Berlin.")]
    week: list[WeeklyShift]
    exceptions: list[SpecialDay] = []


@router.get("/schedules/{name}")
def get_schedule(name: Name, house: Here, asker: Planner, response: Response) -> Schedule:
    """A schedule as it is now, and who is on call by it."""
    del asker
    with house.transaction() as conn:
        found = schedules.current(conn, name)
    if found is None:
        raise Problem(404, f"there is no schedule {name!r}")
    response.headers["etag"] = f'"{found.version}"'
    return found


@router.get("/schedules/{name}/on-call")
def get_on_call(name: Name, house: Here, asker: Planner) -> dict[str, Any]:
    """Who is on call now."""
    found = get_schedule(name, house, asker, Response())
    now = house.now()
    return {"schedule": name, "version": found.version, "at": now, "on_call": found.on_call(now)}


@router.put("/schedules/{name}", responses=problems(412))
def put_schedule(
    name: Name,
    body: ScheduleBody,
    house: Here,
    asker: Annotated[Asker, may(Right.KEEP)],
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Put the next version in force, for every plan that goes by it; alerts that sound keep the one of then."""
    with house.transaction() as conn:
        version = version_in(if_match)
        if version is None:
            before = schedules.current(conn, name)
            version = before.version if before else 0
        wanted = Schedule(
            name=name, zone=body.zone, week=tuple(body.week), exceptions=tuple(body.exceptions), version=version
        )
        made = schedules.activate(conn, wanted, house.means(conn), by_whom=asker.name, now=house.now())
    response.headers["etag"] = f'"{made.version}"'
    return {"schedule": name, "version": made.version}


@router.get("/channels")
def list_channels(house: Here, asker: Planner) -> dict[str, Any]:
    """The ways to people: what there is, what it lacks, and the newest trial of each."""
    del asker
    with house.transaction() as conn:
        means, newest = house.means(conn), trials.newest(conn)
    return {
        "channels": {name: None if known is None else sorted(known) for name, known in means.addresses.items()},
        "lacking": [
            {"channel": channel, "address": address, "why": why} for (channel, address), why in means.lacking.items()
        ],
        "trials": [one | {"counts": (one["channel"], one["address"]) in means.tried} for one in newest],
        "stands_for_days": TRIED_FOR.days,
    }


@router.post("/channels/{channel}/{address}/test")
def try_channel(
    channel: Annotated[str, Path(max_length=40)],
    address: Annotated[str, Path(max_length=200)],
    house: Here,
    asker: Planner,
) -> dict[str, Any]:
    """Send `alert.test` there: whether this way works. What was delivered counts for every plan that uses it."""
    outcome = trials.send(house.channels, (channel, address))
    now = house.now()
    with house.transaction() as conn:  # nothing was held while the receiver took its time
        trials.keep(conn, house.alerts, (channel, address), outcome, asker.name, now)
    is_delivered = isinstance(outcome, Delivered)
    return {
        "channel": channel,
        "address": address,
        "delivered": is_delivered,
        "detail": outcome.detail if isinstance(outcome, Delivered) else outcome.reason,
        "at": now,
    }


@router.get("/plans/{patient}/reachability")
def get_reachability(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> dict[str, Any]:
    """What the plan in force lacks, by the proof that a new one must pass."""
    asker.check(patient)
    with house.transaction() as conn:
        plan = plans.current(conn, patient)
        proof = prove(plan, house.means(conn), house.now(), plans.worn(conn, patient))
    return {"patient": patient, "version": plan.version, "problems": proof.problems, "warnings": proof.warnings}
