"""What a virtual device says over the air, with the moment it says it: pure, before any clock or link.

A device is a lazy stream of these in order of time; faults (`faults.py`) wrap the stream, a link (`link.py`) paces it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """The bytes of one characteristic, as a radio would deliver them."""

    at_s: float
    """Seconds since the stream began, by a true clock (not the device's own)."""
    characteristic: str
    """UUID in the form that `gateway.link.Packet` uses."""
    data: bytes
    lost: bool = False
    """It is not said: the link breaks off instead, and whoever paces the stream takes this as heard by asking on."""
