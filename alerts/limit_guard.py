"""What a limit may be: absolute bounds refuse, advised bounds warn, and beyond advice somebody must say why. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.limits import LIMITS, Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.plan import Plan


class LimitRefused(ValueError):
    """A limit outside of what anybody may set; the message names it and its bounds."""

    def __init__(self, said: str, limit: str) -> None:
        """`limit`: which one, so that a page can say so beside its field."""
        super().__init__(said)
        self.limit = limit


class ReasonMissing(ValueError):
    """A limit goes beyond what is advised and nobody says why; the message says each, with its default and source."""

    def __init__(self, warnings: Mapping[str, str]) -> None:
        """`warnings`: a sentence by limit."""
        super().__init__("; ".join([*warnings.values(), "give a reason: it is kept with the plan"]))
        self.warnings = dict(warnings)


BOUNDS: Mapping[str, Limit] = LIMITS
"""Every limit that a plan may set: the very table that the detector judges by, with bounds and their source."""


def check_limits(own: Mapping[str, float]) -> dict[str, str]:
    """Warnings for values beyond what is advised, by limit.

    Raises:
        LimitRefused: an unknown name, no finite number, or a value beyond the absolute bounds.
    """
    warnings: dict[str, str] = {}
    for name, value in sorted(own.items()):
        bounds = BOUNDS.get(name)
        if bounds is None:
            raise LimitRefused(f"{name} is no limit; there are: {', '.join(sorted(BOUNDS))}", name)
        if not (math.isfinite(value) and bounds.lowest <= value <= bounds.highest):
            allowed = f"{bounds.lowest:g} to {bounds.highest:g}"
            raise LimitRefused(f"{name} = {value:g} is beyond {allowed} ({bounds.source})", name)
        if not bounds.advised_from <= value <= bounds.advised_to:
            warnings[name] = (
                f"{name} = {value:g} is beyond the advised {bounds.advised_from:g} to {bounds.advised_to:g};"
                f" the default is {bounds.default:g} ({bounds.source})"
            )
    return warnings


def check_reason(wanted: Plan, before: Plan, warnings: Mapping[str, str]) -> None:
    """See that whoever goes beyond what is advised says why; what was so before needs no new reason.

    Raises:
        ReasonMissing: they do not.
    """
    fresh = {name: said for name, said in warnings.items() if wanted.limits.get(name) != before.limits.get(name)}
    if fresh and not wanted.reason.strip():
        raise ReasonMissing(fresh)
