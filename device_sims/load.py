"""Many clients at once: what `make bench` sends against intake, and the ledger of what became of it.

Each client is a connection of its own with its own right to its own topics, sends one batch a period at QoS 0, and goes
back to what was not receipted. It is bounded: it stops by itself, whatever the server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from device_sims import mqtt_bytes
from device_sims.mqtt_bytes import Kind
from device_sims.synthetic import Rhythm, synthesise
from gateway import ranges, topics
from gateway.reading import (
    ClientId,
    DeviceId,
    EcgChunk,
    Epoch,
    EventBatch,
    Receipt,
    SessionId,
    StreamName,
)
from gateway.wire import MalformedMessage, decode_down, encode_batch

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAM = StreamName("ecg/I")
RATE_HZ = 250.0
_CONNECT_AT_ONCE = 50
_SLICE_S = 0.01
_GO_BACK_AFTER_S = 5.0
_WINDOW = 256
_CLOSING_S = 5.0
_NO_EPOCH = Epoch("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send, where to, and when to give up."""

    host: str
    port: int
    passwords: Mapping[str, str]
    """By client id: that many connections."""
    period_s: float = 1.0
    """Each client sends one batch of one ECG chunk of that many seconds each period."""
    seconds: float = 60.0
    grace_s: float = 30.0
    """How long after the last batch receipts are waited for."""
    shard: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What was sent and what became of it."""

    clients: int
    sent: int
    """Events, each counted once."""
    stored: int
    """Events that a receipt covers."""
    resent: int
    sent_bytes: int
    refused: int
    """Messages that the server refused for good."""
    lost_connections: int
    seconds: float
    """From the first batch to the last."""
    cpu_s: float
    """This process's own processor time in that span and the grace: what the generator itself costs."""
    receipt_p50_s: float
    receipt_p99_s: float
    """From sending to the receipt."""

    @property
    def unaccounted(self) -> int:
        """Events that no receipt covers when all is over."""
        return self.sent - self.stored

    def lines(self) -> list[str]:
        """For a person."""
        rate = self.sent / self.seconds if self.seconds else 0.0
        rows = [
            ("clients", f"{self.clients:,}"),
            ("events sent", f"{self.sent:,} in {self.seconds:.1f} s = {rate:,.0f}/s, {self.sent_bytes / 1e6:.1f} MB"),
            ("events stored", f"{self.stored:,}"),
            ("unaccounted", f"{self.unaccounted:,}"),
            ("resent", f"{self.resent:,}"),
            ("refused", f"{self.refused:,}"),
            ("lost connections", f"{self.lost_connections:,}"),
            ("send to receipt", f"p50 {self.receipt_p50_s * 1000:.0f} ms, p99 {self.receipt_p99_s * 1000:.0f} ms"),
            ("generator's cpu", f"{self.cpu_s:.1f} s"),
        ]
        return [f"{name:<17} {value}" for name, value in rows]


def device_of(client: str) -> DeviceId:
    """The one device behind a client of the load: for assigning it beforehand."""
    return DeviceId(f"{client}-ecg")


async def run_load(load: Load) -> Ledger:
    """Connect all clients, send, wait for the receipts, and say what became of every event.

    Raises:
        OSError: the broker cannot be reached.
        ConnectionRefusedError: it refuses a client; the client is named.
    """
    wave = synthesise([(Rhythm.SINUS, 60.0)], RATE_HZ, seed=1).samples
    clients = [_Client(name, load, wave, turn) for turn, name in enumerate(load.passwords)]
    try:
        for first in range(0, len(clients), _CONNECT_AT_ONCE):
            await asyncio.gather(*(client.connect() for client in clients[first : first + _CONNECT_AT_ONCE]))
        cpu_s, began_s = time.process_time(), time.monotonic()
        await _send(load, clients)
        seconds = time.monotonic() - began_s
        await _settle(load, clients)
        cpu_s = time.process_time() - cpu_s
    finally:
        for client in clients:
            client.close()
        # Each socket is closed a turn of the loop later.
        if clients:
            closing = {asyncio.ensure_future(client.closed.wait()) for client in clients}
            await asyncio.wait(closing, timeout=_CLOSING_S)
    delays = np.concatenate([np.asarray(client.delays_s) for client in clients] or [np.empty(0)])
    return Ledger(
        clients=len(clients),
        sent=sum(client.sent for client in clients),
        stored=sum(ranges.size(client.stored) for client in clients),
        resent=sum(client.resent for client in clients),
        sent_bytes=sum(client.sent_bytes for client in clients),
        refused=sum(client.refused for client in clients),
        lost_connections=sum(client.is_lost for client in clients),
        seconds=seconds,
        cpu_s=cpu_s,
        receipt_p50_s=float(np.percentile(delays, 50)) if len(delays) else float("nan"),
        receipt_p99_s=float(np.percentile(delays, 99)) if len(delays) else float("nan"),
    )


