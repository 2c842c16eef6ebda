"""The patient is asked before dispatch is told: who can answer, what an answer makes of it, and what no answer does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.alert import EventType, Outcome, Reason, State, Tier
from alerts.countdown import NotAsked
from alerts.ladder import Addressee, LadderName, Role
from alerts.machine import IllegalMove
from alerts.plan import DEFAULT_LADDERS, DEFAULT_TEAM, Plan, PlanRefused, Step, check_ladders
from alerts.urgency import ANSWERABLE, ladder_for
from stream.finding import Condition
from tests.alerts.desk import finding, later
from tests.alerts.world import World

FAMILY = Addressee(person="family", channel="log", address="family", role=Role.FAMILY)
RACING, SUSTAINED = Condition.EXTREME_TACHY, Condition.VT_SUSTAINED


@pytest.fixture
def story() -> World:
    return World(plan=Plan(patient="ada", team=(*DEFAULT_TEAM, FAMILY)))


def test_the_patient_is_asked_doctor_and_family_hear_at_once_and_nobody_s_answer_tells_dispatch(story: World) -> None:
    story.at("08:00:10").says(finding(RACING))
    for person in ("patient", "doctor", "family"):
        assert story.at_s(person) == [10]
    assert story.alert(RACING).asked_until == story.now.replace(second=40)
    story.at("08:00:39")
    assert story.at_s("dispatch") == []
    story.at("08:00:40")
    alert = story.alert(RACING)
    assert story.at_s("dispatch") == [40]
    assert (alert.ladder, alert.reason, alert.asked_until) == (LadderName.EMERGENCY, Reason.PATIENT_SILENT, None)
    assert (story.told("dispatch")[0].generation, story.told("dispatch")[0].cycle) == (1, 0)
    story.at("08:02:00")
    assert story.at_s("dispatch") == [40, 100]  # again each minute until a person accepts


def test_all_right_makes_it_the_doctor_s_and_dispatch_is_never_told(story: World) -> None:
    story.at("08:00:00").says(racing := finding(RACING))
    story.at("08:00:29").is_well(story.alert(RACING))
    alert = story.alert(RACING)
    assert (alert.tier, alert.state, alert.reason) == (Tier.DOCTOR, State.SOUNDING, Reason.PATIENT_WELL)
    assert [entry.by_whom for entry in story.history[alert.alert] if entry.what == "well"] == ["patient"]
    assert story.at_s("doctor") == [0, 29]
    assert len(story.told("family", EventType.UPDATED)) == 1
    story.says(later(racing))  # it goes on, and that was known
    story.at("08:25:00")
    assert story.at_s("dispatch") == []


def test_the_doctor_who_then_does_not_answer_for_half_an_hour_makes_it_an_emergency_again(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    story.at("08:00:10").is_well(story.alert(RACING))
    story.at("08:30:09")
    assert story.at_s("dispatch") == []
    story.at("08:30:10")
    assert story.at_s("dispatch") == [1810]
    assert story.alert(RACING).reason is Reason.UNANSWERED


@pytest.mark.parametrize("back", ["a new episode", "the same again"])
def test_what_comes_back_after_that_answer_is_asked_about_again(story: World, back: str) -> None:
    story.at("08:00:00").says(racing := finding(RACING))
    story.at("08:00:10").is_well(story.alert(RACING))
    story.at("08:05:00").says(over := later(racing, present=False))
    story.at("08:06:00").says(later(over, present=True) if back == "the same again" else finding(RACING, opened="s|2"))
    alert = story.alert(RACING)
    assert (alert.tier, alert.ladder, alert.generation) == (Tier.EMERGENCY, LadderName.COUNTDOWN, 2)
    story.at("08:06:30")
    assert story.at_s("dispatch") == [390]


def test_help_tells_dispatch_at_once(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    story.at("08:00:07").wants_help(story.alert(RACING))
    assert story.at_s("dispatch") == [7]
    assert story.alert(RACING).reason is Reason.PATIENT_ASKS


@pytest.mark.parametrize("condition", [Condition.VF, Condition.ASYSTOLE])
def test_who_cannot_answer_is_not_asked(story: World, condition: Condition) -> None:
    assert condition not in ANSWERABLE
    story.at("08:00:00").says(finding(condition))
    assert story.at_s("dispatch") == [0]
    assert story.alert(condition).asked_until is None


def test_a_doctor_who_has_seen_it_stops_no_countdown_one_who_has_it_does(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    story.at("08:00:05").acknowledges("doctor", story.alert(RACING))
    assert story.alert(RACING).asked_until is not None
    story.at("08:00:30")
    assert story.at_s("dispatch") == [30]
    taken = World()
    taken.at("08:00:00").says(finding(RACING))
    taken.at("08:00:05").accepts("doctor", taken.alert(RACING))
    taken.at("09:00:00")
    assert taken.at_s("dispatch") == []


def test_what_an_answer_cannot_take_back(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    story.at("08:00:31").is_well(story.alert(RACING))
    alert = story.alert(RACING)
    assert (alert.tier, alert.ladder) == (Tier.EMERGENCY, LadderName.EMERGENCY)
    assert len(story.told("dispatch", EventType.UPDATED)) == 1  # dispatch decides what it means
    story.at("08:01:30")
    assert story.at_s("dispatch") == [30, 90]


def test_help_when_somebody_has_it_or_thought_it_over_is_an_emergency(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.TACHY))
    story.at("08:01:00").accepts("doctor", story.alert(Condition.TACHY))
    story.at("08:02:00").wants_help(story.alert(Condition.TACHY))
    assert story.at_s("dispatch") == [120]
    closed = World()
    closed.at("08:00:00").says(finding(RACING))
    closed.closes("doctor", closed.alert(RACING), Outcome.FALSE_ALARM)
    closed.at("08:00:20").wants_help(closed.alert(RACING))
    assert closed.at_s("dispatch") == [20]
    over = World()
    over.says(finding(RACING))
    over.closes("doctor", over.alert(RACING))
    with pytest.raises(IllegalMove):
        over.is_well(over.alert(RACING))


def test_help_on_a_page_that_still_shows_a_closed_alert_reaches_the_one_that_is_open(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    old = story.alert(RACING)
    story.closes("doctor", old)
    story.at("08:00:10").says(finding(RACING, opened="s|2"))
    story.wants_help(old)
    assert story.alert(RACING).ladder is LadderName.EMERGENCY
    assert sum(alert.is_open for alert in story.situation.alerts.values()) == 1


def test_one_question_for_all_there_is_to_ask_about(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    story.at("08:00:20").says(finding(SUSTAINED))
    assert story.alert(RACING).inhibited_by == story.alert(SUSTAINED).alert
    story.at("08:00:25").is_well(story.alert(SUSTAINED))
    assert [story.alert(one).tier for one in (RACING, SUSTAINED)] == [Tier.DOCTOR, Tier.DOCTOR]
    story.at("08:10:00")
    assert story.at_s("dispatch") == []


def test_a_graver_one_gives_no_more_time_and_who_did_not_answer_is_not_asked_again(story: World) -> None:
    story.at("08:00:00").says(finding(RACING))
    story.at("08:00:20").says(finding(SUSTAINED))
    story.at("08:00:30")
    assert story.at_s("dispatch") == [30]
    story.says(finding(Condition.GLUCOSE_CRITICAL_LOW))
    assert story.at_s("dispatch") == [30, 30]


def test_fibrillation_in_a_countdown_ends_it(story: World) -> None:
    story.at("08:00:00").says(finding(SUSTAINED))
    story.at("08:00:04").says(finding(Condition.VF))
    assert story.at_s("dispatch") == [4]


def test_the_station_dead_through_a_countdown_tells_dispatch_when_it_is_back_under_the_undisturbed_id() -> None:
    undisturbed, slept = World(), World()
    for one in (undisturbed, slept):
        one.says(finding(RACING))
    undisturbed.at("08:00:30")
    slept.sleeps(45)
    slept.station()
    (first,), (late,) = undisturbed.told("dispatch"), slept.told("dispatch")
    assert first.notice == late.notice


def test_a_past_emergency_asks_and_all_right_leaves_it_with_the_doctor(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VF, present=False, late=True))
    assert story.alert(Condition.VF).asked_until == story.now.replace(minute=5)
    story.at("08:04:59").is_well(story.alert(Condition.VF))
    story.at("12:00:00")
    assert story.at_s("dispatch") == []
    assert story.alert(Condition.VF).tier is Tier.DOCTOR


def test_a_low_ahead_at_night_and_all_right_is_as_good_as_acknowledged(story: World) -> None:
    ahead = finding(Condition.GLUCOSE_PREDICTED_LOW)
    story.says(replace(ahead, evidence={**ahead.evidence, "at_night": 1.0}))
    story.at("08:01:00").is_well(story.alert(Condition.GLUCOSE_PREDICTED_LOW))
    assert story.alert(Condition.GLUCOSE_PREDICTED_LOW).state is State.HELD
    story.at("08:30:00")
    assert story.at_s("dispatch") == []


def test_the_equipment_is_not_asked_how_it_is(story: World) -> None:
    story.says(finding(Condition.LEAD_OFF))
    for word in (story.is_well, story.wants_help):
        with pytest.raises(NotAsked, match="acknowledge"):
            word(story.alert(Condition.LEAD_OFF))


COUNTDOWN = DEFAULT_LADDERS[LadderName.COUNTDOWN]


# What a plan could do to the countdown, and the word that its refusal must contain.
@pytest.mark.parametrize(
    ("ladder", "why"),
    [
        (replace(COUNTDOWN, escalate_s=19.0), "20 to 30"),  # no time to answer
        (replace(COUNTDOWN, escalate_s=31.0), "20 to 30"),  # dispatch waits
        (replace(COUNTDOWN, escalate_s=None, escalate_to=None), "emergency"),  # dispatch is never told
        (replace(COUNTDOWN, escalate_to=LadderName.DOCTOR), "emergency"),
        (replace(COUNTDOWN, escalate_to=None), "together"),
        (replace(COUNTDOWN, steps=(Step(after_s=0, roles=(Role.DOCTOR,)),)), "ask the patient"),
        (replace(COUNTDOWN, steps=(Step(after_s=0, roles=(Role.PATIENT, Role.DOCTOR, Role.DISPATCH)),)), "dispatch"),
    ],
)
def test_a_plan_cannot_make_the_countdown_useless(ladder: object, why: str) -> None:
    with pytest.raises(PlanRefused, match=why):
        check_ladders({LadderName.COUNTDOWN: ladder})  # type: ignore[dict-item]


@pytest.mark.parametrize("silence_s", [299.0, 7201.0])
def test_a_plan_cannot_let_an_urgent_alert_wait_for_ever(silence_s: float) -> None:
    urgent = replace(DEFAULT_LADDERS[LadderName.DOCTOR_URGENT], escalate_s=silence_s)
    with pytest.raises(PlanRefused, match="300 to 7200"):
        check_ladders({LadderName.DOCTOR_URGENT: urgent})


@pytest.mark.parametrize("condition", [Condition.AF, Condition.V_BURDEN, Condition.AFLUTTER, Condition.SVT])
def test_what_is_a_matter_of_days_never_becomes_an_emergency_for_want_of_an_answer(condition: Condition) -> None:
    assert ladder_for(condition, Tier.DOCTOR) is LadderName.DOCTOR
    story = World()
    story.says(finding(condition))
    story.at("23:00:00")
    assert story.at_s("dispatch") == []


@pytest.mark.parametrize(
    ("condition", "is_over", "dispatch"),
    [
        (Condition.VT, False, [1800]),
        (Condition.VT, True, [1800]),  # comes back without warning
        (Condition.BP_CRISIS, False, [1800]),
        (Condition.GLUCOSE_VERY_LOW, True, []),  # has eaten
    ],
)
def test_a_doctor_s_silence_makes_an_emergency_of_what_cannot_wait(
    condition: Condition, is_over: bool, dispatch: list[float]
) -> None:
    story = World()
    story.says(found := finding(condition))
    if is_over:
        story.says(later(found, present=False))
    story.at("08:30:30")
    assert story.at_s("dispatch") == dispatch


def test_answered_by_the_doctor_it_does_not(story: World) -> None:
    story.says(finding(Condition.VT))
    story.at("08:29:00").acknowledges("doctor", story.alert(Condition.VT))
    story.at("08:40:00")
    assert story.at_s("dispatch") == []


def test_a_rhythm_that_is_felt_is_asked_about_and_waits_for_its_doctor_when_the_patient_is_all_right(
    story: World,
) -> None:
    story.at("08:00:00").says(finding(Condition.AF))
    story.at("08:01:00").says(finding(Condition.SYMPTOM))
    assert story.alert("af").asked_until is not None
    story.at("08:01:10").is_well(story.alert("af"))
    story.at("09:30:00")  # the doctor is silent: nobody's silence made an emergency of it before
    assert (story.alert("af").tier, story.at_s("dispatch")) == (Tier.DOCTOR, [])
    silent = World()
    silent.at("08:00:00").says(finding(Condition.AF))
    silent.at("08:01:00").says(finding(Condition.SYMPTOM))
    silent.at("08:01:30")
    assert silent.at_s("dispatch") == [90]
