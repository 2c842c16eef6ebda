"""Connections of the fake bluetoothd: connect, find services, encrypt, pair, and what is told when a link is lost.

As BlueZ 5.66 does it: Connect answers before ServicesResolved, a bonded device is encrypted at once, and a device that
has lost its bond is let go while our own bond stays.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from bumble.core import BaseBumbleError, ProtocolError
from bumble.device import Peer
from bumble.gatt import Characteristic
from bumble.hci import HCI_Error

from device_sims.radio.advertised import long_uuid
from device_sims.radio.air import controller_of
from device_sims.radio.bluez.errors import BluezError
from device_sims.radio.bluez.tree import CHARACTERISTIC, DESCRIPTOR, DEVICE, SERVICE, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from bumble.device import Connection, Device
    from bumble.gatt_client import CharacteristicProxy, DescriptorProxy
    from bumble.keys import KeyStore

    from device_sims.radio.bluez.agents import Agents
    from device_sims.radio.bluez.discovery import Discovery

ATT_MTU = 517
_GAP_SERVICE = "00001800-"
"""bluetoothd keeps it to itself."""
_FLAGS = (
    (Characteristic.Properties.BROADCAST, "broadcast"),
    (Characteristic.Properties.READ, "read"),
    (Characteristic.Properties.WRITE_WITHOUT_RESPONSE, "write-without-response"),
    (Characteristic.Properties.WRITE, "write"),
    (Characteristic.Properties.NOTIFY, "notify"),
    (Characteristic.Properties.INDICATE, "indicate"),
)
_log = structlog.get_logger("fake_bluez")


class Connections:
    """All links of one adapter, by the path of the device."""

    def __init__(self, central: Device, tree: Tree, discovery: Discovery, agents: Agents, connect_s: float) -> None:
        """`connect_s`: how long a device that does not answer is called."""
        self._central, self._tree, self._discovery, self._agents = central, tree, discovery, agents
        self._connect_s = connect_s
        self.links: dict[str, Connection] = {}
        self.attributes: dict[str, CharacteristicProxy[bytes] | DescriptorProxy] = {}
        """By the path of a characteristic or descriptor."""
        self.hides_losses = False
        """A link that is lost goes on being shown as connected, as it happens to some controllers."""
        self.on_lost: Callable[[str], None] = lambda _: None
        self._ghosts: set[str] = set()
        self._calling: dict[str, asyncio.Task[Connection]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._securing: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def keys(self) -> KeyStore:
        """The bonds on our side."""
        assert self._central.keystore is not None
        return self._central.keystore

    def is_ghost(self, path: str) -> bool:
        """Shown as connected, and gone."""
        return path in self._ghosts

    async def connect(self, path: str) -> None:
        """Device1.Connect: returns as soon as the link stands.

        Raises:
            BluezError: it did not answer in time, or is being called already.
        """
        if path in self.links or path in self._ghosts:
            return
        if path in self._calling:
            raise BluezError("InProgress", "In Progress")
        calling = self._calling[path] = asyncio.create_task(self._call(path))
        try:
            link = await calling
        except (TimeoutError, BaseBumbleError):
            raise BluezError("Failed", "le-connection-abort-by-local") from None
        except asyncio.CancelledError:
            raise BluezError("Failed", "Operation already in progress") from None
        finally:
            del self._calling[path]
        self.links[path] = link
        link.on("disconnection", lambda _: self._lost(path, link))
        link.on("security_request", lambda _: self.spawn(self._secure_quietly(path)))
        self._tree.set(path, DEVICE, Connected=True)
        self.spawn(self._resolve(path, link))

    async def disconnect(self, path: str) -> None:
        """Device1.Disconnect; a call that is under way is given up.

        Raises:
            BluezError: there is nothing to end.
        """
        if path in self._ghosts:
            self._ghosts.discard(path)
            self._told_lost(path)
        elif link := self.links.get(path):
            await link.disconnect()
        elif calling := self._calling.get(path):
            calling.cancel()
        else:
            raise BluezError("NotConnected", "Not Connected")

    async def pair(self, path: str) -> None:
        """Device1.Pair.

        Raises:
            BluezError: it is paired already, the person refused, or the numbers differ.
        """
        if self._tree.of(path, DEVICE)["Paired"]:
            raise BluezError("AlreadyExists", "Already Exists")
        await self.connect(path)
        link = self.links[path]
        if self._agents.default is None:
            raise BluezError("AuthenticationFailed", "Authentication Failed")
        try:
            await self.secure(path)
        except asyncio.CancelledError:
            raise BluezError("AuthenticationCanceled", "Authentication Canceled") from None
        except BaseBumbleError:
            if path in self.links:
                await link.disconnect()
            raise BluezError("AuthenticationFailed", "Authentication Failed") from None

    async def secure(self, path: str) -> None:
        """Encrypt with the bond that there is, or pair. Waits for ever where nobody could answer for the person.

        Raises:
            BaseBumbleError: refused by either side.
            CancelledError: the link was lost meanwhile.
        """
        link = self.links[path]
        async with self._securing.setdefault(path, asyncio.Lock()):
            if link.is_encrypted:
                return
            if await self.keys.get(str(link.peer_address)):
                await link.encrypt()
                return
            if self._agents.default is None:
                # Seen on BlueZ 5.66, even where the device wants nothing from anybody: the operation is never answered.
                _log.warning("no_agent", path=path)
                await gone(link)
                raise asyncio.CancelledError
            await link.pair()
        self._tree.set(path, DEVICE, Paired=True, Bonded=True)

    async def forget(self, path: str) -> None:
        """Adapter1.RemoveDevice: link, bond and object are gone."""
        address = self.links[path].peer_address if path in self.links else self._discovery.addresses[path]
        if path in self.links:
            await self.links[path].disconnect()
        self._ghosts.discard(path)
        if await self.keys.get(str(address)):
            await self.keys.delete(str(address))
        self._discovery.remove(path)

    async def disconnect_all(self) -> None:
        """The adapter goes off."""
        for link in list(self.links.values()):
            await link.disconnect()

    def close(self) -> None:
        """Nothing goes on."""
        for task in [*self._tasks, *self._calling.values()]:
            task.cancel()

    def spawn(self, work: Any) -> None:
        """In the background, until it ends or this daemon does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, path: str) -> Connection:
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._connect_s):
                    link: Connection = await self._central.connect(self._discovery.addresses[path], timeout=None)
                    return link
            except BaseException:
                # bumble's controller knows no "create connection cancel": it would hold this call against the next.
                controller_of(self._central).pending_le_connection = None
                raise

    async def _resolve(self, path: str, link: Connection) -> None:
        try:
            if await self.keys.get(str(link.peer_address)):
                try:
                    await link.encrypt()
                except HCI_Error as refused:
                    # The device has lost its bond (0x06, PIN or key missing): the link goes down, our bond stays.
                    _log.info("bond_refused", path=path, why=str(refused))
                    await link.disconnect()
                    return
            peer = Peer(link)
            await peer.request_mtu(ATT_MTU)
            await peer.discover_services()
            seen = {each for service in peer.services for each in await self._show_service(path, service, link.att_mtu)}
            for gone in [each for each in self._tree.below(path) if each not in seen]:
                self._tree.remove(gone)
            uuids = [long_uuid(service.uuid) for service in peer.services]
            self._tree.set(path, DEVICE, UUIDs=uuids, ServicesResolved=True)
        except (asyncio.CancelledError, BaseBumbleError, TimeoutError) as ended:
            # The link was lost meanwhile, and that is told where it is heard.
            _log.info("services_not_resolved", path=path, why=repr(ended))

    async def _show_service(self, device: str, service: Any, mtu: int) -> list[str]:
        """The objects of one service, as paths."""
        if long_uuid(service.uuid).startswith(_GAP_SERVICE):
            return []
        path = f"{device}/service{service.handle:04x}"
        seen = [path]
        self._show(path, SERVICE, {"UUID": long_uuid(service.uuid), "Primary": True, "Device": device, "Includes": []})
        for characteristic in await service.discover_characteristics():
            # BlueZ names the object after the handle of the declaration, which lies before that of the value.
            at = f"{path}/char{characteristic.handle - 1:04x}"
            flags = [name for bit, name in _FLAGS if characteristic.properties & bit]
            known = {"UUID": long_uuid(characteristic.uuid), "Service": path, "Value": b"", "Flags": flags, "MTU": mtu}
            known |= {"Notifying": False} if {"notify", "indicate"} & set(flags) else {}
            known |= {"NotifyAcquired": False} if "notify" in flags else {}
            known |= {"WriteAcquired": False} if "write-without-response" in flags else {}
            self._show(at, CHARACTERISTIC, known)
            self.attributes[at] = characteristic
            seen.append(at)
            for descriptor in await characteristic.discover_descriptors():
                below = f"{at}/desc{descriptor.handle:04x}"
                about = {"UUID": long_uuid(descriptor.type), "Characteristic": at, "Value": b"", "Flags": []}
                self._show(below, DESCRIPTOR, about)
                self.attributes[below] = descriptor
                seen.append(below)
        return seen

    def _show(self, path: str, interface: str, properties: dict[str, Any]) -> None:
        if path not in self._tree:
            self._tree.add(path, interface, properties)

    async def _secure_quietly(self, path: str) -> None:
        try:
            await self.secure(path)
        except (asyncio.CancelledError, ProtocolError, KeyError) as ended:
            _log.info("not_secured", path=path, why=repr(ended))

    def _lost(self, path: str, link: Connection) -> None:
        if self.links.get(path) is not link:
            return
        del self.links[path]
        if self.hides_losses:
            self._ghosts.add(path)
            return
        self._told_lost(path)

    def _told_lost(self, path: str) -> None:
        self.on_lost(path)
        self._tree.set(path, DEVICE, Connected=False, ServicesResolved=False)
        self._discovery.expire_later(path)


async def gone(link: Connection) -> None:
    """Waits until this link is lost."""
    lost = asyncio.Event()
    link.on("disconnection", lambda _: lost.set())
    await lost.wait()
