"""The station: findings become alerts (T4), alerts climb their ladders (T5), notices reach people (T6).

A process of its own: several at once are safe, and a restart changes nothing but the moment. A shell: no rule of
medicine is here. Must never wait for one receiver while another alert is due.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg_pool import ConnectionPool

from alerts import listening, reaction, register, sending
from alerts.faults import where
from alerts.lives import Life
from alerts.record import no_link, no_strip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from alerts.alert import AlertId
    from alerts.clock import Clock
    from alerts.delivery.outcome import Channel
    from alerts.record import LinkSource, RecordSource, StripSource
    from alerts.register import Connection
    from alerts.sealing import Seal
    from alerts.settings import AlertsSettings

WAKES = ("alerts", "stream_finding")
"""What the station listens to; without any of it, it looks every `poll_s`."""
_RESTS_S = (0.1, 0.5, 1.0, 2.0)
_FOLLOW_UP_S = 2.0
_LOG: Any = structlog.get_logger(__name__)


def escalate(conn: Connection, now: datetime, limit: int = 50) -> int:
    """T5: every step that is due, one subject a transaction; returns how many alerts moved."""
    with conn.transaction():
        waiting = register.due_alerts(conn, now, limit)
    moved = 0
    for alert, subject in waiting:
        try:
            with conn.transaction():
                moved += escalate_one(conn, alert, subject, now)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - said in the log; the others must not wait for it
            _LOG.error("escalation_failed", alert=str(alert), **where(error))
    return moved


def escalate_one(conn: Connection, alert: AlertId, subject: str, now: datetime) -> bool:
    """The steps of one alert that are due; False where there is none, or somebody is at it. Within a transaction."""
    if not register.try_lock(conn, subject):
        return False  # another station, or somebody's answer, is at it
    situation = register.situation(conn, subject)
    known = situation.alerts.get(alert)
    if known is None or known.next_due_at is None or known.next_due_at > now:
        return False
    changes = reaction.passed(situation, alert, now)
    register.save(conn, changes)
    for missing in reaction.unreachable(changes):
        listening.taken(conn, missing, now)
    return True


class Station:
    """One station's work, step by step; `run` calls the steps for ever."""

    def __init__(
        self,
        settings: AlertsSettings,
        dsn: str,
        records: RecordSource,
        channels: Mapping[str, Channel],
        clock: Clock,
        seal: Seal,
        strips: StripSource = no_strip,
        links: LinkSource = no_link,
    ) -> None:
        """Nothing is opened yet but the threads."""
        self._settings = settings
        self._dsn = dsn
        self._records = records
        self._channels = channels
        self._clock = clock
        self._seal = seal
        self._strips = strips
        self._links = links
        self._senders = ThreadPoolExecutor(settings.workers, thread_name_prefix="sender")
        self._readers = ThreadPoolExecutor(settings.workers, thread_name_prefix="record")
        self._follower = ThreadPoolExecutor(1, thread_name_prefix="follower")
        self._following: Future[None] | None = None
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            dsn,
            min_size=0,
            max_size=settings.workers // 2 + 2,
            open=False,
            kwargs={"application_name": "tierwatch send"},
        )
        self._life = Life("station")
        self._busy = 0
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()

    def run(self, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Work until `stop`; a database that goes away is waited for."""
        rest = 0
        self._pool.open()
        try:
            while not stop.is_set():
                try:
                    with psycopg.connect(self._dsn, autocommit=True, application_name="tierwatch station") as conn:
                        for name in WAKES:
                            conn.execute(f"LISTEN {name}")
                        ready()
                        rest = 0
                        self._work(conn, stop)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    _LOG.warning("database_gone", error=type(error).__name__)
                    stop.wait(_RESTS_S[min(rest, len(_RESTS_S) - 1)])
                    rest += 1
        finally:
            self.close()

    def close(self) -> None:
        """Let running attempts finish; what waits stays in the database."""
        self._senders.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._follower.shutdown(wait=False, cancel_futures=True)
        self._pool.close()

    def _work(self, conn: Connection, stop: threading.Event) -> None:
        reconciled = followed = float("-inf")
        while not stop.is_set():
            self._life.beat(conn)
            moved = self.step(conn)
            if time.monotonic() - reconciled >= self._settings.reconcile_s:
                listening.reconcile(conn, self._clock.now())
                reconciled = time.monotonic()
            if time.monotonic() - followed >= _FOLLOW_UP_S and (self._following is None or self._following.done()):
                self._following = self._follower.submit(self._follow_up)
                followed = time.monotonic()
            if not moved:
                for _ in conn.notifies(timeout=self._settings.poll_s, stop_after=1):
                    pass

    def step(self, conn: Connection) -> bool:
        """T4, T5, and handing to the senders what is due; whether anything moved."""
        heard = listening.hear(conn, self._clock.now())
        moved = escalate(conn, self._clock.now())
        return bool(heard or moved or self.dispatch(conn))

    def dispatch(self, conn: Connection) -> int:
        """Lease as many notices as there are free senders; the last half of them is for emergencies."""
        with self._lock:
            free = self._settings.workers - self._busy
        spare = free - self._settings.workers // 2
        claimed = []
        if free > 0:
            claimed = self._claim(conn, free, urgent_only=True)
        if spare - len(claimed) > 0:
            claimed += self._claim(conn, spare - len(claimed), urgent_only=False)
        for one in claimed:
            with self._lock:
                self._busy += 1
                self._idle.clear()
            self._senders.submit(self._send, one)
        return len(claimed)

    def _claim(self, conn: Connection, limit: int, *, urgent_only: bool) -> list[sending.Claimed]:
        return sending.claim(
            conn, self._clock.now(), limit=limit, lease_s=self._settings.lease_s, urgent_only=urgent_only
        )

    def _send(self, claimed: sending.Claimed) -> None:
        try:
            self.send(claimed)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            _LOG.warning("outcome_unwritten", notice=str(claimed.notice.notice), error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - the lease runs out, and it is tried again
            _LOG.error("sending_failed", notice=str(claimed.notice.notice), **where(error))
        finally:
            with self._lock:
                self._busy -= 1
                if not self._busy:
                    self._idle.set()

    def send(self, claimed: sending.Claimed) -> None:
        """T6 for one leased notice: freeze, deliver, write the outcome. No connection is held while delivering."""
        with self._pool.connection() as conn:
            body = sending.freeze(
                conn, claimed, self._seal, self._records, self._readers, self._clock.now(), self._strips, self._links
            )
        outcome = sending.deliver(claimed, body, self._channels, self._clock.now())
        with self._pool.connection() as conn:
            sending.conclude(conn, claimed, outcome, self._clock.now())

    def wait_idle(self, timeout_s: float) -> bool:
        """Whether every attempt that was begun has ended, waiting for it."""
        return self._idle.wait(timeout_s)

    def _follow_up(self) -> None:
        with suppress(psycopg.OperationalError, psycopg.InterfaceError), self._pool.connection() as conn:
            sending.follow_up(conn, self._records, self._readers, self._clock.now(), self._strips)


def run(
    settings: AlertsSettings,
    dsn: str,
    records: RecordSource,
    channels: Mapping[str, Channel],
    clock: Clock,
    seal: Seal,
    *,
    strips: StripSource = no_strip,
    links: LinkSource = no_link,
    stop: threading.Event | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Be the station until `stop` is set (by a signal handler of the caller). Blocks.

    `ready` is called each time the database is connected.
    """
    Station(settings, dsn, records, channels, clock, seal, strips, links).run(stop or threading.Event(), ready)
