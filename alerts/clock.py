"""The clock that alerting is handed: one is injected at the composition root, and the core has none.

Must never be called by anything pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Aware, UTC."""


@dataclass(frozen=True, slots=True)
class WallClock:
    """Real time, or `speed` times as fast from an anchor on that all processes share."""

    speed: float = 1.0
    anchor: datetime | None = None

    def now(self) -> datetime:
        """Now."""
        real = datetime.now(UTC)
        return real if self.anchor is None else self.anchor + (real - self.anchor) * self.speed
