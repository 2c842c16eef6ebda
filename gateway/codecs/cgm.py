"""2AA7, what a continuous glucose sensor measured, and the state of the sensor that comes with it.

One packet may hold several records, each with its own size, and each size is checked before it is believed: a wrong one
must neither loop nor read into the next record. What the sensor says of its session is `cgm_sensor.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from gateway.codecs import e2e_crc, sfloat
from gateway.codecs.e2e_crc import CrcVariant
from gateway.codecs.octets import Octets

MEASUREMENT = "2AA7"

_SMALLEST = 6
"""Size, flags, concentration, time offset."""
_NO_TREND = 0x7FFF
"""What a sensor in the field writes for "no trend": by the rules it would be -10,000,000 mg/dL a minute."""
_TREND_EXPONENT = -2


class Fields(IntFlag):
    """The second byte: which fields follow."""

    TREND = 0x01
    QUALITY = 0x02
    WARNING_OCTET = 0x20
    CALIBRATION_OCTET = 0x40
    STATUS_OCTET = 0x80


class Annunciation(IntFlag):
    """The state of sensor and session: three octets (status, calibration and temperature, warning) as one number."""

    SESSION_STOPPED = 1 << 0
    BATTERY_LOW = 1 << 1
    SENSOR_TYPE_INCORRECT = 1 << 2
    SENSOR_MALFUNCTION = 1 << 3
    DEVICE_SPECIFIC_ALERT = 1 << 4
    DEVICE_FAULT = 1 << 5
    TIME_SYNCHRONISATION_REQUIRED = 1 << 8
    CALIBRATION_NOT_ALLOWED = 1 << 9
    CALIBRATION_RECOMMENDED = 1 << 10
    CALIBRATION_REQUIRED = 1 << 11
    TEMPERATURE_TOO_HIGH = 1 << 12
    TEMPERATURE_TOO_LOW = 1 << 13
    BELOW_PATIENT_LOW = 1 << 16
    ABOVE_PATIENT_HIGH = 1 << 17
    BELOW_HYPO = 1 << 18
    ABOVE_HYPER = 1 << 19
    FALLS_TOO_FAST = 1 << 20
    RISES_TOO_FAST = 1 << 21
    BELOW_RANGE = 1 << 22
    """Lower than the device can process."""
    ABOVE_RANGE = 1 << 23
    """Higher than the device can process."""


NOTHING = Annunciation(0)
_OCTETS = ((Fields.STATUS_OCTET, 0), (Fields.CALIBRATION_OCTET, 8), (Fields.WARNING_OCTET, 16))
"""In the order in which they follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmRecord:
    """One measurement of a sensor. None = it gave no value."""

    mg_dl: float | None
    """Sensors that warm up write 0 here: whoever reads it has to know."""
    offset_min: int
    """Minutes since the start of the sensor's session: the number of the record."""
    annunciation: Annunciation = NOTHING
    """Reserved bits are kept; octets that did not come are 0."""
    trend_mg_dl_min: float | None = None
    quality_percent: float | None = None
    crc: CrcVariant | None = None
    """Which way of counting its CRC fits; None: it carries none."""


def decode(data: bytes) -> tuple[CgmRecord, ...]:
    """2AA7 from bytes: one record or more.

    Raises:
        MalformedPacket: no record, a size that does not fit its flags or the packet, or a CRC that fits no variant.
    """
    octets = Octets(data)
    records: list[CgmRecord] = []
    while octets.left or not records:
        size = octets.unsigned(1, "size")
        if size < _SMALLEST:
            raise octets.malformed(f"a record of {size} bytes: the smallest has {_SMALLEST}")
        record = bytes((size,)) + octets.take(size - 1, f"a record of {size} bytes")
        records.append(_record(record, octets))
    return tuple(records)


def encode(*records: CgmRecord) -> bytes:
    """2AA7 as a sensor sends it: octets of the annunciation that are 0 are left out, as are trend and quality of None.

    Raises:
        ValueError: a value does not fit its field.
    """
    return b"".join(_encoded(record) for record in records)


def _record(record: bytes, packet: Octets) -> CgmRecord:
    fields = record[1]
    wanted = _SMALLEST + sum(bool(fields & flag) for flag, _ in _OCTETS)
    wanted += 2 * bool(fields & Fields.TREND) + 2 * bool(fields & Fields.QUALITY)
    if len(record) not in (wanted, wanted + e2e_crc.SIZE):
        raise packet.malformed(f"a record says {len(record)} bytes, its flags {wanted} (or {wanted + e2e_crc.SIZE})")
    variant = None
    if len(record) > wanted:
        variant = e2e_crc.fitting(record)
        if variant is None:
            raise packet.malformed("the CRC of a record fits neither variant")
    octets = Octets(record[2:])
    mg_dl = sfloat.decode(octets.unsigned(2, "glucose"))
    offset_min = octets.unsigned(2, "time offset")
    annunciation = NOTHING
    for flag, shift in _OCTETS:
        if fields & flag:
            annunciation |= Annunciation(octets.unsigned(1, "annunciation") << shift)
    trend = octets.unsigned(2, "trend") if fields & Fields.TREND else _NO_TREND
    quality = sfloat.decode(octets.unsigned(2, "quality")) if fields & Fields.QUALITY else None
    return CgmRecord(
        mg_dl=mg_dl,
        offset_min=offset_min,
        annunciation=annunciation,
        trend_mg_dl_min=None if trend == _NO_TREND else sfloat.decode(trend),
        quality_percent=quality,
        crc=variant,
    )


def _encoded(record: CgmRecord) -> bytes:
    fields = Fields(0)
    body = sfloat.encode(record.mg_dl).to_bytes(2, "little") + record.offset_min.to_bytes(2, "little")
    for flag, shift in _OCTETS:
        if octet := int(record.annunciation) >> shift & 0xFF:
            fields |= flag
            body += bytes((octet,))
    if record.trend_mg_dl_min is not None:
        fields |= Fields.TREND
        body += sfloat.encode(record.trend_mg_dl_min, _TREND_EXPONENT).to_bytes(2, "little")
    if record.quality_percent is not None:
        fields |= Fields.QUALITY
        body += sfloat.encode(record.quality_percent).to_bytes(2, "little")
    size = len(body) + 2 + (e2e_crc.SIZE if record.crc is not None else 0)
    return e2e_crc.sealed(bytes((size, int(fields))) + body, record.crc)
