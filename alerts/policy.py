"""What a finding means to people: its tier, the ladder it runs, and which of a patient's alerts speaks.

Tables and pure functions; each answer carries its reason. Must never make an EMERGENCY of a technical finding, and
never drop a condition that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts.alert import Alert, Found, Reason, StationCondition, Tier
from alerts.ladder import LadderName
from alerts.urgency import ladder_for
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


def _tip(reason: Reason = Reason.WORTH_KNOWING) -> Rule:
    return Rule(tier=Tier.TIP, ladder=LadderName.TIP, reason=reason, latches=False)


def _equipment(ladder: LadderName = LadderName.TECHNICAL, reason: Reason = Reason.CANNOT_JUDGE) -> Rule:
    return Rule(tier=Tier.TIP, ladder=ladder, reason=reason, latches=False)


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
    Condition.VT_SUSTAINED: _emergency(),
    Condition.VT: _doctor(),
    Condition.NSVT: _doctor(),
    Condition.AF: _doctor(),
    Condition.AFLUTTER: _doctor(),
    Condition.SVT: _doctor(),
    Condition.V_BURDEN: _doctor(),
    Condition.AF_POSSIBLE: _tip(),
    Condition.BIGEMINY: _tip(),
    Condition.TRIGEMINY: _tip(),
    Condition.ECTOPY: _tip(),
    Condition.COUPLET: _tip(),
    Condition.PACED: _tip(),
    # A hand-held strip: what a doctor must know, what somebody should read, what must be recorded again.
    Condition.STRIP_AF: _doctor(),
    Condition.STRIP_OTHER: _tip(Reason.HAVE_IT_READ),
    Condition.STRIP_UNREADABLE: _equipment(LadderName.CARE, Reason.RECORD_AGAIN),
    # 180/120 repeated without symptoms; with symptoms or an ECG finding it is an emergency (`PAIRS`).
    Condition.BP_CRISIS: _doctor(),
    Condition.BP_CRISIS_UNCONFIRMED: _tip(Reason.MEASURE_AGAIN),
    Condition.BP_HIGH: _doctor(),
    Condition.BP_MEAN_HIGH: _doctor(),
    Condition.BP_VERY_LOW: _doctor(),
    Condition.BP_LOW: _tip(Reason.MEASURE_AGAIN),
    Condition.IRREGULAR_PULSE: _tip(),
    Condition.GLUCOSE_CRITICAL_LOW: _emergency(),
    Condition.GLUCOSE_VERY_LOW: _doctor(),
    Condition.GLUCOSE_PROLONGED_LOW: _doctor(),
    Condition.GLUCOSE_LOW_REPEATED: _doctor(),
    Condition.GLUCOSE_PROLONGED_VERY_HIGH: _doctor(),
    Condition.GLUCOSE_LOW: _tip(Reason.ACT_NOW),
    Condition.GLUCOSE_PREDICTED_LOW: _tip(Reason.ACT_NOW),
    Condition.GLUCOSE_COMPRESSION_LOW: _tip(Reason.FINGER_STICK),
    Condition.GLUCOSE_PROLONGED_HIGH: _tip(),
    # Findings only, until they last: see `QUIET`.
    Condition.GLUCOSE_HIGH: _tip(),
    Condition.GLUCOSE_VERY_HIGH: _tip(),
    Condition.GLUCOSE_FALL: _tip(),
    Condition.GLUCOSE_RISE: _tip(),
    Condition.SYMPTOM: _doctor(),
    Condition.SENSOR_WARM_UP: _equipment(LadderName.CARE),
    Condition.SENSOR_EXPIRED: _equipment(LadderName.CARE),
    Condition.SENSOR_SIGNAL_LOSS: _equipment(LadderName.SILENT_SENSOR),
    # The equipment of one patient: to the person who can mend it.
    Condition.NOISE: _equipment(),
    Condition.LEAD_OFF: _equipment(),
    Condition.NO_DATA: _equipment(LadderName.SILENT_ECG),
    Condition.NEVER_REPORTED: _equipment(LadderName.ENROLMENT),
    Condition.BP_MISSED: _equipment(LadderName.MISSED, Reason.MEASURE_NOW),
    Condition.BP_MISSED_REPEATED: _equipment(LadderName.MISSED_REPEATED),
    Condition.BATTERY_LOW: _equipment(LadderName.CARE, Reason.MEND_IT),
    Condition.CLOCK_OFF: _equipment(LadderName.CARE, Reason.MEND_IT),
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
    Condition.QUARANTINE_GROWING: _service(),
    Condition.OUTBOX_FILLING: _service(),
    Condition.DATA_ABANDONED: _service(latches=True),  # what is lost for good must have been seen
    Condition.CLOCK_STEP: _service(),
    Condition.INTAKE_OVERLOADED: _service(),
    Condition.STORE_FULL: _service(),
    Condition.DETERMINISM_FAULT: _service(latches=True),
    Condition.BROKER_COMPLAINS: _service(latches=True),
    StationCondition.DELIVERY_FAILING: _service(),
    # To clinicians at once: somebody of theirs has something to see, and no screen shows it.
    StationCondition.CONSOLE_NOT_LISTENING: Rule(
        tier=Tier.DOCTOR, ladder=LadderName.UNWATCHED, reason=Reason.UNANSWERED, latches=False
    ),
    StationCondition.DEAD_LETTER: _service(latches=True),
    StationCondition.UNREACHABLE: _service(latches=True),
    StationCondition.FINDING_UNREADABLE: _service(latches=True),
    StationCondition.HEARD_AFTER_END: _service(latches=True),
    StationCondition.WORKER_STALLED: _service(),
    StationCondition.STEP_OVERDUE: _service(latches=True),  # somebody was told late: it must have been seen
    StationCondition.CHARTS_STALE: _service(),
    StationCondition.UNACCOUNTED: _service(latches=True),
}

SILENCES = frozenset(
    {
        Condition.NO_DATA,
        Condition.SENSOR_SIGNAL_LOSS,
        Condition.BP_MISSED,
        Condition.BP_MISSED_REPEATED,
        Condition.NEVER_REPORTED,
    }
)
"""What is said because nothing comes from a patient: a planned pause mutes these, and these only."""

WEARERS = frozenset(
    {
        LadderName.TECHNICAL,
        LadderName.SILENT_ECG,
        LadderName.SILENT_SENSOR,
        LadderName.MISSED,
        LadderName.MISSED_REPEATED,
        LadderName.CARE,
        LadderName.ENROLMENT,
    }
)
"""Ladders that begin with whoever wears the equipment, or set it up."""

UNKNOWN_PHYSIOLOGICAL = Rule(tier=Tier.DOCTOR, ladder=LadderName.DOCTOR, reason=Reason.UNKNOWN_CONDITION, latches=True)
UNKNOWN_TECHNICAL = Rule(tier=Tier.TIP, ladder=LadderName.OPERATOR, reason=Reason.UNKNOWN_CONDITION, latches=True)

QUIET = frozenset(
    {
        Condition.GLUCOSE_HIGH,
        Condition.GLUCOSE_VERY_HIGH,
        Condition.GLUCOSE_FALL,
        Condition.GLUCOSE_RISE,
        Condition.COUPLET,
        Condition.PACED,
    }
)
"""Findings that raise no alert of their own: every meal, and many a healthy heart, would. What lasts or comes of them has
its own condition."""


def is_quiet(found: Found) -> bool:
    """Whether a finding raises no alert: its condition never does, or it is a candidate, which is not sure yet."""
    return found.condition in QUIET or bool(found.evidence.get("candidate", 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two conditions that mean more together."""

    raised: str
    """Deserves one tier more ..."""
    by: str
    """... when this is so as well ..."""
    within_s: float
    """... at the same time, or at most so long before or after, by the data's own time."""


