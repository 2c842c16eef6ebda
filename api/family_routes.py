"""What a family's page asks: what their patient lets this account see, who is on point, whom to call.

What is not shared is not read. Must never answer more than `own.shown_to` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter

from alerts import monitoring, overview, plans
from alerts.ladder import Role
from api import devices, own, roster
from api.access import Asker, may
from api.board import Names
from api.described import problems
from api.house import Here, Row, rows
from api.me_routes import practice
from api.own import Share
from api.problem import Problem
from api.rights import Right
from api.watching import Sight, sight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import psycopg

    from alerts.plan import Plan

router = APIRouter(prefix="/api/v1", tags=["family"])

QUIET_S = 60.0
"""Nothing taken in for so long: nobody's readings can be seen."""
_FAMILYS = ("alert", "kind", "state", "tier", "raised_at", "answered_name", "plain", "told", "next",
             "next_due_at", "response_kind", "response_at")  # fmt: skip
"""What a family is shown of an alert: plain words, and who looks after it."""


@router.get("/family", responses=problems(403))
def family(house: Here, asker: Annotated[Asker, may(Right.SHARED)]) -> Row:
    """What a patient lets this account see now; what they do not is left out, and `shown` says which is there."""
    if asker.account is None:
        raise Problem(403, "this is a family's own page")
    patient, now = asker.own(), house.now()
    with house.transaction() as conn:
        shown = own.shown_to(conn, asker.account.login)
        names = Names().team(conn, house.seal)
        told: Row = {"at": now, "shown": sorted(shown), "practice": practice(house)}
        mine = [row for row in overview.open_alerts(conn) if _is_theirs(row, patient)]
        if Share.STATUS in shown:
            told["status"] = _status(conn, patient, now, is_open=bool(mine))
        if Share.ALERTS in shown:
            told["alerts"] = [_alert(row, names) for row in mine]
            told["on_call"] = _on_call(plans.current(conn, patient), names, now)
        if Share.READINGS in shown:
            told["vitals"] = roster.vitals(conn, patient)
            told["glucose_unit"] = own.unit(conn, patient)
        if Share.DEVICES in shown:
            told["devices"] = [devices.to_wearer(one, now) for one in devices.worn_by(conn, patient, now)]
    return told


def _is_theirs(row: Row, patient: str) -> bool:
    return row["subject"] == patient and row["subject_kind"] == "patient" and row["inhibited_by"] is None


def _alert(row: Row, names: Mapping[str, str]) -> Row:
    shown = row | {"answered_name": names.get(row["answered_by"], row["answered_by"])}
    return {name: shown[name] for name in _FAMILYS}


def _status(conn: psycopg.Connection[Any], patient: str, now: datetime, *, is_open: bool) -> str:
    """In one word: what is not known is not fine."""
    if monitoring.is_ended(conn, patient):
        return "ended"
    if is_open:
        return "open"
    stored = rows(conn, "stored_age")
    if not stored or stored[0]["age_s"] is None or stored[0]["age_s"] > QUIET_S:
        return "unseen"
    if any(one["from_at"] <= now for one in monitoring.pauses(conn, patient, now)):
        return "paused"
    seen = sight([(one.kinds, one.last_at) for one in devices.worn_by(conn, patient, now)], now)
    return "fine" if seen is Sight.SEEN else str(seen)


def _on_call(plan: Plan, names: Mapping[str, str], now: datetime) -> list[Row]:
    """Who looks after the patient at this hour, by role: whoever the schedule names, and the care team's own."""
    found = []
    for role in (Role.DOCTOR, Role.PRACTICE):
        schedule = plan.on_call.get(role)
        people = [one.person for one in plan.team if one.role is role]
        people += [one.person for one in schedule.on_call(now)] if schedule else []
        known = list(dict.fromkeys(names[one] for one in people if one in names))
        if people:
            found.append({"role": role, "names": known})
    return found
