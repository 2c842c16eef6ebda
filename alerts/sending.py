"""T6: a notice that is due is leased, its body frozen, delivered, and its outcome written. The row is the queue.

A crash anywhere between sends the same notice again under the same id. Must never deliver what was not frozen first,
and never keep an alert waiting for the record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from psycopg.rows import dict_row

from alerts import course, dead_letters, escalation, hops, listening, payload, reaction, register
from alerts.alert import Alert, AlertId, Change, Episode, EventType, Notice, NoticeId, Tier
from alerts.carrying import Carried, carried
from alerts.delivery.console import CHANNEL as CONSOLE
from alerts.delivery.outcome import Delivered, Message, Outcome, Refused, Retry
from alerts.delivery.schedule import is_failing, next_attempt
from alerts.faults import where
from alerts.ladder import Addressee
from alerts.payload import Material
from alerts.record import Audience, no_link, no_strip
from alerts.resealing import NOTICE
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import datetime
    from uuid import UUID

    from alerts.delivery.outcome import Channel
    from alerts.record import LinkSource, RecordSource, StripSource
    from alerts.register import Connection
    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_name("sending.sql"))
_LOG: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notice leased for one attempt."""

    notice: Notice
    attempt: int
    """Its number, from 1, over all rounds."""
    attempts_before: int
    """Of the rounds before somebody sent it again."""
    begun_at: datetime
    """When it was first tried: a notice that went out late is not hurried through all its retries at once."""
    body: bytes | None
    """Sealed; None before the first attempt."""

    @property
    def place(self) -> str:
        """What the sealed body is bound to."""
        return place(self.notice.notice)


def place(notice: UUID) -> str:
    """Where a body belongs: it does not open anywhere else."""
    return NOTICE.place("body", notice)


def claim(
    conn: Connection, now: datetime, *, limit: int, lease_s: float, urgent_only: bool = False,
    conditions: Sequence[str] | None = None,
) -> list[Claimed]:  # fmt: skip
    """Lease what is due, the most urgent first; another station skips it. `conditions`: of alerts of these only."""
    own = None if conditions is None else list(conditions)
    asked = {"now": now, "limit": limit, "lease_s": lease_s, "urgent_only": urgent_only, "conditions": own}
    with conn.transaction():
        rows = conn.cursor(row_factory=dict_row).execute(SQL["claim_notices"], asked).fetchall()
    return [
        Claimed(
            notice=msgspec.convert({**row, "to": row}, Notice),
            attempt=row["attempts"],
            attempts_before=row["attempts_before"],
            begun_at=row["begun_at"],
            body=row["body"],
        )
        for row in rows
    ]


def freeze(
    conn: Connection,
    claimed: Claimed,
    seal: Seal,
    records: RecordSource,
    waiting: Executor,
    now: datetime,
    strips: StripSource = no_strip,
    links: LinkSource = no_link,
) -> bytes:
    """The bytes of a notice: composed and sealed at the first attempt, the same ones ever after."""
    if claimed.body is not None:
        return seal.open(claimed.body, claimed.place)
    notice = claimed.notice
    alert, episodes = _known(conn, notice.alert)
    conn.rollback()  # nothing is held while the record is waited for
    wants = payload.wants_record(alert, notice) and notice.type is not EventType.STOOD_DOWN
    parts = _carried(alert, notice, records, strips, waiting, links) if wants else Carried()
    with conn.transaction():
        material = Material(
            alert=alert,
            notice=notice,
            episodes=episodes,
            carried=parts,
            hops=hops.of(conn, alert.alert).times(),
            why=_why(conn, notice),
        )
        body = seal.seal(payload.compose(material, now), claimed.place)
        has_record = parts.is_whole if wants else None
        asked = {"notice": notice.notice, "body": body, "has_record": has_record}
        row = conn.cursor(row_factory=dict_row).execute(SQL["freeze_body"], asked).fetchone()
    assert row is not None
    return seal.open(row["body"], claimed.place)


def alert_with_episodes(conn: Connection, alert: UUID) -> tuple[Alert, tuple[Episode, ...]] | None:
    """An alert and what it has heard, as they are now, unlocked; None where there is none of this id."""
    cursor = conn.cursor(row_factory=dict_row)
    row = cursor.execute(SQL["alert_of"], {"alert": alert}).fetchone()
    if row is None:
        return None
    rows = cursor.execute(SQL["episodes_of"], {"alert": alert}).fetchall()
    return msgspec.convert(row, Alert), tuple(msgspec.convert(one, Episode) for one in rows)


def _known(conn: Connection, alert: UUID) -> tuple[Alert, tuple[Episode, ...]]:
    found = alert_with_episodes(conn, alert)
    assert found is not None  # notices refer to it
    return found


def _carried(
    alert: Alert,
    notice: Notice,
    records: RecordSource,
    strips: StripSource,
    waiting: Executor,
    links: LinkSource = no_link,
) -> Carried:
    audience = payload.audience_of(alert, notice)
    wants_link = audience is Audience.DISPATCH
    link = partial(links if wants_link else no_link, notice.notice, alert.alert)
    return carried(alert.alert, alert.subject, audience, records, strips, waiting, notice.type, link)


def _why(conn: Connection, notice: Notice) -> str:
    if notice.type is not EventType.UPDATED:
        return ""
    asked = {"alert": notice.alert, "before": int(notice.event.partition(":")[2]) - 1}
    row = conn.cursor(row_factory=dict_row).execute(SQL["why_updated"], asked).fetchone()
    return str(row["why"]) if row else ""


