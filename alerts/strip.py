"""The strip of an alert, read from the archive: which lead, which 30 s, and its drawing.

It ends 20 s after the onset; while those have not been measured yet, with the newest sample. So it shows what led to the
alert at first, and later stays the same for ever. Must never be waited for: an alert goes without it.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from psycopg.rows import dict_row

from alerts.catalogue import CONDITIONS
from alerts.strip_svg import SECONDS, Tracing, draw
from stream.ecg_coding import CodingError, decode
from stream.finding import SubjectKind
from stream.recording import MISSING
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from uuid import UUID

    from numpy.typing import NDArray

    from alerts.record import StripSource
    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("strip.sql"))
BEFORE_S, MOST_BEFORE_S = 10.0, 25.0
"""How much of the strip lies before the onset: at the end, and at most while what follows has not been measured yet."""
_SHARED_S = 5.0
"""A drawing this old is made anew: more of the signal may have come."""
_SAME_RATE = 0.01
_DRIFT_S = 0.05
"""A chunk whose own time differs so much from its place by count is set by its time."""
_LOG: Any = structlog.get_logger(__name__)

Row = dict[str, Any]
Lane = tuple[str, str]
"""Device and stream."""


def strip_source(connect: Callable[[], AbstractContextManager[Connection]]) -> StripSource:
    """The source over connections of its own: the station hands in how to get one.

    All who are told at once get one drawing, made once.
    """
    drawn: dict[UUID, tuple[float, Future[str | None]]] = {}
    lock = Lock()

    def source(alert: UUID) -> str | None:
        mine: Future[str | None] = Future()
        now = time.monotonic()
        with lock:
            for old in [one for one, (at, _) in drawn.items() if now - at > _SHARED_S]:
                del drawn[old]
            _, shared = drawn.setdefault(alert, (now, mine))
        if shared is mine:
            try:
                with connect() as conn:
                    mine.set_result(strip_of(conn, alert))
            except BaseException as error:
                mine.set_exception(error)
                raise
        return shared.result()

    return source


def strip_of(conn: Connection, alert: UUID) -> str | None:
    """The strip of an alert as SVG; None where there is no such alert, or no ECG around its onset."""
    tracing = tracing_of(conn, alert)
    return None if tracing is None else draw(tracing)


def tracing_of(conn: Connection, alert: UUID) -> Tracing | None:
    """The samples of that strip, and what they show; None where there are none."""
    found = _found(conn, alert)
    return None if found is None else found[0]


def surrounded(
    conn: Connection, alert: UUID, before_s: float, after_s: float
) -> tuple[Tracing, NDArray[np.int16]] | None:
    """That strip, and the same lead from `before_s` before it to `after_s` behind it, in one row of samples."""
    found = _found(conn, alert)
    if found is None:
        return None
    tracing, patient, lane = found
    start = tracing.from_at - timedelta(seconds=before_s)
    seconds = before_s + SECONDS + after_s
    chunks = _rows(conn, "ecg_strip", patient=patient, from_at=start, to_at=start + timedelta(seconds=seconds))
    chunks = [one for one in chunks if (one["device"], one["stream"]) == lane]
    return tracing, laid_out(chunks, start, tracing.rate_hz, seconds)


def _found(conn: Connection, alert: UUID) -> tuple[Tracing, str, Lane] | None:
    """The strip of an alert, whose it is, and which lead it shows."""
    found = _rows(conn, "alert_for_strip", alert=alert)
    if not found or found[0]["subject_kind"] != SubjectKind.PATIENT:
        return None
    patient, condition, onset = (found[0][name] for name in ("subject", "condition", "onset"))
    from_at, to_at = onset - timedelta(seconds=MOST_BEFORE_S), onset + timedelta(seconds=SECONDS - BEFORE_S)
    chunks = _rows(conn, "ecg_strip", patient=patient, from_at=from_at, to_at=to_at)
    if not chunks:
        return None
    episodes = _rows(conn, "episodes_for_strip", alert=alert)
    told = max(episodes, key=lambda one: (not one["withdrawn"], one["onset"] <= onset, one["onset"]), default=None)
    lane = _lane(chunks, told["evidence"] if told else {})
    chunks = [one for one in chunks if (one["device"], one["stream"]) == lane]
    rate_hz = float(chunks[-1]["rate_hz"])
    start = _start(onset, max(one["at"] + timedelta(seconds=one["count"] / rate_hz) for one in chunks))
    is_of_lane = told is not None and lane == _lane_of(told["evidence"])
    end = told["end"] if told else None
    tracing = Tracing(
        samples=laid_out(chunks, start, rate_hz),
        rate_hz=rate_hz,
        from_at=start,
        lead=chunks[-1]["lead"],
        onset_s=(onset - start).total_seconds(),
        end_s=(end - start).total_seconds() if end else None,
        is_of_lead=is_of_lane,
        condition=condition,
        words=" ".join(dict.fromkeys(CONDITIONS.get(condition, {"en": condition}).values())),
    )
    return tracing, patient, lane


def _lane(chunks: Sequence[Row], evidence: Row) -> Lane:
    """The lead in which the condition was found; else the one of which there is most."""
    length: dict[Lane, int] = {}
    for one in chunks:
        key = one["device"], one["stream"]
        length[key] = length.get(key, 0) + one["count"]
    named = _lane_of(evidence)
    return named if named in length else max(length, key=lambda key: (length[key], key))


def _lane_of(evidence: Row) -> Lane:
    return str(evidence.get("device")), str(evidence.get("stream"))


def _start(onset: datetime, newest: datetime) -> datetime:
    """Where the strip begins: with the newest sample at its end, but never so that the onset is near an edge."""
    earliest, latest = onset - timedelta(seconds=MOST_BEFORE_S), onset - timedelta(seconds=BEFORE_S)
    return min(max(newest - timedelta(seconds=SECONDS), earliest), latest)


def laid_out(chunks: Sequence[Row], start: datetime, rate_hz: float, seconds: float = SECONDS) -> NDArray[np.int16]:
    """`seconds` of samples from `start` on; what no chunk holds is `MISSING`.

    Within a session a chunk lies where its count says, so that no rounding of times makes a hole or an overlap.
    """
    samples = np.full(round(seconds * rate_hz), MISSING, np.int16)
    anchors: dict[str, tuple[int, int]] = {}
    for one in sorted(chunks, key=lambda one: one["at"]):
        if abs(one["rate_hz"] / rate_hz - 1) > _SAME_RATE:
            continue  # a device set to another rate meanwhile: its older part stays hatched
        by_time = round((one["at"] - start).total_seconds() * rate_hz)
        index, place = anchors.setdefault(one["session"], (one["index"], by_time))
        first = place + one["index"] - index
        if abs(first - by_time) > _DRIFT_S * rate_hz:
            anchors[one["session"]] = one["index"], by_time
            first = by_time
        try:
            part = decode(bytes(one["samples"]))
        except CodingError as error:
            _LOG.error("strip_undecodable", device=one["device"], at=one["at"].isoformat(), why=str(error))
            continue
        begin, end = max(first, 0), min(first + part.size, samples.size)
        if begin < end:
            held = samples[begin:end]
            fresh = part[begin - first : end - first]
            np.copyto(held, fresh, where=(held == MISSING) & (fresh != MISSING))
    return samples


def _rows(conn: Connection, query: str, **asked: object) -> list[Row]:
    found: list[Row] = conn.cursor(row_factory=dict_row).execute(SQL[query], asked).fetchall()
    return found
