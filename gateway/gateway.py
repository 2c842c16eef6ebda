"""The running gateway: links → sessions → outbox → courier → MQTT, and receipts the way back.

A thin shell: it waits, commits and sends, and decides nothing about medicine or order. One asyncio task a device and
two a gateway, so hundreds run in one process; SQLite's syncs happen in a thread pool that they may share. Nothing is
published before it is committed, nothing is deleted before a receipt covers it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway import ranges, topics, wire
from gateway.clock import WAIT_FOR_TIME_NS, Clocks, GatewayClock, system_clocks
from gateway.codecs.malformed import MalformedPacket
from gateway.courier import Courier
from gateway.link import DeviceKind, LinkLost
from gateway.mqtt import Message, Mqtt, Protocol, Will
from gateway.outbox import RING_BYTES, Outbox, OutboxFull
from gateway.outbox_repair import open_outbox
from gateway.parcel import greeting, pack
from gateway.reading import EcgChunk, Hello, Receipt, Refused
from gateway.sessions.cuff import CuffSession
from gateway.sessions.h10 import H10Session
from gateway.sessions.session import Draft, Session, Step, moment_of, status

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from gateway.lane import Gap, LaneName
    from gateway.link import Link, Packet, Write
    from gateway.reading import ClientId, DeviceId, Event

GROUP_S = 0.25
"""ECG is committed in groups of this length; a reading commits at once, with whatever waits."""
SEND_EVERY_S = 1.0
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
WRITE_TIMEOUT_S = 10.0
WAVEFORM_WITHOUT_DISK = 600
"""Chunks held in memory while the disk is full (about 5 minutes of one lead); older ones are lost, counted and reported."""
REMEMBERED_PARCELS = 256

_log = structlog.get_logger("gateway")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to send, and as whom."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    protocol: Protocol = "auto"


def session_for(device: DeviceId, kind: DeviceKind, zone: tzinfo = UTC) -> Session:
    """The conversation for a kind of device."""
    match kind:
        case DeviceKind.H10:
            return H10Session(device)
        case DeviceKind.CUFF:
            return CuffSession(device, zone)


class Gateway:
    """One client of the server, with its devices. Made and run by `run_gateway`."""

    def __init__(  # every part of the outside world is handed in
        self,
        *,
        client: ClientId,
        shard: int,
        broker: Broker,
        outbox: Outbox,
        clock: GatewayClock,
        zone: tzinfo,
        pool: Executor | None,
        send_every_s: float,
    ) -> None:
        self.client = topics.checked_client(client)
        self.outbox = outbox
        self._shard, self._clock, self._zone, self._pool = shard, clock, zone, pool
        self._send_every_s = send_every_s
        self._courier = Courier(outbox.lanes())
        self._pending: list[Draft] = []
        self._committing = 0
        self._urgent = asyncio.Event()
        self._arrived = asyncio.Event()
        self._flushed = asyncio.Event()
        self._wake = asyncio.Event()
        self._lost_without_disk = 0
        self._parcels: OrderedDict[str, tuple[tuple[LaneName, int], ...]] = OrderedDict()
        self._alone: set[tuple[LaneName, int]] = set()
        self._sessions: dict[DeviceId, Session] = {}
        self._started_ns = clock.now().monotonic_ns
        self._down: asyncio.Queue[Message] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.malformed = 0
        """Packets that no codec could read; each is also reported as a device status."""
        self._mqtt = Mqtt(
            host=broker.host,
            port=broker.port,
            client_id=client,
            user=broker.user,
            password=broker.password,
            tls=broker.tls,
            protocol=broker.protocol,
            will=Will(topic=topics.up_status(shard, client), payload=b"offline"),
            on_message=lambda message: self._from_network(self._down.put_nowait, message),
            on_connected=lambda: self._from_network(self._connected),
            on_disconnected=lambda: self._from_network(self._disconnected),
        )
        for topic in (topics.down_receipt(shard, client), topics.down_refused(shard, client), topics.down_hello(shard)):
            self._mqtt.subscribe(topic, 0)

    async def run(self, links: Sequence[Link], stop: asyncio.Event) -> None:
        """Until `stop`: then the devices are told, everything heard is committed, and the connection is closed."""
        self._mqtt.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                workers = [tasks.create_task(self._serve(link)) for link in links]
                workers += [tasks.create_task(work) for work in (self._commit(), self._send(), self._listen())]
                await stop.wait()
                for link in links:
                    await self._say_goodbye(link)
                for worker in workers:
                    worker.cancel()
        finally:
            if self._pending:
                with suppress(OutboxFull):
                    self.outbox.append(self._pending, right=self._clock.is_right())
                    self._pending = []
            await asyncio.to_thread(self._mqtt.stop)
            self.outbox.close()

    # ------------------------------------------------------------------ for whoever watches

    @property
    def all_is_sent(self) -> bool:
        """Nothing waits: not in memory, not on its way into the outbox, not in it."""
        return not (self._pending or self._committing or self.outbox.has_undated) and self._courier.all_is_sent

    @property
    def unsent(self) -> int:
        """Events without a receipt."""
        return len(self._pending) + self._committing + self._courier.unsent

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._mqtt.connected

    def ledger(self) -> dict[LaneName, int]:
        """For each lane the highest number committed: what the server must have in the end."""
        return self.outbox.ledger()

    # ------------------------------------------------------------------ devices

    async def _serve(self, link: Link) -> None:
        """One device for ever: connect, listen, and again when it is lost."""
        wait_s = FIRST_WAIT_S
        while True:
            session: Session | None = None
            try:
                async for packet in link.packets():
                    if session is None:
                        session = self._session(link)
                        await self._take(link, session.start(moment_of(packet), link.info.connection))
                        wait_s = FIRST_WAIT_S
                    await self._take(link, self._heard(session, packet, link.info.device))
            except LinkLost as lost:
                _log.info("link_lost", client=self.client, device=link.info.device, why=str(lost))
            finally:
                if session is not None:
                    self._add(session.lost(self._clock.now()).drafts)
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

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
            return Step(drafts=(status(device, moment_of(packet), note=note[:400]),))

    async def _take(self, link: Link, step: Step) -> None:
        self._add(step.drafts)
        for write in step.writes:
            await self._write(link, write)

    async def _write(self, link: Link, write: Write) -> None:
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await link.write(write.characteristic, write.data)
        except (LinkLost, TimeoutError) as error:
            if not write.may_fail:
                raise LinkLost(f"write to {write.characteristic} failed: {error}") from error

    async def _say_goodbye(self, link: Link) -> None:
        session = self._sessions.get(link.info.device)
        for write in session.stop() if session else ():
            with suppress(LinkLost):
                await self._write(link, write)

    def _add(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        self._pending += drafts
        self._arrived.set()
        if any(not isinstance(draft.event, EcgChunk) for draft in drafts):
            self._urgent.set()

    # ------------------------------------------------------------------ outbox

    async def _commit(self) -> None:
        """Readings at once, ECG in groups of 250 ms; a full disk is tried again each second, and nothing is numbered."""
        while True:
            await self._arrived.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GROUP_S):
                    await self._urgent.wait()
            self._arrived.clear()
            self._urgent.clear()
            drafts, self._pending = self._pending, []
            if not drafts:
                continue
            self._committing = len(drafts)
            try:
                await self._keep(drafts)
            except OutboxFull as error:
                _log.error("outbox_full", client=self.client, why=str(error))
                self._pending = self._bounded(drafts + self._pending)
                await asyncio.sleep(1.0)
                self._arrived.set()
            finally:
                self._committing = 0

    async def _keep(self, drafts: list[Draft]) -> None:
        right = self._clock.is_right()
        work = asyncio.ensure_future(self._in_pool(partial(self.outbox.append, drafts, right=right)))
        try:
            # A commit under way is seen through even when the gateway stops: else its events would be appended twice.
            kept, gaps = await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if work.exception() is not None:
                self._pending = drafts + self._pending
            raise
        self._courier.kept(kept)
        self._courier.gave_up(gaps)
        if any(not item.waveform for item in kept):
            self._wake.set()

    def _bounded(self, drafts: list[Draft]) -> list[Draft]:
        """While nothing can be written: readings are kept in memory, of the waveform only the newest."""
        spare = sum(isinstance(draft.event, EcgChunk) for draft in drafts) - WAVEFORM_WITHOUT_DISK
        if spare <= 0:
            return drafts
        self._lost_without_disk += spare
        kept: list[Draft] = []
        device = drafts[0].event.device
        for draft in drafts:
            if spare > 0 and isinstance(draft.event, EcgChunk):
                spare -= 1
                continue
            kept.append(draft)
        note = f"disk full: {self._lost_without_disk} ECG chunks so far were lost before they could be kept"
        kept = [d for d in kept if not (getattr(d.event, "note", None) or "").startswith("disk full:")]
        return [*kept, status(device, self._clock.now(), note=note)]

    async def _in_pool(self, work: Callable[[], Result]) -> Result:
        return await self._loop.run_in_executor(self._pool, work)

    # ------------------------------------------------------------------ network

    def _from_network(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop ended first
            self._loop.call_soon_threadsafe(call, *arguments)

    def _connected(self) -> None:
        self._courier.connected(self._loop.time(), self._clock.now().at.timestamp())
        self._publish(greeting(self.client, self.outbox.epoch, self._clock.now().at))
        self._wake.set()

    def _disconnected(self) -> None:
        self._courier.disconnected()

    def _publish(self, payload: bytes) -> None:
        # QoS 0: a lost message shows as a hole in a receipt and is sent again.
        self._mqtt.publish(topics.up_events(self._shard, self.client), payload, 0)

    async def _send(self) -> None:
        """About once a second, and at once for a reading."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._send_every_s):
                    await self._wake.wait()
            self._wake.clear()
            await self._date()
            sending = self._courier.due(self._loop.time(), self._clock.now().at.timestamp())
            if sending.is_empty:
                continue
            events: list[Event] = list(sending.notices)
            gaps: list[Gap] = []
            for lane, first, last in sending.parts:
                found, bad = await self._in_pool(partial(self.outbox.events, lane, first, last))
                events += found
                gaps += bad
            self._courier.gave_up(gaps)
            now = self._clock.now().at
            for parcel in pack(self.client, self.outbox.epoch, now, events, alone=self._is_alone):
                self._parcels[parcel.digest] = parcel.numbered
                if len(self._parcels) > REMEMBERED_PARCELS:
                    self._parcels.popitem(last=False)
                self._publish(parcel.payload)

    def _is_alone(self, lane: LaneName, seq: int) -> bool:
        return (lane, seq) in self._alone

    async def _date(self) -> None:
        """Events that wait for the right time get it, or go as estimated after ten minutes."""
        right = self._clock.is_right()
        expired = self._clock.now().monotonic_ns - self._started_ns > WAIT_FOR_TIME_NS
        if right and not self.outbox.has_undated:
            return
        right_at = self._clock.right_at if right else None
        self._courier.kept(await self._in_pool(partial(self.outbox.date, right_at, expired=expired)))

    async def _listen(self) -> None:
        """Receipts, refusals and hellos, one at a time."""
        while True:
            message = await self._down.get()
            try:
                word, _ = wire.decode_down(message.payload)
            except wire.MalformedMessage as error:
                _log.warning("malformed_from_server", client=self.client, topic=message.topic, why=str(error))
                continue
            match word:
                case Receipt():
                    await self._receipt(word)
                case Refused():
                    await self._refused(word)
                case Hello():
                    self._clock.heard_server(word.server_time)
                    self._courier.hello(self._loop.time(), self._clock.now().at.timestamp())
                    self._wake.set()

    async def _receipt(self, receipt: Receipt) -> None:
        if not self._clock.is_right():
            self._wake.set()
        self._clock.heard_server(receipt.server_time)
        if receipt.epoch != self.outbox.epoch:
            return
        before = self._courier.under_way
        for told in self._courier.receipt(receipt, self._loop.time()):
            gaps = await self._in_pool(
                partial(self.outbox.settle, told.lane, stored=told.stored, safe=told.safe, lost=told.lost)
            )
            self._courier.gave_up(gaps)
            self._alone = {(lane, n) for lane, n in self._alone if lane != told.lane or not ranges.contains(told.safe, n)}
        if self._courier.needs_sending and before:
            self._wake.set()

    async def _refused(self, refused: Refused) -> None:
        """What the server will never take; a whole message of several events is sent again event by event first."""
        if refused.epoch is not None and refused.epoch != self.outbox.epoch:
            return
        _log.error("refused", client=self.client, reason=refused.reason, digest=refused.digest)
        named = {(told.device, told.stream): told.stored for told in refused.lanes}
        numbered = self._parcels.get(refused.digest, ())
        if not named and len(numbered) > 1:
            self._alone |= set(numbered)
            for lane, seq in numbered:
                self._courier.again(lane, ((seq, seq),))
            self._wake.set()
            return
        if not named:
            named = {(lane.device, lane.stream): ((seq, seq),) for lane, seq in numbered}
        for lane in [lane for lane in self.outbox.ledger() if (lane.device, lane.stream) in named]:
            gone = named[lane.device, lane.stream]
            gaps = await self._in_pool(partial(self.outbox.refuse, lane, gone, refused.reason))
            self._courier.gave_up(gaps)
        self._wake.set()


async def run_gateway(
    *,
    client: ClientId,
    broker: Broker,
    outbox_path: Path,
    links: Sequence[Link],
    stop: asyncio.Event,
    shard: int = 0,
    clocks: Clocks | None = None,
    zone: tzinfo = UTC,
    ring_bytes: int = RING_BYTES,
    durable: bool = True,
    pool: Executor | None = None,
    send_every_s: float = SEND_EVERY_S,
    on_ready: Callable[[Gateway], None] = lambda _gateway: None,
) -> None:
    """A gateway with these devices, until `stop` is set; `on_ready` is handed it for looking at.

    For many virtual gateways in one process: share `pool`, and `durable=False` leaves syncing to the system.
    """
    clock = GatewayClock(clocks or system_clocks())
    outbox = await asyncio.to_thread(
        open_outbox, outbox_path, clock.now(), boot=clock.boot, ring_bytes=ring_bytes, durable=durable
    )
    gateway = Gateway(
        client=client,
        shard=shard,
        broker=broker,
        outbox=outbox,
        clock=clock,
        zone=zone,
        pool=pool,
        send_every_s=send_every_s,
    )
    on_ready(gateway)
    await gateway.run(links, stop)
