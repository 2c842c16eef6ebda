"""The objects that a bluetoothd shows on the bus, with their properties; every change is told as a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbus_fast import Message, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
ADAPTER = "org.bluez.Adapter1"
AGENT_MANAGER = "org.bluez.AgentManager1"
DEVICE = "org.bluez.Device1"
SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
DESCRIPTOR = "org.bluez.GattDescriptor1"

_SIGNATURES = {
    "as": ("UUIDs", "Roles", "Flags"),
    "ao": ("Includes",),
    "ay": ("Value",),
    "n": ("RSSI", "TxPower"),
    "o": ("Adapter", "Device", "Service", "Characteristic"),
    "q": ("MTU",),
    "s": ("Address", "AddressType", "Name", "Alias", "UUID"),
    "u": ("Class",),
    "a{qv}": ("ManufacturerData",),
    "a{sv}": ("ServiceData",),
}
_SIGNATURE_OF = {name: signature for signature, names in _SIGNATURES.items() for name in names}
"""Every other property is a boolean."""
_OF_BYTES = ("ManufacturerData", "ServiceData")


class Tree:
    """Path to interface to property to value."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._objects: dict[str, dict[str, dict[str, Any]]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._objects

    def of(self, path: str, interface: str) -> dict[str, Any]:
        """The properties of one object, to read; `KeyError` where there is none."""
        return self._objects[path][interface]

    def paths(self, interface: str) -> list[str]:
        """All objects of one kind."""
        return [path for path, interfaces in self._objects.items() if interface in interfaces]

    def below(self, path: str) -> list[str]:
        """The objects under this one."""
        return [each for each in self._objects if each.startswith(f"{path}/")]

    def add(self, path: str, interface: str, properties: dict[str, Any]) -> None:
        """A new object."""
        self._objects.setdefault(path, {})[interface] = properties
        body = [path, {interface: wrapped(properties)}]
        self._send(Message.new_signal("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", body))

    def remove(self, path: str) -> None:
        """An object is gone, and with it what is below it."""
        for each in sorted((*self.below(path), path), reverse=True):
            interfaces = self._objects.pop(each, None)
            if interfaces is not None:
                body = [each, list(interfaces)]
                self._send(Message.new_signal("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", body))

    def set(self, path: str, interface: str, gone: tuple[str, ...] = (), **changed: Any) -> None:
        """Properties change; an object that is gone already is left alone."""
        properties = self._objects.get(path, {}).get(interface)
        if properties is None:
            return
        properties.update(changed)
        for name in gone:
            properties.pop(name, None)
        body = [interface, wrapped(changed), list(gone)]
        self._send(Message.new_signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body))

    def managed(self) -> dict[str, dict[str, dict[str, Variant]]]:
        """All of it, as GetManagedObjects answers."""
        return {
            path: {name: wrapped(properties) for name, properties in interfaces.items()}
            for path, interfaces in self._objects.items()
        }


def wrapped(properties: Mapping[str, Any]) -> dict[str, Variant]:
    """Properties with their D-Bus types."""
    found = {}
    for name, value in properties.items():
        if name in _OF_BYTES:
            value = {key: Variant("ay", octets) for key, octets in value.items()}  # noqa: PLW2901 - the same, wrapped
        found[name] = Variant(_SIGNATURE_OF.get(name, "b"), value)
    return found
