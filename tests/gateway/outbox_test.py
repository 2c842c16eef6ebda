"""The outbox on a real file: numbers, ring, receipts, dating, damage, a full disk, and kill -9 in mid-write."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import ranges, wire
from gateway.lane import LaneName
from gateway.outbox import Outbox, OutboxFull
from gateway.outbox_hold import OutboxBusy
from gateway.outbox_repair import open_outbox
from gateway.reading import AbandonReason, AtSource, DeviceId, DeviceStatus, EcgChunk, Reading, StreamName
from gateway.sessions.session import Moment, status
from tests.gateway.made import SECOND, START, draft, ecg, pressure

if TYPE_CHECKING:
    from collections.abc import Iterator

ECG = LaneName(DeviceId("H10-1"), StreamName("ecg/I"))
PRESSURE = LaneName(DeviceId("CUFF-1"), StreamName("blood_pressure"))
NOW = Moment(at=START, monotonic_ns=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def box(path: Path) -> Iterator[Outbox]:
    made = Outbox(path, boot="boot-1")
    yield made
    made.close()


def fill(box: Outbox, chunks: int = 0, readings: int = 0) -> None:
    box.append([draft(ecg(n)) for n in range(chunks)] + [draft(pressure(n)) for n in range(readings)], right=True)


def held(box: Outbox, lane: LaneName) -> ranges.Ranges:
    return next((state.held for state in box.lanes() if state.lane == lane), ())


def test_numbers_go_on_over_restarts_and_the_epoch_stays(path: Path) -> None:
    first = Outbox(path, boot="b")
    kept, _ = first.append([draft(ecg(0)), draft(pressure(0)), draft(ecg(1))], right=True)
    assert [(k.lane, k.seq, k.waveform) for k in kept] == [(ECG, 1, True), (PRESSURE, 1, False), (ECG, 2, True)]
    first.settle(ECG, stored=((1, 2),), safe=((1, 2),), lost=())
    first.close()
    second = Outbox(path, boot="b")
    assert second.epoch == first.epoch
    kept, _ = second.append([draft(ecg(2))], right=True)
    assert [k.seq for k in kept] == [3]
    assert second.ledger() == {ECG: 3, PRESSURE: 1}
    other = Outbox(path.with_name("other.db"), boot="b")
    assert other.epoch != second.epoch
    other.close()
    second.close()


def test_what_was_put_in_comes_out_whole(box: Outbox) -> None:
    fill(box, 3, 1)
    events, bad = box.events(ECG, 2, 3)
    assert not bad
    assert [(e.seq, e.samples) for e in events if isinstance(e, EcgChunk)] == [(2, ecg(1).samples), (3, ecg(2).samples)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40), st.integers(0, 12)), max_size=25))
def test_held_given_up_and_receipted_are_always_everything(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int]]
) -> None:
    """The ledger: every number that was given is held, given up, or was receipted; never two of them."""
    box = Outbox(tmp_path_factory.mktemp("ring") / "o.db", boot="b", ring_bytes=12_000, durable=False)
    safe: dict[LaneName, ranges.Ranges] = {ECG: (), PRESSURE: ()}
    for kind, first, length in steps:
        if kind < 3:
            box.append([draft(ecg(n) if kind else pressure(n)) for n in range(length)], right=True)
        else:
            for lane in set(safe) & set(box.ledger()):
                here = held(box, lane)
                stored = ((first, first + length),)
                safe[lane] = ranges.union(safe[lane], ranges.subtract(here, ranges.subtract(here, stored)))
                box.settle(lane, stored=(), safe=stored, lost=())
    for lane, highest in box.ledger().items():
        given_up = ranges.normalise((g.first, g.last) for g in box.gaps() if g.lane == lane)
        here = held(box, lane)
        assert ranges.union(ranges.union(here, given_up), safe[lane]) == (((1, highest),) if highest else ())
        assert ranges.size(here) + ranges.size(given_up) + ranges.size(safe[lane]) == highest
        assert lane == ECG or not given_up
    box.close()


def test_the_ring_gives_up_the_oldest_waveform_and_says_so(path: Path) -> None:
    box = Outbox(path, boot="b", ring_bytes=60_000)
    fill(box, 1, 60)
    for n in range(200):
        kept, gaps = box.append([draft(ecg(n + 1))], right=True)
        assert [k.seq for k in kept] == [n + 2]
    (gap,) = box.gaps()
    assert (gap.lane, gap.first, gap.reason) == (ECG, 1, AbandonReason.DISK_FULL)
    assert held(box, ECG) == ((gap.last + 1, 201),)
    assert held(box, PRESSURE) == ((1, 60),)
    assert box.bytes_held <= 60_000
    assert gaps
    # Until a receipt covers it, over a restart too.
    box.close()
    box = Outbox(path, boot="b")
    assert box.gaps() == [gap]
    box.settle(ECG, stored=((1, gap.last - 1),), safe=(), lost=())
    assert box.gaps() == [gap]
    box.settle(ECG, stored=((1, gap.last),), safe=(), lost=())
    assert not box.gaps()
    box.close()


def test_readings_are_never_given_up(path: Path) -> None:
    box = Outbox(path, boot="b", ring_bytes=1000)
    fill(box, 2, 50)
    assert held(box, PRESSURE) == ((1, 50),)
    assert held(box, ECG) == ()
    assert box.percent_full == 100
    box.close()


def test_refused_events_are_kept_as_dead_letters(box: Outbox) -> None:
    fill(box, 5)
    (gap,) = box.refuse(ECG, ((2, 3),), "impossible: 0 Hz")
    assert (gap.first, gap.last, gap.reason) == (2, 3, AbandonReason.REFUSED)
    assert held(box, ECG) == ((1, 1), (4, 5))
    dead = box.dead_letters()
    assert [(lane, seq, reason) for lane, seq, reason, _ in dead] == [
        (ECG, 2, "impossible: 0 Hz"),
        (ECG, 3, "impossible: 0 Hz"),
    ]
    event, _ = wire.decode_event(dead[0][3])
    assert isinstance(event, EcgChunk)
    assert event.samples == ecg(1).samples


def test_lost_by_the_server(box: Outbox) -> None:
    fill(box, 4)
    box.settle(ECG, stored=((1, 4),), safe=((1, 4),), lost=())
    (gap,) = box.settle(ECG, stored=((1, 1),), safe=(), lost=((2, 4),))
    assert (gap.first, gap.last, gap.reason) == (2, 4, AbandonReason.STORE_LOST)


# ---------------------------------------------------------------------- the right time


def test_events_wait_for_the_right_time_and_are_dated_once(box: Outbox) -> None:
    boot = datetime(1970, 1, 1, tzinfo=UTC)
    kept, _ = box.append([draft(ecg(0, at=boot), 5 * SECOND), draft(pressure(0, at=boot), 6 * SECOND)], right=False)
    assert kept == []
    assert box.has_undated
    assert box.date(None, expired=False) == ([], [])
    kept, _ = box.date(lambda ns: START + timedelta(seconds=ns / SECOND), expired=False)
    assert [(k.lane, k.seq) for k in kept] == [(ECG, 1), (PRESSURE, 1)]
    assert not box.has_undated
    (chunk,), _ = box.events(ECG, 1, 1)
    assert (chunk.at, chunk.received_at) == (START + timedelta(seconds=5),) * 2
    # Never again, whatever the clock says later.
    assert box.date(lambda _: START + timedelta(days=1), expired=True) == ([], [])
    (again,), _ = box.events(ECG, 1, 1)
    assert again == chunk
    assert box.chain_problems(PRESSURE.device) == []


def test_after_ten_minutes_and_from_an_earlier_boot_it_is_estimated(path: Path) -> None:
    first = Outbox(path, boot="boot-1")
    first.append([draft(ecg(0))], right=False)
    first.close()
    second = Outbox(path, boot="boot-2")
    second.append([draft(pressure(0), 7 * SECOND)], right=False)
    # The other boot's clock says nothing about this one's: no use in waiting.
    assert [k.lane for k in second.date(None, expired=False)[0]] == [ECG]
    assert [k.lane for k in second.date(None, expired=True)[0]] == [PRESSURE]
    for lane in (ECG, PRESSURE):
        (event,), _ = second.events(lane, 1, 1)
        assert isinstance(event, EcgChunk | Reading)
        assert event.at_source is AtSource.ESTIMATED
        assert event.at == START
    second.close()


def test_a_damaged_row_that_waits_for_its_time_is_given_up(box: Outbox, path: Path) -> None:
    box.append([draft(ecg(0)), draft(ecg(1))], right=False)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entry SET crc = 0 WHERE seq = 1")
    kept, (gap,) = box.date(None, expired=True)
    assert [k.seq for k in kept] == [2]
    assert (gap.first, gap.last, gap.reason) == (1, 1, AbandonReason.DAMAGED)
    assert not box.has_undated


# ---------------------------------------------------------------------- the chain of readings


def test_the_chain_holds_over_days_restarts_and_receipts(path: Path) -> None:
    for day in range(3):
        box = Outbox(path, boot="b")
        box.append([draft(pressure(n, at=START + timedelta(days=day))) for n in range(4)], right=True)
        box.settle(PRESSURE, stored=((1, 6),), safe=((1, 6),), lost=())
        assert box.chain_problems(PRESSURE.device) == []
        box.close()


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        # A reading made milder in the file, checksum and all.
        ("UPDATE entry SET body = replace(body, x'cb405e', x'cb405d') WHERE seq = 2", "its bytes are not"),
        # The link patched to fit breaks the next one.
        ("UPDATE chain SET digest = zeroblob(32) WHERE n = 2", "does not follow"),
        ("DELETE FROM chain WHERE n = 2", "the one before it is missing"),
    ],
)
def test_tampering_with_a_reading_shows(box: Outbox, path: Path, tampering: str, found: str) -> None:
    fill(box, 0, 4)
    with sqlite3.connect(path) as db:
        assert db.execute(tampering).rowcount >= 1
    assert any(found in problem for problem in box.chain_problems(PRESSURE.device))


# ---------------------------------------------------------------------- damage


def test_a_damaged_row_is_given_up_by_name_and_the_rest_is_sent(box: Outbox, path: Path) -> None:
    fill(box, 5)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entry SET body = substr(body, 1, 100) || x'ff' || substr(body, 102) WHERE seq = 3")
    events, (gap,) = box.events(ECG, 1, 5)
    assert [e.seq for e in events] == [1, 2, 4, 5]
    assert (gap.first, gap.last, gap.reason) == (3, 3, AbandonReason.DAMAGED)
    assert held(box, ECG) == ((1, 2), (4, 5))


def test_a_damaged_file_is_set_aside_and_what_reads_is_saved(path: Path) -> None:
    box = Outbox(path, boot="b")
    fill(box, 300, 20)
    epoch = box.epoch
    box.close()
    data = bytearray(path.read_bytes())
    assert len(data) > 80_000
    data[40_000:44_096] = b"\xa5" * 4096
    path.write_bytes(data)
    saved = open_outbox(path, NOW, boot="b")
    assert saved.epoch != epoch
    assert path.with_name("outbox.db.damaged-1").exists()
    rows = saved.ledger()
    assert sum(rows.values()) >= 150
    events, bad = saved.events(ECG, 1, rows[ECG])
    assert not bad
    originals = {ecg(n).index: ecg(n).samples for n in range(300)}
    assert all(isinstance(e, EcgChunk) and originals[e.index] == e.samples for e in events)
    notes, _ = saved.events(LaneName(ECG.device, StreamName("status")), 1, 1)
    assert isinstance(notes[0], DeviceStatus)
    assert "outbox was damaged" in (notes[0].note or "")
    saved.close()


def test_two_gateways_on_one_outbox_are_refused_by_name(path: Path, box: Outbox) -> None:
    fill(box, 1)
    with pytest.raises(OutboxBusy, match="in use by another gateway"):
        open_outbox(path, NOW, boot="b")
    assert held(box, ECG) == ((1, 1),)


def test_no_sqlite_at_all_is_a_fresh_start(path: Path) -> None:
    path.write_bytes(b"not a database, just what a dying card gives" * 100)
    box = open_outbox(path, NOW, boot="b")
    fill(box, 1)
    assert held(box, ECG) == ((1, 1),)
    box.close()


# ---------------------------------------------------------------------- a full disk


def limit_pages(box: Outbox, spare: int) -> None:
    """As a disk that has room for `spare` more pages."""
    pages = box._db.execute("PRAGMA page_count").fetchone()[0]
    box._db.execute(f"PRAGMA max_page_count = {pages + spare}")


def test_on_a_full_disk_waveform_makes_room_for_what_comes(box: Outbox) -> None:
    fill(box, 2000)
    limit_pages(box, 4)
    for n in range(300):
        box.append([draft(pressure(n)), draft(ecg(2000 + n))], right=True)
    assert held(box, PRESSURE) == ((1, 300),)
    (gap,) = box.gaps()
    assert (gap.lane, gap.first, gap.reason) == (ECG, 1, AbandonReason.DISK_FULL)
    assert held(box, ECG) == ((gap.last + 1, 2300),)


def test_full_without_waveform_keeps_nothing_and_uses_no_number(box: Outbox) -> None:
    fill(box, 0, 200)
    limit_pages(box, 0)
    both = [draft(pressure(0)), draft(status(PRESSURE.device, NOW).event)]
    with pytest.raises(OutboxFull, match="full"):
        box.append(both * 500, right=True)
    limit_pages(box, 1000)
    before = box.ledger()[PRESSURE]
    assert held(box, PRESSURE) == ((1, before),)
    kept, _ = box.append([draft(pressure(0))], right=True)
    assert [k.seq for k in kept] == [before + 1]


# ---------------------------------------------------------------------- kill -9

WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from gateway.outbox import Outbox
    from tests.gateway.made import draft, ecg, pressure
    box = Outbox(Path(sys.argv[1]), boot="b", ring_bytes=300_000)
    n = 0
    while True:
        kept, _ = box.append([draft(ecg(n)), draft(pressure(n)), draft(ecg(n + 1))], right=True)
        print(*(f"{k.lane.device}:{k.seq}" for k in kept), flush=True)
        n += 2
""")


@pytest.mark.parametrize("after", [1, 7, 40, 150])
def test_kill_9_loses_nothing_that_was_committed(path: Path, after: int) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=root, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(after)]
        writer.kill()
        said += writer.stdout.readlines()
    whole = [word for line in said if line.endswith("\n") for word in line.split()]
    box = open_outbox(path, NOW, boot="b")
    ledger = box.ledger()
    for device, lane in (("H10-1", ECG), ("CUFF-1", PRESSURE)):
        told = max(int(word.split(":")[1]) for word in whole if word.startswith(device))
        # What was committed and not yet said counts too; a transaction is whole or not there.
        assert told <= ledger[lane] <= told + 2
        given_up = ranges.normalise((g.first, g.last) for g in box.gaps() if g.lane == lane)
        assert ranges.union(held(box, lane), given_up) == ((1, ledger[lane]),)
        events, bad = box.events(lane, 1, ledger[lane])
        assert not bad
        assert [e.seq for e in events] == [n for a, b in held(box, lane) for n in range(a, b + 1)]
    assert ledger[ECG] == 2 * ledger[PRESSURE]
    assert box.chain_problems(PRESSURE.device) == []
    box.close()
