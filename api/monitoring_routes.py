"""Planned pauses over HTTP, and the end of monitoring.

What a pause mutes and whom an end tells is decided in `alerts`. Must never end anybody's monitoring by default.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alerts import monitoring, plans
from alerts.ladder import Role
from alerts.monitoring import End
from alerts.pauses import BOUNDS, PauseKind
from api.access import Asker, may
from api.described import problems
from api.house import Here, IdempotencyKey, Row
from api.people_routes import Id
from api.rights import Right

router = APIRouter(prefix="/api/v1/patients", tags=["monitoring"])

Planner = Annotated[Asker, may(Right.TREAT, Right.OWN)]
Viewer = Annotated[Asker, may(Right.SEE, Right.OWN)]
Treater = Annotated[Asker, may(Right.TREAT)]
Who = Annotated[str | None, Field(min_length=1, max_length=80, description="Left out: the token's caller.")]


class NewPause(BaseModel):
    """A while in which nothing will come."""

    model_config = ConfigDict(extra="forbid")

    kind: PauseKind
    minutes: Annotated[float, Field(gt=0, le=100_000)]
    from_at: Annotated[AwareDatetime | None, Field(alias="from", description="Left out: now.")] = None
    who: Who = None
    role: Annotated[Role, Field(description="What they are to the patient.")] = Role.OPERATOR


class Ending(BaseModel):
    """Why monitoring ends."""

    model_config = ConfigDict(extra="forbid")

    kind: End
    who: Who = None


@router.post("/{patient}/pauses", status_code=201, responses=problems(409))
def plan_pause(patient: Id, body: NewPause, house: Here, asker: Planner, idempotency_key: IdempotencyKey = None) -> Row:
    """Plan a pause: until it ends, silence tells nobody; what is found of the body does. 422 beyond its bounds."""
    asker.check(patient)
    now = house.now()
    first = body.from_at or now
    with house.transaction() as conn:
        planned = monitoring.pause(
            conn,
            patient,
            body.kind,
            (first, first + timedelta(minutes=body.minutes)),
            by_whom=asker.speaks_as(body.who),
            role=asker.role_as(body.role) or Role.OPERATOR,
            key=f"{asker.name}:{idempotency_key or uuid4()}",
            now=now,
        )
    return {"pause": planned.pause, "kind": planned.kind, "from_at": planned.from_at, "until_at": planned.until_at}


@router.get("/{patient}/pauses")
def list_pauses(
    patient: Id, house: Here, asker: Viewer, everything: Annotated[bool, Query(alias="all")] = False
) -> Row:
    """Pauses that run or are to come; with `all` those that are over too."""
    asker.check(patient)
    with house.transaction() as conn:
        return {"pauses": monitoring.pauses(conn, patient, house.now(), everything=everything)}


@router.delete("/{patient}/pauses/{pause}", responses=problems(409))
def lift_pause(patient: Id, pause: UUID, house: Here, asker: Planner) -> Row:
    """End a pause before its time: what is still silent is told at once. 404 where there is none."""
    asker.check(patient)
    with house.transaction() as conn:
        monitoring.lift(conn, patient, pause, by_whom=asker.name, now=house.now())
    return {"pause": pause, "lifted_by": asker.name}


@router.post("/{patient}/end", responses=problems(409))
def end(patient: Id, body: Ending, house: Here, asker: Treater) -> Row:
    """No longer monitored: every open alert is over. Dispatch is stood down if it was told; nobody else hears a word."""
    asker.check(patient)
    with house.transaction() as conn:
        changed = monitoring.end(conn, patient, body.kind, by_whom=asker.speaks_as(body.who), now=house.now())
    return {"patient": patient, "monitored": False, "changed": changed}


@router.post("/{patient}/begin", responses=problems(409))
def begin(patient: Id, house: Here, asker: Treater) -> Row:
    """Monitored again: what is so now is raised within a minute."""
    asker.check(patient)
    with house.transaction() as conn:
        changed = monitoring.begin(conn, patient, by_whom=asker.name, now=house.now())
    return {"patient": patient, "monitored": True, "changed": changed}


@router.get("/{patient}/monitoring")
def whether(patient: Id, house: Here, asker: Viewer) -> Row:
    """Whether somebody is monitored, since when and why not, the pauses that run or are to come, and how long one may be."""
    asker.check(patient)
    with house.transaction() as conn:
        said = monitoring.state(conn, patient)
        planned = monitoring.pauses(conn, patient, house.now())
        allowed = plans.current(conn, patient).pauses
    longest = {kind.value: allowed.get(kind, bounds.longest_min) for kind, bounds in BOUNDS.items()}
    is_ended = said is not None and said["what"] == "ended"
    return {"patient": patient, "monitored": not is_ended, "said": said, "pauses": planned, "longest_min": longest}
