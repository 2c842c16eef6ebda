"""Planned pauses: the band is off for a known while, and nobody need be told that it is silent. Pure.

Bounded per kind, within the plan, visible to all. Must never mute anything but silence: what is found of the body sounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from alerts.ladder import Role
from alerts.policy import SILENCES
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class PauseKind(StrEnum):
    """Why nothing will come for a while."""

    SHOWER = "shower"
    """Off the skin for a wash."""
    CHARGING = "charging"
    """The band or the gateway is charging."""
    NIGHT = "night"
    """A night without the band."""
    HOSPITAL = "hospital"
    """Others watch meanwhile."""
    HOLIDAY = "holiday"
    """Away from the gateway."""


class PauseRefused(ValueError):
    """A pause beyond its bounds, or set by somebody who may not; the message says which, and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a kind of pause may be: a choice of ours, which a plan may narrow."""

    longest_min: float
    by: frozenset[Role]


_DAILY = frozenset({Role.PATIENT, Role.FAMILY, Role.DOCTOR, Role.PRACTICE, Role.OPERATOR})
_DOCTORS = frozenset({Role.DOCTOR, Role.PRACTICE})
_DAY_MIN = 1440.0

BOUNDS: Mapping[PauseKind, Bounds] = {
    PauseKind.SHOWER: Bounds(longest_min=60.0, by=_DAILY),
    PauseKind.CHARGING: Bounds(longest_min=240.0, by=_DAILY),
    PauseKind.NIGHT: Bounds(longest_min=720.0, by=_DAILY),
    PauseKind.HOSPITAL: Bounds(longest_min=30 * _DAY_MIN, by=_DAILY),
    PauseKind.HOLIDAY: Bounds(longest_min=30 * _DAY_MIN, by=_DOCTORS | {Role.PATIENT, Role.OPERATOR}),
}

SILENCE = SILENCES | {Condition.LINK_SILENT, Condition.LEAD_OFF}
"""What a pause mutes: that nothing comes, or that the device or its gateway is off. Never a finding about the body."""

FURTHEST_AHEAD = timedelta(days=60)
"""A pause is planned at most so long before it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One planned pause of one patient."""

    pause: UUID
    patient: str
    kind: PauseKind
    from_at: datetime
    until_at: datetime
    by_whom: str
    role: Role
    lifted_at: datetime | None = None
    """When somebody ended it before its time."""


def check_planned(longest_min: Mapping[PauseKind, float]) -> None:
    """See that a plan narrows pauses, and does not widen them.

    Raises:
        PauseRefused: it widens one.
    """
    for kind, wished in longest_min.items():
        most = BOUNDS[kind].longest_min
        if not (math.isfinite(wished) and 0 <= wished <= most):
            raise PauseRefused(f"a pause for {kind} lasts 0 (never) to {most:g} min, not {wished:g}")


def check_pause(pause: Pause, planned: Mapping[PauseKind, float], now: datetime) -> None:
    """See that a pause is within its bounds and the plan.

    Raises:
        PauseRefused: it is not.
    """
    bounds = BOUNDS[pause.kind]
    if pause.role not in bounds.by:
        raise PauseRefused(f"a pause for {pause.kind} is set by {', '.join(sorted(bounds.by))}, not by {pause.role}")
    most = planned.get(pause.kind, bounds.longest_min)
    lasts = (pause.until_at - pause.from_at) / timedelta(minutes=1)
    if not 0 < lasts <= most:
        raise PauseRefused(f"a pause for {pause.kind} lasts at most {most:g} min for this patient, not {lasts:g}")
    if pause.until_at <= now:
        raise PauseRefused("that pause would be over already")
    if pause.from_at - now > FURTHEST_AHEAD:
        raise PauseRefused(f"a pause is planned at most {FURTHEST_AHEAD.days} days ahead")


def paused_until(pauses: Iterable[Pause], now: datetime) -> datetime | None:
    """Until when a patient's silence is planned; pauses that follow each other without a gap are one. None: it is not."""
    until: datetime | None = None
    for pause in sorted(pauses, key=lambda one: one.from_at):
        end = pause.until_at if pause.lifted_at is None else min(pause.until_at, pause.lifted_at)
        if end > now and pause.from_at <= (until or now):
            until = max(end, until or end)
    return until
