"""The embedded runner: the intake process. Connects, takes the shard over, recovers, and then steps until it is stopped.

Holds no medicine and no order of its own: those are the Ward's and the writer's. Whatever goes wrong with the store
leads back to recovery; a moved fence, or a bug, ends the process, and the supervisor starts another.
"""

from __future__ import annotations

import gc
import os
import queue
import random
import shutil
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import structlog

from gateway import topics
from gateway.mqtt import Message, Mqtt
from stream.archive import SQL, Fenced, check_fence
from stream.instants import micros
from stream.intake import QUEUE_MESSAGES, Writer, gather_from
from stream.judge import failed
from stream.recovery import DIED, recover
from stream.store.connect import connect
from stream.tick import ACCEPT_LEAP
from stream.tick import start as start_tick
from stream.verdicts import put_findings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stream.place import Place
    from stream.tick import TickClock

MAX_MESSAGE_BYTES = 8_000_000
SUSPICIOUS_STARTS = 2
"""Starts of the process at one position without getting any further: the detector may be what kills it there."""
DISK_EVERY_S = 10.0
COMPLAINTS_EVERY_S = 5.0

_log = structlog.get_logger("stream.embedded")


def run(settings: Place, tell_ready: Callable[[], None]) -> None:
    """Be the writer of the shard until SIGTERM or SIGINT."""
    from stream.ecg.advance import compile_kernels
    from stream.ecg_coding import compile_coding
    from stream.servers.mqtt_clients import INTAKE, add_client, intake_session
    from stream.strips.judge import compile_judge

    # Before anything subscribes: a message that waits for a compiler is a message late.
    compile_kernels()
    compile_judge()
    compile_coding()
    collect_rarely()
    # Only from here on is there anything to end cleanly: until now a signal just ends the process.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    inbound: queue.Queue[Message] = queue.Queue(QUEUE_MESSAGES)
    returned = threading.Event()
    shard = settings.stream.shard
    mqtt = Mqtt(
        host="127.0.0.1", port=settings.stream.mqtt_port, client_id=intake_session(settings.folder.root), user=INTAKE,
        password=add_client(settings.folder.root, INTAKE, shard), on_message=inbound.put, on_connected=returned.set,
        max_bytes=MAX_MESSAGE_BYTES, protocol="3.1.1",
    )  # fmt: skip
    for topic in topics.all_up(shard):
        mqtt.subscribe(topic, qos=1)
    intake = _Intake(settings, mqtt, inbound, returned, stop, tell_ready)
    try:
        intake.run()
    finally:
        mqtt.stop()


