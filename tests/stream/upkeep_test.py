"""The upkeep process: it maintains by itself, goes on after trouble, and ends when it is told to."""

from __future__ import annotations

import threading

import psycopg
import pytest

from stream import upkeep


class Waits:
    """Stands for the event that stops the process: lets it run `rounds` times, and notes how long it would have waited."""

    def __init__(self, rounds: int) -> None:
        self.rounds, self.waited = rounds, []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return len(self.waited) > self.rounds


def test_it_makes_room_and_drops_waveform_over_the_limit(dsn):
    with psycopg.connect(dsn, autocommit=True) as conn:
        parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'stream.ecg'::regclass"
        before = conn.execute(parts).fetchone()[0]
        waits = Waits(1)
        upkeep.run(dsn, 30, waits, lambda: None)
        assert conn.execute(parts).fetchone()[0] > before
    assert waits.waited == [upkeep.SETTLE_S, upkeep.DAY_S]


def test_trouble_is_tried_again_within_the_hour():
    waits, ready = Waits(1), threading.Event()
    upkeep.run("host=/nonexistent dbname=none", 30, waits, ready.set)
    assert ready.is_set()
    assert waits.waited[-1] == upkeep.HOUR_S


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    from stream.store import maintain

    real = maintain.connect
    monkeypatch.setattr(maintain, "connect", lambda dsn, name: real(dsn, name, patience_s=0.0))