_QUARTER, _HOUR = 900.0, 3600.0

PAIRS: tuple[Pair, ...] = (
    # detection.md, "Fusion, tiers, personal plan", 2026-11-24: crisis pressure with a symptom or an ECG finding;
    # pressure below 80 with tachycardia. Symptoms with a rhythm or a low: the same table, "one more source".
    Pair(raised=Condition.BP_CRISIS, by=Condition.SYMPTOM, within_s=_HOUR),
    Pair(raised=Condition.BP_CRISIS, by=Condition.TACHY, within_s=_QUARTER),
    Pair(raised=Condition.BP_CRISIS, by=Condition.BRADY, within_s=_QUARTER),
    Pair(raised=Condition.BP_CRISIS, by=Condition.PAUSE, within_s=_QUARTER),
    Pair(raised=Condition.BP_CRISIS_UNCONFIRMED, by=Condition.SYMPTOM, within_s=_HOUR),
    Pair(raised=Condition.BP_CRISIS_UNCONFIRMED, by=Condition.TACHY, within_s=_QUARTER),
    Pair(raised=Condition.BP_VERY_LOW, by=Condition.TACHY, within_s=_QUARTER),
    Pair(raised=Condition.BP_LOW, by=Condition.SYMPTOM, within_s=_HOUR),
    Pair(raised=Condition.BRADY, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.PAUSE, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.TACHY, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.GLUCOSE_VERY_LOW, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.GLUCOSE_LOW, by=Condition.SYMPTOM, within_s=_QUARTER),
    # A rhythm that is felt may be one that the circulation does not bear (ESC 2024, atrial fibrillation: syncope, chest
    # pain, breathlessness). A choice of ours, 2026-12-01: the patient is asked first (`urgency.ANSWERABLE`).
    Pair(raised=Condition.AF, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.AFLUTTER, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.SVT, by=Condition.SYMPTOM, within_s=_QUARTER),
    Pair(raised=Condition.VT, by=Condition.SYMPTOM, within_s=_QUARTER),
)
"""Which two sources agree. An EMERGENCY has no tier above it; nothing here lowers one."""

LONGEST_PAIR = timedelta(seconds=max(pair.within_s for pair in PAIRS))
"""What ended longer ago than this agrees with nothing."""

