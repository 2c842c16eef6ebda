"""A `gateway.link.Link` over bleak, as small as it can be: what the gateway's sessions make of devices on the air."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from bleak.exc import BleakError

from gateway.codecs import blood_pressure
from gateway.codecs.characteristics import DECODERS, short_uuid
from gateway.link import DeviceKind, LinkInfo, LinkLost, Packet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice

    from device_sims.radio.peripheral import Peripheral
    from tests.radio.stacks import Stack

LAST = (blood_pressure.MEASUREMENT, blood_pressure.INTERMEDIATE)
"""Listened to only after the clock was set: a cuff tells and leaves."""


class Listening:
    """One device, connected to anew with each `packets()`."""

    def __init__(self, stack: Stack, device: Peripheral, kind: DeviceKind) -> None:
        self._stack, self._device, self._kind = stack, device, kind
        self._found: BLEDevice | None = None
        self._client: BleakClient | None = None
        self._connection = ""
        self.connections = 0
        self.heard: list[Packet] = []
        """What was handed on, without what was read."""

    @property
    def info(self) -> LinkInfo:
        return LinkInfo(device=self._device.wearable.device, kind=self._kind, connection=self._connection)

    async def packets(self) -> AsyncIterator[Packet]:
        pace, queue = self._device.pace, asyncio.Queue[Packet | None]()

        def packet(uuid: str, data: bytes) -> Packet:
            return Packet(characteristic=uuid, data=data, heard_at=pace.now(), heard_monotonic_ns=pace.monotonic_ns())

        def told(characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
            queue.put_nowait(packet(short_uuid(characteristic.uuid), bytes(data)))

        self._found = self._found or await self._stack.find(self._device)
        client = self._stack.client(self._found, disconnected_callback=lambda _: queue.put_nowait(None))
        try:
            await client.connect()
            self._client, self._connection = client, secrets.token_hex(8)
            self.connections += 1
            ours = [each for each in client.services.characteristics.values() if short_uuid(each.uuid) in DECODERS]
            listens = [each for each in ours if {"notify", "indicate"} & set(each.properties)]
            for each in listens:
                if short_uuid(each.uuid) not in LAST:
                    await client.start_notify(each, told)
            for each in ours:
                if "read" in each.properties:
                    yield packet(short_uuid(each.uuid), bytes(await client.read_gatt_char(each)))
            for each in listens:
                if short_uuid(each.uuid) in LAST:
                    await client.start_notify(each, told)
            while (said := await queue.get()) is not None:
                self.heard.append(said)
                yield said
        except BleakError as error:
            raise LinkLost(str(error)) from error
        finally:
            self._client = None
            if client.is_connected:
                await client.disconnect()
        raise LinkLost("gone")

    async def write(self, uuid: str, data: bytes) -> None:
        if self._client is None:
            raise LinkLost("not connected")
        try:
            long = f"0000{uuid.lower()}-0000-1000-8000-00805f9b34fb" if len(uuid) == 4 else uuid.lower()
            await self._client.write_gatt_char(long, data, response=True)
        except BleakError as error:
            raise LinkLost(str(error)) from error
