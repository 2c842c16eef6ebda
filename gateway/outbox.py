"""The outbox: what was heard is on disk before it is sent, and goes only when a receipt covers it.

SQLite in WAL mode, synchronous=FULL: an event exists from its commit on (a crash loses only what was not committed).
Readings are never given up: a full ring or disk takes the oldest waveform, and the range is reported. Blocking, safe to
call from any one thread at a time. A full disk: the reserve file is let go, the oldest waveform given up and the commit
tried once more; if that fails too `OutboxFull` is raised and nothing of the call is kept or numbered.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zlib import crc32

from gateway import outbox_chain as chain
from gateway import ranges, wire
from gateway.lane import Gap, Kept, LaneName, lane_state
from gateway.outbox_events import estimated, moved, sound_event
from gateway.outbox_hold import take_hold
from gateway.reading import AbandonReason, DeviceId, EcgChunk, Epoch, Reading, StreamName
from gateway.sql_file import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from gateway.lane import LaneState
    from gateway.ranges import Ranges
    from gateway.reading import Sequenced
    from gateway.sessions.session import Draft

SQL = statements(Path(__file__).with_suffix(".sql"))
RING_BYTES = 256 * 1024 * 1024
RESERVE_BYTES = 1024 * 1024
"""Kept aside as a file, so that a full disk leaves room to give something up."""
ROW_BYTES = 160
"""What an event costs on disk beside its body, about."""
_DATE_AT_ONCE = 2000


class OutboxFull(OSError):
    """The disk is full, and giving up waveform did not help: nothing was kept; free space on the gateway's disk."""


class OutboxDamaged(OSError):
    """The outbox's file cannot be read: start the gateway again, which saves what can be read into a new file."""


