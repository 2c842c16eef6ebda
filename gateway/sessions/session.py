"""What a session is: packets of one device in, events without a number and writes out.

Sessions are pure: no clock (each packet says when it was heard), no radio, no waiting. They outlive connections, so
that a strap that comes back after a minute goes on counting. Numbers (`seq`) are given by the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.codecs import battery
from gateway.reading import DeviceStatus, StreamName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.link import Packet, Write
    from gateway.reading import DeviceId, LinkState, Sequenced

STATUS = StreamName("status")
UNNUMBERED = 0
"""`seq` of an event that the outbox has not taken yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One instant by the gateway's two clocks."""

    at: datetime
    """UTC by the wall clock, right or wrong."""
    monotonic_ns: int
    right: bool = True
    """Whether the wall clock is known to be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event before it has a number, with what is needed to date it once more when the right time is known."""

    event: Sequenced
    """`at` and `received_at` by the gateway's wall clock as it stood."""
    heard_monotonic_ns: int
    device_time: str | None = None
    """The device's own clock or counter, untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one packet led to."""

    drafts: tuple[Draft, ...] = ()
    writes: tuple[Write, ...] = ()


class Session(Protocol):
    """The conversation with one device."""

    def start(self, now: Moment, connection: str) -> Step:
        """Connected, for the first time or again."""
        ...

    def packet(self, packet: Packet) -> Step:
        """Something was heard.

        Raises:
            MalformedPacket: the bytes are none of that characteristic's; the session goes on as if they had not come.
        """
        ...

    def stop(self) -> tuple[Write, ...]:
        """What to write before disconnecting on purpose."""
        ...

    def lost(self, now: Moment) -> Step:
        """The link is gone: whatever was still being weighed is given out now."""
        ...


def moment_of(packet: Packet) -> Moment:
    """When a packet was heard."""
    return Moment(at=packet.heard_at, monotonic_ns=packet.heard_monotonic_ns)


def status(  # one optional argument for each field that a session may know
    device: DeviceId,
    now: Moment,
    *,
    battery_percent: int | None = None,
    contact: bool | None = None,
    link: LinkState | None = None,
    firmware: str | None = None,
    clock_offset_s: float | None = None,
    note: str | None = None,
) -> Draft:
    """A `DeviceStatus` as of `now`."""
    event = DeviceStatus(
        device=device,
        stream=STATUS,
        seq=UNNUMBERED,
        at=now.at,
        battery_percent=battery_percent,
        contact=contact,
        link=link,
        firmware=firmware,
        clock_offset_s=clock_offset_s,
        note=note,
        received_at=now.at,
    )
    return Draft(event=event, heard_monotonic_ns=now.monotonic_ns)


def battery_level(device: DeviceId, packet: Packet, known: int | None) -> tuple[int, Step]:
    """The level that a device tells (2A19, percent), and what is new in it: nothing where it is the known one."""
    percent = battery.decode(packet.data)
    if percent == known:
        return percent, Step()
    return percent, Step(drafts=(status(device, moment_of(packet), battery_percent=percent),))


def joined(steps: Sequence[Step]) -> Step:
    """Several steps as one."""
    return Step(
        drafts=tuple(draft for step in steps for draft in step.drafts),
        writes=tuple(write for step in steps for write in step.writes),
    )
