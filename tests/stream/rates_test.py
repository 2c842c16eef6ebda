"""The course of heart rates: a row a minute, of beats that can be trusted, whole after a restart and after late data."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from stream.command import AssignmentChanged
from stream.ecg.marks import MARK, Mark, Quality
from stream.instants import SECOND
from stream.rates import Rates
from tests.api.served import beats
from tests.stream.shard import T0, Shard, chunk

RATE_HZ = 250.0
KEY = ("gw1", "e1", "ecg1", "ecg/I")


def feed(*, patient="ada", key=KEY):
    row = SimpleNamespace(
        lane=SimpleNamespace(key=key), patient=patient, time_of=lambda index: round(index * SECOND / RATE_HZ)
    )
    return SimpleNamespace(rows=[row])


def marks(*told):
    made = np.zeros(len(told), MARK)
    for one, (kind, at_s, value) in zip(made, told, strict=True):
        one["kind"], one["index"], one["value"] = kind, round(at_s * RATE_HZ), value
    return made


def told_of(*words, tick_s=100.0):
    rates = Rates()
    rates.take(feed(), marks(*words))
    return rates.due(round(tick_s * SECOND))


def steady(bpm, first_s, last_s):
    return [(Mark.BEAT, at_s, 60 / bpm) for at_s in np.arange(first_s, last_s, 60 / bpm)]


def test_a_minute_is_told_once_when_it_is_over_and_keeps_its_extremes():
    rates = Rates()
    rates.take(feed(), marks(*steady(60, 0, 40), *steady(120, 40, 60)))
    assert rates.due(69 * SECOND) == []
    (minute,) = rates.due(71 * SECOND)
    assert rates.due(200 * SECOND) == []
    assert (minute.patient, minute.device, minute.stream, minute.beats) == ("ada", "ecg1", "ecg/I", 80)
    assert minute.rate_bpm == pytest.approx(80.0)
    assert (minute.low_bpm, minute.high_bpm) == pytest.approx((60.0, 120.0))


def test_beats_in_noise_are_no_rate():
    assert told_of((Mark.QUALITY, 0, Quality.BAD), *steady(200, 1, 60)) == []
    (minute,) = told_of(
        *steady(60, 0, 30), (Mark.QUALITY, 30, Quality.BAD), *steady(200, 30, 50), (Mark.QUALITY, 50, Quality.GOOD),
        *steady(60, 50, 60),
    )  # fmt: skip
    assert minute.high_bpm == pytest.approx(60.0)


def test_no_interval_is_counted_across_a_gap_and_few_are_no_rate():
    assert told_of((Mark.BEAT, 1, 1.0), (Mark.BEAT, 2, 1.0)) == []
    (minute,) = told_of(*steady(60, 0, 3), (Mark.BEAT, 20, 0.0), *steady(120, 20, 22))
    assert minute.beats == 7
    assert minute.high_bpm == minute.low_bpm == minute.rate_bpm  # nowhere five in a row


@pytest.fixture
def shard(dsn):
    made = Shard(dsn)
    yield made
    made.conn.close()


WAVE = beats(400, RATE_HZ).tobytes()


def second_of_ecg(second):
    size = int(RATE_HZ) * 2
    at = T0 + timedelta(seconds=second + 1)
    return chunk(second + 1, second, WAVE[second * size : (second + 1) * size], received_at=at)


def play(shard, first_s, end_s, lost=range(0)):
    for second in range(first_s, end_s):
        if second not in lost:
            shard.send(second_of_ecg(second))
        shard.step()


def course(shard):
    return shard.rows("SELECT at, beats, rate_bpm, patient FROM stream.rate ORDER BY at")


def test_what_the_detector_counts_is_stored_each_minute_and_survives_a_restart_and_a_correction(shard):
    shard.assign("ecg1", "ada")
    play(shard, 0, 100)
    shard.restart()
    play(shard, 100, 200)
    shard.step(times=20)
    minutes = course(shard)
    assert len(minutes) == 3
    assert [round(row[2]) for row in minutes[1:]] == [72, 72]
    assert minutes[2][1] >= 65  # the last one whole
    assert {row[3] for row in minutes} == {"ada"}
    assert shard.rows("SELECT * FROM stream.last_rate('ada')")[0][1] == pytest.approx(72, abs=1)
    shard.tell(AssignmentChanged(device="ecg1", slot=None, patient="bob", from_at=T0))
    shard.step()
    assert {row[3] for row in course(shard)} == {"bob"}


def test_minutes_that_came_late_are_counted_then_and_whole_ones_stay(shard):
    shard.assign("ecg1", "ada")
    play(shard, 0, 200, lost=range(60, 120))
    assert [row[0].minute for row in course(shard)] == [0, 2]
    before = course(shard)[0]
    shard.send(*(second_of_ecg(second) for second in range(60, 120)))
    shard.step(times=60)
    minutes = course(shard)
    assert [row[0].minute for row in minutes] == [0, 1, 2, 3]
    assert minutes[0] == before
    assert minutes[1][1] >= 65
