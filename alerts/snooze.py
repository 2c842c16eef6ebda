"""Snoozing: somebody who may asks not to hear of one condition for a bounded while. Pure.

It answers nothing: what nobody answers still grows worse in its time, and that breaks it. Must never let a patient or
their family keep an alert from the doctor or from dispatch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts.alert import Alert, Change, Tier
from alerts.course import entered
from alerts.ladder import Role
from alerts.machine import Signal, move

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class SnoozeRefused(ValueError):
    """Longer than its tier allows, or by somebody who may not; the message says which, and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a tier allows: a choice of ours."""

    longest_min: float
    by: frozenset[Role]


_DOCTORS = frozenset({Role.DOCTOR, Role.PRACTICE, Role.OPERATOR})

BOUNDS: Mapping[Tier, Bounds] = {
    Tier.TIP: Bounds(longest_min=480.0, by=_DOCTORS | {Role.PATIENT, Role.FAMILY}),
    Tier.DOCTOR: Bounds(longest_min=60.0, by=_DOCTORS),
    Tier.EMERGENCY: Bounds(longest_min=5.0, by=_DOCTORS | {Role.DISPATCH}),
}
"""How long, and by whom, at each tier."""


def snoozed(alert: Alert, minutes: float, now: datetime, by_whom: str, role: Role, cause: str) -> Change:
    """Nobody is told of it for so many minutes, unless it gets worse; the condition's next alert inherits the rest.

    0 minutes end a snooze: people are told again at once.

    Raises:
        SnoozeRefused: beyond the bounds of its tier, or nothing is snoozed that could end.
        IllegalMove: it is closed, or somebody has it.
    """
    before = alert.state
    state = move(before, Signal.SNOOZED)
    bounds = BOUNDS[alert.tier]
    if role not in bounds.by:
        raise SnoozeRefused(f"an alert of the tier {alert.tier} is not snoozed by {role}")
    if minutes == 0 and (alert.snoozed_until is None or alert.snoozed_until <= now):
        raise SnoozeRefused("it is not snoozed")
    if not (math.isfinite(minutes) and 0 <= minutes <= bounds.longest_min):
        raise SnoozeRefused(f"an alert of the tier {alert.tier} is snoozed for at most {bounds.longest_min:g} min")
    until = now + timedelta(minutes=minutes)
    changed = replace(alert, state=state, snoozed_until=until)
    changed, entry = entered(
        changed, before, cause=cause, what=Signal.SNOOZED, now=now, by_whom=by_whom,
        detail={"until": until.isoformat(), "role": role},
    )  # fmt: skip
    return Change(alert=changed, entries=(entry,))


def inherited(alert: Alert, others: Iterable[Alert], now: datetime) -> Alert:
    """A new alert under what is left of a snooze of its condition; a graver one breaks it."""
    left = [
        other.snoozed_until
        for other in others
        if other.condition == alert.condition
        and other.subject == alert.subject
        and other.snoozed_until is not None
        and other.snoozed_until > now
        and other.tier.rank >= alert.tier.rank
    ]
    return replace(alert, snoozed_until=max(left)) if left else alert
