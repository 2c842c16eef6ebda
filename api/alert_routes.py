"""Alerts over HTTP: the list, one with all that happened, what was sent, and what people answer.

A shell: the answers are `alerts.answers`, the reads `alerts.reading`.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field

from alerts import answers, dead_letters, hops, reading
from alerts.alert import Outcome, Tier
from alerts.answers import Said, Verb
from alerts.ladder import Role
from alerts.overview import what
from alerts.panels import EVERYTHING
from api.access import Asker, may
from api.board import Names
from api.described import problems
from api.house import Here, House, IdempotencyKey, Row
from api.paging import cursor, following
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right
from stream.finding import FindingKind

router = APIRouter(prefix="/api/v1", tags=["alerts"])

Limit = Annotated[int | None, Query(ge=1, le=1000)]


class Answer(BaseModel):
    """Who says it, and what they add."""

    model_config = ConfigDict(extra="forbid")

    who: Annotated[str | None, Field(min_length=1, max_length=80, description="Left out: who asks.")] = None
    note: Annotated[str, Field(max_length=500)] = ""


class Closing(Answer):
    """How it ended."""

    outcome: Outcome = Outcome.RESOLVED


class WearerSays(BaseModel):
    """What the patient answers to "Are you all right?"."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["well", "help"]
    who: Annotated[str | None, Field(min_length=1, max_length=80, description="Left out: the token's caller.")] = None


class Snoozing(BaseModel):
    """For how long nobody is to be told, and who asks for it."""

    model_config = ConfigDict(extra="forbid")

    minutes: Annotated[float, Field(ge=0, le=10_000, description="0: the snooze ends now.")]
    who: Annotated[str | None, Field(min_length=1, max_length=80, description="Left out: the token's caller.")] = None
    role: Annotated[Role | None, Field(description="Left out: what the care team says of them, else operator.")] = None


Given = Annotated[Answer | None, Body()]
GivenClosing = Annotated[Closing | None, Body()]
Watcher = Annotated[Asker, may(Right.SEE, Right.KEEP)]
"""Sees alerts; an admin those of the equipment."""
Answerer = Annotated[Asker, may(Right.ANSWER, Right.KEEP)]
"""Answers them; an admin those of the equipment."""


@router.get("/alerts")
def list_alerts(
    house: Here,
    asker: Annotated[Asker, may(Right.SEE, Right.OWN, Right.KEEP)],
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    tier: Tier | None = None,
    kind: FindingKind | None = None,
    subject: str | None = None,
    before: str | None = None,
    limit: Limit = None,
) -> Row:
    """Alerts that are yours to see, newest first. `next` goes into `before` for the page behind."""
    if subject is not None and asker.patient is not None:
        asker.check(subject)
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        found = reading.list_alerts(
            conn,
            limit=most,
            is_open=is_open,
            tier=tier,
            kind=kind,
            subject=subject,
            before=cursor(before),
            sight=asker.sight(conn, subject),
        )
    return {"alerts": found, "next": following(found, most, "raised_at", "alert")}


@router.get("/patients/{patient}/alerts")
def patients_alerts(
    patient: Id, house: Here, asker: Annotated[Asker, may(Right.SEE)], before: str | None = None, limit: Limit = None
) -> Row:
    """A patient's alerts, closed ones too, newest first: how each ended, and by whom. `next` goes into `before`."""
    asker.check(patient)
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        found, total = reading.alerts_of(conn, patient, limit=most, before=cursor(before))
        names = Names().team(conn, house.seal)
    for row in found:
        row["what"] = what(row["condition"])
        row["answered_name"] = names.get(row["answered_by"])
        row["closed_name"] = names.get(row["closed_by"])
    return {"alerts": found, "total": total, "next": following(found, most, "raised_at", "alert")}


@router.get("/alerts/{alert}")
def one_alert(alert: UUID, house: Here, asker: Watcher) -> Row:
    """One alert: episodes, history, notices with every attempt, responses, hop times."""
    asker.check_alert(alert)
    with house.transaction() as conn:
        found = reading.one_alert(conn, alert)
        if found is None:
            raise Problem(404, f"there is no alert {alert}")
        return found | {"times": hops.of(conn, alert).times()}


@router.get("/deliveries")
def list_deliveries(
    house: Here,
    asker: Watcher,
    alert: UUID | None = None,
    status: str | None = None,
    person: str | None = None,
    before: str | None = None,
    limit: Limit = None,
) -> Row:
    """Notices with every attempt, newest first: those of the alerts that are yours to see. Whoever keeps it running: all."""
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        found = reading.list_deliveries(
            conn,
            limit=most,
            alert=alert,
            status=status,
            person=person,
            before=cursor(before),
            sight=EVERYTHING if Right.KEEP in asker.by else asker.sight(conn),
        )
    return {"deliveries": found, "next": following(found, most, "made_at", "notice")}


@router.get("/deliveries/{notice}")
def one_body(notice: UUID, house: Here, asker: Annotated[Asker, may(Right.SEE)]) -> Row:
    """What a notice says, word for word."""
    asker.check_alert(_alert_of(house, notice))
    with house.transaction() as conn:
        found = reading.body_of(conn, notice, house.seal)
    if found is None:
        raise Problem(404, f"the notice {notice} has not been tried yet")
    return found


