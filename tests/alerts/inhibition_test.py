"""One patient, two emergencies: only the louder speaks; what was over before it could speak rings no siren later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts import reaction
from alerts.ladder import LadderName
from alerts.plan import Plan
from stream.finding import Condition
from stream.instants import micros
from stream.statement import cleared, opened

T0 = datetime(2026, 11, 24, 8, tzinfo=UTC)


def found(condition, at_s):
    at = micros(T0 + timedelta(seconds=at_s))
    return opened("ada", condition, stream="ecg1/ecg/I", opened_at=f"s:{at_s}", onset_us=at, at_us=at, evidence={})


def over(finding, at_s):
    at = micros(T0 + timedelta(seconds=at_s))
    return cleared(finding, at_us=at, end_us=at)


def heard(*findings):
    situation = reaction.Situation()
    for finding in findings:
        changes = reaction.heard(situation, finding, Plan(patient="ada"), finding.at)
        situation = reaction.applied(situation, changes)
    return {alert.condition: alert for alert in situation.alerts.values()}


def test_an_emergency_that_was_over_before_it_could_speak_goes_to_the_doctor_not_to_dispatch():
    vf, slow = found(Condition.VF, 0), found(Condition.EXTREME_BRADY, 10)
    alerts = heard(vf, slow, over(slow, 20), over(vf, 60))
    assert alerts[Condition.VF].ladder is LadderName.EMERGENCY
    assert alerts[Condition.EXTREME_BRADY].ladder is LadderName.PAST_EMERGENCY
    assert alerts[Condition.EXTREME_BRADY].next_due_at is not None


def test_one_that_is_still_present_when_the_louder_ends_is_a_full_emergency():
    vf, slow = found(Condition.VF, 0), found(Condition.EXTREME_BRADY, 10)
    alerts = heard(vf, slow, over(vf, 60))
    assert alerts[Condition.EXTREME_BRADY].ladder is LadderName.EMERGENCY
    assert alerts[Condition.EXTREME_BRADY].inhibited_by is None


def test_one_that_comes_back_after_that_is_a_full_emergency_again():
    vf, slow = found(Condition.VF, 0), found(Condition.EXTREME_BRADY, 10)
    alerts = heard(vf, slow, over(slow, 20), over(vf, 60), found(Condition.EXTREME_BRADY, 90))
    assert alerts[Condition.EXTREME_BRADY].ladder is LadderName.EMERGENCY
