"""What may enter the log: a message taken apart, each event looked at. Pure.

Nothing is corrected here and nothing is dropped: an event is admitted as it is, or goes to quarantine with its bytes
and one sentence that says what was wrong.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.reading import (
    VALUE_NAMES,
    Abandoned,
    ClientId,
    Deferred,
    DeviceStatus,
    EcgChunk,
    Epoch,
    Event,
    Reading,
    ReadingKind,
    Sequenced,
    Unread,
)
from gateway.wire import MalformedMessage, decode_batch, encode
from stream.batch import Reason

if TYPE_CHECKING:
    from datetime import datetime

MAX_MESSAGE = 1_000_000
"""Bytes; the broker lets more through, so that the refusal can be told to its sender."""
MAX_AHEAD = timedelta(seconds=120)
"""Dated further ahead of when it was heard, an event must not move any frontier."""
RATES_HZ = (100.0, 1000.0)
MAX_SEQ = 2**53
MAX_CHUNK_S = 60.0
MAX_TEXT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event on its way into the log."""

    client: ClientId
    epoch: Epoch
    sent_at: datetime | None
    received_at: datetime
    is_from_gateway: bool
    """Whether the gateway stamped `received_at`."""
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not admitted."""

    client: ClientId
    epoch: Epoch | None
    reason: Reason
    at_fault: str
    body: bytes
    event: Sequenced | None = None
    """What of it could be read, so that its lane need not wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What one message comes to."""

    arrivals: tuple[Arrival, ...] = ()
    faults: tuple[Fault, ...] = ()
    unread: tuple[Unread, ...] = ()
    greeting: Epoch | None = None
    """A message without events asks for the server's time: it is answered with a receipt of no lane."""
    outbox_percent: int | None = None
    """How full the greeting gateway's outbox is, if it says so."""


def admit_batch(client: ClientId, payload: bytes, heard_at: datetime) -> Admission:
    """A gateway's message; `client` is whom the topic names, `heard_at` intake's clock."""
    if len(payload) > MAX_MESSAGE:
        return _refused(client, payload[:4096], Reason.OVERSIZED, f"{len(payload)} bytes, the limit is {MAX_MESSAGE}")
    try:
        batch, unread = decode_batch(payload)
    except MalformedMessage as error:
        return _refused(client, payload, Reason.MALFORMED, str(error))
    if batch.client != client:
        sentence = f"names client {batch.client!r} on the topic of {client!r}"
        return _refused(client, payload, Reason.WRONG_CLIENT, sentence)
    arrivals: list[Arrival] = []
    faults: list[Fault] = []
    for event in batch.events:
        admitted = admit(client, batch.epoch, event, heard_at, sent_at=batch.sent_at)
        if isinstance(admitted, Arrival):
            arrivals.append(admitted)
        else:
            faults.append(admitted)
    greeting = None if batch.events else batch.epoch
    percent = batch.outbox_percent
    return Admission(
        arrivals=tuple(arrivals), faults=tuple(faults), unread=tuple(unread), greeting=greeting,
        outbox_percent=None if percent is None else min(max(percent, 0), 100),
    )  # fmt: skip


def admit(
    client: ClientId, epoch: Epoch, event: Event, heard_at: datetime, *, sent_at: datetime | None = None
) -> Arrival | Fault:
    """One event: admitted, or what is wrong with it."""
    stamped = event.received_at if isinstance(event, (EcgChunk, Reading, DeviceStatus)) else None
    received_at = stamped or heard_at
    found = wrong(event, received_at, heard_at)
    if found is None:
        return Arrival(
            client=client,
            epoch=epoch,
            sent_at=sent_at,
            received_at=received_at,
            is_from_gateway=stamped is not None,
            event=event,
        )
    reason, sentence = found
    named = event if isinstance(event, (EcgChunk, Reading, DeviceStatus)) and 1 <= event.seq < MAX_SEQ else None
    if named is not None and _texts_wrong(named):
        named = None
    return Fault(client=client, epoch=epoch, reason=reason, at_fault=sentence, body=encode(event), event=named)


