"""Ladders: who is told after how long, on which channel, and what happens when nobody answers.

A plan writes ladders in roles; for an alert they are resolved to people and frozen into it (`plan.frozen`), so that
a plan changed at night changes no alert that is sounding. Pure values; must never know an address of the net.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from alerts.quiet_hours import QuietHours
from alerts.schedule import Schedule


class LadderName(StrEnum):
    """The ladders of a plan."""

    TIP = "tip"
    """A tip to the patient."""
    DOCTOR = "doctor"
    """The family doctor, then the practice."""
    NIGHT_LOW = "night_low"
    """A tip to somebody who may be asleep: unanswered, it is an emergency."""
    DOCTOR_URGENT = "doctor_urgent"
    """The same of what cannot wait for ever: unanswered, it is an emergency."""
    PAST_EMERGENCY = "past_emergency"
    """An emergency that is over: the doctor at once, and the patient is asked."""
    COUNTDOWN = "countdown"
    """An emergency that a conscious person can answer: doctor and family at once, and the patient is asked; no answer is
    an answer."""
    EMERGENCY = "emergency"
    """Everybody at once, again and again until a person accepts."""
    TECHNICAL = "technical"
    """The equipment of one patient: patient and family, then practice and operator."""
    SILENT_ECG = "silent_ecg"
    """An ECG is silent: patient and family at once, the practice ten minutes after the last sample."""
    SILENT_SENSOR = "silent_sensor"
    """A glucose sensor is silent: the patient, after an hour family and practice."""
    MISSED = "missed"
    """One scheduled measurement was missed: the patient is reminded."""
    MISSED_REPEATED = "missed_repeated"
    """Several in a row were missed: the practice."""
    CARE = "care"
    """The wearer can mend it and it can wait for some hours: the patient, then family, then practice."""
    ENROLMENT = "enrolment"
    """Something that was set up does not work: the practice that did it, and the patient."""
    UNWATCHED = "unwatched"
    """A patient is archived, not judged: doctor and operator."""
    OPERATOR = "operator"
    """The server or a gateway: the operator, then the practice."""


class Role(StrEnum):
    """What somebody is to a patient."""

    PATIENT = "patient"
    """The wearer."""
    FAMILY = "family"
    """Whoever the patient named."""
    DOCTOR = "doctor"
    """The family doctor."""
    PRACTICE = "practice"
    """The practice's on-call."""
    DISPATCH = "dispatch"
    """The emergency dispatch centre."""
    OPERATOR = "operator"
    """Whoever keeps the equipment running."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Addressee:
    """One person on one channel: what a notice goes to."""

    person: str
    """Id within the care team, never a name."""
    channel: str
    """Name of a channel: `webhook`, `log`."""
    address: str
    """What the channel knows the person by: for a webhook the name of an endpoint in the settings."""
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a frozen ladder."""

    after_s: float
    """Since the cycle began."""
    to: tuple[Addressee, ...]
    missing: tuple[Role, ...] = ()
    """Roles of this step for which the care team names nobody: told to the operator instead, never dropped."""
    on_call: tuple[Role, ...] = ()
    """Roles of this step whose schedule is asked when the rung is due, beside those in `to`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """A ladder frozen into an alert."""

    rungs: tuple[Rung, ...]
    """Ascending in `after_s`."""
    repeat_s: float
    """When the whole ladder begins again, since the cycle began."""
    acknowledgement_s: float
    """How long an acknowledgement holds before the ladder starts again."""
    escalate_s: float | None = None
    """Unanswered for so long, the alert is worse than was thought."""
    escalate_to: LadderName | None = None
    schedules: dict[Role, Schedule] = field(default_factory=dict)
    """Who is on call for a role, as it was when the alert was raised."""
    quiet: QuietHours | None = None
    """Hours in which its rungs wait, unless it asks the patient to act (`urgency.LOUD`)."""


Ladders = dict[LadderName, Ladder]