class Outbox:
    """One open file; `open_outbox` (outbox_repair) makes or repairs it first."""

    def __init__(
        self,
        path: Path,
        *,
        boot: str,
        ring_bytes: int = RING_BYTES,
        durable: bool = True,
        read_only: bool = False,
        hold: IO[bytes] | None = None,
    ) -> None:
        """`durable=False` leaves syncing to the system: for many virtual gateways in one process, not for a patient."""
        self.path = path
        self._held = None if read_only else hold or take_hold(path)
        self._boot = boot
        self._ring_bytes = ring_bytes
        self._reserve = path.with_suffix(".reserve")
        self._lock = threading.Lock()
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        if not read_only:
            self._make(durable=durable)
        self.epoch = Epoch(self._run("get_meta", name="epoch").fetchone()[0])
        self._lanes: dict[LaneName, tuple[int, int]] = {}
        self._names: dict[int, LaneName] = {}
        self._load_lanes()
        body_bytes, rows = self._run("total_bytes").fetchone()
        self._bytes: int = body_bytes + rows * ROW_BYTES
        self.has_undated = bool(self._run("undated", limit=1).fetchall())
        """Whether events wait for the right time."""
        if not read_only:
            self._keep_reserve()

    def _make(self, *, durable: bool) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            self._db.executescript("BEGIN;" + SQL["schema"] + "COMMIT;")
        with self._transaction():
            if self._run("get_meta", name="epoch").fetchone() is None:
                self._run("set_meta", name="epoch", value=secrets.token_hex(8))

    def close(self) -> None:
        """Ends; the file stays."""
        with self._lock:
            self._db.close()
            if self._held is not None:
                self._held.close()

    # ------------------------------------------------------------------ taking in

    def append(self, drafts: Sequence[Draft], *, right: bool) -> tuple[list[Kept], list[Gap]]:
        """Numbers and commits events; `right`: the clock that dated them is known to be right.

        Gives what can be sent now (undated events come later, from `date`) and what the ring gave up for them.

        Raises:
            OutboxFull: nothing was kept, no number was used.
        """
        with self._lock:
            try:
                return self._append(drafts, right=right)
            except sqlite3.OperationalError as error:
                if not _is_full(error):
                    raise
            try:
                gaps = self._make_room()
                kept, more = self._append(drafts, right=right)
            except sqlite3.OperationalError as error:
                raise OutboxFull(f"{self.path}: {error}") from error
            return kept, gaps + more

    def _append(self, drafts: Sequence[Draft], *, right: bool) -> tuple[list[Kept], list[Gap]]:
        before = self._bytes
        try:
            with self._transaction():
                kept = [self._insert(draft, right=right) for draft in drafts]
                for lane in {LaneName(draft.event.device, draft.event.stream) for draft in drafts}:
                    number, next_seq = self._lanes[lane]
                    self._run("advance_lane", lane=number, next_seq=next_seq)
                gaps = self._trim(self._ring_bytes)
        except BaseException:
            self._bytes = before
            self._load_lanes()
            raise
        gone = ranges_of(gaps)
        return [k for k in kept if k is not None and not ranges.contains(gone.get(k.lane, ()), k.seq)], gaps

    def _insert(self, draft: Draft, *, right: bool) -> Kept | None:
        name = LaneName(draft.event.device, draft.event.stream)
        if name not in self._lanes:
            number = self._run("new_lane", device=name.device, stream=name.stream).lastrowid or 0
            self._lanes[name], self._names[number] = (number, 1), name
        lane, seq = self._lanes[name]
        event: Sequenced = replace(draft.event, seq=seq)
        body = wire.encode(event)
        heard_s = (event.received_at or event.at).timestamp()
        waveform = isinstance(event, EcgChunk)
        self._run(
            "insert_entry",
            lane=lane,
            seq=seq,
            waveform=waveform,
            dated=right,
            heard_s=heard_s,
            heard_ns=draft.heard_monotonic_ns,
            boot=self._boot,
            device_time=draft.device_time,
            crc=crc32(body),
            body=body,
        )
        self._lanes[name] = (lane, seq + 1)
        self._bytes += len(body) + ROW_BYTES
        if not right:
            self.has_undated = True
            return None
        if isinstance(event, Reading):
            chain.add(self._run, name.device, event, lane, body)
        return Kept(lane=name, seq=seq, waveform=waveform, heard_s=heard_s)

    def _trim(self, limit: int) -> list[Gap]:
        """Gives up the oldest waveform until the ring fits; readings stay, whatever it costs."""
        gaps: list[Gap] = []
        while self._bytes > limit:
            oldest = self._run("oldest_waveform", limit=64).fetchall()
            if not oldest:
                break
            for entry, lane, seq, size in oldest:
                if self._bytes <= limit:
                    break
                self._run("delete_entry", entry=entry)
                self._bytes -= size + ROW_BYTES
                gaps.append(self._give_up(lane, seq, seq, AbandonReason.DISK_FULL))
        return gaps

    def _give_up(self, lane: int, first: int, last: int, reason: AbandonReason) -> Gap:
        before = self._run("gap_before", lane=lane, before=first - 1, reason=reason.value).fetchone()
        start = before[0] if before else first
        self._run("put_gap", lane=lane, first=start, last=last, reason=reason.value)
        return Gap(lane=self._names[lane], first=first, last=last, reason=reason)

    def _make_room(self) -> list[Gap]:
        """On a full disk: a twentieth of the ring's content, at least 256 kB, oldest waveform first."""
        with suppress(OSError):
            self._reserve.unlink()
        before = self._bytes
        try:
            with self._transaction():
                return self._trim(self._bytes - max(256 * 1024, self._bytes // 20))
        except BaseException:
            self._bytes = before
            raise

    # ------------------------------------------------------------------ the right time, once

    def date(self, right_at: Callable[[int], datetime] | None, *, expired: bool) -> tuple[list[Kept], list[Gap]]:
        """Dates events that were heard before the time was known; each once, and never again.

        `right_at` maps this boot's monotonic clock to the true time; None: not known. Events of an earlier boot cannot
        be mapped, and with `expired` (ten minutes have passed) nothing waits any longer: those go as `estimated`.
        Gives what can be sent now, and what turned out damaged.
        """
        with self._lock:
            rows = self._run("undated", limit=_DATE_AT_ONCE).fetchall()
            kept: list[Kept] = []
            gaps: list[Gap] = []
            with self._transaction():
                for entry, lane, seq, waveform, heard_ns, boot, crc, body in rows:
                    here = boot == self._boot
                    if here and right_at is None and not expired:
                        continue
                    event = sound_event(body, crc)
                    if event is None:
                        gaps.append(self._give_up(lane, seq, seq, AbandonReason.DAMAGED))
                        self._delete(lane, ((seq, seq),))
                        continue
                    event = moved(event, right_at(heard_ns)) if right_at is not None and here else estimated(event)
                    heard_s = self._date_row(entry, lane, event)
                    kept.append(Kept(lane=self._names[lane], seq=seq, waveform=bool(waveform), heard_s=heard_s))
            self.has_undated = len(kept) + len(gaps) < len(rows) or len(rows) == _DATE_AT_ONCE
            return kept, gaps

    def _date_row(self, entry: int, lane: int, event: Sequenced) -> float:
        body = wire.encode(event)
        heard_s = (event.received_at or event.at).timestamp()
        self._run("date_entry", entry=entry, heard_s=heard_s, crc=crc32(body), body=body)
        if isinstance(event, Reading):
            chain.add(self._run, event.device, event, lane, body)
        return heard_s

    # ------------------------------------------------------------------ sending

    def lanes(self) -> list[LaneState]:
        """Every lane, for a courier that starts."""
        gaps = self.gaps()
        with self._lock:
            return [
                lane_state(name, next_seq, self._run("held", lane=number), gaps)
                for name, (number, next_seq) in self._lanes.items()
            ]

    def events(self, lane: LaneName, first: int, last: int) -> tuple[list[Sequenced], list[Gap]]:
        """The events of a range that are still here, and what of it turned out damaged (given up at once)."""
        with self._lock:
            number, _ = self._lanes[lane]
            good: list[Sequenced] = []
            bad: list[int] = []
            try:
                rows = self._run("bodies", lane=number, first=first, last=last).fetchall()
            except sqlite3.DatabaseError as error:
                raise OutboxDamaged(f"{self.path}: {error}") from error
            for seq, crc, body in rows:
                event = sound_event(body, crc)
                if event is not None and event.seq == seq:
                    good.append(event)
                else:
                    bad.append(seq)
            return good, self._remove(number, ranges.normalise((seq, seq) for seq in bad), AbandonReason.DAMAGED)

    def _remove(self, lane: int, gone: Ranges, reason: AbandonReason) -> list[Gap]:
        if not gone:
            return []
        with self._transaction():
            gaps = [self._give_up(lane, first, last, reason) for first, last in gone]
            self._delete(lane, gone)
        return gaps

    def _delete(self, lane: int, gone: Ranges) -> None:
        for first, last in gone:
            size, rows = self._run("size_of_range", lane=lane, first=first, last=last).fetchone()
            self._run("delete_range", lane=lane, first=first, last=last)
            self._bytes -= size + rows * ROW_BYTES

    def settle(self, lane: LaneName, *, stored: Ranges, safe: Ranges, lost: Ranges) -> list[Gap]:
        """After a receipt: `safe` rows go, gaps that `stored` covers are closed, `lost` becomes a gap."""
        with self._lock:
            number, _ = self._lanes[lane]
            with self._transaction():
                self._delete(number, safe)
                for first, last in stored:
                    self._run("close_gaps", lane=number, first=first, last=last)
                gaps = [self._give_up(number, first, last, AbandonReason.STORE_LOST) for first, last in lost]
            self._keep_reserve()
            return gaps

    def refuse(self, lane: LaneName, refused: Ranges, reason: str) -> list[Gap]:
        """The server will never take these: they become dead letters, and their range a gap."""
        with self._lock:
            if lane not in self._lanes:
                return []
            number, _ = self._lanes[lane]
            # What a receipt has covered meanwhile (quarantined there, say) is gone from here and needs no report.
            here = [seq for a, b in refused for (seq,) in self._run("present", lane=number, first=a, last=b)]
            mine = ranges.normalise((seq, seq) for seq in here)
            with self._transaction():
                for first, last in mine:
                    self._run("bury", lane=number, first=first, last=last, reason=reason)
                gaps = [self._give_up(number, first, last, AbandonReason.REFUSED) for first, last in mine]
                self._delete(number, mine)
            return gaps

    # ------------------------------------------------------------------ looking

    def counts(self) -> list[tuple[LaneName, int, int, int, float | None, int]]:
        """By lane: highest seq committed, rows held, their bytes, oldest (seconds since 1970), rows not yet dated."""
        with self._lock:
            return [(LaneName(DeviceId(d), StreamName(s)), *rest) for d, s, *rest in self._run("counts")]

    def ledger(self) -> dict[LaneName, int]:
        """The sent ledger: for each lane the highest number that was ever committed."""
        with self._lock:
            return {name: next_seq - 1 for name, (_, next_seq) in self._lanes.items()}

    def gaps(self) -> list[Gap]:
        """What was given up and is not confirmed yet."""
        with self._lock:
            return [
                Gap(lane=self._names[n], first=a, last=b, reason=AbandonReason(r)) for n, a, b, r in self._run("gaps")
            ]

    def dead_letters(self) -> list[tuple[LaneName, int, str, bytes]]:
        """What the server refused: lane, seq, reason, bytes."""
        with self._lock:
            return [(LaneName(DeviceId(d), StreamName(s)), n, r, b) for d, s, n, r, b in self._run("dead_letters")]

    def chain_problems(self, device: DeviceId) -> list[str]:
        """A line for each link of a device's chain that does not hold; empty: nothing was changed."""
        with self._lock:
            return chain.problems(self._run("chain_of", device=device))

    @property
    def bytes_held(self) -> int:
        """What the ring holds, about."""
        return self._bytes

    @property
    def percent_full(self) -> int:
        """How full the ring is, 0 to 100: at 100 the oldest waveform is being given up."""
        return min(100, 100 * self._bytes // self._ring_bytes)

    # ------------------------------------------------------------------ SQLite

    def _run(self, name: str, /, **values: Any) -> sqlite3.Cursor:
        return self._db.execute(SQL[name], values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _load_lanes(self) -> None:
        rows = self._run("lanes").fetchall()
        self._lanes = {LaneName(DeviceId(d), StreamName(s)): (n, next_seq) for n, d, s, next_seq in rows}
        self._names = {number: name for name, (number, _) in self._lanes.items()}

    def _keep_reserve(self) -> None:
        if self._reserve.exists():
            return
        try:
            self._reserve.write_bytes(secrets.token_bytes(RESERVE_BYTES))
        except OSError:
            with suppress(OSError):
                self._reserve.unlink()


def ranges_of(gaps: Sequence[Gap]) -> dict[LaneName, Ranges]:
    """Gaps by lane."""
    found: dict[LaneName, Ranges] = {}
    for gap in gaps:
        found[gap.lane] = ranges.add(found.get(gap.lane, ()), gap.first, gap.last)
    return found


def _is_full(error: sqlite3.OperationalError) -> bool:
    # A quota or a file size limit shows as an I/O error on writing.
    return error.sqlite_errorname.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSTAT"))
