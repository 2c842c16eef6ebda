"""How many beats of which class, and how much fibrillation, one lane had within its last hour and day. Values only.

Kept with the lane, not with its kernels: counts outlive sessions and lost signal. What they mean is judged by
`stream.burden_statements`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What was counted over a stretch of signal."""

    end_us: int
    seconds: int = 0
    beats: int = 0
    v: int = 0
    s: int = 0
    af_s: float = 0.0

    def plus(self, other: Count) -> Count:
        """Both together, up to the later end."""
        return Count(
            end_us=max(self.end_us, other.end_us),
            seconds=self.seconds + other.seconds,
            beats=self.beats + other.beats,
            v=self.v + other.v,
            s=self.s + other.s,
            af_s=self.af_s + other.af_s,
        )

    def percent(self, of: int) -> float:
        """So many beats as a share of all."""
        return 100.0 * of / self.beats if self.beats else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """Counts of one lane and patient."""

    patient: str = ""
    stretches: tuple[Count, ...] = ()
    """Those of the last hour, the newest last."""
    hours: tuple[Count, ...] = ()
    """Clock hours of the last day, by their newest stretch."""


NOTHING = Burden()
