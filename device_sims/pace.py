"""The world's clock: real time times a speed, from one anchor, so that every process of a demo agrees on the time.

The only place in this folder that reads a clock; what is pure gets moments as numbers.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.clock import Clocks, boot_id


def _present() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """World time = anchor + (real time - anchor) x speed."""

    speed: float = 1.0
    anchor: datetime = field(default_factory=_present)
    """The moment at which world and real time agree; every process of a world is given the same one."""

    def now(self) -> datetime:
        """The world's wall clock, UTC."""
        return self.anchor + (_present() - self.anchor) * self.speed

    def monotonic_ns(self) -> int:
        """The world's clock that never steps."""
        return int(time.monotonic_ns() * self.speed)

    async def sleep(self, world_s: float) -> None:
        """Wait that many of the world's seconds."""
        await asyncio.sleep(max(world_s, 0.0) / self.speed)

    def clocks(self) -> Clocks:
        """The world's time as a gateway takes it; right without asking anybody."""
        return Clocks(wall=self.now, monotonic_ns=self.monotonic_ns, synchronised=lambda: True, boot=boot_id())

    def real_s(self, world_s: float) -> float:
        """That many of the world's seconds, on a real clock."""
        return world_s / self.speed

    def later(self, world_s: float) -> datetime:
        """The world's wall clock in that many of its seconds."""
        return self.now() + timedelta(seconds=world_s)
