"""A plan is in force only if somebody can be told at every hour, by a way that was tried, and each rule can fire."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import plans, schedules
from alerts.alert import Tier
from alerts.ladder import Addressee, LadderName, Role
from alerts.plan import DEFAULT_LADDERS, DEFAULT_TEAM, Plan, PlannedLadder, Step
from alerts.reachability import NEEDS, ORDERED, SPOKEN_FOR, TRIED_FOR, Means, Unreachable, prove
from alerts.schedule import Schedule, ScheduleRefused, SpecialDay, Weekday, WeeklyShift
from stream.finding import Condition
from stream.limits import LIMITS
from tests.alerts.desk import ALL_TRIED, START, TEAM
from tests.alerts.schedule_test import ZONES, weeklies, weekly, weeks

FRESH = Means(
    addresses={"webhook": frozenset({"dispatch"}), "log": None},
    lacking={("webhook", "dispatch"): "it has no secret: tierwatch alert secret dispatch"},
)
"""A first start: an endpoint is named, nothing was tried."""


def problems(plan: Plan, means: Means = ALL_TRIED, now: datetime = START) -> tuple[str, ...]:
    return prove(plan, means, now).problems


def served_by(role: Role, *week: WeeklyShift, zone: str = "Europe/Berlin") -> Plan:
    schedule = Schedule(name=role.value, zone=zone, week=week)
    return Plan(patient="ada", team=tuple(one for one in TEAM if one.role is not role), on_call={role: schedule})


@settings(max_examples=25, deadline=None)
@given(weeks, st.sampled_from(ZONES), st.sampled_from((Role.DOCTOR, Role.PRACTICE, Role.PATIENT, Role.DISPATCH)))
def test_a_plan_is_proved_if_and_only_if_somebody_is_on_call_at_every_minute(
    week: list[WeeklyShift], zone: str, role: Role
) -> None:
    plan = served_by(role, *week, zone=zone)
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    minutes = [begin + timedelta(minutes=minute) for minute in range(7 * 1440)]
    assert (not problems(plan)) == all(plan.on_call[role].on_call(minute) for minute in minutes)


@settings(max_examples=25, deadline=None)
@given(weeks, st.lists(weeklies, max_size=2), st.sampled_from(ZONES))
def test_a_tier_is_proved_if_and_only_if_a_way_that_was_tried_is_on_call_at_every_minute(
    one: list[WeeklyShift], other: list[WeeklyShift], zone: str
) -> None:
    """Two roles share the emergency ladder; only Lin's way was tried."""
    on_call = {
        role: Schedule(name=role.value, zone=zone, week=tuple(week))
        for role, week in ((Role.DISPATCH, one), (Role.DOCTOR, other))
    }
    plan = Plan(patient="ada", team=(), on_call=on_call)
    means = Means(addresses={"webhook": None}, tried={("webhook", "lin"): START})
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    is_told = all(
        any(
            who.person == "lin"
            for schedule in on_call.values()
            for who in schedule.on_call(begin + timedelta(minutes=m))
        )
        for m in range(7 * 1440)
    )
    found = [one for one in problems(plan, means) if one.startswith("emergency: no way")]
    assert (not found) == is_told


def test_a_hole_is_named_with_its_hours() -> None:
    week = weekly("00:00", "00:00", *(day for day in Weekday if day is not Weekday.SAT))
    plan = served_by(Role.DOCTOR, week, weekly("00:00", "18:00", Weekday.SAT))
    assert "doctor: nobody on Saturdays 18:00-24:00 Europe/Berlin" in problems(plan)


def test_a_holiday_on_which_nobody_is_on_call_is_found_months_before() -> None:
    plan = served_by(Role.DOCTOR, weekly("08:00", "08:00"))
    schedule = replace(plan.on_call[Role.DOCTOR], exceptions=(SpecialDay(on=date(2027, 1, 1)),))
    found = problems(replace(plan, on_call={Role.DOCTOR: schedule}))
    assert "doctor: nobody on 2027-01-01 08:00-24:00, 2027-01-02 00:00-08:00 Europe/Berlin" in found


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        # A fresh installation, and a team of the log alone: nobody would know.
        (Plan(patient="ada"), "doctor: no way of telling anybody was tried: the log is nobody's"),
        (Plan(patient="ada"), "dispatch: webhook 'dispatch': it has no secret: tierwatch alert secret dispatch"),
        (Plan(patient="ada"), "try POST /api/v1/channels/webhook/dispatch/test"),
        # Somebody left the team, and their role with them.
        (Plan(patient="ada", team=TEAM[1:]), "dispatch: the care team names nobody, and there is no schedule 'dispatch'"),
        # A slip of the pen in an endpoint's name.
        (Plan(patient="ada", team=(*TEAM, replace(TEAM[0], address="dispach"))), "webhook knows no 'dispach'"),
        (Plan(patient="ada", team=(*TEAM, replace(TEAM[0], channel="fax"))), "there is no channel 'fax'"),
        # A schedule that nobody has written.
        (Plan(patient="ada", team=TEAM, schedules={Role.DOCTOR: "north"}), "doctor: there is no schedule 'north'"),
    ],
)  # fmt: skip
def test_what_does_not_reach_anybody_is_refused_with_the_reason(plan: Plan, words: str) -> None:
    assert any(words in one for one in problems(plan, FRESH)), problems(plan, FRESH)


