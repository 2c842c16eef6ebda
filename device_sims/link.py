"""Virtual devices behind the gateway's `Link`: paces what a device says, stamps it as a radio would, loses the link.

It changes no byte. What a device says is the device's own affair (`h10.py`, `cuff.py`), what goes wrong is `faults.py`.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Protocol

from gateway.codecs.characteristics import short_uuid
from gateway.link import LinkInfo, LinkLost, Packet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from device_sims.notification import Notification
    from device_sims.pace import Pace
    from gateway.link import DeviceKind
    from gateway.reading import DeviceId


class Busy(LinkLost):
    """The device does what it was asked before, and takes no new word."""


class Wearable(Protocol):
    """A device as the air sees it. Moments are seconds since the world began; no method waits."""

    device: DeviceId

    def reachable_at(self, now_s: float) -> float | None:
        """When it can next be connected to; None = never again."""
        ...

    def connected(self, now_s: float) -> list[Notification]:
        """What a fresh connection reads from it."""
        ...

    def reads(self, now_s: float) -> dict[str, bytes]:
        """By characteristic, what a read answers now; asking changes nothing."""
        ...

    def written(self, characteristic: str, data: bytes, now_s: float) -> list[Notification]:
        """Its answer to a write; raises `LinkLost` where it refuses."""
        ...

    def stream(self, from_s: float) -> Iterator[Notification]:
        """What it says by itself from then on; the end means that it hangs up."""
        ...


class Radio(Wearable, Protocol):
    """One that a gateway's session speaks with."""

    kind: DeviceKind
    firmware: str


class VirtualLink:
    """`gateway.link.Link` to a virtual device."""

    def __init__(self, radio: Radio, pace: Pace, outages: tuple[tuple[float, float], ...] = ()) -> None:
        """The world begins now. `outages` are (from, to) in its seconds: out of range, whoever asks."""
        self._radio = radio
        self._pace = pace
        self._outages = outages
        self._zero_ns = pace.monotonic_ns()
        self._connection: str | None = None
        self._answers: list[Notification] = []
        self._written = asyncio.Event()

    @property
    def info(self) -> LinkInfo:
        """Device, kind and firmware; the connection is empty before the first one."""
        return LinkInfo(
            device=self._radio.device,
            kind=self._radio.kind,
            connection=self._connection or "",
            firmware=self._radio.firmware,
        )

    async def packets(self) -> AsyncIterator[Packet]:
        """Connects (waiting until the device can be reached) and gives what is heard, at the pace of the world.

        Raises:
            LinkLost: out of range now, or the link fell.
        """
        await self._come_into_reach()
        self._connection = connection = secrets.token_hex(8)
        self._answers = []
        self._written.clear()
        try:
            for said in self._radio.connected(self._now_s()):
                yield self._heard(said)
            while True:
                # A write can change what the device says: then its stream is asked for anew.
                async for packet in self._until_written(self._radio.stream(self._now_s())):
                    yield packet
                if not self._written.is_set():
                    return
                self._written.clear()
                answers, self._answers = self._answers, []
                for said in answers:
                    yield self._heard(said)
        finally:
            # A listener that gave up is collected late: perhaps when the next connection stands already.
            if self._connection == connection:
                self._connection = None

    async def write(self, uuid: str, data: bytes) -> None:
        """Writes; the answer, if there is one, comes among the packets.

        Raises:
            LinkLost: not connected, or the device refuses.
        """
        if self._connection is None:
            raise LinkLost(f"{self._radio.device} is not connected")
        self._answers += self._radio.written(short_uuid(uuid), data, self._now_s())
        self._written.set()

    async def _come_into_reach(self) -> None:
        at_s = self._radio.reachable_at(self._now_s())
        if at_s is None:
            # Nothing will come any more: a real scan would go on in vain, and so does this one.
            await asyncio.Event().wait()
            return
        await self._pace.sleep(at_s - self._now_s())
        if self._outage_at(self._now_s()) is not None:
            raise LinkLost(f"{self._radio.device} is out of range")

    async def _until_written(self, stream: Iterator[Notification]) -> AsyncIterator[Packet]:
        is_lost = False
        for said in stream:
            outage_s = self._outage_at(said.at_s)
            await self._sleep_until(said.at_s if outage_s is None else outage_s)
            if self._written.is_set():
                return
            if outage_s is not None:
                raise LinkLost(f"{self._radio.device} went out of range")
            if said.lost:
                is_lost = True
                continue
            yield self._heard(said)
        if is_lost:
            raise LinkLost(f"the link to {self._radio.device} broke off")

    async def _sleep_until(self, at_s: float) -> None:
        """Until that moment, or until something was written."""
        left_s = self._pace.real_s(at_s - self._now_s())
        if left_s <= 0:
            return
        try:
            async with asyncio.timeout(left_s):
                await self._written.wait()
        except TimeoutError:
            return

    def _outage_at(self, at_s: float) -> float | None:
        return next((from_s for from_s, to_s in self._outages if from_s <= at_s < to_s), None)

    def _now_s(self) -> float:
        return (self._pace.monotonic_ns() - self._zero_ns) / 1e9

    def _heard(self, said: Notification) -> Packet:
        return Packet(
            characteristic=said.characteristic,
            data=said.data,
            heard_at=self._pace.now(),
            heard_monotonic_ns=self._pace.monotonic_ns(),
        )
