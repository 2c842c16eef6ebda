"""Scheduled measurements: when they are due by the wall clock of the patient, when one is missed, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import DeviceId, Reading, ReadingKind, StreamName
from stream.command import LimitsChanged, Timetable
from stream.finding import Condition
from stream.instants import instant, micros
from stream.timetable import GRACE_US, after
from tests.stream.logs import Log, assigned, judge
from tests.stream.shard import T0

BERLIN = Timetable(times=("07:00", "19:00"), zone="Europe/Berlin", tolerance_s=3600.0)
"""T0 is 09:00 there: the first is at 19:00, missed from 20:00 on."""
FIRST_S, DAY_S = 10 * 3600, 86_400
GRACE_S = GRACE_US // 1_000_000
ZONES = ("Europe/Berlin", "Asia/Shanghai", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
TIMES = st.lists(st.times().map(lambda t: t.strftime("%H:%M")), min_size=1, max_size=4, unique=True)
INSTANTS = st.integers(0, 10 * 366 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(TIMES, st.sampled_from(ZONES), INSTANTS)
def test_the_next_time_is_the_first_of_them_after_now_on_the_patients_own_clock(times, zone, now):
    table = Timetable(times=tuple(times), zone=zone)
    due_us = after(table, micros(now))
    assert now < instant(due_us) <= now + timedelta(days=2)
    local = instant(due_us).astimezone(ZoneInfo(zone))
    gap = timedelta(hours=1, minutes=1)  # where the clock skips an hour, the time of day is the hour's after
    days = [datetime.combine(local.date(), datetime.min.time())]
    said = [days[0] + timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in times]
    assert min(abs(local.replace(tzinfo=None) - one) for one in said) < gap


@given(TIMES, st.sampled_from(ZONES), INSTANTS)
def test_a_week_has_seven_of_each(times, zone, now):
    table = Timetable(times=tuple(times), zone=zone)
    walk = [micros(now)]
    for _ in range(7 * len(times)):
        walk.append(after(table, walk[-1]))
    assert all(a < b for a, b in pairwise(walk))
    assert timedelta(days=6) < instant(walk[-1]) - now < timedelta(days=8, hours=2)


def plan(times: Timetable | None, version: int = 1) -> LimitsChanged:
    return LimitsChanged(patient="ada", plan_version=version, pressure_times=times)  # type: ignore[arg-type]


def measured(second: float, seq: int, heard_s: float | None = None) -> tuple[float, Reading]:
    at = T0 + timedelta(seconds=second)
    heard = at if heard_s is None else T0 + timedelta(seconds=heard_s)
    one = Reading(
        device=DeviceId("cuff1"), stream=StreamName("blood_pressure"), seq=seq, kind=ReadingKind.BLOOD_PRESSURE, at=at,
        values=(120.0, 80.0, None, 70.0), device_time=at.isoformat(), received_at=heard,
    )  # fmt: skip
    return (second if heard_s is None else heard_s), one


def told(*rows: tuple[float, object], until_s: int, times: Timetable | None = BERLIN, restart_s: tuple[int, ...] = ()):
    """(condition, present, second) of what is said; a position each 2 s, so that all of it is listened to."""
    log = Log()
    log.add(T0, assigned("cuff1"), plan(times))
    for second in range(2, until_s + 1, 2):
        log.add(T0 + timedelta(seconds=second), *(one for at_s, one in rows if second - 2 < at_s <= second))
    restarts = {second // 2 + 1 for second in restart_s}
    return [(f.condition, f.present, round((f.at - T0).total_seconds())) for f in judge(log, restart_at=restarts)]


MISSED_S = FIRST_S + 3600 + GRACE_S


def test_one_missed_is_told_to_the_patient_two_to_the_practice_and_a_measurement_ends_both():
    twice_s = MISSED_S + DAY_S // 2
    assert told(measured(twice_s + 1000, 1), until_s=twice_s + 1010) == [
        (Condition.BP_MISSED, True, MISSED_S),
        (Condition.BP_MISSED_REPEATED, True, twice_s),
        (Condition.BP_MISSED, False, twice_s + 1000),
        (Condition.BP_MISSED_REPEATED, False, twice_s + 1000),
    ]


@pytest.mark.parametrize("apart_s", [-3600, 0, 3600])
def test_within_the_tolerance_it_counts(apart_s):
    assert told(measured(FIRST_S + apart_s, 1), until_s=MISSED_S + 10) == []


def test_before_the_tolerance_it_does_not():
    assert told(measured(FIRST_S - 3602, 1), until_s=MISSED_S) == [(Condition.BP_MISSED, True, MISSED_S)]


def test_a_measurement_that_comes_late_but_was_made_in_time_takes_the_reminder_back():
    late = measured(FIRST_S, 1, heard_s=MISSED_S + 500)
    assert told(late, until_s=MISSED_S + 600) == [
        (Condition.BP_MISSED, True, MISSED_S),
        (Condition.BP_MISSED, False, MISSED_S + 500),
    ]


def test_every_further_one_is_said_without_an_end():
    four = Timetable(times=("18:30", "18:45", "19:00", "19:15"), zone="Europe/Berlin", tolerance_s=300.0)
    repeated = [
        second
        for condition, _, second in told(until_s=MISSED_S, times=four)
        if condition is Condition.BP_MISSED_REPEATED
    ]
    assert repeated == [FIRST_S + 300 + GRACE_S + 900 * n for n in (-1, 0, 1)]


def test_a_server_that_was_away_makes_nobody_forgetful():
    log = Log()
    log.add(T0, assigned("cuff1"), plan(BERLIN))
    back = T0 + timedelta(seconds=FIRST_S + 7200)
    for second in range(60):
        log.add(back + timedelta(seconds=second))
    _, one = measured(FIRST_S, 1)
    log.add(back + timedelta(seconds=60), one)
    for second in range(61, 300):
        log.add(back + timedelta(seconds=second))
    assert judge(log) == []


def test_the_hours_that_the_server_was_away_do_not_put_a_deadline_off():
    log = Log()
    log.add(T0, assigned("cuff1"), plan(BERLIN))
    back = T0 + timedelta(seconds=FIRST_S + 7200)
    for second in range(GRACE_S + 10):
        log.add(back + timedelta(seconds=second))
    assert [(f.condition, f.at) for f in judge(log)] == [(Condition.BP_MISSED, back + timedelta(seconds=GRACE_S))]


def test_a_plan_without_times_ends_what_was_told_and_the_same_times_change_nothing():
    rows = [(MISSED_S + 100, plan(BERLIN, 2)), (MISSED_S + 200, plan(None, 3))]
    assert told(*rows, until_s=MISSED_S + 300) == [
        (Condition.BP_MISSED, True, MISSED_S),
        (Condition.BP_MISSED, False, MISSED_S + 200),
    ]


def test_restarts_at_any_moment_change_nothing():
    until_s, back_s = MISSED_S + DAY_S // 2 + 2000, MISSED_S + DAY_S // 2 + 1000
    undisturbed = told(measured(back_s, 1), until_s=until_s)
    assert len(undisturbed) == 4
    restarts = (10, FIRST_S, MISSED_S - 60, MISSED_S - 2, MISSED_S, MISSED_S + DAY_S // 2, back_s)
    assert told(measured(back_s, 1), until_s=until_s, restart_s=restarts) == undisturbed
