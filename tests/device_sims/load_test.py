"""The load generator accounts for every event, against a broker that loses some, and against one that never answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims import load as load_of
from device_sims import mqtt_bytes
from device_sims.load import Load, run_load
from device_sims.mqtt_bytes import ForeignProtocolError, Kind, Reader
from gateway.ranges import normalise
from gateway.reading import EcgChunk, LaneReceipt, Receipt
from gateway.wire import decode_batch, encode


class Broker:
    """Broker and intake in one: keeps, but for each `loses`-th new message, and receipts."""

    def __init__(self, *, loses: int = 0, answers: bool = True) -> None:
        self.port = 0
        self.stored: dict[str, dict[int, EcgChunk]] = {}
        self.messages = 0
        self._loses = loses
        self._answers = answers
        self._seen: set[bytes] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._hear(reader, writer)
        finally:
            writer.transport.abort()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packets = Reader()
        client = ""
        while data := await reader.read(65536):
            for kind, body in packets.feed(data):
                if kind == Kind.CONNECT:
                    length = int.from_bytes(body[10:12], "big")
                    client = body[12 : 12 + length].decode()
                    writer.write(bytes([Kind.CONNACK << 4, 2, 0, 0 if client != "banned" else 5]))
                elif kind == Kind.SUBSCRIBE:
                    writer.write(bytes([Kind.SUBACK << 4, 4]) + body[:2] + b"\0\0")
                elif kind == Kind.PUBLISH:
                    self._take(client, body, writer)

    def _take(self, client: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        topic, payload = mqtt_bytes.published(body)
        assert topic.decode() == f"tw/1/0/{client}/up/events"
        self.messages += 1
        is_new = payload not in self._seen
        self._seen.add(payload)
        if is_new and self._loses and len(self._seen) % self._loses == 0:
            return
        batch, unread = decode_batch(payload)
        assert not unread
        kept = self.stored.setdefault(client, {})
        for event in batch.events:
            assert isinstance(event, EcgChunk)
            kept[event.seq] = event
        if self._answers:
            lane = LaneReceipt(
                device=load_of.device_of(client), stream=load_of.STREAM, stored=normalise((seq, seq) for seq in kept)
            )
            receipt = encode(Receipt(epoch=batch.epoch, lanes=(lane,), server_time=datetime.now(UTC)))
            writer.write(mqtt_bytes.publish(f"tw/1/0/{client}/down/receipt".encode(), receipt))


def load(port: int, *clients: str, grace_s: float = 20.0) -> Load:
    return Load(
        host="127.0.0.1", port=port, passwords=dict.fromkeys(clients, "pw"), period_s=0.05, seconds=1.0, grace_s=grace_s
    )


@pytest.mark.asyncio
async def test_everything_is_stored_even_through_a_broker_that_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_of, "_GO_BACK_AFTER_S", 0.1)
    async with asyncio.timeout(30), Broker(loses=4) as broker:
        ledger = await run_load(load(broker.port, "c1", "c2", "c3"))
    assert (ledger.sent, ledger.stored, ledger.unaccounted, ledger.lost_connections) == (60, 60, 0, 0)
    assert ledger.resent >= 15
    assert broker.messages == ledger.sent + ledger.resent
    for kept in broker.stored.values():
        chunks = [kept[seq] for seq in sorted(kept)]
        assert [chunk.seq for chunk in chunks] == list(range(1, 21))
        assert [chunk.index for chunk in chunks] == [12 * turn for turn in range(20)]
        assert len({chunk.session for chunk in chunks}) == 1


@pytest.mark.asyncio
async def test_it_stops_by_itself_where_nobody_answers() -> None:
    async with asyncio.timeout(30), Broker(answers=False) as broker:
        ledger = await run_load(load(broker.port, "c1", "c2", grace_s=0.2))
    assert (ledger.sent, ledger.stored, ledger.unaccounted) == (40, 0, 40)
    assert any("unaccounted" in line and line.endswith("40") for line in ledger.lines())


@pytest.mark.asyncio
async def test_a_client_that_is_refused_is_named() -> None:
    async with asyncio.timeout(30), Broker() as broker:
        with pytest.raises(ConnectionRefusedError, match="banned"):
            await run_load(load(broker.port, "c1", "banned"))


@settings(deadline=None)
@given(
    payloads=st.lists(st.binary(max_size=300), max_size=6),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
def test_packets_read_back_in_any_pieces(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(mqtt_bytes.publish(b"a/b", payload) for payload in payloads) + mqtt_bytes.disconnect()
    reader, found, at, turn = Reader(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        found += reader.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert [kind for kind, _ in found] == [Kind.PUBLISH] * len(payloads) + [Kind.DISCONNECT]
    assert [mqtt_bytes.published(body) for _, body in found[:-1]] == [(b"a/b", payload) for payload in payloads]


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_packets_or_an_error(data: bytes) -> None:
    try:
        for kind, body in Reader().feed(data):
            if kind == Kind.PUBLISH:
                mqtt_bytes.published(body)
    except ForeignProtocolError:
        pass
