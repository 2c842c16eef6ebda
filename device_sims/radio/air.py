"""The air between virtual radios, in one process: a bumble link, and a controller with its host for each device on it.

Nothing here knows a profile. Importing it imports bumble, which takes a second: nobody outside this package does.
"""

from __future__ import annotations

import hashlib

from bumble.controller import Controller
from bumble.device import Device, DeviceConfiguration
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink

LINK_TIMED_OUT = 0x08
"""HCI: the supervision timeout, as when somebody walks away."""
_NOBODY = "00:00:00:00:00:00"
_STATIC = 0xC0
"""The two top bits of a static random address."""


class Air(LocalLink):
    """What all radios of one world share."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def leave(self, device: Device) -> None:
        """Nobody hears this radio any more."""
        self.controllers.discard(controller_of(device))

    def lose(self, device: Device, reason: int = LINK_TIMED_OUT) -> None:
        """Every connection of this device breaks off at both ends, with no word said."""
        mine = controller_of(device)
        for address, connection in list(mine.le_connections.items()):
            other = self.find_le_controller(address)
            mine.on_le_disconnected(connection, reason)
            for theirs in [] if other is None else list(other.le_connections.values()):
                if theirs.peer_address == connection.self_address and other is not None:
                    other.on_le_disconnected(theirs, reason)


def controller_of(device: Device) -> Controller:
    """The half of a radio that speaks on the air."""
    controller = device.host.controller
    assert isinstance(controller, Controller)
    return controller


def static_address(name: str) -> str:
    """A static random address, always the same for a name."""
    octets = bytearray(hashlib.sha256(name.encode()).digest()[:6])
    octets[0] |= _STATIC
    return ":".join(f"{octet:02X}" for octet in octets)


def switched_off(air: Air, name: str, address: str, *, public: str = _NOBODY) -> Device:
    """A device on this air, which is heard once it is switched on (`power_on`)."""
    settings = DeviceConfiguration(name=name, address=Address(address))
    settings.irk = hashlib.sha256(address.encode()).digest()[:16]
    controller = Controller(name, link=air, public_address=Address(public, Address.PUBLIC_DEVICE_ADDRESS))
    return Device(config=settings, host=Host(controller, controller))
