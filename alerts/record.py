"""The ports through which alerting gets a patient's record and strip: declared here, filled by `api.roster` and `strip.py`.

A key is never missing: what is not known says "unknown". Must never be waited for: after 500 ms an alert goes without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

UNKNOWN = "unknown"
"""What stands where something is not known: told apart from "none"."""

PATIENCE_S = 0.5
"""How long an alert waits for the record."""


class Audience(StrEnum):
    """Who will read it, and so how much of it they get."""

    DISPATCH = "dispatch"
    """Everything: where to go, how to get in, what to know."""
    DOCTOR = "doctor"
    """The same summary without address data."""
    PATIENT = "patient"
    """Nothing: plain words only."""
    OPERATOR = "operator"
    """Nothing: equipment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vital:
    """The last reading of one kind."""

    kind: str
    values: dict[str, float | None]
    """By name and unit, as `systolic_mmhg`."""
    at: datetime
    flags: tuple[str, ...] = ()
    """What the device says of it; of a rate that the detector counted `detector`, and the condition it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to call about the patient."""

    name: str
    relation: str = UNKNOWN
    phone: str = UNKNOWN
    language: str = UNKNOWN
    has_key: bool | str = UNKNOWN
    """Whether they can open the door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an emergency carries of the person. A list that is not known is the word "unknown"; an empty one: none."""

    patient: str
    name: str = UNKNOWN
    birth_date: str = UNKNOWN
    sex: str = UNKNOWN
    language: str = UNKNOWN
    address: str = UNKNOWN
    position: str = UNKNOWN
    """Where the patient is at this moment, as latitude and longitude; no device of ours tells it yet."""
    door_code: str = UNKNOWN
    phones: tuple[str, ...] | str = UNKNOWN
    """Callback numbers."""
    problems: tuple[str, ...] | str = UNKNOWN
    medication: tuple[str, ...] | str = UNKNOWN
    allergies: tuple[str, ...] | str = UNKNOWN
    blood_group: str = UNKNOWN
    implants: tuple[str, ...] | str = UNKNOWN
    directives: tuple[str, ...] | str = UNKNOWN
    """Advance directives."""
    contacts: tuple[Contact, ...] | str = UNKNOWN
    vitals: tuple[Vital, ...] | str = UNKNOWN


class RecordSource(Protocol):
    """Where the record comes from. May be slow, may raise: the alert goes without it then."""

    def __call__(self, patient: str, audience: Audience) -> Record:
        """The record of a patient, no more of it than this audience may read."""


WITHHELD = "withheld"


def for_audience(record: Record, audience: Audience) -> Record | None:
    """As much of the record as this audience may read; None for those who get plain words."""
    if audience is Audience.DISPATCH:
        return record
    if audience is Audience.DOCTOR:
        return replace(record, address=WITHHELD, position=WITHHELD, door_code=WITHHELD)
    return None


def no_record(patient: str, audience: Audience) -> Record:
    """A source that knows nobody: for tests and for a station without a roster."""
    del audience
    return Record(patient=patient)


class StripSource(Protocol):
    """Where the strip of an alert comes from. May be slow, may raise: the alert goes without it then."""

    def __call__(self, alert: UUID) -> str | None:
        """The strip as SVG; None where there is no ECG of this patient around the onset."""


class LinkSource(Protocol):
    """Where the one-time link to the whole packet comes from. May be slow, may raise: the emergency goes without it then."""

    def __call__(self, notice: UUID, alert: UUID) -> str | None:
        """The link that this notice carries, the same each time; None where pages cannot be reached from outside."""


def no_link(notice: UUID, alert: UUID) -> str | None:
    """A source without a public address: for tests and for a station without pages."""
    del notice, alert
    return None


def no_strip(alert: UUID) -> str | None:
    """A source that has no ECG: for tests and for a station without an archive."""
    del alert
    return None
