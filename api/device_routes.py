"""Devices over HTTP: everybody's, one patient's with whose they were when, one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from alerts.panels import EVERYTHING
from api import devices
from api.access import Asker, may
from api.devices import Shown
from api.house import Here, Row, rows
from api.people_routes import Id
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["devices"])

Watcher = Annotated[Asker, may(Right.SEE, Right.KEEP)]


@router.get("/devices")
def list_devices(
    house: Here, asker: Watcher, free: Annotated[bool, Query(description="Only those that are nobody's now.")] = False
) -> Row:
    """Every device that has sent something or was given to somebody, and what of each waits for an assignment.

    Those that are another's patient's now are left out, and who else had one before.
    """
    now = house.now()
    with house.transaction() as conn:
        found = devices.listed(conn, None, now)
        waiting = rows(conn, "unowned", devices=None)
        sight = EVERYTHING if Right.KEEP in asker.by else asker.sight(conn)
    if free:
        found = [one for one in found if not any(devices.holds(held, now) for held in one.holdings)]
    theirs = [one for one in found if all(sight.covers(h.patient) for h in one.holdings if devices.holds(h, now))]
    for one in theirs:
        one.holdings = [held for held in one.holdings if sight.covers(held.patient)]
    return {"devices": [_told(one, waiting) for one in theirs]}


@router.get("/patients/{patient}/devices")
def patients_devices(patient: Id, house: Here, asker: Watcher) -> Row:
    """The devices that are or were a patient's: who holds which user slot when, and what waits for an assignment."""
    asker.check(patient)
    with house.transaction() as conn:
        found = devices.listed(conn, patient, house.now())
        waiting = rows(conn, "unowned", devices=[one.device for one in found])
        sight = EVERYTHING if Right.KEEP in asker.by else asker.sight(conn)
    for one in found:
        one.holdings = [held for held in one.holdings if sight.covers(held.patient)]
    return {"devices": [_told(one, waiting) for one in found]}


@router.get("/me/devices")
def my_devices(house: Here, asker: Annotated[Asker, may(Right.OWN)]) -> Row:
    """One's own devices as they are now: what each is, its battery, when it was last heard, whether all of it is sent."""
    patient, now = asker.own(), house.now()
    with house.transaction() as conn:
        return {
            "devices": [devices.to_wearer(one, now) for one in devices.worn_by(conn, patient, now)],
            "at": now,
        }


def _told(one: Shown, waiting: list[Row]) -> Row:
    """A device as JSON."""
    return {
        "device": one.device,
        "kinds": one.kinds,
        "battery_percent": one.battery_percent,
        "contact": one.contact,
        "link": one.link,
        "firmware": one.firmware,
        "clock_offset_s": one.clock_offset_s,
        "note": one.note,
        "told_at": one.told_at,
        "heard_at": one.heard_at,
        "measured_at": one.last_at,
        "missing": one.missing,
        "is_all_sent": one.is_all_sent,
        "holdings": [
            {"slot": held.slot, "patient": held.patient, "from": held.from_at, "to": held.to_at}
            for held in one.holdings
        ],
        "waiting": [
            {"slot": row["slot"], "kind": row["kind"], "count": row["count"], "from": row["first_at"],
             "to": row["last_at"]}
            for row in waiting if row["device"] == one.device
        ],
    }  # fmt: skip
