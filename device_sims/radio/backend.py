"""bleak's front end over a virtual radio in the same process: `BleakScanner(backend=...)`, `BleakClient(..., backend=...)`.

For machines without D-Bus. It behaves as BlueZ where bleak lets one see it: an authentication error pairs and the
operation is tried once more, and one device is called at a time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bumble.att import ATT_Error
from bumble.core import BaseBumbleError
from bumble.device import Peer
from bumble.hci import Address
from bumble.pairing import PairingConfig, PairingDelegate

from device_sims.radio.advertised import advertised, long_uuid
from device_sims.radio.air import controller_of, static_address, switched_off
from device_sims.radio.bluez.errors import ENCRYPTION_NEEDED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bumble.device import Advertisement, Connection
    from bumble.keys import KeyStore

    from device_sims.radio.air import Air

ATT_MTU = 517
SMALLEST_MTU = 23
RSSI = -60
_UNKNOWN_RSSI = 127
_ATT_HEAD = 3


class DirectRadio:
    """The computer's radio; `scanner` and `client` are what bleak is handed as `backend`."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self.central = switched_off(air, "direct", static_address("direct"))
        self.person = Person()
        self.central.pairing_config_factory = lambda _: PairingConfig(mitm=True, delegate=self.person)
        self.one_at_a_time = asyncio.Lock()
        self.scanner: type[BaseBleakScanner] = type("Scanner", (_Scanner,), {"radio": self})
        self.client: type[BaseBleakClient] = type("Client", (_Client,), {"radio": self})

    @property
    def keys(self) -> KeyStore:
        """The bonds on our side."""
        assert self.central.keystore is not None
        return self.central.keystore

    async def start(self) -> None:
        """Switch it on."""
        await self.central.power_on()

    async def stop(self) -> None:
        """Links are let go."""
        for connection in list(self.central.connections.values()):
            await connection.disconnect()
        self._air.leave(self.central)

    async def secure(self, connection: Connection) -> None:
        """Encrypt with the bond that there is, or pair.

        Raises:
            BaseBumbleError: refused by either side.
        """
        if connection.is_encrypted:
            return
        if await self.keys.get(str(connection.peer_address)):
            await connection.encrypt()
        else:
            await connection.pair()


class Person(PairingDelegate):
    """Who sits before the computer while it pairs."""

    def __init__(self) -> None:
        super().__init__(io_capability=PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT)
        self.types: int | None = None
        """The number that is typed when one is asked for; None: the person gives up."""

    async def get_number(self) -> int | None:
        """What the person types."""
        return self.types