CHAIN: Mapping[str, int] = {
    # The lower the number the louder: of one patient only the highest speaks (detection.md).
    Condition.ASYSTOLE: 0,
    Condition.VF: 1,
    Condition.VT_SUSTAINED: 2,
    Condition.VT: 3,
    Condition.NSVT: 4,
    Condition.EXTREME_BRADY: 5,
    Condition.EXTREME_TACHY: 5,
    Condition.PAUSE: 6,
    # A rate and a rhythm are two things to know: neither silences the other.
    Condition.BRADY: 7,
    Condition.TACHY: 7,
    Condition.AF: 7,
    Condition.AFLUTTER: 7,
    Condition.SVT: 7,
    Condition.AF_POSSIBLE: 8,
    Condition.V_BURDEN: 9,
    Condition.BIGEMINY: 10,
    Condition.TRIGEMINY: 10,
    Condition.ECTOPY: 11,
}

CHAINS: tuple[Mapping[str, int], ...] = (
    CHAIN,
    {
        # One low is one alert: the gravest thing that is true of it. A finger-stick is asked for all the same.
        Condition.GLUCOSE_CRITICAL_LOW: 0,
        Condition.GLUCOSE_PROLONGED_LOW: 1,
        Condition.GLUCOSE_VERY_LOW: 2,
        Condition.GLUCOSE_LOW_REPEATED: 3,
        Condition.GLUCOSE_LOW: 4,
        Condition.GLUCOSE_PREDICTED_LOW: 5,
    },
    {Condition.GLUCOSE_PROLONGED_VERY_HIGH: 0, Condition.GLUCOSE_PROLONGED_HIGH: 1},
    # A first crisis asks for a second measurement, whatever else is known: it stands outside.
    {Condition.BP_CRISIS: 0, Condition.BP_HIGH: 1, Condition.BP_MEAN_HIGH: 2},
    {Condition.BP_VERY_LOW: 0, Condition.BP_LOW: 1},
)
"""Families of conditions within which only the loudest speaks; one family never silences another."""


def tier_of(found: Found, plan: Plan) -> Verdict:
    """Which tier this finding deserves under this plan, and why."""
    rule = RULES.get(found.condition)
    if rule is None:
        rule = UNKNOWN_TECHNICAL if found.kind is FindingKind.TECHNICAL else UNKNOWN_PHYSIOLOGICAL
    if found.kind is FindingKind.TECHNICAL:
        return _technical(found, rule)
    tier = rule.tier
    wished = plan.tiers.get(found.condition, tier)
    if wished.rank > tier.rank:
        tier = wished
    ladder = ladder_for(found.condition, tier)
    if found.condition == Condition.GLUCOSE_PREDICTED_LOW and found.evidence.get("at_night") and tier is Tier.TIP:
        ladder = LadderName.NIGHT_LOW
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
        # No siren for what is over: nothing of it becomes an emergency because nobody answers.
        return Verdict(tier=tier, ladder=LadderName(tier.value), reason=Reason.PAST, latches=latches, past=True)
    return Verdict(tier=tier, ladder=ladder, reason=rule.reason, latches=latches)


def agreed(found: Found, verdict: Verdict, others: Iterable[Found]) -> Verdict:
    """The verdict in the light of what else is known of this patient.

    One tier more where any pair agrees: the maximum over all pairs, so neither order nor repetition matters.
    """
    if verdict.past or found.withdrawn is not None or verdict.tier is Tier.EMERGENCY:
        return verdict
    partners = {pair.by: pair.within_s for pair in PAIRS if pair.raised == found.condition}
    if not any(_agrees(found, other, partners[other.condition]) for other in others if other.condition in partners):
        return verdict
    tier = Tier.DOCTOR if verdict.tier is Tier.TIP else Tier.EMERGENCY
    return Verdict(tier=tier, ladder=ladder_for(found.condition, tier), reason=Reason.TWO_SOURCES, latches=True)


def _agrees(found: Found, other: Found, within_s: float) -> bool:
    if other.subject != found.subject or other.withdrawn is not None:
        return False
    apart = timedelta(seconds=within_s)
    is_before = other.end is not None and other.end + apart < found.onset
    is_after = found.end is not None and found.end + apart < other.onset
    return not is_before and not is_after


def touched_by(condition: str) -> frozenset[str]:
    """Conditions whose verdict may rise when this one is heard: their alerts are judged again."""
    return frozenset(pair.raised for pair in PAIRS if pair.by == condition)


def _technical(found: Found, rule: Rule) -> Verdict:
    ladder = rule.ladder
    if ladder in WEARERS and found.subject_kind is not SubjectKind.PATIENT:
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
    chain = next((one for one in CHAINS if alert.condition in one), None)
    if chain is None or alert.past:
        return None
    louder = [
        other
        for other in others
        if other.subject == alert.subject
        and other.condition in chain
        and chain[other.condition] < chain[alert.condition]
        and other.state.is_present
        and not other.past
        and other.tier.rank >= alert.tier.rank
    ]
    return min(louder, key=lambda other: (chain[other.condition], other.alert), default=None)
