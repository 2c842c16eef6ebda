"""When a notice that did not get through is tried again. Pure.

Tier 3 never gives up; the others back off over a day and are then dead letters, which raise an alert of their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.alert import Tier

EMERGENCY_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Since the first attempt; after the last, once a minute (alerting.md, "Delivery")."""
EMERGENCY_EVERY_S = 60.0
OTHER_S = (0.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 57_600.0, 86_400.0)
"""Standard Webhooks' advice, ending after a day."""
BESIDE_AFTER_S = 15.0
"""From here the next rung runs beside an emergency that does not get through."""
CONSOLE_WITHIN_S = 120.0
"""A lesser notice waits so long for somebody to sign in at a console (a choice of ours, 2026-11-24): a screen that
nobody looks at is no delay in transport, it is nobody there."""
SHAKY_AFTER = 5
"""Failed attempts of a lesser notice after which its address is called failing."""


def next_attempt(
    tier: Tier, begun: datetime, done: int, now: datetime, after_s: float | None = None
) -> datetime | None:
    """When to try again after `done` attempts, the last of which failed just now; None: it is a dead letter.

    `after_s` is what the far side asked for: an emergency waits a minute for it at most.
    """
    wished = now + timedelta(seconds=max(after_s or 0.0, 0.0))
    if tier is Tier.EMERGENCY:
        if done < len(EMERGENCY_S):
            at = begun + timedelta(seconds=EMERGENCY_S[done])
        else:
            since = (now - begun).total_seconds() - EMERGENCY_S[-1]
            at = begun + timedelta(seconds=EMERGENCY_S[-1] + (since // EMERGENCY_EVERY_S + 1) * EMERGENCY_EVERY_S)
        return max(at, min(wished, now + timedelta(seconds=EMERGENCY_EVERY_S)))
    if done >= len(OTHER_S):
        return None
    return max(begun + timedelta(seconds=OTHER_S[done]), min(wished, now + timedelta(hours=6)))


def is_failing(tier: Tier, begun: datetime, done: int, now: datetime, *, is_console: bool = False) -> bool:
    """Whether an address has failed long enough to say so, and to go on without it."""
    waited_s = (now - begun).total_seconds()
    if tier is Tier.EMERGENCY:
        return waited_s >= BESIDE_AFTER_S
    return waited_s >= CONSOLE_WITHIN_S if is_console else done >= SHAKY_AFTER
