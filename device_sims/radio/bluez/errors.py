"""Errors by the names that BlueZ gives them, and those of the air in BlueZ's words (src/gatt-client.c of BlueZ 5.66)."""

from __future__ import annotations

ENCRYPTION_NEEDED = frozenset({0x05, 0x0F})
"""ATT: insufficient authentication, insufficient encryption. BlueZ pairs and tries once more."""
UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"

_BY_ATT_CODE = {
    0x02: ("NotPermitted", "Read not permitted"),
    0x03: ("NotPermitted", "Write not permitted"),
    0x05: ("NotPermitted", "Not paired"),
    0x06: ("NotSupported", "Operation is not supported"),
    0x07: ("InvalidArguments", "Invalid offset"),
    0x08: ("NotAuthorized", "Operation Not Authorized"),
    0x0C: ("NotPermitted", "Not paired"),
    0x0D: ("InvalidArguments", "Invalid Length"),
    0x0F: ("NotPermitted", "Not paired"),
    0xFD: ("ImproperlyConfigured", "CCC improperly configured"),
}


class BluezError(Exception):
    """A call is answered with this error; a short name is one of `org.bluez.Error`."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__(f"{name}: {text}")
        self.name = name if "." in name else f"org.bluez.Error.{name}"
        self.text = text


def of_att(code: int) -> BluezError:
    """What BlueZ makes of an ATT error."""
    name, text = _BY_ATT_CODE.get(code, ("Failed", f"Operation failed with ATT error: 0x{code:02x} (Unknown)"))
    return BluezError(name, text)
