"""When PostgreSQL refuses a batch: the events that it refuses are found by halves, quarantined, and the rest is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from gateway.reading import DeviceStatus, EcgChunk, Reading
from stream.admission import Fault
from stream.archive import try_out
from stream.batch import Reason
from stream.books import Books, Intake
from stream.log_words import encode_payload
from stream.recovery import load_books

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.admission import Arrival

_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)


def part_out(conn: psycopg.Connection, taken: Intake) -> tuple[Books, Intake]:
    """The batch with what cannot be stored turned into faults, and books that are true again after the failed try."""
    bad = {id(arrival): error for arrival, error in _refused(conn, taken.arrivals)}
    parted = Intake(
        arrivals=[a for a in taken.arrivals if id(a) not in bad],
        faults=[*taken.faults, *(_fault(a, bad[id(a)]) for a in taken.arrivals if id(a) in bad)],
        unread=taken.unread,
        greetings=taken.greetings,
        noticed=taken.noticed,
    )
    return load_books(conn), parted


def _refused(conn: psycopg.Connection, arrivals: Sequence[Arrival]) -> list[tuple[Arrival, str]]:
    if not arrivals:
        return []
    try:
        try_out(conn, load_books(conn), arrivals)
    except _REFUSALS as error:
        if len(arrivals) == 1:
            return [(arrivals[0], str(error).splitlines()[0])]
        middle = len(arrivals) // 2
        return [*_refused(conn, arrivals[:middle]), *_refused(conn, arrivals[middle:])]
    return []


def _fault(arrival: Arrival, sentence: str) -> Fault:
    event = arrival.event
    return Fault(
        client=arrival.client, epoch=arrival.epoch, reason=Reason.UNSTORABLE, at_fault=sentence, body=encode_payload(event),
        event=event if isinstance(event, (EcgChunk, Reading, DeviceStatus)) else None,
    )  # fmt: skip
