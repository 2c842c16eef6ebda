"""2A19, battery level in percent, and the plain texts of the device information service (180A)."""

from __future__ import annotations

from gateway.codecs.octets import Octets

LEVEL = "2A19"
FIRMWARE = "2A26"


def decode(data: bytes) -> int:
    """Percent, 0 to 100.

    Raises:
        MalformedPacket: not one byte, or over 100.
    """
    octets = Octets(data)
    percent = octets.unsigned(1, "battery level")
    octets.finish()
    if percent > 100:
        raise octets.malformed(f"a battery level of {percent} % is none")
    return percent


def encode(percent: int) -> bytes:
    """One byte."""
    return bytes((percent,))


def decode_text(data: bytes) -> str:
    """A text of the device information service; what follows a NUL is left out, bad UTF-8 is shown as such."""
    return data.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
