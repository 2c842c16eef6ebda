"""The writer's transactions: T1 puts a batch into the log, T2 what it was judged to be, T3 the charts.

One writer a shard: every transaction looks at the fence first. Each can be repeated, and repeating changes nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import numpy as np

from gateway.ranges import EMPTY, Ranges, add, contains
from gateway.reading import Abandoned, ClientId, Deferred, DeviceStatus, EcgChunk, Reading
from gateway.wire import MalformedMessage
from stream.admission import Fault, content, digest
from stream.batch import Admitted, Batch, Greeted, Quarantined, Reason, Repeated
from stream.books import Books, Intake, Stored
from stream.command import AssignmentChanged
from stream.ecg_coding import encode
from stream.finding import NAMESPACE
from stream.instants import micros
from stream.log_words import convert, encode_payload, name_of
from stream.store.connect import wake
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from gateway.reading import Epoch, Unread
    from stream.admission import Arrival
    from stream.lane import LaneKey

SQL = queries(Path(__file__).with_suffix(".sql"))
_IS_STORED = frozenset({Reason.SEQ_CONFLICT, Reason.UNKNOWN_DEVICE})
"""Under this number something is archived: only its other content, or its being nobody's, is the matter."""
ECG_STORED = "stream_ecg"
"""The channel on which live views are told that ECG was stored."""
DAILY_SHARE = 1000
"""Bad messages of a client that are kept whole in a day; beyond that they are counted only."""


class Fenced(RuntimeError):
    """Another writer has taken this shard over: this process must end at once."""


def check_fence(conn: Connection, shard: int, fence: int) -> None:
    """Be sure to be the writer still, for the rest of this transaction.

    Raises:
        Fenced: somebody else is.
    """
    row = conn.execute(SQL["hold_fence"], {"shard": shard}).fetchone()
    if row is None or row[0] != fence:
        raise Fenced(f"shard {shard}: fence is {row and row[0]}, ours was {fence}")


def store(
    conn: Connection, books: Books, taken: Intake, *, shard: int, fence: int, position: int, tick: datetime
) -> Stored:
    """T1: one batch into the log. After it returns the batch is committed, and `books` know it."""
    with conn.transaction():
        check_fence(conn, shard, fence)
        writing = _Writing(conn, books, shard, position, tick)
        writing.commands()
        for notice in taken.noticed:
            writing.put(None, None, tick, notice)
        for greeter, epoch, outbox_percent in taken.greetings:
            writing.greeting(greeter, epoch, Greeted(outbox_percent=outbox_percent))
        conflicts = writing.arrivals(taken.arrivals)
        for fault in (*taken.faults, *conflicts):
            writing.fault(fault)
        for client, unread in taken.unread:
            writing.unread(client, unread)
        writing.flush()
        conn.execute(SQL["add_batch"], {"shard": shard, "position": position, "tick": tick, "rows": len(writing.rows)})
    books.received.update(writing.received)
    batch = Batch(shard=shard, position=position, tick=tick, rows=tuple(writing.rows))
    return Stored(batch, writing.received, tuple(writing.touched))


def try_out(conn: Connection, books: Books, arrivals: Sequence[Arrival]) -> None:
    """See whether PostgreSQL takes these events; nothing of it stays. `books` are spoiled by it."""
    with conn.transaction(force_rollback=True):
        writing = _Writing(conn, books, 0, 0, datetime.now(UTC))
        writing.arrivals(arrivals)
        writing.flush()


