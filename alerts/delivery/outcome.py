"""What a channel is given and what it answers: the one interface of every way to reach a person.

`deliver` never raises for what the far side does; it says Delivered, Retry or Refused. Received is not accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One attempt of one notice."""

    notice: UUID
    """Stays the same however often it is sent: the receiver merges by it."""
    type: str
    person: str
    address: str
    tier: str
    body: bytes
    """The frozen payload, JSON."""
    at: datetime
    """The moment of this attempt, by the injected clock."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The far side has it. Nobody has accepted anything yet."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now."""

    reason: str
    after_s: float | None = None
    """Where the far side says when."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The far side, or we ourselves, will not do this; somebody must look at it."""

    reason: str


Outcome = Delivered | Retry | Refused


class Channel(Protocol):
    """A way to reach people."""

    def deliver(self, message: Message) -> Outcome:
        """Try once, within seconds."""
