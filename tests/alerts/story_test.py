"""Stories on a simulated clock: who is told, when, and what happens when nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.alert import EventType, Outcome, Reason, State, Tier
from alerts.ladder import Addressee, Role
from alerts.machine import IllegalMove
from alerts.plan import DEFAULT_TEAM, Plan
from stream.finding import Condition
from tests.alerts.desk import START, finding, later
from tests.alerts.world import World

MINUTE, HOUR = 60, 3600


@pytest.fixture
def story() -> World:
    return World()


def test_an_emergency_tells_everybody_at_once_and_again_each_minute_until_a_person_accepts(story: World) -> None:
    story.at("08:00:10").says(finding(Condition.VF))
    story.at("08:02:30")
    for person in ("dispatch", "doctor", "patient"):
        assert story.at_s(person) == [10, 70, 130]
    assert [notice.cycle for notice in story.told("dispatch")] == [0, 1, 2]
    story.accepts("dispatch", story.alert("vf"))
    story.at("10:00:00")
    assert story.at_s("dispatch") == [10, 70, 130]
    assert story.alert("vf").state is State.TAKEN


def test_a_silent_doctor_is_followed_by_the_practice(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.BRADY))
    story.at("09:30:00")
    assert story.at_s("doctor") == [0, 15 * MINUTE]
    assert story.at_s("practice") == [HOUR]
    story.at("10:00:00")  # and the ladder begins again
    assert story.at_s("doctor") == [0, 15 * MINUTE, 2 * HOUR]
    assert story.told("doctor")[2].cycle == 1


def test_an_acknowledgement_expires_and_the_ladder_starts_again(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VF))
    story.at("08:00:20").acknowledges("doctor", story.alert("vf"))
    assert story.alert("vf").state is State.HELD
    story.at("08:05:19")
    assert story.at_s("dispatch") == [0]
    story.at("08:05:20")
    assert story.alert("vf").state is State.SOUNDING
    assert story.at_s("dispatch") == [0, 5 * MINUTE + 20]
    assert story.told("dispatch")[1].cycle == 1


def test_a_condition_that_goes_away_stays_until_somebody_has_seen_it(story: World) -> None:
    vf = finding(Condition.VF)
    story.at("08:00:00").says(vf)
    story.at("08:00:05").says(later(vf, present=False))
    assert story.alert("vf").state is State.LATCHED
    story.at("08:01:00")
    assert story.at_s("dispatch") == [0, 60]  # it was an emergency, and nobody has answered
    story.accepts("dispatch", story.alert("vf"))
    assert story.alert("vf").state is State.SETTLED
    story.closes("dispatch", story.alert("vf"))
    assert story.alert("vf").state is State.CLOSED
    assert len(story.told("dispatch", EventType.STOOD_DOWN)) == 1


def test_it_comes_back_while_somebody_has_it_they_are_told_and_keep_it(story: World) -> None:
    vf = finding(Condition.VF)
    story.says(vf)
    story.accepts("dispatch", story.alert("vf"))
    story.says(gone := later(vf, present=False))
    story.says(later(gone, present=True))
    assert story.alert("vf").state is State.TAKEN
    assert len(story.told("dispatch", EventType.UPDATED)) == 1


def test_a_new_episode_joins_the_open_alert_and_is_a_new_alert_after_it_was_closed(story: World) -> None:
    story.says(finding(Condition.VF, opened="s|1"))
    story.says(finding(Condition.VF, opened="s|2"))
    first = story.alert("vf")
    assert len(story.situation.alerts) == 1
    story.closes("doctor", first)
    story.says(finding(Condition.VF, opened="s|3"))
    assert len(story.situation.alerts) == 2
    assert story.alert("vf").alert != first.alert


def test_it_clears_only_when_all_its_episodes_have_cleared(story: World) -> None:
    one, two = finding(Condition.VF, opened="s|1"), finding(Condition.VF, opened="s|2")
    story.says(one)
    story.says(two)
    story.says(later(one, present=False))
    assert story.alert("vf").state is State.SOUNDING
    story.says(later(two, present=False))
    assert story.alert("vf").state is State.LATCHED


def test_a_further_finding_of_a_closed_alert_s_episode_does_not_sound_again(story: World) -> None:
    vf = finding(Condition.VF)
    story.says(vf)
    story.closes("doctor", story.alert("vf"), Outcome.FALSE_ALARM)
    story.says(later(vf))
    story.at("09:00:00")
    assert story.at_s("dispatch") == [0]


def test_wrong_person_closes_and_everybody_is_stood_down(story: World) -> None:
    vf = finding(Condition.VF)
    story.says(vf)
    story.says(later(vf, present=False, withdrawn="wrong_person"))
    alert = story.alert("vf")
    assert (alert.state, alert.outcome) == (State.CLOSED, Outcome.WRONG_PERSON)
    assert {notice.to.person for notice in story.notices.values() if notice.type is EventType.STOOD_DOWN} == {
        "dispatch", "doctor", "patient",
    }  # fmt: skip


def test_withdrawn_before_anybody_was_told_raises_nothing(story: World) -> None:
    story.says(finding(Condition.VF, present=False, withdrawn="wrong_person"))
    assert story.situation.alerts == {}


def test_a_past_emergency_goes_to_the_doctor_and_the_patient_is_asked(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VF, present=False, late=True))
    alert = story.alert("vf")
    assert (alert.tier, alert.state, alert.past) == (Tier.DOCTOR, State.LATCHED, True)
    assert (story.at_s("doctor"), story.at_s("patient"), story.at_s("dispatch")) == ([0], [0], [])
    story.at("08:04:00").acknowledges("patient", story.alert("vf"))
    story.at("08:30:00")
    assert story.at_s("dispatch") == []


def test_a_past_emergency_that_nobody_answers_for_five_minutes_is_an_emergency(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VF, present=False, late=True))
    story.at("08:05:00")
    alert = story.alert("vf")
    assert (alert.tier, alert.generation, alert.reason) == (Tier.EMERGENCY, 1, Reason.UNANSWERED)
    assert story.at_s("dispatch") == [5 * MINUTE]


def test_vf_as_the_last_thing_heard_sounds(story: World) -> None:
    story.says(finding(Condition.VF, present=True, late=True))
    assert story.alert("vf").tier is Tier.EMERGENCY
    assert story.at_s("dispatch") == [0]


def test_what_was_thought_past_and_is_present_sounds_in_a_new_generation(story: World) -> None:
    past = finding(Condition.VF, present=False, late=True)
    story.says(past)
    story.at("08:00:30").says(later(past, present=True, late=False))
    alert = story.alert("vf")
    assert (alert.tier, alert.generation, alert.past) == (Tier.EMERGENCY, 1, False)
    assert [notice.generation for notice in story.told("doctor")] == [0, 1]


def test_a_low_expected_at_night_that_nobody_answers_is_an_emergency_before_it_comes(story: World) -> None:
    ahead = finding(Condition.GLUCOSE_PREDICTED_LOW)
    story.at("08:00:00").says(replace(ahead, evidence={**ahead.evidence, "at_night": 1.0}))
    story.at("08:09:59")
    assert story.at_s("patient") == [0, 2 * MINUTE, 5 * MINUTE]
    assert story.alert(Condition.GLUCOSE_PREDICTED_LOW).tier is Tier.TIP
    story.at("08:10:00")
    assert story.alert(Condition.GLUCOSE_PREDICTED_LOW).tier is Tier.EMERGENCY
    assert story.at_s("dispatch") == [10 * MINUTE]
    awake = World()
    awake.at("08:00:00").says(ahead)
    awake.at("09:00:00")
    assert awake.alert(Condition.GLUCOSE_PREDICTED_LOW).tier is Tier.TIP


def test_a_low_expected_at_night_and_answered_wakes_nobody_else(story: World) -> None:
    ahead = finding(Condition.GLUCOSE_PREDICTED_LOW)
    story.at("08:00:00").says(replace(ahead, evidence={**ahead.evidence, "at_night": 1.0}))
    story.at("08:01:00").acknowledges("patient", story.alert(Condition.GLUCOSE_PREDICTED_LOW))
    story.at("08:30:00")
    assert story.told("dispatch") == []


def test_a_tip_fades_by_itself_and_a_persisting_one_becomes_the_doctor_s(story: World) -> None:
    high = finding(Condition.BP_CRISIS_UNCONFIRMED)
    story.says(high)
    assert story.at_s("patient") == [0]
    story.says(later(high, present=False))
    assert story.alert("bp_crisis_unconfirmed").state is State.CLOSED
    again = World()
    again.says(high)
    again.now = again.now.replace(day=25)
    again.station()
    assert again.alert("bp_crisis_unconfirmed").tier is Tier.DOCTOR


def test_the_louder_silences_the_lesser_and_gives_it_its_voice_back(story: World) -> None:
    asystole = finding(Condition.ASYSTOLE)
    story.says(finding(Condition.PAUSE))
    assert story.at_s("doctor") == [0]
    story.at("08:00:02").says(asystole)
    pause = story.alert("pause")
    assert pause.inhibited_by == story.alert("asystole").alert
    assert pause.next_due_at is None
    story.at("08:30:00")
    assert [n.alert for n in story.told("doctor")].count(pause.alert) == 1
    story.says(later(asystole, present=False))
    story.at("08:30:01")
    assert [n.alert for n in story.told("doctor")].count(pause.alert) == 2


def test_found_together_only_the_louder_ever_speaks(story: World) -> None:
    story.says(finding(Condition.ASYSTOLE))
    story.says(finding(Condition.EXTREME_BRADY))
    assert {notice.alert for notice in story.notices.values()} == {story.alert("asystole").alert}
    assert "inhibited" in [entry.what for entry in story.history[story.alert("extreme_brady").alert]]


def test_a_rejecting_dispatch_centre_stops_nothing_and_the_next_rung_comes_at_once() -> None:
    story = World()
    story.says(finding(Condition.BRADY))
    story.at("08:00:05").rejects("doctor", story.alert("brady"))
    assert story.at_s("doctor")[1:] == [0]  # its rung counts from the cycle's beginning, and is due now
    assert story.alert("brady").state is State.SOUNDING


def test_two_take_one_alert_and_the_second_is_refused(story: World) -> None:
    story.says(finding(Condition.VF))
    story.accepts("ann", story.alert("vf"))
    with pytest.raises(IllegalMove):
        story.accepts("bob", story.alert("vf"))
    assert story.alert("vf").answered_by == "ann"


def test_a_repeat_skips_whom_the_retry_still_tries_to_reach(story: World) -> None:
    story.is_deaf = True
    story.says(finding(Condition.VF))
    story.at("08:03:30")
    assert story.at_s("dispatch") == [0]
    story.hears_again()
    story.at("08:04:30")
    assert story.at_s("dispatch") == [0, 240]
    assert story.told("dispatch")[1].cycle == 4


def test_a_station_that_slept_goes_on_where_the_undisturbed_one_would_be() -> None:
    undisturbed, slept = World(), World()
    for one in (undisturbed, slept):
        one.says(finding(Condition.VF))
    undisturbed.at("08:10:00")
    slept.sleeps(600)
    slept.station()
    assert set(slept.notices) < set(undisturbed.notices)
    assert slept.alert("vf").next_due_at == undisturbed.alert("vf").next_due_at
    assert slept.alert("vf").cycle == undisturbed.alert("vf").cycle == 10
    assert [notice.cycle for notice in slept.told("dispatch")] == [0, 10]  # not one that was for a minute long past


def test_a_role_that_nobody_has_falls_to_the_operator() -> None:
    team = tuple(one for one in DEFAULT_TEAM if one.role is not Role.DISPATCH)
    story = World(plan=Plan(patient="ada", team=team))
    story.says(finding(Condition.VF))
    assert story.at_s("operator") == [0]
    assert any(entry.detail.get("missing") == "dispatch" for entry in story.history[story.alert("vf").alert])


def test_a_plan_changed_at_night_changes_no_alert_that_is_sounding(story: World) -> None:
    story.says(finding(Condition.VF))
    nobody = Addressee(person="new", channel="log", address="new", role=Role.DISPATCH)
    story.plan = Plan(patient="ada", version=2, team=(nobody,))
    story.at("08:01:00")
    assert story.at_s("new") == []
    assert story.at_s("dispatch") == [0, 60]


def test_an_equipment_alert_goes_to_patient_then_practice_and_fades(story: World) -> None:
    off = finding(Condition.LEAD_OFF)
    story.says(off)
    story.at("08:10:00")
    assert (story.at_s("patient"), story.at_s("practice"), story.at_s("operator")) == ([0], [600], [600])
    assert story.at_s("dispatch") == []
    story.says(later(off, present=False))
    assert story.alert("lead_off").state is State.CLOSED


@pytest.mark.parametrize("first", [Condition.BP_CRISIS, Condition.SYMPTOM])
def test_crisis_pressure_and_a_symptom_are_an_emergency_whichever_is_heard_first(
    story: World, first: Condition
) -> None:
    second = Condition.SYMPTOM if first is Condition.BP_CRISIS else Condition.BP_CRISIS
    story.at("08:00:00").says(finding(first))
    story.at("08:10:00").says(finding(second))
    crisis = story.alert(Condition.BP_CRISIS)
    assert (crisis.tier, crisis.reason) == (Tier.EMERGENCY, Reason.TWO_SOURCES)
    assert 10 * MINUTE in story.at_s("patient")  # who can answer, and is asked before dispatch is told
    story.at("08:10:30")
    assert story.at_s("dispatch") == [10 * MINUTE + 30]
    assert story.alert(Condition.SYMPTOM).tier is Tier.DOCTOR


def test_what_somebody_has_is_worse_with_a_second_source_and_sounds_again(story: World) -> None:
    brady = finding(Condition.BRADY)
    story.at("08:00:00").says(brady)
    story.at("08:01:00").accepts("doctor", story.alert("brady"))
    faint = finding(Condition.SYMPTOM)
    story.at("08:02:00").says(faint)
    assert story.alert("brady").state is State.SOUNDING
    assert story.alert("brady").generation == 1
    assert story.at_s("dispatch") == [2 * MINUTE]
    story.says(faint)
    story.says(later(brady))
    assert story.alert("brady").generation == 1  # said again it changes nothing
    assert story.alert("brady").tier is Tier.EMERGENCY


def test_a_second_source_that_is_withdrawn_or_old_raises_nothing(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.BRADY))
    story.says(finding(Condition.SYMPTOM, withdrawn="wrong_person"))
    old = START - timedelta(hours=3)
    story.says(finding(Condition.SYMPTOM, at=old, present=False))
    assert story.alert("brady").tier is Tier.DOCTOR


def test_what_a_person_closed_is_not_opened_again_by_a_second_source(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.BRADY))
    story.closes("doctor", story.alert("brady"))
    story.at("08:05:00").says(finding(Condition.SYMPTOM))
    assert story.alert("brady").state is State.CLOSED


def test_dispatch_rejects_and_the_whole_ladder_comes_again_within_the_minute_nothing_stops(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VF))
    story.at("08:00:10").rejects("dispatch", story.alert("vf"))
    assert story.alert("vf").state is State.SOUNDING
    story.at("08:01:00")
    assert story.at_s("dispatch") == [0, 60]


def test_a_device_is_swapped_the_alert_is_the_same_and_over_only_when_both_say_so(story: World) -> None:
    first = finding(Condition.AF, opened="old|1")
    story.at("08:00:00").says(first)
    story.at("08:10:00").says(finding(Condition.NO_DATA, opened="old|2"))
    assert story.alert("af").state is State.SOUNDING  # silence resolves nothing
    second = finding(Condition.AF, opened="new|1")
    story.at("08:20:00").says(second)
    assert [alert.condition for alert in story.situation.alerts.values()].count("af") == 1
    story.says(later(first, present=False))
    assert story.alert("af").state is State.SOUNDING
    story.says(later(second, present=False))
    assert story.alert("af").state is State.LATCHED
    story.at("09:00:00")
    assert story.at_s("doctor") == [0, 15 * MINUTE]


def test_killed_again_and_again_the_ladder_climbs_as_if_nothing_had_been() -> None:
    undisturbed, killed = World(), World()
    for one in (undisturbed, killed):
        one.at("08:00:00").says(finding(Condition.EXTREME_TACHY))
    undisturbed.at("08:03:00")
    for second in range(1, 181):
        killed.now = START + timedelta(seconds=second)
        killed.dies()  # after it has thought, before it has saved
        killed.station()
    assert set(killed.notices) == set(undisturbed.notices)
    assert killed.alert("extreme_tachy") == undisturbed.alert("extreme_tachy")


def test_a_persisting_tip_s_time_is_a_day_and_it_then_runs_the_doctor_s_ladder(story: World) -> None:
    story.says(finding(Condition.AF_POSSIBLE))
    story.now = START + timedelta(days=1) - timedelta(seconds=1)
    story.station()
    assert story.told("doctor") == []
    story.now += timedelta(seconds=1)
    story.station()
    alert = story.alert("af_possible")
    assert (alert.tier, alert.generation, alert.reason) == (Tier.DOCTOR, 1, Reason.UNANSWERED)
    assert story.at_s("doctor") == [24 * HOUR]
