"""2A35, a finished cuff measurement, and 2A36, the pressure while the cuff deflates, which is never a reading.

Both have one layout; they decode to two types, so that the second cannot be taken for the first. Real cuffs set
reserved flag bits (ignored) and send NaN as the mean pressure (None here).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

from gateway.codecs import date_time, sfloat
from gateway.codecs.octets import Octets

if TYPE_CHECKING:
    from gateway.codecs.date_time import DeviceTime

MEASUREMENT = "2A35"
INTERMEDIATE = "2A36"

USER_UNKNOWN = 0xFF
MMHG_PER_KPA = 7.500616827


class Fields(IntFlag):
    """The first byte: which fields follow."""

    KPA = 1
    TIME = 2
    PULSE = 4
    USER = 8
    STATUS = 16


class CuffStatus(IntFlag):
    """The measurement status word, as far as the profile names it."""

    BODY_MOVEMENT = 1
    CUFF_LOOSE = 2
    IRREGULAR_PULSE = 4
    PULSE_ABOVE_RANGE = 8
    PULSE_BELOW_RANGE = 16
    POSITION_IMPROPER = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressure:
    """What a cuff measured, in the unit in which it said so. None = the device gave no value."""

    systolic: float | None
    diastolic: float | None
    mean_arterial: float | None
    kpa: bool = False
    """The three pressures are kPa, not mmHg."""
    time: DeviceTime | None = None
    pulse_bpm: float | None = None
    user: int | None = None
    """User slot; None where the cuff has none, or says FF, unknown."""
    status: int | None = None
    """The bits of `CuffStatus`, and reserved ones that some cuffs set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CuffPressure:
    """2A36: where the deflating cuff stands. Never a reading."""

    pressure: float | None
    kpa: bool = False


def decode(data: bytes) -> BloodPressure:
    """2A35 from bytes.

    Raises:
        MalformedPacket: shorter or longer than its flags announce.
    """
    octets = Octets(data)
    fields = octets.unsigned(1, "flags")
    systolic = sfloat.decode(octets.unsigned(2, "systolic"))
    diastolic = sfloat.decode(octets.unsigned(2, "diastolic"))
    mean = sfloat.decode(octets.unsigned(2, "mean arterial pressure"))
    time = date_time.take(octets) if fields & Fields.TIME else None
    pulse = sfloat.decode(octets.unsigned(2, "pulse")) if fields & Fields.PULSE else None
    user = octets.unsigned(1, "user") if fields & Fields.USER else None
    status = octets.unsigned(2, "status") if fields & Fields.STATUS else None
    octets.finish()
    return BloodPressure(
        systolic=systolic,
        diastolic=diastolic,
        mean_arterial=mean,
        kpa=bool(fields & Fields.KPA),
        time=time,
        pulse_bpm=pulse,
        user=None if user == USER_UNKNOWN else user,
        status=status,
    )


def encode(pressure: BloodPressure, exponent: int | None = None) -> bytes:
    """2A35 as a cuff sends it; the exponent of the pressures is 0 for mmHg and -1 for kPa unless said otherwise.

    Raises:
        ValueError: a value does not fit its field.
    """
    if exponent is None:
        exponent = -1 if pressure.kpa else 0
    fields = Fields.KPA if pressure.kpa else Fields(0)
    body = bytearray()
    for value in (pressure.systolic, pressure.diastolic, pressure.mean_arterial):
        body += sfloat.encode(value, exponent).to_bytes(2, "little")
    if pressure.time is not None:
        fields |= Fields.TIME
        body += date_time.encode(pressure.time)
    if pressure.pulse_bpm is not None:
        fields |= Fields.PULSE
        body += sfloat.encode(pressure.pulse_bpm).to_bytes(2, "little")
    if pressure.user is not None:
        fields |= Fields.USER
        body.append(pressure.user)
    if pressure.status is not None:
        fields |= Fields.STATUS
        body += pressure.status.to_bytes(2, "little")
    return bytes((int(fields),)) + bytes(body)


def decode_intermediate(data: bytes) -> CuffPressure:
    """2A36 from bytes: only the first value has a meaning, whatever else the flags announce.

    Raises:
        MalformedPacket: under 3 bytes.
    """
    octets = Octets(data)
    fields = octets.unsigned(1, "flags")
    return CuffPressure(pressure=sfloat.decode(octets.unsigned(2, "cuff pressure")), kpa=bool(fields & Fields.KPA))
