"""Opening an outbox whose file may be damaged: what can be read is carried into a new file with a new epoch.

Never deletes the damaged file: it stays beside the new one for a person to look at. Events keep their content, so the
server knows them again (readings by their content, ECG by session and index), whatever their new number.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from zlib import crc32

from gateway import wire
from gateway.outbox import RING_BYTES, Outbox
from gateway.outbox_hold import take_hold
from gateway.reading import DeviceStatus, EcgChunk, Reading
from gateway.sessions.session import UNNUMBERED, Draft, Moment, status

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.reading import DeviceId, Sequenced


def open_outbox(path: Path, now: Moment, *, boot: str, ring_bytes: int = RING_BYTES, durable: bool = True) -> Outbox:
    """The outbox at `path`, made if it is not there, saved into a new one if it is damaged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hold = take_hold(path)
    if not path.exists() or is_sound(path):
        return Outbox(path, boot=boot, ring_bytes=ring_bytes, durable=durable, hold=hold)
    aside = _set_aside(path)
    saved = readable_events(aside)
    outbox = Outbox(path, boot=boot, ring_bytes=ring_bytes, durable=durable, hold=hold)
    drafts = [Draft(event=replace(event, seq=UNNUMBERED), heard_monotonic_ns=now.monotonic_ns) for event in saved]
    note = f"outbox was damaged: {len(saved)} unsent events were saved from it, the file is kept as {aside.name}"
    devices: dict[DeviceId, None] = dict.fromkeys(event.device for event in saved)
    outbox.append([*drafts, *(status(device, now, note=note) for device in devices)], right=True)
    return outbox


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file, and it is an outbox (or nothing yet)."""
    try:
        with closing(sqlite3.connect(path)) as db:
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            whole = not tables or {"meta", "lane", "entry", "gap", "dead", "chain"} <= tables
            return whole and bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        # Busy, or not to be opened: no damage, so nothing may be set aside for it.
        raise
    except sqlite3.DatabaseError:
        return False


def readable_events(path: Path) -> list[Sequenced]:
    """Every event of a damaged file that still reads and whose checksum holds."""
    found: list[Sequenced] = []
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as db:
        last = db.execute("SELECT max(entry) FROM entry").fetchone()[0] or 0
        entry = 0
        while entry < last:
            # One row at a time from where the last one stood: a bad page ends a cursor, not the search.
            step = 1
            with suppress(sqlite3.DatabaseError):
                row = db.execute(
                    "SELECT entry, crc, body FROM entry WHERE entry > ? ORDER BY entry LIMIT 1", (entry,)
                ).fetchone()
                if row is None:
                    break
                step = row[0] - entry
                if isinstance(row[2], bytes) and crc32(row[2]) == row[1]:
                    with suppress(wire.MalformedMessage):
                        event, _ = wire.decode_event(row[2])
                        if isinstance(event, EcgChunk | Reading | DeviceStatus):
                            found.append(event)
            entry += step
    return found


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for tail in ("-wal", "-shm"):
        beside = path.with_name(path.name + tail)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + tail))
    return aside