class _Scanner(BaseBleakScanner):
    radio: ClassVar[DirectRadio]

    def __init__(
        self,
        detection_callback: Callable[[BLEDevice, AdvertisementData], Any] | None,
        service_uuids: list[str] | None,
        scanning_mode: str,  # noqa: ARG002 - this radio knows one
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        self.radio.central.on("advertisement", self._heard)
        if not self.radio.central.is_scanning:
            await self.radio.central.start_scanning()

    async def stop(self) -> None:
        central = self.radio.central
        central.remove_listener("advertisement", self._heard)
        if not central.listeners("advertisement"):
            await central.stop_scanning()

    def _heard(self, heard: Advertisement) -> None:
        said = advertised(heard.data)
        if not self.is_allowed_uuid(said.uuids):
            return
        rssi = RSSI if heard.rssi == _UNKNOWN_RSSI else heard.rssi
        data = AdvertisementData(said.name, said.manufacturer, said.service, said.uuids, None, rssi, (heard,))
        address = heard.address.to_string(False)
        device = self.create_or_update_device(address, address, said.name, heard.address, data)
        self.call_detection_callbacks(device, data)


class _Client(BaseBleakClient):
    radio: ClassVar[DirectRadio]

    def __init__(self, address_or_ble_device: BLEDevice | str, services: set[str] | None = None, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        known = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._target: Address = known.details if known else Address(self.address)
        self._name = known.name if known else None
        self._only = services
        self._connection: Connection | None = None
        self._listening: dict[int, Callable[[bytes], Any]] = {}

    @property
    def name(self) -> str:
        return self._name or self.address

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else SMALLEST_MTU

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        if self._connection:
            raise BleakError("Client is already connected")
        central = self.radio.central
        try:
            async with asyncio.timeout(kwargs.get("timeout", self._timeout)), self.radio.one_at_a_time:
                connection = await central.connect(self._target, timeout=None)
        except (TimeoutError, BaseBumbleError):
            # bumble's controller knows no "create connection cancel": it would hold this call against the next.
            controller_of(central).pending_le_connection = None
            raise BleakDeviceNotFoundError(self.address, f"{self.address} does not answer") from None
        self._connection = connection
        connection.on("disconnection", lambda _: self._lost(connection))
        try:
            if pair or await self.radio.keys.get(str(connection.peer_address)):
                await self.pair()
            self.services = await self._discovered(connection)
        except (BaseBumbleError, BleakError, asyncio.CancelledError) as ended:
            is_here = self._connection is connection
            if is_here:
                await connection.disconnect()
            if isinstance(ended, asyncio.CancelledError) and is_here:
                raise
            raise BleakError(f"failed to connect to {self.address}: {ended}") from ended

    async def disconnect(self) -> None:
        if self._connection:
            await self._connection.disconnect()

    async def pair(self, *_: Any, **__: Any) -> None:
        try:
            await self.radio.secure(self._linked())
        except BaseBumbleError as refused:
            raise BleakError(f"Authentication Failed: {refused}") from refused

    async def unpair(self) -> None:
        await self.disconnect()
        if await self.radio.keys.get(str(self._target)):
            await self.radio.keys.delete(str(self._target))

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        del use_cached
        return bytearray(await self._att(characteristic.obj.read_value))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        del use_cached
        return bytearray(await self._att(descriptor.obj.read_value))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: Any, response: bool) -> None:
        await self._att(lambda: characteristic.obj.write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: Any) -> None:
        await self._att(lambda: descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: Callable[[bytearray], None], **_: Any
    ) -> None:
        def heard(value: bytes) -> None:
            callback(bytearray(value))

        self._listening[characteristic.handle] = heard
        await self._att(lambda: characteristic.obj.subscribe(heard))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        heard = self._listening.pop(characteristic.handle, None)
        await self._att(lambda: characteristic.obj.unsubscribe(heard))

    def _linked(self) -> Connection:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    def _lost(self, connection: Connection) -> None:
        if self._connection is not connection:
            return
        self._connection = self.services = None
        self._listening.clear()
        if self._disconnected_callback:
            self._disconnected_callback()

    async def _discovered(self, connection: Connection) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        peer = Peer(connection)
        await peer.request_mtu(ATT_MTU)
        await peer.discover_services()
        for service in peer.services:
            if self._only is not None and long_uuid(service.uuid) not in self._only:
                continue
            shown = BleakGATTService(service, service.handle, long_uuid(service.uuid))
            found.add_service(shown)
            for each in await service.discover_characteristics():
                characteristic = BleakGATTCharacteristic(
                    each,
                    each.handle,
                    long_uuid(each.uuid),
                    list(gatt_char_props_to_strs(each.properties)),
                    lambda: self.mtu_size - _ATT_HEAD,
                    shown,
                )
                found.add_characteristic(characteristic)
                for descriptor in await each.discover_descriptors():
                    about = BleakGATTDescriptor(
                        descriptor, descriptor.handle, long_uuid(descriptor.type), characteristic
                    )
                    found.add_descriptor(about)
        return found

    async def _att(self, operation: Callable[[], Awaitable[Any]]) -> Any:
        connection = self._linked()
        try:
            try:
                return await operation()
            except ATT_Error as refused:
                if refused.error_code not in ENCRYPTION_NEEDED:
                    raise
                await self.pair()
                return await operation()
        except ATT_Error as refused:
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(refused.error_code)) from refused
        except asyncio.CancelledError:
            # bumble cancels what waits for an answer when the link is lost.
            if self._connection is not connection:
                raise BleakError("disconnected") from None
            raise
