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
        return str(_looked_up(self.payload, ("alert_id", "alert.id", "alert")) or "")


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> Verdict:
    """Check a webhook by the public `standardwebhooks` package: signature and time; then read its JSON object."""
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
    who = _looked_up(payload, ("patient.name", "record.name", "name", "patient"))
    born = _looked_up(payload, ("patient.birth_date", "record.birth_date", "birth_date"))
    sex = _looked_up(payload, ("patient.sex", "record.sex", "sex"))
    what = _looked_up(payload, ("condition", "alert.condition"))
    tier = _looked_up(payload, ("tier", "alert.tier"))
    evidence = _looked_up(payload, ("evidence", "alert.evidence", "numbers"))
    onset = _looked_up(payload, ("onset", "alert.onset"))
    why = _looked_up(payload, ("sentence", "reason", "alert.reason", "why"))
    strip = _looked_up(payload, ("strip_svg", "strip", "record.strip", "strip.svg"))
    lines = [
        f"[{payload.get('type', '?')!s}] {_text(tier).upper()}  {_text(what)}",
        f"  who / 患者      {', '.join(_text(part) for part in (who, sex, born) if part) or _MISSING}",
        f"  where / 地址    {_text(_looked_up(payload, ('patient.address', 'record.address', 'address')))}",
        f"  door / 门禁     {_text(_looked_up(payload, ('patient.door_code', 'record.door_code', 'door_code')))}",
        f"  call / 回拨     {_text(_looked_up(payload, ('patient.phone', 'record.phone', 'callback', 'phone')))}",
        f"  since / 起始    {_text(onset)}",
        f"  why / 原因      {_text(why)}",
        f"  figures / 数据  {_text(evidence)}",
        f"  strip / 心电图  {'yes / 有' if strip else 'no / 无'}",
    ]
    # A value with a line feed in it must not look like a line of ours, nor steer the terminal.
    return "\n".join(line.translate(_CONTROL) for line in lines)


def _looked_up(payload: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    """The first of these dotted paths that holds something, in the payload's `data` or beside it."""
    for root in (payload.get("data"), payload):
        for path in paths:
            found: Any = root
            for key in path.split("."):
                found = found.get(key) if isinstance(found, dict) else None
            if found not in (None, "", {}, []):
                return found
    return None


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
