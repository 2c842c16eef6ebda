"""Who may connect to the embedded broker, and which branch of the topics is theirs.

A client is a file in `keys/mqtt/` with its password; `users.conf` is written from these files and never read back. Every
change is in force when the function returns: a revoked client's live session is cut at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.topics import checked_client
from stream.servers.data_folder import DataFolder, write_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INTAKE = "intake"
"""The one client that hears everybody: ours."""

_RELOAD_S = 3.0


def clients_file(passwords: Mapping[str, str], shard: int) -> str:
    """The text of `users.conf`: each client its own branch, intake everybody's."""
    users = [_user(client, password, shard) for client, password in sorted(passwords.items())]
    return (
        "# Written by Tierwatch at every change of clients; edits are lost.\nauthorization {\n  users = [\n"
        + "".join(users)
        + "  ]\n}\n"
    )


def client_ids(data: Path) -> list[str]:
    """Everybody who may connect."""
    return sorted(_passwords(DataFolder(data)))


def password_of(data: Path, client: str) -> str:
    """The password of a client that exists."""
    return _passwords(DataFolder(data))[client]


def intake_session(data: Path) -> str:
    """Intake's MQTT client id, which nobody can guess: whoever connects under an id throws its present owner out.

    The broker keeps users to their own topics, but not to their own client ids [tried with NATS 2.15].
    """
    path = _folder(DataFolder(data)) / ".intake-session"
    if not path.exists():
        write_secret(path, f"{INTAKE}-{secrets.token_hex(8)}\n")
    return path.read_text().strip()


def add_client(data: Path, client_id: str, shard: int = 0) -> str:
    """Let a client in; returns its password. One that is already there keeps the password it has."""
    folder = DataFolder(data)
    with _changing(folder, shard) as keys:
        path = keys / checked_client(client_id)
        if path.exists():
            return path.read_text().strip()
        password = secrets.token_urlsafe(32)
        write_secret(path, password + "\n")
    return password


def add_clients(data: Path, ids: list[str], shard: int = 0) -> dict[str, str]:
    """Let many in with one reload of the broker; returns the passwords by client."""
    folder = DataFolder(data)
    with _changing(folder, shard) as keys:
        for client in ids:
            if not (keys / checked_client(client)).exists():
                write_secret(keys / client, secrets.token_urlsafe(32) + "\n")
    known = _passwords(folder)
    return {client: known[client] for client in ids}


def revoke_client(data: Path, client_id: str, shard: int = 0) -> bool:
    """Shut a client out and cut its session; False if it was not known."""
    with _changing(DataFolder(data), shard) as keys:
        path = keys / checked_client(client_id)
        known = path.exists()
        path.unlink(missing_ok=True)
    return known


def write_clients_file(data: Path, shard: int) -> bool:
    """Write `users.conf` from the files of the clients, intake always among them; whether that changed anything."""
    folder = DataFolder(data)
    keys = _folder(folder)
    if not (keys / INTAKE).exists():
        write_secret(keys / INTAKE, secrets.token_urlsafe(32) + "\n")
    path = folder.keys / "users.conf"
    text = clients_file(_passwords(folder), shard)
    if path.exists() and path.read_text() == text:
        return False
    write_secret(path, text)
    return True


def reload(data: Path) -> bool:
    """Have a running broker read its users again, and wait until it has; False when none is running."""
    from stream.servers.nats import loaded_at, process_of  # they import each other's words

    folder = DataFolder(data)
    process = process_of(folder)
    if process is None:
        return False
    before = loaded_at(folder)
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGHUP)
    until = time.monotonic() + _RELOAD_S
    while loaded_at(folder) == before and time.monotonic() < until:
        time.sleep(0.02)
    return True


def _user(client: str, password: str, shard: int) -> str:
    if client == INTAKE:
        publish, subscribe = [f"tw.1.{shard}.*.down.>"], [f"tw.1.{shard}.*.up.>"]
    else:
        # The one word more than its own branch: what intake says to all (`hello`).
        publish = [f"tw.1.{shard}.{client}.up.>"]
        subscribe = [f"tw.1.{shard}.{client}.down.>", f"tw.1.{shard}.all.down.>"]
    # `a/#` also means `a` itself, and is refused whole if that is not allowed.
    subscribe += [subject.removesuffix(".>") for subject in subscribe] + ["$MQTT.sub.>", "$MQTT.deliver.pubrel.>"]
    return (
        f'    {{ user: {json.dumps(client)}, password: {json.dumps(password)}, allowed_connection_types: ["MQTT"],\n'
        f"      permissions: {{ publish: {json.dumps(publish)}, subscribe: {json.dumps(subscribe)} }} }}\n"
    )


def _folder(folder: DataFolder) -> Path:
    keys = folder.keys / "mqtt"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    return keys


def _passwords(folder: DataFolder) -> dict[str, str]:
    found = {}
    for path in _folder(folder).iterdir():
        if not path.name.startswith("."):  # a secret that is just being written
            with suppress(FileNotFoundError):  # revoked at this moment
                found[path.name] = path.read_text().strip()
    return found


@contextmanager
def _changing(folder: DataFolder, shard: int) -> Iterator[Path]:
    """One change at a time, by whatever process; then the file anew, and the broker told."""
    keys = _folder(folder)
    descriptor = os.open(folder.keys / ".mqtt.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield keys
        if write_clients_file(folder.root, shard):
            reload(folder.root)
    finally:
        os.close(descriptor)
