"""The auditor over the real database: a station that is killed, a judge that stops, a monitor outside that hears no more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from alerts import listening
from alerts.alert import StationCondition
from alerts.auditor import Auditor, Memory
from alerts.clock import WallClock
from alerts.delivery.heartbeat import Heartbeat
from alerts.ladder import Addressee, Role
from alerts.lives import Life
from alerts.sealing import Seal
from stream.finding import Condition
from tests.alerts.desk import Recorder, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
STATION = """\
import sys, threading
from pathlib import Path
from alerts.clock import WallClock
from alerts.delivery.log import LogChannel
from alerts.record import no_record
from alerts.sealing import Seal
from alerts.settings import AlertsSettings
from alerts.station import run
logged = LogChannel()
run(AlertsSettings(poll_s=0.05), sys.argv[1], no_record, {"webhook": logged, "log": logged}, WallClock(),
    Seal(Path(sys.argv[2])), stop=threading.Event())
"""
STALLED, OVERDUE = StationCondition.WORKER_STALLED, StationCondition.STEP_OVERDUE


class Monitor:
    """Somebody outside who expects to be asked."""

    def __init__(self) -> None:
        self.beats = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.beats += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()


class House:
    """A database with a stream that lives or not, an auditor that has been up for long, and the monitor outside."""

    def __init__(self, dsn: str, keys: Path, monitor: Monitor) -> None:
        self.dsn, self.keys, self.monitor = dsn, keys, monitor
        self.operator = Recorder()
        self.position = 0
        self.mute = False
        self.conn = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)
        self.auditor = Auditor(
            dsn,
            {"log": self.operator, "webhook": self.operator},
            WallClock(),
            Seal(keys),
            Heartbeat(monitor.url, ("127.0.0.1",)),
            probes={"api": lambda: not self.mute},
            beat_every_s=0.0,
            memory=Memory(began=time.monotonic() - 1000.0),
        )
        self.lives()

    def lives(self) -> None:
        """The station and intake give a sign of life, and what is stored is judged and heard."""
        Life("station").beat(self.conn)
        self.position += 1
        self.conn.execute(
            "INSERT INTO stream.batch (shard, position, tick_at, rows) VALUES (0, %s, now(), 0)", (self.position,)
        )
        self.conn.execute("UPDATE stream.cursor SET judged_position = %s", (self.position,))
        self.conn.execute("UPDATE alerts.cursor SET position = %s", (self.position,))

    def looks(self, times: int = 2) -> list[tuple[str, str]]:
        """What the last of several looks found."""
        found: list[tuple[str, str]] = []
        for _ in range(times):
            found = [one.key for one in self.auditor.look()]
        return found

    def alerts(self, state: str = "sounding") -> set[tuple[str, str]]:
        rows = self.conn.execute("SELECT condition, subject FROM alerts.alert WHERE state = %s", (state,)).fetchall()
        return {(row["condition"], row["subject"]) for row in rows}

    def told(self) -> list[dict[str, Any]]:
        """What reached the operator."""
        return [json.loads(message.body) for message in self.operator.got]

    def age(self, seconds: float) -> None:
        """Everything that gave a sign of life gave it so much longer ago."""
        self.conn.execute("UPDATE alerts.life SET beat_at = beat_at - make_interval(secs => %s)", (seconds,))
        self.conn.execute("UPDATE stream.batch SET stored_at = stored_at - make_interval(secs => %s)", (seconds,))


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    made = Monitor()
    yield made
    made.close()


@pytest.fixture
def house(dsn: str, tmp_path: Path, monitor: Monitor) -> Iterator[House]:
    made = House(dsn, tmp_path / "keys", monitor)
    yield made
    made.auditor.close()
    made.conn.close()


@contextmanager
def station(house: House) -> Iterator[subprocess.Popen[bytes]]:
    """A real one, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STATION, house.dsn, str(house.keys)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def until(holds: Callable[[], object], what: str, patience_s: float = 60.0) -> None:
    give_up = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < give_up, f"not within {patience_s:g} s: {what}"
        time.sleep(0.05)


def test_all_is_well_and_somebody_outside_hears_it(house: House, monitor: Monitor) -> None:
    assert house.looks(3) == []
    assert monitor.beats == 3
    assert house.operator.got == []


