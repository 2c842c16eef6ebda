"""What comes back from those who were told: kept as said, then taken for what it means to the alert; once, however often.

Only who was told of an alert may answer it. Must never lose what was said because the alert's state has no use for it:
it stands in the history all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts import answers, course, reaction, register
from alerts.alert import Alert, AlertId, Change
from alerts.answers import Said, Verb
from alerts.catalogue import ON_THE_SCENE
from alerts.ladder import Role
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from alerts.ladder import Addressee
    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("responses.sql"))


class Kind(StrEnum):
    """What an endpoint can say of an alert; on the wire `alert.` stands before it."""

    ACCEPTED = "accepted"
    """"We have it"."""
    REJECTED = "rejected"
    """"Not us", with a reason."""
    ON_THE_WAY = "on_the_way"
    """Somebody is coming; says also that they have it, should the acceptance have been lost."""
    ARRIVED = "arrived"
    """They are with the patient."""


_VERBS: Mapping[Kind, Verb] = {
    Kind.ACCEPTED: Verb.ACCEPT,
    Kind.REJECTED: Verb.REJECT,
    Kind.ON_THE_WAY: Verb.ACCEPT,
    Kind.ARRIVED: Verb.ACCEPT,
}
_MOVING = frozenset({Kind.ON_THE_WAY, Kind.ARRIVED})
_HEAR_OF_IT = frozenset({Role.PATIENT, Role.FAMILY, Role.DOCTOR, Role.PRACTICE})


class NotTold(LookupError):
    """The endpoint was never told of the alert: it cannot answer it."""


class IdReused(ValueError):
    """The id stands for something else that was said: each statement needs an id of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the holder of an endpoint says about one alert."""

    endpoint: str
    external_id: str
    """Theirs; the same again is the same statement."""
    kind: Kind
    alert: UUID
    notice: UUID | None = None
    """Which notice it answers; None: the newest that the endpoint got."""
    reason: str = ""
    eta: datetime | None = None
    """When they expect to arrive."""
    by: str = ""
    """Who says so over there."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """All of it, as said."""


def take(conn: Connection, said: Statement, now: datetime) -> tuple[Alert, bool]:
    """Keep a statement and do what it means; returns the alert as it is now, and whether this was new. In a transaction.

    Raises:
        NotTold: no notice of this alert went to this endpoint.
        IdReused: the id has been used for another alert or for another kind of statement.
    """
    asked = {"alert": said.alert, "endpoint": said.endpoint, "notice": said.notice, "external_id": said.external_id}
    notice = _row(conn, "told", asked)
    if notice is None:
        raise NotTold(f"endpoint {said.endpoint!r} was not told of alert {said.alert}")
    register.lock(conn, notice["subject"])
    known = _row(conn, "known", asked)
    if known is not None:
        if (known["kind"], known["alert"]) != (said.kind, said.alert):
            raise IdReused(f"webhook-id {said.external_id!r} was used for {known['kind']} of alert {known['alert']}")
        return _alert(conn, notice["subject"], said), False
    kept = {**asked, "notice": notice["notice"], "kind": said.kind, "now": now, "body": Jsonb(dict(said.body))}
    conn.execute(SQL["keep"], kept)
    was_taken = _answer(conn, said, notice["person"], now)
    if said.kind in _MOVING or not was_taken:
        situation = register.situation(conn, notice["subject"], alert=said.alert)

        def noted_so(alert: Alert, told: tuple[Addressee, ...]) -> Change:
            return noted(alert, said, notice["person"], told, now)

        register.save(conn, reaction.answered(situation, AlertId(said.alert), noted_so, now))
    return _alert(conn, notice["subject"], said), True


def _answer(conn: Connection, said: Statement, person: str, now: datetime) -> bool:
    """Whether the alert's state had a use for it; where another has the alert, or it is closed, it has not."""
    note = ": ".join(part for part in (said.by, said.reason) if part)
    key = f"callback:{said.endpoint}:{said.external_id}"
    try:
        answers.answer(conn, said.alert, Said(verb=_VERBS[said.kind], by_whom=person, key=key, note=note), now)
    except answers.Conflict:
        return False
    return True


def noted(alert: Alert, said: Statement, person: str, told: tuple[Addressee, ...], now: datetime) -> Change:
    """The alert with a row of history about what was said; who is on the way is told to patient, family and doctor. Pure."""
    detail: dict[str, float | int | str] = {"kind": said.kind, "endpoint": said.endpoint}
    detail |= {name: value for name, value in (("by", said.by), ("reason", said.reason)) if value}
    if said.eta is not None:
        detail["eta"] = said.eta.isoformat()
    cause = f"response:{said.endpoint}:{said.external_id}"
    changed, entry = course.entered(
        alert, alert.state, cause=cause, what="response", now=now, by_whom=person, detail=detail
    )
    change = Change(alert=changed, entries=(entry,))
    if said.kind not in _MOVING or not alert.is_open:
        return change
    others = [one for one in told if one.role in _HEAR_OF_IT and one.person != person]
    return course.updated(change, now, others, cause=f"update:{cause}", why=_why(said, now))


def _why(said: Statement, now: datetime) -> str:
    text = ON_THE_SCENE[said.kind]
    if said.kind is Kind.ON_THE_WAY and said.eta is not None and said.eta > now:
        minutes = max(round((said.eta - now).total_seconds() / 60), 1)
        return f"{text['en']} ({minutes} min) / {text['zh']}（{minutes} 分钟）"  # noqa: RUF001 - Chinese has its own punctuation
    return f"{text['en']} / {text['zh']}"


def _alert(conn: Connection, subject: str, said: Statement) -> Alert:
    return register.situation(conn, subject, alert=said.alert).alerts[AlertId(said.alert)]


def _row(conn: Connection, query: str, asked: Mapping[str, object]) -> dict[str, Any] | None:
    row: dict[str, Any] | None = conn.cursor(row_factory=dict_row).execute(SQL[query], asked).fetchone()
    return row
