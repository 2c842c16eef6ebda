"""The devices of a gateway: each link is listened to for ever, its packets go through its session, drafts come out.

A thin shell around the sessions: it waits and retries. One task a device; a device that cannot be reached or understood
never disturbs another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import structlog

from gateway.codecs.malformed import MalformedPacket
from gateway.link import DeviceKind, LinkLost
from gateway.sessions.cgm import CgmSession
from gateway.sessions.cuff import CuffSession
from gateway.sessions.h10 import H10Session
from gateway.sessions.session import Draft, Moment, Session, Step, moment_of, status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.clock import GatewayClock
    from gateway.link import Link, Packet, Write
    from gateway.reading import DeviceId

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
WRITE_TIMEOUT_S = 10.0
NOTE_LENGTH = 400

_log = structlog.get_logger("gateway.devices")


def session_for(device: DeviceId, kind: DeviceKind, zone: tzinfo = UTC) -> Session:
    """The conversation for a kind of device."""
    match kind:
        case DeviceKind.H10:
            return H10Session(device)
        case DeviceKind.CUFF:
            return CuffSession(device, zone)
        case DeviceKind.CGM:
            return CgmSession(device, zone)


class Devices:
    """All links of one gateway. `take` is handed what each packet led to, in the order in which it was heard."""

    def __init__(self, clock: GatewayClock, zone: tzinfo, take: Callable[[Sequence[Draft]], None]) -> None:
        self._clock, self._zone, self._take = clock, zone, take
        self._sessions: dict[DeviceId, Session] = {}
        self.malformed = 0
        """Packets that no codec could read; each is also reported as a device status with its bytes."""

    async def serve(self, link: Link) -> None:
        """One device for ever: connect, listen, and again when it is lost."""
        wait_s = FIRST_WAIT_S
        while True:
            session: Session | None = None
            packets = link.packets()
            try:
                async for packet in packets:
                    if session is None:
                        session = self._session(link)
                        wait_s = FIRST_WAIT_S
                        now = moment_of(packet)
                        now = Moment(at=now.at, monotonic_ns=now.monotonic_ns, right=self._clock.wall_is_right())
                        await self._do(link, session.start(now, link.info.connection))
                    await self._do(link, self._heard(session, packet, link.info.device))
            except LinkLost as lost:
                _log.info("link_lost", device=link.info.device, why=str(lost))
            finally:
                # A connection given up in the middle must be closed before the next one is opened.
                if isinstance(packets, AsyncGenerator):
                    await packets.aclose()
                if session is not None:
                    self._take(session.lost(self._clock.now()).drafts)
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    async def say_goodbye(self, link: Link) -> None:
        """Before leaving on purpose: a strap whose stream is left on runs flat."""
        session = self._sessions.get(link.info.device)
        for write in session.stop() if session else ():
            with suppress(LinkLost):
                await _write(link, write)

    def _session(self, link: Link) -> Session:
        device = link.info.device
        if device not in self._sessions:
            self._sessions[device] = session_for(device, link.info.kind, self._zone)
        return self._sessions[device]

    def _heard(self, session: Session, packet: Packet, device: DeviceId) -> Step:
        try:
            return session.packet(packet)
        except MalformedPacket as error:
            self.malformed += 1
            note = f"malformed packet on {packet.characteristic}: {error}"
            return Step(drafts=(status(device, moment_of(packet), note=note[:NOTE_LENGTH]),))

    async def _do(self, link: Link, step: Step) -> None:
        self._take(step.drafts)
        for write in step.writes:
            await _write(link, write)


async def _write(link: Link, write: Write) -> None:
    try:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await link.write(write.characteristic, write.data)
    except (LinkLost, TimeoutError) as error:
        if not write.may_fail:
            raise LinkLost(f"write to {write.characteristic} failed: {error}") from error
