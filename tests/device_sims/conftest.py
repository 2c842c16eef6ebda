"""A real broker and, behind it, an intake that keeps what it hears in memory: for tests of what the world sends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gateway import open_mhealth, topics
from gateway.gateway import Broker
from gateway.mqtt import Message, Mqtt
from gateway.ranges import normalise
from gateway.reading import (
    Abandoned,
    ClientId,
    Deferred,
    DeviceId,
    Epoch,
    LaneReceipt,
    Receipt,
    Sequenced,
    StreamName,
)
from gateway.wire import decode_batch, encode
from stream.servers.data_folder import DataFolder
from stream.servers.mqtt_clients import INTAKE, add_clients, password_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

Lane = tuple[ClientId, Epoch, DeviceId, StreamName]


@dataclass
class Harbour:
    """The broker's address, the clients' passwords, and what has arrived by lane and seq."""

    broker: Broker
    data: Path
    lanes: dict[Lane, dict[int, Sequenced]] = field(default_factory=lambda: defaultdict(dict))
    receipts: bool = True
    """False: intake hears and stays silent."""
    duplicates: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def admit(self, clients: list[str]) -> dict[str, str]:
        """Passwords for these clients."""
        return add_clients(self.data, clients)

    async def until(self, enough: Callable[[Harbour], bool]) -> None:
        """Wait for what has arrived; put a timeout around it."""
        while not enough(self):
            self.arrived.clear()
            await self.arrived.wait()

    def events(self, device: str, stream: str) -> list[Sequenced]:
        """What a stream of a device has sent, in order of seq."""
        found = [kept for lane, kept in self.lanes.items() if lane[2:] == (device, stream)]
        return [kept[seq] for kept in found for seq in sorted(kept)]

    def heard(self, mqtt: Mqtt, message: Message) -> None:
        """As intake: keep it, then say so."""
        topic = topics.parse(message.topic)
        if topic.leaf == "events":
            batch, _ = decode_batch(message.payload)
            epoch, events = batch.epoch, batch.events
        elif topic.leaf == "json":
            point = open_mhealth.read(message.payload, topic.client)
            epoch, events = point.epoch, (point.event,)
        else:
            return
        told: dict[Lane, None] = {}
        for event in events:
            if isinstance(event, Abandoned | Deferred):
                continue
            lane = (topic.client, epoch, event.device, event.stream)
            told[lane] = None
            self.duplicates += event.seq in self.lanes[lane]
            self.lanes[lane][event.seq] = event
        if self.receipts:
            lanes = tuple(
                LaneReceipt(device=device, stream=stream, stored=normalise((seq, seq) for seq in self.lanes[lane]))
                for lane in told
                for *_, device, stream in (lane,)
            )
            receipt = Receipt(epoch=epoch, lanes=lanes, server_time=datetime.now(UTC))
            mqtt.publish(topics.down_receipt(0, topic.client), encode(receipt), 0)


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Callable[[], contextlib.AbstractAsyncContextManager[Harbour]]]:
    """`async with harbour() as it:` a running broker and intake; both are gone after the test."""
    folder = DataFolder(tmp_path / "data")
    folder.make()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "stream.servers.nats", "--data", str(folder.root), "--mqtt-port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Harbour]:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        it = Harbour(broker=Broker(host="127.0.0.1", port=port, protocol="3.1.1"), data=folder.root)
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)

        def take(message: Message) -> None:
            it.heard(mqtt, message)
            mqtt.acknowledge(message)
            it.arrived.set()

        def on_message(message: Message) -> None:
            loop.call_soon_threadsafe(take, message)

        def on_connected() -> None:
            loop.call_soon_threadsafe(ready.set)

        mqtt = Mqtt(
            host="127.0.0.1",
            port=port,
            client_id=INTAKE,
            user=INTAKE,
            password=password_of(folder.root, INTAKE),
            protocol="3.1.1",
            on_message=on_message,
            on_connected=on_connected,
        )
        for topic in topics.all_up(0):
            mqtt.subscribe(topic, 1)
        mqtt.start()
        try:
            await ready.wait()
            yield it
        finally:
            await asyncio.to_thread(mqtt.stop)

    try:
        yield opened
    finally:
        server.terminate()
        server.wait(10)
