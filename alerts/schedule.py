"""A practice's schedule: who is on call, by local hours of the week, with exceptions by date. Pure.

An alert carries the schedule as it was when it was raised; each rung asks it for the moment at which it is due. Hours are
those of the wall clock in the schedule's zone, so summer time needs no rule. Must never read a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DAY_MINUTES = 1440
_MOST_EXCEPTIONS, _MOST_SHIFTS = 400, 200


class ScheduleRefused(ValueError):
    """A schedule that cannot be read as hours of a week; the message says which part."""


class Weekday(StrEnum):
    """A day of the week, Monday first."""

    MON = "mon"
    """Monday."""
    TUE = "tue"
    """Tuesday."""
    WED = "wed"
    """Wednesday."""
    THU = "thu"
    """Thursday."""
    FRI = "fri"
    """Friday."""
    SAT = "sat"
    """Saturday."""
    SUN = "sun"
    """Sunday."""


_DAYS = tuple(Weekday)
_PLURALS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OnCall:
    """One person on one channel, for as long as a shift lasts; the role is whatever the schedule is asked for."""

    person: str
    """Id within the practice, never a name."""
    channel: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A stretch of hours of a day, by the local wall clock; it belongs to the day on which it begins."""

    start: time
    """Included; whole minutes."""
    end: time
    """Not included. At or before `start`: it ends on the next day; the same: it lasts 24 hours."""
    to: tuple[OnCall, ...]
    """Who is on call; several hear it at once."""

    @property
    def is_overnight(self) -> bool:
        """Whether it ends on the day after."""
        return self.end <= self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyShift:
    """A shift, and the days of the week on which it begins."""

    days: tuple[Weekday, ...]
    shift: Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A date with hours of its own, as a holiday: its shifts stand in place of the weekday's."""

    on: date
    shifts: tuple[Shift, ...] = ()
    """None: no shift begins on that date (one that began the day before still ends in its time)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Who is on call at every hour; `holes` says at which hours nobody is."""

    name: str
    zone: str
    """IANA time zone, as Europe/Berlin."""
    week: tuple[WeeklyShift, ...]
    exceptions: tuple[SpecialDay, ...] = ()
    version: int = 0

    def on_call(self, at: datetime) -> tuple[OnCall, ...]:
        """Who is on call at an instant, each once, in a fixed order; empty where nobody is."""
        local = at.astimezone(_zone(self.zone))
        minute = local.hour * 60 + local.minute
        return tuple(sorted({one for shift in _running(self, local.date(), minute) for one in shift.to}))

    def shifts_of(self, day: date) -> Iterator[Shift]:
        """The shifts that begin on a date."""
        special = next((one for one in self.exceptions if one.on == day), None)
        if special is not None:
            yield from special.shifts
        else:
            weekday = _DAYS[day.weekday()]
            yield from (one.shift for one in self.week if weekday in one.days)

    def everybody(self) -> frozenset[OnCall]:
        """All whom it names at any hour."""
        weekly = {one for planned in self.week for one in planned.shift.to}
        return frozenset(weekly | {one for day in self.exceptions for shift in day.shifts for one in shift.to})


