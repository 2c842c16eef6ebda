"""The one error of the codecs. Any bytes give a value or this: never a hang, never another exception.

Whoever reads packets catches it once, counts it and keeps the bytes; the codecs themselves know no logger.
"""

from __future__ import annotations


class MalformedPacket(ValueError):
    """These bytes are no packet of that characteristic; what was wrong follows, then the bytes."""

    def __init__(self, what: str, data: bytes) -> None:
        self.data = bytes(data)
        """The packet, as it was heard."""
        shown = self.data[:64].hex() + ("..." if len(self.data) > 64 else "")
        super().__init__(f"{what} ({len(self.data)} bytes: {shown or 'none'})")
