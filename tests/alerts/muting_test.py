"""What may keep an alert from a person for a while: a snooze, quiet hours, a planned pause; and what may not."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import pauses, snooze
from alerts.alert import Reason, State, Tier
from alerts.ladder import LadderName, Role
from alerts.machine import IllegalMove
from alerts.pauses import SILENCE, Pause, PauseKind, PauseRefused, check_planned, paused_until
from alerts.plan import Plan, frozen
from alerts.quiet_hours import QuietHours, QuietHoursRefused, check_quiet_hours
from alerts.snooze import SnoozeRefused
from alerts.urgency import LOUD
from stream.finding import NAMESPACE, Condition, FindingKind
from tests.alerts.desk import START, finding, later
from tests.alerts.world import World

NIGHT = QuietHours(start=time(22), end=time(7), zone="Europe/Berlin")
"""21:00 to 06:00 UTC in winter."""


@pytest.fixture
def story() -> World:
    return World()


def test_a_snoozed_tip_is_silent_until_its_end_which_is_shown_and_then_begins_again(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.AF_POSSIBLE))
    story.at("08:01:00").snoozes("patient", story.alert(Condition.AF_POSSIBLE), 30)
    alert = story.alert(Condition.AF_POSSIBLE)
    assert alert.snoozed_until == alert.next_due_at == START + timedelta(minutes=31)
    assert alert.state is State.SOUNDING  # nobody has answered
    story.at("08:30:59")
    assert story.at_s("patient") == [0]
    story.at("08:31:00")
    assert story.at_s("patient") == [0, 31 * 60]
    assert story.alert(Condition.AF_POSSIBLE).snoozed_until is None


def test_the_next_alert_of_that_condition_inherits_what_is_left_another_condition_does_not(story: World) -> None:
    story.at("08:00:00").says(low := finding(Condition.GLUCOSE_LOW))
    story.snoozes("patient", story.alert(Condition.GLUCOSE_LOW), 60)
    story.at("08:10:00").says(later(low, present=False))
    assert story.alert(Condition.GLUCOSE_LOW).state is State.CLOSED
    story.at("08:20:00").says(finding(Condition.GLUCOSE_LOW, opened="s|2"))
    story.says(finding(Condition.AF_POSSIBLE))
    assert story.at_s("patient") == [0, 1200]  # the second is of the other
    story.at("09:00:00")
    assert story.at_s("patient") == [0, 1200, 3600]


def test_what_gets_worse_breaks_a_snooze(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.GLUCOSE_LOW))
    story.snoozes("patient", story.alert(Condition.GLUCOSE_LOW), 60)
    story.at("08:05:00").says(finding(Condition.SYMPTOM))
    alert = story.alert(Condition.GLUCOSE_LOW)
    assert (alert.tier, alert.snoozed_until) == (Tier.DOCTOR, None)
    assert 300 in story.at_s("doctor")


def test_a_snooze_answers_nothing_an_urgent_alert_becomes_an_emergency_all_the_same(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VT))
    story.at("08:05:00").snoozes("doctor", story.alert(Condition.VT), 60, Role.DOCTOR)
    story.at("08:30:00")
    assert story.at_s("doctor") == [0, 1800]
    assert story.at_s("dispatch") == [1800]


# Who would keep what from whom, and for how long.
@pytest.mark.parametrize(
    ("condition", "minutes", "role", "is_allowed"),
    [
        (Condition.AF_POSSIBLE, 480.0, Role.PATIENT, True),
        (Condition.AF_POSSIBLE, 481.0, Role.PATIENT, False),  # a tip that is off for the day
        (Condition.AF_POSSIBLE, 30.0, Role.FAMILY, True),
        (Condition.AF, 60.0, Role.DOCTOR, True),
        (Condition.AF, 61.0, Role.DOCTOR, False),
        (Condition.AF, 5.0, Role.PATIENT, False),  # a patient keeps their AF from the doctor
        (Condition.VF, 5.0, Role.DOCTOR, True),
        (Condition.VF, 6.0, Role.DOCTOR, False),
        (Condition.VF, 1.0, Role.PATIENT, False),
        (Condition.VF, 1.0, Role.FAMILY, False),
        (Condition.AF_POSSIBLE, 0.0, Role.PATIENT, False),
        (Condition.AF_POSSIBLE, float("nan"), Role.PATIENT, False),
        (Condition.AF_POSSIBLE, float("inf"), Role.PATIENT, False),
    ],
)
def test_snoozes_are_bounded_by_tier(
    story: World, condition: Condition, minutes: float, role: Role, is_allowed: bool
) -> None:
    story.says(finding(condition))
    if is_allowed:
        story.snoozes("somebody", story.alert(condition), minutes, role)
        assert story.alert(condition).snoozed_until is not None
    else:
        with pytest.raises(SnoozeRefused):
            story.snoozes("somebody", story.alert(condition), minutes, role)
        assert story.alert(condition).snoozed_until is None


def test_tier_3_is_never_the_patient_s_to_snooze() -> None:
    assert not snooze.BOUNDS[Tier.EMERGENCY].by & {Role.PATIENT, Role.FAMILY}


def test_what_somebody_has_is_not_snoozed(story: World) -> None:
    story.says(finding(Condition.AF))
    story.accepts("doctor", story.alert(Condition.AF))
    with pytest.raises(IllegalMove):
        story.snoozes("doctor", story.alert(Condition.AF), 5, Role.DOCTOR)


def test_a_tip_waits_for_the_morning_and_its_next_step_says_so() -> None:
    story = World(plan=Plan(patient="ada", quiet=NIGHT))
    story.at("21:30:00").says(finding(Condition.AF_POSSIBLE))
    assert story.at_s("patient") == []
    assert story.alert(Condition.AF_POSSIBLE).next_due_at == datetime(2026, 11, 25, 6, tzinfo=UTC)
    story.now = datetime(2026, 11, 25, 6, tzinfo=UTC)
    story.station()
    assert len(story.told("patient")) == 1
    # Who slept has not been silent since the evening: a day counts from the morning.
    escalates = story.alert(Condition.AF_POSSIBLE).unanswered_from + timedelta(days=1)
    assert escalates == datetime(2026, 11, 26, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "condition",
    [
        Condition.GLUCOSE_LOW,  # eat now
        Condition.GLUCOSE_COMPRESSION_LOW,  # a finger-stick decides
        Condition.BP_CRISIS_UNCONFIRMED,  # measure again in two minutes
        Condition.AF,  # a doctor's
        Condition.VF,
        Condition.LEAD_OFF,
    ],
)
def test_quiet_hours_keep_nothing_but_tips_that_ask_for_nothing(condition: Condition) -> None:
    story = World(plan=Plan(patient="ada", quiet=NIGHT))
    story.at("23:00:00").says(finding(condition))
    assert story.notices, condition


def test_quiet_hours_are_on_the_ladder_of_tips_only() -> None:
    ladders = frozen(Plan(patient="ada", quiet=NIGHT))
    assert [name for name, ladder in ladders.items() if ladder.quiet] == [LadderName.TIP]
    assert Reason.ACT_NOW in LOUD


@given(
    st.times(timezones=st.none()).map(lambda t: t.replace(second=0, microsecond=0)),
    st.integers(1, 720),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_quiet_hours_end_within_their_length_whatever_summer_time_does(start: time, minutes: int, at: datetime) -> None:
    end = (datetime.combine(date(2026, 1, 1), start) + timedelta(minutes=minutes)).time()
    hours = QuietHours(start=start, end=end, zone="Europe/Berlin")
    until = hours.ends_after(at)
    if until is not None:
        assert at <= until <= at + timedelta(minutes=minutes, hours=1)
        assert hours.ends_after(until) is None or until == at


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (QuietHours(start=time(22), end=time(7), zone="Berlin"), "time zone"),
        (QuietHours(start=time(20), end=time(9), zone="UTC"), "at most 12 h"),
        (QuietHours(start=time(8), end=time(8), zone="UTC"), "24 h"),  # a plan that never speaks
        (QuietHours(start=time(22, 0, 30), end=time(7), zone="UTC"), "whole minutes"),
    ],
)
def test_quiet_hours_that_would_keep_tips_for_ever_are_refused(hours: QuietHours, why: str) -> None:
    with pytest.raises(QuietHoursRefused, match=why):
        check_quiet_hours(hours)


def test_a_planned_pause_mutes_silence_until_it_ends_and_shows_it(story: World) -> None:
    story.at("08:00:00").pauses(PauseKind.SHOWER, 30)
    story.at("08:02:00").says(off := finding(Condition.LEAD_OFF))
    alert = story.alert(Condition.LEAD_OFF)
    assert alert.paused_until == alert.next_due_at == START + timedelta(minutes=30)
    assert "paused" in [entry.what for entry in story.history[alert.alert]]
    story.at("08:20:00")
    assert story.notices == {}
    story.says(later(off, present=False))  # back on in time: nobody ever hears of it
    assert story.alert(Condition.LEAD_OFF).state is State.CLOSED
    assert story.notices == {}


def test_still_silent_when_the_pause_ends_the_ladder_begins_then(story: World) -> None:
    story.at("08:00:00").pauses(PauseKind.SHOWER, 30)
    story.at("08:02:00").says(finding(Condition.NO_DATA))
    story.at("08:40:00")
    second = story.alert(Condition.NO_DATA).running.rungs[1].after_s
    assert (story.at_s("patient"), story.at_s("practice")) == ([1800], [1800 + second])


@pytest.mark.parametrize("condition", sorted(set(Condition) - SILENCE))
def test_a_pause_mutes_nothing_but_silence(story: World, condition: Condition) -> None:
    undisturbed = World()
    undisturbed.says(finding(condition))
    story.pauses(PauseKind.HOSPITAL, 10_000)
    story.says(finding(condition))
    assert set(story.notices) == set(undisturbed.notices)


def test_silence_is_technical() -> None:
    assert all(finding(condition).kind is FindingKind.TECHNICAL for condition in SILENCE)


def test_a_pause_that_is_set_while_it_sounds_mutes_it_and_one_that_is_lifted_lets_it_speak(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.NO_DATA))
    story.at("08:05:00")
    pause = story.pauses(PauseKind.CHARGING, 120)
    story.at("08:30:00")
    assert story.at_s("practice") == []
    story.lifts(pause)
    assert story.at_s("patient") == [0, 1800]
    story.at("08:40:00")
    assert story.at_s("practice") == [1800 + story.alert(Condition.NO_DATA).running.rungs[1].after_s]


def test_a_pause_planned_ahead_begins_in_time_and_pauses_in_a_row_are_one(story: World) -> None:
    story.at("08:00:00").pauses(PauseKind.SHOWER, 30, ahead_s=300)
    story.pauses(PauseKind.CHARGING, 60, ahead_s=2100)
    story.says(finding(Condition.NO_DATA))
    assert story.at_s("patient") == [0]
    story.at("09:00:00")
    assert story.at_s("practice") == []  # the rung of 08:10 fell into the pause
    assert story.alert(Condition.NO_DATA).paused_until == START + timedelta(seconds=2100 + 3600)


def _pause(kind: PauseKind, minutes: float, role: Role, *, ahead: timedelta = timedelta()) -> Pause:
    from_at = START + ahead
    return Pause(pause=NAMESPACE, patient="ada", kind=kind, from_at=from_at, until_at=from_at + timedelta(minutes=minutes),
                 by_whom="x", role=role)  # fmt: skip


# What would be muted too long, too far ahead, or by whom it is no business of.
@pytest.mark.parametrize(
    ("pause", "why"),
    [
        (_pause(PauseKind.SHOWER, 61, Role.PATIENT), "at most 60 min"),
        (_pause(PauseKind.NIGHT, 721, Role.PATIENT), "at most 720 min"),
        (_pause(PauseKind.SHOWER, 0, Role.PATIENT), "not 0"),
        (_pause(PauseKind.HOLIDAY, 60, Role.FAMILY), "not by family"),
        (_pause(PauseKind.SHOWER, 10, Role.DISPATCH), "not by dispatch"),
        (_pause(PauseKind.SHOWER, 10, Role.PATIENT, ahead=timedelta(days=61)), "60 days ahead"),
        (_pause(PauseKind.SHOWER, 10, Role.PATIENT, ahead=timedelta(hours=-1)), "over already"),
        (_pause(PauseKind.CHARGING, 31, Role.PATIENT), "at most 30 min for this patient"),
    ],
)
def test_pauses_are_bounded(pause: Pause, why: str) -> None:
    with pytest.raises(PauseRefused, match=why):
        pauses.check_pause(pause, {PauseKind.CHARGING: 30.0}, START)


@pytest.mark.parametrize("minutes", [-1.0, 61.0, float("inf"), float("nan")])
def test_a_plan_narrows_pauses_and_never_widens_them(minutes: float) -> None:
    check_planned({PauseKind.SHOWER: 0.0})
    with pytest.raises(PauseRefused, match="0 \\(never\\) to 60"):
        check_planned({PauseKind.SHOWER: minutes})


def test_lifted_or_over_it_is_no_pause() -> None:
    pause = _pause(PauseKind.SHOWER, 60, Role.PATIENT)
    assert paused_until([pause], START + timedelta(minutes=59)) == pause.until_at
    assert paused_until([pause], pause.until_at) is None
    assert paused_until([], START) is None


def test_the_bounds_in_the_docs_are_the_tables() -> None:
    page = (Path(__file__).parents[2] / "docs" / "life_cycle.md").read_text(encoding="utf-8")
    for name, bounds in [*snooze.BOUNDS.items(), *pauses.BOUNDS.items()]:
        line = next(line for line in page.splitlines() if line.startswith(f"| {name} | {bounds.longest_min:g} min |"))
        assert {word.strip() for word in line.split("|")[3].split(",")} == set(bounds.by), name
