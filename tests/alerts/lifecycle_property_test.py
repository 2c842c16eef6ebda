"""No sequence of findings, answers, delivery troubles, sleep and time loses an alert or forgets a step."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerts.alert import Alert, Outcome, State, Tier
from alerts.machine import IllegalMove
from stream.finding import Condition, Finding
from tests.alerts.desk import finding
from tests.alerts.world import World

CONDITIONS = st.sampled_from(
    [Condition.VF, Condition.ASYSTOLE, Condition.EXTREME_TACHY, Condition.PAUSE, Condition.BRADY,
     Condition.BP_CRISIS_UNCONFIRMED, Condition.LEAD_OFF, Condition.DETECTOR_FAILED]
)  # fmt: skip


class LifeCycle(RuleBasedStateMachine):
    """One patient's alerts under everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.latest: dict[object, Finding] = {}
        self.unanswered_closings: list[Alert] = []

    @rule(
        condition=CONDITIONS, opened=st.integers(0, 2), present=st.booleans(), late=st.booleans(), wrong=st.booleans()
    )
    def finds(self, condition: Condition, opened: int, present: bool, late: bool, wrong: bool) -> None:
        new = finding(condition, opened=f"s|{opened}", present=present and not wrong, late=late)
        before = self.latest.get(new.episode)
        if before is not None:
            new = replace(new, revision=before.revision + 1)
        if wrong:
            new = replace(new, withdrawn="wrong_person")
        self.latest[new.episode] = new
        states = dict(self.world.situation.alerts)
        self.world.says(new)
        for key, alert in self.world.situation.alerts.items():
            old = states.get(key)
            if old and old.is_open and not alert.is_open and old.state.is_unanswered and alert.tier is not Tier.TIP:
                self.unanswered_closings.append(alert)

    @rule(condition=CONDITIONS, opened=st.integers(0, 2))
    def repeats(self, condition: Condition, opened: int) -> None:
        known = self.latest.get(finding(condition, opened=f"s|{opened}").episode)
        if known is not None:
            assert self.world.says(known) == (), "the same finding again changes nothing"

    @rule(seconds=st.sampled_from([1, 20, 61, 400, 4000, 100_000]), awake=st.booleans())
    def time_passes(self, seconds: int, awake: bool) -> None:
        if awake:
            until = self.world.now + timedelta(seconds=min(seconds, 4000))
            while (due := self.world._next()) is not None and due <= until:
                self.world.now = max(self.world.now, due)
                self.world.station()
            self.world.now = until
        else:
            self.world.sleeps(seconds)

    @rule(condition=CONDITIONS, verb=st.sampled_from(["acknowledges", "accepts", "rejects", "closes"]))
    def answers(self, condition: Condition, verb: str) -> None:
        with suppress(StopIteration, IllegalMove):
            getattr(self.world, verb)("ann", self.world.alert(condition))

    @rule(deaf=st.booleans())
    def delivery(self, deaf: bool) -> None:
        if deaf:
            self.world.is_deaf = True
        else:
            self.world.hears_again()

    @invariant()
    def every_present_episode_has_an_alert(self) -> None:
        heard = {episode for known in self.world.situation.episodes.values() for episode in known}
        for episode, found in self.latest.items():
            if found.withdrawn is None and found.present:
                assert episode in heard

    @invariant()
    def one_open_alert_a_condition(self) -> None:
        open_ones = [alert.condition for alert in self.world.situation.alerts.values() if alert.is_open]
        assert len(open_ones) == len(set(open_ones))

    @invariant()
    def an_open_unanswered_alert_has_a_next_step_or_one_that_speaks_for_it(self) -> None:
        for alert in self.world.situation.alerts.values():
            if not alert.is_open or alert.state.is_taken:
                continue
            if alert.inhibited_by is None:
                assert alert.next_due_at is not None, alert
            else:
                louder = self.world.situation.alerts[alert.inhibited_by]
                assert louder.state.is_present
                assert louder.tier.rank >= alert.tier.rank
                assert louder.state is State.TAKEN or louder.next_due_at is not None or louder.inhibited_by

    @invariant()
    def no_unanswered_tier_2_or_3_closes_but_for_the_wrong_person(self) -> None:
        for alert in self.unanswered_closings:
            assert alert.outcome is Outcome.WRONG_PERSON or alert.kind == "technical"

    @invariant()
    def an_emergency_is_never_technical(self) -> None:
        for alert in self.world.situation.alerts.values():
            assert not (alert.kind == "technical" and alert.tier is Tier.EMERGENCY)


LifeCycle.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLifeCycle = LifeCycle.TestCase