def wrong(  # noqa: PLR0911 - one return a rule
    event: Event, received_at: datetime, heard_at: datetime
) -> tuple[Reason, str] | None:
    """Why an event cannot be admitted; None: it can."""
    if bad := _texts_wrong(event):
        return Reason.IMPOSSIBLE, bad
    if isinstance(event, (Abandoned, Deferred)):
        if not 1 <= event.first <= event.last < MAX_SEQ:
            return Reason.IMPOSSIBLE, f"range {event.first}..{event.last} is none"
        return None
    if not 1 <= event.seq < MAX_SEQ:
        return Reason.IMPOSSIBLE, f"seq {event.seq} is outside of 1..{MAX_SEQ}"
    if event.at.tzinfo is None or received_at.tzinfo is None:
        return Reason.IMPOSSIBLE, "a time without its offset from UTC"
    if isinstance(event, EcgChunk) and (bad := _ecg_wrong(event)):
        return Reason.IMPOSSIBLE, bad
    if isinstance(event, Reading) and (bad := _reading_wrong(event)):
        return Reason.IMPOSSIBLE, bad
    if event.at - received_at > MAX_AHEAD or received_at - heard_at > MAX_AHEAD:
        return Reason.CLOCK_AHEAD, f"dated {event.at.isoformat()}, heard {received_at.isoformat()}"
    return None


def digest(event: Event) -> bytes:
    """Fingerprint of what an event says: the same seq with another one is a conflict."""
    return hashlib.blake2b(encode(event), digest_size=16).digest()


def content(reading: Reading) -> bytes:
    """Identity of a reading's content (log.md, "Identity"): device, slot, kind, raw device time, values; never `at`."""
    told_by = reading.device_time or reading.connection or f"{reading.stream}/{reading.seq}"
    said = (reading.device, reading.slot, str(reading.kind), told_by, reading.values)
    return hashlib.sha256(repr(said).encode()).digest()


def _refused(client: ClientId, payload: bytes, reason: Reason, sentence: str) -> Admission:
    return Admission(faults=(Fault(client=client, epoch=None, reason=reason, at_fault=sentence, body=payload),))


def _texts_wrong(event: Event) -> str | None:
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(value, str) and ("\x00" in value or len(value) > MAX_TEXT):
            return f"{field.name} holds a NUL or is longer than {MAX_TEXT} characters"
    return None if event.device and event.stream else "device and stream must not be empty"


def _ecg_wrong(chunk: EcgChunk) -> str | None:
    if not (math.isfinite(chunk.rate_hz) and RATES_HZ[0] <= chunk.rate_hz <= RATES_HZ[1]):
        return f"rate {chunk.rate_hz} Hz is outside of {RATES_HZ[0]:g}..{RATES_HZ[1]:g}"
    if len(chunk.samples) % 2 or not chunk.samples:
        return f"{len(chunk.samples)} bytes of samples are no whole number of int16"
    if len(chunk.samples) // 2 > MAX_CHUNK_S * chunk.rate_hz:
        return f"one chunk of over {MAX_CHUNK_S:g} s"
    return None if 0 <= chunk.index < MAX_SEQ else f"index {chunk.index} is outside of 0..{MAX_SEQ}"


def _reading_wrong(reading: Reading) -> str | None:
    most = len(VALUE_NAMES[reading.kind])
    if not reading.values or (len(reading.values) > most and reading.kind is not ReadingKind.HEART_RATE):
        return f"{len(reading.values)} values for {reading.kind}, which has {most}"
    if any(value is not None and not math.isfinite(value) for value in reading.values):
        return "a value that is no finite number"
    return None if reading.values[0] is not None else f"{VALUE_NAMES[reading.kind][0]} is missing"
