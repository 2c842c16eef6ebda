"""One position of the log: what intake committed together, and one tick. All that the Ward ever sees.

Kept apart from intake so that a replay from a file, from the archive or from Kafka is the very same value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.reading import Abandoned, ClientId, Deferred, DeviceStatus, EcgChunk, Epoch, Reading
from stream.command import Command


class Reason(StrEnum):
    """Why something was put into quarantine or refused."""

    MALFORMED = "malformed"
    """Not one of our messages, or a value that its type does not allow."""
    WRONG_UNIT = "wrong_unit"
    """A unit that the schema does not know: never converted by guess."""
    IMPOSSIBLE = "impossible"
    """Contradicts itself: 0 Hz, an odd number of bytes, NaN, a value of no living being."""
    CLOCK_AHEAD = "clock_ahead"
    """Dated more than 120 s after it was heard."""
    SEQ_CONFLICT = "seq_conflict"
    """The same number as an earlier event of the lane, with other content."""
    UNKNOWN_DEVICE = "unknown_device"
    """Assigned to nobody: archived, not judged, waiting for an assignment."""
    OVERSIZED = "oversized"
    """Over 1 MB."""
    WRONG_CLIENT = "wrong_client"
    """The message names another client than the topic it came on."""
    UNSTORABLE = "unstorable"
    """PostgreSQL refused the row."""
    QUARANTINE_FULL = "quarantine_full"
    """Over a client's daily share of the quarantine: counted, not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Intake could not admit something of this client: its bytes lie in `stream.quarantine`."""

    client: ClientId
    reason: Reason
    digest: str
    """sha256 (hex) of the bytes."""
    device: str | None = None
    stream: str | None = None
    first: int | None = None
    last: int | None = None
    """Seq range that it stood for, where it could be read: no lane waits for it."""
    at_fault: str = ""
    """One sentence: what was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeted:
    """A client that has nothing to send said so: it is there."""

    outbox_percent: int | None = None
    """How full its outbox is; None: it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A reading whose content is stored already, under another number: nothing new, and no lane waits for it."""

    device: str
    stream: str
    first: int
    last: int


class Trouble(StrEnum):
    """What intake noticed about the server itself."""

    CLOCK_STEP = "clock_step"
    """The wall clock was stepped."""
    OVERLOADED = "overloaded"
    """The queue before the commit is long."""
    BROKER = "broker"
    """The broker dropped or refused something without telling its sender."""
    DETERMINISM = "determinism"
    """At a start, judging stored data again gave other findings than are stored."""
    STORE_FULL = "store_full"
    """A commit failed for want of disk, or less than the reserve is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A row that intake writes about the server itself, when it begins and when it is over."""

    trouble: Trouble
    present: bool
    detail: str = ""


Payload = (
    EcgChunk | Reading | DeviceStatus | Abandoned | Deferred | Quarantined | Repeated | Greeted | Noticed | Command
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """One row of the log. Whose it is follows from the assignments in the log, so it does not say."""

    ord: int
    """Place in its batch, from 0."""
    client: ClientId | None
    """Who sent it; None for commands and for what intake says itself."""
    epoch: Epoch | None
    received_at: datetime
    """By the first clock that we control."""
    payload: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One position of one shard's log."""

    shard: int
    position: int
    """From 1, gapless."""
    tick: datetime
    """Never goes back; at least one batch a second, empty or not."""
    rows: tuple[Admitted, ...]
