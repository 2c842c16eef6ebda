"""The server's side of the gateway's contract, as small as it can be: stores, receipts, says hello; may refuse or lose.

Not the product's intake: it stands in where the gateway alone is tested, and keeps what it stored for comparison.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import ranges, topics, wire
from gateway.lane import LaneName
from gateway.mqtt import Message, Mqtt
from gateway.reading import Abandoned, ClientId, Deferred, Epoch, Event, Hello, LaneReceipt, Receipt, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.ranges import Ranges

Lane = tuple[ClientId, Epoch, LaneName]


class ModelIntake:
    """Subscribes to everything of shard 0; `drop` says which messages never arrive, `refuses` which are refused."""

    def __init__(
        self,
        port: int,
        *,
        drop: Callable[[int], bool] = lambda _n: False,
        refuses: Callable[[Event], str | None] = lambda _event: None,
    ) -> None:
        self.stored: dict[Lane, dict[int, Event]] = {}
        self.covered: dict[Lane, Ranges] = {}
        self.notices: list[Abandoned | Deferred] = []
        self.order: list[tuple[LaneName, int]] = []
        self.messages = 0
        self._drop, self._refuses = drop, refuses
        self.ready = threading.Event()
        self.changed = threading.Condition()
        self._mqtt = Mqtt(
            host="127.0.0.1",
            port=port,
            client_id="intake-0",
            on_message=self._came,
            on_connected=self._hello,
            protocol="3.1.1",
        )
        for topic in topics.all_up(0):
            self._mqtt.subscribe(topic, 1)

    def start(self) -> None:
        """Listens."""
        self._mqtt.start()
        assert self.ready.wait(15)

    def stop(self) -> None:
        """Is gone."""
        self._mqtt.stop()

    def wait_until(self, true: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        """Waits for what messages bring about."""
        with self.changed:
            return self.changed.wait_for(true, timeout_s)

    def _hello(self) -> None:
        self._mqtt.publish(topics.down_hello(0), wire.encode(Hello(server_time=datetime.now(UTC))), 0)
        self.ready.set()

    def _came(self, message: Message) -> None:
        topic = topics.parse(message.topic)
        self._mqtt.acknowledge(message)
        if topic.leaf != "events":
            return
        self.messages += 1
        if self._drop(self.messages):
            return
        batch, _ = wire.decode_batch(message.payload)
        refusal = next((why for event in batch.events if (why := self._refuses(event))), None)
        if refusal:
            digest = hashlib.sha256(message.payload).hexdigest()
            down = wire.encode(Refused(reason=refusal, digest=digest))
            self._mqtt.publish(topics.down_refused(0, batch.client), down, 0)
            return
        with self.changed:
            for event in batch.events:
                self._store(batch.client, batch.epoch, event)
            self.changed.notify_all()
        self._receipt(batch.client, batch.epoch)

    def _store(self, client: ClientId, epoch: Epoch, event: Event) -> None:
        name = LaneName(event.device, event.stream)
        lane = (client, epoch, name)
        match event:
            case Abandoned():
                self.notices.append(event)
                self.covered[lane] = ranges.add(self.covered.get(lane, ()), event.first, event.last)
            case Deferred():
                self.notices.append(event)
            case _:
                known = self.stored.setdefault(lane, {})
                assert known.setdefault(event.seq, event) == event, "the same number with another content"
                self.order.append((name, event.seq))
                self.covered[lane] = ranges.add(self.covered.get(lane, ()), event.seq, event.seq)

    def _receipt(self, client: ClientId, epoch: Epoch) -> None:
        lanes = tuple(
            LaneReceipt(device=name.device, stream=name.stream, stored=stored)
            for (whose, when, name), stored in self.covered.items()
            if (whose, when) == (client, epoch)
        )
        receipt = Receipt(epoch=epoch, lanes=lanes, server_time=datetime.now(UTC))
        self._mqtt.publish(topics.down_receipt(0, client), wire.encode(receipt), 0)