def test_a_station_killed_between_two_rungs_is_missed_told_and_forgiven(house: House, monitor: Monitor) -> None:
    with station(house) as process:
        house.position += 1
        doctor = finding(Condition.BRADY)
        _says(house, doctor)
        until(house.alerts, "the station hears of it")
        until(
            lambda: house.conn.execute("SELECT 1 AS yes FROM alerts.notice WHERE status = 'delivered'").fetchone(),
            "first rung",
        )
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    house.conn.execute("UPDATE alerts.alert SET next_due_at = now() - interval '20 s'")  # the second rung's time comes
    house.age(20)
    assert set(house.looks()) >= {(OVERDUE, "station"), (STALLED, "station")}
    assert house.alerts() >= {(OVERDUE, "station"), (STALLED, "station")}
    assert {(one["data"]["condition"], one["data"]["patient"]) for one in house.told()} >= {(OVERDUE, "station")}
    assert monitor.beats == 0
    with station(house):  # the supervisor starts another, which takes the step
        until(
            lambda: not house.conn.execute("SELECT 1 AS yes FROM alerts.alert WHERE next_due_at <= now()").fetchone(),
            "steps taken",
        )
        house.lives()
        assert house.looks() == []
    assert monitor.beats > 0
    # Its life is over by itself; that somebody was told late must have been seen.
    assert (house.alerts("closed"), house.alerts("latched")) == (
        house.alerts("closed") | {(STALLED, "station")},
        {(OVERDUE, "station")},
    )


def test_the_steps_of_other_alerts_are_never_the_auditor_s(house: House) -> None:
    _says(house, finding(Condition.VF))
    with psycopg.connect(house.dsn, autocommit=True) as conn:
        listening.hear(conn, WallClock().now())
    house.age(60)
    house.conn.execute("UPDATE alerts.notice SET due_at = due_at - interval '60 s'")
    house.looks(3)
    rows = house.conn.execute(
        "SELECT attempts FROM alerts.notice n JOIN alerts.alert USING (alert) WHERE condition = 'vf'"
    )
    assert {row["attempts"] for row in rows} == {0}
    assert {one["data"]["condition"] for one in house.told()} <= {OVERDUE, STALLED}


def test_a_judge_that_stops_is_told_and_the_heartbeat_is_withheld_until_it_goes_on(
    house: House, monitor: Monitor
) -> None:
    house.looks(1)
    assert monitor.beats == 1
    house.age(20)
    Life("station").beat(house.conn)
    assert house.looks() == [(STALLED, "intake")]
    (told,) = house.told()
    assert "no sign of life for 2" in told["data"]["evidence"]["reason"]
    assert monitor.beats == 1
    house.lives()
    assert house.looks() == []
    assert monitor.beats == 3
    assert house.alerts() == set()


UNJUDGED = """
INSERT INTO stream.batch (shard, position, tick_at, rows, stored_at)
VALUES (0, 50, now(), 0, clock_timestamp() - interval '20 s'), (0, 51, now(), 0, clock_timestamp())"""
STARTED_OFTEN = """
INSERT INTO stream.start (child, started_at)
SELECT 'intake', now() - make_interval(secs => n) FROM generate_series(1, 5) n"""
OLD_CHART = """
WITH old AS (INSERT INTO stream.batch (shard, position, tick_at, rows, stored_at)
             VALUES (0, 0, now(), 0, clock_timestamp() - interval '10 min') RETURNING 1)
INSERT INTO stream.chart (kind, owner, shard, version, position, low_water, state)
SELECT 'household', 'ada', 0, 1, 0, 0, '' FROM old"""
NOWHERE = """
WITH s AS (INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e') RETURNING source)
INSERT INTO stream.lane (source, device, stream, received, checkpoint)
SELECT source, 'cuff', 'blood_pressure', '{[1,3)}', 1 FROM s"""


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (UNJUDGED, (STALLED, "intake")),
        (STARTED_OFTEN, (STALLED, "intake")),
        (OLD_CHART, (StationCondition.CHARTS_STALE, "intake")),
        (NOWHERE, (StationCondition.UNACCOUNTED, "ledger")),
    ],
)
def test_each_fault_of_the_stream_is_seen_in_its_rows(
    house: House, monitor: Monitor, fault: str, trouble: tuple[str, str]
) -> None:
    house.conn.execute(fault)
    assert house.looks() == [trouble]
    assert monitor.beats == 0
    assert trouble in house.alerts()
    assert [one["data"]["condition"] for one in house.told()] == [trouble[0]]


@pytest.mark.parametrize("state", ["sounding", "latched"])
def test_an_unanswered_alert_without_a_next_step_is_found(house: House, state: str) -> None:
    _says(house, finding(Condition.BRADY))
    with psycopg.connect(house.dsn, autocommit=True) as conn:
        listening.hear(conn, WallClock().now())
    house.conn.execute("UPDATE alerts.notice SET status = 'delivered'")
    house.conn.execute("UPDATE alerts.alert SET next_due_at = NULL, state = %s", (state,))
    house.lives()
    assert house.looks() == [(OVERDUE, "station")]


def test_a_notice_whose_attempts_never_end_is_found(house: House) -> None:
    _says(house, finding(Condition.BRADY))
    with psycopg.connect(house.dsn, autocommit=True) as conn:
        listening.hear(conn, WallClock().now())
    lease = "UPDATE alerts.notice SET attempts = 3, lease_until = clock_timestamp() + interval '25 s'"
    house.conn.execute(lease)
    house.lives()
    assert house.looks() == [(OVERDUE, "station")]


def test_a_child_that_does_not_answer_is_named(house: House) -> None:
    house.mute = True
    assert house.looks() == [(STALLED, "api")]


