"""Devices over links that fail: one connection at a time, and no device disturbs another."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

from gateway import devices
from gateway.clock import Clocks, GatewayClock
from gateway.devices import Devices
from gateway.link import DeviceKind, LinkInfo, LinkLost, Packet
from gateway.reading import DeviceId, DeviceStatus, LinkState
from tests.gateway.made import START, packet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gateway.sessions.session import Draft

CLOCK = GatewayClock(Clocks(wall=lambda: START, monotonic_ns=lambda: 0, synchronised=lambda: True, boot="b"))


class Refusing:
    """A strap that refuses to start its ECG for some connections; it counts how many are open."""

    def __init__(self, refusals: int) -> None:
        self._refusals = refusals
        self.open, self.most_open, self.connections = 0, 0, 0
        self.streaming = asyncio.Event()

    @property
    def info(self) -> LinkInfo:
        return LinkInfo(device=DeviceId("H10-1"), kind=DeviceKind.H10, connection=f"c{self.connections}")

    async def packets(self) -> AsyncIterator[Packet]:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield packet("2A26", b"5.0.0")
            self.streaming.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.open -= 1

    async def write(self, uuid: str, data: bytes) -> None:
        assert uuid
        assert data
        if self.connections <= self._refusals:
            raise LinkLost("refused")


async def test_a_refused_start_closes_its_connection_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "FIRST_WAIT_S", 0.0)
    heard: list[Draft] = []
    link = Refusing(3)
    task = asyncio.create_task(Devices(CLOCK, UTC, heard.extend).serve(link))
    async with asyncio.timeout(20):
        await link.streaming.wait()
    assert (link.connections, link.most_open, link.open) == (4, 1, 1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert link.open == 0
    states = [d.event.link for d in heard if isinstance(d.event, DeviceStatus) and d.event.link]
    assert states == [LinkState.UP, LinkState.DOWN] * 4
