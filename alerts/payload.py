"""What a notice says: the JSON that goes out, composed once and frozen. Pure.

Under 20 kB whatever the record holds, and no key is ever missing: what is not known says "unknown", what was cut is named.
Must never carry more of the record than its audience may read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from alerts.alert import Alert, Episode, EventType, Notice
from alerts.carrying import Carried, Status
from alerts.catalogue import CONDITIONS, QUESTION, WEARER_SAYS, for_clinic, for_patient
from alerts.ladder import Role
from alerts.reason import reason_of
from alerts.record import UNKNOWN, Audience, Record, for_audience
from alerts.words import LANGUAGES
from alerts.words_patient import ABOUT, SETTLED
from alerts.words_technical import because
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
    carried: Carried = field(default_factory=Carried)
    hops: dict[str, str | None] = field(default_factory=dict)
    why: str = ""
    """What is new, in an update."""


def audience_of(alert: Alert, notice: Notice) -> Audience:
    """Who will read this: a technical alert carries no record to anybody, and patient and family read plain words."""
    audience = AUDIENCES[notice.to.role]
    if alert.kind is FindingKind.TECHNICAL and audience is not Audience.PATIENT:
        return Audience.OPERATOR
    return audience


def wants_record(alert: Alert, notice: Notice) -> bool:
    """Whether this notice carries the record and the strip at all."""
    return audience_of(alert, notice) in {Audience.DISPATCH, Audience.DOCTOR}


def compose(material: Material, now: datetime) -> bytes:
    """The payload of a notice, as the bytes that every attempt will send."""
    alert, notice = material.alert, material.notice
    audience = audience_of(alert, notice)
    data = _envelope(alert, notice)
    data |= _plain(alert, notice) if audience is Audience.PATIENT else _professional(material, now)
    latest = _latest(material)
    step = because(latest.evidence) if latest is not None and notice.type is not EventType.STOOD_DOWN else None
    if step is not None:
        data["what_to_do"] = {language: [step[language], *steps] for language, steps in data["what_to_do"].items()}
    if alert.asked_until is not None and notice.generation == alert.generation:
        data["asked_until"] = alert.asked_until
        if notice.to.role is Role.PATIENT:
            data["question"], data["answers"] = QUESTION, WEARER_SAYS
    if material.why:
        data["why"] = material.why[:_LONGEST_WHY]
    if notice.type is EventType.STOOD_DOWN:
        data["outcome"] = alert.outcome
    body: dict[str, Any] = {"type": notice.type, "timestamp": now, "data": data}
    if wants_record(alert, notice) and notice.type is not EventType.STOOD_DOWN:
        return _fitted(body, material.carried, audience)
    return msgspec.json.encode(body)


_LONGEST_ID, _LONGEST_WHY = 200, 200


def _envelope(alert: Alert, notice: Notice) -> dict[str, Any]:
    """What a program needs to know which alert this is, the same for every audience."""
    return {
        "alert_id": alert.alert,
        "notice_id": notice.notice,
        "patient": alert.subject[:_LONGEST_ID],
        "subject_kind": alert.subject_kind,
        "condition": alert.condition[:_LONGEST_ID],
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
        "to": {"person": notice.to.person[:_LONGEST_ID], "role": notice.to.role},
    }


def _plain(alert: Alert, notice: Notice) -> dict[str, Any]:
    """What the wearer and the family read: plain words and what to do, no number and no name of ours."""
    words = SETTLED if notice.type is EventType.STOOD_DOWN else for_patient(alert.condition)
    plain: dict[str, Any] = {"reason": words.what, "what_to_do": words.steps()}
    return {"about": ABOUT} | plain if notice.to.role is Role.FAMILY else plain


def _latest(material: Material) -> Episode | None:
    return max(material.episodes, key=lambda episode: (episode.present, episode.onset), default=None)


def _professional(material: Material, now: datetime) -> dict[str, Any]:
    """What a doctor, a dispatcher or an operator reads."""
    alert, notice = material.alert, material.notice
    latest = _latest(material)
    words = for_clinic(alert.condition)
    is_over = notice.type is EventType.STOOD_DOWN
    return {
        "condition_name": CONDITIONS.get(alert.condition, dict.fromkeys(LANGUAGES, alert.condition[:_LONGEST_ID])),
        "reason": reason_of(alert, notice.tier, latest, now),
        "what_it_is": words.what,
        "what_to_do": {language: [] for language in LANGUAGES} if is_over else words.steps(),
        "evidence": _bounded(dict(latest.evidence)) if latest else {},
        "times": material.hops,
    }


_MOST_EVIDENCE = 4_000
"""Bytes; a finding holds a few hundred."""


def _bounded(evidence: dict[str, Any]) -> dict[str, Any]:
    """Evidence that leaves room for the patient: the longest values go first, whatever a newer detector may write."""
    while evidence and len(msgspec.json.encode(evidence)) > _MOST_EVIDENCE:
        del evidence[max(evidence, key=lambda name: len(str(evidence[name])) + len(name))]
    return evidence


LAST = frozenset(
    {
        "patient", "name", "birth_date", "sex", "language", "address", "position", "door_code", "phones", "allergies",
        "blood_group", "directives",
    }
)  # fmt: skip
"""Who, where, and what must be known before a hand is laid on: cut last, and never left out."""
NOT_SENT = "not sent: too long"
_STAGES = ((20, 300, True), (8, 160, True), (8, 160, False), (3, 100, False), (0, 0, False))
"""(items of a list, characters of a text, with the strip), each tried until it fits; the last leaves only `LAST`."""
_LEAST_ITEMS, _LEAST_CHARACTERS = 8, 60
"""What of `LAST` is kept at least."""


def _fitted(body: dict[str, Any], carried: Carried, audience: Audience) -> bytes:
    data = body["data"]
    whole = for_audience(carried.record or Record(patient=data["patient"]), audience)
    record: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    data["language"] = record["language"]
    data |= {"record_status": carried.record_status, "record": record, "cut": {}}
    data |= {"strip_status": carried.strip_status, "strip": carried.strip or UNKNOWN}
    if audience is Audience.DISPATCH:
        data |= {"packet_url_status": carried.link_status, "packet_url": carried.link or UNKNOWN}
    encoded = msgspec.json.encode(body)
    for items, characters, with_strip in _STAGES:
        if len(encoded) <= LARGEST:
            break
        shorter = {name: _shortened(name, value, items, characters) for name, value in record.items()}
        data["record"] = shorter
        data["cut"] = {name: _said(record[name], shorter[name]) for name in record if record[name] != shorter[name]}
        data["language"] = data["language"][:_LEAST_CHARACTERS]
        if data["cut"]:
            data["record_status"] = Status.SHORTENED
        if not with_strip and carried.strip:
            data |= {"strip_status": Status.LEFT_OUT, "strip": UNKNOWN}
        encoded = msgspec.json.encode(body)
    return encoded


def _shortened(name: str, value: Any, items: int, characters: int) -> Any:
    if name in LAST:
        return _clipped(value, max(items, _LEAST_ITEMS), max(characters, _LEAST_CHARACTERS))
    if not items:
        return value if value in (UNKNOWN, []) else NOT_SENT
    return _clipped(value, items, characters)


def _clipped(value: Any, items: int, characters: int) -> Any:
    if isinstance(value, str):
        return value[:characters]
    if isinstance(value, list):
        return [_clipped(one, items, characters) for one in value[:items]]
    if isinstance(value, dict):
        return {str(key)[:characters]: _clipped(one, items, characters) for key, one in list(value.items())[:items]}
    return value


def _said(whole: Any, shorter: Any) -> str:
    """What of a field is there: so that nobody takes eight allergies for all of them."""
    if isinstance(whole, list) and isinstance(shorter, list) and len(shorter) < len(whole):
        return f"{len(shorter)} of {len(whole)}"
    return NOT_SENT if shorter == NOT_SENT else "texts clipped"
