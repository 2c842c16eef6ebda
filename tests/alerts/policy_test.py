"""Tiers by the table of detection.md, and which of a patient's alerts speaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from alerts import reaction
from alerts.alert import Alert, Occurrence, Reason, State, Tier
from alerts.catalogue import CONDITIONS, REASONS
from alerts.course import raised
from alerts.ladder import LadderName, Role
from alerts.plan import DEFAULT_LADDERS, TIER_OF_LADDER, Plan
from alerts.policy import CHAIN, CHAINS, PAIRS, QUIET, RULES, WEARERS, agreed, inhibitor, tier_of, touched_by
from stream.finding import Condition, FindingKind, SubjectKind
from stream.statement import TECHNICAL
from tests.alerts.desk import START, finding

PLAN = Plan(patient="ada")
TECHNICAL_LADDERS = {*WEARERS, LadderName.OPERATOR, LadderName.UNWATCHED}


@pytest.mark.parametrize(
    ("condition", "tier"),
    [
        (Condition.VF, Tier.EMERGENCY),
        (Condition.ASYSTOLE, Tier.EMERGENCY),
        (Condition.EXTREME_BRADY, Tier.EMERGENCY),
        (Condition.EXTREME_TACHY, Tier.EMERGENCY),
        (Condition.PAUSE, Tier.DOCTOR),
        (Condition.BRADY, Tier.DOCTOR),
        (Condition.TACHY, Tier.DOCTOR),
        (Condition.BP_CRISIS, Tier.DOCTOR),
        (Condition.BP_CRISIS_UNCONFIRMED, Tier.TIP),  # one reading makes no crisis
        (Condition.GLUCOSE_CRITICAL_LOW, Tier.EMERGENCY),
        (Condition.GLUCOSE_VERY_LOW, Tier.DOCTOR),
        (Condition.GLUCOSE_LOW, Tier.TIP),
        (Condition.GLUCOSE_LOW_REPEATED, Tier.DOCTOR),
        (Condition.GLUCOSE_PROLONGED_HIGH, Tier.TIP),
        (Condition.GLUCOSE_PROLONGED_VERY_HIGH, Tier.DOCTOR),
        (Condition.BP_HIGH, Tier.DOCTOR),
        (Condition.BP_MEAN_HIGH, Tier.DOCTOR),
        (Condition.SENSOR_EXPIRED, Tier.TIP),
        (Condition.DETECTOR_FAILED, Tier.DOCTOR),  # a patient who is not watched is the doctor's matter too
    ],
)
def test_tiers(condition: Condition, tier: Tier) -> None:
    assert tier_of(finding(condition), PLAN).tier is tier


@pytest.mark.parametrize("condition", Condition)
def test_every_condition_has_a_rule_and_words_in_both_languages(condition: Condition) -> None:
    assert condition in RULES
    assert set(CONDITIONS[condition]) == {"en", "zh"}
    verdict = tier_of(finding(condition), PLAN)
    assert all(REASONS[verdict.reason].values())


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize("condition", sorted(TECHNICAL))
@pytest.mark.parametrize("late", [False, True])
def test_a_technical_alert_is_never_an_emergency(condition: Condition, late: bool) -> None:
    wild = Plan(patient="ada", tiers={condition: Tier.EMERGENCY})
    verdict = tier_of(finding(condition, present=not late, late=late), wild)
    assert verdict.tier is not Tier.EMERGENCY
    assert verdict.ladder in TECHNICAL_LADDERS


@pytest.mark.parametrize("name", sorted(TECHNICAL_LADDERS))
def test_a_technical_ladder_never_ends_never_escalates_and_never_reaches_dispatch(name: LadderName) -> None:
    ladder = DEFAULT_LADDERS[name]
    assert TIER_OF_LADDER[name] is not Tier.EMERGENCY
    assert ladder.escalate_to is None
    assert ladder.repeat_s > 0
    assert Role.DISPATCH not in {role for step in ladder.steps for role in step.roles}


def test_what_concerns_no_patient_goes_to_the_operator() -> None:
    for condition in TECHNICAL:
        verdict = tier_of(replace(finding(condition), subject_kind=SubjectKind.CLIENT), PLAN)
        assert verdict.ladder in {LadderName.OPERATOR, LadderName.UNWATCHED}


def test_a_past_emergency_runs_the_doctor_s_ladder_at_once() -> None:
    verdict = tier_of(finding(Condition.VF, present=False, late=True), PLAN)
    assert (verdict.tier, verdict.ladder, verdict.past) == (Tier.DOCTOR, LadderName.PAST_EMERGENCY, True)


def test_what_is_present_at_the_last_sample_is_never_past() -> None:
    verdict = tier_of(finding(Condition.VF, present=True, late=True), PLAN)
    assert (verdict.tier, verdict.past) == (Tier.EMERGENCY, False)


def test_a_plan_may_raise_a_tier_but_not_lower_one() -> None:
    plan = Plan(patient="ada", tiers={Condition.PAUSE: Tier.EMERGENCY, Condition.VF: Tier.TIP})
    assert tier_of(finding(Condition.PAUSE), plan).tier is Tier.EMERGENCY
    assert tier_of(finding(Condition.VF), plan).tier is Tier.EMERGENCY


def test_a_condition_of_a_newer_stream_is_taken_seriously() -> None:
    new = Occurrence(
        subject="ada", subject_kind=SubjectKind.PATIENT, condition="torsades", kind=FindingKind.PHYSIOLOGICAL,
        episode=finding(Condition.VF).episode, revision=1, present=True, onset=START,
    )  # fmt: skip
    verdict = tier_of(new, PLAN)
    assert (verdict.tier, verdict.reason) == (Tier.DOCTOR, Reason.UNKNOWN_CONDITION)


def _alert(condition: Condition, **changes: object) -> Alert:
    found = finding(condition)
    alert = raised(found, tier_of(found, PLAN), PLAN, START).alert
    return replace(alert, **changes)  # type: ignore[arg-type]


def test_the_louder_speaks_whatever_the_order() -> None:
    alerts = [
        _alert(condition) for condition in (Condition.ASYSTOLE, Condition.VF, Condition.EXTREME_BRADY, Condition.PAUSE)
    ]
    for order in permutations(alerts):
        for alert in alerts:
            louder = inhibitor(alert, order)
            assert (louder.condition if louder else None) == (
                None if alert.condition == Condition.ASYSTOLE else "asystole"
            )


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.LATCHED},  # over: it must not silence what is
        {"past": True},
        {"subject": "bea"},  # another patient
    ],
)
def test_what_is_over_past_or_another_s_silences_nothing(changes: dict[str, object]) -> None:
    assert inhibitor(_alert(Condition.VF), [_alert(Condition.ASYSTOLE, **changes)]) is None


def test_a_lower_tier_never_silences_a_higher_one() -> None:
    pause = _alert(Condition.PAUSE)
    tachy = _alert(Condition.TACHY, tier=Tier.EMERGENCY)
    assert CHAIN[pause.condition] < CHAIN[tachy.condition]
    assert inhibitor(tachy, [pause]) is None


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.raised}+{pair.by}")
def test_a_pair_raises_one_tier_in_any_order_and_however_often(pair) -> None:
    found = finding(pair.raised)
    alone = tier_of(found, PLAN)
    near = finding(pair.by, at=START + timedelta(seconds=pair.within_s), present=False)
    others = [near, near, finding(Condition.NOISE), finding(Condition.VF)]
    for order in permutations(others):
        assert agreed(replace(found, present=False, end=START), alone, order).tier.rank == alone.tier.rank + 1
    assert pair.raised in touched_by(pair.by)


@pytest.mark.parametrize(
    "other",
    [
        finding(Condition.SYMPTOM, at=START - timedelta(hours=2), present=False),  # over long before
        finding(Condition.SYMPTOM, subject="bea"),  # another patient's
        finding(Condition.SYMPTOM, withdrawn="wrong_person"),
        finding(Condition.NOISE),  # no partner
    ],
)
def test_what_does_not_agree_raises_nothing(other) -> None:
    found = finding(Condition.BP_CRISIS)
    verdict = tier_of(found, PLAN)
    assert agreed(found, verdict, [other]) == verdict


def test_an_emergency_stays_one_and_what_is_past_is_not_raised() -> None:
    assert agreed(finding(Condition.VF), tier_of(finding(Condition.VF), PLAN), []).tier is Tier.EMERGENCY
    past = finding(Condition.BP_CRISIS, present=False, late=True)
    assert agreed(past, tier_of(past, PLAN), [finding(Condition.SYMPTOM)]).past


@pytest.mark.parametrize("condition", sorted(QUIET))
def test_a_quiet_finding_raises_no_alert(condition: Condition) -> None:
    assert reaction.heard(reaction.Situation(), finding(condition), PLAN, START) == ()


def test_a_candidate_raises_no_alert_until_it_is_sure() -> None:
    """An athlete at 43 a minute wakes nobody; at 38 the doctor is told, in the same episode."""
    near = replace(finding(Condition.BRADY), evidence={"rate_bpm": 43.0, "candidate": 1})
    assert reaction.heard(reaction.Situation(), near, PLAN, START) == ()
    sure = replace(near, revision=2, evidence={"rate_bpm": 38.0, "candidate": 0})
    (change,) = reaction.heard(reaction.Situation(), sure, PLAN, START)
    assert change.alert.tier is Tier.DOCTOR


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: next(iter(chain)))
def test_within_a_family_the_loudest_speaks_and_no_other_family_is_silenced(chain) -> None:
    alerts = [_alert(condition) for condition in chain]
    others = [_alert(condition) for family in CHAINS if family is not chain for condition in family]
    loudest = min(chain.values())
    for alert in alerts:
        louder = inhibitor(alert, [*alerts, *others])
        assert louder is None or louder.condition in chain
        assert (louder is None) == all(
            chain[o.condition] >= chain[alert.condition] or o.tier.rank < alert.tier.rank for o in alerts
        )
    assert loudest == 0


def test_a_condition_belongs_to_one_family() -> None:
    members = [condition for chain in CHAINS for condition in chain]
    assert len(members) == len(set(members))
