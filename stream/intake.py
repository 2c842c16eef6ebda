"""Intake: MQTT messages, a tick, one commit, receipts, the Ward, one commit. In this order, for ever.

Nothing is acknowledged before it is committed. On any trouble with the store the writer goes back to what is stored and
comes again; outboxes hold meanwhile. A fence that has moved ends the process.
"""

from __future__ import annotations

import hashlib
import queue
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import psycopg
import structlog

from gateway import topics
from gateway.mqtt import Message
from gateway.ranges import EMPTY
from gateway.reading import Hello, LaneReceipt, Refused
from gateway.wire import encode
from stream.admission import Admission, Fault, admit_batch
from stream.archive import store
from stream.batch import Noticed, Reason, Trouble
from stream.books import Intake, Stored
from stream.clients import COMPONENT, TROUBLES
from stream.from_json import admit_json
from stream.instants import SECOND, instant, micros
from stream.rates import Rates
from stream.receipts import Receipts
from stream.unstorable import part_out
from stream.verdicts import Saving, judge_done, pack_clients
from stream.ward import GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.ranges import Ranges
    from gateway.reading import ClientId
    from stream.batch import Batch
    from stream.lane import LaneKey
    from stream.recovery import Recovered
    from stream.tick import TickClock

GATHER_S = 0.25
"""A batch is committed so long after its first message."""
GATHER_BYTES = 1_000_000
QUEUE_MESSAGES = 20_000
"""Messages that came and are not committed: bounded by what the broker has unacknowledged, else by this."""
OVERLOADED_MESSAGES = 5_000
MAX_DETAIL = 300

_log = structlog.get_logger("stream.intake")


class Publisher(Protocol):
    """What intake needs of MQTT."""

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> None:
        """Send a message."""

    def acknowledge(self, message: Message) -> None:
        """Let the broker forget a message."""


@dataclass(slots=True)
class Writer:
    """The one writer of a shard, between two recoveries."""

    conn: psycopg.Connection
    shard: int
    fence: int
    mqtt: Publisher
    clock: TickClock
    now_us: Callable[[], tuple[int, int]]
    """Wall and monotonic clock, microseconds; `--speed` scales both."""
    state: Recovered
    disk_is_low: Callable[[], bool]
    gather: Callable[[bool, bool], list[Message]]
    """Messages of the next batch; told whether some are held already, and whether the disk is full."""
    backlog: Callable[[], int]
    """How many messages wait."""
    receipts: Receipts = field(default_factory=Receipts)
    complaints: Callable[[], list[str]] = list
    """What the broker has complained of since the last call, a line each."""
    troubles: dict[Trouble, bool] = field(default_factory=dict)
    position: int = 0
    saved_second: int = 0
    pending: list[Message] = field(default_factory=list)
    """Taken from the queue and not committed: come again after a recovery."""
    rates: Rates = field(default_factory=Rates)
    """The minutes of heart rate under way."""

    def catch_up(self) -> None:
        """Judge what was stored and not judged before the last end."""
        self.position = self.state.last
        self.saved_second = micros(self.state.tick) // SECOND if self.state.tick else 0
        told = self.state.clients.told
        standing = (Trouble.CLOCK_STEP, Trouble.OVERLOADED, Trouble.STORE_FULL)
        self.troubles = {trouble: f"{COMPONENT}/{TROUBLES[trouble]}" in told for trouble in standing}
        self.state.ward.on_marks, self.state.ward.on_past_marks = self.rates.take, self.rates.take_past
        for batch in self.state.waiting:
            self.judge(batch)
        self.state.waiting.clear()

    def hello(self) -> None:
        """Ask every client to go back to what it has no receipt for."""
        server_time = instant(self.clock.tick_us)
        self.mqtt.publish(topics.down_hello(self.shard), encode(Hello(server_time=server_time)), qos=1)

    def step(self) -> None:
        """One position: gather, commit, acknowledge, receipt, judge, commit.

        While the disk is full there is none: the log stands still, and with it the time that silence is counted in.
        """
        if self.troubles.get(Trouble.STORE_FULL) and self.disk_is_low():
            self.gather(False, True)
            return
        self.pending += self.gather(bool(self.pending), False)
        tick_us = self.clock.advance(*self.now_us())
        taken, answers = self._admit(self.pending, tick_us)
        self._notice(taken)
        stored = self._store(taken, tick_us)
        self.position += 1
        for message in self.pending:
            self.mqtt.acknowledge(message)
        self.pending.clear()
        self._tell(stored, answers, tick_us)
        self.judge(stored.batch)

    def judge(self, batch: Batch) -> None:
        """Observe one position and commit what it was judged to be, with the charts that are due."""
        ward, clients = self.state.ward, self.state.clients
        findings = sorted((*clients.observe(batch), *ward.observe(batch)), key=lambda f: f.subject)
        second = micros(batch.tick) // SECOND
        first = max(self.saved_second + 1, second - GROUPS + 1)
        groups = {s % GROUPS for s in range(first, second + 1)}
        self.saved_second = max(second, self.saved_second)
        saving = Saving(
            charts=ward.save(batch.position, groups),
            absorbed=sorted(ward.absorbed),
            clients=pack_clients(clients, batch.position) if 0 in groups else None,
        )
        ward.absorbed.clear()
        judge_done(
            self.conn, shard=self.shard, fence=self.fence, position=batch.position, findings=findings, saving=saving, ward=ward,
            books=self.state.books, rates=self.rates.due(micros(batch.tick)),
        )  # fmt: skip

    def _admit(self, messages: list[Message], tick_us: int) -> tuple[Intake, list[tuple[ClientId, Refused]]]:
        taken = Intake()
        answers: list[tuple[ClientId, Refused]] = []
        heard_at = instant(tick_us)
        for message in messages:
            try:
                topic = topics.parse(message.topic)
            except topics.BadTopic as error:
                _log.warning("message_on_foreign_topic", error=str(error))
                continue
            if topic.leaf == "status":
                continue
            admission = _admitted(topic, message.payload, heard_at)
            taken.arrivals += admission.arrivals
            taken.faults += admission.faults
            if admission.greeting is not None:
                self.receipts.greet(topic.client, admission.greeting)
                taken.greetings.append((topic.client, admission.greeting, admission.outbox_percent))
            taken.unread += [(topic.client, unread) for unread in admission.unread]
            answers += [(topic.client, refusal) for refusal in refusals(admission, message.payload)]
        return taken, answers

    def _notice(self, taken: Intake) -> None:
        found = {
            Trouble.CLOCK_STEP: (self.clock.is_stepped, f"wall clock apart by {self.clock.step_us / SECOND:.0f} s"),
            Trouble.OVERLOADED: (self.backlog() > OVERLOADED_MESSAGES, f"{self.backlog()} messages wait"),
            Trouble.DETERMINISM: (self.state.faults > 0, f"{self.state.faults} findings came out otherwise"),
            Trouble.STORE_FULL: (self.disk_is_low(), "less free disk than the reserve"),
        }
        for trouble, (is_present, detail) in found.items():
            if is_present != self.troubles.get(trouble, False):
                self.troubles[trouble] = is_present
                taken.noticed.append(Noticed(trouble=trouble, present=is_present, detail=detail))
        if lines := self.complaints():
            detail = f"{len(lines)} lines, the first: {lines[0]}"[:MAX_DETAIL]
            taken.noticed.append(Noticed(trouble=Trouble.BROKER, present=True, detail=detail))

    def _store(self, taken: Intake, tick_us: int) -> Stored:
        where = {"shard": self.shard, "fence": self.fence, "position": self.position + 1, "tick": instant(tick_us)}
        try:
            return store(self.conn, self.state.books, taken, **where)  # type: ignore[arg-type]
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            _log.warning("batch_refused_by_store", error=str(error).splitlines()[0])
            self.state.books, parted = part_out(self.conn, taken)
            return store(self.conn, self.state.books, parted, **where)  # type: ignore[arg-type]

    def _tell(self, stored: Stored, answers: list[tuple[ClientId, Refused]], tick_us: int) -> None:
        received = Received(self)
        self.receipts.note(stored.touched, received)
        for client, receipt in self.receipts.due(tick_us, received):
            self.mqtt.publish(topics.down_receipt(self.shard, client), encode(receipt), qos=0)  # type: ignore[arg-type]
        for client, refused in answers:
            self.mqtt.publish(topics.down_refused(self.shard, client), encode(refused), qos=1)


