"""The embedded PostgreSQL, for real: made, killed, orphaned, locked in, and still the same data."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from stream.servers import privilege
from stream.servers.data_folder import DataFolder, FolderUnusable
from stream.servers.leftovers import find
from stream.servers.postgres import LONGEST_SOCKET_PATH, dsn, prepare, said_ready, socket_folder
from stream.servers.privilege import Unprivileged, closed_folder, default_data
from tests.stream.servers.conftest import Run, seconds_until_alone

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Run]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def connect(folder: DataFolder) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(dsn(folder.root), autocommit=True, connect_timeout=10)


def postmaster(folder: DataFolder) -> int:
    return int((folder.postgres / "postmaster.pid").read_text().split("\n")[0])


def busy_backend(folder: DataFolder) -> tuple[psycopg.Connection[tuple[object, ...]], int]:
    """A connection whose backend computes for hours and looks up from it for nobody (a long native call)."""
    connection = connect(folder)
    backend = connection.info.backend_pid
    connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
    return connection, backend


def test_a_killed_server_comes_back_with_the_same_data(folder: DataFolder, supervised: Start) -> None:
    run = supervised("postgres")
    run.until("ALL READY")
    with connect(folder) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster(folder), signal.SIGKILL)
    run.until("postgres", "starting it again")
    run.until("postgres  ready  ")
    with connect(folder) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert run.end() == 0
    assert seconds_until_alone(folder) < 1.0


def test_an_orphaned_busy_backend_does_not_block_the_restart(folder: DataFolder, supervised: Start) -> None:
    run = supervised("postgres")
    run.until("ALL READY")
    connection, backend = busy_backend(folder)
    os.kill(backend, signal.SIGSTOP)  # it cannot even notice that the postmaster died
    os.kill(postmaster(folder), signal.SIGKILL)
    run.until("postgres", "starting it again")
    run.until("postgres  ready  ")
    assert backend not in find(folder.mark("postgres"))
    with connect(folder) as again:
        assert again.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    assert run.end() == 0


def test_kill_9_of_the_supervisor_with_a_busy_backend(folder: DataFolder, supervised: Start) -> None:
    run = supervised("postgres", "intake:well")
    run.until("ALL READY")
    connection, backend = busy_backend(folder)
    os.kill(backend, signal.SIGSTOP)
    run.kill()
    assert seconds_until_alone(folder) < 5.0
    connection.close()
    again = supervised("postgres", "intake:well")
    again.until("ALL READY")
    with connect(folder) as found:
        assert found.execute("SELECT 1").fetchone() == (1,)
    assert again.end() == 0


def test_the_next_start_also_works_when_keeper_and_supervisor_were_killed_at_once(
    folder: DataFolder, supervised: Start
) -> None:
    run = supervised("postgres")
    run.until("ALL READY")
    connection, backend = busy_backend(folder)
    os.kill(backend, signal.SIGSTOP)
    keeper = int(Path(f"/proc/{postmaster(folder)}/stat").read_text().rsplit(") ", 1)[1].split()[1])
    os.kill(keeper, signal.SIGKILL)
    run.kill()
    connection.close()
    again = supervised("postgres")
    again.until("ALL READY")
    assert again.end() == 0


def test_nobody_gets_in_without_the_password_or_over_the_network(folder: DataFolder, supervised: Start) -> None:
    run = supervised("postgres")
    run.until("ALL READY")
    secret = (folder.keys / "postgres.pgpass").read_text().strip().rsplit(":", 1)[1]
    assert secret not in dsn(folder.root)
    assert stat.S_IMODE((folder.keys / "postgres.pgpass").stat().st_mode) == 0o600
    assert stat.S_IMODE(socket_folder(folder).stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(socket_folder(folder)), user="tierwatch", dbname="tierwatch", passfile="/dev/null")
    with connect(folder) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone() == (False,)
    assert secret not in (folder.log_of("postgres")).read_text()
    run.end()


def test_a_lost_password_file_is_made_anew(folder: DataFolder, supervised: Start) -> None:
    prepare(folder.root)
    (folder.keys / "postgres.pgpass").unlink()
    run = supervised("postgres")
    run.until("ALL READY")
    with connect(folder) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    run.end()


def test_another_versions_folder_is_refused_and_left_alone(folder: DataFolder) -> None:
    prepare(folder.root)
    (folder.postgres / "PG_VERSION").write_text("16\n")
    with pytest.raises(FolderUnusable, match="PostgreSQL 16"):
        prepare(folder.root)


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    near = DataFolder(Path("/tmp/tw"))
    assert socket_folder(near) == near.root / "socket"
    far = DataFolder(tmp_path / ("x" * LONGEST_SOCKET_PATH))
    assert len(str(socket_folder(far))) < LONGEST_SOCKET_PATH
    assert socket_folder(far) != socket_folder(DataFolder(tmp_path / ("y" * LONGEST_SOCKET_PATH)))


def test_ready_is_said_by_this_process_not_by_an_old_file(folder: DataFolder) -> None:
    assert not said_ready(folder, 7)
    folder.postgres.mkdir()
    (folder.postgres / "postmaster.pid").write_text("7\n/d\n1\n5432\n/s\n\n 1 2\nready   \n")
    assert said_ready(folder, 7)
    assert not said_ready(folder, 8)
    (folder.postgres / "postmaster.pid").write_text("7\n/d\n1\n5432\n/s\n\n 1 2\nstarting\n")
    assert not said_ready(folder, 7)


@as_root
def test_root_runs_it_as_somebody_else(folder: DataFolder, supervised: Start) -> None:
    run = supervised("postgres")
    run.until("ALL READY")
    assert Path(f"/proc/{postmaster(folder)}").stat().st_uid != 0
    run.end()


@as_root
def test_programs_behind_a_closed_door_are_copied(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    from stream.servers import postgres

    real = postgres.binaries_of_the_wheel()
    monkeypatch.setattr(
        postgres, "closed_folder", lambda path, user: real if path == real else closed_folder(path, user)
    )
    server = prepare(folder.root)
    assert folder.root in server.binaries.parents
    assert (folder.postgres / "PG_VERSION").exists()


@as_root
def test_a_closed_home_is_named_and_not_opened(folder: DataFolder) -> None:
    home = folder.root.parent / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(FolderUnusable, match=str(home)):
        prepare(home / "data")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@as_root
def test_roots_default_folder_leaves_a_closed_home(folder: DataFolder) -> None:
    home = folder.root.parent / "clone"
    home.mkdir(mode=0o755)
    assert default_data(home) == home / "var"
    home.chmod(0o700)
    assert default_data(home) == privilege.SYSTEM_DATA


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "is_closed"),
    [
        (0o711, 4242, 4242, False),  # search permission is enough
        (0o700, 4242, 4242, True),  # a private home
        (0o710, 4242, 4242, True),  # open to its group only, and we are not in it
        (0o710, 4242, os.getegid(), False),  # the same, and we are
        (0o700, os.geteuid(), 4242, False),  # our own
        (0o677, os.geteuid(), 4242, True),  # our own, closed to ourselves only: the owner's bits decide
    ],
)
def test_closed_folders(folder: DataFolder, mode: int, uid: int, gid: int, *, is_closed: bool) -> None:
    door = folder.root.parent / "door"
    (door / "room").mkdir(parents=True)
    (door / "room").chmod(0o777)
    door.chmod(mode)
    found = closed_folder(door / "room", Unprivileged("somebody", uid, gid))
    door.chmod(0o700)
    assert found == (door if is_closed else None)
