"""Hours of the night in which a tip waits: local times of the patient's own clock. Pure.

Frozen into the alert with its ladder. Must never hold back what asks the patient to act now, nor anything above a tip.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = timedelta(hours=12)
"""A tip that waits for longer than a long night is no tip any more: a choice of ours."""


class QuietHoursRefused(ValueError):
    """Quiet hours that no clock shows, or that would keep tips back for too long; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From when to when, each day."""

    start: time
    """Included; whole minutes of the local clock."""
    end: time
    """Not included; at or before `start`: on the next day."""
    zone: str
    """IANA time zone, as Europe/Berlin."""

    def ends_after(self, at: datetime) -> datetime | None:
        """When the quiet hours that hold at an instant end (UTC); None where none hold."""
        local = at.astimezone(_zone(self.zone))
        clock, day = local.time(), local.date()
        if self.start < self.end:
            is_quiet = self.start <= clock < self.end
        else:
            is_quiet = clock >= self.start or clock < self.end
            day += timedelta(days=1) if clock >= self.start else timedelta()
        if not is_quiet:
            return None
        return max(datetime.combine(day, self.end, _zone(self.zone)).astimezone(UTC), at)


def check_quiet_hours(hours: QuietHours | None) -> None:
    """See that quiet hours can be kept.

    Raises:
        QuietHoursRefused: they cannot.
    """
    if hours is None:
        return
    try:
        _zone(hours.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QuietHoursRefused(f"{hours.zone!r} is no IANA time zone: write one as Europe/Berlin") from None
    if any(one.second or one.microsecond or one.tzinfo for one in (hours.start, hours.end)):
        raise QuietHoursRefused("quiet hours are whole minutes of the local clock, without an offset")
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    lasts = datetime.combine(midnight, hours.end, UTC) - datetime.combine(midnight, hours.start, UTC)
    lasts += timedelta(days=1) if lasts <= timedelta() else timedelta()
    if lasts > LONGEST:
        raise QuietHoursRefused(f"quiet hours of {lasts / timedelta(hours=1):g} h: at most {LONGEST.seconds // 3600} h")


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
