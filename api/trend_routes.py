"""One patient's course over HTTP: trends to draw, readings as they were stored, what was found. Read only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from alerts import overview
from api import roster, trends
from api.access import Asker, may
from api.house import Here, House, Row, rows
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right
from api.trends import Trend
from gateway.reading import ReadingKind

router = APIRouter(prefix="/api/v1/patients", tags=["patients"])

Viewer = Annotated[Asker, may(Right.SEE)]
From = Annotated[AwareDatetime | None, Query(alias="from", description="Left out: 30 days before `to`.")]
To = Annotated[AwareDatetime | None, Query(alias="to", description="Left out: now.")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before.")]
Most = Annotated[int | None, Query(ge=1)]


@router.get("/{patient}/trends")
def get_trend(
    patient: Id, kind: Trend, house: Here, asker: Viewer, hours: Annotated[int, Query(ge=1, le=720)] = 24
) -> Row:
    """A course in at most 600 pieces, each with its lowest and highest; gaps, rhythm episodes, time in range, limits."""
    asker.check(patient)
    with house.transaction() as conn:
        return trends.trend(conn, patient, kind, hours, house.now())


@router.get("/{patient}/readings")
def list_readings(
    patient: Id, house: Here, asker: Viewer, kind: ReadingKind | None = None, from_at: From = None, to_at: To = None,
    after: Cursor = None, limit: Most = None,
) -> Row:  # fmt: skip
    """Readings as devices measured them, newest first, tests and all: their flags say what they are."""
    asker.check(patient)
    most = min(limit or house.settings.page, house.settings.page)
    at, lane, seq = _reading_cursor(after)
    first, last = _window(house, from_at, to_at)
    asked = {
        "patient": patient,
        "kind": kind,
        "from_at": first,
        "to_at": last,
        "before_at": at,
        "lane": lane,
        "seq": seq,
    }
    with house.transaction() as conn:
        found = rows(conn, "readings_of", limit=most, **asked)
    newest_left = found[-1] if len(found) == most else None
    return {
        "readings": [
            {
                "at": row["at"],
                "kind": row["kind"],
                "values": roster.named(row["kind"], row["readings"]),
                "flags": row["flags"],
                "device": row["device"],
                "slot": row["slot"],
                "at_source": row["at_source"],
                "received_at": row["received_at"],
            }
            for row in found
        ],
        "next": newest_left and f"{newest_left['at'].isoformat()}|{newest_left['lane']}|{newest_left['seq']}",
    }


@router.get("/{patient}/findings")
def list_findings(
    patient: Id, house: Here, asker: Viewer, from_at: From = None, to_at: To = None, after: Cursor = None,
    limit: Most = None,
) -> Row:  # fmt: skip
    """Episodes that the detector found, newest onset first, each with its newest evidence; withdrawn ones say why."""
    asker.check(patient)
    most = min(limit or house.settings.page, house.settings.page)
    at, episode = _finding_cursor(after)
    first, last = _window(house, from_at, to_at)
    asked = {"patient": patient, "from_at": first, "to_at": last, "before_at": at, "episode": episode}
    with house.transaction() as conn:
        found = rows(conn, "episodes_of", limit=most, **asked)
    return {
        "findings": [row | {"what": overview.what(row["condition"])} for row in found],
        "next": f"{found[-1]['onset'].isoformat()}|{found[-1]['episode']}" if len(found) == most else None,
    }


def _window(house: House, from_at: datetime | None, to_at: datetime | None) -> tuple[datetime, datetime]:
    last = to_at or house.now()
    first = from_at or last - timedelta(days=30)
    if first >= last:
        raise Problem(422, "from must lie before to")
    return first, last


def _reading_cursor(after: str | None) -> tuple[datetime | None, int | None, int | None]:
    if after is None:
        return None, None, None
    try:
        at, lane, seq = after.split("|")
        return _instant(at), int(lane), int(seq)
    except ValueError:
        raise Problem(422, "after is no cursor of this list: take `next` of the page before") from None


def _finding_cursor(after: str | None) -> tuple[datetime | None, UUID | None]:
    if after is None:
        return None, None
    try:
        at, episode = after.split("|")
        return _instant(at), UUID(episode)
    except ValueError:
        raise Problem(422, "after is no cursor of this list: take `next` of the page before") from None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at
