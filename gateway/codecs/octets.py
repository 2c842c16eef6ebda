"""Reading a packet from front to back, little-endian, without ever reading past its end.

Every codec takes its fields through this, so that a packet cut short is named by the field that is missing.
"""

from __future__ import annotations

from gateway.codecs.malformed import MalformedPacket


class Octets:
    """A packet and how far it has been read."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = bytes(data)
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._at

    def take(self, count: int, field: str) -> bytes:
        """The next `count` bytes; `field` is what they mean, for the error."""
        if self.left < count:
            raise MalformedPacket(
                f"too short: {field} needs {count} bytes at {self._at}, {self.left} are left", self._data
            )
        self._at += count
        return self._data[self._at - count : self._at]

    def unsigned(self, count: int, field: str) -> int:
        """A little-endian number of `count` bytes."""
        return int.from_bytes(self.take(count, field), "little")

    def signed(self, count: int, field: str) -> int:
        """A little-endian two's-complement number of `count` bytes."""
        return int.from_bytes(self.take(count, field), "little", signed=True)

    def finish(self) -> None:
        """Nothing may be left over: bytes that the flags do not announce mean that the flags were misread."""
        if self.left:
            raise MalformedPacket(f"{self.left} bytes more than its flags announce", self._data)

    def malformed(self, what: str) -> MalformedPacket:
        """The error for this packet, to be raised by the caller."""
        return MalformedPacket(what, self._data)
