"""Notices that were given up: each raises a technical alert, stands in a list, and can be sent again by hand.

The list is `alerts.notice` itself. Must never forget one because its address works again: that one was not delivered.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from psycopg.rows import dict_row

from alerts import course, listening, register
from alerts.alert import AlertId, Change, Occurrence, State, StationCondition
from stream.finding import NAMESPACE, FindingKind, SubjectKind
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.alert import Notice
    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("dead_letters.sql"))
GIVEN_UP = ("dead", "refused")
"""Statuses from which nothing comes of itself."""


class NoSuchNotice(LookupError):
    """There is no notice of this id."""


class CannotSendAgain(ValueError):
    """The notice was not given up, or there is nothing to say any more; the message says which."""


def died(conn: Connection, notice: Notice, why: str, now: datetime) -> None:
    """A notice was given up: say so. Twice is once."""
    with conn.transaction():
        known = _episode(conn, notice.notice)
        if known is not None and known["present"]:
            return
        where = f"{notice.to.channel}:{notice.to.address}"
        evidence = {"reason": why, "notice": str(notice.notice), "alert": str(notice.alert), "person": notice.to.person}
        revision = 1 if known is None else known["revision"] + 1
        listening.taken(conn, _stated(where, notice.notice, revision, now, evidence=evidence), now)


def revived(conn: Connection, notice: UUID, now: datetime) -> None:
    """A notice was delivered: where it had been given up, that is over."""
    with conn.transaction():
        known = _episode(conn, notice)
        if known is None or not known["present"]:
            return
        to = _row(conn, "address_of", notice=notice)
        assert to is not None
        stated = _stated(f"{to['channel']}:{to['address']}", notice, known["revision"] + 1, known["onset"], end=now)
        listening.taken(conn, stated, now)


def send_again(conn: Connection, notice: UUID, by_whom: str, now: datetime) -> dict[str, Any]:
    """Put a notice that was given up back into the queue, under its id; returns it. The caller's transaction.

    Raises:
        NoSuchNotice: no such id.
        CannotSendAgain: it was not given up, or its alert is closed.
    """
    asked = _row(conn, "letter", notice=notice)
    if asked is None:
        raise NoSuchNotice(f"there is no notice {notice}")
    register.lock(conn, asked["subject"])
    asked = _row(conn, "letter", notice=notice)  # as it is now that nobody else changes it
    assert asked is not None
    if asked["status"] not in GIVEN_UP:
        raise CannotSendAgain(f"notice {notice} is {asked['status']}: only what was given up can be sent again")
    alert = register.situation(conn, asked["subject"], alert=asked["alert"]).alerts[AlertId(asked["alert"])]
    if alert.state is State.CLOSED and asked["type"] != "alert.stood_down":
        raise CannotSendAgain(f"alert {alert.alert} is closed: nobody needs to hear of it any more")
    detail: dict[str, float | int | str] = {"notice": str(notice), "channel": asked["channel"], "to": asked["person"]}
    changed, entry = course.entered(
        alert, alert.state, cause=f"again:{notice}:{alert.entries}", what="sent_again", now=now, by_whom=by_whom,
        detail=detail,
    )  # fmt: skip
    register.save(conn, [Change(alert=changed, entries=(entry,))])
    conn.execute(SQL["send_again"], {"notice": notice, "now": now})
    return asked | {"status": "waiting"}


def _stated(
    where: str,
    notice: UUID,
    revision: int,
    onset: datetime,
    *,
    end: datetime | None = None,
    evidence: dict[str, Any] | None = None,
) -> Occurrence:
    return Occurrence(
        subject=where,
        subject_kind=SubjectKind.COMPONENT,
        condition=StationCondition.DEAD_LETTER,
        kind=FindingKind.TECHNICAL,
        episode=_identity(notice),
        revision=revision,
        present=end is None,
        onset=onset,
        end=end,
        evidence=evidence or {},
    )


def _identity(notice: UUID) -> UUID:
    return uuid5(NAMESPACE, f"dead letter|{notice}")


def _episode(conn: Connection, notice: UUID) -> dict[str, Any] | None:
    return _row(conn, "episode_of", episode=_identity(notice))


def _row(conn: Connection, query: str, **asked: object) -> dict[str, Any] | None:
    row: dict[str, Any] | None = conn.cursor(row_factory=dict_row).execute(SQL[query], asked).fetchone()
    return row
