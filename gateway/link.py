"""The seam between radios and everything else: a device as packets that are heard and bytes that are written.

bleak fills it for real radios, `device_sims` for virtual ones; nothing beyond this file knows which. A link reports
what it reads by itself (current time, firmware, battery) as packets too, so that a session stays pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from gateway.reading import DeviceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One notification, indication or answer to a read, stamped when it was heard."""

    characteristic: str
    """UUID as `gateway.codecs.characteristics.short_uuid` writes it."""
    data: bytes
    heard_at: datetime
    """UTC by the gateway's wall clock, right or wrong."""
    heard_monotonic_ns: int
    """The same moment by the clock that never steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Bytes for a characteristic of the device."""

    characteristic: str
    data: bytes
    may_fail: bool = False
    """The device may refuse (some cuffs do when their clock is set); nothing is wrong then."""


class DeviceKind(StrEnum):
    """Which session speaks with a device."""

    H10 = "h10"
    """Polar H10: ECG by PMD, heart rate, battery."""
    CUFF = "cuff"
    """Blood-pressure cuff by the Bluetooth profile."""
    CGM = "cgm"
    """Continuous glucose sensor by the Bluetooth profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkInfo:
    """What is known of the device behind a link."""

    device: DeviceId
    kind: DeviceKind
    connection: str
    """Random, new with each connection: stands in for the clock that some meters lack."""
    firmware: str | None = None


class LinkLost(ConnectionError):
    """The device is gone for now: `packets()` ends with this, or simply ends; the gateway asks it again later."""


class Link(Protocol):
    """One device. `packets()` connects and runs until the device is lost; then it can be called again."""

    @property
    def info(self) -> LinkInfo:
        """Valid while connected; `connection` changes with each connection."""
        ...

    def packets(self) -> AsyncIterator[Packet]:
        """Connects, then gives what is heard, in order; ends or raises `LinkLost` when the device is gone.

        The first packets are what the link reads on connecting (the firmware at least): with them the session starts.
        """
        ...

    async def write(self, uuid: str, data: bytes) -> None:
        """Writes with response.

        Raises:
            LinkLost: not connected, refused, or no answer in time.
        """
        ...
