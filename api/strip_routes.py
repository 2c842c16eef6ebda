"""The strip of an alert over HTTP, as the console and the dispatcher's page show it: drawn from the archive.

The same picture as in the alert, once 20 s have passed since its onset. Must never hold a name: it may be looked at alone.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from alerts.strip import strip_of
from api.access import Asker, may
from api.house import Here
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["alerts"])
SVG = "image/svg+xml"


@router.get("/alerts/{alert}/strip.svg", response_class=Response, responses={200: {"content": {SVG: {}}}})
def strip(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Response:
    """30 s of ECG around the onset on paper, 25 mm/s and 10 mm/mV. 404 where there is none."""
    asker.check_alert(alert)
    with house.transaction() as conn:
        svg = strip_of(conn, alert)
    if svg is None:
        raise Problem(404, "there is no ECG of this patient around the onset of the alert")
    return Response(svg, media_type=SVG, headers={"cache-control": "private, no-store"})
