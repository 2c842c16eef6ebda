"""Who watches whose ECG just now: one reader for all of them, a room for each patient, a bounded past for each lead.

Pure but for `Rooms`, which reads. Must never let one viewer hold another up, nor show as live what was measured long ago.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import structlog
from psycopg_pool import PoolTimeout

from api.ecg_json import i16le
from api.house import rows
from gateway.reading import STRIP_STREAMS, ReadingKind
from stream.archive import ECG_STORED
from stream.ecg_coding import CodingError, decode
from stream.store.connect import Waiter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from api.house import House, Row

FRESH = timedelta(seconds=30)
"""What was measured longer ago than this when it came is no part of a live view."""
KEPT_S = 15.0
"""So much of each lead is kept: a new viewer begins with it, a slow one may fall behind so far."""
STATE_S = 1.0
"""So often the rate and the grade of the signal are read."""
ROOMS = 200
"""Patients who can be watched at once from one process."""
_LOG: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Consecutive samples of one lead, as they were stored."""

    number: int
    """Of its lead, from 1: a viewer remembers the last that they were sent."""
    at: datetime
    """Of the first sample."""
    gap: int
    """Samples that are missing between the part before and this one."""
    samples: NDArray[np.int16]

    def told(self) -> Row:
        """As JSON."""
        return {
            "at": self.at,
            "gap": self.gap,
            "count": len(self.samples),
            "i16le": i16le(self.samples),
        }


@dataclass(slots=True)
class Lead:
    """The newest signal of one lead of one device."""

    device: str
    stream: str
    lead: str
    rate_hz: float
    parts: tuple[Part, ...] = ()
    count: int = 0
    _session: str = ""
    _next: int = 0
    _end: datetime | None = None

    def take(self, row: Row, samples: NDArray[np.int16]) -> None:
        """Append what is new of a stored row. What belongs before what was shown stays unshown."""
        at, index = row["at"], row["index"]
        is_same = row["session"] == self._session and row["rate_hz"] == self.rate_hz
        gap = 0
        if self._end is not None:
            gap = index - self._next if is_same else round((at - self._end).total_seconds() * row["rate_hz"])
        if gap < 0:
            samples, at, gap = samples[-gap:], at + timedelta(seconds=-gap / row["rate_hz"]), 0
        if not len(samples):
            return
        if row["rate_hz"] != self.rate_hz:
            self.parts = ()  # a picture has one rate
        self._session, self.rate_hz, self._next = row["session"], row["rate_hz"], index + row["count"]
        self._end = at + timedelta(seconds=len(samples) / self.rate_hz)
        self.count += 1
        parts = (*self.parts, Part(number=self.count, at=at, gap=gap, samples=samples))
        while self.seconds(parts[1:]) > KEPT_S:
            parts = parts[1:]
        self.parts = parts  # viewers read it from other threads

    def seconds(self, parts: Sequence[Part]) -> float:
        """How long parts of this lead last, with the gaps before them."""
        return sum(len(one.samples) + one.gap for one in parts) / self.rate_hz

    def after(self, number: int, most_s: float) -> list[Part]:
        """Parts after a number, at most the newest `most_s` of them."""
        parts = [one for one in self.parts if one.number > number]
        while len(parts) > 1 and self.seconds(parts) > most_s:
            parts = parts[1:]
        return parts

    def end_of(self, part: Part) -> datetime:
        """When a part of this lead ends."""
        return part.at + timedelta(seconds=len(part.samples) / self.rate_hz)


@dataclass(slots=True)
class Room:
    """One patient who is watched."""

    patient: str
    leads: dict[str, Lead] = field(default_factory=dict)
    """By `device|stream`."""
    state: Row = field(default_factory=dict)
    is_read: bool = False
    """Whether the past of this room has been looked at."""
    viewers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)

    def take(self, row: Row) -> None:
        """A stored row."""
        if row["stream"].startswith(STRIP_STREAMS):
            return  # a recording of a hand-held device is no stream
        try:
            samples = decode(bytes(row["samples"]))
        except CodingError as error:
            _LOG.error("live_undecodable", device=row["device"], why=str(error))
            return
        name = f"{row['device']}|{row['stream']}"
        lead = self.leads.get(name) or Lead(row["device"], row["stream"], row["lead"], row["rate_hz"])
        lead.take(row, samples)
        if lead.parts:
            self.leads = self.leads | {name: lead}  # viewers read it from other threads

    def choice(self) -> list[Row]:
        """The leads that can be chosen."""
        return [
            {"id": name, "lead": one.lead, "device": one.device, "rate_hz": one.rate_hz}
            for name, one in sorted(self.leads.items())
        ]


