"""Stories over a real broker: what a gateway heard arrives once and whole, whatever falls over in between."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateway import topics
from gateway.codecs import blood_pressure, date_time, polar_pmd
from gateway.codecs.blood_pressure import BloodPressure
from gateway.gateway import Broker, Gateway, run_gateway
from gateway.lane import LaneName
from gateway.link import DeviceKind, LinkInfo, LinkLost, Packet
from gateway.mqtt import Message, Mqtt, TooLarge
from gateway.outbox import Outbox
from gateway.reading import (
    Abandoned,
    AbandonReason,
    ClientId,
    Deferred,
    DeviceId,
    DeviceStatus,
    EcgChunk,
    Event,
    Reading,
    StreamName,
)
from tests.gateway.made import START, draft, ecg, packet, pressure
from tests.gateway.model_intake import ModelIntake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.gateway.conftest import NatsBroker

CLIENT = ClientId("gw-1")
ECG = LaneName(DeviceId("H10-1"), StreamName("ecg/I"))


class Script:
    """A link that says what it is told to say, from the test."""

    def __init__(self, device: str, kind: DeviceKind) -> None:
        self._info = LinkInfo(device=DeviceId(device), kind=kind, connection="c1")
        self._said: asyncio.Queue[Packet | None] = asyncio.Queue()
        self.written: list[bytes] = []
        self._frames = 0

    @property
    def info(self) -> LinkInfo:
        return self._info

    async def packets(self) -> AsyncIterator[Packet]:
        while (said := await self._said.get()) is not None:
            yield said
        raise LinkLost("scripted")

    async def write(self, uuid: str, data: bytes) -> None:
        assert uuid
        self.written.append(data)

    def lose(self) -> None:
        self._said.put_nowait(None)

    def frames(self, count: int) -> None:
        for _ in range(count):
            last = (self._frames + 1) * 73 - 1
            samples = [(self._frames * 73 + i) % 20000 for i in range(73)]
            clock_ns = 599_622_173_760_485_265 + round(last * 1e9 / 130.17)
            self._said.put_nowait(packet(polar_pmd.DATA, polar_pmd.encode(clock_ns, samples), last / 130.17))
            self._frames += 1

    def measure(self, systolic: float, minute: int) -> None:
        shown = START.replace(minute=minute, tzinfo=None)
        data = blood_pressure.encode(
            BloodPressure(systolic=systolic, diastolic=80.0, mean_arterial=None, time=date_time.of(shown), user=1)
        )
        self._said.put_nowait(packet(blood_pressure.MEASUREMENT, data, minute * 60))

    def garbage(self) -> None:
        self._said.put_nowait(packet(blood_pressure.MEASUREMENT, b"\xff\x01", 0))


@asynccontextmanager
async def running(port: int, folder: Path, *links: Script, **more: Any) -> AsyncIterator[Gateway]:
    """A gateway for as long as the block lasts."""
    stop, ready = asyncio.Event(), asyncio.Future[Gateway]()
    task = asyncio.create_task(
        run_gateway(
            client=CLIENT,
            broker=Broker(host="127.0.0.1", port=port),
            outbox_path=folder / "outbox.db",
            links=links,
            stop=stop,
            send_every_s=0.1,
            on_ready=ready.set_result,
            **more,
        )
    )
    watched: list[asyncio.Future[Any]] = [task, ready]
    await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result()
    finally:
        stop.set()
        await task


async def until(true: Any, timeout_s: float = 30.0) -> None:
    """Waits for what the gateway does by itself."""
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - what is awaited spans threads and a broker
            await asyncio.sleep(0.02)


def arrived(intake: ModelIntake) -> dict[LaneName, int]:
    """Lane and how many of it are stored, from 1 on, without a hole."""
    found = {}
    for (_, _, name), events in intake.stored.items():
        assert sorted(events) == list(range(1, len(events) + 1)), name
        found[name] = len(events)
    return found


async def test_what_is_heard_arrives_whole_and_in_order(broker: NatsBroker, tmp_path: Path) -> None:
    intake = ModelIntake(broker.port)
    intake.start()
    strap, cuff = Script("H10-1", DeviceKind.H10), Script("CUFF-1", DeviceKind.CUFF)
    async with running(broker.port, tmp_path, strap, cuff) as gateway:
        strap.frames(20)
        cuff.measure(141, 1)
        cuff.garbage()
        await until(lambda: gateway.malformed == 1 and len(gateway.ledger()) == 4)
        await until(lambda: gateway.ledger()[ECG] == 20 and gateway.all_is_sent)
        ledger = gateway.ledger()
    intake.stop()
    assert arrived(intake) == ledger
    chunks = [e for e in intake.stored[CLIENT, gateway.outbox.epoch, ECG].values() if isinstance(e, EcgChunk)]
    assert [c.index for c in chunks] == [n * 73 for n in range(20)]
    events = [e for lane in intake.stored.values() for e in lane.values()]
    assert [e.values[0] for e in events if isinstance(e, Reading)] == [141.0]
    assert any(isinstance(e, DeviceStatus) and "malformed packet on 2A35" in (e.note or "") for e in events)
    # The strap was told to stop before it was left; the cuff was not.
    assert strap.written == [polar_pmd.START_ECG, polar_pmd.STOP_ECG]


async def test_the_broker_is_killed_and_its_store_deleted_and_nothing_is_lost(
    broker: NatsBroker, tmp_path: Path
) -> None:
    intake = ModelIntake(broker.port)
    intake.start()
    strap, cuff = Script("H10-1", DeviceKind.H10), Script("CUFF-1", DeviceKind.CUFF)
    async with running(broker.port, tmp_path, strap, cuff) as gateway:
        strap.frames(10)
        await until(lambda: gateway.ledger().get(ECG) == 10)
        broker.kill()
        broker.lose_store()
        strap.frames(10)
        cuff.measure(190, 2)
        await until(lambda: gateway.ledger().get(ECG) == 20 and not gateway.connected)
        broker.start()
        await until(lambda: gateway.connected and gateway.all_is_sent)
        ledger = gateway.ledger()
        assert gateway.unsent == 0
    intake.stop()
    assert arrived(intake) == ledger


async def test_every_third_message_lost_is_sent_again_by_the_receipts(broker: NatsBroker, tmp_path: Path) -> None:
    intake = ModelIntake(broker.port, drop=lambda n: n % 3 == 0)
    intake.start()
    strap = Script("H10-1", DeviceKind.H10)
    async with running(broker.port, tmp_path, strap) as gateway:
        for _ in range(12):
            strap.frames(4)
            await asyncio.sleep(0.12)
        await until(lambda: gateway.ledger().get(ECG) == 48 and gateway.all_is_sent)
        ledger = gateway.ledger()
    intake.stop()
    assert arrived(intake) == ledger


async def test_a_gateway_killed_and_started_again_goes_on(broker: NatsBroker, tmp_path: Path) -> None:
    box = Outbox(tmp_path / "outbox.db", boot="before")
    box.append([draft(ecg(n)) for n in range(50)] + [draft(pressure(n)) for n in range(3)], right=True)
    epoch, ledger = box.epoch, box.ledger()
    box.close()
    intake = ModelIntake(broker.port)
    intake.start()
    async with running(broker.port, tmp_path) as gateway:
        await until(lambda: gateway.connected and gateway.all_is_sent)
        assert gateway.outbox.epoch == epoch
    intake.stop()
    assert arrived(intake) == ledger
    # Heard long ago by the gateway's clock: announced, so that nobody waits for it.
    assert {(n.device, n.first, n.last) for n in intake.notices if isinstance(n, Deferred)} == {
        ("H10-1", 1, 50),
        ("CUFF-1", 1, 3),
    }
    # Readings before waveform, oldest first.
    assert [name.device for name, _ in intake.order[:4]] == ["CUFF-1", "CUFF-1", "CUFF-1", "H10-1"]


async def test_one_refused_event_does_not_take_its_message_with_it(broker: NatsBroker, tmp_path: Path) -> None:
    def refuses(event: Event) -> str | None:
        return "impossible: as the test says" if isinstance(event, EcgChunk) and event.seq == 3 else None

    intake = ModelIntake(broker.port, refuses=refuses)
    intake.start()
    strap = Script("H10-1", DeviceKind.H10)
    async with running(broker.port, tmp_path, strap) as gateway:
        strap.frames(6)
        await until(lambda: gateway.ledger().get(ECG) == 6 and gateway.all_is_sent)
        dead = gateway.outbox.dead_letters()
        epoch = gateway.outbox.epoch
    intake.stop()
    assert [(lane, seq) for lane, seq, _, _ in dead] == [(ECG, 3)]
    assert sorted(intake.stored[CLIENT, epoch, ECG]) == [1, 2, 4, 5, 6]
    assert [(n.first, n.last, n.reason) for n in intake.notices if isinstance(n, Abandoned)] == [
        (3, 3, AbandonReason.REFUSED)
    ]


async def test_a_store_restored_from_an_older_backup_is_told_what_is_gone(broker: NatsBroker, tmp_path: Path) -> None:
    intake = ModelIntake(broker.port)
    intake.start()
    strap = Script("H10-1", DeviceKind.H10)
    async with running(broker.port, tmp_path, strap) as gateway:
        strap.frames(10)
        await until(lambda: gateway.ledger().get(ECG) == 10 and gateway.all_is_sent)
        lane = (CLIENT, gateway.outbox.epoch, ECG)
        intake.covered[lane] = ((1, 6),)
        for seq in range(7, 11):
            del intake.stored[lane][seq]
        strap.frames(2)
        await until(lambda: gateway.ledger().get(ECG) == 12 and gateway.all_is_sent)
    intake.stop()
    assert [(n.first, n.last, n.reason) for n in intake.notices if isinstance(n, Abandoned)] == [
        (7, 10, AbandonReason.STORE_LOST)
    ]
    assert intake.covered[lane] == ((1, 12),)


async def test_link_loss_is_told_and_the_device_is_asked_again(broker: NatsBroker, tmp_path: Path) -> None:
    intake = ModelIntake(broker.port)
    intake.start()
    strap = Script("H10-1", DeviceKind.H10)
    async with running(broker.port, tmp_path, strap) as gateway:
        strap.frames(6)
        strap.lose()
        strap.frames(6)
        await until(lambda: gateway.ledger().get(ECG) == 12 and gateway.all_is_sent)
    intake.stop()
    links = [e.link for lane in intake.stored.values() for e in lane.values() if isinstance(e, DeviceStatus) and e.link]
    assert links == ["up", "down", "up"]
    assert strap.written.count(polar_pmd.START_ECG) == 2


def test_acknowledged_by_hand_or_it_comes_again(broker: NatsBroker) -> None:
    broker.kill()
    broker.ack_wait_s = 1  # this broker sends again only after it, on a new connection too
    broker.start()
    came, connected = threading.Condition(), threading.Event()
    messages: list[Message] = []

    def on_message(message: Message) -> None:
        with came:
            messages.append(message)
            came.notify_all()

    def client() -> Mqtt:
        mqtt = Mqtt(
            host="127.0.0.1", port=broker.port, client_id="tester", on_message=on_message, on_connected=connected.set
        )
        mqtt.subscribe("tw/1/0/tester/down/receipt", 1)
        mqtt.start()
        assert connected.wait(10)
        return mqtt

    first = client()
    assert first.speaks == "3.1.1"
    first.publish("tw/1/0/tester/down/receipt", b"one", 1)
    first.publish("tw/1/0/tester/down/receipt", b"two", 1)
    with came:
        assert came.wait_for(lambda: len(messages) == 2, 10)
    first.acknowledge(messages[0])
    first.stop()
    messages.clear()
    connected.clear()
    second = client()
    with came:
        assert came.wait_for(lambda: messages, 10)
    assert [m.payload for m in messages] == [b"two"]
    second.stop()


def test_size_and_topic_are_looked_at_before_the_broker_can_choke_on_them() -> None:
    mqtt = Mqtt(host="127.0.0.1", port=1, client_id="tester", on_message=lambda _message: None, max_bytes=1000)
    with pytest.raises(TooLarge, match="1001 bytes for 'tw/1/0/tester/up/events', limit 1000"):
        mqtt.publish(topics.up_events(0, ClientId("tester")), bytes(1001))
    for bad in ("tw/1/0/a b/up/events", "tw/1/+/x/up", "tw/#", "tw/1/0/a.b/up", ""):
        with pytest.raises(topics.BadTopic, match="only A-Z"):
            mqtt.publish(bad, b"")
    for bad in ("", "a.b", "a b", "a/b", "x" * 65, "all"):
        with pytest.raises(topics.BadTopic):
            Mqtt(host="127.0.0.1", port=1, client_id=bad, on_message=lambda _message: None)
