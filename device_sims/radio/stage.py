"""The virtual radio as one process: a private bus, a bluetoothd on it, and devices in range. Nothing of it stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from device_sims.pace import Pace
from device_sims.radio.air import Air
from device_sims.radio.bluez.bus import PrivateBus
from device_sims.radio.bluez.daemon import FakeBluez
from device_sims.radio.offered import OFFERED
from device_sims.radio.peripheral import Peripheral

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from device_sims.player import Wave


@contextlib.asynccontextmanager
async def bluetooth(air: Air) -> AsyncIterator[PrivateBus]:
    """A bus with a bluetoothd whose adapter hears this air.

    Raises:
        NoBusDaemonError: there is no `dbus-daemon`.
    """
    with tempfile.TemporaryDirectory(prefix="tierwatch-") as folder:
        bus = PrivateBus(Path(folder))
        bus.start()
        try:
            bluez = FakeBluez(air)
            await bluez.start(bus.address)
            try:
                yield bus
            finally:
                await bluez.stop()
        finally:
            bus.stop()


async def play(names: Sequence[str], wave: Wave, show: Callable[[str], None]) -> None:
    """The devices of these names, until SIGINT or SIGTERM; `show` gets the address to export first.

    Raises:
        NoBusDaemonError: there is no `dbus-daemon`.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for word in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(word, stop.set)
    air, pace = Air(), Pace()
    async with bluetooth(air) as bus, contextlib.AsyncExitStack() as devices:
        show(f"export DBUS_SYSTEM_BUS_ADDRESS={bus.address}")
        for name in names:
            offer = OFFERED[name]
            wearable = await asyncio.to_thread(offer.make, wave, pace.now())
            device = Peripheral(
                air,
                wearable,
                offer.profile,
                pace,
                pairing=offer.pairing,
                show=_display(wearable.device, show),
            )
            await device.start()
            devices.push_async_callback(device.stop)
            show(f"{name:<13} {device.name:<20} {device.address}  {wearable.device}  pairs: {offer.pairing}")
        show("Stop: Ctrl-C")
        await stop.wait()


def _display(device: str, show: Callable[[str], None]) -> Callable[[int], None]:
    return lambda number: show(f"{device} shows {number:06d}")