class Rooms:
    """Reads for all rooms in one thread, woken by each commit of ECG; it rests while nobody watches."""

    def __init__(self, house: House, dsn: str) -> None:
        """Nothing is read before somebody watches."""
        self._house, self._dsn = house, dsn
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._positions: dict[int, int] = {}
        self._state_at = 0.0

    def enter(self, patient: str, event: asyncio.Event) -> Room | None:
        """From now on `event` is set at each news of this patient; None: too many are watched."""
        with self._lock:
            if patient not in self._rooms and len(self._rooms) >= ROOMS:
                return None
            room = self._rooms.setdefault(patient, Room(patient))
            room.viewers.add((asyncio.get_running_loop(), event))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ecg", daemon=True)
                self._thread.start()
            self._lock.notify_all()
        return room

    def leave(self, room: Room, event: asyncio.Event) -> None:
        """No more; a room without viewers is forgotten."""
        with self._lock:
            room.viewers = {one for one in room.viewers if one[1] is not event}
            if not room.viewers:
                self._rooms.pop(room.patient, None)

    def stop(self) -> None:
        """End the thread."""
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        waiter = Waiter(self._dsn, "ecg", ECG_STORED)
        while rooms := self._watched():
            try:
                with self._house.transaction() as conn:
                    self._read(conn, rooms)
            except (psycopg.Error, PoolTimeout) as error:
                _LOG.warning("ecg_unread", error=type(error).__name__)
                time.sleep(0.5)
                continue
            except Exception as error:  # noqa: BLE001 - the pages say that nothing comes; the next look may succeed
                _LOG.error("ecg_failed", error=type(error).__name__)
                time.sleep(0.5)
                continue
            self._tell(rooms)
            waiter.wait(max(STATE_S - (time.monotonic() - self._state_at), 0.01) if self._all_read(rooms) else 0.0)
        waiter.close()

    def _watched(self) -> list[Room]:
        with self._lock:
            while not self._rooms and not self._stopping:
                self._lock.wait()
            return [] if self._stopping else list(self._rooms.values())

    def _all_read(self, rooms: list[Room]) -> bool:
        with self._lock:
            return all(one.is_read for one in self._rooms.values()) and len(rooms) == len(self._rooms)

    def _read(self, conn: psycopg.Connection[Any], rooms: list[Room]) -> None:
        since = self._house.now() - FRESH
        old = {room.patient: room for room in rooms if room.is_read}
        new = {room.patient: room for room in rooms if not room.is_read}
        for row in rows(conn, "lag"):
            shard, last = row["shard"], row["stored_position"]
            before = self._positions.get(shard, last)
            for mine, after in ((old, before), (new, -1)):
                if mine and after < last:
                    asked = {"patients": list(mine), "shard": shard, "after": after, "last": last, "since": since}
                    for part in rows(conn, "ecg_fresh", **asked):
                        mine[part["patient"]].take(part)
            self._positions[shard] = last
        for room in new.values():
            room.is_read = True
        if new or time.monotonic() - self._state_at >= STATE_S:
            self._state(conn, {room.patient: room for room in rooms})

    def _state(self, conn: psycopg.Connection[Any], rooms: dict[str, Room]) -> None:
        """The rate as it was counted last, what is wrong with the signal, and when the newest sample was measured."""
        self._state_at = time.monotonic()
        patients = list(rooms)
        rates = {row["patient"]: row for row in rows(conn, "rate_now", patients=patients, kind=ReadingKind.HEART_RATE)}
        newest = {row["patient"]: row["at"] for row in rows(conn, "ecg_newest", patients=patients)}
        wrong: dict[str, Row] = {}
        for row in rows(conn, "present", patients=patients):
            if row["kind"] == "technical":
                wrong[row["subject"]] = row
        for patient, room in rooms.items():
            rate, trouble = rates.get(patient), wrong.get(patient)
            room.state = {
                "rate_bpm": rate and rate["rate_bpm"],
                "rate_at": rate and rate["at"],
                "trouble": trouble and trouble["condition"],
                "cause": trouble and trouble["evidence"].get("cause"),
                "newest_at": newest.get(patient),
            }

    def _tell(self, rooms: list[Room]) -> None:
        with self._lock:
            for room in rooms:
                for loop, event in room.viewers:
                    with suppress(RuntimeError):  # its loop has ended: the socket is gone
                        loop.call_soon_threadsafe(event.set)
