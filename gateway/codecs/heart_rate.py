"""2A37, heart rate as a strap counts it, with the RR intervals since the last packet.

Contact means something only where the device says that it can tell. RR intervals stay in the device's 1/1024 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from gateway.codecs.octets import Octets

MEASUREMENT = "2A37"
RR_UNITS_PER_S = 1024


class Fields(IntFlag):
    """The first byte."""

    WIDE = 1
    """The rate has two bytes."""
    CONTACT = 2
    CONTACT_KNOWN = 4
    ENERGY = 8
    RR = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRate:
    """One packet of a heart-rate strap."""

    rate_bpm: int
    contact: bool | None = None
    """None: the device cannot tell."""
    energy_kj: int | None = None
    rr_1024: tuple[int, ...] = ()
    """Intervals between beats in 1/1024 s, oldest first."""


def decode(data: bytes) -> HeartRate:
    """2A37 from bytes.

    Raises:
        MalformedPacket: shorter or longer than its flags announce; an RR flag without an interval counts as short.
    """
    octets = Octets(data)
    fields = octets.unsigned(1, "flags")
    rate = octets.unsigned(2 if fields & Fields.WIDE else 1, "heart rate")
    energy = octets.unsigned(2, "energy") if fields & Fields.ENERGY else None
    intervals: list[int] = []
    if fields & Fields.RR:
        intervals.append(octets.unsigned(2, "RR interval"))
        while octets.left:
            intervals.append(octets.unsigned(2, "RR interval"))
    octets.finish()
    contact = bool(fields & Fields.CONTACT) if fields & Fields.CONTACT_KNOWN else None
    return HeartRate(rate_bpm=rate, contact=contact, energy_kj=energy, rr_1024=tuple(intervals))


def encode(heart: HeartRate) -> bytes:
    """2A37 as a strap sends it.

    Raises:
        OverflowError: a value over 65535 or under 0.
    """
    fields = Fields(0)
    wide = heart.rate_bpm > 0xFF
    if wide:
        fields |= Fields.WIDE
    body = heart.rate_bpm.to_bytes(2 if wide else 1, "little")
    if heart.contact is not None:
        fields |= Fields.CONTACT_KNOWN
        if heart.contact:
            fields |= Fields.CONTACT
    if heart.energy_kj is not None:
        fields |= Fields.ENERGY
        body += heart.energy_kj.to_bytes(2, "little")
    if heart.rr_1024:
        fields |= Fields.RR
        body += b"".join(interval.to_bytes(2, "little") for interval in heart.rr_1024)
    return bytes((int(fields),)) + body
