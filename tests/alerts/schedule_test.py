"""Who is on call: local hours of the week, nights, holidays and summer time, against a count of every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.schedule import (
    OnCall,
    Schedule,
    ScheduleRefused,
    Shift,
    SpecialDay,
    Weekday,
    WeeklyShift,
    check_schedule,
    holes,
    told,
)

BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
LIN, WU = (OnCall(person=who, channel="webhook", address=who) for who in ("lin", "wu"))
WORKDAYS = tuple(Weekday)[:5]
TODAY = date(2026, 3, 16)


def shift(start: str, end: str, *who: OnCall) -> Shift:
    return Shift(start=time.fromisoformat(start), end=time.fromisoformat(end), to=who or (LIN,))


def weekly(start: str, end: str, *days: Weekday, who: OnCall = LIN) -> WeeklyShift:
    return WeeklyShift(days=days or tuple(Weekday), shift=shift(start, end, who))


def made(*week: WeeklyShift, zone: str = BERLIN, exceptions: tuple[SpecialDay, ...] = ()) -> Schedule:
    return Schedule(name="practice", zone=zone, week=week, exceptions=exceptions)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


times = st.builds(time, hour=st.integers(0, 23), minute=st.sampled_from((0, 1, 30, 59)))
shifts = st.builds(Shift, start=times, end=times, to=st.sampled_from(((LIN,), (WU,), (LIN, WU))))
weeklies = st.builds(WeeklyShift, days=st.sets(st.sampled_from(Weekday), min_size=1).map(tuple), shift=shifts)
whole = [weekly("08:00", "20:00"), weekly("20:00", "08:00", who=WU)]
weeks = st.one_of(
    st.lists(weeklies, max_size=6),
    # Nearly whole: a week of day and night, less one shift of one day.
    st.sampled_from(Weekday).map(lambda gone: [whole[0], weekly("20:00", "08:00", *(set(Weekday) - {gone}))]),
    st.lists(weeklies, max_size=3).map(lambda more: [*whole, *more]),
)  # fmt: skip
exceptions = st.lists(
    st.builds(SpecialDay, on=st.integers(0, 20).map(lambda ahead: TODAY + timedelta(days=ahead)),
              shifts=st.lists(shifts, max_size=2).map(tuple)),
    max_size=2, unique_by=lambda one: one.on,
)  # fmt: skip


def minutes(first: datetime, days: int) -> list[datetime]:
    return [first + timedelta(minutes=minute) for minute in range(days * 1440)]


@settings(max_examples=30, deadline=None)
@given(weeks, st.sampled_from(ZONES))
def test_there_is_no_hole_if_and_only_if_somebody_is_on_call_at_every_minute_of_the_week(
    week: list[WeeklyShift], zone: str
) -> None:
    schedule = made(*week, zone=zone)
    found = holes([schedule], TODAY)
    ordinary = [schedule.on_call(minute) for minute in minutes(datetime(2026, 1, 11, tzinfo=UTC), 7)]
    assert all(ordinary) == (not found)
    assert ordinary.count(()) == sum(one.last - one.first for one in found)


@settings(max_examples=20, deadline=None)
@given(weeks, exceptions, st.sampled_from(ZONES))
def test_with_holidays_and_a_change_of_the_clock_too(
    week: list[WeeklyShift], special: list[SpecialDay], zone: str
) -> None:
    schedule = made(*week, zone=zone, exceptions=tuple(special))
    # Three weeks and more from the first exception on: in Berlin and New York a Sunday of 23 hours is among them.
    empty = {minute for minute in minutes(datetime(2026, 3, 14, tzinfo=UTC), 26) if not schedule.on_call(minute)}
    assert bool(empty) == bool(holes([schedule], TODAY))


@settings(max_examples=20, deadline=None)
@given(weeks, weeks, st.sampled_from(ZONES))
def test_of_two_schedules_one_fills_the_holes_of_the_other_and_only_who_counts_counts(
    one: list[WeeklyShift], other: list[WeeklyShift], zone: str
) -> None:
    both = [made(*one, zone=zone), made(*other, zone=zone)]
    found = holes(both, TODAY, lambda who: who == LIN)
    every = minutes(datetime(2026, 1, 11, tzinfo=UTC), 7)
    assert (not found) == all(any(LIN in schedule.on_call(minute) for schedule in both) for minute in every)


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-11-27T16:59:00+00:00", (LIN,)),  # Friday 17:59 in Berlin: the practice is open for one more minute
        ("2026-11-27T17:00:00+00:00", (WU,)),  # 18:00: the night has begun
        ("2026-11-28T06:59:00+00:00", (WU,)),  # and lasts into Saturday, whose own shifts are none
        ("2026-11-28T07:00:00+00:00", ()),
        ("2026-06-26T16:00:00+00:00", (WU,)),  # in summer 18:00 is two hours from UTC
        ("2026-06-26T15:59:00+00:00", (LIN,)),
    ],
)  # fmt: skip
def test_hours_are_those_of_the_wall_clock(when: str, who: tuple[OnCall, ...]) -> None:
    schedule = made(weekly("08:00", "18:00", *WORKDAYS), weekly("18:00", "08:00", *WORKDAYS, who=WU))
    assert schedule.on_call(at(when)) == who


def test_the_hour_that_comes_twice_and_the_one_that_never_comes() -> None:
    night = made(weekly("20:00", "03:00"), weekly("03:00", "20:00", who=WU))
    both = [night.on_call(at(when)) for when in ("2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00")]
    assert both == [(LIN,), (LIN,)], "half past two comes twice, and belongs to the night both times"
    assert night.on_call(at("2026-03-29T00:59:00+00:00")) == (LIN,)
    assert night.on_call(at("2026-03-29T01:00:00+00:00")) == (WU,), "two o'clock does not come: it is three"


def test_a_hole_in_an_hour_that_does_not_come_is_none() -> None:
    special = SpecialDay(on=date(2026, 3, 29), shifts=(shift("00:00", "02:00"), shift("03:00", "00:00")))
    assert holes([made(weekly("00:00", "00:00"), exceptions=(special,))], TODAY) == ()
    ordinary = SpecialDay(on=date(2026, 4, 5), shifts=special.shifts)
    found = holes([made(weekly("00:00", "02:00"), weekly("02:00", "00:00"), exceptions=(ordinary,))], TODAY)
    assert told(found, BERLIN) == "2026-04-05 02:00-03:00 Europe/Berlin"


def test_a_holiday_stands_in_place_of_its_weekday_and_the_night_before_goes_on_into_it() -> None:
    christmas = SpecialDay(on=date(2026, 12, 25), shifts=(shift("10:00", "12:00", WU),))
    schedule = made(weekly("08:00", "08:00"), exceptions=(christmas,))
    assert schedule.on_call(at("2026-12-25T06:59:00+00:00")) == (LIN,), "Thursday's shift ends at eight"
    assert schedule.on_call(at("2026-12-25T07:00:00+00:00")) == ()
    assert schedule.on_call(at("2026-12-25T09:30:00+00:00")) == (WU,)
    said = told(holes([schedule], TODAY), BERLIN)
    assert said == "2026-12-25 08:00-10:00, 2026-12-25 12:00-24:00, 2026-12-26 00:00-08:00 Europe/Berlin"
    assert holes([schedule], date(2026, 12, 28)) == (), "what is over holds nothing up"


def test_holes_are_said_as_a_person_reads_them() -> None:
    schedule = made(weekly("00:00", "00:00", *WORKDAYS), weekly("08:00", "18:00", Weekday.SAT, Weekday.SUN))
    assert told(holes([schedule], TODAY), BERLIN) == (
        "Saturdays 00:00-08:00, Saturdays 18:00-24:00, Sundays 00:00-08:00, Sundays 18:00-24:00 Europe/Berlin"
    )
    assert told(holes([made(weekly("08:00", "00:00"))], TODAY), BERLIN) == "any day 00:00-08:00 Europe/Berlin"
    assert told(holes([made()], TODAY), BERLIN) == "any day 00:00-24:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (made(weekly("08:00", "18:00"), zone="Europe/Brelin"), "Europe/Brelin"),
        (made(weekly("08:00", "18:00"), zone="../../etc/passwd"), "no IANA time zone"),
        (made(WeeklyShift(days=(), shift=shift("08:00", "18:00"))), "no day"),
        (made(WeeklyShift(days=WORKDAYS, shift=Shift(start=time(8), end=time(9), to=()))), "nobody"),
        (made(WeeklyShift(days=WORKDAYS, shift=shift("08:00:30", "09:00"))), "whole minutes"),
        (made(exceptions=(SpecialDay(on=TODAY), SpecialDay(on=TODAY))), "more than one exception"),
    ],
)
def test_what_cannot_be_read_is_refused(schedule: Schedule, words: str) -> None:
    with pytest.raises(ScheduleRefused, match=words):
        check_schedule(schedule)
