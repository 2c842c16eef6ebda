"""A webhook in another's words: gateways for SMS and voice, robots of DingTalk and WeCom, as data in the settings.

What is filled in is escaped for where it stands. Must never carry a name or the record: such a message goes through
strangers' hands and lies on lock screens.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import quote, quote_plus, urlsplit
from xml.sax.saxutils import escape as xml_escape

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.alert import EventType, Tier
from alerts.catalogue import EVENTS, TIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alerts.delivery.outcome import Message

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_CONTROL = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")

PLACEHOLDERS: Mapping[str, str] = {
    "key": "what lies in keys/template-NAME.key",
    "address": "what the care team names the person's address, as a telephone number",
    "person": "the person's id in the care team",
    "patient": "the patient's id, never a name",
    "notice": "id of the notice",
    "alert": "id of the alert: by it a receiver merges",
    "event": "alert, update, stand down or test",
    "event_zh": "the same in Chinese",
    "tier": "Tip, Doctor or EMERGENCY",
    "tier_zh": "the same in Chinese",
    "condition": "what is true, in English: to patient and family in plain words",
    "condition_zh": "the same in Chinese",
    "sentence": "tier, condition and reason in one sentence, in English",
    "sentence_zh": "the same in Chinese",
    "why": "what is new, in an update",
    "onset": "since when, ISO 8601 UTC",
}
"""All that a template may ask for."""


class Template(BaseModel):
    """`[alerts.delivery.templates.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """Where it is posted to; `{key}` keeps an access token out of the settings."""
    body: Annotated[str, Field(min_length=1)]
    """What is posted, with placeholders."""
    content_type: Literal["application/json", "application/x-www-form-urlencoded", "application/xml", "text/plain"] = (
        "application/json"
    )
    """By it what is filled in is escaped."""
    authorization: str = ""
    """Header of that name, as `Bearer {key}`; empty: none."""
    accepted_if: Annotated[str, Field(pattern=r"^([A-Za-z0-9_]+=[^=]+)?$")] = ""
    """`field=value` that the JSON answer must hold: such robots say 200 to what they drop, as `errcode=0`."""

    @model_validator(mode="after")
    def _can_be_filled(self) -> Self:
        for text in (self.url, self.body, self.authorization):
            if unknown := sorted(set(_PLACEHOLDER.findall(text)) - PLACEHOLDERS.keys()):
                named = ", ".join(f"{{{name}}}" for name in unknown)
                raise ValueError(f"there is no placeholder {named}; there are: {', '.join(sorted(PLACEHOLDERS))}")
        if urlsplit(self.url).scheme not in {"https", "http"} or not urlsplit(self.url).hostname:
            raise ValueError("url: an http(s) address is needed")
        if self.content_type == "application/json":
            try:
                json.loads(self.filled_body(dict.fromkeys(PLACEHOLDERS, 'a "word"\n')))
            except ValueError as error:
                raise ValueError(f"body: with everything filled in it is no JSON ({error})") from None
        return self

    @property
    def wants_key(self) -> bool:
        """Whether `keys/template-NAME.key` is needed."""
        return any("{key}" in text for text in (self.url, self.body, self.authorization))

    def filled_url(self, words: Mapping[str, str]) -> str:
        """The address."""
        return _filled(self.url, words, lambda word: quote(word, safe=""))

    def filled_body(self, words: Mapping[str, str]) -> str:
        """The body."""
        return _filled(self.body, words, _ESCAPES[self.content_type])

    def filled_authorization(self, words: Mapping[str, str]) -> str:
        """The header; empty: none."""
        return _filled(self.authorization, words, _one_line)


def words_of(message: Message, key: str) -> dict[str, str]:
    """What the placeholders of one notice stand for; what its payload does not say is empty."""
    payload = _object(json.loads(message.body))
    data = _object(payload.get("data"))
    reason = _object(data.get("reason"))
    what = _object(data.get("condition_name")) or reason  # patient and family read plain words
    event, tier = EVENTS[EventType(message.type)], TIERS[Tier(message.tier)]
    return {
        "key": key,
        "address": message.address,
        "person": message.person,
        "patient": str(data.get("patient", "")),
        "notice": str(message.notice),
        "alert": str(data.get("alert_id", "")),
        "event": event["en"],
        "event_zh": event["zh"],
        "tier": tier["en"],
        "tier_zh": tier["zh"],
        "condition": str(what.get("en", "")),
        "condition_zh": str(what.get("zh", "")),
        # A trial has no reason: it says what it is.
        "sentence": str(reason.get("en", f"Tierwatch: {event['en']}")),
        "sentence_zh": str(reason.get("zh", f"Tierwatch: {event['zh']}")),
        "why": str(data.get("why", "")),
        "onset": str(data.get("onset", "")),
    }


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _filled(text: str, words: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """Once over the text: what is filled in is never looked at again, whatever braces it holds."""
    return _PLACEHOLDER.sub(lambda found: escape(words[found[1]]), text)


def _one_line(word: str) -> str:
    return word.translate(_CONTROL)


def _in_json(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)[1:-1]


def _in_xml(word: str) -> str:
    return xml_escape(_one_line(word), {'"': "&quot;", "'": "&apos;"})


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    "application/json": _in_json,
    "application/x-www-form-urlencoded": quote_plus,
    "application/xml": _in_xml,
    "text/plain": _one_line,
}
