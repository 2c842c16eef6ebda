"""One signed HTTP POST to a stranger, judged: for every channel that is a webhook.

No redirects, no private ground that is not allowed by name, an end to waiting. Must never log a whole URL or a body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpcore2

from alerts.delivery.guard import Forbidden, GuardedBackend
from alerts.delivery.outcome import Delivered, Outcome, Refused, Retry
from alerts.delivery.signing import signatures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_MOST_OF_ANSWER = 65_536
_AGAIN = frozenset({408, 409, 425, 429})
"""Answers of the 4xx that are worth another try; the others say that we are wrong."""


def signed(secrets: Sequence[str], notice: str, now_s: float, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks. `now_s`: Unix time, real: receivers compare with theirs."""
    timestamp = int(now_s)
    return {
        "user-agent": "tierwatch",
        "webhook-id": notice,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(secrets, notice, timestamp, body),
    }


class Poster:
    """Connections to endpoints, kept for the next notice."""

    def __init__(self, allowed_private_hosts: Iterable[str], timeout_s: float) -> None:
        """`timeout_s`: for one POST as a whole."""
        self._timeout_s = timeout_s
        self._pool = httpcore2.ConnectionPool(
            network_backend=GuardedBackend(allowed_private_hosts), max_connections=64, keepalive_expiry=30.0
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, judge: Callable[[bytes], Outcome] | None = None
    ) -> Outcome:
        """Post once. 2xx is received, unless `judge` thinks otherwise of the answer; a redirect is refused."""
        limit = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        until = time.monotonic() + self._timeout_s
        try:
            with self._pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": limit}
            ) as answer:
                return _judged(answer, until, judge)
        except Forbidden as error:
            return Refused(str(error))
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            return Retry(f"{type(error).__name__}: no answer")  # never the text: it may hold the address
        except (httpcore2.UnsupportedProtocol, ValueError) as error:
            return Refused(f"{type(error).__name__}: the endpoint's address cannot be used")


def _judged(answer: httpcore2.Response, until: float, judge: Callable[[bytes], Outcome] | None) -> Outcome:
    read = b""
    for part in answer.iter_stream():  # so that the connection can be used again
        read += part
        if len(read) > _MOST_OF_ANSWER or time.monotonic() > until:
            break
    status = answer.status
    match status // 100:
        case 2:
            return judge(read) if judge else Delivered(f"HTTP {status}")
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
