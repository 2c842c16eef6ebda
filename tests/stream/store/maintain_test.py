"""Maintenance on a real store: room ahead, rows moved without vanishing, the past dropped but never the log."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from stream.store.connect import connect
from stream.store.maintain import AlreadyRunning, Report, Rules, maintain, make_room

if TYPE_CHECKING:
    from typing import Any

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _plain(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            pytest.skip("native partitions; this server has TimescaleDB")


def _parts(filler: Any, table: str) -> list[str]:
    parts: list[str] = filler.rows(
        f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'stream.{table}'::regclass "
        f"AND inhrelid::regclass::text NOT LIKE '%default' ORDER BY 1"
    )
    return parts


def _told(report: Report, what: str) -> list[str]:
    return [f"{line.count} {line.note}" for line in report.lines if line.what == what]


def test_days_ahead_get_a_part_and_rows_find_it(filler: Any, now: datetime) -> None:
    report = maintain(filler.dsn, now=now)
    expected = [f"stream.ecg_202611{day}" for day in range(23, 31)] + ["stream.ecg_20261201"]
    assert _parts(filler, "ecg") == expected
    assert _parts(filler, "reading") == [part.replace("ecg", "reading") for part in expected]
    assert _told(report, "stream.ecg") == ["9 days given a part of their own"]
    filler.batch(now, now, now + DAY, readings_at=(now,))
    assert filler.rows("SELECT tableoid::regclass::text FROM stream.ecg ORDER BY at") == [
        "stream.ecg_20261124",
        "stream.ecg_20261125",
    ]
    assert not [line for line in maintain(filler.dsn, now=now).lines if line.what == "stream.ecg"]
    assert maintain(filler.dsn, now=now + DAY).lines[0].count == 1


def test_making_room_drops_nothing(filler: Any, now: datetime) -> None:
    filler.batch(now - 40 * DAY, now - 40 * DAY)
    filler.batch(now, now)
    make_room(filler.dsn, now=now)
    assert "stream.ecg_20261124" in _parts(filler, "ecg")
    assert filler.rows("SELECT count(*) FROM stream.ecg") == [2]
    maintain(filler.dsn, now=now)
    assert filler.rows("SELECT count(*) FROM stream.ecg") == [1]


def test_parts_lie_around_the_clock_of_the_log_too(filler: Any, now: datetime) -> None:
    # A world that runs faster than ours: its wearables live in another month.
    filler.batch(now + 60 * DAY)
    maintain(filler.dsn, now=now)
    assert {"stream.ecg_20261124", "stream.ecg_20270123"} <= set(_parts(filler, "ecg"))


def test_rows_that_came_before_their_part_are_moved_whole(filler: Any, now: datetime) -> None:
    times = [now - DAY + n * HOUR for n in range(40)]
    filler.batch(now, *times, readings_at=tuple(times))
    before = filler.rows("SELECT e::text FROM stream.ecg e ORDER BY at")
    report = maintain(filler.dsn, now=now)
    assert filler.rows("SELECT e::text FROM stream.ecg e ORDER BY at") == before
    assert filler.rows("SELECT count(*) FROM stream.ecg_default") == [0]
    assert "40 rows moved out of the default partition" in _told(report, "stream.reading")


def test_past_days_stay_in_the_default_part_until_they_are_worth_one(filler: Any, now: datetime) -> None:
    # A meter's memory: a reading a day for years must not make a part a day.
    long_ago, busy = now - 400 * DAY, now - 10 * DAY
    filler.batch(now, readings_at=(long_ago, *(busy + n * HOUR for n in range(5))))
    rules = Rules(rows_worth_a_part=5)
    report = maintain(filler.dsn, rules, now=now)
    assert "stream.reading_20261114" in _parts(filler, "reading")
    assert filler.rows("SELECT at FROM stream.reading_default") == [long_ago]
    assert _told(report, "reading_default") == ["1 rows of 2025-10-20: few: they stay"]


def test_a_day_of_too_many_rows_is_reported_and_left(filler: Any, now: datetime) -> None:
    filler.batch(now, now, now, now)
    report = maintain(filler.dsn, Rules(most_moved=2), now=now)
    assert "stream.ecg_20261124" not in _parts(filler, "ecg")
    assert [(line.count, line.note) for line in report.lines if line.is_undone] == [
        (3, "rows of 2026-11-24: too many to move while running")
    ]


def test_a_move_that_was_cut_off_goes_on_with_what_changed_meanwhile(filler: Any, now: datetime) -> None:
    filler.batch(now, now, now + HOUR, now + 2 * HOUR)
    # As after a kill between the copies and the switch: copies lie there, one row changed, one went, one came.
    filler.conn.execute("CREATE TABLE stream.ecg_20261124 (LIKE stream.ecg INCLUDING ALL)")
    filler.conn.execute("INSERT INTO stream.ecg_20261124 SELECT * FROM stream.ecg")
    filler.conn.execute("UPDATE stream.ecg SET patient = 'bob' WHERE seq = 1")
    filler.conn.execute("DELETE FROM stream.ecg WHERE seq = 2")
    filler.batch(now, now + 3 * HOUR)
    maintain(filler.dsn, now=now)
    assert filler.rows("SELECT seq || patient FROM stream.ecg_20261124 ORDER BY seq") == ["1bob", "3ada", "4ada"]


def test_no_row_vanishes_for_a_reader_while_rows_move(filler: Any, now: datetime) -> None:
    filler.batch(now, *(now + timedelta(seconds=n) for n in range(2000)))
    stop, counts = threading.Event(), []

    def read() -> None:
        with connect(filler.dsn, "reader") as conn:
            while not stop.is_set():
                row = conn.execute("SELECT count(*), count(DISTINCT seq) FROM stream.ecg").fetchone()
                counts.append(row)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        maintain(filler.dsn, now=now)
    finally:
        stop.set()
        reader.join()
    assert filler.rows("SELECT count(*) FROM stream.ecg_20261124") == [2000]
    assert set(counts) == {(2000, 2000)}


def test_a_busy_table_is_told_and_done_the_next_time(filler: Any, now: datetime) -> None:
    filler.batch(now, now)
    with connect(filler.dsn, "slow reader") as conn:
        with conn.transaction():
            conn.execute("SELECT count(*) FROM stream.ecg")
            report = maintain(filler.dsn, Rules(days_ahead=-1), now=now)
        undone = [line.note for line in report.lines if line.is_undone]
        assert undone == ["no part for 2026-11-23: stream.ecg was in use for more than 1s"]
    assert not any(line.is_undone for line in maintain(filler.dsn, Rules(days_ahead=-1), now=now).lines)
    assert _parts(filler, "ecg") == ["stream.ecg_20261123"]


def test_waveform_over_the_limit_goes_and_readings_stay(filler: Any, now: datetime) -> None:
    old = now - 31 * DAY
    maintain(filler.dsn, now=old)
    filler.batch(old, old - 60 * DAY, old, old + DAY, readings_at=(old,))
    for n in range(31):
        filler.batch(old + n * DAY)
    filler.batch(now, now)
    report = maintain(filler.dsn, now=now)
    assert filler.rows("SELECT at FROM stream.ecg ORDER BY at") == [old + DAY, now]
    assert filler.rows("SELECT at FROM stream.reading") == [old]
    assert "2 days of waveform before 2026-10-25 dropped" in _told(report, "stream.ecg")
    assert _told(report, "ecg_default") == ["1 rows before 2026-10-25 deleted"]
    assert date(2026, 10, 25) == min(filler.rows("SELECT (tick_at)::date FROM stream.batch"))


def test_the_log_a_day_beyond_the_oldest_chart_is_kept_whatever_its_age(filler: Any, now: datetime) -> None:
    old = now - 40 * DAY
    maintain(filler.dsn, now=old)
    filler.batch(old - 2 * DAY, old - 2 * DAY)
    kept = filler.batch(old - HOUR, old - 36 * DAY)
    filler.chart(filler.batch(old, old))
    filler.batch(now, now)
    report = maintain(filler.dsn, now=now)
    assert filler.rows("SELECT min(position) FROM stream.batch") == [kept]
    # Its day is over the limit in part only for the log: the part goes on existing, and so does the stray row.
    assert filler.rows("SELECT position FROM stream.ecg ORDER BY position") == [kept, kept + 1, kept + 2]
    assert [line.note for line in report.lines if line.is_undone] == [
        "2026-10-15 is over the limit, but still part of the log: kept"
    ]


def test_a_clock_far_ahead_deletes_nothing(filler: Any, now: datetime) -> None:
    maintain(filler.dsn, now=now)
    filler.batch(now, now)
    filler.batch(now + 3650 * DAY)
    maintain(filler.dsn, now=now)
    maintain(filler.dsn, now=now + 3650 * DAY - 4000 * DAY)
    assert filler.rows("SELECT count(*) FROM stream.ecg") == [1]
    assert filler.rows("SELECT count(*) FROM stream.batch") == [2]


def test_what_people_said_stays_when_the_equipments_rows_go(filler: Any, now: datetime) -> None:
    old = now - 40 * DAY
    position = filler.batch(old)
    names = ("status", "symptom_report", "limits_changed", "noticed", "repeated", "abandoned", "quarantined")
    for ord_, name in enumerate(names):
        filler.conn.execute(
            "INSERT INTO stream.other (shard, position, ord, name, received_at, body) VALUES (0, %s, %s, %s, %s, '')",
            [position, ord_, name, old],
        )
    filler.batch(now - 2 * DAY)
    filler.batch(now)
    maintain(filler.dsn, now=now)
    assert filler.rows("SELECT name FROM stream.other ORDER BY ord") == [
        "symptom_report",
        "limits_changed",
        "abandoned",
        "quarantined",
    ]


def test_quarantine_and_unread_have_limits(filler: Any, now: datetime) -> None:
    for n, last in enumerate((now, now - 89 * DAY, now - 91 * DAY)):
        filler.conn.execute(
            "INSERT INTO stream.quarantine VALUES (gen_random_uuid(), 'gw', NULL, NULL, 'malformed', '', %s, 1, %s, %s, '')",
            [bytes([n]), last, last],
        )
    for n in range(5):
        filler.conn.execute("INSERT INTO stream.unread VALUES (%s, 'gw', 'ecg', 2, '{}', %s, '')", [bytes([n]), n])
    maintain(filler.dsn, Rules(unread=2), now=now)
    assert filler.rows("SELECT count(*) FROM stream.quarantine") == [2]
    assert filler.rows("SELECT position FROM stream.unread ORDER BY 1") == [3, 4]


def test_one_at_a_time(filler: Any, now: datetime) -> None:
    filler.conn.execute("SELECT pg_advisory_lock(hashtext('tierwatch maintain'))")
    with pytest.raises(AlreadyRunning):
        maintain(filler.dsn, now=now)
