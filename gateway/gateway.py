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
from gateway.courier import Courier
from gateway.devices import Devices
from gateway.intake_queue import IntakeQueue
from gateway.mqtt import Message, Mqtt, Protocol, Will
from gateway.outbox import RING_BYTES, Outbox
from gateway.outbox_repair import open_outbox
from gateway.parcel import greeting, pack
from gateway.reading import Hello, Receipt, Refused

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from gateway.lane import Gap, Kept, LaneName
    from gateway.link import Link
    from gateway.reading import ClientId, Event

SEND_EVERY_S = 1.0
REMEMBERED_PARCELS = 256
IDLE_S = 20.0
"""With nothing to send for so long a gateway greets; the server calls it silent after 60 s (`stream.clients`)."""

FILLING_PERCENT = 50
"""An outbox as full as this is told again and again; below it, each time that it crosses a tenth."""

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
        self._shard, self._clock, self._pool = shard, clock, pool
        self._send_every_s = send_every_s
        self._courier = Courier(outbox.lanes())
        self._queue = IntakeQueue(outbox, clock, pool, self._kept)
        self._devices = Devices(clock, zone, self._queue.put)
        self._wake = asyncio.Event()
        self._said_at = self._greeted_at = float("-inf")
        self._told_percent = 0
        self._parcels: OrderedDict[str, tuple[tuple[LaneName, int], ...]] = OrderedDict()
        self._alone: set[tuple[LaneName, int]] = set()
        self._dating = False
        self._started_ns = clock.now().monotonic_ns
        self._down: asyncio.Queue[Message] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
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
                workers = [tasks.create_task(self._devices.serve(link)) for link in links]
                workers += [tasks.create_task(work) for work in (self._queue.commit(), self._send(), self._listen())]
                await stop.wait()
                for link in links:
                    await self._devices.say_goodbye(link)
                for worker in workers:
                    worker.cancel()
        finally:
            self._queue.commit_the_rest()
            await asyncio.to_thread(self._mqtt.stop)
            self.outbox.close()

    def _kept(self, kept: Sequence[Kept], gaps: Sequence[Gap]) -> None:
        self._courier.kept(kept)
        self._courier.gave_up(gaps)
        if any(not item.waveform for item in kept):
            self._wake.set()

    # ------------------------------------------------------------------ for whoever watches

    @property
    def all_is_sent(self) -> bool:
        """Nothing waits: not in memory, not on its way into the outbox, not in it."""
        waiting = self._queue.waiting or self.outbox.has_undated or self._dating
        return not waiting and self._courier.all_is_sent

    @property
    def unsent(self) -> int:
        """Events without a receipt."""
        return self._queue.waiting + self._courier.unsent

    @property
    def malformed(self) -> int:
        """Packets that no codec could read."""
        return self._devices.malformed

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._mqtt.connected

    def ledger(self) -> dict[LaneName, int]:
        """For each lane the highest number committed: what the server must have in the end."""
        return self.outbox.ledger()

    # ------------------------------------------------------------------ network

    async def _in_pool(self, work: Callable[[], Result]) -> Result:
        return await self._loop.run_in_executor(self._pool, work)

    def _from_network(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop ended first
            self._loop.call_soon_threadsafe(call, *arguments)

    def _connected(self) -> None:
        self._courier.connected(self._loop.time(), self._clock.now().at.timestamp())
        self._greet()
        self._wake.set()

    def _disconnected(self) -> None:
        self._courier.disconnected()

    def _greet(self) -> None:
        """Ask for the time, and be heard: a gateway that has nothing to send must not look like one that is gone."""
        self._greeted_at, self._told_percent = self._loop.time(), self.outbox.percent_full
        self._publish(greeting(self.client, self.outbox.epoch, self._clock.now().at, self._told_percent))

    def _has_level_to_tell(self) -> bool:
        percent = self.outbox.percent_full
        is_due = percent >= FILLING_PERCENT and self._loop.time() - self._greeted_at >= IDLE_S
        return is_due or percent // 10 != self._told_percent // 10

    def _publish(self, payload: bytes) -> None:
        self._said_at = self._loop.time()
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
            if self._has_level_to_tell():
                self._greet()
            sending = self._courier.due(self._loop.time(), self._clock.now().at.timestamp())
            if sending.is_empty:
                if self._loop.time() - self._said_at >= IDLE_S:
                    self._greet()
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
        if not self.outbox.has_undated:
            return
        right = self._clock.is_right()
        expired = self._clock.now().monotonic_ns - self._started_ns > WAIT_FOR_TIME_NS
        right_at = self._clock.right_at if right else None
        self._dating = True
        try:
            kept, gaps = await self._in_pool(partial(self.outbox.date, right_at, expired=expired))
            self._courier.kept(kept)
            self._courier.gave_up(gaps)
        finally:
            self._dating = False

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
            self._alone = {
                (lane, n) for lane, n in self._alone if lane != told.lane or not ranges.contains(told.safe, n)
            }
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
