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
from alerts.catalogue import CONDITIONS, EVENTS, LETTER, TIERS

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


def letter(message: Message, sender: str) -> EmailMessage:
    """The letter of one notice; made again for a retry it is the same letter."""
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
    sentences, lines = _sentences(message, data), list(_lines(message, data))
    written.set_content(_text(sentences, lines))
    written.add_alternative(_page(sentences, lines), subtype="html")
    strip = data.get("strip")
    if isinstance(strip, str) and strip.lstrip().startswith("<svg"):
        written.add_attachment(strip.encode(), "image", "svg+xml", filename="strip.svg")
    return written


def _subject(message: Message, data: Mapping[str, Any]) -> str:
    tier, event = TIERS[Tier(message.tier)], EVENTS[EventType(message.type)]
    what = _condition(data)
    english = " ".join(part for part in (tier["en"], event["en"]) if part)
    if not what["en"]:
        return f"[Tierwatch] {event['en']} / {event['zh']}"
    return f"[Tierwatch] {english}: {what['en']} / {tier['zh']} {event['zh']}: {what['zh']}".translate(_CONTROL)


def _condition(data: Mapping[str, Any]) -> Mapping[str, str]:
    condition = str(data.get("condition", ""))
    return CONDITIONS.get(condition, {"en": condition, "zh": condition})


def _sentences(message: Message, data: Mapping[str, Any]) -> list[str]:
    reason = _object(data.get("reason"))
    found = [str(reason[language]) for language in reason]
    event = EVENTS[EventType(message.type)]
    return found or [f"Tierwatch: {event['en']} / {event['zh']}"]


def _lines(message: Message, data: Mapping[str, Any]) -> Iterator[Line]:
    for name in ("why", "outcome", "patient", "onset", "raised_at", "state", "evidence", "record_status"):
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
    if value in (None, "", {}, []):
        return LETTER["none"]["en"] + " / " + LETTER["none"]["zh"]
    if depth == _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(part, depth + 1)}" for name, part in value.items() if name != "strip")
    if isinstance(value, list):
        return "; ".join(_shown(part, depth + 1) for part in value)
    return str(value).translate(_CONTROL)


def _text(sentences: list[str], lines: list[Line]) -> str:
    told = [sentence.translate(_CONTROL) for sentence in sentences]
    return "\n".join([*told, "", *(f"{name}: {value}" for name, value in lines), ""])


def _page(sentences: list[str], lines: list[Line]) -> str:
    told = "".join(f"<h2>{escape(sentence)}</h2>" for sentence in sentences)
    rows = "".join(f"<tr><th align=left>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in lines)
    return f"<!doctype html><meta charset=utf-8><title>Tierwatch</title>{told}<table>{rows}</table>"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
