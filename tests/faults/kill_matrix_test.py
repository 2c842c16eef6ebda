"""The kill matrix: whatever dies, and wherever it dies, nothing is lost, doubled or judged twice.

The same patients' devices say the same things twice: to an undisturbed house, and to one in which every process is
killed again and again while data flows. What comes of it has to be equal.
"""

from __future__ import annotations

import random
import shutil
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import pytest

from tests.faults.house import House, house, until
from tests.faults.people import Watched, ward

PATIENTS = 20
SEED = 20261124
ROUNDS = 4
SECONDS = 110
"""A backlog up to 120 s goes in order, so the undisturbed house gets all of it at once."""
KILLED = ("postgres", "nats", "intake", "station", "api")
OF_INTAKE = ("before_commit", "commit_ack", "ack_receipt", "before_judged")
OF_STATION = ("alert_commit", "delivered_outcome")
"""Crash points, as `child.py` names them: T1's commit, commit to ack, ack to receipt, receipt to T2, T2 to T4, delivered to
outcome."""


@dataclass(frozen=True)
class Outcome:
    """What came of the signal, told in seconds of it."""

    episodes: set[tuple[object, ...]]
    alerts: set[tuple[object, ...]]
    judged: set[tuple[object, ...]]
    """Episodes without their ids."""
    late: int
    """Events whose hole had closed before they came."""


def outcome(home: House, zero: datetime) -> Outcome:
    """Read it from the store."""
    episodes = home.ask(
        "SELECT subject, condition, episode, onset - %s, ended - %s, withdrawn FROM stream.episode"
        " WHERE kind = 'physiological'",
        zero,
        zero,
    )
    alerts = home.ask(
        "SELECT a.alert, a.subject, a.condition, a.tier, a.past, a.onset - %s, e.episode, e.ended - %s"
        " FROM alerts.alert a JOIN alerts.alert_episode e USING (alert) WHERE a.kind = 'physiological'",
        zero,
        zero,
    )
    ((late,),) = home.ask(
        "SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM stream.ledger(), unnest(judged_past) r WHERE stream LIKE 'ecg%%'"
    )
    return Outcome(set(episodes), set(alerts), {(s, c, onset, end) for s, c, _, onset, end, _ in episodes}, late)


@pytest.fixture(scope="module")
def people() -> list[Watched]:
    return ward(PATIENTS, SECONDS)


@pytest.fixture(scope="module")
def undisturbed(people: list[Watched]) -> Outcome:
    with house() as home:
        home.settle(people, datetime.now(UTC))
        zero = datetime.now(UTC) - timedelta(seconds=SECONDS + 2)
        home.world.do(home.world.hear(people, range(SECONDS), zero))
        home.receipted()
        home.all_judged()
        found = outcome(home, zero)
    assert {c for _, c, *_ in found.judged} >= {"vf", "asystole", "tachy", "brady", "bp_crisis"}
    return found