class _Writing:
    """One T1 under way."""

    def __init__(self, conn: Connection, books: Books, shard: int, position: int, tick: datetime) -> None:
        self.conn, self.books, self.shard, self.position, self.tick = conn, books, shard, position, tick
        self.rows: list[Admitted] = []
        self.received: dict[int, Ranges] = {}
        self.touched: dict[LaneKey, None] = {}
        self._ecg: list[tuple[Any, ...]] = []
        self._readings: list[tuple[Any, ...]] = []
        self._other: list[tuple[Any, ...]] = []

    def put(self, client: str | None, epoch: str | None, received_at: datetime, payload: Any) -> int:
        """Append a row to the batch; returns its ord."""
        self.rows.append(
            Admitted(ord=len(self.rows), client=client, epoch=epoch, received_at=received_at, payload=payload)  # type: ignore[arg-type]
        )
        if not isinstance(
            payload, (EcgChunk, Reading, DeviceStatus, Abandoned, Deferred, Quarantined, Repeated, Greeted)
        ):
            self._row(payload, received_at)
        return len(self.rows) - 1

    def commands(self) -> None:
        """Drain the inbox; assignments count from here on."""
        waiting = self.conn.execute(SQL["waiting_commands"]).fetchall()
        for command_id, name, body in waiting:
            try:
                command = convert(name, body)
            except MalformedMessage as error:
                sentence = f"inbox {command_id}: {error}"
                bad = Quarantined(client=ClientId("inbox"), reason=Reason.MALFORMED, digest="", at_fault=sentence)
                self.put(None, None, self.tick, bad)
                self._row(bad, self.tick)
                continue
            number = self.put(None, None, self.tick, command)
            if isinstance(command, AssignmentChanged):
                self._assign(command, number)
        if waiting:
            self.conn.execute(SQL["take_commands"], {"position": self.position, "ids": [row[0] for row in waiting]})

    def arrivals(self, arrivals: Sequence[Arrival]) -> list[Fault]:
        """Events into rows; returns those that contradict what is stored."""
        fresh, repeated = [], []
        for arrival in arrivals:
            event = arrival.event
            lane = self._lane((arrival.client, arrival.epoch, event.device, event.stream))
            if isinstance(event, Deferred):
                self._event(arrival, lane, event.first, event.last)
            elif isinstance(event, Abandoned):
                before = self._came(lane)
                after = add(before, event.first, event.last)
                if after != before:
                    self.received[lane] = after
                    self._event(arrival, lane, event.first, event.last)
            elif contains(self._came(lane), event.seq):
                repeated.append((arrival, lane))
            else:
                self.received[lane] = add(self._came(lane), event.seq, event.seq)
                fresh.append((arrival, lane))
        self._archive(fresh)
        return self._conflicts(repeated)

    def fault(self, fault: Fault) -> None:
        """Into quarantine, and a row of the log that says so."""
        sha = hashlib.sha256(fault.body).digest()
        day = self.tick.astimezone(UTC).date().isoformat()
        if self.books.today != day:
            self.books.today, self.books.kept_today = day, {}
        kept = self.books.kept_today.get(fault.client, 0)
        is_full = kept >= DAILY_SHARE
        self.books.kept_today[fault.client] = kept + 1
        event = fault.event
        device, stream = (event.device, event.stream) if event else (None, None)
        self.conn.execute(
            SQL["quarantine"],
            {
                "id": uuid5(NAMESPACE, f"quarantine|{fault.client}|{sha.hex()}"), "client": fault.client, "device": device,
                "stream": stream, "reason": fault.reason, "at_fault": fault.at_fault.replace("\x00", "\\0"), "sha256": sha,
                "at": self.tick, "body": None if is_full else fault.body,
            },
        )  # fmt: skip
        reason = Reason.QUARANTINE_FULL if is_full else fault.reason
        seq = event.seq if event and fault.reason not in _IS_STORED else None
        bad = Quarantined(
            client=fault.client, reason=reason, digest=sha.hex(), device=device, stream=stream, first=seq, last=seq,
            at_fault=fault.at_fault.replace("\x00", "\\0"),
        )  # fmt: skip
        lane = None
        if event is not None and fault.epoch is not None and seq is not None:
            lane = self._lane((fault.client, fault.epoch, event.device, event.stream))
            self.received[lane] = add(self._came(lane), seq, seq)
        self.put(fault.client, fault.epoch, self.tick, bad)
        self._row(bad, self.tick, lane=lane, seq=seq, last=seq, source=self._source(fault))

    def greeting(self, client: ClientId, epoch: Epoch, greeted: Greeted) -> None:
        """A client that is there with nothing to send."""
        self.put(client, epoch, self.tick, greeted)
        self._row(greeted, self.tick, source=self._source_of(client, epoch))

    def unread(self, client: str, unread: Unread) -> None:
        """Keep what a newer sender said that we do not know."""
        sha = hashlib.sha256(unread.raw).digest()
        self.conn.execute(
            SQL["keep_unread"],
            {
                "sha256": sha, "client": client, "type": unread.type, "version": unread.version, "keys": list(unread.keys),
                "position": self.position, "raw": unread.raw,
            },
        )  # fmt: skip

    def flush(self) -> None:
        """Write all rows."""
        if self._ecg:
            wake(self.conn, ECG_STORED)
            self.conn.execute(SQL["arriving"])
            with self.conn.cursor().copy(SQL["copy_ecg"]) as copy:
                copy.set_types(_ECG_TYPES)
                for row in self._ecg:
                    copy.write_row(row)
            self.conn.execute(SQL["store_ecg"])
        for name, rows in (("copy_readings", self._readings), ("copy_other", self._other)):
            if rows:
                with self.conn.cursor().copy(SQL[name]) as copy:
                    for row in rows:
                        copy.write_row(row)

    def _archive(self, fresh: Sequence[tuple[Arrival, int]]) -> None:
        hashes = {id(a): content(a.event) for a, _ in fresh if isinstance(a.event, Reading)}
        known_twice = self._known(fresh, hashes)
        for arrival, lane in fresh:
            event = arrival.event
            if isinstance(event, EcgChunk):
                self._ecg_row(arrival, event, lane)
            elif isinstance(event, Reading) and id(arrival) in known_twice:
                repeated = Repeated(device=event.device, stream=event.stream, first=event.seq, last=event.seq)
                self.put(arrival.client, arrival.epoch, arrival.received_at, repeated)
                self._row(repeated, arrival.received_at, lane=lane, seq=event.seq, last=event.seq, arrival=arrival)
            elif isinstance(event, Reading):
                self._reading_row(arrival, event, lane, hashes[id(arrival)])
            else:
                self._event(arrival, lane, event.seq, None)  # type: ignore[union-attr]

    def _known(self, fresh: Sequence[tuple[Arrival, int]], hashes: dict[int, bytes]) -> set[int]:
        """Readings (by id) whose content is stored already or comes twice in this batch."""
        if not hashes:
            return set()
        first: dict[bytes, int] = {}
        for key, sha in hashes.items():
            first.setdefault(sha, key)
        listed = [(a, lane) for a, lane in fresh if first.get(hashes.get(id(a), b"")) == id(a)]
        asked = {
            "position": self.position, "hashes": [hashes[id(a)] for a, _ in listed], "lanes": [lane for _, lane in listed],
            "seqs": [a.event.seq for a, _ in listed],  # type: ignore[union-attr]
        }  # fmt: skip
        new = {bytes(row[0]) for row in self.conn.execute(SQL["new_contents"], asked)}
        return {key for key, sha in hashes.items() if sha not in new or first[sha] != key}

    def _conflicts(self, repeated: Sequence[tuple[Arrival, int]]) -> list[Fault]:
        """Of what came before under the same number: what says something else now."""
        if not repeated:
            return []
        mine = {
            (row[4], row[5]): row[-1] for row in self._other if row[3] == "status"
        }  # the same batch: not stored yet
        mine |= {(row[0], row[1]): row[-3] for row in self._ecg} | {(row[0], row[1]): row[-1] for row in self._readings}
        asked = {"lanes": [lane for _, lane in repeated], "seqs": [a.event.seq for a, _ in repeated]}  # type: ignore[union-attr]
        stored = {(row[0], row[1]): bytes(row[2]) for row in self.conn.execute(SQL["digests"], asked)} | mine
        faults = []
        for arrival, lane in repeated:
            event = arrival.event
            known = stored.get((lane, event.seq))  # type: ignore[union-attr]
            if known is not None and known != digest(event):
                sentence = f"seq {event.seq} of {event.device}/{event.stream} came before with other content"  # type: ignore[union-attr]
                faults.append(
                    Fault(
                        client=arrival.client,
                        epoch=arrival.epoch,
                        reason=Reason.SEQ_CONFLICT,
                        at_fault=sentence,
                        body=encode_payload(event),
                        event=event,  # type: ignore[arg-type]
                    )
                )
        return faults

    def _ecg_row(self, arrival: Arrival, chunk: EcgChunk, lane: int) -> None:
        patient = self._patient(chunk.device, None, chunk.at, arrival, chunk)
        number = self.put(arrival.client, arrival.epoch, arrival.received_at, chunk)
        samples = np.frombuffer(chunk.samples, "<i2")
        self._ecg.append(
            (
                lane, chunk.seq, chunk.at, patient, chunk.session, chunk.index, chunk.rate_hz, chunk.lead, chunk.contact,
                chunk.clipped, str(chunk.at_source), self.shard, self.position, number, arrival.sent_at, arrival.received_at,
                arrival.is_from_gateway, digest(chunk), len(samples), encode(samples),
            )
        )  # fmt: skip

    def _reading_row(self, arrival: Arrival, reading: Reading, lane: int, sha: bytes) -> None:
        patient = self._patient(reading.device, reading.slot, reading.at, arrival, reading)
        number = self.put(arrival.client, arrival.epoch, arrival.received_at, reading)
        self._readings.append(
            (
                lane, reading.seq, reading.at, patient, reading.device, reading.slot, str(reading.kind), list(reading.values),
                [str(flag) for flag in reading.flags], reading.device_time, reading.connection, str(reading.at_source), sha,
                self.shard, self.position, number, arrival.sent_at, arrival.received_at, arrival.is_from_gateway, digest(reading),
            )
        )  # fmt: skip

    def _event(self, arrival: Arrival, lane: int, seq: int, last: int | None) -> None:
        self.put(arrival.client, arrival.epoch, arrival.received_at, arrival.event)
        self._row(arrival.event, arrival.received_at, lane=lane, seq=seq, last=last, arrival=arrival)

    def _row(
        self, payload: Any, received_at: datetime, *, lane: int | None = None, seq: int | None = None,
        last: int | None = None, source: int | None = None, arrival: Arrival | None = None,
    ) -> None:  # fmt: skip
        if arrival is not None:
            source = self.books.sources[(arrival.client, arrival.epoch)]
        self._other.append(
            (
                self.shard, self.position, len(self.rows) - 1, name_of(payload), lane, seq, last, source, None,
                arrival.sent_at if arrival else None, received_at, bool(arrival and arrival.is_from_gateway),
                digest(payload) if isinstance(payload, DeviceStatus) else None, encode_payload(payload),
            )
        )  # fmt: skip

    def _patient(
        self, device: Any, slot: int | None, at: datetime, arrival: Arrival, event: EcgChunk | Reading
    ) -> str | None:
        patient = self.books.assignments.resolve(device, slot, micros(at))
        if patient is None:
            self._unknown(arrival, event)
        return patient

    def _unknown(self, arrival: Arrival, event: EcgChunk | Reading) -> None:
        """Archived all the same, under nobody; the quarantine shows it by name, once a client, device and day."""
        day = self.tick.astimezone(UTC).date().isoformat()
        note = f"{event.device}|{event.stream}|{day}".encode()
        key = f"{arrival.client}|{event.device}|{event.stream}|{day}"
        if key in self.books.kept_today:
            return
        self.books.kept_today[key] = 0
        slot = f" slot {event.slot}" if isinstance(event, Reading) and event.slot is not None else ""
        sentence = f"device {event.device}{slot} is assigned to nobody: archived, not judged, until it is assigned"
        unknown = Fault(
            client=arrival.client, epoch=arrival.epoch, reason=Reason.UNKNOWN_DEVICE, at_fault=sentence, body=note, event=event
        )  # fmt: skip
        self.fault(unknown)

    def _assign(self, change: AssignmentChanged, number: int) -> None:
        self.books.assignments.apply(change)
        told = {
            "device": change.device, "slot": change.slot, "patient": change.patient, "from_at": change.from_at,
            "to_at": change.to_at, "position": self.position, "ord": number,
        }  # fmt: skip
        for name in ("add_assignment", "reattribute_ecg", "reattribute_readings", "reattribute_rates"):
            self.conn.execute(SQL[name], told)

    def _came(self, lane: int) -> Ranges:
        return self.received.get(lane) or self.books.received.get(lane, EMPTY)

    def _source(self, fault: Fault) -> int | None:
        return self._source_of(fault.client, fault.epoch) if fault.epoch is not None else None

    def _source_of(self, client: str, epoch: str) -> int:
        known = self.books.sources.get((client, epoch))
        if known is None:
            row = self.conn.execute(SQL["add_source"], {"client": client, "epoch": epoch}).fetchone()
            known = self.books.sources[(client, epoch)] = row[0]  # type: ignore[index]
        return known

    def _lane(self, key: LaneKey) -> int:
        self.touched[key] = None
        known = self.books.lanes.get(key)
        if known is None:
            source = self._source_of(key[0], key[1])
            asked = {"source": source, "device": key[2], "stream": key[3]}
            row = self.conn.execute(SQL["add_lane"], asked).fetchone()
            known = self.books.lanes[key] = row[0]  # type: ignore[index]
        return known


_ECG_TYPES = [
    "int4",
    "int8",
    "timestamptz",
    "text",
    "text",
    "int8",
    "float8",
    "text",
    "bool",
    "int4",
    "text",
    "int4",
    "int8",
    "int4",
    "timestamptz",
    "timestamptz",
    "bool",
    "bytea",
    "int4",
    "bytea",
]
