"""The word of the stream: a finding, what is true of a patient or of the equipment.

A finding is a level, not an edge: a row is written whenever what it says changes, and "cleared" is a finding too.
Ids are derived from content and frozen, so that judging the same data again gives the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID, uuid5

PatientId = NewType("PatientId", str)
"""Who a reading belongs to; a name is known to `api.roster` only."""

NAMESPACE = UUID("6c2f1f6e-3b64-5d0c-9a53-7469657277a7")
"""Root of all derived ids of Tierwatch. Changing it would make every open alert a new one."""


class SubjectKind(StrEnum):
    """What a finding is about."""

    PATIENT = "patient"
    """A person."""
    CLIENT = "client"
    """A gateway, or a wearable that speaks MQTT itself."""
    COMPONENT = "component"
    """A part of the server: intake, store, clock."""


class FindingKind(StrEnum):
    """Whether the body or the equipment is meant (ISO/IEEE 11073 BICEPS)."""

    PHYSIOLOGICAL = "physiological"
    """True of the patient."""
    TECHNICAL = "technical"
    """True of the equipment: something cannot be judged, is missing, or is failing."""


class Condition(StrEnum):
    """Everything that can be found."""

    VF = "vf"
    """Ventricular fibrillation or flutter, or a ventricular tachycardia that looks like it."""
    ASYSTOLE = "asystole"
    """No heart beat in any judgeable lead."""
    PAUSE = "pause"
    """A long interval between two beats."""
    BRADY = "brady"
    """A slow heart: under the patient's limit over 5 beats."""
    EXTREME_BRADY = "extreme_brady"
    """A heart too slow to live with."""
    TACHY = "tachy"
    """A fast heart, sustained."""
    EXTREME_TACHY = "extreme_tachy"
    """A heart too fast to pump."""
    BP_CRISIS = "bp_crisis"
    """Crisis pressure, repeated."""
    BP_CRISIS_UNCONFIRMED = "bp_crisis_unconfirmed"
    """A first crisis pressure: a second measurement is asked for."""

    NOISE = "noise"
    """The ECG cannot be judged for noise."""
    LEAD_OFF = "lead_off"
    """An electrode is off."""
    NO_DATA = "no_data"
    """The signal's own time stands still: nothing new to judge from this device. `cause` in the evidence says why, likely."""
    NEVER_REPORTED = "never_reported"
    """A device that was given to a patient has never sent a measurement since."""
    BP_MISSED = "bp_missed"
    """A blood pressure that the plan schedules was not measured."""
    BP_MISSED_REPEATED = "bp_missed_repeated"
    """Two scheduled blood pressures or more in a row were not measured."""
    BATTERY_LOW = "battery_low"
    """A device says that its battery will soon be empty."""
    CLOCK_OFF = "clock_off"
    """A device's own clock is wrong by more than a limit: what it dates itself is corrected, or doubtful."""
    LINK_SILENT = "link_silent"
    """A client has not been heard."""
    DETECTOR_FAILED = "detector_failed"
    """The detector failed on this patient, who is benched: archived, not judged."""
    CLOCK_AHEAD = "clock_ahead"
    """A device dates its data into the future."""
    CLOCK_STEP = "clock_step"
    """The server's own clock was stepped."""
    MALFORMED = "malformed"
    """A client sends what cannot be decoded or contradicts itself."""
    SEQ_CONFLICT = "seq_conflict"
    """The same number was sent with two contents."""
    UNKNOWN_DEVICE = "unknown_device"
    """A device sends that is assigned to nobody."""
    OVERSIZED = "oversized"
    """A message over the size limit was refused."""
    QUARANTINE_FULL = "quarantine_full"
    """A client sent more bad messages in a day than are kept: the rest is counted only."""
    QUARANTINE_GROWING = "quarantine_growing"
    """Much lands in quarantine, whoever sends it: something is wrong with more than one message."""
    OUTBOX_FILLING = "outbox_filling"
    """A gateway's outbox fills: it hears more than it gets rid of, and will have to give waveform up."""
    DATA_ABANDONED = "data_abandoned"
    """An outbox had to give data up."""
    INTAKE_OVERLOADED = "intake_overloaded"
    """Intake takes in more slowly than is sent; outboxes hold."""
    STORE_FULL = "store_full"
    """The disk of the store is full or nearly so; outboxes hold."""
    DETERMINISM_FAULT = "determinism_fault"
    """Judging the same data again by the same code gave another result."""
    BROKER_COMPLAINS = "broker_complains"
    """The broker dropped or refused messages or clients, and only its own log says so."""
    GLUCOSE_LOW = "glucose_low"
    """Glucose below 70 mg/dL for 15 min."""
    GLUCOSE_VERY_LOW = "glucose_very_low"
    """Glucose below 54 mg/dL for 15 min."""
    GLUCOSE_CRITICAL_LOW = "glucose_critical_low"
    """Glucose below 40 mg/dL, or below 54 for 15 min and falling still."""
    GLUCOSE_PROLONGED_LOW = "glucose_prolonged_low"
    """Glucose below 54 mg/dL for two hours."""
    GLUCOSE_LOW_REPEATED = "glucose_low_repeated"
    """A second low within a day."""
    GLUCOSE_HIGH = "glucose_high"
    """Glucose above 180 mg/dL for 15 min."""
    GLUCOSE_VERY_HIGH = "glucose_very_high"
    """Glucose above 250 mg/dL for 15 min."""
    GLUCOSE_PROLONGED_HIGH = "glucose_prolonged_high"
    """Glucose above 180 mg/dL for two hours."""
    GLUCOSE_PROLONGED_VERY_HIGH = "glucose_prolonged_very_high"
    """Glucose above 250 mg/dL for two hours."""
    GLUCOSE_FALL = "glucose_fall"
    """Glucose falls by 2 mg/dL a minute or faster."""
    GLUCOSE_RISE = "glucose_rise"
    """Glucose rises by 2 mg/dL a minute or faster."""
    GLUCOSE_PREDICTED_LOW = "glucose_predicted_low"
    """Glucose will be at 55 mg/dL or below within 20 min, by this patient's own model."""
    GLUCOSE_COMPRESSION_LOW = "glucose_compression_low"
    """A low that looks like lying on the sensor: a finger-stick is asked for; the low itself is told all the same."""
    SENSOR_WARM_UP = "sensor_warm_up"
    """A glucose sensor warms up: no glucose is judged meanwhile."""
    SENSOR_EXPIRED = "sensor_expired"
    """A glucose sensor's session is over: no glucose is judged until there is a new one."""
    SENSOR_SIGNAL_LOSS = "sensor_signal_loss"
    """A glucose sensor sends nothing that can be judged."""
    BP_HIGH = "bp_high"
    """Blood pressure of 160/100 mmHg or more, confirmed."""
    BP_LOW = "bp_low"
    """Systolic pressure below 90 mmHg, or 30 below this patient's own mean."""
    BP_VERY_LOW = "bp_very_low"
    """Systolic pressure below 80 mmHg, repeated."""
    BP_MEAN_HIGH = "bp_mean_high"
    """The mean of a week at home, its first day left out, is above the plan's guideline."""
    IRREGULAR_PULSE = "irregular_pulse"
    """A cuff noticed an irregular pulse."""
    SYMPTOM = "symptom"
    """The patient reports a symptom; its code is in the evidence."""
    VT = "vt"
    """Ventricular tachycardia: five ventricular beats or more in a row, fast."""
    VT_SUSTAINED = "vt_sustained"
    """Ventricular tachycardia that does not stop by itself: 30 s, or ten at 150 a minute."""
    NSVT = "nsvt"
    """Three or four ventricular beats in a row, fast."""
    COUPLET = "couplet"
    """Two ventricular beats in a row, or a run of them too slow for a tachycardia."""
    BIGEMINY = "bigeminy"
    """Every other beat is ventricular."""
    TRIGEMINY = "trigeminy"
    """Every third beat is ventricular."""
    AF = "af"
    """Atrial fibrillation, confirmed over 64 beats."""
    AF_POSSIBLE = "af_possible"
    """Atrial fibrillation proposed by 32 beats, not confirmed (yet)."""
    AFLUTTER = "aflutter"
    """Atrial flutter."""
    SVT = "svt"
    """Regular tachycardia from above the ventricles."""
    V_BURDEN = "v_burden"
    """More than a tenth of an hour's beats are ventricular."""
    ECTOPY = "ectopy"
    """Ectopic beats are frequent within an hour."""
    PACED = "paced"
    """A pacemaker paces."""
    STRIP_AF = "strip_af"
    """A hand-held strip shows atrial fibrillation."""
    STRIP_OTHER = "strip_other"
    """A hand-held strip shows something other than normal rhythm: somebody should read it."""
    STRIP_UNREADABLE = "strip_unreadable"
    """A hand-held strip cannot be read: another one is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One statement about one episode of one condition, in force until a later revision of the same episode."""

    subject: str
    """Patient id, client id, or name of a component."""
    subject_kind: SubjectKind
    condition: Condition
    kind: FindingKind
    episode: UUID
    """Frozen identity: see `episode_id`."""
    revision: int
    """Grows from 1 with each statement about the episode."""
    present: bool
    """Whether the condition holds now; False clears it."""
    opened: str
    """Where the rule first became true, by the device's own count: part of the identity."""
    onset: datetime
    """Best estimate of when it began; may be revised."""
    at: datetime
    """Time of the last sample or reading that the rule looked at: when it was decided, in the data's own time."""
    end: datetime | None = None
    """When it ended, as far as known."""
    late: bool = False
    """Past: old, and shown by later data to have ended (log.md, "Late is not silent")."""
    withdrawn: str | None = None
    """Why this episode should not be laid to this subject after all (`wrong_person`); None everywhere else."""
    confidence: float = 1.0
    evidence: dict[str, float | int | str] = field(default_factory=dict)
    """Finite numbers, the reason in words, and where the strip is: `device`, `stream`, `session`, `first_index`, `last_index`."""


def episode_id(subject: str, condition: Condition, stream: str, opened: str) -> UUID:
    """Identity of an episode. `opened` is (session, raw sample index) for ECG, raw device time for readings: never an `at`."""
    return uuid5(NAMESPACE, f"episode|{subject}|{condition}|{stream}|{opened}")
