"""The signed webhook (Standard Webhooks): emergency dispatch, and gateways for SMS or voice.

Signed with every current secret, so that a receiver can change its own at leisure. No redirects, no private ground.
Must never log a whole URL, a secret or a body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore2
import structlog

from alerts.delivery.guard import Forbidden, GuardedBackend
from alerts.delivery.outcome import Delivered, Message, Outcome, Refused, Retry
from alerts.delivery.signing import secrets_of, signatures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_LOG: Any = structlog.get_logger(__name__)
_MOST_OF_ANSWER = 65_536
_AGAIN = frozenset({408, 409, 425, 429})
"""Answers of the 4xx that are worth another try; the others say that we are wrong."""


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
        self._timeout_s = timeout_s
        self._pool = httpcore2.ConnectionPool(
            network_backend=GuardedBackend(allowed_private_hosts), max_connections=64, keepalive_expiry=30.0
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()

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
        timestamp = int(self._real_time())
        notice = str(message.notice)
        headers = {
            "content-type": "application/json",
            "user-agent": "tierwatch",
            "webhook-id": notice,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(secrets, notice, timestamp, message.body),
        }
        outcome = self._post(url, headers, message.body)
        _LOG.info("webhook", notice=notice, endpoint=message.address, outcome=type(outcome).__name__)
        return outcome

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        limit = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        until = time.monotonic() + self._timeout_s
        try:
            with self._pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": limit}
            ) as answer:
                return _judge(answer, until)
        except Forbidden as error:
            return Refused(str(error))
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            return Retry(f"{type(error).__name__}: no answer")  # never the text: it may hold the address
        except (httpcore2.UnsupportedProtocol, ValueError) as error:
            return Refused(f"{type(error).__name__}: the endpoint's address cannot be used")


def _judge(answer: httpcore2.Response, until: float) -> Outcome:
    read = 0
    for part in answer.iter_stream():  # so that the connection can be used again
        read += len(part)
        if read > _MOST_OF_ANSWER or time.monotonic() > until:
            break
    status = answer.status
    match status // 100:
        case 2:
            return Delivered(f"HTTP {status}")
        case 3:
            return Refused(f"HTTP {status}: a redirect is not followed; name the endpoint's own address")
        case 4 if status not in _AGAIN:
            return Refused(f"HTTP {status}")
        case _:
            return Retry(f"HTTP {status}", _retry_after(answer.headers))


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float | None:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return float(value)
    return None
