"""The signed webhook (Standard Webhooks): emergency dispatch, in our words; and what others take, in theirs.

Signed with every current secret, so that a receiver can change its own at leisure. Must never log a whole URL, a
secret or a body.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from alerts.delivery.outcome import Delivered, Message, Outcome, Refused, Retry
from alerts.delivery.posting import Poster, signed
from alerts.delivery.signing import secrets_of
from alerts.delivery.template import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from alerts.delivery.template import Template

_LOG: Any = structlog.get_logger(__name__)


class Webhook:
    """Posts notices to endpoints that the settings name."""

    def __init__(
        self,
        endpoints: Mapping[str, str],
        keys: Path,
        *,
        allowed_private_hosts: Iterable[str] = (),
        timeout_s: float = 5.0,
        real_time: Callable[[], float] = time.time,
    ) -> None:
        """`endpoints`: name, URL. A plan and an alert know the name only. `real_time`: what receivers compare with."""
        self._real_time = real_time
        self._endpoints = dict(endpoints)
        self._keys = keys
        self._poster = Poster(allowed_private_hosts, timeout_s)

    def close(self) -> None:
        """Let go of the connections."""
        self._poster.close()

    def deliver(self, message: Message) -> Outcome:
        """Post once. 2xx is received; a redirect is refused, not followed."""
        url = self._endpoints.get(message.address)
        if url is None:
            return Refused(f"no endpoint is called {message.address!r}: name it in [alerts.endpoints]")
        if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).hostname:
            return Refused("the endpoint is no http(s) address")
        secrets = secrets_of(self._keys, message.address)
        if not secrets:
            return Refused(f"endpoint {message.address!r} has no secret: tierwatch alert secret {message.address}")
        notice = str(message.notice)
        headers = {"content-type": "application/json", **signed(secrets, notice, self._real_time(), message.body)}
        outcome = self._poster.post(url, headers, message.body)
        _LOG.info("webhook", notice=notice, endpoint=message.address, outcome=type(outcome).__name__)
        return outcome


class Templated:
    """Posts notices in the words of one template; signed as well, where the endpoint was given a secret."""

    def __init__(
        self, name: str, template: Template, keys: Path, poster: Poster, real_time: Callable[[], float] = time.time
    ) -> None:
        """`name`: of the channel, of its key file and of its secrets."""
        self._name = name
        self._template = template
        self._keys = keys
        self._poster = poster
        self._real_time = real_time

    def deliver(self, message: Message) -> Outcome:
        """Fill in and post once."""
        key = self._key()
        if key is None:
            return Refused(f"template {self._name!r} asks for a key: put it into keys/template-{self._name}.key")
        words = words_of(message, key)
        body = self._template.filled_body(words).encode()
        notice = str(message.notice)
        headers = {"content-type": f"{self._template.content_type}; charset=utf-8", "webhook-id": notice}
        if secrets := secrets_of(self._keys, self._name):
            headers |= signed(secrets, notice, self._real_time(), body)
        if self._template.authorization:
            headers["authorization"] = self._template.filled_authorization(words)
        judge = self._judge if self._template.accepted_if else None
        outcome = self._poster.post(self._template.filled_url(words), headers, body, judge)
        _LOG.info("template", notice=notice, channel=self._name, outcome=type(outcome).__name__)
        return outcome

    def _key(self) -> str | None:
        if not self._template.wants_key:
            return ""
        path = self._keys / f"template-{self._name}.key"
        return (path.read_text(encoding="utf-8").strip() or None) if path.is_file() else None

    def _judge(self, answer: bytes) -> Outcome:
        """200 and an error inside is how robots say no."""
        field, _, wanted = self._template.accepted_if.partition("=")
        try:
            told = json.loads(answer)
        except ValueError:
            return Retry(f"the answer is no JSON: {field}={wanted} was expected")
        value = told.get(field) if isinstance(told, dict) else None
        if str(value) == wanted:
            return Delivered(f"{field}={wanted}")
        return Retry(f"{field} is {str(value)[:40]!r}, not {wanted!r}")
