"""What the writer knows by heart, what goes into a batch, and what came of it: the values around T1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from gateway.ranges import Ranges, normalise
from stream.assignments import Assignments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.reading import ClientId, Epoch, Unread
    from stream.admission import Arrival, Fault
    from stream.batch import Batch, Noticed
    from stream.lane import LaneKey


@dataclass(slots=True)
class Books:
    """What the writer knows by heart of the log: lanes, what came of each, who sent how much rubbish today."""

    lanes: dict[LaneKey, int] = field(default_factory=dict)
    sources: dict[tuple[str, str], int] = field(default_factory=dict)
    received: dict[int, Ranges] = field(default_factory=dict)
    kept_today: dict[str, int] = field(default_factory=dict)
    today: str = ""
    assignments: Assignments = field(default_factory=Assignments)


@dataclass(slots=True)
class Intake:
    """What goes into one batch, before it is one."""

    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unread: list[tuple[str, Unread]] = field(default_factory=list)
    greetings: list[tuple[ClientId, Epoch, int | None]] = field(default_factory=list)
    """Who is there with nothing to send, and how full its outbox is."""
    noticed: list[Noticed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch that is committed, and what came of each lane with it (for the receipts)."""

    batch: Batch
    received: dict[int, Ranges]
    touched: tuple[LaneKey, ...]


def multirange(ranges: Ranges) -> Multirange[int]:
    """A range set as PostgreSQL has it (end excluded)."""
    return Multirange([Range(first, last + 1, "[)") for first, last in ranges])


def ranges_of(multi: Iterable[Range[int]]) -> Ranges:
    """A range set from PostgreSQL."""
    return normalise((r.lower, r.upper - 1) for r in multi if r.lower is not None and r.upper is not None)