@dataclass(slots=True)
class _Intake:
    settings: Place
    mqtt: Mqtt
    inbound: queue.Queue[Message]
    returned: threading.Event
    """Set when the broker took us (back): everybody is asked to go back to what has no receipt."""
    stop: threading.Event
    tell_ready: Callable[[], None]
    fence: int = 0
    """Ours; 0 before the shard was first taken over."""
    clock: TickClock | None = None
    """One for the life of the process: to meet the store again is no reason to follow a clock that was stepped."""

    def run(self) -> None:
        """Recover and step; on trouble with the store, again, after a jittered pause."""
        pending: list[Message] = []
        is_started = False
        wait_s = 0.1
        while not self.stop.is_set():
            writer: Writer | None = None
            try:
                with connect(self.settings.dsn, "intake") as conn:
                    writer = self._writer(conn, pending)
                    writer.catch_up()
                    self.returned.set()
                    if not is_started:
                        self.mqtt.start()
                        self.tell_ready()
                        is_started = True
                    while not self.stop.is_set():
                        if self.returned.is_set() and self.mqtt.connected:
                            self.returned.clear()
                            writer.hello()
                        writer.step()
                        writer.state.ward.before_patient = None  # the suspicious position is behind us
                        wait_s = 0.1
            except (psycopg.OperationalError, psycopg.InternalError) as error:
                _log.warning("store_lost", error=str(error).splitlines()[0])
                pending = writer.pending if writer is not None else pending
                time.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                wait_s = min(2 * wait_s, 5.0)
            except Fenced as error:
                _log.error("fenced", error=str(error))
                raise SystemExit(3) from error

    def _writer(self, conn: psycopg.Connection, pending: list[Message]) -> Writer:
        shard = self.settings.stream.shard
        is_first = not self.fence
        judged, suspect_position, suspect = self._take_over(conn)
        if is_first:  # another recovery of the same process is no death of one
            conn.execute(SQL["note_start"], {"judged": judged})
        deaths = conn.execute(SQL["deaths_here"], {"judged": judged}).fetchone()
        note = None
        if is_first and deaths is not None and deaths[0] >= SUSPICIOUS_STARTS:
            if suspect and suspect_position == judged + 1:
                self._bench(conn, suspect, judged)
            note = self._note(conn, judged + 1)
        state = recover(conn, shard, judged, on_progress=_progress, before_patient=note)
        if state.faults:
            _log.error("determinism_fault", findings=state.faults)
        if self.clock is None:
            last_us = micros(state.tick) if state.tick else None
            self.clock = start_tick(last_us, *self._now_us(), accepts_leap=os.environ.get(ACCEPT_LEAP) == "1")
        return Writer(
            conn=conn, shard=shard, fence=self.fence, mqtt=self.mqtt, clock=self.clock, now_us=self._now_us, state=state,
            disk_is_low=_Disk(self.settings.folder.root, self.settings.stream.low_disk_mb),
            gather=lambda held, full: gather_from(self.inbound, is_holding=held, is_full=full), backlog=self.inbound.qsize,
            pending=list(pending), complaints=_Complaints(self.settings.folder.root),
        )  # fmt: skip

    def _take_over(self, conn: psycopg.Connection) -> tuple[int, int | None, str | None]:
        """Be the writer: the first time whoever was before, later only if nobody else was in between."""
        shard = self.settings.stream.shard
        with conn.transaction():
            if self.fence:
                check_fence(conn, shard, self.fence)
            row = conn.execute(SQL["raise_fence"], {"shard": shard}).fetchone()
        assert row is not None
        self.fence, judged, suspect_position, suspect = row
        return judged, suspect_position, suspect

    def _bench(self, conn: psycopg.Connection, suspect: str, judged: int) -> None:
        """The process died while judging this patient, twice at one position: out of the way, and told."""
        shard, position = self.settings.stream.shard, judged + 1
        with conn.transaction():
            check_fence(conn, shard, self.fence)
            row = conn.execute(SQL["last_batch"], {"shard": shard}).fetchone()
            assert row is not None
            (count,) = conn.execute(SQL["next_bench_ord"], {"shard": shard, "position": position}).fetchone() or (0,)
            finding = failed(suspect, DIED, micros(row[1]), judged)
            # With the position that comes: whoever reads findings is past the one that was judged.
            put_findings(conn, shard, position, [finding], first_ord=BENCH_ORD + count)
            conn.execute(SQL["put_bench"], {"patient": suspect, "position": judged, "why": DIED})
        _log.error("patient_benched", position=position)

    def _note(self, conn: psycopg.Connection, position: int) -> Callable[[str], None]:
        """Write down each patient before judging ("" behind the last one), so that the next start knows whom this one died of."""
        shard, noted = self.settings.stream.shard, ["nobody yet"]

        def note(patient: str) -> None:
            if patient != noted[0]:
                noted[0] = patient
                conn.execute(SQL["suspect"], {"shard": shard, "position": position, "patient": patient})

        return note

    def _now_us(self) -> tuple[int, int]:
        return micros(self.settings.now()), round(time.monotonic_ns() * self.settings.speed / 1000)


BENCH_ORD = 1_000_000
"""From here on findings are numbered that were made at a start, beside those of the position that is judged next."""


class _Disk:
    """Whether less room is left than the reserve; asked now and then only."""

    def __init__(self, root: Path, low_mb: int) -> None:
        self._root, self._low, self._asked, self._is_low = root, low_mb * 1_000_000, 0.0, False

    def __call__(self) -> bool:
        if time.monotonic() - self._asked >= DISK_EVERY_S or not self._asked:
            self._asked, self._is_low = time.monotonic(), shutil.disk_usage(self._root).free < self._low
        return self._is_low


class _Complaints:
    """What the broker wrote into its log and told nobody; asked now and then only."""

    def __init__(self, root: Path) -> None:
        from stream.servers.nats import ComplaintReader

        self._reader, self._asked = ComplaintReader(root), 0.0

    def __call__(self) -> list[str]:
        if time.monotonic() - self._asked < COMPLAINTS_EVERY_S:
            return []
        self._asked = time.monotonic()
        return [f"{found.kind} {found.client or ''}: {found.line}" for found in self._reader.read()]


def _progress(done: int, of: int) -> None:
    if done % 500 == 0:
        _log.info("recovering", position=done, of=of)


def collect_rarely() -> None:
    """Let Python look for garbage in cycles seldom.

    The charts of a shard are a great many objects that live on, hardly one of them part of a cycle: looking through them
    every few hundred allocations took a tenth of the Ward's time (benchmarks/ward.py).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
