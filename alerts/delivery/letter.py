"""A notice as an e-mail: plain words, and the same as a small page; Chinese and English. Pure.

It shows what the frozen payload holds, so no more of the record than its reader may see. Must never put a name or an id
of a patient into the subject: it lies open on screens and in servers' logs.
"""

from __future__ import annotations

import json
import re
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING, Any

from alerts.alert import EventType, Tier
from alerts.catalogue import EVENTS, LETTER, TIERS
from alerts.ladder import Role
from alerts.record import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alerts.delivery.outcome import Message

_CONTROL = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
_DEEPEST = 4
_SEVEN_BITS = policy.SMTP.clone(cte_type="7bit")
"""Any server on the way takes it."""
_RECORD = "record"
Line = tuple[str, str]
"""What it is, and what it says."""


def is_for_a_doctor(body: bytes) -> bool:
    """Whether a notice asks a doctor to answer: who reads its letter gets a way to do so."""
    data = _object(json.loads(body).get("data"))
    return "record_status" in data and _object(data.get("to")).get("role") in {Role.DOCTOR, Role.PRACTICE}


def letter(message: Message, sender: str, link: str | None = None) -> EmailMessage:
    """The letter of one notice; made again for a retry it is the same letter. `link`: where a doctor answers it."""
    payload = _object(json.loads(message.body))
    data = _object(payload.get("data"))
    domain = sender.rpartition("@")[2]
    written = EmailMessage(policy=_SEVEN_BITS)
    written["From"] = sender
    written["To"] = message.address
    written["Subject"] = _subject(message, data)
    written["Message-ID"] = f"<{message.notice}@{domain}>"
    if re.fullmatch(r"[0-9a-fA-F-]{36}", incident := str(data.get("alert_id", ""))):
        written["References"] = f"<{incident}@{domain}>"  # all of one alert lies together
    written["Date"] = format_datetime(message.at)
    written["Auto-Submitted"] = "auto-generated"
    if message.tier == Tier.EMERGENCY:
        written["X-Priority"] = "1"
        written["Importance"] = "high"
    told, lines = _told(message, data), list(_lines(message, data))
    if is_for_a_doctor(message.body):
        lines.insert(0, (_label("link"), link) if link else (_label("answer"), _label("sign_in")))
    written.set_content(_text(told, lines))
    written.add_alternative(_page(told, lines), subtype="html")
    strip = data.get("strip")
    if isinstance(strip, str) and strip.lstrip().startswith("<svg"):
        written.add_attachment(strip.encode(), "image", "svg+xml", filename="strip.svg")
    return written


def _subject(message: Message, data: Mapping[str, Any]) -> str:
    tier, event = TIERS[Tier(message.tier)], EVENTS[EventType(message.type)]
    english, chinese = f"{tier['en']} {event['en']}", f"{tier['zh']} {event['zh']}"
    what = _object(data.get("condition_name"))  # clinicians' word; patient and family are told by tier alone
    if what:
        english, chinese = f"{english}: {what.get('en', '')}", f"{chinese}: {what.get('zh', '')}"
    elif "condition" not in data:
        english, chinese = event["en"], event["zh"]
    return f"[Tierwatch] {english} / {chinese}".translate(_CONTROL)


def _told(message: Message, data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """In each language: the sentence, and what there is to know and to do."""
    reason, event = _object(data.get("reason")), EVENTS[EventType(message.type)]
    found = []
    for language in reason or dict.fromkeys(event, ""):
        sentence = str(reason.get(language, f"Tierwatch: {event[language]}"))
        parts = [_object(data.get(name)).get(language, "") for name in ("about", "question")]
        steps = _object(data.get("what_to_do")).get(language, [])
        parts += steps if isinstance(steps, list) else [steps]
        found.append((sentence.translate(_CONTROL), [str(part).translate(_CONTROL) for part in parts if part]))
    return found


_CLINICAL = ("why", "outcome", "patient", "onset", "raised_at", "state", "evidence", "record_status", "cut")
_FOR_ALL = ("why", "outcome", "onset")


def _lines(message: Message, data: Mapping[str, Any]) -> Iterator[Line]:
    for name in _CLINICAL if "condition_name" in data else _FOR_ALL:
        if data.get(name) not in (None, "", {}):
            yield _label(name), _shown(data[name])
    for name, value in _object(data.get(_RECORD)).items():
        if name != "patient":
            yield _label(name), _shown(value)
    yield _label("alert_id"), _shown(data.get("alert_id", ""))
    yield _label("notice_id"), str(message.notice)


def _label(name: str) -> str:
    text = LETTER.get(name)
    return name.replace("_", " ") if text is None else f"{text['en']} / {text['zh']}"


def _shown(value: Any, depth: int = 0) -> str:
    if value is None or value == UNKNOWN:  # never "none": nobody has asked
        return _label("unknown")
    if value in ("", {}, []):
        return _label("none")
    if depth == _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(part, depth + 1)}" for name, part in value.items() if name != "strip")
    if isinstance(value, list):
        return "; ".join(_shown(part, depth + 1) for part in value)
    return str(value).translate(_CONTROL)


def _text(told: list[tuple[str, list[str]]], lines: list[Line]) -> str:
    paragraphs = ["\n".join([sentence, *(f"  - {part}" for part in parts)]) for sentence, parts in told]
    return "\n\n".join([*paragraphs, "\n".join(f"{name}: {value}" for name, value in lines)]) + "\n"


def _page(told: list[tuple[str, list[str]]], lines: list[Line]) -> str:
    paragraphs = "".join(
        f"<h2>{escape(sentence)}</h2><ul>{''.join(f'<li>{escape(part)}</li>' for part in parts)}</ul>"
        for sentence, parts in told
    )
    rows = "".join(f"<tr><th align=left>{escape(name)}</th><td>{_linked(value)}</td></tr>" for name, value in lines)
    return f"<!doctype html><meta charset=utf-8><title>Tierwatch</title>{paragraphs}<table>{rows}</table>"


def _linked(value: str) -> str:
    shown = escape(value)
    return f'<a href="{shown}">{shown}</a>' if re.fullmatch(r"https?://[^\s]+/a/[\w-]+", value) else shown


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
