"""An `org.bluez.Agent1` as a gateway would register it: the tests' person, who types what she is told to."""

from __future__ import annotations

from typing import Self

from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusUInt16, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

PATH = "/org/tests/agent"


class PairingAgent(ServiceInterface):
    def __init__(self, capability: str = "KeyboardDisplay") -> None:
        super().__init__("org.bluez.Agent1")
        self.capability = capability
        self.types: int | None = None
        """None: she gives up."""
        self.agrees = True
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        self.bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self.bus.export(PATH, self)
        await self.call("RegisterAgent", "os", PATH, self.capability)
        await self.call("RequestDefaultAgent", "o", PATH)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.bus.disconnect()

    async def call(self, member: str, signature: str, *body: object) -> None:
        answer = await self.bus.call(
            Message(
                destination="org.bluez",
                path="/org/bluez",
                interface="org.bluez.AgentManager1",
                member=member,
                signature=signature,
                body=list(body),
            )
        )
        assert answer is not None
        assert answer.message_type is MessageType.METHOD_RETURN, answer.body

    @dbus_method()
    def Release(self): ...

    @dbus_method()
    def Cancel(self): ...

    @dbus_method()
    async def RequestPasskey(self, device: DBusObjectPath) -> DBusUInt32:
        self.asked.append("RequestPasskey")
        if self.types is None:
            raise DBusError("org.bluez.Error.Rejected", "she gives up")
        return self.types

    @dbus_method()
    def DisplayPasskey(self, device: DBusObjectPath, passkey: DBusUInt32, entered: DBusUInt16):
        self.asked.append("DisplayPasskey")

    @dbus_method()
    def RequestConfirmation(self, device: DBusObjectPath, passkey: DBusUInt32):
        self.asked.append("RequestConfirmation")
        if not self.agrees:
            raise DBusError("org.bluez.Error.Rejected", "they differ")