class Flow:
    """The devices speak, two seconds of the signal in one, as far as they may: however long a step takes, there is data."""

    def __init__(self, home: House, zero: datetime) -> None:
        self._home, self._zero = home, zero
        self._allowed = threading.Semaphore(0)
        self._stop = threading.Event()
        self._speaking = threading.Thread(target=self._speak, daemon=True)
        self.said = 0

    def __enter__(self) -> Self:
        """Begin, with what is allowed."""
        self._speaking.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; what has not been said is said at once."""
        self._stop.set()
        self._allowed.release()
        self._speaking.join()
        self._hear(range(self.said, SECONDS))

    def allow(self, seconds: int) -> None:
        """Let them say so much more."""
        self._allowed.release(seconds)

    def _speak(self) -> None:
        while self._allowed.acquire() and not self._stop.wait(0.5):
            if self.said < SECONDS:
                self._hear([self.said])
                self.said += 1

    def _hear(self, seconds: Sequence[int]) -> None:
        self._home.world.do(self._home.world.hear(self._home.people, seconds, self._zero, datetime.now(UTC)))


def test_kills_and_crash_points_change_nothing(people: list[Watched], undisturbed: Outcome) -> None:
    chance = random.Random(SEED)
    points = list(OF_INTAKE)
    with house() as home:
        home.settle(people, datetime.now(UTC))
        zero = datetime.now(UTC)
        for point in OF_STATION:  # these come when there is something to tell
            home.arm(point)
        with Flow(home, zero) as flow:
            flow.allow(3)
            for _ in range(ROUNDS):
                kill_each_once(home, flow, chance)
                intake_dies_at(home, flow, points.pop(0))
            for point in OF_STATION:
                home.note(f"station died at {point}: {home.fired(point)}")
            flow.allow(6)
            delete_broker_store(home)
            flow.allow(6)
            stopped_writer(home)
            home.note(f"said while this went on: {flow.said} of {SECONDS} s")
        home.receipted()
        home.all_judged()
        check_ledger(home)
        compare(home, outcome(home, zero), undisturbed)
        assert home.ask("SELECT count(*) FROM stream.bench") == [(0,)]
        assert home.ask("SELECT count(*) FROM stream.finding WHERE condition = 'determinism_fault'") == [(0,)]
        ((starts, attempts, notices),) = home.ask(
            "SELECT (SELECT count(*) FROM stream.start WHERE child = 'intake'), count(*), count(DISTINCT notice)"
            " FROM alerts.attempt"
        )
        home.note(f"intake started {starts} times; {attempts} attempts of {notices} notices")


def kill_each_once(home: House, flow: Flow, chance: random.Random) -> None:
    """Every process once, in a drawn order at drawn moments, also while another is still coming back."""
    killed = {}
    flow.allow(14)
    for child in chance.sample(KILLED, len(KILLED)):
        threading.Event().wait(chance.uniform(0.1, 0.9))
        flight = home.in_flight()
        killed[child] = home.kill(child)
        home.note(f"kill -9 {child:9} {flight}")
    for child, process in killed.items():
        until(lambda: home.pid(child) not in {None, process}, f"{child} started again")  # noqa: B023 - asked here only
    home.goes_on()


def intake_dies_at(home: House, flow: Flow, point: str) -> None:
    """Die at one crash point, and come back."""
    before = until(lambda: home.pid("intake"), "intake runs")
    home.arm(point)
    flow.allow(4)
    home.note(f"intake died at {point}: {home.fired(point)}")
    home.back("intake", before)


def delete_broker_store(home: House) -> None:
    """Kill the broker and take away everything it had kept."""
    store = home.folder.nats / "store"
    assert store.is_dir()
    killed = home.kill("nats")
    shutil.rmtree(store, ignore_errors=True)
    home.back("nats", killed)
    home.note("the broker's store deleted")


def stopped_writer(home: House) -> None:
    """A writer that was stopped and replaced writes nothing when it wakes, and ends."""
    old = home.kill("intake", signal.SIGSTOP)
    before = home.fence()
    with home.second_intake():
        _, judged = home.positions()
        until(lambda: home.fence() > before and home.positions()[1] > judged + 1, "the replacement judges")
        fence, log = home.fence(), home.folder.log_of("intake")
        size = log.stat().st_size
        home.kill("intake", signal.SIGCONT)
        until(lambda: home.pid("intake") != old, "the woken writer ended")
        with log.open("rb") as lines:
            lines.seek(size)
            assert b'"fenced"' in lines.read(), "it ended, but not for the fence"
        home.note(f"stopped writer {before}, replaced by {fence}; woken, it ended")
    home.back("intake", old)


def check_ledger(home: House) -> None:
    """Sent = stored, each once, none unaccounted for."""
    sent, stored = home.sent(), home.stored()
    assert {lane: (seq, seq) for lane, seq in sent.items()} == stored
    books = home.call("GET", "/api/v1/ledger")
    assert (books["unaccounted"], books["unjudged"]) == (0, 0)
    assert home.ask("SELECT count(*) - max(position) FROM stream.batch") == [(0,)]
    home.note(
        f"sent {sum(sent.values())} events in {len(sent)} lanes = stored {sum(n for n, _ in stored.values())}, unaccounted 0"
    )


def compare(home: House, found: Outcome, expected: Outcome) -> None:
    """Equal, ids and all; where a hole had closed before it was filled, the judged set is (log.md, the property)."""
    home.note(
        f"{len(found.episodes)} episodes, {len(found.alerts)} in alerts;"
        f" undisturbed {len(expected.episodes)}, {len(expected.alerts)};"
        f" {found.late} events came after their hole had closed"
    )
    if not found.late:
        assert found.episodes == expected.episodes
        assert found.alerts == expected.alerts
    assert found.judged == expected.judged
