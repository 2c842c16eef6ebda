"""The console as a channel: a notice has reached somebody when a live session of that person is there to show it.

The row is what the session shows; nothing is sent. Must never call a notice delivered that no screen shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.delivery.outcome import Delivered, Message, Outcome, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNEL = "console"
"""Name of the channel in a care team."""


class Console:
    """Asks who listens just now."""

    def __init__(self, is_listening: Callable[[str], bool]) -> None:
        """`is_listening`: whether a session of this person is live (`alerts.listeners`)."""
        self._is_listening = is_listening

    def deliver(self, message: Message) -> Outcome:
        """By the address, which is the person's account; without one, by the person."""
        if self._is_listening(message.address or message.person):
            return Delivered("a console session is live")
        return Retry("no console session of this person is live")
