"""A small bluetoothd: `org.bluez` on a private bus over a virtual radio, for bleak's own BlueZ backend, unmodified.

It stands in for what cannot run without hardware and root, as BlueZ 5.66 was seen to behave, and it can be told to
misbehave: calls that fail or hang, links that are lost unsaid, an adapter that is off, a daemon or a bus that dies.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bumble.pairing import PairingConfig
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from device_sims.radio.air import static_address, switched_off
from device_sims.radio.bluez import tree as names
from device_sims.radio.bluez.agents import NO_INPUT, Agent, Agents
from device_sims.radio.bluez.attributes import NOTHING, Answer, Attributes
from device_sims.radio.bluez.connections import Connections
from device_sims.radio.bluez.discovery import Discovery
from device_sims.radio.bluez.errors import UNKNOWN_METHOD, UNKNOWN_OBJECT, BluezError
from device_sims.radio.bluez.tree import Tree, wrapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bumble.device import Connection

    from device_sims.radio.air import Air

NAME = "org.bluez"
PUBLIC_ADDRESS = "00:1A:7D:DA:71:01"
HANG = float("inf")
"""A trouble: the call is never answered."""
Trouble = BluezError | float
"""A call is answered with this error, or so many seconds late."""
_HEAR_OF_CLIENTS = "type='signal',member='NameOwnerChanged'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How long BlueZ waits, in seconds."""

    temporary_s: float = 30.0
    """Before it forgets a device that is neither paired nor connected."""
    connect_s: float = 20.0
    """For a device to answer."""


