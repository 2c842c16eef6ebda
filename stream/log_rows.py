"""The log read back from PostgreSQL: positions for recovery and export, the past for the Ward's `History` port."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.reading import AtSource, EcgChunk, Flag, Reading, ReadingKind
from stream.batch import Admitted, Batch
from stream.ecg_coding import decode
from stream.instants import instant
from stream.log_words import decode_payload
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from gateway.reading import DeviceId
    from stream.lane import LaneKey

SQL = queries(Path(__file__).with_suffix(".sql"))
AT_ONCE = 50
"""Positions that are read in one go."""


def read_batches(conn: Connection, shard: int, first: int, last: int) -> Iterator[Batch]:
    """Positions first..last (both included), in order."""
    for start in range(first, last + 1, AT_ONCE):
        span = {"shard": shard, "first": start, "last": min(start + AT_ONCE - 1, last)}
        rows: dict[int, list[Admitted]] = defaultdict(list)
        for row in conn.execute(SQL["ecg_rows"], span):
            rows[row[0]].append(_admitted(row, ecg_of(row)))
        for row in conn.execute(SQL["reading_rows"], span):
            rows[row[0]].append(_admitted(row, reading_of(row)))
        for position, order, client, epoch, _, received_at, body in conn.execute(SQL["other_rows"], span):
            payload = decode_payload(bytes(body))
            rows[position].append(
                Admitted(ord=order, client=client, epoch=epoch, received_at=received_at, payload=payload)
            )
        for position, tick in conn.execute(SQL["batches"], span).fetchall():
            ordered = tuple(sorted(rows.get(position, ()), key=lambda row: row.ord))
            yield Batch(shard=shard, position=position, tick=tick, rows=ordered)


@dataclass(frozen=True, slots=True)
class ArchiveHistory:
    """`stream.moment.History` over the archive."""

    conn: Connection

    def chunks(self, lane: LaneKey, from_us: int, to_us: int, up_to: int) -> list[EcgChunk]:
        """See the port."""
        client, epoch, device, stream = lane
        asked = {
            "client": client, "epoch": epoch, "device": device, "stream": stream,
            "from_at": instant(from_us), "to_at": instant(to_us), "up_to": up_to,
        }  # fmt: skip
        return [ecg_of(row) for row in self.conn.execute(SQL["lane_chunks"], asked)]

    def readings(self, device: DeviceId, from_us: int, to_us: int, up_to: int) -> list[Reading]:
        """See the port."""
        far = 2**60
        asked = {
            "device": device, "from_at": instant(max(from_us, 0)),
            "to_at": "infinity" if to_us > far else instant(to_us), "up_to": up_to,
        }  # fmt: skip
        return [reading_of(row) for row in self.conn.execute(SQL["device_readings"], asked)]


def ecg_of(row: tuple[Any, ...]) -> EcgChunk:
    """The chunk of an `ecg_rows` row."""
    (
        _,
        _,
        _,
        _,
        device,
        stream,
        seq,
        session,
        index,
        at,
        rate_hz,
        lead,
        contact,
        clipped,
        source,
        received,
        stamped,
        samples,
    ) = row
    return EcgChunk(
        device=device, stream=stream, seq=seq, session=session, index=index, at=at, rate_hz=rate_hz, lead=lead,
        samples=decode(bytes(samples)).tobytes(), clipped=clipped, contact=contact,
        received_at=received if stamped else None, at_source=AtSource(source),
    )  # fmt: skip


def reading_of(row: tuple[Any, ...]) -> Reading:
    """The reading of a `reading_rows` row."""
    (
        _,
        _,
        _,
        _,
        device,
        stream,
        seq,
        kind,
        values,
        at,
        slot,
        device_time,
        connection,
        flags,
        source,
        received,
        stamped,
    ) = row
    return Reading(
        device=device, stream=stream, seq=seq, kind=ReadingKind(kind), values=tuple(values), at=at, slot=slot,
        device_time=device_time, connection=connection, flags=tuple(Flag(flag) for flag in flags),
        received_at=received if stamped else None, at_source=AtSource(source),
    )  # fmt: skip


def _admitted(row: tuple[Any, ...], event: EcgChunk | Reading) -> Admitted:
    # `received_at` is the sixteenth column of both queries.
    return Admitted(ord=row[1], client=row[2], epoch=row[3], received_at=row[15], payload=event)
