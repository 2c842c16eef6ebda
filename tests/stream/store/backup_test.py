"""A backup made under writes is one moment of the store; a restore gives that moment back, or touches nothing."""

from __future__ import annotations

import json
import threading
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from stream.store.backup import BackupError, back_up, verify
from stream.store.connect import connect
from stream.store.maintain import maintain
from stream.store.migrate import FOLDERS, State, migrate, migrations, status
from stream.store.restore import FENCE_LEAP, NotEmpty, restore

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

SECOND = timedelta(seconds=1)


def _everything(dsn: str) -> dict[str, list[str]]:
    """Every row of every table as text."""
    with psycopg.connect(dsn) as conn:
        names = conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname = ANY (%s) AND relkind IN ('r', 'p') AND NOT relispartition",
            [list(FOLDERS)],
        ).fetchall()
        return {name: sorted(row[0] for row in conn.execute(f"SELECT t::text FROM {name} t")) for (name,) in names}


def _fill(filler: Any, now: datetime) -> None:
    maintain(filler.dsn, now=now)
    filler.batch(now, now, now + SECOND, now - timedelta(days=300), readings_at=(now,))
    filler.chart(1)
    filler.conn.execute("UPDATE stream.cursor SET fence = 7")
    filler.conn.execute(
        "INSERT INTO stream.quarantine VALUES (gen_random_uuid(), %s, NULL, NULL, 'malformed', %s, %s, 1, now(), now(), %s)",
        ["gw", "tab\tline\nback\\slash \\N", b"\0\xff", bytes(range(256))],
    )


def test_a_restored_store_equals_the_one_of_the_backup(
    filler: Any, empty_dsn: str, tmp_path: Path, now: datetime
) -> None:
    _fill(filler, now)
    path = tmp_path / "store.zip"
    manifest = back_up(filler.dsn, path)
    assert manifest.rows == sum(map(len, _everything(filler.dsn).values()))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["store.zip"]
    restored = restore(empty_dsn, path)
    before, after = _everything(filler.dsn), _everything(empty_dsn)
    assert before.pop("stream.cursor") == ["(0,7,1,,)"]
    assert after.pop("stream.cursor") == [f"(0,{7 + FENCE_LEAP},1,,)"]
    assert before == after
    assert restored.fences == {0: 7 + FENCE_LEAP}
    assert restored.later == ()
    assert set(status(empty_dsn).values()) <= {State.APPLIED, State.NOT_FOR_THIS_SERVER}
    with connect(empty_dsn, "test") as conn:
        parts = conn.execute("SELECT DISTINCT tableoid::regclass::text FROM stream.ecg ORDER BY 1").fetchall()
        assert parts == [("stream.ecg_20261124",), ("stream.ecg_default",)]
        # Numbering goes on: a new outbox gets a number that nobody had.
        conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e2')")


def test_a_backup_under_writes_is_one_moment(filler: Any, empty_dsn: str, tmp_path: Path, now: datetime) -> None:
    maintain(filler.dsn, now=now)
    for n in range(200):
        filler.batch(now + n * SECOND, now + n * SECOND, readings_at=(now + n * SECOND,))
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            filler.batch(now + filler.position * SECOND, now, readings_at=(now,))
            written.set()

    def told(what: str, done: int, total: int) -> None:
        # Between two tables the writer gets ahead: without one snapshot they would tell different moments.
        if what in {"stream.ecg", "stream.reading"}:
            written.clear()
            assert written.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifest = back_up(filler.dsn, tmp_path / "store.zip", told)
    finally:
        stop.set()
        writer.join()
    assert filler.position > manifest.judged_position >= 200
    restore(empty_dsn, tmp_path / "store.zip")
    with psycopg.connect(empty_dsn) as conn:
        for table in ("batch", "ecg", "reading"):
            row = conn.execute(f"SELECT count(*), max(position) FROM stream.{table}").fetchone()
            assert row == (manifest.judged_position, manifest.judged_position)


def test_lanes_tell_how_far_each_outbox_is_stored(filler: Any, empty_dsn: str, tmp_path: Path, now: datetime) -> None:
    filler.conn.execute("UPDATE stream.lane SET received = '{[1,4)}', checkpoint = 1")
    filler.position = 1
    filler.seqs["ecg"] = 4
    position = filler.batch(now, now, now)  # 5 and 6
    for ord_, (name, first, last) in enumerate([("abandoned", 8, 9), ("deferred", 11, 99), ("status", 20, None)], 5):
        filler.conn.execute(
            "INSERT INTO stream.other (shard, position, ord, name, lane, seq, last, received_at, body) "
            "VALUES (0, %s, %s, %s, %s, %s, %s, %s, '')",
            [position, ord_, name, filler.lane, first, last, now],
        )
    filler.conn.execute("INSERT INTO stream.lane (source, device, stream) SELECT source, 'd', 'new' FROM stream.source")
    back_up(filler.dsn, tmp_path / "store.zip")
    stands = restore(empty_dsn, tmp_path / "store.zip").lanes
    assert [(stand.client, stand.epoch, stand.stream, stand.stored) for stand in stands] == [
        ("gw", "e1", "ecg/I", ((1, 3), (5, 6), (8, 9), (20, 20))),
        ("gw", "e1", "new", ()),
    ]


