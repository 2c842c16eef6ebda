"""A shard for tests: the real writer, Ward and store, on a clock that the test moves; MQTT is the only part left out."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from gateway import topics
from gateway.mqtt import Message
from gateway.reading import ClientId, EcgChunk, Epoch, Event, EventBatch, Receipt, Refused
from gateway.wire import decode_down, encode_batch
from stream.archive import SQL
from stream.command import AssignmentChanged, Command
from stream.finding import Finding
from stream.instants import SECOND, micros
from stream.intake import Writer
from stream.log_words import name_of
from stream.recovery import recover
from stream.tick import start
from stream.verdicts import decode

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass
class Wire:
    """What would go over MQTT."""

    told: list[tuple[str, object]] = field(default_factory=list)
    acknowledged: int = 0

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> None:
        self.told.append((topic, decode_down(payload)[0]))

    def acknowledge(self, message: Message) -> None:
        self.acknowledged += 1

    def receipts(self) -> list[Receipt]:
        return [word for _, word in self.told if isinstance(word, Receipt)]

    def refusals(self) -> list[Refused]:
        return [word for _, word in self.told if isinstance(word, Refused)]


@dataclass
class Shard:
    """One writer over one database; `restart` ends it without a word and starts another."""

    dsn: str
    wall: datetime = T0
    mono_us: int = 0
    disk_is_low: bool = False
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.conn = psycopg.connect(self.dsn, autocommit=True)
        row = self.conn.execute(SQL["raise_fence"], {"shard": 0}).fetchone()
        state = recover(self.conn, 0, row[1])
        self.inbound: queue.Queue[Message] = queue.Queue()
        clock = start(micros(state.tick) if state.tick else None, micros(self.wall), self.mono_us)
        self.writer = Writer(
            conn=self.conn,
            shard=0,
            fence=row[0],
            mqtt=self.wire,
            clock=clock,
            now_us=lambda: (micros(self.wall), self.mono_us),
            state=state,
            disk_is_low=lambda: self.disk_is_low,
            gather=self._gather,
            backlog=self.inbound.qsize,
        )
        self.faults = state.faults
        self.writer.catch_up()

    def _gather(self, held: bool, full: bool) -> list[Message]:
        found = []
        while not self.inbound.empty():
            found.append(self.inbound.get())
        return found

    def restart(self, away_s: float = 0.0) -> None:
        self.conn.close()
        self.pass_time(away_s)
        self.begin()

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono_us += round(seconds * SECOND)

    def send(self, *events: Event, client: str = "gw1", epoch: str = "e1") -> None:
        batch = EventBatch(client=ClientId(client), epoch=Epoch(epoch), sent_at=self.wall, events=events)
        self.raw(encode_batch(batch), client)

    def raw(self, payload: bytes, client: str = "gw1", leaf: str = "events") -> None:
        topic = topics.up_events(0, ClientId(client)) if leaf == "events" else topics.up_json(0, ClientId(client))
        self.inbound.put(Message(topic=topic, payload=payload, qos=1, mid=0))

    def tell(self, command: Command) -> None:
        body = msgspec.to_builtins(command)
        self.conn.execute("SELECT stream.tell(%s, %s, %s, 'test')", [uuid4(), name_of(command), Jsonb(body)])

    def assign(
        self, device: str, patient: str, slot: int | None = None, since: datetime = T0 - timedelta(days=30)
    ) -> None:
        self.tell(AssignmentChanged(device=device, slot=slot, patient=patient, from_at=since))

    def step(self, seconds: float = 1.0, times: int = 1) -> None:
        for _ in range(times):
            self.pass_time(seconds)
            self.writer.step()

    def findings(self) -> list[Finding]:
        rows = self.conn.execute("SELECT body FROM stream.finding ORDER BY position, ord").fetchall()
        return [decode(bytes(row[0])) for row in rows]

    def count(self, table: str) -> int:
        return self.conn.execute(f"SELECT count(*) FROM stream.{table}").fetchone()[0]

    def rows(self, sql: str, *args: object) -> list[tuple]:
        return self.conn.execute(sql, args).fetchall()


def chunk(seq: int, at_s: float, samples: bytes = b"\0\0" * 250, **kept: object) -> EcgChunk:
    """One second of ECG that begins `at_s` after T0."""
    rate = float(kept.pop("rate_hz", 250.0))
    words = {
        "device": "ecg1",
        "stream": "ecg/I",
        "session": "s1",
        "index": round(at_s * rate),
        "lead": "I",
        "rate_hz": rate,
        "at": T0 + timedelta(seconds=at_s),
        "received_at": T0 + timedelta(seconds=at_s + len(samples) / 2 / (rate or 1)),
    }
    return EcgChunk(seq=seq, samples=samples, **{**words, **kept})
