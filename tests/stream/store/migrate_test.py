"""Migrations against a real PostgreSQL: each once, in order, all or nothing, and never past a difference."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from stream.store.migrate import MigrationError, State, migrate, migrations, status

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "CREATE SCHEMA stream; CREATE TABLE stream.a (x int);"
SECOND = "ALTER TABLE stream.a ADD COLUMN y int;"
THIRD = "CREATE SCHEMA alerts; CREATE TABLE alerts.b (x int);"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three migrations of two folders."""
    _write(tmp_path, "stream/0001_a", FIRST)
    _write(tmp_path, "stream/0002_y", SECOND)
    _write(tmp_path, "alerts/0001_b", THIRD)
    return tmp_path


def _write(root: Path, label: str, text: str) -> Path:
    folder, name = label.split("/")
    path = root / folder / "migrations" / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _columns(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.columns "
            "WHERE table_schema IN ('stream', 'alerts')"
        )
        return {row[0] for row in rows}


def test_each_is_applied_once_in_order(empty_dsn: str, tree: Path) -> None:
    assert migrate(empty_dsn, tree) == ["stream/0001_a", "stream/0002_y", "alerts/0001_b"]
    assert migrate(empty_dsn, tree) == []
    assert _columns(empty_dsn) == {"stream.a.x", "stream.a.y", "alerts.b.x"}


def test_a_later_one_of_an_earlier_folder_is_applied_too(empty_dsn: str, tree: Path) -> None:
    migrate(empty_dsn, tree)
    _write(tree, "stream/0003_z", "ALTER TABLE stream.a ADD COLUMN z int")
    assert migrate(empty_dsn, tree) == ["stream/0003_z"]


def test_status_changes_nothing_and_tells_what_is_pending(empty_dsn: str, tree: Path) -> None:
    pending = dict.fromkeys(["stream/0001_a", "stream/0002_y", "alerts/0001_b"], State.PENDING)
    assert status(empty_dsn, tree) == pending
    assert status(empty_dsn, tree) == pending
    migrate(empty_dsn, tree)
    assert set(status(empty_dsn, tree).values()) == {State.APPLIED}


def test_a_failing_file_leaves_nothing_of_itself(empty_dsn: str, tree: Path) -> None:
    _write(tree, "stream/0002_y", "ALTER TABLE stream.a ADD COLUMN y int; SELECT 1 / 0;")
    with pytest.raises(MigrationError, match="stream/0002_y failed and was not applied: division by zero"):
        migrate(empty_dsn, tree)
    assert _columns(empty_dsn) == {"stream.a.x"}
    _write(tree, "stream/0002_y", SECOND)
    assert migrate(empty_dsn, tree) == ["stream/0002_y", "alerts/0001_b"]


def test_an_edited_file_stops_everything_and_says_what_to_do(empty_dsn: str, tree: Path) -> None:
    migrate(empty_dsn, tree)
    path = _write(tree, "stream/0002_y", SECOND + " -- better")
    _write(tree, "alerts/0002_c", "CREATE TABLE alerts.c (x int)")
    with pytest.raises(MigrationError, match=r"stream/0002_y was edited .* as a new migration"):
        migrate(empty_dsn, tree)
    assert "alerts.c.x" not in _columns(empty_dsn)
    assert status(empty_dsn, tree)["stream/0002_y"] is State.CHANGED
    path.write_text(SECOND, encoding="utf-8")
    assert migrate(empty_dsn, tree) == ["alerts/0002_c"]


def test_other_line_endings_are_no_edit(empty_dsn: str, tree: Path) -> None:
    path = _write(tree, "stream/0003_z", "ALTER TABLE stream.a\n ADD COLUMN z int;\n")
    migrate(empty_dsn, tree)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(empty_dsn, tree) == []


def test_a_store_of_a_newer_version_is_left_alone(empty_dsn: str, tree: Path) -> None:
    newest = _write(tree, "stream/0003_z", "ALTER TABLE stream.a ADD COLUMN z int")
    migrate(empty_dsn, tree)
    newest.unlink()
    assert status(empty_dsn, tree)["stream/0003_z"] is State.UNKNOWN
    with pytest.raises(MigrationError, match="made by a newer version"):
        migrate(empty_dsn, tree)


def test_what_refuses_a_transaction_has_a_way_out(empty_dsn: str, tree: Path) -> None:
    concurrently = "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_x ON stream.a (x);\n"
    path = _write(tree, "stream/0003_i", concurrently)
    with pytest.raises(MigrationError, match="cannot run inside a transaction block"):
        migrate(empty_dsn, tree)
    path.write_text("-- outside a transaction\n" + concurrently, encoding="utf-8")
    assert migrate(empty_dsn, tree) == ["stream/0003_i", "alerts/0001_b"]
    assert migrate(empty_dsn, tree) == []


def test_two_at_once_apply_each_file_once(empty_dsn: str, tree: Path) -> None:
    # The second one must not hold a snapshot while it waits, or the index of the first would wait for it for ever.
    _write(
        tree,
        "stream/0003_i",
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_x ON stream.a (x);\n",
    )
    applied: list[list[str]] = []
    both = [threading.Thread(target=lambda: applied.append(migrate(empty_dsn, tree, 20.0))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=30)
    assert sorted(map(len, applied)) == [0, 4]


def test_a_held_lock_is_waited_for_only_so_long(empty_dsn: str, tree: Path) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"tierwtch", "big") >> 1])
        with pytest.raises(MigrationError, match="another migration has held this database"):
            migrate(empty_dsn, tree, lock_timeout_s=0.2)
    assert len(migrate(empty_dsn, tree)) == 3


@pytest.mark.parametrize(
    ("label", "told"),
    [
        # Two branches each added the next number: the order would be chance.
        ("stream/0002_other", r"stream/migrations: numbers must be 1, 2, 3 .* they are \[1, 2, 2\]"),
        # A file of the middle was lost: a new store would lack what old ones have.
        ("stream/0004_late", r"they are \[1, 2, 4\]"),
        # It would be passed over in silence.
        ("stream/3_short", "call it NNNN_name.sql"),
    ],
)
def test_files_out_of_order_are_named(tree: Path, label: str, told: str) -> None:
    _write(tree, label, "SELECT 1")
    with pytest.raises(MigrationError, match=told):
        migrations(tree)


def test_files_for_timescale_wait_for_a_server_that_has_it(empty_dsn: str, tree: Path) -> None:
    _write(tree, "stream/0001_a.timescale", "CREATE TABLE stream.hyper (at timestamptz)")
    labels = [migration.label for migration in migrations(tree)]
    assert labels == ["stream/0001_a", "stream/0001_a.timescale", "stream/0002_y", "alerts/0001_b"]
    applied = migrate(empty_dsn, tree)
    told = status(empty_dsn, tree)["stream/0001_a.timescale"]
    with psycopg.connect(empty_dsn) as conn:
        row = conn.execute("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    if row == (1,):
        assert ("stream/0001_a.timescale" in applied, told) == (True, State.APPLIED)
    else:
        assert ("stream/0001_a.timescale" in applied, told) == (False, State.NOT_FOR_THIS_SERVER)


def test_with_timescale_the_large_tables_are_hypertables(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is None:
            pytest.skip("this server has no TimescaleDB (give one by --test-dsn)")
        rows = conn.execute("SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1").fetchall()
        assert rows == [("ecg",), ("reading",)]
        conn.execute("SELECT seq FROM stream.ecg UNION ALL SELECT seq FROM stream.reading")
