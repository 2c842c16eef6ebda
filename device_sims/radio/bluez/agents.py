"""Who answers for the person when a device pairs: `org.bluez.Agent1` objects of the clients, asked over the bus."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bumble.pairing import PairingDelegate
from dbus_fast import Message, MessageType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Call = Callable[[Message], Awaitable[Message | None]]

AGENT = "org.bluez.Agent1"
ANSWERS_IN_S = 60.0
"""As long as BlueZ waits for a person."""
NO_INPUT = "NoInputNoOutput"
_IO = PairingDelegate.IoCapability
_CAPABILITIES = {
    "": _IO.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
    "KeyboardDisplay": _IO.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
    "DisplayOnly": _IO.DISPLAY_OUTPUT_ONLY,
    "DisplayYesNo": _IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    "KeyboardOnly": _IO.KEYBOARD_INPUT_ONLY,
    NO_INPUT: _IO.NO_OUTPUT_NO_INPUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One registration."""

    owner: str
    """The client's name on the bus."""
    path: str
    capability: str


class Agents:
    """The registered agents; the last one that came is asked."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._agents: dict[str, Agent] = {}

    @property
    def default(self) -> Agent | None:
        """Who is asked; None: nobody is there, and nothing can be paired."""
        return next(reversed(self._agents.values()), None)

    def register(self, agent: Agent) -> None:
        """A client offers itself; it has one agent."""
        self._agents.pop(agent.owner, None)
        self._agents[agent.owner] = agent

    def forget(self, owner: str) -> None:
        """A client left, or takes its agent back."""
        self._agents.pop(owner, None)

    def delegate(self, device_path: str) -> PairingDelegate:
        """What a pairing with this device is answered by."""
        return _Asked(self.default, device_path, self._call)


class _Asked(PairingDelegate):
    """bumble's questions, as calls of `org.bluez.Agent1`."""

    def __init__(self, agent: Agent | None, device_path: str, call: Call) -> None:
        super().__init__(io_capability=_CAPABILITIES[agent.capability if agent else NO_INPUT])
        self._agent, self._device_path, self._call = agent, device_path, call

    async def get_number(self) -> int | None:
        """The person types what the device shows."""
        number = await self._ask("RequestPasskey")
        return number if isinstance(number, int) else None

    async def compare_numbers(self, number: int, digits: int) -> bool:  # noqa: ARG002 - bumble's form
        """The person says whether both show the same."""
        return await self._ask("RequestConfirmation", "u", number) is not None

    async def display_number(self, number: int, digits: int) -> None:  # noqa: ARG002 - bumble's form
        """The person types on the device what we show."""
        await self._ask("DisplayPasskey", "uq", number, 0)

    async def _ask(self, member: str, signature: str = "", *arguments: object) -> object:
        """The agent's answer (True for an empty one); None: refused, gone, or nobody answered."""
        if self._agent is None:
            return None
        question = Message(
            destination=self._agent.owner,
            path=self._agent.path,
            interface=AGENT,
            member=member,
            signature=f"o{signature}",
            body=[self._device_path, *arguments],
        )
        try:
            async with asyncio.timeout(ANSWERS_IN_S):
                answer = await self._call(question)
        except TimeoutError:
            return None
        if answer is None or answer.message_type is MessageType.ERROR:
            return None
        return answer.body[0] if answer.body else True
