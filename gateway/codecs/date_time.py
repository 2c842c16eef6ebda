"""The 7-byte date and time of Bluetooth devices (2A08), and 2A2B, a device's present time.

Kept as the device wrote it, since that is the identity of a reading; year, month or day 0 mean "unknown". It has no
time zone: whoever knows the device's offset turns it into an instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.codecs.octets import Octets


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTime:
    """A device's own wall clock, untouched: it may say month 13."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int

    @property
    def text(self) -> str:
        """ISO 8601 without offset, as the device has it: `0000-04-17T20:41:59` where the year is unknown."""
        return f"{self.year:04}-{self.month:02}-{self.day:02}T{self.hour:02}:{self.minute:02}:{self.second:02}"

    @property
    def known(self) -> datetime | None:
        """The same without time zone, or None where a part is unknown or impossible."""
        try:
            return datetime(self.year, self.month, self.day, self.hour, self.minute, self.second)  # noqa: DTZ001 - it has none
        except ValueError:
            return None


def take(octets: Octets, field: str = "time") -> DeviceTime:
    """The next 7 bytes of a packet."""
    year = octets.unsigned(2, field)
    month, day, hour, minute, second = octets.take(5, field)
    return DeviceTime(year=year, month=month, day=day, hour=hour, minute=minute, second=second)


def encode(time: DeviceTime) -> bytes:
    """The 7 bytes of a date and time."""
    return time.year.to_bytes(2, "little") + bytes((time.month, time.day, time.hour, time.minute, time.second))


def of(moment: datetime) -> DeviceTime:
    """What a device whose clock shows `moment` writes (its time zone is dropped: devices have none)."""
    return DeviceTime(
        year=moment.year,
        month=moment.month,
        day=moment.day,
        hour=moment.hour,
        minute=moment.minute,
        second=moment.second,
    )


def decode_date_time(data: bytes) -> DeviceTime:
    """2A08: 7 bytes and nothing else.

    Raises:
        MalformedPacket: another length.
    """
    octets = Octets(data)
    time = take(octets)
    octets.finish()
    return time


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """2A2B: what a device's clock shows now."""

    time: DeviceTime
    weekday: int
    """1 = Monday ... 7 = Sunday, 0 = unknown."""
    fraction_256: int
    """1/256 of a second."""
    adjust_reason: int


def decode_current_time(data: bytes) -> CurrentTime:
    """2A2B: time, weekday, fraction, reason of the last adjustment (some devices leave the last byte out).

    Raises:
        MalformedPacket: under 9 or over 10 bytes.
    """
    octets = Octets(data)
    time = take(octets)
    weekday = octets.unsigned(1, "weekday")
    fraction = octets.unsigned(1, "fraction of a second")
    reason = octets.unsigned(1, "reason of adjustment") if octets.left else 0
    octets.finish()
    return CurrentTime(time=time, weekday=weekday, fraction_256=fraction, adjust_reason=reason)


def encode_current_time(current: CurrentTime) -> bytes:
    """The 10 bytes that set a device's clock, or that a device answers."""
    return encode(current.time) + bytes((current.weekday, current.fraction_256, current.adjust_reason))


def current_time_of(moment: datetime) -> CurrentTime:
    """2A2B for `moment` as a clock on the wall shows it; reason 1 = set by hand, which cuffs accept."""
    return CurrentTime(
        time=of(moment),
        weekday=moment.isoweekday(),
        fraction_256=moment.microsecond * 256 // 1_000_000,
        adjust_reason=1,
    )
