"""Reading, writing and listening: GattCharacteristic1 and GattDescriptor1 over the links of the fake bluetoothd.

As BlueZ does it: one operation at a time for each attribute, an authentication error pairs and tries once more, and a
read is shown as `Value` too, so that who listens by StartNotify hears it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bumble.att import ATT_Error
from bumble.core import BaseBumbleError
from bumble.gatt import Characteristic

from device_sims.radio.bluez.errors import ENCRYPTION_NEEDED, UNKNOWN_METHOD, BluezError, of_att
from device_sims.radio.bluez.tree import CHARACTERISTIC, Tree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dbus_fast import Message

    from device_sims.radio.bluez.connections import Connections

Answer = tuple[str, list[Any], list[int]]
"""Signature, body and file descriptors."""
NOTHING: Answer = ("", [], [])
_LISTENABLE = Characteristic.Properties.NOTIFY | Characteristic.Properties.INDICATE
_FD_IS_OURS_S = 1.0
"""After so long the bus has handed the other end of a socket over."""


class Attributes:
    """What clients do with characteristics and descriptors."""

    def __init__(self, tree: Tree, connections: Connections) -> None:
        self._tree, self._connections = tree, connections
        self._busy: set[str] = set()
        self._listeners: dict[str, set[str]] = defaultdict(set)
        """Who called StartNotify, by characteristic."""
        self._sockets: dict[str, socket.socket] = {}
        """Of those who called AcquireNotify."""
        self._subscribed: dict[str, Callable[[bytes], Any]] = {}
        connections.on_lost = self._lost

    async def characteristic(self, call: Message) -> Answer:
        """A call of GattCharacteristic1.

        Raises:
            BluezError: with the name that BlueZ gives it.
        """
        path, sender = call.path or "", call.sender or ""
        match call.member:
            case "ReadValue":
                return await self._read(path)
            case "WriteValue":
                data, options = call.body
                kind = options["type"].value if "type" in options else "request"
                await self._att(path, lambda it: it.write_value(bytes(data), with_response=kind == "request"))
            case "StartNotify":
                await self._start_notify(path, sender)
            case "StopNotify":
                if sender not in self._listeners[path]:
                    raise BluezError("Failed", "No notify session started")
                await self._stop_notify(path, sender)
            case "AcquireNotify":
                return await self._acquire_notify(path)
            case _:
                raise BluezError(UNKNOWN_METHOD, call.member or "")
        return NOTHING

    async def descriptor(self, call: Message) -> Answer:
        """A call of GattDescriptor1."""
        path = call.path or ""
        if call.member == "ReadValue":
            return "ay", [bytes(await self._att(path, lambda it: it.read_value()))], []
        await self._att(path, lambda it: it.write_value(bytes(call.body[0]), with_response=True))
        return NOTHING

    async def client_gone(self, sender: str) -> None:
        """Whatever this client listened to, it does no longer."""
        for path in [path for path, senders in self._listeners.items() if sender in senders]:
            await self._stop_notify(path, sender)

    def close(self) -> None:
        """Sockets are closed; nothing is told."""
        for path in list(self._sockets):
            self._close_socket(path)

    async def _read(self, path: str) -> Answer:
        value = bytes(await self._att(path, lambda it: it.read_value()))
        self._tree.set(path, CHARACTERISTIC, Value=value)
        return "ay", [value], []

    async def _start_notify(self, path: str, sender: str) -> None:
        senders = self._listeners[path]
        if sender in senders:
            raise BluezError("InProgress", "In Progress")
        is_first = not senders
        senders.add(sender)
        if is_first:
            try:
                await self._subscribe(path)
            except BaseException:
                senders.discard(sender)
                raise
        self._tree.set(path, CHARACTERISTIC, Notifying=True)

    async def _stop_notify(self, path: str, sender: str) -> None:
        self._listeners[path].discard(sender)
        if not self._listeners[path] and path in self._tree:
            self._tree.set(path, CHARACTERISTIC, Notifying=False)
            await self._unsubscribe(path)

    async def _acquire_notify(self, path: str) -> Answer:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        self._sockets[path] = ours
        try:
            await self._subscribe(path)
        except BaseException:
            self._sockets.pop(path).close()
            theirs.close()
            raise
        self._tree.set(path, CHARACTERISTIC, NotifyAcquired=True)
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, self._released, path, ours)
        fd = theirs.detach()
        loop.call_later(_FD_IS_OURS_S, os.close, fd)
        return "hq", [0, self._connections.links[_device_of(path)].att_mtu], [fd]

    def _released(self, path: str, ours: socket.socket) -> None:
        """The client closed its end."""
        if self._sockets.get(path) is ours:
            self._close_socket(path)
            self._tree.set(path, CHARACTERISTIC, NotifyAcquired=False)
            self._connections.spawn(self._unsubscribe(path))

    def _close_socket(self, path: str) -> None:
        if ours := self._sockets.pop(path, None):
            asyncio.get_running_loop().remove_reader(ours)
            ours.close()

    async def _subscribe(self, path: str) -> None:
        def heard(value: bytes) -> None:
            self._heard(path, bytes(value))

        async def subscribe(characteristic: Any) -> None:
            if not characteristic.properties & _LISTENABLE:
                raise BluezError("NotSupported", "Operation is not supported")
            self._subscribed[path] = heard
            await characteristic.subscribe(heard)

        await self._att(path, subscribe)

    async def _unsubscribe(self, path: str) -> None:
        heard = self._subscribed.pop(path, None)
        if heard is not None and _device_of(path) in self._connections.links:
            with suppress(BluezError):
                await self._att(path, lambda it: it.unsubscribe(heard))

    def _heard(self, path: str, value: bytes) -> None:
        if ours := self._sockets.get(path):
            # What does not fit into the socket is lost, as BlueZ loses it.
            with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                ours.send(value)
        elif self._listeners[path]:
            self._tree.set(path, CHARACTERISTIC, Value=value)

    def _lost(self, device: str) -> None:
        for path in [each for each in (*self._listeners, *self._sockets) if each.startswith(f"{device}/")]:
            self._listeners.pop(path, None)
            self._subscribed.pop(path, None)
            if path in self._sockets:
                self._close_socket(path)
                self._tree.set(path, CHARACTERISTIC, NotifyAcquired=False)
            self._tree.set(path, CHARACTERISTIC, Notifying=False)

    async def _att(self, path: str, operation: Callable[[Any], Awaitable[Any]]) -> Any:
        device = _device_of(path)
        if self._connections.is_ghost(device):
            await asyncio.Event().wait()
        if device not in self._connections.links:
            raise BluezError("Failed", "Not connected")
        if path in self._busy:
            raise BluezError("InProgress", "In Progress")
        self._busy.add(path)
        try:
            return await self._att_twice(path, device, operation)
        except asyncio.CancelledError:
            # bumble cancels what waits for an answer when the link is lost.
            raise BluezError("Failed", "Operation failed with ATT error: 0x0e (Unlikely Error)") from None
        finally:
            self._busy.discard(path)

    async def _att_twice(self, path: str, device: str, operation: Callable[[Any], Awaitable[Any]]) -> Any:
        attribute = self._connections.attributes[path]
        try:
            return await operation(attribute)
        except ATT_Error as refused:
            if refused.error_code not in ENCRYPTION_NEEDED:
                raise of_att(refused.error_code) from None
            try:
                await self._connections.secure(device)
            except (BaseBumbleError, KeyError):
                raise of_att(refused.error_code) from None
        try:
            return await operation(attribute)
        except ATT_Error as refused:
            raise of_att(refused.error_code) from None


def _device_of(path: str) -> str:
    return path.split("/service", maxsplit=1)[0]
