"""The weekly summary over HTTP, of what its reader may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from alerts import summary
from alerts.summary import NoSuchWeek
from api.access import Asker, may
from api.house import Here, Row
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["alerts"])


@router.get("/summary")
def weekly(
    house: Here,
    asker: Annotated[Asker, may(Right.SEE)],
    week: Annotated[
        str | None, Query(max_length=10, description="As 2026-W48, UTC. Left out: the last whole one.")
    ] = None,
) -> Row:
    """A week in figures: alerts by tier and outcome, false alarms and why, time to acceptance, what nobody answered."""
    try:
        name, since, until = summary.span(week, house.now())
    except NoSuchWeek as error:
        raise Problem(422, str(error)) from None
    with house.transaction() as conn:
        found = summary.rows(conn, since, until, asker.sight(conn))
    return {"week": name, "from": since, "until": until} | summary.summarised(found)
