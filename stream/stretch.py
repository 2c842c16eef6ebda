"""An episode that readings or reports show, before it is compared with what was told: what each vital rule returns. Pure.

A value only: it knows neither ids nor revisions (`stream.retelling` gives those), and never looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.finding import Condition
    from stream.statement import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time during which a condition holds, by the data's own time."""

    condition: Condition
    stream: str
    """Device and stream, as they go into the episode's id."""
    opened: str
    """What opened it, by the device's own count."""
    onset_us: int
    last_us: int
    """The newest reading that supports it."""
    at_us: int
    """The newest reading that was looked at for it: when it was decided."""
    end_us: int | None = None
    """None: it stands."""
    confidence: float = 1.0
    evidence: Evidence = field(default_factory=dict)
    matters: tuple[str, ...] = ()
    """Names in the evidence whose change is worth a statement of its own."""
