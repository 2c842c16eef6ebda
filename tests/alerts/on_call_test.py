"""Each rung goes to whoever is on call when it is due, by the schedule as it was when the alert was raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import course, escalation, listening
from alerts.alert import StationCondition
from alerts.ladder import Addressee, Role
from alerts.plan import DEFAULT_TEAM, OPERATOR, Plan, frozen, told_at
from alerts.policy import tier_of
from alerts.reaction import unreachable
from alerts.schedule import OnCall, Schedule, Shift, Weekday, WeeklyShift
from stream.finding import Condition
from tests.alerts.desk import START, Desk, HandClock, finding
from tests.alerts.world import World

MINUTE, HOUR = 60, 3600
BERLIN = "Europe/Berlin"  # the stories begin at 08:00 UTC on a Tuesday in November: it is nine in Berlin


def hours(start: str, end: str, who: str, *days: Weekday) -> WeeklyShift:
    to = (OnCall(person=who, channel="webhook", address=who),)
    shift = Shift(start=time.fromisoformat(start), end=time.fromisoformat(end), to=to)
    return WeeklyShift(days=days or tuple(Weekday), shift=shift)


def plan(**on_call: tuple[WeeklyShift, ...]) -> Plan:
    schedules = {Role(role): Schedule(name=role, zone=BERLIN, week=week) for role, week in on_call.items()}
    team = tuple(one for one in DEFAULT_TEAM if one.role not in schedules)
    return Plan(patient="ada", team=team, on_call=schedules)


DAY_AND_NIGHT = (hours("08:00", "10:00", "lin"), hours("10:00", "08:00", "wu"))


def test_a_rung_goes_to_who_is_on_call_when_it_is_due_not_when_it_was_raised() -> None:
    story = World(plan=plan(doctor=DAY_AND_NIGHT))
    story.at("08:50:00").says(finding(Condition.BRADY))
    story.at("09:30:00")
    assert story.at_s("lin") == [50 * MINUTE]
    assert story.at_s("wu") == [65 * MINUTE]  # a quarter of an hour later it is past ten in Berlin


def test_a_plan_or_schedule_that_changes_at_night_changes_no_alert_that_sounds() -> None:
    story = World(plan=plan(doctor=DAY_AND_NIGHT))
    story.at("08:50:00").says(finding(Condition.BRADY))
    story.plan = plan(doctor=(hours("00:00", "00:00", "new"),))
    story.at("09:30:00")
    assert story.at_s("wu") == [65 * MINUTE]
    assert story.told("new") == []


def test_nobody_on_call_is_the_operator_s_and_is_said_never_silence() -> None:
    story = World(plan=plan(doctor=(hours("08:00", "10:00", "lin"),), operator=(hours("00:00", "00:00", "ops"),)))
    changes = story.at("09:01:00").says(finding(Condition.BRADY))
    assert {notice.to.person for notice in story.notices.values()} == {"operator", "ops"}
    (said,) = unreachable(changes)
    assert said.condition == StationCondition.UNREACHABLE
    assert "doctor" in str(said.evidence["reason"])


def test_nobody_on_call_is_said_again_on_another_day_though_the_first_was_seen_to() -> None:
    nobody = plan(doctor=(hours("08:00", "10:00", "lin"),))
    days = [START + timedelta(hours=2, days=n) for n in range(2)]
    said = []
    for number, now in enumerate(days):
        story = World(plan=nobody, now=now)
        said += unreachable(story.says(finding(Condition.BRADY, at=now, opened=f"s|{number}")))
    assert len({one.episode for one in said}) == 2


def test_who_is_named_in_the_plan_is_told_beside_who_is_on_call_and_once() -> None:
    own = Addressee(person="lin", channel="webhook", address="lin", role=Role.DOCTOR)
    both = plan(doctor=DAY_AND_NIGHT)
    story = World(plan=replace(both, team=(*both.team, own)))
    story.at("08:00:00").says(finding(Condition.BRADY))
    assert [notice.to.person for notice in story.notices.values()] == ["lin"]
    story.at("09:20:00").says(finding(Condition.TACHY))
    assert {n.to.person for n in story.notices.values() if n.alert == story.alert("tachy").alert} == {"lin", "wu"}


@given(st.integers(0, 72 * 60), st.lists(st.integers(1, 600), max_size=8))
def test_taken_late_or_in_time_it_tells_the_same_people_under_the_same_ids(begin: int, sleeps: list[int]) -> None:
    agreed = plan(doctor=DAY_AND_NIGHT, practice=(hours("18:00", "22:00", "house"),))
    now = START + timedelta(minutes=begin)
    found = finding(Condition.BRADY, at=now)
    raised = escalation.timed(course.raised(found, tier_of(found, agreed), agreed, now).alert)
    end = now + timedelta(minutes=110)  # within one cycle: slept through, cycles are skipped
    timely, alert = set(), raised
    while alert.next_due_at is not None and alert.next_due_at <= end:
        change = escalation.due(alert, alert.next_due_at)
        alert = change.alert
        timely |= {(n.notice, n.to) for n in change.notices}
    late, alert = set(), raised
    for sleep in [*sleeps, 10**6]:
        now = min(now + timedelta(seconds=sleep * 30), end)
        change = escalation.due(alert, now)
        alert = change.alert
        late |= {(n.notice, n.to) for n in change.notices}
    assert late <= timely, "who was told this very moment is not told twice; nobody is told under another id"
    assert {to for _, to in late} == {to for _, to in timely}


@given(st.integers(0, 365 * 24).map(lambda hour: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)))
def test_no_rung_of_any_ladder_tells_nobody_at_any_hour(at: datetime) -> None:
    nobody = {role: Schedule(name=role, zone=BERLIN, week=()) for role in Role if role is not Role.OPERATOR}
    for ladder in frozen(Plan(patient="ada", team=(), on_call=nobody)).values():
        for rung in ladder.rungs:
            told = told_at(ladder, rung, at)
            assert OPERATOR in told.to


@pytest.mark.parametrize("role", [Role.DOCTOR])
def test_the_database_keeps_the_schedule_with_the_alert(desk: Desk, clock: HandClock, role: Role) -> None:
    agreed = plan(doctor=DAY_AND_NIGHT)
    found = finding(Condition.BRADY)
    change = escalation.timed(course.raised(found, tier_of(found, agreed), agreed, clock.now()).alert)
    made = course.raised(found, tier_of(found, agreed), agreed, clock.now())
    with desk.conn.transaction():
        listening.register.save(desk.conn, [replace(made, alert=change)])
        kept = listening.register.situation(desk.conn, "ada").alerts[change.alert]
    assert kept.running.schedules[role] == agreed.on_call[role]
