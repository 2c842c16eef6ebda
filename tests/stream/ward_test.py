"""The Ward's properties over real ECG: chunking, batching, order and restarts change nothing; late data is judged too."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.reading import Abandoned, Deferred
from stream import judge as judging
from stream.command import AssignmentChanged, LimitsChanged
from stream.finding import Condition
from stream.log_history import LogHistory
from stream.statement import opened
from stream.ward import Ward, in_order
from tests.stream.logs import Log, assigned, in_time, judge, later, split, story
from tests.stream.shard import T0

RATE = 250.0
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@cache
def excerpt(folder: Path, record: str, first_s: float, last_s: float) -> np.ndarray:
    from stream.recording import open_record

    recording = open_record(folder / record)
    assert recording.rate_hz == RATE
    return recording.leads[0].samples[int(first_s * RATE) : int(last_s * RATE)]


@pytest.fixture(scope="module")
def vf(records) -> np.ndarray:
    """Half a minute of rhythm, then ventricular fibrillation to the end."""
    return excerpt(records, "cudb/cu01", 180, 250)


@pytest.fixture(scope="module")
def undisturbed(vf) -> list[tuple]:
    told = story(judge(in_time(split(vf, RATE, [250]), 80, first=(assigned(),))))
    assert any(row[1] is Condition.VF for row in told)
    return told


@FEW
@given(sizes=st.lists(st.integers(10, 2000), min_size=1, max_size=5), step_s=st.sampled_from([0.25, 0.5, 1.0]))
def test_chunking_and_batching_change_nothing(vf, undisturbed, sizes, step_s):
    log = in_time(split(vf, RATE, sizes), 80, step_s, first=(assigned(),))
    assert story(judge(log)) == undisturbed


@FEW
@given(st.data())
def test_order_changes_nothing_while_every_hole_is_filled_before_it_closes(vf, undisturbed, data):
    chunks = split(vf, RATE, [125])
    delays = data.draw(st.lists(st.floats(0, 4), min_size=len(chunks), max_size=len(chunks)))
    log = in_time([later(c, d) for c, d in zip(chunks, delays, strict=True)], 84, 0.5, first=(assigned(),))
    assert story(judge(log)) == undisturbed


@FEW
@given(st.sets(st.integers(1, 75), max_size=12))
def test_restarts_change_nothing_also_with_data_held_beyond_a_hole(vf, positions):
    chunks = split(vf, RATE, [250])
    chunks[40:43] = [later(c, 4) for c in chunks[40:43]]
    log = in_time(chunks, 80, first=(assigned(),))
    assert judge(log, restart_at=positions) == judge(log)


def test_restart_at_every_single_position(vf):
    chunks = split(vf, RATE, [250])
    chunks[30] = later(chunks[30], 3)
    log = in_time(chunks, 76, first=(assigned(),))
    assert judge(log, restart_at=set(range(1, 80))) == judge(log)


def test_an_hour_offline_with_vf_that_ended_is_a_past_emergency(records):
    calm = excerpt(records, "cudb/cu01", 0, 150)
    ill = excerpt(records, "cudb/cu01", 180, 250)
    signal = np.concatenate([calm[: 20 * 250], ill, calm])
    chunks = split(signal, RATE, [250])
    log, tick = Log(), T0
    log.add(tick, assigned())
    for second in range(20):
        tick = T0 + timedelta(seconds=second + 1)
        log.add(tick, chunks[second])
    back = T0 + timedelta(hours=1)
    log.add(back, Deferred(device="ecg1", stream="ecg/I", first=21, last=len(chunks)))
    for n in range(0, len(chunks) - 20, 10):
        log.add(back + timedelta(seconds=n // 10), *chunks[20 + n : 30 + n])
    for n in range(60):
        log.add(back + timedelta(seconds=40 + n))
    found = [f for f in judge(log) if f.condition is Condition.VF]
    assert found
    assert all(f.late and not f.present for f in found)


def test_vf_as_the_last_thing_heard_is_never_past(vf):
    chunks = split(vf, RATE, [250])
    log, back = Log(), T0 + timedelta(hours=1)
    log.add(T0, assigned())
    log.add(back, Deferred(device="ecg1", stream="ecg/I", first=1, last=len(chunks)))
    for n in range(0, len(chunks), 10):
        log.add(back + timedelta(seconds=1 + n // 10), *chunks[n : n + 10])
    for n in range(60):
        log.add(back + timedelta(seconds=20 + n))
    found = [f for f in judge(log) if f.condition is Condition.VF]
    assert [f.present for f in found][-1:] == [True]
    assert not any(f.late for f in found)


def test_a_minute_of_lost_network_marks_nothing_past(vf, undisturbed):
    chunks = split(vf, RATE, [250])
    chunks[10:] = [later(c, max(70 - c.seq, 0)) for c in chunks[10:]]
    found = judge(in_time(chunks, 145, first=(assigned(),)))
    assert not any(f.late for f in found)
    assert [row for row in story(found) if row[1] is Condition.VF] == [
        row for row in undisturbed if row[1] is Condition.VF
    ]


def test_a_hole_that_was_given_up_is_not_waited_for(vf):
    chunks = split(vf, RATE, [250])
    gone = Abandoned(device="ecg1", stream="ecg/I", first=6, last=8, reason="disk_full")
    log = Log()
    log.add(T0, assigned())
    log.add(T0 + timedelta(seconds=10), *chunks[:5], *chunks[8:10], gone)
    ward = Ward(LogHistory())
    for batch in log.batches:
        ward.observe(batch)
    (lane,) = next(h for h in ward.households.values() if h.lanes).lanes.values()
    assert lane.chart.next_seq == 11
    assert lane.chart.judged_live == ((1, 5), (9, 10))


def test_a_corrected_assignment_withdraws_from_one_and_judges_the_other(vf):
    log = in_time(split(vf, RATE, [250]), 72, first=(assigned(patient="ada"),))
    end = log.batches[-1].tick
    change = AssignmentChanged(device="ecg1", slot=None, patient="bob", from_at=T0 - timedelta(days=1))
    log.add(end + timedelta(seconds=1), change)
    for n in range(40):
        log.add(end + timedelta(seconds=2 + n))
    newest = {f.episode: f for f in judge(log) if f.condition is Condition.VF}
    by_subject = {f.subject: f for f in newest.values()}
    assert by_subject["ada"].withdrawn == "wrong_person"
    assert by_subject["bob"].present
    assert by_subject["bob"].onset == by_subject["ada"].onset


def test_who_makes_the_detector_raise_is_benched_and_nobody_else(vf, monkeypatch):
    patients = [f"p{n}" for n in range(5)]
    log = Log()
    log.add(T0, *(assigned(device=f"d{n}", patient=p) for n, p in enumerate(patients)))
    lanes = [split(vf, RATE, [250], device=f"d{n}") for n in range(5)]
    for second in range(len(lanes[0])):
        log.add(T0 + timedelta(seconds=second + 1), *(lane[second] for lane in lanes))
    real = judging.ecg_statements.silence

    def fails(lane, limits, moment):
        if lane.chart.patient == "p3" and lane.chart.next_index > 5000:
            raise ZeroDivisionError("in a detector")
        return real(lane, limits, moment)

    expected = {row for row in story(judge(log)) if row[0] != "p3"}
    monkeypatch.setattr(judging.ecg_statements, "silence", fails)
    told = story(judge(log))
    assert {row for row in told if row[0] != "p3"} == expected
    assert [row[1] for row in told if row[0] == "p3"] == [Condition.DETECTOR_FAILED]


def test_silence_is_said_and_taken_back_but_not_when_the_stream_itself_was_away(vf):
    chunks = split(vf, RATE, [250])
    log = in_time(chunks[:20], 100, first=(assigned(),))
    log.add(T0 + timedelta(seconds=101), *chunks[20:22])
    found = [f for f in judge(log) if f.condition is Condition.NO_DATA]
    assert [f.present for f in found] == [True, False]
    away = in_time(chunks[:20], 20, first=(assigned(),))
    away.add(T0 + timedelta(seconds=900))
    away.add(T0 + timedelta(seconds=901), *chunks[20:22])
    assert not [f for f in judge(away) if f.condition is Condition.NO_DATA]


def test_a_patients_own_limits_of_rate_are_judged_by_from_the_moment_they_change():
    from device_sims.synthetic import Rhythm, synthesise

    heart = synthesise(((Rhythm.SINUS, 120.0),), RATE, 3)
    rate_bpm = 60 * (len(heart.beats) - 1) / (heart.beats[-1].at_s - heart.beats[0].at_s)
    chunks = split(heart.samples, RATE, [250])
    log = in_time(chunks[:60], 60, first=(assigned(),))
    assert not [f for f in judge(log) if f.condition is Condition.TACHY]
    log.add(
        T0 + timedelta(seconds=60.5), LimitsChanged(patient="ada", plan_version=2, limits={"tachy_bpm": rate_bpm - 20})
    )
    for n, chunk in enumerate(chunks[60:]):
        log.add(T0 + timedelta(seconds=61 + n), chunk)
    fast = [f for f in judge(log) if f.condition is Condition.TACHY]
    assert [f.present for f in fast][:1] == [True]
    assert fast[0].at > T0 + timedelta(seconds=60)


def test_of_one_position_the_episode_that_was_decided_first_is_told_first() -> None:
    """By its text, sample 10000 comes before sample 9000; an alert has its id of the first that it hears of."""
    early, late = (
        opened("ada", Condition.PAUSE, stream="ecg/I", opened_at=f"s:{index}", onset_us=index, at_us=index, evidence={})
        for index in (9_000, 10_000)
    )
    assert in_order([late, early]) == [early, late]
