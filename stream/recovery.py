"""Coming back: charts from the store, then the log since, until the Ward is where it was. Nothing is judged twice.

Positions up to the cursor were judged: what comes out of them again is compared with the rows that exist, never written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gateway.ranges import union
from stream import clients as client_book
from stream.archive import SQL
from stream.assignments import Assignments
from stream.books import Books, ranges_of
from stream.clients import Clients
from stream.command import AssignmentChanged
from stream.ecg.chart import CHART_VERSION
from stream.instants import micros
from stream.lane import ATTENTION_STEP_US, Listening
from stream.log_rows import SQL as LOG
from stream.log_rows import ArchiveHistory, read_batches
from stream.verdicts import decode, encode
from stream.ward import GROUPS, Ward

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psycopg import Connection

    from stream.batch import Batch


@dataclass(slots=True)
class Recovered:
    """Where the writer stands after a start."""

    ward: Ward
    clients: Clients
    books: Books
    judged: int
    """The cursor: up to here findings are rows."""
    last: int
    """The last position of the log; those after `judged` are stored and not judged."""
    tick: datetime | None
    """Tick of the last position."""
    waiting: list[Batch] = field(default_factory=list)
    faults: int = 0
    """Findings that came out otherwise than they are stored (same code, same input: a fault)."""


def load_books(conn: Connection) -> Books:
    """What the writer knows by heart, from the store."""
    books = Books()
    for lane, client, epoch, device, stream, received, _ in conn.execute(SQL["all_lanes"]):
        books.lanes[(client, epoch, device, stream)] = lane
        books.received[lane] = ranges_of(received)
    oldest = conn.execute("SELECT coalesce(min(checkpoint), 0) FROM stream.lane").fetchone()
    for lane, came in conn.execute(SQL["received_since"], {"oldest": oldest[0] if oldest else 0}):
        books.received[lane] = union(books.received[lane], ranges_of(came))
    for source, client, epoch in conn.execute("SELECT source, client, epoch FROM stream.source"):
        books.sources[(client, epoch)] = source
    books.assignments = load_assignments(conn, 2**62)
    return books


def load_assignments(conn: Connection, position: int) -> Assignments:
    """What had been said before a position."""
    assignments = Assignments()
    for device, slot, from_at, to_at, patient in conn.execute(SQL["assignments_before"], {"position": position}):
        assignments.apply(AssignmentChanged(device=device, slot=slot, from_at=from_at, to_at=to_at, patient=patient))
    return assignments


def recover(
    conn: Connection,
    shard: int,
    judged: int,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    before_patient: Callable[[str], None] | None = None,
) -> Recovered:
    """The Ward as it was after `judged`, and the positions that wait to be judged.

    `before_patient` becomes the Ward's before anything is judged again: what killed the process may do so here too.
    """
    ward, clients = Ward(ArchiveHistory(conn), before_patient=before_patient), Clients()
    charts = conn.execute(SQL["charts"], {"shard": shard}).fetchall()
    first, anchor, is_same_code = _first_position(conn, shard, judged, charts), None, True
    for kind, _, version, position, _, state in charts:
        if kind == "clients":
            clients = client_book.unpack(bytes(state))
        else:
            is_same_code = is_same_code and version == CHART_VERSION
            listening_us = ward.load(bytes(state), position)
            anchor = min(anchor or (position, listening_us), (position, listening_us))
    newest = conn.execute(SQL["last_batch"], {"shard": shard}).fetchone()
    last, tick = newest or (0, None)
    ward.assignments = load_assignments(conn, first)
    if anchor is not None:
        ward.listening = _listening(conn, shard, first, anchor)
    found = Recovered(ward, clients, load_books(conn), judged, last, tick)
    stored = _stored(conn, shard, first, judged)
    benched = conn.execute("SELECT position, patient, why FROM stream.bench ORDER BY patient").fetchall()
    # Whoever killed the process is not judged again at all: that would kill it again.
    _bench(ward, [b for b in benched if b[0] < first or b[2] == DIED], newest[1] if newest else None)
    for batch in read_batches(conn, shard, first, last):
        if batch.position > judged:
            found.waiting.append(batch)
            continue
        again = ward.observe(batch)
        _bench(ward, [b for b in benched if b[0] == batch.position], batch.tick)
        again += clients.observe(batch) if batch.position > clients.position else []
        if is_same_code:
            found.faults += sum(1 for f in again if stored.get((f.episode, f.revision)) != encode(f))
        if on_progress is not None:
            on_progress(batch.position - first + 1, judged - first + 1)
    return found


DIED = "the detector's process ended while judging this patient"
"""Why somebody is benched by a start; an exception benches with its own words."""


def _bench(ward: Ward, benched: list[tuple[Any, ...]], tick: datetime | None) -> None:
    """Patients whose judging ended the process: nothing in the log says so, so the store does."""
    for position, patient, why in benched:
        if tick is not None and not ward.is_benched(patient):
            ward.bench(patient, why, micros(tick), position)


def _first_position(conn: Connection, shard: int, judged: int, charts: list[tuple[Any, ...]]) -> int:
    """Where to read the log from: behind the oldest chart and hold, and where no chart of a new household is yet."""
    row = conn.execute(LOG["batches"], {"shard": shard, "first": judged, "last": judged}).fetchone()
    if row is None:
        return 1
    unsaved_since = row[1] - timedelta(seconds=GROUPS + 2)
    since = conn.execute(LOG["first_since"], {"shard": shard, "at": unsaved_since}).fetchone()
    marks = [int(c[4]) for c in charts] + ([int(since[0])] if since and since[0] else [])
    return min([*marks, judged + 1])


def _listening(conn: Connection, shard: int, first: int, anchor: tuple[int, int]) -> Listening:
    """Listening time just before `first`, from what it was at the anchor's position."""
    position, listening_us = anchor
    low, high = min(first - 1, position), max(first - 1, position)
    span = {"shard": shard, "first": low, "last": high}
    ticks = [micros(tick) for _, tick in conn.execute(LOG["batches"], span)]
    passed = sum(min(max(b - a, 0), ATTENTION_STEP_US) for a, b in pairwise(ticks))
    if first - 1 <= position:
        return Listening(listening_us - passed, ticks[0] if ticks and first > 1 else 0)
    return Listening(listening_us + passed, ticks[-1] if ticks else 0)


def _stored(conn: Connection, shard: int, first: int, last: int) -> dict[tuple[object, int], bytes]:
    rows = conn.execute(LOG["findings"], {"shard": shard, "first": first, "last": last})
    found: dict[tuple[object, int], bytes] = {}
    for _, _, body in rows:
        finding = decode(bytes(body))
        found[(finding.episode, finding.revision)] = bytes(body)
    return found
