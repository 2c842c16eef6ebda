"""The auditor: a process apart from the station, which sees to it that every due step was taken and every child lives.

What it finds goes the way of every technical alert, and its notices it delivers itself, for the station may be dead; where
the database is dead too, it tells the operator straight away. All well: a heartbeat to somebody outside. It takes no step
of anybody else's alert.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import msgspec
import psycopg
import structlog
from psycopg.rows import dict_row

from alerts import listening, plans, reaction, sending
from alerts.alert import EventType, Notice, Occurrence, StationCondition, notice_id
from alerts.audit import AUDITED, Late, Pulse, Seen, Trouble, is_coming_up, troubles
from alerts.faults import where
from alerts.ladder import LadderName
from alerts.lives import Life
from alerts.payload import Material, compose
from alerts.plan import OPERATOR, Plan, frozen, told_at
from alerts.reaction import Situation
from alerts.record import no_record
from alerts.station import escalate_one
from stream.finding import NAMESPACE, FindingKind, SubjectKind
from stream.store.sql import queries

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from alerts.clock import Clock
    from alerts.delivery.heartbeat import Heartbeat
    from alerts.delivery.outcome import Channel
    from alerts.ladder import Addressee
    from alerts.register import Connection
    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_name("auditor.sql"))
OWN = [str(one) for one in AUDITED]
LOOK_EVERY_S = 7.0
BEAT_EVERY_S = 60.0
BOOKS_EVERY_S = 300.0
TELL_AGAIN_S = 600.0
"""What had to be told past the database is told again after so long."""
PATIENCE_S = 20.0
"""A database that restarts is back by then."""
_LEASE_S = 30.0
_LIMITS = "SET statement_timeout = '10s'; SET lock_timeout = '5s'"
"""A lock that somebody died with must not keep the auditor."""
_KEPT = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)
"""Of the database's errors those that say: it lives, and somebody else holds what we need."""
_LOG: Any = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Memory:
    """What the auditor remembers from look to look; lost with the process, and nothing rests on it but patience."""

    began: float = field(default_factory=time.monotonic)
    doubted: frozenset[tuple[str, str]] = frozenset()
    """Troubles of the look before: what is seen twice is said."""
    cursor: tuple[int, float] = (-1, 0.0)
    """Where the station was in the log of findings, and since when."""
    unaccounted: tuple[int, float] = (0, float("-inf"))
    gone_since: float | None = None
    """Since when the database does not answer."""
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    """What was told past the database, and when."""
    operators: tuple[Addressee, ...] = (OPERATOR,)
    """Who is on call for the operator, as far as is known."""
    beaten: float = float("-inf")


