"""The station as a process runs it: threads, wakes, a database that goes away."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg

from alerts.clock import WallClock
from alerts.delivery.outcome import Delivered, Message, Outcome
from alerts.record import no_record
from alerts.sealing import Seal
from alerts.settings import AlertsSettings
from alerts.station import run
from stream.finding import Condition
from tests.alerts.desk import Stream, finding

if TYPE_CHECKING:
    from pathlib import Path


class Gate:
    """A channel that says when each person was told, and may keep some waiting."""

    def __init__(self) -> None:
        self.told: dict[str, threading.Event] = {}
        self.lock = threading.Lock()
        self.shut = threading.Event()
        self.got: list[Message] = []

    def of(self, subject: str) -> threading.Event:
        with self.lock:
            return self.told.setdefault(subject, threading.Event())

    def deliver(self, message: Message) -> Outcome:
        with self.lock:
            self.got.append(message)
        for subject in ("first", "second"):
            if f'"patient":"{subject}"'.encode() in message.body:
                self.of(subject).set()
        if message.tier != "emergency":
            self.shut.wait(20)
        return Delivered()


def test_it_survives_the_loss_of_its_connections_and_stops_when_told(dsn: str, tmp_path: Path) -> None:
    gate, stop, ready = Gate(), threading.Event(), threading.Event()
    gate.shut.set()
    settings = AlertsSettings(poll_s=0.05, workers=4)
    thread = threading.Thread(
        target=run,
        args=(settings, dsn, no_record, {"webhook": gate, "log": gate}, WallClock(), Seal(tmp_path)),
        kwargs={"stop": stop, "ready": ready.set},
    )
    thread.start()
    try:
        assert ready.wait(10)
        stream = Stream(dsn)
        stream.says(finding(Condition.VF, subject="first"))
        assert gate.of("first").wait(10)
        ready.clear()
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert ready.wait(10)
        stream.says(finding(Condition.VF, subject="second"))
        assert gate.of("second").wait(10)
    finally:
        stop.set()
        thread.join(15)
    assert not thread.is_alive()


def test_slow_receivers_of_lesser_alerts_never_keep_an_emergency_waiting(dsn: str, tmp_path: Path) -> None:
    gate, stop = Gate(), threading.Event()
    settings = AlertsSettings(poll_s=0.05, workers=4)
    thread = threading.Thread(
        target=run,
        args=(settings, dsn, no_record, {"webhook": gate, "log": gate}, WallClock(), Seal(tmp_path)),
        kwargs={"stop": stop},
    )
    stream = Stream(dsn)
    for number in range(20):
        stream.says(finding(Condition.BRADY, subject=f"p{number}"))
    thread.start()
    try:
        while len(gate.got) < 2:  # every sender for lesser alerts is stuck
            assert not stop.wait(0.02)
        stream.says(finding(Condition.VF, subject="first"))
        assert gate.of("first").wait(10)
        assert not gate.shut.is_set()
    finally:
        gate.shut.set()
        stop.set()
        thread.join(15)
    assert not thread.is_alive()