def _tamper(path: Path, member: str, change: Any) -> None:
    """Write the zip anew with one member changed, as a person would who knows zip."""
    with zipfile.ZipFile(path) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    members[member] = change(members[member])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, octets in members.items():
            zipped.writestr(name, octets)


def test_a_table_that_was_tampered_with_is_named_and_nothing_is_loaded(
    filler: Any, empty_dsn: str, tmp_path: Path, now: datetime
) -> None:
    _fill(filler, now)
    path = tmp_path / "store.zip"
    back_up(filler.dsn, path)
    _tamper(path, "tables/stream.reading.copy", lambda octets: octets.replace(b"95", b"96"))
    _tamper(path, "tables/stream.batch.copy", lambda octets: octets + b"0\t9\n")
    with pytest.raises(BackupError, match=r"not what was written: stream\.batch, stream\.reading\. Use another backup"):
        restore(empty_dsn, path)
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("SELECT to_regnamespace('stream')").fetchone() == (None,)


def test_flipped_bits_and_a_lost_end_are_noticed(filler: Any, tmp_path: Path, now: datetime) -> None:
    _fill(filler, now)
    path = tmp_path / "store.zip"
    back_up(filler.dsn, path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as zipped:
        start = zipped.getinfo("tables/stream.ecg.copy").header_offset
    path.write_bytes(whole[: start + 80] + bytes([whole[start + 80] ^ 4]) + whole[start + 81 :])
    with pytest.raises(BackupError, match=r"not what was written: stream\.ecg\."):
        verify(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupError, match="is no backup, or was cut off"):
        verify(path)
    path.write_bytes(whole)
    _tamper(path, "manifest.json", lambda octets: octets[:-20])
    with pytest.raises(BackupError, match=r"manifest\.json is damaged"):
        verify(path)


def test_a_store_that_holds_anything_is_not_touched(filler: Any, dsn: str, tmp_path: Path, now: datetime) -> None:
    _fill(filler, now)
    back_up(filler.dsn, tmp_path / "store.zip")
    before = _everything(dsn)
    with pytest.raises(NotEmpty, match="holds a store already"):
        restore(dsn, tmp_path / "store.zip")
    assert _everything(dsn) == before


def test_a_file_is_never_overwritten_and_a_failed_one_leaves_nothing(filler: Any, tmp_path: Path) -> None:
    taken = tmp_path / "taken.zip"
    taken.write_bytes(b"older backup")
    with pytest.raises(BackupError, match="is there already"):
        back_up(filler.dsn, taken)
    assert taken.read_bytes() == b"older backup"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(BackupError, match=r"could not be written: .*No space left"):
        back_up(filler.dsn, tmp_path / "new.zip", fail)
    with pytest.raises(BackupError, match="could not be written"):
        back_up(filler.dsn, tmp_path / "no folder" / "new.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.zip"]


def test_a_failed_load_leaves_an_empty_database(filler: Any, empty_dsn: str, tmp_path: Path, now: datetime) -> None:
    _fill(filler, now)
    path = tmp_path / "store.zip"
    back_up(filler.dsn, path)

    def stop(what: str, done: int, total: int) -> None:
        with psycopg.connect(empty_dsn) as conn:
            if conn.execute("SELECT to_regclass('stream.lane')").fetchone() != (None,) and what == "stream.lane":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(empty_dsn, path, stop)
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("SELECT to_regnamespace('stream')").fetchone() == (None,)
    assert restore(empty_dsn, path).manifest.rows


def test_a_backup_of_other_migrations_is_refused_by_name(filler: Any, empty_dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "store.zip"
    back_up(filler.dsn, path)

    def newer(octets: bytes) -> bytes:
        manifest = json.loads(octets)
        manifest["migrations"]["stream/9999_later"] = "0"
        return json.dumps(manifest).encode()

    _tamper(path, "manifest.json", newer)
    with pytest.raises(BackupError, match="stream/9999_later, which this version lacks"):
        restore(empty_dsn, path)


def test_only_the_migrations_of_a_backup_are_applied_before_it_is_loaded(empty_dsn: str) -> None:
    first = next(migration.label for migration in migrations())
    assert migrate(empty_dsn, only={first}) == [first]
    assert status(empty_dsn)["stream/0002_reads"] is State.PENDING
    assert first not in migrate(empty_dsn)