class Auditor:
    """One auditor's work, look by look; `run` looks for ever."""

    def __init__(
        self,
        dsn: str,
        channels: Mapping[str, Channel],
        clock: Clock,
        seal: Seal,
        heartbeat: Heartbeat,
        *,
        probes: Mapping[str, Callable[[], bool]] | None = None,
        speed: float = 1.0,
        shard: int = 0,
        beat_every_s: float = BEAT_EVERY_S,
        memory: Memory | None = None,
    ) -> None:
        """`probes`: children that are asked rather than read about. `speed`: of the clock, for what is late by it."""
        self._dsn = dsn
        self._channels = channels
        self._clock = clock
        self._seal = seal
        self._heartbeat = heartbeat
        self._probes = dict(probes or {})
        self._speed = speed
        self._shard = shard
        self._beat_every_s = beat_every_s
        self._life = Life("auditor")
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="record")
        self._conn: Connection | None = None
        self.memory = memory or Memory()

    def run(
        self, stop: threading.Event, ready: Callable[[], None] = lambda: None, every_s: float = LOOK_EVERY_S
    ) -> None:
        """Look again and again until `stop`."""
        ready()
        try:
            while not stop.wait(every_s):
                self.look()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of what was opened."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._disconnect()
        self._heartbeat.close()

    def look(self) -> tuple[Trouble, ...]:
        """One look, and all that follows from it: what is wrong is said, what is well is said outside."""
        try:
            conn = self._connected()
            seen = self._gather(conn)
            found = troubles(seen, time.monotonic() - self.memory.began)
            self.memory.gone_since = None
            self._say(conn, found)
        except (psycopg.Error, OSError) as error:
            self._disconnect()
            found = self._without_database(error)
            self._withhold([one.why for one in found] or ["the database does not answer"])
            return found
        awaited = is_coming_up(seen)
        if found or awaited:
            self._withhold([f"{one.subject}: {one.why}" for one in found] or [f"{awaited} has not come up yet"])
        elif time.monotonic() - self.memory.beaten >= self._beat_every_s and self._heartbeat.beat():
            self.memory.beaten = time.monotonic()
        return found

    # --- Looking ------------------------------------------------------------------------------------------------------

    def _connected(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = psycopg.connect(
                self._dsn, autocommit=True, application_name="tierwatch auditor", connect_timeout=5
            )
            self._conn.execute(_LIMITS)
        self._life.beat(self._conn)
        return self._conn

    def _disconnect(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _gather(self, conn: Connection) -> Seen:
        now = self._clock.now()
        asked = {"shard": self._shard, "now": now, "own": OWN}

        def rows(name: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = conn.cursor(row_factory=dict_row).execute(SQL[name], asked).fetchall()
            return found

        def late(name: str) -> Late:
            (row,) = rows(name)
            oldest_s = (now - row["oldest"]).total_seconds() / self._speed if row["oldest"] else 0.0
            return Late(count=row["count"], oldest_s=oldest_s)

        return Seen(
            pulses=tuple(msgspec.convert(row, Pulse) for row in rows("pulses")),
            station_age_s=rows("station_age")[0]["age_s"],
            unheard_s=self._unheard_s(rows("unheard")),
            steps=late("late_steps"),
            notices=late("late_notices"),
            unfinished=rows("unfinished_notices")[0]["count"],
            forgotten=rows("forgotten_alerts")[0]["count"],
            unaccounted=self._unaccounted(rows),
            starts={row["child"]: row["count"] for row in rows("starts")},
            mute=tuple(child for child, answers in self._probes.items() if not answers()),
        )

    def _unheard_s(self, rows: list[dict[str, Any]]) -> float:
        position, is_behind = (rows[0]["position"], rows[0]["is_behind"]) if rows else (-1, False)
        if not is_behind or position != self.memory.cursor[0]:
            self.memory.cursor = (position, time.monotonic())
        return time.monotonic() - self.memory.cursor[1]

    def _unaccounted(self, rows: Callable[[str], list[dict[str, Any]]]) -> int:
        """The books are read less often than the rest: it costs more. A doubt is looked at again at once."""
        count, at = self.memory.unaccounted
        if count or time.monotonic() - at >= BOOKS_EVERY_S:
            try:
                found = rows("unaccounted")
                count = int(found[0]["count"] or 0) if found else 0
            except psycopg.errors.QueryCanceled:
                _LOG.warning("books_unread")  # too much at once to read: everything else is looked at all the same
            self.memory.unaccounted = (count, time.monotonic())
        return count

    # --- Saying -------------------------------------------------------------------------------------------------------

    def _say(self, conn: Connection, found: tuple[Trouble, ...]) -> None:
        """Raise what is seen for the second time, take back what is over, and see that the operator hears of it."""
        now, keys = self._clock.now(), frozenset(one.key for one in found)
        confirmed = [one for one in found if one.key in self.memory.doubted]
        self.memory.doubted = keys
        self._remember_operators(conn, now)
        try:
            self._level(conn, confirmed, keys, now)
            self._climb(conn, now)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not isinstance(error, _KEPT):
                raise
            self._unsaid(confirmed, error)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from the rows, the operator hears of it
            self._unsaid(confirmed, error)

    def _unsaid(self, confirmed: list[Trouble], error: Exception) -> None:
        _LOG.error("audit_unsaid", **where(error))
        for one in confirmed:
            self._tell_past(one)

    def _level(
        self, conn: Connection, confirmed: list[Trouble], keys: frozenset[tuple[str, str]], now: datetime
    ) -> None:
        present = conn.cursor(row_factory=dict_row).execute(SQL["own_present"], {"own": OWN}).fetchall()
        known = {(row["condition"], row["subject"]) for row in present}
        for one in confirmed:
            if one.key not in known:
                _LOG.error("trouble", condition=one.condition, subject=one.subject, why=one.why)
                with conn.transaction():
                    listening.taken(conn, _occurrence(one, now), now)
        for row in present:
            if (row["condition"], row["subject"]) not in keys:
                _LOG.warning("trouble_over", condition=row["condition"], subject=row["subject"])
                with conn.transaction():
                    listening.taken(conn, _over(row, now), now)

    def _climb(self, conn: Connection, now: datetime) -> None:
        """Our own alerts climb and are told by ourselves: the station, if it lives, finds it done."""
        for row in conn.cursor(row_factory=dict_row).execute(SQL["own_due"], {"own": OWN, "now": now}).fetchall():
            with conn.transaction():
                escalate_one(conn, row["alert"], row["subject"], now)
        for claimed in sending.claim(conn, now, limit=20, lease_s=_LEASE_S, conditions=OWN):
            body = sending.freeze(conn, claimed, self._seal, no_record, self._readers, now)
            outcome = sending.deliver(claimed, body, self._channels, self._clock.now())
            sending.conclude(conn, claimed, outcome, self._clock.now())

    def _remember_operators(self, conn: Connection, now: datetime) -> None:
        ladder = frozen(plans.current(conn, "station"))[LadderName.OPERATOR]
        self.memory.operators = told_at(ladder, ladder.rungs[0], now).to or (OPERATOR,)

    # --- Without a database -------------------------------------------------------------------------------------------

    def _without_database(self, error: Exception) -> tuple[Trouble, ...]:
        now = time.monotonic()
        self.memory.gone_since = now if self.memory.gone_since is None else self.memory.gone_since
        gone_s = now - self.memory.gone_since
        _LOG.warning("database_gone", error=type(error).__name__, for_s=round(gone_s))
        if gone_s < PATIENCE_S:
            return ()
        why = f"it does not answer the auditor for {gone_s:.0f} s ({type(error).__name__})"
        trouble = Trouble(condition=StationCondition.WORKER_STALLED, subject="database", why=why)
        self._tell_past(trouble)
        return (trouble,)

    def _tell_past(self, trouble: Trouble) -> None:
        """Tell the operator without the database: one message, and again after a while."""
        now, at = time.monotonic(), self._clock.now()
        if now - self.memory.told.get(trouble.key, float("-inf")) < TELL_AGAIN_S:
            return
        self.memory.told[trouble.key] = now
        (change,) = reaction.heard(Situation(), _occurrence(trouble, at), Plan(patient=trouble.subject), at)
        alert, episodes = change.alert, (change.episode,) if change.episode else ()
        for to in self.memory.operators:
            notice = Notice(
                notice=notice_id(alert.alert, "raised", 0, 0, 0, to), alert=alert.alert, type=EventType.RAISED,
                event="raised", generation=0, cycle=0, rung=0, to=to, tier=alert.tier, due_at=at,
            )  # fmt: skip
            body = compose(Material(alert=alert, notice=notice, episodes=episodes), at)
            claimed = sending.Claimed(notice=notice, attempt=1, attempts_before=0, begun_at=at, body=None)
            outcome = sending.deliver(claimed, body, self._channels, at)
            _LOG.error("told_past_the_database", why=trouble.why, person=to.person, outcome=type(outcome).__name__)

    def _withhold(self, why: list[str]) -> None:
        self.memory.beaten = float("-inf")  # the first look at which all is well is said at once
        _LOG.warning("heartbeat_withheld", why="; ".join(why))


def _occurrence(trouble: Trouble, now: datetime) -> Occurrence:
    return Occurrence(
        subject=trouble.subject,
        subject_kind=SubjectKind.COMPONENT,
        condition=trouble.condition,
        kind=FindingKind.TECHNICAL,
        episode=uuid5(NAMESPACE, f"audit|{trouble.condition}|{trouble.subject}|{now.isoformat()}"),
        revision=1,
        present=True,
        onset=now,
        evidence={"reason": trouble.why},
    )


def _over(row: dict[str, Any], now: datetime) -> Occurrence:
    return Occurrence(
        subject=row["subject"],
        subject_kind=SubjectKind.COMPONENT,
        condition=row["condition"],
        kind=FindingKind.TECHNICAL,
        episode=row["episode"],
        revision=row["revision"] + 1,
        present=False,
        onset=row["onset"],
        end=max(now, row["onset"]),
    )
