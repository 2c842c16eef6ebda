"""What a dispatcher reads of an emergency: a verified webhook turned into lines, in English and Chinese.

It reads leniently: whatever is missing is said to be missing; nothing a sender writes can make it fail.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook, WebhookVerificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MISSING = "not given / 未提供"
UNKNOWN = "unknown"
"""What the sender writes where nobody knows."""
NEEDED = (
    "name", "birth_date", "sex", "address", "door_code", "phones", "problems", "medication", "allergies", "blood_group",
    "implants", "directives", "contacts", "vitals",
)  # fmt: skip
"""What the record of an emergency has to say; an empty list says "none"."""
_CONTROL = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_DEEPEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a webhook is what it claims to be, and why not."""

    verified: bool
    reason: str = ""
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """As `alert.raised`; empty where there is none."""
        return str(self.payload.get("type", ""))

    @property
    def alert_id(self) -> str:
        """The incident key by which a receiver merges; empty where there is none."""
        data = self.payload.get("data")
        return str(data.get("alert_id", "")) if isinstance(data, dict) else ""


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> Verdict:
    """Check a webhook by the public `standardwebhooks` package: signature and time; then read its JSON object.

    The package reads the computer's clock, by which the product signs whatever the speed of its world.
    """
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError as error:
        return Verdict(verified=False, reason=str(error))
    except (ValueError, UnicodeDecodeError) as error:
        # The package lets a malformed signature header or body escape as these.
        return Verdict(verified=False, reason=f"unreadable signature or body: {error}")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Verdict(verified=True, reason=f"signed, but no JSON: {error}")
    if not isinstance(payload, dict):
        return Verdict(verified=True, reason="signed, but no JSON object")
    return Verdict(verified=True, payload=payload)


def is_secret(text: str) -> bool:
    """Whether this is a usable secret, `whsec_` and base64."""
    try:
        return len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) > 0
    except ValueError:
        return False


def in_words(payload: Mapping[str, Any]) -> str:
    """The packet as a dispatcher reads it: who, where, what, since when, why, and whether a strip came along."""
    given = payload.get("data")
    data: Mapping[str, Any] = given if isinstance(given, dict) else {}
    found = data.get("record")
    record: Mapping[str, Any] = found if isinstance(found, dict) else {}
    who = [record.get(key) for key in ("name", "sex", "birth_date")] if record else [data.get("patient")]
    lines = [
        f"[{_text(payload.get('type'))}] {_text(data.get('tier')).upper()}  {_text(data.get('condition'))}",
        f"  who / 患者       {', '.join(_text(part) for part in who)}",
        f"  where / 地址     {_text(record.get('address'))}",
        f"  door / 门禁      {_text(record.get('door_code'))}",
        f"  call / 回拨      {_text(record.get('phones'))}",
        f"  allergies / 过敏 {_text(record.get('allergies'))}",
        f"  problems / 病史  {_text(record.get('problems'))}",
        f"  since / 起始     {_text(data.get('onset'))}",
        f"  why / 原因       {_reason(data.get('reason'))}",
        f"  figures / 数据   {_text(data.get('evidence'))}",
        f"  strip / 心电图   {'yes / 有' if str(data.get('strip')).startswith('<svg') else 'no / 无'}",
        f"  whole / 全部     {_text(link_of(payload))}",
    ]
    # A value with a line feed in it must not look like a line of ours, nor steer the terminal.
    return "\n".join(line.translate(_CONTROL) for line in lines)


def link_of(payload: Mapping[str, Any]) -> str:
    """The one-time link to the whole record; empty: there is none."""
    data = payload.get("data")
    link = data.get("packet_url") if isinstance(data, dict) else None
    return link if isinstance(link, str) and link != UNKNOWN else ""


def lacks(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """What a dispatcher needs of this packet and does not find: fields of the record, a strip, a reason in English."""
    given = payload.get("data")
    data: Mapping[str, Any] = given if isinstance(given, dict) else {}
    found = data.get("record")
    record: Mapping[str, Any] = found if isinstance(found, dict) else {}
    reason = data.get("reason")
    missing = [name for name in NEEDED if record.get(name) in (None, "", UNKNOWN)]
    missing += [] if str(data.get("strip")).startswith("<svg") else ["strip"]
    missing += [] if isinstance(reason, dict) and reason.get("en") else ["reason"]
    return tuple(missing)


def _reason(value: Any) -> str:
    """The tier's reason in one sentence, in all languages that it came in."""
    return " / ".join(_text(text) for text in value.values()) if isinstance(value, dict) and value else _text(value)


def _text(value: Any, depth: int = 0) -> str:
    if value in (None, "", {}, []):
        return _MISSING
    if depth == _DEEPEST and isinstance(value, dict | list):
        return "..."
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(part, depth + 1)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(_text(part, depth + 1) for part in value)
    return str(value)
