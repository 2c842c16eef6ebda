"""What the supervisor runs: the word for a child, and the table of Tierwatch's own, in the order in which they start.

A child says that it is ready on a descriptor it inherits (`child_process.tell_ready`); the three servers are asked
instead. The table knows names and commands only: no medicine, no database.
"""

from __future__ import annotations

import signal
import socket
import sys
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

from stream.servers import nats, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.servers.data_folder import DataFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A loopback port that a child will listen on, and the setting that moves it."""

    number: int
    setting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process of ours: how it starts, how it says that it is ready, how it ends."""

    name: str
    command: tuple[str, ...]
    probe: Callable[[int], bool] | None = None
    """Asked with the process id until it says yes; None: the child says so itself."""
    is_once: bool = False
    """It does its work and ends; ready = ended well. Whoever comes after it waits for that."""
    holds_up_s: float | None = None
    """Those after it wait no longer than this for it; None: they cannot work without it."""
    stop: signal.Signals = signal.SIGTERM
    stop_within_s: int = 10
    ports: tuple[Port, ...] = ()
    note: str = ""
    """Said when it takes a while to start, and a person would wonder why."""
    is_on_screen: bool = False
    """What it prints is for the person at the terminal; what it logs (standard error) goes to its file like everybody's."""


class PortBusy(RuntimeError):
    """Something else listens on a port that we need."""


def servers(folder: DataFolder, *, mqtt_port: int, shard: int, with_postgres: bool) -> list[Child]:
    """PostgreSQL, unless the database is elsewhere, and the broker."""
    found = []
    if with_postgres:
        found.append(postgres_child(folder))
    return [*found, nats_child(folder, mqtt_port=mqtt_port, shard=shard)]


def postgres_child(folder: DataFolder) -> Child:
    """The embedded PostgreSQL."""
    return Child(
        name=postgres.NAME,
        command=(sys.executable, "-m", "stream.servers.postgres", "--data", str(folder.root)),
        probe=lambda process: postgres.said_ready(folder, process),
        stop=signal.SIGINT,  # its "fast" stop: whoever is connected is cut off, what is committed stays
        stop_within_s=20,
        note="a first start makes the database, one after a crash reads its journal again",
    )


def nats_child(folder: DataFolder, *, mqtt_port: int, shard: int) -> Child:
    """The embedded broker."""
    return Child(
        name=nats.NAME,
        command=(
            *(sys.executable, "-m", "stream.servers.nats", "--data", str(folder.root)),
            *("--mqtt-port", str(mqtt_port), "--shard", str(shard)),
        ),
        probe=lambda process: nats.process_of(folder) == process and nats.healthy(folder),
        ports=(Port(number=mqtt_port, setting="[stream] mqtt_port"),),
    )


def answers(url: str) -> bool:
    """Whether an HTTP server says 2xx there."""
    try:
        with urllib.request.urlopen(url, timeout=2.0):  # noqa: S310 - a loopback address of our own making
            return True
    except (OSError, HTTPException):  # something else may listen there, and speak no HTTP
        return False


def refuse_busy_ports(children: Sequence[Child]) -> None:
    """Raise `PortBusy` naming each port that is taken and the setting that moves it."""
    busy = [
        f"{port.number} (for {child.name}) is taken: change {port.setting} in tierwatch.toml, or stop whatever listens there"
        for child in children
        for port in child.ports
        if not is_free(port.number)
    ]
    if busy:
        raise PortBusy("Port " + ".\nPort ".join(busy) + ".")


def is_free(port: int) -> bool:
    """Whether we could listen on this loopback port."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free to us
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
