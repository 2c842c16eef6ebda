"""A virtual device on the air: it advertises, is connected to and paired with, and lets a `device_sims.link.Wearable` speak.

The counterpart of `device_sims.link.VirtualLink`, with Bluetooth in between. It changes no byte: what is said is the
device's own affair, what goes wrong with it is `device_sims.faults`; here a link is lost, and a bond.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from bumble.att import ATT_Error, Attribute, AttributeValue
from bumble.core import UUID, AdvertisingData, ProtocolError
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR as SUBSCRIPTION
from bumble.gatt import Characteristic, Descriptor, Service

from device_sims.h10 import H10
from device_sims.link import Busy
from device_sims.radio.air import static_address, switched_off
from device_sims.radio.ending import end
from device_sims.radio.gatt_profile import SERIAL, Profile, Row, Use
from device_sims.radio.pairing import Display, Pairing, config
from gateway.link import LinkLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble.device import Connection

    from device_sims.link import Wearable
    from device_sims.notification import Notification
    from device_sims.pace import Pace
    from device_sims.radio.air import Air

NOT_SUBSCRIBED, BUSY, REFUSED = 0xFD, 0xFE, 0x80
"""ATT: the answer has no subscriber ("CCCD improperly configured"), "procedure in progress", the device's own "no"."""
ADVERTISES_EVERY_MS = 50.0
_LONGEST = 31
"""Bytes of advertising data: longer ones are dropped by receivers."""
_LINGERS_S = 0.05
"""Between its last word and hanging up."""
_ON_THE_WAY = 20
"""Turns of the event loop after which whatever was said before has arrived."""
_PROPERTIES = {
    Use.READ: Characteristic.Properties.READ,
    Use.WRITE: Characteristic.Properties.WRITE,
    Use.NOTIFY: Characteristic.Properties.NOTIFY,
    Use.INDICATE: Characteristic.Properties.INDICATE,
}
_MAY = Attribute.Permissions