class FakeBluez:
    """One bluetoothd with one adapter."""

    def __init__(self, air: Air, *, adapter: str = "hci0", habits: Habits | None = None) -> None:
        wait = habits or Habits()
        self.path = f"/org/bluez/{adapter}"
        self.central = switched_off(air, adapter, static_address(adapter), public=PUBLIC_ADDRESS)
        self.tree = Tree(self._tell)
        self.agents = Agents(self._ask)
        self.discovery = Discovery(self.central, self.tree, self.path, wait.temporary_s)
        self.connections = Connections(self.central, self.tree, self.discovery, self.agents, wait.connect_s)
        self.attributes = Attributes(self.tree, self.connections)
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        """By the call's name, as `Connect`: each is used up by one call."""
        self.calls: list[tuple[str, str]] = []
        """What clients called: member and path."""
        self._interfaces: dict[str, Callable[[Message], Awaitable[Answer]]] = {
            names.OBJECT_MANAGER: self._manager,
            names.PROPERTIES: self._properties,
            names.AGENT_MANAGER: self._agent,
            names.ADAPTER: self._adapter,
            names.DEVICE: self._device,
            names.CHARACTERISTIC: self.attributes.characteristic,
            names.DESCRIPTOR: self.attributes.descriptor,
        }
        self._air = air
        self._bus: MessageBus | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.central.pairing_config_factory = self._pairing
        self.tree.add("/org/bluez", names.AGENT_MANAGER, {})
        known: dict[str, Any] = {"Address": PUBLIC_ADDRESS, "AddressType": "public", "Name": adapter, "Alias": adapter}
        known |= {"Powered": True, "Discovering": False, "Discoverable": False, "Pairable": True}
        known |= {"Class": 0, "UUIDs": [], "Roles": ["central", "peripheral"]}
        self.tree.add(self.path, names.ADAPTER, known)

    async def start(self, bus_address: str) -> None:
        """Switch the radio on and be `org.bluez` on that bus."""
        await self.central.power_on()
        await self.appear(bus_address)

    async def stop(self) -> None:
        """Links are let go, the name is given back, nothing is left behind."""
        await self.connections.disconnect_all()
        self.vanish()
        self.discovery.close()
        self.attributes.close()
        self.connections.close()
        for task in self._tasks:
            task.cancel()
        self._air.leave(self.central)

    async def appear(self, bus_address: str) -> None:
        """Take the name on a bus: at the start, and after `vanish` or a new bus."""
        bus = MessageBus(bus_address=bus_address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True)
        await bus.connect()
        bus.add_message_handler(self._heard)
        self._bus = bus
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[_HEAR_OF_CLIENTS],
            )
        )
        await bus.request_name(NAME)

    def vanish(self) -> None:
        """The daemon is gone from the bus without a word about its devices; who watches the name hears of it."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()

    async def power(self, *, on: bool) -> None:
        """The adapter is switched; off, links and scans end."""
        if not on:
            await self.discovery.stop_all()
            await self.connections.disconnect_all()
        self.tree.set(self.path, names.ADAPTER, Powered=on)

    # ------------------------------------------------------------------ bus

    def _tell(self, signal: Message) -> None:
        if self._bus is not None and self._bus.connected:
            self._bus.send(signal)

    async def _ask(self, question: Message) -> Message | None:
        return None if self._bus is None else await self._bus.call(question)

    def _pairing(self, connection: Connection) -> PairingConfig:
        agent = self.agents.default
        return PairingConfig(
            mitm=agent is not None and agent.capability != NO_INPUT,
            identity_address_type=PairingConfig.AddressType.RANDOM,
            delegate=self.agents.delegate(self.discovery.path_of(connection.peer_address)),
        )

    def _heard(self, message: Message) -> bool | None:
        if message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged":
            name, _, new_owner = message.body
            if not new_owner:
                self._spawn(self._client_gone(name))
            return None
        if message.message_type is not MessageType.METHOD_CALL or message.path is None:
            return None
        self._spawn(self._serve(message))
        return True

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _client_gone(self, name: str) -> None:
        self.agents.forget(name)
        if self.discovery.is_scanning(name):
            await self.discovery.stop(name)
        await self.attributes.client_gone(name)

    async def _serve(self, call: Message) -> None:
        self.calls.append((call.member or "", call.path or ""))
        try:
            await self._trouble(call.member or "")
            signature, body, fds = await self._answer(call)
            answer = Message.new_method_return(call, signature, body, fds)
        except BluezError as error:
            answer = Message.new_error(call, error.name, error.text)
        except KeyError:
            answer = Message.new_error(call, UNKNOWN_OBJECT, f"{call.path} is not there")
        self._tell(answer)

    async def _trouble(self, member: str) -> None:
        if not self.troubles[member]:
            return
        trouble = self.troubles[member].popleft()
        if isinstance(trouble, BluezError):
            raise trouble
        if trouble == HANG:
            await asyncio.Event().wait()
        await asyncio.sleep(trouble)

    async def _answer(self, call: Message) -> Answer:
        serve = self._interfaces.get(call.interface or "")
        if serve is None:
            raise BluezError(UNKNOWN_METHOD, f"{call.interface}.{call.member}")
        return await serve(call)

    # ------------------------------------------------------------------ interfaces

    async def _manager(self, _: Message) -> Answer:
        return "a{oa{sa{sv}}}", [self.tree.managed()], []

    async def _properties(self, call: Message) -> Answer:
        path = call.path or ""
        properties = self.tree.of(path, call.body[0])
        if call.member == "Get":
            name = call.body[1]
            return "v", [wrapped({name: properties[name]})[name]], []
        if call.member == "GetAll":
            return "a{sv}", [wrapped(properties)], []
        interface, name, value = call.body
        if name == "Powered":
            await self.power(on=value.value)
        else:
            self.tree.set(path, interface, **{name: value.value})
        return NOTHING

    async def _agent(self, call: Message) -> Answer:
        sender = call.sender or ""
        if call.member == "RegisterAgent":
            path, capability = call.body
            self.agents.register(Agent(owner=sender, path=path, capability=capability))
        elif call.member == "UnregisterAgent":
            self.agents.forget(sender)
        return NOTHING

    async def _adapter(self, call: Message) -> Answer:
        sender = call.sender or ""
        match call.member:
            case "SetDiscoveryFilter":
                self.discovery.filter(sender, {name: wanted.value for name, wanted in call.body[0].items()})
            case "StartDiscovery":
                await self.discovery.start(sender)
            case "StopDiscovery":
                await self.discovery.stop(sender)
            case "RemoveDevice":
                if call.body[0] not in self.tree:
                    raise BluezError("DoesNotExist", "Does Not Exist")
                await self.connections.forget(call.body[0])
            case _:
                raise BluezError(UNKNOWN_METHOD, call.member or "")
        return NOTHING

    async def _device(self, call: Message) -> Answer:
        path = call.path or ""
        self.tree.of(path, names.DEVICE)
        match call.member:
            case "Connect" | "Pair" if not self.tree.of(self.path, names.ADAPTER)["Powered"]:
                raise BluezError("NotReady", "Resource Not Ready")
            case "Connect":
                await self.connections.connect(path)
            case "Pair":
                await self.connections.pair(path)
            case "Disconnect" | "CancelPairing":
                await self.connections.disconnect(path)
            case _:
                raise BluezError(UNKNOWN_METHOD, call.member or "")
        return NOTHING
