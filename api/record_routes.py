"""The record over HTTP: read it, enter it, take it from a hospital's FHIR Bundle. An ETag guards against two writers.

Must never log a name, nor write anything of a Bundle that cannot be read as a whole.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from alerts.record import UNKNOWN, Contact, Record
from api import roster
from api.access import Asker, may
from api.described import problems
from api.entries import LISTS, Entries, of_rows
from api.fhir import merging, reading
from api.fhir.checking import Broken
from api.house import Here, Row
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["record"])

Viewer = Annotated[Asker, may(Right.SEE)]
Enterer = Annotated[Asker, may(Right.ENTER)]
Short = Annotated[str, Field(max_length=500)]
Word = Annotated[str, Field(max_length=100)] | None
Day = Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")]
IfMatch = Annotated[str | None, Header(description="The ETag that was read; 412 if somebody wrote since.")]


class EntryBody(BaseModel):
    """One entry of a list, as `api.entries.Entry`."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=500)]
    system: Word = None
    code: Word = None
    display: Short | None = None
    onset: Day | None = None
    status: Word = None
    certainty: Word = None
    criticality: Annotated[str | None, Field(pattern=r"^(low|high|unable-to-assess)$")] = None
    reaction: Short | None = None
    dose: Short | None = None


Listed = Annotated[list[EntryBody], Field(max_length=100)] | None


class Person(BaseModel):
    """What is known of a patient; null: not known, an empty list: none. An entry may be words alone."""

    model_config = ConfigDict(extra="forbid")

    name: Short | None = None
    birth_date: Day | None = None
    sex: Annotated[str | None, Field(pattern=r"^(female|male|other)$")] = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = None
    address: Short | None = None
    door_code: Short | None = None
    phones: Annotated[list[Short], Field(max_length=100)] | None = None
    problems: Listed = None
    medication: Listed = None
    allergies: Listed = None
    blood_group: Annotated[str | None, Field(max_length=20)] = None
    implants: Listed = None
    directives: Listed = None
    contacts: Annotated[list[Contact] | None, Field(max_length=20)] = None

    @field_validator(*LISTS, mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return [{"text": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else value


@router.get("/patients/{patient}")
def one_patient(patient: Id, house: Here, asker: Viewer, response: Response) -> Record:
    """The record as an alert carries it, with the last vitals."""
    asker.check(patient)
    with house.transaction() as conn:
        response.headers["etag"] = roster.etag(conn, patient)
        return roster.read(conn, patient, house.seal)


@router.get("/patients/{patient}/entered")
def entered(patient: Id, house: Here, asker: Viewer, response: Response) -> Row:
    """The record as it was entered, with the codes: what `PUT` takes. The ETag goes into If-Match."""
    asker.check(patient)
    with house.transaction() as conn:
        response.headers["etag"] = roster.etag(conn, patient)
        return _body(roster.read(conn, patient, house.seal), roster.entries(conn, patient, house.seal))


@router.put("/patients/{patient}", status_code=204, responses=problems(412))
def put_patient(patient: Id, person: Person, house: Here, asker: Enterer, if_match: IfMatch = None) -> Response:
    """Enter a patient, or write all of one anew. 412: somebody wrote since the ETag of If-Match was read."""
    asker.check(patient)
    told = {name: getattr(person, name) for name in Person.model_fields if name not in LISTS}
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items() if value is not None
    }
    listed: Entries = {
        name: None if (value := getattr(person, name)) is None else of_rows([one.model_dump() for one in value])
        for name in LISTS
    }
    with house.transaction() as conn:
        _unchanged(conn, patient, if_match)
        roster.save(conn, Record(patient=patient, **known), house.seal, house.now(), listed)
        tag = roster.etag(conn, patient)
    return Response(status_code=204, headers={"etag": tag})


@router.post("/patients/{patient}/import", responses=problems(412))
def import_bundle(
    patient: Id,
    bundle: Annotated[dict[str, Any], Body(description="A FHIR R4 Bundle of one person.")],
    house: Here,
    asker: Enterer,
    dry: Annotated[bool, Query(description="Only say what would change.")] = False,
    if_match: IfMatch = None,
) -> Row:
    """Take a hospital's record into ours. What cannot be read is refused whole, each fault with its path.

    The same Bundle again changes nothing. `not_taken` lists what was recognised and is not in the record.
    """
    asker.check(patient)
    try:
        read = reading.read(bundle, house.now().date())
        with house.transaction() as conn:
            _unchanged(conn, patient, if_match)
            found = merging.merge(
                roster.read(conn, patient, house.seal), roster.entries(conn, patient, house.seal), read
            )
            if found.changes and not dry:
                roster.save(conn, found.record, house.seal, house.now(), found.entries)
    except Broken as broken:
        errors = [{"at": one.at, "why": one.why} for one in broken.faults]
        raise Problem(422, f"nothing was taken: {broken}", errors=errors) from None
    return {"patient": patient, "dry": dry, "changes": found.changes, "not_taken": found.not_taken}


def _unchanged(conn: roster.Connection, patient: str, if_match: str | None) -> None:
    roster.lock(conn, patient)
    if if_match is not None and if_match.removeprefix("W/") != roster.etag(conn, patient):
        raise Problem(412, "somebody wrote this record since you read it: read it again, then write")


def _body(record: Record, entries: Entries) -> Row:
    def said(name: str) -> Any:
        value = getattr(record, name)
        return None if value == UNKNOWN else value

    return {name: entries[name] if name in LISTS else said(name) for name in Person.model_fields}