def check_schedule(schedule: Schedule) -> None:
    """See that a schedule can be read.

    Raises:
        ScheduleRefused: it cannot.
    """
    try:
        _zone(schedule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleRefused(f"{schedule.zone!r} is no IANA time zone: write one as Europe/Berlin") from None
    if len(schedule.exceptions) > _MOST_EXCEPTIONS or len(schedule.week) > _MOST_SHIFTS:
        raise ScheduleRefused(f"at most {_MOST_SHIFTS} shifts and {_MOST_EXCEPTIONS} exceptions")
    dates = [one.on for one in schedule.exceptions]
    if twice := sorted({day for day in dates if dates.count(day) > 1}):
        raise ScheduleRefused(f"more than one exception on {twice[0]}: write all its shifts in one")
    for weekly in schedule.week:
        if not weekly.days:
            raise ScheduleRefused(f"the shift {_hours(weekly.shift)} has no day of the week")
    for shift in [one.shift for one in schedule.week] + [one for day in schedule.exceptions for one in day.shifts]:
        if not shift.to:
            raise ScheduleRefused(f"the shift {_hours(shift)} names nobody")
        if any(end.second or end.microsecond or end.tzinfo for end in (shift.start, shift.end)):
            raise ScheduleRefused(f"the shift {_hours(shift)}: whole minutes of the local clock, without an offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Minutes of a day at which nobody counts."""

    day: int | date
    """0 is every Monday; a date where the exceptions of a schedule are the reason."""
    first: int
    """Minute of the local day, included."""
    last: int
    """Not included; 1440 is midnight."""

    def __str__(self) -> str:
        """`Saturdays 18:00-24:00`, `2026-12-25 00:00-24:00`."""
        day = _PLURALS[self.day] if isinstance(self.day, int) else self.day.isoformat()
        return f"{day} {_clock(self.first)}-{_clock(self.last)}"


def holes(
    schedules: Sequence[Schedule], today: date, counts: Callable[[OnCall], bool] = lambda _: True
) -> tuple[Hole, ...]:
    """When nobody who counts is on call in any of these schedules, which are of one zone.

    Exceptions before yesterday are history. Empty: at every minute that will come somebody is.
    """
    if not schedules:
        return tuple(Hole(day=day, first=0, last=DAY_MINUTES) for day in range(7))
    zone = _zone(schedules[0].zone)
    weekly = [Schedule(name=one.name, zone=one.zone, week=one.week) for one in schedules]
    monday = date(2026, 1, 5)
    found = [
        Hole(day=day, first=first, last=last)
        for day in range(7)
        for first, last in _gaps(weekly, monday + timedelta(days=day), counts)
    ]
    special = {one.on for schedule in schedules for one in schedule.exceptions}
    usual = {(one.day, one.first, one.last) for one in found}
    for day in sorted({on + timedelta(days=ahead) for on in special for ahead in (0, 1)}):
        if day < today - timedelta(days=1):
            continue
        found += [
            Hole(day=day, first=first, last=last)
            for first, last in _gaps(schedules, day, counts)
            if (day.weekday(), first, last) not in usual and _is_ever(zone, day, first, last)
        ]
    return tuple(found)


def told(found: Iterable[Hole], zone: str, most: int = 7) -> str:
    """Holes as a person reads them, with the zone: `Saturdays 18:00-24:00, Sundays 00:00-08:00 Europe/Berlin`."""
    listed = list(found)
    daily = {
        (one.first, one.last)
        for one in listed
        if all(Hole(day=day, first=one.first, last=one.last) in listed for day in range(7))
    }
    parts = [f"any day {_clock(first)}-{_clock(last)}" for first, last in sorted(daily)]
    parts += [str(one) for one in listed if not isinstance(one.day, int) or (one.first, one.last) not in daily]
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return f"{', '.join(parts[:most])}{more} {zone}"


def _running(schedule: Schedule, day: date, minute: int) -> Iterator[Shift]:
    for shift in schedule.shifts_of(day):
        first, last = _span(shift)
        if first <= minute < last:
            yield shift
    for shift in schedule.shifts_of(day - timedelta(days=1)):
        first, last = _span(shift)
        if first <= minute + DAY_MINUTES < last:
            yield shift


def _span(shift: Shift) -> tuple[int, int]:
    """Minutes since the midnight before it began."""
    first = shift.start.hour * 60 + shift.start.minute
    last = shift.end.hour * 60 + shift.end.minute
    return first, last + DAY_MINUTES if shift.is_overnight else last


def _gaps(schedules: Sequence[Schedule], day: date, counts: Callable[[OnCall], bool]) -> list[tuple[int, int]]:
    """Stretches of one local day that no shift with somebody who counts covers."""
    spans = []
    for schedule in schedules:
        for offset, when in ((0, day), (-DAY_MINUTES, day - timedelta(days=1))):
            for shift in schedule.shifts_of(when):
                if any(counts(one) for one in shift.to):
                    first, last = _span(shift)
                    spans.append((max(first + offset, 0), min(last + offset, DAY_MINUTES)))
    gaps, reached = [], 0
    for first, last in sorted(one for one in spans if one[0] < one[1]):
        if first > reached:
            gaps.append((reached, first))
        reached = max(reached, last)
    if reached < DAY_MINUTES:
        gaps.append((reached, DAY_MINUTES))
    return gaps


def _is_ever(zone: ZoneInfo, day: date, first: int, last: int) -> bool:
    """Whether the local clock shows any minute of it: an hour that summer time skips is no hole."""
    midnight = datetime.combine(day, time())
    for minute in range(first, last):
        local = midnight + timedelta(minutes=minute)
        if local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local:
            return True
    return False


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _hours(shift: Shift) -> str:
    return f"{shift.start:%H:%M}-{shift.end:%H:%M}"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