@pytest.mark.parametrize("tier", Tier)
def test_every_tier_needs_a_way_of_its_own_that_was_tried(tier: Tier) -> None:
    """One way fewer at a time: the ladder that is left without any is named."""
    role = {Tier.TIP: Role.PATIENT, Tier.DOCTOR: Role.DOCTOR, Tier.EMERGENCY: Role.DISPATCH}[tier]
    ladder = PlannedLadder(steps=(Step(after_s=0, roles=(role,)),), repeat_s=60, acknowledgement_s=300)
    plan = Plan(patient="ada", team=TEAM, ladders={LadderName(tier.value): ladder})
    tried = {("webhook", one.address): START for one in TEAM if one.role is not role}
    assert any(one.startswith(f"{tier}: ") for one in problems(plan, Means(addresses={"webhook": None}, tried=tried)))
    assert problems(plan) == ()


def test_a_tip_may_be_only_logged_with_a_warning_and_nothing_graver_may() -> None:
    team = tuple(replace(one, channel="log") if one.role is Role.PATIENT else one for one in TEAM)
    proof = prove(Plan(patient="ada", team=team), ALL_TRIED, START)
    assert proof.problems == ()
    assert any("patient: only logged" in one for one in proof.warnings)


def test_a_trial_of_long_ago_still_counts_and_is_asked_for_again() -> None:
    later = START + TRIED_FOR + timedelta(days=1)
    tried = {("webhook", one.address): START for one in TEAM}
    proof = prove(Plan(patient="ada", team=TEAM), Means(addresses={"webhook": None}, tried=tried), later)
    assert proof.problems == ()
    assert "dispatch: webhook 'dispatch' was tried 31 days ago: try it again" in proof.warnings
    assert prove(Plan(patient="ada", team=TEAM), Means(addresses={"webhook": None}, tried=tried), START).warnings == ()


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        ({"vf": Tier.DOCTOR}, "may raise a tier"),  # it would be ignored, and somebody would believe in it
        ({"pauze": Tier.EMERGENCY}, "no condition 'pauze'"),
        ({"glucose_rise": Tier.DOCTOR}, "raises no alert of its own"),
        ({"no_data": Tier.EMERGENCY}, "is technical"),
        ({"delivery_failing": Tier.DOCTOR}, "is technical"),
    ],
)
def test_a_tier_that_would_be_ignored_is_refused(tiers: dict[str, Tier], words: str) -> None:
    (found,) = problems(Plan(patient="ada", team=TEAM, tiers=tiers))
    assert words in found


@pytest.mark.parametrize(("below", "name", "mute", "condition"), ORDERED)
def test_a_limit_that_leaves_nothing_between_it_and_the_graver_one_is_refused(
    below: str, name: str, mute: str, condition: Condition
) -> None:
    edge = min(max(LIMITS[name].lowest, LIMITS[below].lowest), LIMITS[below].highest, LIMITS[name].highest)
    found = problems(Plan(patient="ada", team=TEAM, limits={below: edge, name: edge}))
    assert any(f"{condition} can never fire by {mute}" in one for one in found)


@pytest.mark.parametrize(("name", "edge", "condition", "graver"), SPOKEN_FOR)
def test_a_limit_at_the_threshold_of_an_emergency_is_refused(
    name: str, edge: float, condition: Condition, graver: Condition
) -> None:
    del graver
    (found,) = problems(Plan(patient="ada", team=TEAM, limits={name: edge}))
    assert str(condition) in found


def test_the_defaults_can_all_fire_and_every_limit_that_needs_a_device_knows_which() -> None:
    assert problems(Plan(patient="ada", team=TEAM)) == ()
    prefixes = tuple(prefix for prefix, _ in NEEDS)
    of_any_device = {"no_data_s", "never_reported_s", "battery_low_percent", "clock_off_s", "late_s"}
    assert {name for name in LIMITS if not name.startswith(prefixes)} == {"symptom_s", "strip_s", *of_any_device}


