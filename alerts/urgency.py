"""Which emergencies a conscious person can answer, and which of the doctor's alerts cannot wait for ever.

Tables only, for review by a physician; `policy.py` gives tiers by them. Must never let a condition that leaves nobody to
answer wait for an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerts.alert import Reason, Tier
from alerts.ladder import LadderName
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERABLE = frozenset(
    {
        Condition.EXTREME_BRADY,
        Condition.EXTREME_TACHY,
        Condition.VT_SUSTAINED,
        # These are emergencies only while the patient says that they feel it.
        Condition.VT,
        Condition.AF,
        Condition.AFLUTTER,
        Condition.SVT,
        Condition.BP_CRISIS,
        Condition.GLUCOSE_CRITICAL_LOW,
        Condition.GLUCOSE_VERY_LOW,
        Condition.GLUCOSE_LOW,
    }
)
"""Emergencies that a conscious person can answer: the patient is asked before dispatch is told. Never VF nor asystole,
which leave nobody to answer (alerting.md, "Escalation")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """Why a doctor's silence makes an emergency of a condition."""

    why: str
    is_over_too: bool
    """Also when it is over: it comes back without warning."""


URGENT: Mapping[str, Urgency] = {
    # A choice of ours, 2026-11-24, for review by a physician. What is not here waits for its doctor, however long:
    # AF, flutter, SVT and burden are matters of days; BRADY and TACHY alone too (felt, all but burden are emergencies).
    Condition.VT: Urgency(why="may become sustained or fibrillate", is_over_too=True),
    Condition.PAUSE: Urgency(why="the next one may be longer, and a fall", is_over_too=True),
    Condition.VT_SUSTAINED: Urgency(why="loses its pulse without warning", is_over_too=True),
    Condition.EXTREME_BRADY: Urgency(why="hardly any circulation", is_over_too=False),
    Condition.EXTREME_TACHY: Urgency(why="hardly any filling between beats", is_over_too=False),
    Condition.BP_CRISIS: Urgency(why="may damage brain, heart and kidneys within hours", is_over_too=False),
    Condition.BP_CRISIS_UNCONFIRMED: Urgency(why="with a symptom: the same", is_over_too=False),
    Condition.BP_VERY_LOW: Urgency(why="may be shock", is_over_too=False),
    Condition.GLUCOSE_CRITICAL_LOW: Urgency(why="unconsciousness, seizure", is_over_too=False),
    Condition.GLUCOSE_VERY_LOW: Urgency(why="the next is unconsciousness", is_over_too=False),
    Condition.GLUCOSE_PROLONGED_LOW: Urgency(why="nobody has treated it for two hours", is_over_too=False),
    Condition.GLUCOSE_LOW: Urgency(why="with a symptom: the next is unconsciousness", is_over_too=False),
}
"""Conditions that a doctor's silence makes an emergency, after the time of the ladder `doctor_urgent`."""

ASKING: Mapping[LadderName, LadderName] = {
    LadderName.COUNTDOWN: LadderName.DOCTOR_URGENT,
    LadderName.PAST_EMERGENCY: LadderName.DOCTOR,
    LadderName.NIGHT_LOW: LadderName.NIGHT_LOW,
}
"""Ladders on which the patient is asked how they are, and the one that runs when they are all right; where it is the
same, the answer holds as an acknowledgement does."""


LOUD = frozenset({Reason.ACT_NOW, Reason.FINGER_STICK, Reason.MEASURE_AGAIN, Reason.RECORD_AGAIN})
"""Tips that ask the patient to do something now: quiet hours do not keep them."""


def after_well(ladder: LadderName, condition: str) -> LadderName | None:
    """Which ladder runs when a patient who is asked on `ladder` is all right; None: it asks nothing."""
    following = ASKING.get(ladder)
    if following is LadderName.DOCTOR_URGENT and condition not in URGENT:
        return LadderName.DOCTOR  # nobody's silence made an emergency of it before it was felt
    return following


def ladder_for(condition: str, tier: Tier) -> LadderName:
    """Which ladder a physiological condition runs at a tier."""
    if tier is Tier.EMERGENCY and condition in ANSWERABLE:
        return LadderName.COUNTDOWN
    if tier is Tier.DOCTOR and condition in URGENT:
        return LadderName.DOCTOR_URGENT
    return LadderName(tier.value)