def test_what_is_seen_once_is_a_doubt_and_no_alert_yet_but_no_heartbeat_either(house: House, monitor: Monitor) -> None:
    house.mute = True
    assert house.looks(1) == [(STALLED, "api")]
    house.mute = False
    assert house.looks(1) == []
    assert (house.alerts(), house.operator.got, monitor.beats) == (set(), [], 1)


def test_one_trouble_is_one_alert_however_often_it_is_seen_and_a_new_one_after_it_was_over(house: House) -> None:
    for _ in range(2):
        house.mute = True
        house.looks(5)
        house.mute = False
        house.looks(2)
    assert [one["type"] for one in house.told()] == 2 * ["alert.raised", "alert.stood_down"]
    rows = house.conn.execute("SELECT count(*) AS n FROM alerts.alert WHERE condition = 'worker_stalled'").fetchone()
    assert rows == {"n": 2}


def test_a_lock_that_somebody_died_with_does_not_keep_it_from_the_operator(house: House) -> None:
    with psycopg.connect(house.dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('alerts.subject|api', 0))")
        house.auditor._connected().execute("SET lock_timeout = '200ms'")
        house.mute = True
        house.looks()
        (told,) = house.told()
        assert (told["data"]["condition"], told["data"]["patient"]) == (STALLED, "api")
        house.looks(3)
        assert len(house.operator.got) == 1


def test_without_a_database_the_operator_hears_of_it_straight_away(house: House, monitor: Monitor) -> None:
    house.auditor.memory.operators = (Addressee(person="ops", channel="webhook", address="ops", role=Role.OPERATOR),)
    house.auditor._disconnect()
    house.auditor._dsn = "host=127.0.0.1 port=1 dbname=gone connect_timeout=1"
    assert house.looks(2) == []  # it may only be starting again
    assert (house.operator.got, monitor.beats) == ([], 0)
    house.auditor.memory.gone_since = time.monotonic() - 30
    assert house.looks(3) == [(STALLED, "database")]
    (told,) = house.told()
    assert (told["data"]["patient"], told["data"]["to"]["person"]) == ("database", "ops")
    house.auditor._dsn = house.dsn
    house.lives()
    assert house.looks(1) == []
    assert monitor.beats == 1


def test_events_that_upkeep_has_let_go_are_not_missed_and_new_ones_are(house: House) -> None:
    house.conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e')")
    house.conn.execute(
        "INSERT INTO stream.lane (source, device, stream, received, checkpoint) VALUES (1, 'cuff', 'bp', '{[1,7)}', 9)"
    )
    for seq in (4, 6):  # 1 to 3 were let go long ago
        house.conn.execute(
            "INSERT INTO stream.reading VALUES (1, %s, now(), 'ada', 'cuff', 1, 'blood_pressure', '{120,80}', '{}',"
            " NULL, NULL, 'device', '\\x00', 0, 1, %s, now(), now(), true, '\\x00')", (seq, seq),
        )  # fmt: skip
    count = "SELECT stream.unaccounted(0)"
    assert house.conn.execute(count).fetchone() == {"unaccounted": 1}
    house.conn.execute(
        "INSERT INTO stream.other (shard, position, ord, name, lane, seq, last, received_at, body)"
        " VALUES (0, 1, 9, 'abandoned', 1, 5, 5, now(), '')"
    )
    assert house.conn.execute(count).fetchone() == {"unaccounted": 0}


def test_it_runs_until_it_is_told_to_stop_and_goes_on_when_its_connection_is_cut(
    house: House, monitor: Monitor
) -> None:
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=house.auditor.run, args=(stop, ready.set, 0.05))
    thread.start()
    try:
        assert ready.wait(5)
        until(lambda: monitor.beats > 2, "heartbeats")
        house.conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tierwatch auditor'"
        )
        before = monitor.beats
        until(lambda: monitor.beats > before + 2, "heartbeats again")
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/ping", "ftp://127.0.0.1/", "not an address", ""])
def test_a_monitor_that_cannot_be_reached_is_no_heartbeat(url: str) -> None:
    beat = Heartbeat(url, ("127.0.0.1",))
    assert not beat.beat()
    beat.close()


def test_a_monitor_on_private_ground_must_be_allowed_by_name(monitor: Monitor) -> None:
    beat = Heartbeat(monitor.url)
    assert not beat.beat()
    assert monitor.beats == 0
    beat.close()


def _says(house: House, found: Any) -> None:
    stream = Stream(house.dsn)
    stream.position = house.position
    stream.says(found)
    house.position = stream.position


def test_the_operator_s_steps_are_climbed_though_no_station_lives(house: House) -> None:
    house.mute = True
    house.looks()
    house.conn.execute(
        "UPDATE alerts.alert SET next_due_at = now() - interval '1 s', cycle_from = now() - interval '61 min'"
    )
    house.looks(1)
    assert {one["data"]["rung"] for one in house.told()} == {0, 1}
