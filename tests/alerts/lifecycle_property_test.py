"""No sequence of findings, words of people, delivery troubles, deaths and time loses an alert or forgets a step."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import time, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alerts.alert import AlertId, EventType, Outcome, State, StationCondition, Tier
from alerts.countdown import NotAsked
from alerts.ladder import LadderName, Role
from alerts.machine import IllegalMove
from alerts.pauses import SILENCE, PauseKind, PauseRefused
from alerts.plan import Plan
from alerts.quiet_hours import QuietHours
from alerts.snooze import SnoozeRefused
from stream.finding import Condition, Finding, FindingKind
from tests.alerts.desk import finding
from tests.alerts.world import World

CONDITIONS = st.sampled_from(
    [Condition.VF, Condition.ASYSTOLE, Condition.EXTREME_TACHY, Condition.VT_SUSTAINED, Condition.VT, Condition.PAUSE,
     Condition.BRADY, Condition.SYMPTOM, Condition.BP_CRISIS_UNCONFIRMED, Condition.GLUCOSE_LOW, Condition.AF_POSSIBLE,
     Condition.LEAD_OFF, Condition.NO_DATA, Condition.DETECTOR_FAILED]
)  # fmt: skip
QUIET = QuietHours(start=time(21), end=time(6), zone="Europe/Berlin")
REFUSALS = (StopIteration, IllegalMove, NotAsked, SnoozeRefused, PauseRefused)


class LifeCycle(RuleBasedStateMachine):
    """One patient's alerts under everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(plan=Plan(patient="ada", quiet=QUIET))
        self.latest: dict[object, Finding] = {}
        self.known: set[AlertId] = set()
        self.before_end = 0

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
        self.world.says(new)

    @rule(condition=CONDITIONS, opened=st.integers(0, 2))
    def repeats(self, condition: Condition, opened: int) -> None:
        known = self.latest.get(finding(condition, opened=f"s|{opened}").episode)
        if known is not None and self.world.situation.ended_at is None:
            assert self.world.says(known) == (), "the same finding again changes nothing"

    @rule(seconds=st.sampled_from([1, 20, 31, 61, 400, 4000, 100_000]), awake=st.booleans())
    def time_passes(self, seconds: int, awake: bool) -> None:
        if awake:
            until = self.world.now + timedelta(seconds=min(seconds, 4000))
            while (due := self.world._next()) is not None and due <= until:
                self.world.now = max(self.world.now, due)
                self.world.station()
            self.world.now = until
        else:
            self.world.sleeps(seconds)

    @rule()
    def dies_between_two_steps(self) -> None:
        self.world.dies()

    @rule(
        condition=CONDITIONS,
        verb=st.sampled_from(["acknowledges", "accepts", "rejects", "closes"]),
        who=st.sampled_from(["ann", "patient"]),
    )
    def answers(self, condition: Condition, verb: str, who: str) -> None:
        with suppress(*REFUSALS):
            getattr(self.world, verb)(who, self.world.alert(condition))

    @rule(condition=CONDITIONS, word=st.sampled_from(["is_well", "wants_help"]))
    def the_patient_says(self, condition: Condition, word: str) -> None:
        with suppress(*REFUSALS):
            getattr(self.world, word)(self.world.alert(condition))

    @rule(condition=CONDITIONS, minutes=st.sampled_from([1.0, 5.0, 60.0, 480.0]), role=st.sampled_from(Role))
    def snoozes(self, condition: Condition, minutes: float, role: Role) -> None:
        with suppress(*REFUSALS):
            self.world.snoozes(role, self.world.alert(condition), minutes, role)

    @rule(
        kind=st.sampled_from(PauseKind), minutes=st.sampled_from([10.0, 60.0, 700.0]), ahead_s=st.sampled_from([0, 30])
    )
    def pauses(self, kind: PauseKind, minutes: float, ahead_s: int) -> None:
        with suppress(*REFUSALS):
            self.world.pauses(kind, minutes, ahead_s=ahead_s)

    @rule()
    def lifts_a_pause(self) -> None:
        for pause in self.world.situation.pauses:
            if pause.lifted_at is None and pause.until_at > self.world.now:
                self.world.lifts(pause)
                return

    @rule(deaf=st.booleans())
    def delivery(self, deaf: bool) -> None:
        if deaf:
            self.world.is_deaf = True
        else:
            self.world.hears_again()

    @precondition(lambda self: self.world.situation.ended_at is None and len(self.latest) > 2)
    @rule()
    def monitoring_ends(self) -> None:
        self.world.ends()
        self.before_end = len(self.world.notices)

    @precondition(lambda self: self.world.situation.ended_at is not None)
    @rule()
    def monitoring_begins_again(self) -> None:
        self.world.begins()
        for known in self.latest.values():
            self.world.says(known)  # the comparison of levels

    @invariant()
    def every_present_episode_has_an_alert(self) -> None:
        if self.world.situation.ended_at is not None:
            return
        heard = {episode for known in self.world.situation.episodes.values() for episode in known}
        for episode, found in self.latest.items():
            if found.withdrawn is None and found.present:
                assert episode in heard

    @invariant()
    def no_alert_is_lost(self) -> None:
        now = set(self.world.situation.alerts)
        assert self.known <= now
        self.known = now

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
    def what_nobody_answered_closes_by_a_person_the_wrong_person_or_the_end_only(self) -> None:
        for key, entries in self.world.history.items():
            alert = self.world.situation.alerts[key]
            for entry in entries:
                if entry.after is State.CLOSED and entry.before.is_unanswered and entry.what not in {
                    "closed", "withdrawn", "ended",
                }:  # fmt: skip
                    assert entry.what == "faded"
                    assert alert.tier is Tier.TIP or alert.kind is FindingKind.TECHNICAL or alert.generation > 0

    @invariant()
    def one_notice_for_one_step_and_person(self) -> None:
        steps = [
            (one.alert, one.event, one.generation, one.cycle, one.rung, one.to.person, one.to.channel)
            for one in self.world.notices.values()
        ]
        assert len(steps) == len(set(steps))

    @invariant()
    def an_emergency_is_never_technical(self) -> None:
        for alert in self.world.situation.alerts.values():
            assert not (alert.kind is FindingKind.TECHNICAL and alert.tier is Tier.EMERGENCY)

    @invariant()
    def whose_ladder_is_the_emergency_s_dispatch_has_a_notice_of(self) -> None:
        told = {(one.alert, one.generation) for one in self.world.notices.values() if one.to.role is Role.DISPATCH}
        for alert in self.world.situation.alerts.values():
            runs = alert.is_open and alert.ladder is LadderName.EMERGENCY and (alert.cycle > 0 or alert.rung > 0)
            assert not runs or (alert.alert, alert.generation) in told, alert

    @invariant()
    def a_countdown_ends(self) -> None:
        for alert in self.world.situation.alerts.values():
            counts = alert.is_open and alert.ladder is LadderName.COUNTDOWN and not alert.state.is_taken
            if counts and alert.inhibited_by is None:
                assert alert.asked_until is not None, alert
                assert alert.next_due_at is not None
                assert alert.next_due_at <= alert.asked_until <= self.world.now + timedelta(seconds=30)

    @invariant()
    def only_silence_is_paused(self) -> None:
        for alert in self.world.situation.alerts.values():
            assert alert.paused_until is None or alert.condition in SILENCE

    @invariant()
    def after_the_end_nobody_hears_but_the_operator_and_dispatch_is_stood_down(self) -> None:
        if self.world.situation.ended_at is None:
            return
        for alert in self.world.situation.alerts.values():
            if alert.condition != StationCondition.HEARD_AFTER_END:
                assert alert.outcome is not None, alert
        for notice in list(self.world.notices.values())[self.before_end :]:
            assert notice.to.role in {Role.OPERATOR, Role.PRACTICE}, notice
        ended = {key for key, alert in self.world.situation.alerts.items() if alert.outcome is Outcome.ENDED}
        for notice in self.world.notices.values():
            if notice.alert in ended and notice.type is EventType.STOOD_DOWN:
                is_last = notice.generation == self.world.situation.alerts[notice.alert].generation
                assert notice.to.role is Role.DISPATCH or not is_last


LifeCycle.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLifeCycle = LifeCycle.TestCase