def gather_from(inbound: queue.Queue[Message], *, is_holding: bool, is_full: bool) -> list[Message]:
    """Messages until the batch is full or old enough; none for a second makes an empty batch; none while the disk is full."""
    found: list[Message] = []
    if is_full:
        # Nothing is acknowledged and nothing piles up here: the outboxes hold it all, and send it again.
        time.sleep(1.0)
        with suppress(queue.Empty):
            while True:
                inbound.get_nowait()
        return found
    size, deadline = 0, time.monotonic() + (GATHER_S if is_holding else 1.0)
    while size < GATHER_BYTES and (left := deadline - time.monotonic()) > 0:
        try:
            message = inbound.get(timeout=left)
        except queue.Empty:
            break
        if not found and not is_holding:
            deadline = time.monotonic() + GATHER_S
        found.append(message)
        size += len(message.payload)
    return found


class Received:
    """What came of each lane, by its key: the books seen through the lanes' names."""

    def __init__(self, writer: Writer) -> None:
        self._books = writer.state.books

    def __getitem__(self, key: LaneKey) -> Ranges:
        """Ranges of seq that are safe."""
        return self._books.received.get(self._books.lanes[key], EMPTY)


def _admitted(topic: topics.Topic, payload: bytes, heard_at: datetime) -> Admission:
    try:
        return (admit_json if topic.leaf == "json" else admit_batch)(topic.client, payload, heard_at)
    except Exception as error:  # noqa: BLE001 - whatever it was
        # A bug of ours, and the message that shows it would come again for ever: it is kept, told, and looked into.
        _log.exception("admission_failed", client=topic.client)
        sentence = f"our own fault while reading it: {type(error).__name__}"
        fault = Fault(client=topic.client, epoch=None, reason=Reason.MALFORMED, at_fault=sentence, body=payload)
        return Admission(faults=(fault,))


def refusals(admission: Admission, payload: bytes) -> list[Refused]:
    """What the sender must be told so that it does not send for ever what cannot be read."""
    sha = hashlib.sha256(payload).hexdigest()
    told: list[Refused] = []
    for fault in admission.faults:
        event = fault.event
        lanes: tuple[LaneReceipt, ...] = ()
        if event is not None:
            lanes = (LaneReceipt(device=event.device, stream=event.stream, stored=((event.seq, event.seq),)),)
        if fault.reason is Reason.SEQ_CONFLICT:
            continue
        told.append(
            Refused(reason=f"{fault.reason}: {fault.at_fault}"[:500], digest=sha, epoch=fault.epoch, lanes=lanes)
        )
    return told
