"""The virtual air for tests, reached through bleak in two ways: `direct` (pip only) and `fakebluez` (bleak unmodified).

Whatever a test starts is gone after it: devices, the bus, and what bleak keeps of the bus in the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.bluezdbus import manager

from device_sims.pace import Pace
from device_sims.radio.air import Air
from device_sims.radio.backend import DirectRadio
from device_sims.radio.bluez.bus import PrivateBus, is_installed
from device_sims.radio.bluez.daemon import FakeBluez, Habits
from device_sims.radio.peripheral import Peripheral
from tests.radio.agent import PairingAgent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bleak.backends.device import BLEDevice

WAIT_S = 30.0
"""Long enough for a machine that does much else."""


@dataclass
class Stack:
    """One way to the air, with the devices on it."""

    kind: str
    air: Air
    pace: Pace
    how: dict[str, Any]
    """What `BleakClient` and `BleakScanner` are told of the backend."""
    scanner: dict[str, Any]
    types: Callable[[int | None], None]
    """What the person types when a number is asked for."""
    bluez: FakeBluez | None = None
    bus: PrivateBus | None = None
    agent: PairingAgent | None = None
    devices: list[Peripheral] = field(default_factory=list)

    async def put(self, *args: Any, **kwargs: Any) -> Peripheral:
        """A device on the air, as `Peripheral(air, radio, profile, pace, ...)`."""
        device = Peripheral(self.air, *args, kwargs.pop("pace", self.pace), **kwargs)
        await device.start()
        self.devices.append(device)
        return device

    async def find(self, device: Peripheral) -> BLEDevice:
        """Scan until it is heard."""
        found = await BleakScanner.find_device_by_address(device.address, timeout=WAIT_S, **self.scanner)
        assert found is not None, f"{device.name} was not heard in {WAIT_S} s"
        return found

    def client(self, found: BLEDevice, **kwargs: Any) -> BleakClient:
        """A new client for one connection."""
        return BleakClient(found, timeout=WAIT_S, **self.how, **kwargs)


@contextlib.asynccontextmanager
async def direct() -> AsyncIterator[Stack]:
    air = Air()
    radio = DirectRadio(air)
    await radio.start()
    stack = Stack(
        "direct",
        air,
        Pace(),
        {"backend": radio.client},
        {"backend": radio.scanner},
        lambda number: setattr(radio.person, "types", number),
    )
    try:
        yield stack
    finally:
        for device in stack.devices:
            await device.stop()
        await radio.stop()


@contextlib.asynccontextmanager
async def fakebluez(habits: Habits | None = None) -> AsyncIterator[Stack]:
    if not is_installed():
        pytest.skip("dbus-daemon is not installed")
    air = Air()
    with tempfile.TemporaryDirectory(prefix="tw-") as folder, pytest.MonkeyPatch.context() as patch:
        bus = PrivateBus(Path(folder))
        bus.start()
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        bluez = FakeBluez(air, habits=habits)
        try:
            await bluez.start(bus.address)
            async with PairingAgent() as agent:
                stack = Stack(
                    "fakebluez", air, Pace(), {}, {}, lambda number: setattr(agent, "types", number), bluez, bus, agent
                )
                try:
                    yield stack
                finally:
                    for device in stack.devices:
                        await device.stop()
            await bluez.stop()
        finally:
            forget_bus()
            bus.stop()


def forget_bus() -> None:
    """bleak keeps one connection to the bus for each event loop, and this loop ends."""
    for each in manager._global_instances.values():
        if each._bus:
            each._bus.disconnect()
    manager._global_instances.clear()


async def until(is_so: Callable[[], bool], patience_s: float = WAIT_S) -> None:
    """Wait for it."""
    async with asyncio.timeout(patience_s):
        while not is_so():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


SHOWN = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
