"""The heartbeat to somebody outside: a GET as long as all is well. Whoever is there tells people when it stops.

The last line: it works when this machine is gone. Must never be sent in doubt, and never follow a redirect inward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore2
import structlog

from alerts.delivery.guard import Forbidden, GuardedBackend

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOG: Any = structlog.get_logger(__name__)
_TIMEOUT_S = 5.0
_MOST_OF_ANSWER = 65_536
_WELL = 2


class Heartbeat:
    """A monitor outside that expects to be asked again and again."""

    def __init__(self, url: str, allowed_private_hosts: Iterable[str] = ()) -> None:
        """`url`: empty where there is none."""
        self._url = url
        self._pool = httpcore2.ConnectionPool(network_backend=GuardedBackend(allowed_private_hosts), max_connections=1)

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.close()

    def beat(self) -> bool:
        """Say that all is well; whether it was heard."""
        if not self._url:
            return False
        limit = dict.fromkeys(("connect", "read", "write", "pool"), _TIMEOUT_S)
        try:
            headers = [("user-agent", "tierwatch")]
            with self._pool.stream("GET", self._url, headers=headers, extensions={"timeout": limit}) as answer:
                read = 0
                for part in answer.iter_stream():
                    read += len(part)
                    if read > _MOST_OF_ANSWER:
                        break
                why = "" if answer.status // 100 == _WELL else f"HTTP {answer.status}"
        except Forbidden as error:
            why = str(error)
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            why = f"{type(error).__name__}: no answer"  # never the text: it may hold the address
        except (httpcore2.UnsupportedProtocol, ValueError) as error:
            why = f"{type(error).__name__}: the address cannot be used"
        if why:
            _LOG.warning("heartbeat_unheard", why=why)
        return not why