@router.post("/deliveries/{notice}/again", responses=problems(409))
def send_again(notice: UUID, house: Here, asker: Answerer) -> Row:
    """Send a notice again that was given up (`status` dead or refused), under its id; 409 if it was not."""
    if Right.KEEP not in asker.by:
        asker.check_alert(_alert_of(house, notice))
    with house.transaction() as conn:
        asked = dead_letters.send_again(conn, notice, asker.name, house.now())
    return {"notice": asked["notice"], "alert": asked["alert"], "status": asked["status"]}


@router.post("/alerts/{alert}/acknowledge", responses=problems(409))
def acknowledge(
    alert: UUID,
    house: Here,
    asker: Annotated[Asker, may(Right.ANSWER, Right.OWN, Right.KEEP)],
    said: Given = None,
    idempotency_key: IdempotencyKey = None,
) -> Row:
    """Say "I have seen it and look after it for a while": the ladder waits, and starts again when that runs out.

    A patient may say it to a tip of their own.
    """
    tier = asker.check_alert(alert)["tier"]
    if asker.patient is not None and tier != Tier.TIP:
        raise Problem(403, "this is for your care team to answer; you are asked when you can help")
    return _answered(house, alert, Verb.ACKNOWLEDGE, asker, said or Answer(), idempotency_key)


@router.post("/alerts/{alert}/accept", responses=problems(409))
def accept(
    alert: UUID, house: Here, asker: Answerer, said: Given = None, idempotency_key: IdempotencyKey = None
) -> Row:
    """Say "I have it": the ladder stops. 409 names who was first."""
    asker.check_alert(alert)
    return _answered(house, alert, Verb.ACCEPT, asker, said or Answer(), idempotency_key)


@router.post("/alerts/{alert}/reject", responses=problems(409))
def reject(
    alert: UUID, house: Here, asker: Answerer, said: Given = None, idempotency_key: IdempotencyKey = None
) -> Row:
    """Say "not me": the next rung at once; nothing stops."""
    asker.check_alert(alert)
    return _answered(house, alert, Verb.REJECT, asker, said or Answer(), idempotency_key)


@router.post("/alerts/{alert}/close", responses=problems(409))
def close(
    alert: UUID, house: Here, asker: Answerer, said: GivenClosing = None, idempotency_key: IdempotencyKey = None
) -> Row:
    """It is over, and this is how; everybody who was told is stood down."""
    asker.check_alert(alert)
    closing = said or Closing()
    return _answered(house, alert, Verb.CLOSE, asker, closing, idempotency_key, closing.outcome)


@router.post("/alerts/{alert}/snooze", responses=problems(409))
def snooze(
    alert: UUID,
    house: Here,
    asker: Annotated[Asker, may(Right.ANSWER, Right.OWN, Right.KEEP)],
    given: Snoozing,
    idempotency_key: IdempotencyKey = None,
) -> Row:
    """Say "not now": nobody is told for so long, unless it gets worse. 422 beyond what its tier allows."""
    asker.check_alert(alert)
    said = Answer(who=given.who)
    return _answered(house, alert, Verb.SNOOZE, asker, said, idempotency_key, minutes=given.minutes, role=given.role)


@router.post("/alerts/{alert}/answer", responses=problems(409))
def answer(
    alert: UUID,
    house: Here,
    asker: Annotated[Asker, may(Right.ANSWER, Right.OWN)],
    says: WearerSays,
    idempotency_key: IdempotencyKey = None,
) -> Row:
    """The patient's own word. `well`: where they are being asked (`asked_until`), a doctor's alert; `help`: dispatch now.

    One answer is for everything that the patient is being asked about. 409 if it is closed or about the equipment.
    """
    asker.check_alert(alert)
    return _answered(house, alert, Verb(says.answer), asker, Answer(who=says.who), idempotency_key)


def _answered(
    house: House,
    alert: UUID,
    verb: Verb,
    asker: Asker,
    given: Answer,
    key: str | None,
    outcome: Outcome = Outcome.RESOLVED,
    minutes: float = 0.0,
    role: Role | None = None,
) -> Row:
    said = Said(
        verb=verb,
        by_whom=asker.speaks_as(given.who),
        key=f"{asker.name}:{key or uuid4()}",
        outcome=outcome,
        note=given.note,
        minutes=minutes,
        role=asker.role_as(role),
    )
    with house.transaction() as conn:
        now, changed = answers.answer(conn, alert, said, house.now())
    return {
        "alert": now.alert,
        "state": now.state,
        "tier": now.tier,
        "answered_by": now.answered_by,
        "acknowledged_until": now.acknowledged_until,
        "asked_until": now.asked_until,
        "snoozed_until": now.snoozed_until,
        "next_due_at": now.next_due_at,
        "changed": changed,
    }


def _alert_of(house: House, notice: UUID) -> UUID:
    with house.transaction() as conn:
        alert = reading.alert_of(conn, notice)
    if alert is None:
        raise Problem(404, f"there is no notice {notice}")
    return alert
