"""The packet over HTTP, as a FHIR document: of an alert, and of a patient without one.

Must never be kept by a cache: it is a person's record.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from api import packet
from api.access import Asker, may
from api.fhir import summary
from api.house import Here
from api.packet import Packet
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1")
FHIR: dict[int | str, dict[str, Any]] = {
    200: {"content": {summary.MEDIA: {"schema": {"type": "object"}}}, "description": "A FHIR R4 document Bundle."}
}
PRIVATE = {"cache-control": "private, no-store"}


@router.get("/alerts/{alert}/packet", tags=["alerts"], response_class=Response, responses=FHIR)
def alert_packet(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """The International Patient Summary with the alert, its strip as samples, and the last values."""
    asker.check_alert(alert)
    with house.transaction() as conn:
        found = packet.of_alert(conn, alert, house.seal)
    if found is None:
        raise Problem(404, f"there is no alert {alert} of a patient")
    return document(found)


@router.get("/patients/{patient}/summary", tags=["patients"], response_class=Response, responses=FHIR)
def patient_summary(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """The International Patient Summary of what is on record; of somebody who is not entered it says that nothing is known."""
    asker.check(patient)
    with house.transaction() as conn:
        found = packet.of_patient(conn, patient, house.seal, house.now())
    return document(found)


def document(found: Packet) -> Response:
    """The answer that carries it."""
    return Response(summary.document(found), media_type=summary.MEDIA, headers=PRIVATE)
