"""What is not urgent, over HTTP: the morning's worklist, and what was closed of late. A shell over `worklist` and `overview`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from alerts import monitoring, overview
from api import board, worklist
from api.access import Asker, may
from api.accounts import console_names_of
from api.house import Here, Row, rows
from api.paging import cursor, following
from api.rights import Right
from gateway.reading import ReadingKind

router = APIRouter(prefix="/api/v1", tags=["alerts"])
Viewer = Annotated[Asker, may(Right.SEE)]


@router.get("/worklist")
def morning(house: Here, asker: Viewer) -> Row:
    """What needs a decision today and is not urgent, in groups of items with their next step; done ones are gone.

    `emergencies`: how many go on now and are not here. `others`: how many of the open alerts somebody else has.
    """
    now = house.now()
    names = board.Names()
    with house.transaction() as conn:
        sight = asker.sight(conn)
        alerts = [row for row in board.read(conn, names, house.seal, now).alerts if sight.shows(row)]
        known = [row["patient"] for row in rows(conn, "known_patients") if sight.covers(row["patient"])]
        kinds = [str(kind) for kind in ReadingKind]
        last = {row["patient"]: row["at"] for row in rows(conn, "last_data", patients=known, kinds=kinds)}
        silent = worklist.of_silence(last, monitoring.not_expected(conn, now), now)
        people = names.people(conn, [one["patient"] for one in silent], house.seal)
        escalated = overview.escalated_tips(conn, [row["alert"] for row in alerts])
    me = {asker.name} | (console_names_of(asker.account) if asker.account else set())
    items = worklist.of_alerts(alerts, me, escalated)
    items += [one | {"person": people.get(one["patient"])} for one in silent]
    groups = [{"group": group, "items": [one for one in items if one["group"] == group]} for group in worklist.Group]
    return {
        "at": now,
        "groups": [one for one in groups if one["items"]],
        "count": len(items),
        "emergencies": sum(worklist.is_going_on(row) for row in alerts),
        "others": sum(row["answered_by"] is not None and row["answered_by"] not in me for row in alerts),
    }


@router.get("/closed")
def closed(
    house: Here,
    asker: Viewer,
    hours: Annotated[float, Query(gt=0, le=24 * 31, description="How far back.")] = 24,
    before: str | None = None,
    limit: Annotated[int | None, Query(ge=1)] = None,
) -> Row:
    """Alerts that were closed, the latest first, as they were, with outcome, note and who. `next` goes into `before`."""
    most = min(limit or house.settings.page, house.settings.page)
    since = house.now() - timedelta(hours=hours)
    names = board.Names()
    with house.transaction() as conn:
        sight = asker.sight(conn)
        page = overview.closed(conn, since, most, cursor(before))
        found = [row for row in page if sight.shows(row)]
        team = names.team(conn, house.seal)
        people = names.people(conn, sorted({row["subject"] for row in found}), house.seal)
    shown = [
        row | {"person": people.get(row["subject"]), "answered_name": team.get(row["answered_by"], row["answered_by"])}
        for row in found
    ]
    return {"alerts": shown, "next": following(page, most, "closed_at", "alert")}
