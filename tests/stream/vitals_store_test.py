"""Glucose the whole way through intake, archive, charts and a restart: what the Ward alone shows must hold with the store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.reading import Flag
from stream.command import SymptomReport
from stream.finding import Condition
from tests.stream.cgm import every, reading, readings
from tests.stream.shard import T0, Shard


@pytest.fixture
def shard(dsn):
    shard = Shard(dsn)
    shard.assign("cgm1", "ada")
    shard.step()
    yield shard
    shard.conn.close()


def newest(shard, *conditions):
    found = {f.episode: f for f in shard.findings() if f.condition in conditions and f.subject == "ada"}
    return sorted(found.values(), key=lambda f: (f.onset, f.condition))


def at(shard, when):
    """Move the clock to an instant, without a step between."""
    shard.pass_time((when - shard.wall).total_seconds())


def test_glucose_is_raised_and_cleared_the_whole_way_and_over_a_restart(shard):
    rows = readings(every(5, [110, 50, 49, 48, 47, 110, 110, 110, 110]))
    for one in rows:
        at(shard, one.at)
        shard.send(one)
        shard.step()
        if one.seq == 3:
            shard.restart(away_s=2)
    (low,) = newest(shard, Condition.GLUCOSE_VERY_LOW)
    assert (low.onset, low.end, low.present) == (rows[1].at, rows[5].at, False)
    shard.send(*rows[2:5])
    shard.step(times=2)
    assert newest(shard, Condition.GLUCOSE_VERY_LOW) == [low]
    assert shard.count("reading") == len(rows)


def test_readings_older_than_the_ring_are_judged_over_the_archive_of_the_store(shard):
    rows = every(5, [110] * 12) + every(5, [110] * 160, T0 + timedelta(minutes=120))
    now = readings(rows)
    at(shard, now[-1].at + timedelta(minutes=1))
    shard.send(*now)
    shard.step(times=10)
    assert newest(shard, Condition.GLUCOSE_LOW) == []
    missing = every(5, [60] * 6, T0 + timedelta(minutes=60))
    shard.send(*(reading(len(now) + n, when, value) for n, (when, value) in enumerate(missing, 1)))
    shard.step(times=2)
    shard.restart(away_s=1)
    shard.step(times=10)
    (low,) = newest(shard, Condition.GLUCOSE_LOW)
    assert (low.onset, low.late, low.present) == (T0 + timedelta(minutes=60), True, False)


def test_control_solution_is_archived_and_never_judged_and_a_symptom_is_told(shard):
    shard.send(*(reading(n, T0 - timedelta(minutes=20 - 5 * n), 40.0, Flag.CONTROL_SOLUTION) for n in range(1, 4)))
    shard.tell(SymptomReport(patient="ada", at=T0, symptoms=("faint",)))
    shard.step(times=2)
    shard.tell(SymptomReport(patient="ada", at=shard.wall, symptoms=("fine",)))
    shard.step(times=2)
    assert shard.count("reading") == 3
    found = newest(shard, *Condition)
    assert [(f.condition, f.evidence.get("code"), f.present) for f in found] == [(Condition.SYMPTOM, "faint", False)]
