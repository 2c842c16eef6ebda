"""What a continuous glucose sensor says of itself: 2AA8 features, 2AA9 status, 2AAA session start, 2AAB run time, 2AAC.

A sensor counts minutes since its session began; with the start (a local time, if anybody has told it one) a record has a
date. A CRC ends each of them where the sensor has that feature; 2AA8 always has its two bytes, FFFF meaning "none".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, IntFlag

from gateway.codecs import date_time, e2e_crc
from gateway.codecs.cgm import NOTHING, Annunciation
from gateway.codecs.date_time import DeviceTime
from gateway.codecs.e2e_crc import CrcVariant
from gateway.codecs.octets import Octets

FEATURE = "2AA8"
STATUS = "2AA9"
SESSION_START = "2AAA"
RUN_TIME = "2AAB"
CONTROL = "2AAC"

CONTROL_SOLUTION = 10
"""`Features.kind` of what is never a reading of a person."""
_ZONE_UNKNOWN, _DST_UNKNOWN = -128, 255
_QUARTER_MIN = 15
_FURTHEST_MIN = 14 * 60
_NO_CRC = b"\xff\xff"


class Feature(IntFlag):
    """What a sensor can do, as far as we ask."""

    CALIBRATION = 1 << 0
    LOW_BATTERY = 1 << 9
    E2E_CRC = 1 << 12
    MULTIPLE_SESSIONS = 1 << 14
    TREND = 1 << 15
    QUALITY = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """2AA8."""

    features: int
    """Bits of `Feature`, and others."""
    kind: int
    """Which fluid: 9 interstitial, 10 control solution."""
    location: int
    """Where: 5 under the skin."""
    crc: CrcVariant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorStatus:
    """2AA9: where the sensor stands now."""

    offset_min: int
    """Of now: the sensor's clock."""
    annunciation: Annunciation = NOTHING
    crc: CrcVariant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStart:
    """2AAA: when the sensor's session began, by the sensor's clock."""

    time: DeviceTime
    """Local time; year, month or day 0 = nobody has told the sensor what time it is."""
    zone_min: int | None
    """East of UTC, without daylight saving; None = unknown."""
    dst_min: int | None
    """Daylight saving; None = unknown."""
    crc: CrcVariant | None = None

    def utc_offset(self) -> timedelta | None:
        """Local time minus UTC; None = unknown."""
        return None if self.zone_min is None else timedelta(minutes=self.zone_min + (self.dst_min or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """2AAB: for how long a sensor is made to measure."""

    hours: int
    crc: CrcVariant | None = None


class Op(IntEnum):
    """The op codes of 2AAC that are used here."""

    SET_INTERVAL = 1
    GET_INTERVAL = 2
    INTERVAL = 3
    """Answer: minutes between two notifications; 0 = none come by themselves."""
    START_SESSION = 0x1A
    STOP_SESSION = 0x1B
    RESPONSE = 0x1C
    """Answer: op code, and how it ended."""


_OPERANDS = {
    1: 1, 2: 0, 3: 1, 4: 10, 5: 2, 6: 10, 7: 2, 8: 0, 9: 2, 0xA: 2, 0xB: 0, 0xC: 2, 0xD: 2, 0xE: 0, 0xF: 2,
    0x10: 2, 0x11: 0, 0x12: 2, 0x13: 2, 0x14: 0, 0x15: 2, 0x16: 2, 0x17: 0, 0x18: 2, 0x19: 0, 0x1A: 0, 0x1B: 0, 0x1C: 2,
}  # fmt: skip
"""Bytes of the operand by op code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint:
    """2AAC, in either direction."""

    op: int
    operand: bytes = b""
    crc: CrcVariant | None = None


def decode_features(data: bytes) -> Features:
    """2AA8 from bytes.

    Raises:
        MalformedPacket: not 6 bytes, or a sensor that has CRCs and one that fits no variant.
    """
    octets = Octets(data)
    features = octets.unsigned(3, "features")
    kinds = octets.unsigned(1, "type and location")
    octets.take(e2e_crc.SIZE, "CRC")
    octets.finish()
    crc = None
    if features & Feature.E2E_CRC:
        crc = e2e_crc.fitting(data)
        if crc is None:
            raise octets.malformed("the CRC fits neither variant")
    return Features(features=features, kind=kinds & 0x0F, location=kinds >> 4, crc=crc)


def encode_features(features: Features) -> bytes:
    """2AA8 as a sensor sends it."""
    body = features.features.to_bytes(3, "little") + bytes((features.location << 4 | features.kind,))
    return body + _NO_CRC if features.crc is None else e2e_crc.sealed(body, features.crc)


def decode_status(data: bytes) -> SensorStatus:
    """2AA9 from bytes.

    Raises:
        MalformedPacket: not 5 or 7 bytes, or a CRC that fits no variant.
    """
    octets = Octets(data)
    offset_min = octets.unsigned(2, "time offset")
    annunciation = Annunciation(octets.unsigned(3, "annunciation"))
    return SensorStatus(offset_min=offset_min, annunciation=annunciation, crc=_crc(octets, data))


def encode_status(status: SensorStatus) -> bytes:
    """2AA9 as a sensor sends it."""
    body = status.offset_min.to_bytes(2, "little") + int(status.annunciation).to_bytes(3, "little")
    return e2e_crc.sealed(body, status.crc)


def decode_session_start(data: bytes) -> SessionStart:
    """2AAA from bytes; a zone or daylight saving that cannot be counts as unknown.

    Raises:
        MalformedPacket: not 9 or 11 bytes, or a CRC that fits no variant.
    """
    octets = Octets(data)
    time = date_time.take(octets, "session start")
    zone_min = octets.signed(1, "time zone") * _QUARTER_MIN
    dst = octets.unsigned(1, "daylight saving")
    return SessionStart(
        time=time,
        zone_min=zone_min if abs(zone_min) <= _FURTHEST_MIN else None,
        dst_min=dst * _QUARTER_MIN if dst in (0, 2, 4, 8) else None,
        crc=_crc(octets, data),
    )


def encode_session_start(start: SessionStart) -> bytes:
    """2AAA as a sensor sends it, or as it is told the time of now (it works out its own start)."""
    zone = _ZONE_UNKNOWN if start.zone_min is None else start.zone_min // _QUARTER_MIN
    dst = _DST_UNKNOWN if start.dst_min is None else start.dst_min // _QUARTER_MIN
    body = date_time.encode(start.time) + zone.to_bytes(1, "little", signed=True) + bytes((dst,))
    return e2e_crc.sealed(body, start.crc)


def session_start_of(local: datetime, utc_offset: timedelta, crc: CrcVariant | None = None) -> SessionStart:
    """2AAA for a local time; daylight saving is counted into the zone, as both only ever meet as a sum."""
    zone_min = round(utc_offset.total_seconds() / 60 / _QUARTER_MIN) * _QUARTER_MIN
    return SessionStart(time=date_time.of(local), zone_min=zone_min, dst_min=0, crc=crc)


def decode_run_time(data: bytes) -> RunTime:
    """2AAB from bytes.

    Raises:
        MalformedPacket: not 2 or 4 bytes, or a CRC that fits no variant.
    """
    octets = Octets(data)
    hours = octets.unsigned(2, "run time")
    return RunTime(hours=hours, crc=_crc(octets, data))


def encode_run_time(run_time: RunTime) -> bytes:
    """2AAB as a sensor sends it."""
    return e2e_crc.sealed(run_time.hours.to_bytes(2, "little"), run_time.crc)


def decode_control(data: bytes) -> ControlPoint:
    """2AAC from bytes.

    Raises:
        MalformedPacket: an unknown op code, an operand of another length, or a CRC that fits no variant.
    """
    octets = Octets(data)
    op = octets.unsigned(1, "op code")
    if op not in _OPERANDS:
        raise octets.malformed(f"{op:#04x} is no op code of the CGM control point")
    operand = octets.take(_OPERANDS[op], "operand")
    return ControlPoint(op=op, operand=operand, crc=_crc(octets, data))


def encode_control(word: ControlPoint) -> bytes:
    """2AAC as it is written or indicated."""
    return e2e_crc.sealed(bytes((word.op,)) + word.operand, word.crc)


def _crc(octets: Octets, data: bytes) -> CrcVariant | None:
    """What is left must be a CRC over all before it, or nothing."""
    if not octets.left:
        return None
    octets.take(e2e_crc.SIZE, "CRC")
    octets.finish()
    variant = e2e_crc.fitting(data)
    if variant is None:
        raise octets.malformed("the CRC fits neither variant")
    return variant
