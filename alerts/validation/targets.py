"""What each figure has to reach, and where: the table of the design, as data.

On recordings that nobody tuned on; on development data a target that is met proves nothing yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from alerts.validation.collection import Collection


class Standing(StrEnum):
    """A figure beside its target."""

    MET = "met"
    """Also at the worse end of its interval."""
    UNPROVEN = "met, not proven"
    """The figure reaches it, the worse end of its interval does not."""
    MISSED = "not met"
    """The figure does not reach it."""
    NONE = ""
    """There is no target, or no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A bound."""

    value: float
    is_least: bool
    """The figure must be so high at least; else so low at most."""
    source: str = "detection.md, table of targets"

    def standing(self, value: float, low: float, high: float) -> Standing:
        """How a figure with its interval stands to it; without an interval the figure alone decides nothing for sure."""
        if math.isnan(value):
            return Standing.NONE
        if not self._reached(value):
            return Standing.MISSED
        worse = low if self.is_least else high
        return Standing.MET if self._reached(worse) else Standing.UNPROVEN

    def _reached(self, value: float) -> bool:
        return value >= self.value if self.is_least else value <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.value:g}"


def _least(value: float) -> Target:
    return Target(value=value, is_least=True)


def _most(value: float) -> Target:
    return Target(value=value, is_least=False)


TARGETS: dict[tuple[str, Collection | None], Target] = {
    ("QRS DER", Collection.MITDB): _most(0.20),
    ("beat told after, p95", Collection.MITDB): _most(0.5),
    ("V Se", Collection.MITDB): _least(95),
    ("V +P", Collection.MITDB): _least(96),
    ("S Se", Collection.MITDB): _least(80),
    ("S +P", Collection.MITDB): _least(80),
    ("normal beats called S", Collection.NSRDB): _most(0.5),
    ("AF Se", Collection.LTAFDB): _least(98),
    ("AF Sp", Collection.LTAFDB): _least(98),
    ("AF PPV", Collection.MITDB): _least(85),
    ("VF found", None): _least(100),
    ("VT found", None): _least(90),
    ("VF, VT within 7 s", None): _least(95),
    ("VF, VT where there is none", None): _most(0),
    ("arrest score", None): _least(85),
    ("true asystole, VF, extreme rate lost", None): _most(0),
    ("strips F1", None): _least(85),
    ("strips F1 of A", None): _least(87),
    ("false emergencies", None): _most(0.012),
}
"""By name of the figure and collection; None: wherever it is told, and for all together."""


def target_of(name: str, collection: Collection | None) -> Target | None:
    """The target of a figure on a collection (None: on several together)."""
    return TARGETS.get((name, collection)) or TARGETS.get((name, None))
