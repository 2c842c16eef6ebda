"""What people tell the stream: through `stream.inbox` these become rows of the log, judged like any data.

The API writes a command to the inbox in the transaction of what it belongs to; intake drains the inbox into its next batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway.reading import DeviceId
from stream.finding import PatientId


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentChanged:
    """From `from_at` (to `to_at`) on, this device's user slot is this patient; whatever was said before of that time is void."""

    device: DeviceId
    slot: int | None
    """None: every slot that has no assignment of its own."""
    patient: PatientId | None
    """None: nobody."""
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When something is to be measured each day. Read by `stream.timetable`, checked by `alerts.plan`."""

    times: tuple[str, ...]
    """Local times of day, `HH:MM`."""
    zone: str
    """IANA name of the time zone that they are local to."""
    tolerance_s: float = 3600.0
    """So long before and after its time a measurement counts for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged:
    """The patient's own limits from now on. A name that is left out falls back to the default (`stream.limits`)."""

    patient: PatientId
    plan_version: int
    limits: dict[str, float] = field(default_factory=dict)
    pressure_times: Timetable | None = None
    """When blood pressure is to be measured; None: whenever the patient likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomReport:
    """What the patient feels, in codes of the symptom list; `fine` is one of them."""

    patient: PatientId
    at: datetime
    symptoms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchLifted:
    """An operator asks that a benched patient is judged again."""

    patient: PatientId
    by: str


Command = AssignmentChanged | LimitsChanged | SymptomReport | BenchLifted

COMMANDS: dict[str, type[Command]] = {
    "assignment_changed": AssignmentChanged,
    "limits_changed": LimitsChanged,
    "symptom_report": SymptomReport,
    "bench_lifted": BenchLifted,
}
"""Name in `stream.inbox` and in the log, and the word."""
