"""The packet over HTTP, as a FHIR document and as a sheet of paper: of an alert, and of a patient without one.

Must never be kept by a cache: it is a person's record.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from api import packet, packet_pdf
from api.access import Asker, may
from api.fhir import summary
from api.house import Here, House
from api.packet import Packet
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1")
FHIR: dict[int | str, dict[str, Any]] = {
    200: {"content": {summary.MEDIA: {"schema": {"type": "object"}}}, "description": "A FHIR R4 document Bundle."}
}
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        "description": "One A4 page.",
    }
}
PRIVATE = {"cache-control": "private, no-store"}


@router.get("/alerts/{alert}/packet", tags=["alerts"], response_class=Response, responses=FHIR)
def alert_packet(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """The International Patient Summary with the alert, its strip as samples, and the last values."""
    asker.check_alert(alert)
    return document(_of_alert(house, alert))


@router.get("/alerts/{alert}/packet.pdf", tags=["alerts"], response_class=Response, responses=PDF)
def alert_sheet(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """The same on one A4 page, the strip at 25 mm/s and 10 mm/mV when printed at 100 %."""
    asker.check_alert(alert)
    return sheet(_of_alert(house, alert), house)


@router.get("/patients/{patient}/summary", tags=["patients"], response_class=Response, responses=FHIR)
def patient_summary(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """The International Patient Summary of what is on record; of somebody who is not entered it says that nothing is known."""
    asker.check(patient)
    with house.transaction() as conn:
        found = packet.of_patient(conn, patient, house.seal, house.now())
    return document(found)


@router.get("/patients/{patient}/summary.pdf", tags=["patients"], response_class=Response, responses=PDF)
def patient_sheet(patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """What is on record, on one A4 page."""
    asker.check(patient)
    with house.transaction() as conn:
        found = packet.of_patient(conn, patient, house.seal, house.now())
    return sheet(found, house)


def sheet(found: Packet, house: House) -> Response:
    """The answer that carries the page."""
    made = packet_pdf.pdf(found, house.alerts.delivery.pdf_font)
    return Response(made, media_type="application/pdf", headers=PRIVATE)


def _of_alert(house: House, alert: UUID) -> Packet:
    with house.transaction() as conn:
        found = packet.of_alert(conn, alert, house.seal)
    if found is None:
        raise Problem(404, f"there is no alert {alert} of a patient")
    return found


def document(found: Packet) -> Response:
    """The answer that carries it."""
    return Response(summary.document(found), media_type=summary.MEDIA, headers=PRIVATE)
