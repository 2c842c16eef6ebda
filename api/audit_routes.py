"""The book of who looked at what, over HTTP: whole for whoever may read it, their own part for a patient; and break-glass.

Must never be written but by `api.audit`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api import accounts, audit, board
from api.access import MACHINE, Asker, may
from api.accounts import Kind
from api.described import problems
from api.house import Here, Row
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["audit"])

Reader = Annotated[Asker, may(Right.AUDIT)]
Limit = Annotated[int | None, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(ge=1, le=2**62)]
OPENED = "opened"
"""Outcome of break-glass, beside those of `api.audit`."""


class Reason(BaseModel):
    """Why a record is opened; the patient will read it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "found unconscious at the front desk"}]}
    )

    reason: Annotated[str, Field(min_length=10, max_length=300)]


@router.get("/audit")
def list_audit(
    house: Here,
    asker: Reader,
    patient: Annotated[str | None, Query(max_length=100)] = None,
    who: Annotated[str | None, Query(max_length=100)] = None,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    before: Before = None,
    limit: Limit = None,
) -> Row:
    """Who asked for what of whom, newest first. `next` goes into `before` for the page behind."""
    del asker
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        found = audit.listed(conn, limit=most, subject=patient, who=who, between=(from_at, to_at), before=before)
    return {"audit": found, "next": found[-1]["n"] if len(found) == most else None}


@router.get("/audit/verify")
def verify(house: Here, asker: Reader) -> Row:
    """Walk the chain: whether each row is as it was written, and the last one is there."""
    del asker
    known = house.head.read()
    with house.transaction() as conn:
        found = audit.verify(conn, known)
    return {"whole": found.cut is None, "rows": found.rows, "cut": found.cut, "why": found.why}


@router.get("/me/audit")
def my_audit(house: Here, asker: Annotated[Asker, may(Right.OWN)], before: Before = None, limit: Limit = None) -> Row:
    """Who looked into one's own matters, or was refused, newest first: by name where they have an account."""
    patient = asker.own()
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        found = audit.listed(conn, limit=most, subject=patient, but=Kind.PATIENT, before=before)
        names = board.Names().team(conn, house.seal)
    for row in found:
        row["name"] = None if row["role"] == MACHINE else names.get(row["who"])
    return {"audit": found, "next": found[-1]["n"] if len(found) == most else None}


@router.post("/patients/{patient}/break-glass", status_code=201, responses=problems(409))
def break_glass(patient: Id, body: Reason, house: Here, asker: Annotated[Asker, may(Right.BREAK_GLASS)]) -> Row:
    """Open the record of somebody who is not yours for an hour: to see, and for a doctor to answer alerts.

    The reason goes into the book, where the patient sees it. 409 for a machine, which sees everybody as it is.
    """
    if asker.account is None:
        raise Problem(409, "a machine sees every patient as it is")
    asker.note(patient, OPENED, body.reason)
    with house.transaction() as conn:
        until = accounts.open_record(conn, asker.account.login, patient)
    return {"patient": patient, "until": until}
