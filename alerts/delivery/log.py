"""The channel that needs nothing: a structured line, ids only. Until a person has a better one.

What it says can be read by `GET /api/v1/deliveries`, whose body is the same payload. Must never log names or values.
"""

from __future__ import annotations

from typing import Any

import structlog

from alerts.delivery.outcome import Delivered, Message, Outcome

CHANNEL = "log"
"""Name of the channel in a care team."""
_LOG: Any = structlog.get_logger(__name__)


class LogChannel:
    """Writes a line and says that it was delivered."""

    def deliver(self, message: Message) -> Outcome:
        """One line."""
        _LOG.warning(
            message.type, notice=str(message.notice), person=message.person, tier=message.tier, size=len(message.body)
        )
        return Delivered("logged")
