"""Instants as whole microseconds since 1970 (UTC): exact, fast to compare, and the same after any restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """An aware datetime as microseconds; exact (no float in between)."""
    return (at - EPOCH) // _MICROSECOND


def instant(us: int) -> datetime:
    """The datetime of `micros`."""
    return EPOCH + timedelta(microseconds=us)
