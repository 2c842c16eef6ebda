"""Statements about episodes: a new finding, or the next revision of one. Pure.

Everything that is found goes through here, so that ids, revisions and finite evidence are kept in one place.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from stream.finding import Condition, Finding, FindingKind, SubjectKind, episode_id
from stream.instants import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Evidence = dict[str, float | int | str]

TECHNICAL = frozenset(
    {
        Condition.NOISE,
        Condition.LEAD_OFF,
        Condition.NO_DATA,
        Condition.NEVER_REPORTED,
        Condition.BP_MISSED,
        Condition.BP_MISSED_REPEATED,
        Condition.BATTERY_LOW,
        Condition.CLOCK_OFF,
        Condition.LINK_SILENT,
        Condition.DETECTOR_FAILED,
        Condition.CLOCK_AHEAD,
        Condition.CLOCK_STEP,
        Condition.MALFORMED,
        Condition.SEQ_CONFLICT,
        Condition.UNKNOWN_DEVICE,
        Condition.OVERSIZED,
        Condition.QUARANTINE_FULL,
        Condition.QUARANTINE_GROWING,
        Condition.OUTBOX_FILLING,
        Condition.DATA_ABANDONED,
        Condition.INTAKE_OVERLOADED,
        Condition.STORE_FULL,
        Condition.DETERMINISM_FAULT,
        Condition.BROKER_COMPLAINS,
        Condition.SENSOR_WARM_UP,
        Condition.SENSOR_EXPIRED,
        Condition.SENSOR_SIGNAL_LOSS,
        Condition.STRIP_UNREADABLE,
    }
)
"""Conditions of the equipment; all others are of the patient."""


def opened(
    subject: str,
    condition: Condition,
    *,
    stream: str,
    opened_at: str,
    onset_us: int,
    at_us: int,
    evidence: Mapping[str, float | int | str],
    confidence: float = 1.0,
    subject_kind: SubjectKind = SubjectKind.PATIENT,
) -> Finding:
    """The first statement about an episode: it is present. `stream` and `opened_at` go into its id only."""
    return Finding(
        subject=subject,
        subject_kind=subject_kind,
        condition=condition,
        kind=FindingKind.TECHNICAL if condition in TECHNICAL else FindingKind.PHYSIOLOGICAL,
        episode=episode_id(subject, condition, stream, opened_at),
        revision=1,
        present=True,
        opened=opened_at,
        onset=instant(onset_us),
        at=instant(at_us),
        confidence=finite(confidence, 0.0),
        evidence=clean(evidence),
    )


def revised(
    before: Finding,
    *,
    at_us: int,
    onset_us: int | None = None,
    evidence: Mapping[str, float | int | str] | None = None,
    confidence: float | None = None,
) -> Finding:
    """The next statement about an episode that is present still (or again in sight)."""
    return replace(
        before,
        revision=before.revision + 1,
        present=True,
        onset=before.onset if onset_us is None else instant(onset_us),
        at=instant(at_us),
        confidence=before.confidence if confidence is None else finite(confidence, 0.0),
        evidence={**before.evidence, **clean(evidence or {})},
    )


def cleared(
    before: Finding, *, at_us: int, end_us: int, is_late: bool = False, evidence: Evidence | None = None
) -> Finding:
    """The episode is over."""
    return replace(
        before,
        revision=before.revision + 1,
        present=False,
        at=instant(at_us),
        end=instant(end_us),
        late=is_late,
        evidence={**before.evidence, **clean(evidence or {})},
    )


def withdrawn(before: Finding, *, at_us: int, why: str) -> Finding:
    """The episode should not have been laid to this subject."""
    return replace(before, revision=before.revision + 1, present=False, at=instant(at_us), withdrawn=why)


def is_open(finding: Finding) -> bool:
    """Whether the newest statement of an episode says that it is present."""
    return finding.present and finding.withdrawn is None


def open_of(recent: Iterable[Finding], condition: Condition, subject: str | None = None) -> Finding | None:
    """The open episode of a condition, if there is one."""
    return next((f for f in recent if f.condition is condition and is_open(f) and subject in (None, f.subject)), None)


def finite(value: float, otherwise: float) -> float:
    """`value` as a float that JSON can carry."""
    return round(float(value), 6) if math.isfinite(value) else otherwise


def clean(evidence: Mapping[str, float | int | str]) -> Evidence:
    """Evidence with the numbers that are no numbers left out: NaN turns into null on the wire."""
    return {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in evidence.items()
        if isinstance(value, (str, int)) or math.isfinite(value)
    }
