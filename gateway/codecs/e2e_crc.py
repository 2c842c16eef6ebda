"""The end-to-end CRC of glucose sensors: 16 bits at the end of a packet, over all bytes before it, low byte first.

Two readings of the profile are in the field. Both have the polynomial 0x1021 and start from 0xFFFF; a device uses one of
them for ever, so whoever listens learns which. A packet that fits neither is malformed.
"""

from __future__ import annotations

from enum import StrEnum

SIZE = 2
_START = 0xFFFF


class CrcVariant(StrEnum):
    """How a device counts."""

    MCRF4XX = "mcrf4xx"
    """As the profile means it: each byte lowest bit first (reflected)."""
    CCITT_FALSE = "ccitt_false"
    """Highest bit first, as some sensors do."""
    EITHER = "either"
    """Both come to the same over these bytes: nothing can be learnt from them."""


def crc_of(data: bytes, variant: CrcVariant) -> int:
    """The CRC over `data`."""
    return _forward(data) if variant is CrcVariant.CCITT_FALSE else _reflected(data)


def sealed(body: bytes, variant: CrcVariant | None) -> bytes:
    """`body` with its CRC behind it; None: the device has none."""
    return body if variant is None else body + crc_of(body, variant).to_bytes(SIZE, "little")


def fitting(sealed_bytes: bytes) -> CrcVariant | None:
    """Which variant the last two bytes fit; None: neither."""
    body, claimed = sealed_bytes[:-SIZE], int.from_bytes(sealed_bytes[-SIZE:], "little")
    fits = [variant for variant in (CrcVariant.MCRF4XX, CrcVariant.CCITT_FALSE) if crc_of(body, variant) == claimed]
    return CrcVariant.EITHER if len(fits) > 1 else next(iter(fits), None)


def _reflected(data: bytes) -> int:
    crc = _START
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def _forward(data: bytes) -> int:
    crc = _START
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc
