"""What a patient's own page asks beside their alerts: readings, people to call, tips, choices, a test of the alarm.

Must never answer anybody but the patient, nor about anybody else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from alerts import monitoring, overview, plans, trials
from alerts.delivery.log import CHANNEL as LOG
from alerts.delivery.outcome import Delivered
from alerts.ladder import Role
from alerts.pauses import BOUNDS
from api import devices, own, roster
from api.access import Asker, may
from api.board import Names
from api.described import problems
from api.house import Here, House, Row
from api.own import Share, Unit
from api.problem import Problem
from api.rights import Right
from api.watching import sight

router = APIRouter(prefix="/api/v1/me", tags=["me"])

TIPS_FOR = timedelta(days=30)


def _patient(asker: Annotated[Asker, may(Right.OWN)]) -> str:
    return asker.own()


Own = Annotated[str, Depends(_patient)]
"""The patient who asks."""


class Choices(BaseModel):
    """How a patient wants to read their values."""

    model_config = ConfigDict(extra="forbid")

    glucose_unit: Unit


class Shared(BaseModel):
    """What one family account sees from now on; an empty list: nothing."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(min_length=1, max_length=80)]
    shown: Annotated[list[Share], Field(max_length=len(Share))]


@router.get("", responses=problems(403))
def my_own(house: Here, patient: Own) -> Row:
    """The page's facts: whether the readings can be seen, the last of them, pauses, whom to call."""
    now = house.now()
    with house.transaction() as conn:
        record = roster.read(conn, patient, house.seal)
        plan = plans.current(conn, patient)
        worn = devices.worn_by(conn, patient, now)
        names = Names().team(conn, house.seal)
        return {
            "at": now,
            "monitored": not monitoring.is_ended(conn, patient),
            "sight": sight([(one.kinds, one.last_at) for one in worn], now),
            "vitals": record.vitals,
            "glucose_unit": own.unit(conn, patient),
            "pauses": monitoring.pauses(conn, patient, now),
            "pause_kinds": [
                {"kind": kind, "longest_min": longest}
                for kind, bounds in BOUNDS.items()
                if Role.PATIENT in bounds.by and (longest := plan.pauses.get(kind, bounds.longest_min)) > 0
            ],
            "doctors": [names[one.person] for one in plan.team if one.role is Role.DOCTOR and one.person in names],
            "contacts": [] if isinstance(record.contacts, str) else record.contacts,
            "practice": practice(house),
        }


def practice(house: House) -> Row | None:
    """The practice's name and number; None: it has none for patients."""
    settings = house.settings
    return {"name": settings.practice_name, "phone": settings.practice_phone} if settings.practice_phone else None


@router.get("/tips", responses=problems(403))
def my_tips(house: Here, patient: Own) -> Row:
    """One's own tips, newest first: open ones, and those of the last 30 days; in plain words, with what to do."""
    with house.transaction() as conn:
        return {"tips": overview.tips_since(conn, patient, house.now() - TIPS_FOR)}


@router.put("/choices", responses=problems(403))
def choose(said: Choices, house: Here, patient: Own) -> Row:
    """Read glucose in another unit: on this page, on every device one signs in with."""
    with house.transaction() as conn:
        own.choose_unit(conn, patient, said.glucose_unit)
    return {"glucose_unit": said.glucose_unit}


@router.post("/alarm-test", responses=problems(403, 429))
def try_alarm(house: Here, patient: Own) -> Row:
    """Send `alert.test` over every way by which this patient is told of an alert; nobody else hears of it.

    429 within ten minutes of the last one.
    """
    now = house.now()
    with house.transaction() as conn:
        if not own.take_test(conn, patient, now):
            raise Problem(
                429, f"the alarm was tried a moment ago: wait {own.TEST_WAIT // timedelta(minutes=1)} minutes"
            )
        team = plans.current(conn, patient).team
    ways = list(dict.fromkeys((one.channel, one.address) for one in team if one.role is Role.PATIENT))
    results = []
    for way in ways:
        outcome = trials.send(house.channels, way)
        with house.transaction() as conn:  # nothing was held while the receiver took its time
            trials.keep(conn, house.alerts, way, outcome, "patient", now)
        results.append({"channel": way[0], "delivered": isinstance(outcome, Delivered), "reaches": way[0] != LOG})
    return {"at": now, "ways": results}


@router.get("/shares", responses=problems(403))
def my_shares(house: Here, patient: Own) -> Row:
    """The family's accounts, and what each sees."""
    with house.transaction() as conn:
        return {"family": own.family(conn, patient, house.seal), "all": list(Share)}


@router.put("/shares", responses=problems(403, 404))
def set_shares(said: Shared, house: Here, patient: Own) -> Row:
    """What one of the family sees from this moment on."""
    with house.transaction() as conn:
        if not own.share(conn, patient, said.login, said.shown, house.now()):
            raise Problem(404, "there is no such account in your family")
    return {"login": said.login, "shown": sorted(set(said.shown))}