def deliver(claimed: Claimed, body: bytes, channels: Mapping[str, Channel], now: datetime) -> Outcome:
    """One attempt. A channel that fails in a way of its own is no reason to lose the notice."""
    to = claimed.notice.to
    channel = channels.get(to.channel)
    if channel is None:
        return Refused(f"there is no channel {to.channel!r}; there are: {', '.join(sorted(channels))}")
    message = Message(
        notice=claimed.notice.notice,
        type=claimed.notice.type,
        person=to.person,
        address=to.address,
        tier=claimed.notice.tier,
        body=body,
        at=now,
    )
    try:
        return channel.deliver(message)
    except Exception as error:  # noqa: BLE001 - see above
        _LOG.error("channel_failed", channel=to.channel, notice=str(message.notice), **where(error))
        return Retry(f"{type(error).__name__} in channel {to.channel}")


def conclude(conn: Connection, claimed: Claimed, outcome: Outcome, now: datetime) -> None:
    """Write the outcome. What must be raised because of it is raised first: a crash between repeats the attempt."""
    notice = claimed.notice
    if isinstance(outcome, Delivered):
        with conn.transaction():
            _finish(conn, claimed, "delivered", outcome.detail)
            conn.execute(SQL["mark_delivered"], {"notice": notice.notice})
        listening.delivered_again(conn, notice.to.channel, notice.to.address, now)
        dead_letters.revived(conn, notice.notice, now)
        return
    after_s = outcome.after_s if isinstance(outcome, Retry) else None
    done = claimed.attempt - claimed.attempts_before
    due_at = next_attempt(notice.tier, claimed.begun_at, done, now, after_s)
    is_refused = isinstance(outcome, Refused)
    if is_refused and notice.tier is not Tier.EMERGENCY:
        due_at = None
    status = "waiting" if due_at else "refused" if is_refused else "dead"
    is_console = notice.to.channel == CONSOLE
    if due_at is None:
        dead_letters.died(conn, notice, outcome.reason, now)
    if is_refused or due_at is None or is_failing(notice.tier, claimed.begun_at, done, now, is_console=is_console):
        _say_failing(conn, notice, outcome.reason, now)
        _hurry(conn, notice, now)
    with conn.transaction():
        _finish(conn, claimed, "refused" if is_refused else "retry", outcome.reason)
        asked = {"notice": notice.notice, "n": claimed.attempt, "status": status, "due_at": due_at}
        conn.execute(SQL["mark_failed"], asked)


def _finish(conn: Connection, claimed: Claimed, outcome: str, detail: str) -> None:
    asked = {"notice": claimed.notice.notice, "n": claimed.attempt, "outcome": outcome, "detail": detail[:500]}
    conn.execute(SQL["finish_attempt"], asked)


def _say_failing(conn: Connection, notice: Notice, why: str, now: datetime) -> None:
    to = notice.to
    with conn.transaction():
        known = conn.execute(listening.SQL["still_failing"], {"subject": f"{to.channel}:{to.address}"}).fetchone()
        if known is None:
            listening.taken(conn, reaction.delivery_failing(to.channel, to.address, notice.notice, why, now), now)


def _hurry(conn: Connection, notice: Notice, now: datetime) -> None:
    """The next rung that tells somebody else, at once, beside the retries of this one."""
    with conn.transaction():
        subject = register.subject_of(conn, notice.alert)
        if subject is None or notice.type is not EventType.RAISED:
            return
        register.lock(conn, subject)
        situation = register.situation(conn, subject)
        alert = situation.alerts.get(notice.alert)
        if alert is None or (alert.generation, alert.cycle) != (notice.generation, notice.cycle):
            return
        if alert.rung != notice.rung + 1 or alert.hurried >= alert.rung or alert.rung >= len(alert.running.rungs):
            return
        for _ in alert.running.rungs[alert.rung :]:
            pressed = escalation.timed(escalation.hurried(alert, alert.rung - 1))
            situation = replace(situation, alerts={**situation.alerts, alert.alert: pressed})
            changes = reaction.passed(situation, alert.alert, now)
            register.save(conn, changes)
            situation = reaction.applied(situation, changes)
            alert = situation.alerts[alert.alert]
            if any(change.notices for change in changes) or alert.rung == pressed.rung:
                return  # a rung that has only the person whom we cannot reach is passed over


def follow_up(
    conn: Connection, records: RecordSource, waiting: Executor, now: datetime, strips: StripSource = no_strip
) -> int:
    """Where an alert went out without its record or strip: when they are there, an update; returns how many."""
    cursor = conn.cursor(row_factory=dict_row)
    lacking: dict[tuple[AlertId, str], list[Addressee]] = {}
    for row in cursor.execute(SQL["without_record"]).fetchall():
        lacking.setdefault((row["alert"], row["subject"]), []).append(msgspec.convert(row, Addressee))
    conn.rollback()
    sent = 0
    for (alert_id, subject), people in lacking.items():
        alert, _ = _known(conn, alert_id)
        conn.rollback()
        notice = _asking(alert, people[0])
        if not _carried(alert, notice, records, strips, waiting).is_whole:
            continue
        with conn.transaction():
            register.lock(conn, subject)
            now_known = register.situation(conn, subject).alerts.get(alert_id)
            if now_known is not None:
                change = course.updated(
                    Change(alert=now_known), now, dict.fromkeys(people), cause=f"record:{now_known.updates}",
                    why="the record has arrived",
                )  # fmt: skip
                register.save(conn, [change])
                conn.execute(SQL["mark_followed"], {"alert": alert_id})
                sent += 1
    return sent


def _asking(alert: Alert, to: Addressee) -> Notice:
    return Notice(
        notice=NoticeId(alert.alert),
        alert=alert.alert,
        type=EventType.UPDATED,
        event="updated",
        generation=0,
        cycle=0,
        rung=0,
        to=to,
        tier=alert.tier,
        due_at=alert.raised_at,
    )