def test_a_limit_for_a_device_that_nobody_wears_is_a_warning() -> None:
    plan = Plan(patient="ada", team=TEAM, limits={"glucose_low_mg_dl": 75.0, "tachy_bpm": 140.0})
    proof = prove(plan, ALL_TRIED, START, frozenset({"ecg"}))
    assert proof.problems == ()
    assert [one for one in proof.warnings if one.startswith("limits")] == [
        "limits: glucose_low_mg_dl judges glucose, which no device of this patient sends yet"
    ]


def test_a_ladder_of_the_plan_s_own_that_needs_another_role_is_proved_by_it() -> None:
    family = replace(DEFAULT_LADDERS[LadderName.TIP], steps=(Step(after_s=0, roles=(Role.FAMILY,)),))
    plan = Plan(patient="ada", team=TEAM, ladders={LadderName.TIP: family})
    assert any(one.startswith("tip: no way") for one in problems(plan))
    daughter = Addressee(person="daughter", channel="webhook", address="daughter", role=Role.FAMILY)
    assert problems(replace(plan, team=(*TEAM, daughter))) == ()


# --- In the database --------------------------------------------------------------------------------------------------


def test_a_plan_that_is_refused_leaves_the_one_in_force(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        plans.activate(conn, Plan(patient="ada", team=TEAM), ALL_TRIED, by_whom="lin", now=START)
        wanted = Plan(patient="ada", version=1, team=TEAM[:2])
        with pytest.raises(Unreachable, match="practice"):
            plans.activate(conn, wanted, ALL_TRIED, by_whom="lin", now=START)
        assert plans.current(conn, "ada").version == 1
        assert conn.execute("SELECT count(*) FROM stream.inbox").fetchone() == (1,)


def test_a_limit_is_tightened_though_nobody_was_tried_and_a_wrong_one_is_not(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        lower = Plan(patient="ada", limits={"tachy_bpm": 120.0})
        made, warnings = plans.activate(conn, lower, FRESH, by_whom="lin", now=START, limits_only=True)
        assert made.version == 1
        assert any("no secret" in one for one in warnings)
        never = replace(made, limits={"tachy_bpm": 180.0})
        with pytest.raises(Unreachable, match="tachy can never fire"):
            plans.activate(conn, never, FRESH, by_whom="lin", now=START, limits_only=True)


def test_a_schedule_holds_for_every_plan_and_none_may_be_lost_by_it(dsn: str) -> None:
    whole = Schedule(name="practice", zone="Asia/Shanghai", week=(weekly("08:00", "08:00"),))
    team = tuple(one for one in TEAM if one.role is not Role.PRACTICE)
    with psycopg.connect(dsn) as conn:
        with pytest.raises(Unreachable, match="no schedule 'practice'"):
            plans.activate(conn, Plan(patient="ada", team=team), ALL_TRIED, by_whom="lin", now=START)
        assert schedules.activate(conn, whole, ALL_TRIED, by_whom="lin", now=START).version == 1
        for patient in ("ada", "bo"):
            plans.activate(conn, Plan(patient=patient, team=team), ALL_TRIED, by_whom="lin", now=START)
        assert plans.current(conn, "bo").on_call[Role.PRACTICE].version == 1
        short = replace(whole, week=(weekly("08:00", "20:00"),), version=1)
        with pytest.raises(Unreachable, match="plan of ada: practice: nobody on any day 00:00-08:00, any day 20"):
            schedules.activate(conn, short, ALL_TRIED, by_whom="lin", now=START)
        with pytest.raises(schedules.ScheduleOutdated):
            schedules.activate(conn, whole, ALL_TRIED, by_whom="lin", now=START)
        with pytest.raises(ScheduleRefused):
            schedules.activate(conn, replace(whole, zone="Beijing"), ALL_TRIED, by_whom="lin", now=START)
        assert plans.current(conn, "bo").on_call[Role.PRACTICE].version == 1


def test_a_patient_without_a_plan_goes_by_the_default_team_and_the_schedules_that_there_are(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        ops = Schedule(name="operator", zone="UTC", week=(weekly("00:00", "00:00"),))
        schedules.activate(conn, ops, ALL_TRIED, by_whom="lin", now=START)
        plan = plans.current(conn, "nobody-wrote-one")
        assert (plan.version, plan.team, set(plan.on_call)) == (0, DEFAULT_TEAM, {Role.OPERATOR})
