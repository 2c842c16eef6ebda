"""A Wi-Fi patch that speaks MQTT itself: the documented JSON, one ECG chunk a message, kept until its receipt.

`Patch` is pure: waves and receipts in, messages out. `run_patch` is its radio. It names its client and never a patient.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from gateway import ranges, topics
from gateway.mqtt import Mqtt, Will
from gateway.open_mhealth import write
from gateway.reading import (
    MISSING_SAMPLE,
    ClientId,
    DeviceId,
    EcgChunk,
    Epoch,
    Hello,
    Receipt,
    Refused,
    SessionId,
    StreamName,
)
from gateway.wire import MalformedMessage, decode_down

if TYPE_CHECKING:
    from datetime import datetime

    from device_sims.pace import Pace
    from device_sims.player import Wave
    from gateway.gateway import Broker
    from gateway.mqtt import Message

CHUNK_S = 1.0
MEMORY = 3600
"""Chunks that fit into the patch: an hour. Beyond, the oldest is lost, and counted."""
WINDOW = 64
"""Messages sent again at once."""
PATIENCE_S = 5.0
"""After so long without a receipt for something outstanding it is sent again."""


@dataclass(slots=True)
class Kept:
    """A message that no receipt covers."""

    payload: bytes
    sent_s: float


class Patch:
    """What the patch measures and keeps. Moments are seconds since it was switched on."""

    def __init__(self, client: str, wave: Wave, epoch: str, on_at: datetime) -> None:
        """`epoch` must be new at each start: the patch forgets everything without power."""
        self.client = ClientId(client)
        self.device = DeviceId(client)
        self.wave = wave
        self.epoch = Epoch(epoch)
        self.outstanding: dict[int, Kept] = {}
        self.seq = 0
        self.lost = 0
        """Chunks that memory had no room for."""
        self.refused = 0
        self._on_at = on_at
        self._stream = StreamName(f"ecg/{wave.lead}")

    def measured(self, until_s: float) -> list[bytes]:
        """The chunks that are whole by now, each once."""
        fresh: list[bytes] = []
        count = round(CHUNK_S * self.wave.rate_hz)
        while (self.seq + 1) * count <= until_s * self.wave.rate_hz:
            index = self.seq * count
            samples = self.wave.samples.take(np.arange(index, index + count), mode="wrap")
            self.seq += 1
            chunk = EcgChunk(
                device=self.device,
                stream=self._stream,
                seq=self.seq,
                session=SessionId(self.epoch),
                index=index,
                at=self._on_at + timedelta(seconds=index / self.wave.rate_hz),
                rate_hz=self.wave.rate_hz,
                lead=self.wave.lead,
                samples=samples.astype("<i2").tobytes(),
                contact=bool((samples != MISSING_SAMPLE).any()),
            )
            payload = write(chunk, self.epoch, self._on_at + timedelta(seconds=until_s))
            self.outstanding[self.seq] = Kept(payload=payload, sent_s=until_s)
            fresh.append(payload)
        while len(self.outstanding) > MEMORY:
            del self.outstanding[next(iter(self.outstanding))]
            self.lost += 1
        return fresh

    def receipted(self, receipt: Receipt) -> None:
        """Forget what is safe on the server."""
        if receipt.epoch != self.epoch:
            return
        for lane in receipt.lanes:
            if lane.device == self.device and lane.stream == self._stream:
                for seq in [seq for seq in self.outstanding if ranges.contains(lane.stored, seq)]:
                    del self.outstanding[seq]

    def was_refused(self, refused: Refused) -> None:
        """Forget what the server will never take: sending it again is pointless."""
        for seq, kept in list(self.outstanding.items()):
            if sha256(kept.payload).hexdigest() == refused.digest:
                del self.outstanding[seq]
                self.refused += 1

    def go_back(self) -> None:
        """Everything outstanding is due again: the connection, or the server, is a new one."""
        for kept in self.outstanding.values():
            kept.sent_s = float("-inf")

    def overdue(self, now_s: float, patience_s: float = PATIENCE_S) -> list[bytes]:
        """What has waited too long for its receipt, oldest first, never more than the window; sent again now."""
        waiting = [kept for kept in self.outstanding.values() if now_s - kept.sent_s >= patience_s][:WINDOW]
        for kept in waiting:
            kept.sent_s = now_s
        return [kept.payload for kept in waiting]


async def run_patch(patch: Patch, broker: Broker, pace: Pace, stop: asyncio.Event, shard: int = 0) -> None:
    """The patch's radio, until `stop`; whatever is outstanding then is lost with its power."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[Message | None] = asyncio.Queue()

    def from_network(message: Message | None) -> None:
        with suppress(RuntimeError):  # the loop ended first
            loop.call_soon_threadsafe(arrived.put_nowait, message)

    mqtt = Mqtt(
        host=broker.host,
        port=broker.port,
        client_id=patch.client,
        user=broker.user,
        password=broker.password,
        protocol=broker.protocol,
        will=Will(topic=topics.up_status(shard, patch.client), payload=b"offline"),
        on_message=from_network,
        on_connected=lambda: from_network(None),
    )
    for topic in (
        topics.down_receipt(shard, patch.client),
        topics.down_refused(shard, patch.client),
        topics.down_hello(shard),
    ):
        mqtt.subscribe(topic, 0)
    up = topics.up_json(shard, patch.client)
    zero_ns = pace.monotonic_ns()
    mqtt.start()
    try:
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pace.real_s(CHUNK_S / 4)):
                    _take(patch, await arrived.get())
            now_s = (pace.monotonic_ns() - zero_ns) / 1e9
            due = patch.measured(now_s)
            if mqtt.connected:
                for payload in patch.overdue(now_s) + due:
                    mqtt.publish(up, payload, 1)
    finally:
        await asyncio.to_thread(mqtt.stop)


def _take(patch: Patch, message: Message | None) -> None:
    """A word from the server; None = connected anew. Either way what is outstanding may have to go again."""
    if message is None:
        patch.go_back()
        return
    with suppress(MalformedMessage):
        word, _ = decode_down(message.payload)
        match word:
            case Receipt():
                patch.receipted(word)
            case Refused():
                patch.was_refused(word)
            case Hello():
                patch.go_back()
