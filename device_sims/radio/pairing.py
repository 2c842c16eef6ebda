"""How a virtual device pairs: at once, by a number that it shows, or by comparing the number on both sides."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bumble.pairing import PairingConfig, PairingDelegate

if TYPE_CHECKING:
    from collections.abc import Callable

_IO = PairingDelegate.IoCapability


class Pairing(StrEnum):
    """What the person has to do."""

    JUST_WORKS = "just-works"
    """Nothing."""
    PASSKEY = "passkey"
    """Type the number that the device shows."""
    COMPARISON = "comparison"
    """Say whether both sides show the same number; the device's side says yes."""


_CAPABILITY = {
    Pairing.JUST_WORKS: _IO.NO_OUTPUT_NO_INPUT,
    Pairing.PASSKEY: _IO.DISPLAY_OUTPUT_ONLY,
    Pairing.COMPARISON: _IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
}


class Display(PairingDelegate):
    """The device's side of a pairing: its display, and the button under it."""

    def __init__(self, pairing: Pairing, passkey: int | None, show: Callable[[int], None]) -> None:
        super().__init__(io_capability=_CAPABILITY[pairing])
        self._passkey = passkey
        self._show = show

    async def generate_passkey(self) -> int:
        """The number to show: the one it was given, else a new one each time."""
        return await super().generate_passkey() if self._passkey is None else self._passkey

    async def display_number(self, number: int, digits: int) -> None:  # noqa: ARG002 - the caller's form
        """The person reads it here."""
        self._show(number)

    async def compare_numbers(self, number: int, digits: int) -> bool:  # noqa: ARG002 - the caller's form
        """Shown, and agreed to."""
        self._show(number)
        return True


def config(pairing: Pairing, display: Display) -> PairingConfig:
    """What this device asks for when somebody pairs with it."""
    return PairingConfig(sc=True, mitm=pairing is not Pairing.JUST_WORKS, bonding=True, delegate=display)
