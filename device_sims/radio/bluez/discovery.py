"""Scanning: who has asked for it and for what, which devices have been heard, and when they are forgotten again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from device_sims.radio.advertised import advertised
from device_sims.radio.bluez.errors import BluezError
from device_sims.radio.bluez.tree import ADAPTER, DEVICE, Tree

if TYPE_CHECKING:
    from bumble.device import Advertisement, Device
    from bumble.hci import Address

RSSI = -60
_RSSI_STEP = 8
_UNKNOWN_RSSI = 127


class Discovery:
    """Devices become objects when they are heard, and go again when nobody wants them."""

    def __init__(self, central: Device, tree: Tree, adapter: str, temporary_s: float) -> None:
        """`temporary_s`: how long BlueZ keeps a device that is neither paired nor connected."""
        self._central, self._tree, self._adapter = central, tree, adapter
        self._temporary_s = temporary_s
        self.addresses: dict[str, Address] = {}
        """By the device's path."""
        self._wanted: dict[str, dict[str, Any]] = {}
        """The filters of those who are scanning, by their name on the bus."""
        self._filters: dict[str, dict[str, Any]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        central.on("advertisement", self._heard)

    def path_of(self, address: Address) -> str:
        """The object of a device."""
        return f"{self._adapter}/dev_{address.to_string(False).replace(':', '_')}"

    def is_scanning(self, sender: str) -> bool:
        """Whether this client does."""
        return sender in self._wanted

    def filter(self, sender: str, wanted: dict[str, Any]) -> None:
        """What this client wants to hear of when it scans next."""
        self._filters[sender] = wanted

    async def start(self, sender: str) -> None:
        """A client scans.

        Raises:
            BluezError: it does already, or the adapter is off.
        """
        if not self._tree.of(self._adapter, ADAPTER)["Powered"]:
            raise BluezError("NotReady", "Resource Not Ready")
        if sender in self._wanted:
            raise BluezError("InProgress", "Operation already in progress")
        self._wanted[sender] = self._filters.get(sender, {})
        if len(self._wanted) == 1:
            await self._central.start_scanning(active=True)
            self._tree.set(self._adapter, ADAPTER, Discovering=True)

    async def stop(self, sender: str) -> None:
        """A client scans no longer; strengths of signal are not known any more when the last one stops.

        Raises:
            BluezError: it did not scan.
        """
        if sender not in self._wanted:
            raise BluezError("Failed", "No discovery started")
        del self._wanted[sender]
        if not self._wanted:
            await self._quiet()

    async def stop_all(self) -> None:
        """The adapter goes off."""
        if self._wanted:
            self._wanted.clear()
            await self._quiet()

    def expire_later(self, path: str) -> None:
        """Unless it is paired or connected by then, it is forgotten."""
        if timer := self._timers.pop(path, None):
            timer.cancel()
        self._timers[path] = asyncio.get_running_loop().call_later(self._temporary_s, self._expire, path)

    def remove(self, path: str) -> None:
        """The device is no object any more."""
        self._tree.remove(path)
        self.addresses.pop(path, None)

    def close(self) -> None:
        """No timer is left."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._central.remove_listener("advertisement", self._heard)

    async def _quiet(self) -> None:
        await self._central.stop_scanning()
        self._tree.set(self._adapter, ADAPTER, Discovering=False)
        for path in self._tree.paths(DEVICE):
            if "RSSI" in self._tree.of(path, DEVICE):
                self._tree.set(path, DEVICE, gone=("RSSI",))
            self.expire_later(path)

    def _expire(self, path: str) -> None:
        self._timers.pop(path, None)
        if path in self._tree:
            device = self._tree.of(path, DEVICE)
            if not device["Connected"] and not device["Paired"]:
                self.remove(path)

    def _heard(self, heard: Advertisement) -> None:
        if not self._wanted:
            return
        said, path = advertised(heard.data), self.path_of(heard.address)
        rssi = RSSI if heard.rssi == _UNKNOWN_RSSI else heard.rssi
        filters = list(self._wanted.values())
        if path not in self._tree:
            if all(each.get("UUIDs") and not set(said.uuids) & set(each["UUIDs"]) for each in filters):
                return
            address = heard.address.to_string(False)
            self.addresses[path] = heard.address
            known: dict[str, Any] = {"Name": said.name} if said.name else {}
            known |= {"ManufacturerData": said.manufacturer} if said.manufacturer else {}
            known |= {"ServiceData": said.service} if said.service else {}
            kind = "random" if heard.address.is_random else "public"
            known |= {"Address": address, "AddressType": kind, "Alias": said.name or address.replace(":", "-")}
            known |= dict.fromkeys(("Paired", "Bonded", "Trusted", "Blocked", "LegacyPairing"), False)
            known |= {"Connected": False, "ServicesResolved": False}
            self._tree.add(path, DEVICE, {**known, "Adapter": self._adapter, "UUIDs": said.uuids, "RSSI": rssi})
            return
        before, changed = self._tree.of(path, DEVICE), dict[str, Any]()
        wants_each = any(each.get("DuplicateData", True) for each in filters)
        if wants_each or abs(before.get("RSSI", rssi + _RSSI_STEP) - rssi) >= _RSSI_STEP:
            changed["RSSI"] = rssi
        if said.manufacturer and before.get("ManufacturerData") != said.manufacturer:
            changed["ManufacturerData"] = said.manufacturer
        if changed:
            self._tree.set(path, DEVICE, **changed)
