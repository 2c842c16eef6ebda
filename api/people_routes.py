"""Patients over HTTP: the roster, whose a device is, limits, and how they feel.

What the detector must know goes into the stream's inbox in the same transaction. Must never log a name.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alerts import plans
from api import board, roster
from api.access import Asker, may
from api.assigning import Assigned, holder_before
from api.described import problems
from api.house import Here, IdempotencyKey, Row, rows, tell
from api.problem import Problem
from api.rights import Right
from gateway.reading import DeviceId
from stream.command import AssignmentChanged, BenchLifted, SymptomReport
from stream.finding import PatientId

router = APIRouter(prefix="/api/v1", tags=["patients"])

Viewer = Annotated[Asker, may(Right.SEE)]
Keeper = Annotated[Asker, may(Right.KEEP)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Assignment(_Request):
    """From when on (and until when) a device's user slot is a patient."""

    device: Annotated[str, Field(min_length=1, max_length=128)]
    slot: Annotated[int | None, Field(ge=0, le=255, description="Left out: every slot without one of its own.")] = None
    patient: Annotated[Id | None, Field(description="null: nobody.")]
    from_at: Annotated[AwareDatetime | None, Field(alias="from", description="Left out: now.")] = None
    to_at: Annotated[AwareDatetime | None, Field(alias="to")] = None
    correct: Annotated[bool, Field(description="True: what was said before of this time was wrong.")] = False


class Limits(_Request):
    """A patient's own limits: all of them; a name that is left out falls back to the default."""

    patient: Id
    limits: Annotated[dict[str, float], Field(max_length=50)]
    version: Annotated[int | None, Field(ge=0, description="The plan version the writer saw; 412 if old.")] = None
    reason: Annotated[str, Field(max_length=500, description="Why; must be given beyond what is advised.")] = ""


class Symptoms(_Request):
    """What the patient feels."""

    patient: Id
    symptoms: Annotated[list[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]], Field(min_length=1, max_length=20)]
    at: AwareDatetime | None = None


@router.get("/patients")
def list_patients(house: Here, asker: Viewer, after: str = "", limit: Annotated[int | None, Query(ge=1)] = None) -> Row:
    """Whom you may see, with the last readings, and who has a device without being entered; page by page, by id."""
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        sight = asker.sight(conn)
        entered = roster.people(conn, after, most, sight.others)
        ids = [row["patient"] for row in entered]
        devices = {row["patient"] for row in rows(conn, "known_patients")}
        benched = {row["patient"]: row["why"] for row in rows(conn, "benched")}
        names = board.Names().people(conn, ids, house.seal)
        vitals = roster.readings_of(conn, ids)
    unknown = sorted(devices - set(ids) - sight.others) if not after and len(entered) < most else []
    return {
        "patients": [
            row | names[row["patient"]] | {"benched": benched.get(row["patient"]), "vitals": vitals[row["patient"]]}
            for row in entered
        ],
        "not_entered": unknown,
        "next": ids[-1] if len(entered) == most else None,
    }


@router.post("/assignments", status_code=202, responses=problems(409))
def assign(
    said: Assignment,
    house: Here,
    asker: Annotated[Asker, may(Right.TREAT)],
    idempotency_key: IdempotencyKey = None,
) -> Row:
    """Whose a device is. Written with its inbox entry in one transaction; 409 names who holds the slot already."""
    wanted = Assigned(slot=said.slot, patient=said.patient, from_at=said.from_at or house.now(), to_at=said.to_at)
    if wanted.to_at is not None and wanted.to_at <= wanted.from_at:
        raise Problem(422, "to lies before from: an assignment ends after it begins")
    if said.patient is not None:
        asker.check(said.patient)
    with house.transaction() as conn:
        sight = asker.sight(conn)
        rows(conn, "lock_device", device=said.device)
        before = [
            Assigned(slot=row["slot"], patient=row["patient"], from_at=row["from_at"], to_at=row["to_at"])
            for row in rows(conn, "assignments", device=said.device, from_at=wanted.from_at, to_at=wanted.to_at)
        ]
        if not all(sight.covers(one.patient) for one in before if one.patient is not None):
            raise Problem(403, "in part of that time this device is a patient's who is not yours to treat")
        other = None if said.correct or said.patient is None else holder_before(before, wanted)
        if other is not None:
            raise Problem(
                409,
                f"in part of that time this slot is {other}'s: end that first (patient null), or say correct: true",
                held_by=other,
            )
        command = AssignmentChanged(
            device=DeviceId(said.device),
            slot=said.slot,
            patient=PatientId(said.patient) if said.patient else None,
            from_at=wanted.from_at,
            to_at=wanted.to_at,
        )
        identity = tell(conn, command, asker.name, idempotency_key)
    return {"command": identity, "from": wanted.from_at, "to": wanted.to_at}


@router.post("/limits", status_code=202, responses=problems(412))
def set_limits(said: Limits, house: Here, asker: Annotated[Asker, may(Right.TREAT)]) -> Row:
    """The next version of a patient's plan, with these limits; the detector is told in the same transaction."""
    asker.check(said.patient)
    with house.transaction() as conn:
        plan = plans.current(conn, said.patient)
        if said.version is not None:
            plan = replace(plan, version=said.version)
        plan = replace(plan, limits=said.limits, reason=said.reason)
        made, warnings = plans.activate(
            conn, plan, house.means(conn), by_whom=asker.name, now=house.now(), limits_only=True
        )
    return {"patient": made.patient, "version": made.version, "limits": made.limits, "warnings": warnings}


@router.post("/symptoms", status_code=202)
def report_symptoms(
    said: Symptoms,
    house: Here,
    asker: Annotated[Asker, may(Right.OWN, Right.ANSWER)],
    idempotency_key: IdempotencyKey = None,
) -> Row:
    """What the patient feels: one more source for the detector. A patient says it of themselves."""
    asker.check(said.patient)
    at: datetime = said.at or house.now()
    report = SymptomReport(patient=PatientId(said.patient), at=at, symptoms=tuple(sorted(set(said.symptoms))))
    with house.transaction() as conn:
        return {"command": tell(conn, report, asker.name, idempotency_key), "at": at}


@router.post("/bench/{patient}/lift", status_code=202)
def lift_bench(patient: Id, house: Here, asker: Keeper, idempotency_key: IdempotencyKey = None) -> Row:
    """Judge a benched patient again, as after an upgrade."""
    asker.check(patient)
    with house.transaction() as conn:
        if patient not in {row["patient"] for row in rows(conn, "benched")}:
            raise Problem(404, f"{patient} is not benched")
        command = BenchLifted(patient=PatientId(patient), by=asker.name)
        return {"command": tell(conn, command, asker.name, idempotency_key)}


@router.get("/bench")
def list_benched(house: Here, asker: Keeper) -> Row:
    """Patients who are archived, not judged, and why."""
    del asker
    with house.transaction() as conn:
        return {"benched": rows(conn, "benched")}
