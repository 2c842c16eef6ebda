"""What a notice says: the JSON that goes out, composed once and frozen. Pure.

Under 20 kB whatever the record holds. Must never carry more of the record than its audience may read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from alerts.alert import Alert, Episode, EventType, Notice, Tier
from alerts.catalogue import QUESTION, WEARER_SAYS, sentence
from alerts.ladder import Role
from alerts.record import Audience, Record, for_audience
from stream.finding import FindingKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LARGEST = 20_000
"""Bytes; alerting.md, "What an emergency carries"."""

AUDIENCES: Mapping[Role, Audience] = {
    Role.DISPATCH: Audience.DISPATCH,
    Role.DOCTOR: Audience.DOCTOR,
    Role.PRACTICE: Audience.DOCTOR,
    Role.PATIENT: Audience.PATIENT,
    Role.FAMILY: Audience.PATIENT,
    Role.OPERATOR: Audience.OPERATOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that a payload is made of."""

    alert: Alert
    notice: Notice
    episodes: tuple[Episode, ...]
    record: Record | None
    """None: it did not come in time."""
    hops: dict[str, str | None] = field(default_factory=dict)
    why: str = ""
    """What is new, in an update."""


def audience_of(alert: Alert, notice: Notice) -> Audience:
    """Who will read this: a technical alert carries no record to anybody, a tip none to the patient."""
    if alert.kind is FindingKind.TECHNICAL:
        return Audience.OPERATOR
    return AUDIENCES[notice.to.role]


def wants_record(alert: Alert, notice: Notice) -> bool:
    """Whether this notice carries the record at all."""
    return audience_of(alert, notice) in {Audience.DISPATCH, Audience.DOCTOR}


def compose(material: Material, now: datetime) -> bytes:
    """The payload of a notice, as the bytes that every attempt will send."""
    alert, notice = material.alert, material.notice
    latest = max(material.episodes, key=lambda episode: (episode.present, episode.onset), default=None)
    body: dict[str, Any] = {
        "type": notice.type,
        "timestamp": now,
        "data": {
            "alert_id": alert.alert,
            "notice_id": notice.notice,
            "patient": alert.subject,
            "subject_kind": alert.subject_kind,
            "condition": alert.condition,
            "kind": alert.kind,
            "tier": alert.tier,
            "state": alert.state,
            "present": alert.state.is_present,
            "past": alert.past,
            "onset": alert.onset,
            "raised_at": alert.raised_at,
            "generation": notice.generation,
            "cycle": notice.cycle,
            "rung": notice.rung,
            "to": {"person": notice.to.person, "role": notice.to.role},
            "reason": sentence(alert.condition, notice.tier, alert.reason),
        },
    }
    data = body["data"]
    if audience_of(alert, notice) is not Audience.PATIENT:  # plain words, no numbers of ours
        data["evidence"] = latest.evidence if latest else {}
        data["times"] = material.hops
    if alert.asked_until is not None and notice.generation == alert.generation:
        data["asked_until"] = alert.asked_until
        if notice.to.role is Role.PATIENT:
            data["question"], data["answers"] = QUESTION, WEARER_SAYS
    if material.why:
        data["why"] = material.why
    if notice.type is EventType.STOOD_DOWN:
        data["outcome"] = alert.outcome
    if wants_record(alert, notice) and notice.type is not EventType.STOOD_DOWN:
        data["record_status"] = "missing: it follows in an update" if material.record is None else "complete"
        data["record"] = None
        if material.record is not None:
            return _fitted(body, for_audience(material.record, audience_of(alert, notice)))
    return msgspec.json.encode(body)


_SHORTEN = ("vitals", "contacts", "problems", "medication", "allergies", "implants", "directives")


def _fitted(body: dict[str, Any], record: Record | None) -> bytes:
    data = body["data"]
    data["record"] = record
    encoded = msgspec.json.encode(body)
    if len(encoded) <= LARGEST or record is None:
        return encoded
    # What is cut is said; what saves a life (who, where, allergies, directives) is cut last.
    for keep in (20, 8, 3):
        for name in _SHORTEN:
            value = getattr(record, name)
            if isinstance(value, tuple) and len(value) > keep:
                shorter: dict[str, Any] = {name: value[:keep]}
                record = replace(record, **shorter)
        record = _clipped(record, 60 * keep)
        data["record"], data["record_status"] = record, "shortened: the whole does not fit into one message"
        encoded = msgspec.json.encode(body)
        if len(encoded) <= LARGEST:
            return encoded
    data["record"] = _clipped(Record(patient=record.patient, name=record.name, address=record.address,
                                     door_code=record.door_code, phones=record.phones), 200)  # fmt: skip
    return msgspec.json.encode(body)


def _clipped(record: Record, longest: int) -> Record:
    clipped: dict[str, Any] = {}
    for name in Record.__dataclass_fields__:
        value = getattr(record, name)
        if isinstance(value, str):
            clipped[name] = value[:longest]
        elif isinstance(value, tuple):
            clipped[name] = tuple(item[:longest] if isinstance(item, str) else item for item in value)
    return replace(record, **clipped)


def plain(alert: Alert, tier: Tier) -> str:
    """The sentence for a log or a terminal."""
    return sentence(alert.condition, tier, alert.reason)["en"]
