"""Words as bytes: `[type, version, body]`, MessagePack on MQTT and Kafka, JSON at the edges.

Schemas are append-only. A message of a newer version, or with keys that we do not know, still reads: what was not
understood comes back as `Unread` with the whole envelope, so that it can be kept and counted. Never raises anything
but `MalformedMessage` on bad bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from gateway.reading import (
    Abandoned,
    ClientId,
    Deferred,
    DeviceStatus,
    Down,
    EcgChunk,
    Epoch,
    Event,
    EventBatch,
    Hello,
    Reading,
    Receipt,
    Refused,
    Unread,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS: dict[str, tuple[type[Event], int]] = {
    "ecg": (EcgChunk, 1),
    "reading": (Reading, 1),
    "status": (DeviceStatus, 1),
    "abandoned": (Abandoned, 1),
    "deferred": (Deferred, 1),
}
"""Type on the wire, word, newest version that this code writes."""

DOWN: dict[str, tuple[type[Down], int]] = {
    "receipt": (Receipt, 1),
    "refused": (Refused, 1),
    "hello": (Hello, 1),
}

BATCH = ("batch", 1)

_NAMES: dict[type, tuple[str, int]] = {
    word: (name, version) for name, (word, version) in (*EVENTS.items(), *DOWN.items())
}
_KEYS: dict[type, frozenset[str]] = {word: frozenset(f.name for f in fields(word)) for word in _NAMES}
_BATCH_KEYS = frozenset(f.name for f in fields(EventBatch))


Word = TypeVar("Word")


class MalformedMessage(ValueError):
    """These bytes are no message of ours: they go to quarantine as they are."""


def envelope(word: Event | Down) -> list[Any]:
    """A word as `[type, version, body]`, ready for any encoder."""
    name, version = _NAMES[type(word)]
    return [name, version, word]


def encode(word: Event | Down) -> bytes:
    """One word as MessagePack."""
    return _ENCODER.encode(envelope(word))


def encode_batch(batch: EventBatch) -> bytes:
    """A batch of events as MessagePack; each event in an envelope of its own."""
    body: dict[str, Any] = {
        "client": batch.client,
        "epoch": batch.epoch,
        "sent_at": batch.sent_at,
        "events": [envelope(event) for event in batch.events],
    }
    if batch.outbox_percent is not None:
        body["outbox_percent"] = batch.outbox_percent
    return _ENCODER.encode([*BATCH, body])


def decode_event(payload: bytes) -> tuple[Event, Unread | None]:
    """One event from MessagePack.

    Raises:
        MalformedMessage: not MessagePack, no envelope, an unknown type, or a body that is not of its type.
    """
    return _read(_generic(payload), EVENTS)


def decode_down(payload: bytes) -> tuple[Down, Unread | None]:
    """A receipt, a refusal or a hello from MessagePack; errors as `decode_event`."""
    return _read(_generic(payload), DOWN)


def decode_batch(payload: bytes) -> tuple[EventBatch, list[Unread]]:
    """A gateway's message. One event that cannot be read makes the whole message malformed: nothing is half taken.

    Raises:
        MalformedMessage: as `decode_event`; the number of the event is named.
    """
    name, version, body = _open(_generic(payload))
    if name != BATCH[0]:
        msg = f"expected a {BATCH[0]!r} message, got {name!r}"
        raise MalformedMessage(msg)
    unread = _unknown(name, version, BATCH[1], body, _BATCH_KEYS)
    listed = body.get("events")
    if not isinstance(listed, list):
        msg = "a batch without a list of events"
        raise MalformedMessage(msg)
    events: list[Event] = []
    for number, item in enumerate(listed):
        try:
            event, odd = _read(item, EVENTS)
        except MalformedMessage as error:
            msg = f"event {number} of {len(listed)}: {error}"
            raise MalformedMessage(msg) from error
        events.append(event)
        if odd:
            unread.append(odd)
    try:
        head = msgspec.convert(body, _Head)
    except (msgspec.ValidationError, TypeError) as error:
        msg = f"batch: {error}"
        raise MalformedMessage(msg) from error
    batch = EventBatch(
        client=head.client,
        epoch=head.epoch,
        sent_at=head.sent_at,
        events=tuple(events),
        outbox_percent=head.outbox_percent,
    )
    return batch, unread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A batch without its events (msgspec has no unions of dataclasses)."""

    client: ClientId
    epoch: Epoch
    sent_at: datetime
    outbox_percent: int | None = None


def _generic(payload: bytes) -> object:
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as error:
        msg = f"not MessagePack: {error}"
        raise MalformedMessage(msg) from error


def _open(message: object) -> tuple[str, int, dict[str, Any]]:
    # In plain steps: as a `match` it took half of the time of decoding.
    if isinstance(message, list) and len(message) == _ENVELOPE:
        name, version, body = message
        is_head = isinstance(name, str) and isinstance(version, int) and version >= 1
        if is_head and isinstance(body, dict) and _STRINGS.issuperset(map(type, body)):
            return name, version, body
    msg = "expected [type, version, {body}]"
    raise MalformedMessage(msg)


def _unknown(name: str, version: int, newest: int, body: dict[str, Any], known: frozenset[str]) -> list[Unread]:
    keys = body.keys() - known
    if version <= newest and not keys:
        return []
    return [Unread(name, version, tuple(sorted(keys)), _ENCODER.encode([name, version, body]))]


def _read(message: object, table: Mapping[str, tuple[type[Word], int]]) -> tuple[Word, Unread | None]:
    name, version, body = _open(message)
    if name not in table:
        msg = f"unknown type {name!r}; known: {', '.join(table)}"
        raise MalformedMessage(msg)
    word, newest = table[name]
    unread = _unknown(name, version, newest, body, _KEYS[word])
    try:
        return msgspec.convert(body, word), unread[0] if unread else None
    except (msgspec.ValidationError, TypeError, OverflowError) as error:
        msg = f"{name}: {error}"
        raise MalformedMessage(msg) from error


_ENVELOPE = 3
_STRINGS = frozenset({str})
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder()