async def _send(load: Load, clients: list[_Client]) -> None:
    """Every client once a period, spread evenly over it: real clients are not in step."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    total = round(load.seconds / load.period_s) * len(clients)
    done = 0
    while done < total:
        due = min(int((loop.time() - began) / load.period_s * len(clients)), total)
        for turn in range(done, due):
            clients[turn % len(clients)].send()
        done = max(done, due)
        await asyncio.sleep(_SLICE_S)


async def _settle(load: Load, clients: list[_Client]) -> None:
    """Wait for what is outstanding; go back to it as a gateway would."""
    loop = asyncio.get_running_loop()
    until = loop.time() + load.grace_s
    patience_s = _GO_BACK_AFTER_S
    again = loop.time() + patience_s
    while any(client.outstanding for client in clients) and loop.time() < until:
        await asyncio.sleep(0.05)
        if loop.time() >= again:
            # Doubling, so that an intake that is only behind meets no storm.
            patience_s *= 2
            again = loop.time() + patience_s
            for client in clients:
                client.go_back()


@dataclass(slots=True)
class _Sent:
    """A batch that no receipt covers yet."""

    message: bytes
    at: float


@dataclass(slots=True, eq=False)
class _Client(asyncio.Protocol):
    """One connection. Its events are numbered as an outbox would number them."""

    name: str
    load: Load
    wave: np.ndarray[tuple[int], np.dtype[np.int16]]
    turn: int
    sent: int = 0
    resent: int = 0
    sent_bytes: int = 0
    refused: int = 0
    is_lost: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    stored: ranges.Ranges = ranges.EMPTY
    outstanding: dict[int, _Sent] = field(default_factory=dict)
    delays_s: list[float] = field(default_factory=list)
    _reader: mqtt_bytes.Reader = field(default_factory=mqtt_bytes.Reader)
    _transport: asyncio.Transport | None = None
    _subscribed: asyncio.Future[None] | None = None
    _epoch: Epoch = _NO_EPOCH
    _topic: bytes = b""
    _began: datetime | None = None

    async def connect(self) -> None:
        """Until the broker has granted the subscription to receipts."""
        loop = asyncio.get_running_loop()
        client = topics.checked_client(self.name)
        self._topic = topics.up_events(self.load.shard, client).encode()
        self._epoch = Epoch(f"load-{time.time_ns()}")
        self._subscribed = loop.create_future()
        transport, _ = await loop.create_connection(lambda: self, self.load.host, self.load.port)
        transport.write(mqtt_bytes.connect(self.name, self.name, self.load.passwords[self.name]))
        down = (topics.down_receipt(self.load.shard, client), topics.down_refused(self.load.shard, client))
        transport.write(mqtt_bytes.subscribe(1, *down))
        async with asyncio.timeout(30):
            await self._subscribed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Receipts, and the broker's answers."""
        for kind, body in self._reader.feed(data):
            if kind == Kind.CONNACK and body[1:2] != b"\0":
                self._fail(ConnectionRefusedError(f"the broker refuses client {self.name}: code {body[1:2].hex()}"))
            elif kind == Kind.SUBACK and self._subscribed is not None and not self._subscribed.done():
                self._subscribed.set_result(None)
            elif kind == Kind.PUBLISH:
                self._heard(mqtt_bytes.published(body)[1])

    def connection_lost(self, exc: Exception | None) -> None:
        """Counted: a load is not a gateway, it does not come back."""
        self.closed.set()
        self.is_lost = self._transport is not None
        self._transport = None
        self._fail(exc or ConnectionResetError(f"the broker closed the connection of client {self.name}"))

    def send(self) -> None:
        """The next batch."""
        now = datetime.now(UTC)
        count = max(round(RATE_HZ * self.load.period_s), 1)
        self._began = self._began or now - timedelta(seconds=count / RATE_HZ)
        index = self.sent * count
        # Each client starts elsewhere in the wave: no two send the same bytes.
        samples = self.wave.take(np.arange(index, index + count) + self.turn * 97, mode="wrap")
        self.sent += 1
        chunk = EcgChunk(
            device=device_of(self.name),
            stream=STREAM,
            seq=self.sent,
            session=SessionId(self._epoch),
            index=index,
            # By the count of samples, so that the signal has no gap that the wave does not have.
            at=self._began + timedelta(seconds=index / RATE_HZ),
            rate_hz=RATE_HZ,
            lead="I",
            samples=samples.astype("<i2").tobytes(),
            received_at=now,
        )
        batch = EventBatch(client=ClientId(self.name), epoch=self._epoch, sent_at=now, events=(chunk,))
        message = mqtt_bytes.publish(self._topic, encode_batch(batch))
        self.outstanding[self.sent] = _Sent(message=message, at=time.monotonic())
        self.sent_bytes += len(message)
        if self._transport is not None:
            self._transport.write(message)

    def go_back(self) -> None:
        """What has been outstanding longest, once more, within the window."""
        for kept in list(self.outstanding.values())[:_WINDOW]:
            if self._transport is not None:
                self._transport.write(kept.message)
                self.resent += 1

    def close(self) -> None:
        """Goodbye; not counted as lost."""
        transport, self._transport = self._transport, None
        if transport is None:
            self.closed.set()
        else:
            with contextlib.suppress(OSError):
                transport.write(mqtt_bytes.disconnect())
            transport.close()

    def _heard(self, payload: bytes) -> None:
        try:
            word, _ = decode_down(payload)
        except MalformedMessage:
            return
        if not isinstance(word, Receipt):
            self.refused += 1
            return
        if word.epoch != self._epoch:
            return
        now = time.monotonic()
        for lane in word.lanes:
            self.stored = ranges.union(self.stored, lane.stored)
        for seq in [seq for seq in self.outstanding if ranges.contains(self.stored, seq)]:
            self.delays_s.append(now - self.outstanding.pop(seq).at)

    def _fail(self, error: Exception) -> None:
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_exception(error)