class Peripheral:
    """One device on the air, from `start` to `stop`."""

    def __init__(
        self,
        air: Air,
        wearable: Wearable,
        profile: Profile,
        pace: Pace,
        *,
        pairing: Pairing = Pairing.JUST_WORKS,
        passkey: int | None = None,
        show: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`show` is its display, on which a number appears while it pairs; without `passkey` a new one each time."""
        self.wearable = wearable
        self.name = f"{profile.name} {wearable.device.split('-')[-1]}"
        self.address = static_address(wearable.device)
        self.device = switched_off(air, self.name, self.address)
        self.pairings = 0
        """How often somebody paired with it."""
        self.said = 0
        """Notifications and indications that went out, over all connections."""
        self._air, self._profile, self.pace = air, profile, pace
        self._zero_ns = pace.monotonic_ns()
        display = Display(pairing, passkey, show)
        self.device.pairing_config_factory = lambda _: config(pairing, display)
        self._rows = {row.uuid: row for _, rows in profile.services for row in rows}
        self._characteristics = {uuid: self._characteristic(row) for uuid, row in self._rows.items()}
        for uuid, rows in profile.services:
            self.device.add_service(Service(UUID(uuid), [self._characteristics[row.uuid] for row in rows]))
        self.device.on("connection", self._connected)
        self.device.gatt_server.on("characteristic_subscription", lambda *_: self._listened())
        self._connection: Connection | None = None
        self._presence = asyncio.Event()
        """Somebody connected, or went."""
        self._woken, self._button_is_held = asyncio.Event(), False
        self._answers: list[Notification] = []
        self._written = asyncio.Event()
        """Its stream has to be asked for anew."""
        self._speaks = False
        self._life: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether somebody holds a connection to it."""
        return self._connection is not None

    async def start(self) -> None:
        """Switch it on."""
        await self.device.power_on()
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Switch it off: who is connected loses the link.

        Raises whatever ended its life before.
        """
        if self._life is None:
            return
        try:
            await end(self._life)
        finally:
            await self.device.stop_advertising()
            self._air.lose(self.device)
            self._air.leave(self.device)

    def out_of_range(self) -> None:
        """The link breaks off with no word said; it advertises again at once."""
        self._air.lose(self.device)

    def wake(self) -> None:
        """It has something new to tell, as a cuff that has just measured."""
        self._woken.set()

    def hold_button(self) -> None:
        """Whoever scans finds it, until somebody connects."""
        self._button_is_held = True
        self.wake()

    async def forget_bonds(self) -> None:
        """As after a factory reset: whoever comes with an old key is refused."""
        assert self.device.keystore is not None
        await self.device.keystore.delete_all()
        self.wake()

    async def is_bonded(self) -> bool:
        """Whether it has a bond with anybody."""
        assert self.device.keystore is not None
        return bool(await self.device.keystore.get_all())

    # ------------------------------------------------------------------ its life

    async def _live(self) -> None:
        while True:
            await self._come_into_reach()
            await self.device.start_advertising(
                advertising_data=self._advertisement(),
                advertising_interval_min=ADVERTISES_EVERY_MS,
                advertising_interval_max=ADVERTISES_EVERY_MS,
            )
            while (connection := self._connection) is None:
                await self._presence.wait()
                self._presence.clear()
            talk = asyncio.create_task(self._talk(connection))
            talk.add_done_callback(lambda _: self._presence.set())
            try:
                while self._connection is connection:
                    if talk.done():
                        talk.result()
                    await self._presence.wait()
                    self._presence.clear()
            finally:
                await end(talk)

    async def _come_into_reach(self) -> None:
        """One that nobody has paired with yet stays there to be found, as while its button is held."""
        while not self._button_is_held and await self.is_bonded():
            at_s = self.wearable.reachable_at(self._now_s())
            if at_s is not None and at_s <= self._now_s():
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(None if at_s is None else self.pace.real_s(at_s - self._now_s())):
                    await self._woken.wait()
            self._woken.clear()
        self._button_is_held = False

    async def _talk(self, connection: Connection) -> None:
        self.wearable.connected(self._now_s())
        try:
            while await self._speak(connection):
                answers, self._answers = self._answers, []
                for said in answers:
                    await self._say(connection, said)
            await asyncio.sleep(_LINGERS_S)
            await connection.disconnect()
        except LinkLost:
            for _ in range(_ON_THE_WAY):
                await asyncio.sleep(0)
            self.out_of_range()
        except (ProtocolError, TimeoutError):
            # The other side went in the middle of a word; what was not confirmed is said again.
            self.out_of_range()

    async def _speak(self, connection: Connection) -> bool:
        """What it says by itself, until something was written (True) or it has no more to say (False)."""
        self._written.clear()
        if self._answers:
            return True
        self._speaks = self._is_heard(connection)
        if not self._speaks:
            await self._written.wait()
            return True
        is_lost = False
        for said in self.wearable.stream(self._now_s()):
            await self._until(said.at_s)
            if self._written.is_set():
                return True
            if said.lost:
                is_lost = True
            else:
                await self._say(connection, said)
        if is_lost:
            raise LinkLost(f"the link to {self.name} broke off")
        return self._written.is_set()

    async def _say(self, connection: Connection, said: Notification) -> None:
        """One word; what nobody listens to is lost."""
        characteristic = self._characteristics.get(said.characteristic)
        if characteristic is None or not self._listens(connection, said.characteristic):
            return
        if characteristic.properties & Characteristic.Properties.INDICATE:
            await self.device.indicate_subscriber(connection, characteristic, said.data)
        else:
            await self.device.notify_subscriber(connection, characteristic, said.data)
            await asyncio.sleep(0)
        self.said += 1

    async def _until(self, at_s: float) -> None:
        """That moment, or the moment at which something is written."""
        left_s = self.pace.real_s(at_s - self._now_s())
        if left_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._written.wait()

    def _now_s(self) -> float:
        return (self.pace.monotonic_ns() - self._zero_ns) / 1e9

    # ------------------------------------------------------------------ what the other side does

    def _connected(self, connection: Connection) -> None:
        self._connection, self._speaks = connection, False
        self._answers = []
        connection.on("disconnection", lambda _: self._gone(connection))
        connection.on("pairing_start", self._pairs)
        self._presence.set()

    def _gone(self, connection: Connection) -> None:
        if self._connection is connection:
            self._connection = None
            self._presence.set()

    def _pairs(self) -> None:
        self.pairings += 1

    def _listened(self) -> None:
        if not self._speaks:
            self._written.set()

    def _is_heard(self, connection: Connection) -> bool:
        needed = self._profile.speaks_when
        return any(self._listens(connection, uuid) for uuid in ([needed] if needed else self._characteristics))

    def _listens(self, connection: Connection, uuid: str) -> bool:
        return any(self.device.gatt_server.read_cccd(connection, self._characteristics[uuid]))

    def _read(self, uuid: str) -> bytes:
        if uuid == SERIAL:
            return self.wearable.device.encode()
        return self.wearable.reads(self._now_s()).get(uuid, b"")

    def _wrote(self, connection: Connection, uuid: str, data: bytes) -> None:
        if self._rows[uuid].use & Use.INDICATE and not self._listens(connection, uuid):
            raise ATT_Error(NOT_SUBSCRIBED)
        if isinstance(self.wearable, H10):
            self.wearable.att_mtu = connection.att_mtu
        try:
            self._answers += self.wearable.written(uuid, data, self._now_s())
        except LinkLost as refused:
            raise ATT_Error(BUSY if isinstance(refused, Busy) else REFUSED) from None
        self._written.set()

    # ------------------------------------------------------------------ what it shows

    def _characteristic(self, row: Row) -> Characteristic[bytes]:
        properties, may = Characteristic.Properties(0), _MAY(0)
        for use, bit in _PROPERTIES.items():
            if use & row.use:
                properties |= bit
        if row.use & Use.READ:
            may |= _MAY.READABLE | (_MAY.READ_REQUIRES_ENCRYPTION if row.secure else _MAY(0))
        if row.use & Use.WRITE:
            may |= _MAY.WRITEABLE | (_MAY.WRITE_REQUIRES_ENCRYPTION if row.secure else _MAY(0))
        value: AttributeValue[bytes] = AttributeValue(
            read=lambda _: self._read(row.uuid) if row.text is None else row.text.encode(),
            write=lambda connection, data: self._wrote(connection, row.uuid, data),
        )
        characteristic: Characteristic[bytes] = Characteristic(UUID(row.uuid), properties, may, value)
        if row.secure and row.use & (Use.NOTIFY | Use.INDICATE):
            listening = self.device.gatt_server.make_descriptor_value(characteristic)
            rights = _MAY.READABLE | _MAY.WRITEABLE | _MAY.WRITE_REQUIRES_ENCRYPTION
            characteristic.descriptors = [Descriptor(SUBSCRIPTION, rights, listening)]
        return characteristic

    def _advertisement(self) -> bytes:
        services = b"".join(bytes.fromhex(uuid)[::-1] for uuid in self._profile.advertises)
        data = bytes(
            AdvertisingData(
                [
                    (AdvertisingData.FLAGS, b"\x06"),
                    (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, services),
                    (AdvertisingData.COMPLETE_LOCAL_NAME, self.name.encode()),
                ]
            )
        )
        assert len(data) <= _LONGEST, f"{self.name} has no room in an advertisement"
        return data
