"""The end of monitoring: everything stops at once, with no message to the bereaved, and nothing is raised by what comes."""

from __future__ import annotations

import pytest

from alerts.alert import EventType, Outcome, State, StationCondition, Tier
from alerts.machine import IllegalMove
from stream.finding import Condition
from tests.alerts.desk import finding, later
from tests.alerts.world import World


@pytest.fixture
def story() -> World:
    return World()


def test_discharged_while_alerts_are_open_dispatch_is_stood_down_and_nobody_else_hears_a_word(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.VF))
    story.says(finding(Condition.LEAD_OFF))
    story.at("08:00:30").ends("doctor", "death")
    assert {alert.state for alert in story.situation.alerts.values()} == {State.CLOSED}
    assert {alert.outcome for alert in story.situation.alerts.values()} == {Outcome.ENDED}
    down = [notice for notice in story.notices.values() if notice.type is EventType.STOOD_DOWN]
    assert [notice.to.person for notice in down] == ["dispatch"]
    told = len(story.notices)
    story.at("20:00:00")
    assert len(story.notices) == told


def test_dispatch_that_was_not_told_is_not_stood_down(story: World) -> None:
    story.at("08:00:00").says(finding(Condition.AF))
    story.ends()
    assert [notice for notice in story.notices.values() if notice.type is EventType.STOOD_DOWN] == []


def test_what_comes_after_raises_one_alert_to_the_operator_and_no_other(story: World) -> None:
    story.at("08:00:00").says(racing := finding(Condition.TACHY))
    story.ends()
    before = set(story.notices)
    story.at("08:10:00").says(later(racing))
    story.says(finding(Condition.VF))
    story.says(finding(Condition.NO_DATA))  # the band lies on a table: that is no news
    story.says(finding(Condition.VF, opened="s|2"))
    alert = story.alert(StationCondition.HEARD_AFTER_END)
    assert (alert.tier, alert.kind) == (Tier.TIP, "technical")
    assert {story.notices[key].to.person for key in set(story.notices) - before} == {"operator"}
    assert len(set(story.notices) - before) == 1


def test_the_operator_who_closed_it_is_not_told_again_of_the_same_end(story: World) -> None:
    story.ends()
    story.at("08:10:00").says(finding(Condition.VF))
    story.closes("operator", story.alert(StationCondition.HEARD_AFTER_END))
    story.says(finding(Condition.VF, opened="s|2"))
    assert not any(alert.is_open for alert in story.situation.alerts.values())


def test_monitored_again_what_is_so_is_raised_in_a_new_generation(story: World) -> None:
    story.at("08:00:00").says(vf := finding(Condition.VF))
    story.ends()
    story.at("08:10:00").begins()
    story.says(vf)  # the comparison of levels says it again
    alert = story.alert(Condition.VF)
    assert (alert.state, alert.generation, alert.outcome) == (State.SOUNDING, 1, None)
    assert story.at_s("dispatch") == [0, 600]


def test_a_cry_for_help_on_the_page_of_an_alert_that_ended_so_is_refused(story: World) -> None:
    story.says(finding(Condition.EXTREME_TACHY))
    story.ends()
    with pytest.raises(IllegalMove):
        story.wants_help(story.alert(Condition.EXTREME_TACHY))


def test_monitored_again_with_two_episodes_that_go_on_both_are_heard(story: World) -> None:
    one, two = finding(Condition.VF, opened="s|1"), finding(Condition.VF, opened="s|2")
    for found in (one, two):
        story.says(found)
    for _ in range(2):
        story.ends()
        story.begins()
        for found in (one, two):
            story.says(found)
    assert story.alert(Condition.VF).generation == 2
    assert sum(alert.is_open for alert in story.situation.alerts.values()) == 1
