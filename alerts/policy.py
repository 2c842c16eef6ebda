"""What a finding means to people: its tier, the ladder it runs, and which of a patient's alerts speaks.

Tables and pure functions; each answer carries its reason. Must never make an EMERGENCY of a technical finding, and
never drop a condition that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerts.alert import Alert, Found, Reason, StationCondition, Tier
from alerts.ladder import LadderName
from stream.finding import Condition, FindingKind, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alerts.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one condition deserves."""

    tier: Tier
    ladder: LadderName
    reason: Reason
    latches: bool
    """Stays open when it is over, until somebody has seen it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one finding deserves under one plan, and why."""

    tier: Tier
    ladder: LadderName
    reason: Reason
    latches: bool
    past: bool = False


def _emergency() -> Rule:
    return Rule(tier=Tier.EMERGENCY, ladder=LadderName.EMERGENCY, reason=Reason.LIFE_THREATENING, latches=True)


def _doctor() -> Rule:
    return Rule(tier=Tier.DOCTOR, ladder=LadderName.DOCTOR, reason=Reason.NEEDS_A_DOCTOR, latches=True)


def _equipment() -> Rule:
    return Rule(tier=Tier.TIP, ladder=LadderName.TECHNICAL, reason=Reason.CANNOT_JUDGE, latches=False)


def _service(*, latches: bool = False) -> Rule:
    return Rule(tier=Tier.TIP, ladder=LadderName.OPERATOR, reason=Reason.SERVICE_FAULT, latches=latches)


RULES: Mapping[str, Rule] = {
    # detection.md, "Fusion, tiers, personal plan", 2026-11-24.
    Condition.VF: _emergency(),
    Condition.ASYSTOLE: _emergency(),
    Condition.EXTREME_BRADY: _emergency(),
    Condition.EXTREME_TACHY: _emergency(),
    Condition.PAUSE: _doctor(),
    Condition.BRADY: _doctor(),
    Condition.TACHY: _doctor(),
    # 180/120 repeated without symptoms; with symptoms or an ECG finding it is an emergency (fusion, issue 5).
    Condition.BP_CRISIS: _doctor(),
    Condition.BP_CRISIS_UNCONFIRMED: Rule(
        tier=Tier.TIP, ladder=LadderName.TIP, reason=Reason.MEASURE_AGAIN, latches=False
    ),
    # The equipment of one patient: to the person who can mend it.
    Condition.NOISE: _equipment(),
    Condition.LEAD_OFF: _equipment(),
    Condition.NO_DATA: _equipment(),
    Condition.LINK_SILENT: _equipment(),
    Condition.CLOCK_AHEAD: _equipment(),
    Condition.DETECTOR_FAILED: Rule(
        tier=Tier.DOCTOR, ladder=LadderName.UNWATCHED, reason=Reason.PATIENT_UNWATCHED, latches=True
    ),
    # What came cannot be read, or the server itself is in trouble: to the operator.
    Condition.MALFORMED: _service(),
    Condition.SEQ_CONFLICT: _service(latches=True),
    Condition.UNKNOWN_DEVICE: _service(),
    Condition.OVERSIZED: _service(),
    Condition.QUARANTINE_FULL: _service(),
    Condition.DATA_ABANDONED: _service(latches=True),  # what is lost for good must have been seen
    Condition.CLOCK_STEP: _service(),
    Condition.INTAKE_OVERLOADED: _service(),
    Condition.STORE_FULL: _service(),
    Condition.DETERMINISM_FAULT: _service(latches=True),
    StationCondition.DELIVERY_FAILING: _service(),
    StationCondition.UNREACHABLE: _service(latches=True),
    StationCondition.FINDING_UNREADABLE: _service(latches=True),
}

UNKNOWN_PHYSIOLOGICAL = Rule(
    tier=Tier.DOCTOR, ladder=LadderName.DOCTOR, reason=Reason.UNKNOWN_CONDITION, latches=True
)
UNKNOWN_TECHNICAL = Rule(tier=Tier.TIP, ladder=LadderName.OPERATOR, reason=Reason.UNKNOWN_CONDITION, latches=True)

CHAIN: Mapping[str, int] = {
    # The lower the number the louder: of one patient only the highest speaks (detection.md).
    Condition.ASYSTOLE: 0,
    Condition.VF: 1,
    Condition.EXTREME_BRADY: 2,
    Condition.EXTREME_TACHY: 2,
    Condition.PAUSE: 3,
    Condition.BRADY: 4,
    Condition.TACHY: 4,
}


def tier_of(found: Found, plan: Plan) -> Verdict:
    """Which tier this finding deserves under this plan, and why."""
    rule = RULES.get(found.condition)
    if rule is None:
        rule = UNKNOWN_TECHNICAL if found.kind is FindingKind.TECHNICAL else UNKNOWN_PHYSIOLOGICAL
    if found.kind is FindingKind.TECHNICAL:
        return _technical(found, rule)
    tier, ladder = rule.tier, rule.ladder
    wished = plan.tiers.get(found.condition, tier)
    if wished.rank > tier.rank:
        tier, ladder = wished, LadderName(wished.value)
    latches = rule.latches or tier is not Tier.TIP
    if found.late and not found.present:
        # Present and late cannot be: the last thing heard must sound (log.md, "Late is not silent").
        if tier is Tier.EMERGENCY:
            return Verdict(
                tier=Tier.DOCTOR,
                ladder=LadderName.PAST_EMERGENCY,
                reason=Reason.PAST_EMERGENCY,
                latches=True,
                past=True,
            )
        return Verdict(tier=tier, ladder=ladder, reason=Reason.PAST, latches=latches, past=True)
    return Verdict(tier=tier, ladder=ladder, reason=rule.reason, latches=latches)


def _technical(found: Found, rule: Rule) -> Verdict:
    ladder = rule.ladder
    if ladder is LadderName.TECHNICAL and found.subject_kind is not SubjectKind.PATIENT:
        ladder = LadderName.OPERATOR  # a gateway or the server has no family
    tier = Tier.DOCTOR if rule.tier is Tier.EMERGENCY else rule.tier
    return Verdict(tier=tier, ladder=ladder, reason=rule.reason, latches=rule.latches)


def latches(alert: Alert) -> bool:
    """Whether an alert stays open when its condition is over."""
    rule = RULES.get(alert.condition)
    if alert.kind is FindingKind.PHYSIOLOGICAL and alert.tier is not Tier.TIP:
        return True
    return rule.latches if rule is not None else True


def inhibitor(alert: Alert, others: Iterable[Alert]) -> Alert | None:
    """The alert of the same patient that speaks in place of this one: the loudest that is present, and live."""
    if alert.condition not in CHAIN or alert.past:
        return None
    louder = [
        other
        for other in others
        if other.subject == alert.subject
        and other.condition in CHAIN
        and CHAIN[other.condition] < CHAIN[alert.condition]
        and other.state.is_present
        and not other.past
        and other.tier.rank >= alert.tier.rank
    ]
    return min(louder, key=lambda other: (CHAIN[other.condition], other.alert), default=None)
