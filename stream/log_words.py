"""Rows of the log as bytes: what lies in `stream.other`, and the lines of an exported log.

The gateway's words keep their own envelope (`gateway.wire`); those of the stream have theirs here, append-only too.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.reading import Abandoned, Deferred, DeviceStatus, EcgChunk, Reading
from gateway.wire import MalformedMessage, decode_event, encode
from stream.batch import Admitted, Batch, Greeted, Noticed, Payload, Quarantined, Repeated
from stream.command import COMMANDS
from stream.instants import instant, micros

OWN: dict[str, type[Payload]] = {
    "quarantined": Quarantined,
    "noticed": Noticed,
    "repeated": Repeated,
    "greeted": Greeted,
    **COMMANDS,
}
"""Name in the log, and the word."""
_NAMES: dict[type, str] = {word: name for name, word in OWN.items()}
_GATEWAY: dict[type, str] = {
    EcgChunk: "ecg", Reading: "reading", DeviceStatus: "status", Abandoned: "abandoned", Deferred: "deferred",
}  # fmt: skip


def name_of(payload: Payload) -> str:
    """What a row's payload is called in the log."""
    return _NAMES.get(type(payload)) or _GATEWAY[type(payload)]


def encode_payload(payload: Payload) -> bytes:
    """A payload as bytes."""
    if type(payload) in _GATEWAY:
        return encode(payload)  # type: ignore[arg-type]
    return msgspec.msgpack.encode([name_of(payload), 1, payload])


def decode_payload(body: bytes) -> Payload:
    """A payload from `encode_payload`.

    Raises:
        MalformedMessage: a word that this version does not know, or damaged bytes.
    """
    head = msgspec.msgpack.decode(body)
    if isinstance(head, list) and len(head) == 3 and head[0] in OWN:  # noqa: PLR2004 - [name, version, body]
        return convert(head[0], head[2])
    return decode_event(body)[0]


def convert(name: str, body: dict[str, Any]) -> Payload:
    """A stream word from its plain body, as the inbox has it.

    Raises:
        MalformedMessage: not a word of the stream, or a body that is not of its type.
    """
    if name not in OWN:
        raise MalformedMessage(f"unknown command {name!r}; known: {', '.join(OWN)}")
    try:
        return msgspec.convert(body, OWN[name], strict=False)
    except msgspec.ValidationError as error:
        raise MalformedMessage(f"{name}: {error}") from error


def encode_log_batch(batch: Batch) -> bytes:
    """One position as one line of an exported log (MessagePack)."""
    rows = [
        [row.ord, row.client, row.epoch, micros(row.received_at), encode_payload(row.payload)] for row in batch.rows
    ]
    return msgspec.msgpack.encode(["position", 1, [batch.shard, batch.position, micros(batch.tick), rows]])


def decode_log_batch(line: bytes) -> Batch:
    """The position that `encode_log_batch` wrote.

    Raises:
        MalformedMessage: not such a line.
    """
    try:
        match msgspec.msgpack.decode(line):
            case ["position", 1, [int(shard), int(position), int(tick), list(rows)]]:
                return Batch(
                    shard=shard, position=position, tick=instant(tick),
                    rows=tuple(
                        Admitted(ord=n, client=c, epoch=e, received_at=instant(r), payload=decode_payload(body))
                        for n, c, e, r, body in rows
                    ),
                )  # fmt: skip
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise MalformedMessage(f"not a position of a log: {error}") from error
    raise MalformedMessage("not a position of a log, or of a newer version")
