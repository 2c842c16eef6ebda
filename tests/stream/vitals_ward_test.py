"""Readings through the Ward, over real CGM: order, duplicates and restarts change nothing; what is old, silent or another's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.reading import Flag, ReadingKind
from stream.batch import Repeated
from stream.command import AssignmentChanged, LimitsChanged, SymptomReport
from stream.finding import Condition
from stream.glucose import LEVELS
from stream.log_history import LogHistory
from stream.log_runner import hand_over
from stream.ward import Ward
from tests.stream.cgm import every, reading, readings, series
from tests.stream.logs import Log, assigned, judge, judged_set, story
from tests.stream.shard import T0

FEW = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
DAY = timedelta(days=1)
CGM = assigned(device="cgm1", patient="ada")


@pytest.fixture(scope="module")
def rows(records):
    """A day and a half of somebody with lows, highs, falls and rises."""
    real = series(records)["dexcom_010"][1600:2000]
    return [(T0 + (at - real[0][0]), value) for at, value in real]


def live(events, *first, at=lambda one: one.received_at, quiet_s=10) -> Log:
    """A position for each event, as it is heard; and some seconds of nothing."""
    log = Log()
    log.add(T0 - timedelta(minutes=1), CGM, *first)
    for one in sorted(events, key=lambda e: (at(e), getattr(e, "seq", 0))):
        log.add(at(one), one)
    return quiet(log, quiet_s)


def quiet(log: Log, seconds: int) -> Log:
    """Ticks without an event."""
    end = log.batches[-1].tick
    for n in range(seconds):
        log.add(end + timedelta(seconds=n + 1))
    return log


def of(findings, *conditions):
    newest = {f.episode: f for f in findings if not conditions or f.condition in conditions}
    return sorted(newest.values(), key=lambda f: (f.onset, f.condition))


@pytest.fixture(scope="module")
def undisturbed(rows):
    told = story(judge(live(readings(rows))))
    assert {row[1] for row in told} >= {
        *LEVELS,
        Condition.GLUCOSE_PREDICTED_LOW,
        Condition.GLUCOSE_FALL,
        Condition.GLUCOSE_RISE,
    }
    return told


@FEW
@given(st.lists(st.integers(0, 1), min_size=400, max_size=400), st.sets(st.integers(1, 400)))
def test_order_changes_nothing_while_holes_are_filled_and_duplicates_never_do(rows, undisturbed, delays, again):
    """Each reading may come with the next one instead of at its time: overtaken, in one batch, or both."""
    log = Log()
    log.add(T0 - timedelta(minutes=1), CGM)
    waiting = []
    for one, delay in zip(readings(rows), delays, strict=True):
        now, waiting = [*([] if delay else [one]), *waiting], [one] if delay else []
        if one.seq in again:
            now.append(Repeated(device="cgm1", stream="cgm", first=one.seq - delay, last=one.seq - delay))
        log.add(one.at, *now)
    log.add(rows[-1][0] + timedelta(seconds=1), *waiting)
    assert story(judge(quiet(log, 10))) == undisturbed


@FEW
@given(st.sets(st.integers(1, 410), max_size=6))
def test_restarts_change_nothing(rows, positions):
    log = live(readings(rows), LimitsChanged(patient="ada", plan_version=1, limits={"glucose_low_mg_dl": 75.0}))
    assert judge(log, restart_at=positions) == judge(log)


def test_a_memory_in_any_order_gives_the_events_that_order_gives(rows):
    known = readings(rows[:120])
    usual = judged_set(judge(live(known)))
    log = Log()
    log.add(T0, CGM)
    # The newest first, as many meters send: seq as sent, all of it heard long after it was measured.
    for seq, (at, value) in enumerate(reversed(rows[:120]), 1):
        log.add(T0 + DAY + timedelta(seconds=seq / 10), reading(seq, at, value, received_at=T0 + DAY))
    assert judged_set(judge(quiet(log, 10))) == usual


def test_old_data_that_shows_its_own_end_never_sounds_and_old_data_that_ends_low_does():
    low = every(5, [110] * 4 + [50] * 6 + [110] * 4)
    for rows, is_present in ((low, False), (low[:8], True)):
        log = Log()
        log.add(T0, CGM)
        for seq, (at, value) in enumerate(rows, 1):
            log.add(T0 + DAY + timedelta(seconds=seq / 10), reading(seq, at, value, received_at=T0 + DAY))
        found = [f for f in judge(quiet(log, 10)) if f.condition is Condition.GLUCOSE_VERY_LOW]
        assert [f.present for f in found] == [is_present]
        assert [f.late for f in found] == [not is_present]


def test_what_was_told_live_is_not_past_when_a_gap_ends_it():
    rows = [*every(5, [50] * 6), *every(5, [110] * 3, T0 + timedelta(hours=3))]
    told = of(judge(live(readings(rows))), Condition.GLUCOSE_VERY_LOW)
    assert [(f.present, f.late, f.end) for f in told] == [(False, False, T0 + timedelta(minutes=25))]


# --- Older than the ring: the past pass --------------------------------------------------------------------------------


def test_readings_older_than_the_ring_are_judged_over_the_archive_and_join_what_was_told():
    before = every(5, [110] * 6 + [60] * 6)
    missing = every(5, [60] * 4 + [45] * 4 + [60] * 4, T0 + timedelta(minutes=60))
    after = every(5, [60] * 6 + [110] * 200, T0 + timedelta(minutes=120))
    now = readings([*before, *after])
    log = live(now, quiet_s=0)
    told = of(judge(log), Condition.GLUCOSE_LOW, Condition.GLUCOSE_VERY_LOW)
    assert [(f.onset - T0).total_seconds() / 60 for f in told] == [30, 120]  # the gap made two of it
    late = log.batches[-1].tick + timedelta(minutes=1)
    again = [reading(len(now) + n, at, value, received_at=late) for n, (at, value) in enumerate(missing, 1)]
    log.add(late, *again)
    found = judge(quiet(log, 10))
    passed = of(found, Condition.GLUCOSE_VERY_LOW)
    assert [((f.onset - T0).total_seconds() / 60, (f.end - T0).total_seconds() / 60, f.late) for f in passed] == [
        (80, 100, True)
    ]
    lows = of(found, Condition.GLUCOSE_LOW)
    assert lows[0].episode == told[0].episode
    assert lows[0].end >= T0 + timedelta(minutes=145)
    assert judge(quiet(log, 20)) == found


def test_a_pressure_reading_older_than_the_ring_is_judged_over_the_archive():
    cuff = assigned(device="cuff1", patient="ada")

    def pressure(seq, at, systolic):
        return reading(
            seq,
            at,
            None,
            kind=ReadingKind.BLOOD_PRESSURE,
            device="cuff1",
            stream="blood_pressure",
            values=(systolic, 80.0, None, 70.0),
        )

    log, day = Log(), T0
    log.add(T0, cuff)
    for seq in range(1, 61):
        day = T0 + DAY * seq
        log.add(day, pressure(seq, day, 125.0))
    old = T0 + DAY * 5 + timedelta(hours=6)
    log.add(day + timedelta(hours=1), pressure(61, old, 190.0), pressure(62, old + timedelta(minutes=5), 192.0))
    found = of(judge(quiet(log, 10)), Condition.BP_CRISIS)
    assert [(f.onset, f.end, f.late) for f in found] == [(old, T0 + DAY * 6, True)]


# --- Sensors ------------------------------------------------------------------------------------------------------------


def test_a_sensor_that_falls_silent_is_said_once_and_taken_back_and_not_when_the_stream_was_away():
    log = live(readings(every(5, [110] * 3)), quiet_s=1900)
    back = log.batches[-1].tick + timedelta(seconds=1)
    log.add(back, reading(4, back, 110.0))
    found = [f for f in judge(log) if f.condition is Condition.SENSOR_SIGNAL_LOSS]
    assert [f.present for f in found] == [True, False]
    assert found[0].kind == "technical"
    away = live(readings(every(5, [110] * 3)), quiet_s=1)
    away.add(T0 + timedelta(hours=3))
    assert not [f for f in judge(quiet(away, 20)) if f.condition is Condition.SENSOR_SIGNAL_LOSS]


def test_a_new_sensor_ends_what_the_old_one_said_last():
    old = readings(every(5, [50] * 6))
    new = readings(every(5, [110] * 8, T0 + timedelta(hours=2)), device="cgm2")
    expired = reading(7, T0 + timedelta(minutes=30), None, Flag.SENSOR_EXPIRED)
    found = judge(live([*old, expired, *new], assigned(device="cgm2", patient="ada")))
    assert {f.condition: f.present for f in of(found)} | {} == {
        Condition.GLUCOSE_VERY_LOW: False,
        Condition.GLUCOSE_LOW: False,
        Condition.SENSOR_EXPIRED: False,
    }


def test_a_finger_stick_beside_a_sensor_disturbs_nothing():
    sensor = readings(every(5, [65] * 6))
    stick = reading(1, T0 + timedelta(minutes=12), 110.0, device="meter1", stream="glucose")
    found = judge(live([*sensor, stick], assigned(device="meter1", patient="ada")))
    assert [f.condition for f in of(found)] == [Condition.GLUCOSE_LOW]


# --- Whose, by which limits, and what is felt ----------------------------------------------------------------------------


def test_a_corrected_assignment_withdraws_glucose_from_one_and_judges_the_other(rows):
    log = live(readings(rows[:300]), quiet_s=0)
    mine = of(judge(log))
    end = log.batches[-1].tick + timedelta(seconds=1)
    log.add(end, AssignmentChanged(device="cgm1", slot=None, patient="bob", from_at=T0 - DAY))
    told = of(judge(quiet(log, 10)))
    ada, bob = ([f for f in told if f.subject == name] for name in ("ada", "bob"))
    assert {f.withdrawn for f in ada} == {"wrong_person"}
    assert [(f.condition, f.onset, f.end) for f in bob] == [(f.condition, f.onset, f.end) for f in mine]


def test_new_limits_judge_the_ring_anew():
    log = live(readings(every(5, [75] * 6)), quiet_s=0)
    assert judge(log) == []
    log.add(log.batches[-1].tick, LimitsChanged(patient="ada", plan_version=2, limits={"glucose_low_mg_dl": 80.0}))
    (found,) = judge(log)
    assert (found.condition, found.onset, found.present) == (Condition.GLUCOSE_LOW, T0, True)


def test_a_symptom_stands_until_fine_or_for_its_time():
    log = Log()
    log.add(T0, SymptomReport(patient="ada", at=T0, symptoms=("chest_pain", "faint")))
    log.add(T0 + timedelta(minutes=5), SymptomReport(patient="ada", at=T0 + timedelta(minutes=5), symptoms=("fine",)))
    log.add(
        T0 + timedelta(hours=1), SymptomReport(patient="ada", at=T0 + timedelta(hours=1), symptoms=("palpitations",))
    )
    for n in range(1, 4 * 3600 + 5):
        log.add(T0 + timedelta(hours=1, seconds=n))
    told = {f.evidence["code"]: (f.present, f.end, f.late) for f in of(judge(log))}
    assert told == {
        "chest_pain": (False, T0 + timedelta(minutes=5), False),
        "faint": (False, T0 + timedelta(minutes=5), False),
        "palpitations": (False, T0 + timedelta(hours=5), False),
    }


def test_what_is_saved_of_a_patient_with_a_sensor_stays_small(rows):
    log, history = live(readings(rows)), LogHistory()
    ward = Ward(history)
    for batch in log.batches:
        history.add(batch)
        ward.observe(batch)
    ward = hand_over(ward, log.batches, len(log.batches), history)
    (chart,) = ward.save(len(log.batches), range(30))
    assert len(chart.state) < 32_000
