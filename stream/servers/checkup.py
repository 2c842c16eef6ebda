"""What `tierwatch check` looks at: one line each, with what to do where something is wrong.

It changes nothing. What can only be seen while Tierwatch runs is left open when it does not.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import ssl
import stat
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stream.servers import nats
from stream.servers.children import is_free
from stream.servers.data_folder import is_held
from stream.servers.postgres import PASSWORD_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from stream.place import Place
    from stream.servers.children import Child
    from stream.servers.data_folder import DataFolder

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LARGEST_CLOCK_DIFFERENCE_S = 1.0
_UNSYNCHRONISED = 5
"""What adjtimex(2) returns while nothing disciplines the clock."""


class Grade(StrEnum):
    """How a check came out."""

    OK = "ok"
    """Nothing to do."""
    NOTE = "note"
    """Worth knowing; nothing fails by it."""
    BAD = "BAD"
    """Something to repair: `tierwatch check` exits with 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line."""

    name: str
    grade: Grade
    text: str


def lines(checks: Sequence[Check]) -> list[str]:
    """The checks as an aligned table."""
    width = max((len(check.name) for check in checks), default=0)
    return [f"{check.grade.value:<4}  {check.name:<{width}}  {check.text}" for check in checks]


def guarded(name: str, check: Callable[[], Check]) -> Check:
    """A check that breaks is a bad one, never the end of the list."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the person who checks should read it
        return Check(
            name=name,
            grade=Grade.BAD,
            text=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        )


def clock() -> Check:
    """Whether the clock can be right, and whether somebody sees to it."""
    now = datetime.now(UTC)
    shown = now.strftime("%Y-%m-%d %H:%M:%SZ")
    if now < EARLIEST:
        return Check(name="clock", grade=Grade.BAD, text=f"{shown} cannot be: set the clock, and run a time service")
    if _is_unsynchronised():
        text = f"{shown}; no time service disciplines it (NTP): the times of readings may drift"
        return Check(name="clock", grade=Grade.NOTE, text=text)
    return Check(name="clock", grade=Grade.OK, text=shown)


def disk(folder: DataFolder, low_mb: int) -> Check:
    """Room where the data goes."""
    place = folder.root
    while not place.exists():
        place = place.parent
    free_mb = shutil.disk_usage(place).free // 2**20
    if free_mb < low_mb:
        text = f"{free_mb:,} MB free at {place}, less than {low_mb:,} ([stream] low_disk_mb): make room"
        return Check(name="disk", grade=Grade.BAD, text=text)
    if place == folder.root and not os.access(place, os.W_OK):
        return Check(name="disk", grade=Grade.BAD, text=f"{place} is not writable by this user")
    return Check(name="disk", grade=Grade.OK, text=f"{free_mb:,} MB free at {place}")


def ports(children: Iterable[Child], *, is_running: bool) -> list[Check]:
    """Each port that we need: free while we are stopped, ours while we run."""
    found = []
    for child in children:
        for port in child.ports:
            name, free = f"port {port.number}", is_free(port.number)
            if is_running:
                grade = Grade.BAD if free else Grade.OK
                text = f"nobody listens, {child.name} should" if free else f"{child.name} listens"
            else:
                grade = Grade.OK if free else Grade.BAD
                text = (
                    f"free, for {child.name}"
                    if free
                    else f"taken: change {port.setting}, or stop whatever listens there"
                )
            found.append(Check(name=name, grade=grade, text=text))
    return found


def database(dsn: str, *, is_expected: bool) -> Check:
    """Whether the database answers, how big it is, and whether its clock is ours."""
    import psycopg  # the checks before this one need none

    if not is_expected:
        return Check(name="database", grade=Grade.NOTE, text="not running: it starts with `tierwatch up`")
    begun = time.monotonic()
    with psycopg.connect(dsn, connect_timeout=3, autocommit=True) as connection:
        row = connection.execute(
            "SELECT split_part(version(), ' on ', 1), pg_size_pretty(pg_database_size(current_database())), clock_timestamp()"
        ).fetchone()
    if row is None:
        raise RuntimeError("it answered nothing")
    took_ms = (time.monotonic() - begun) * 1000
    apart = abs((datetime.now(UTC) - row[2]).total_seconds())
    text = f"{row[0]}, {row[1]}, answered in {took_ms:.0f} ms"
    if apart > LARGEST_CLOCK_DIFFERENCE_S:
        return Check(
            name="database", grade=Grade.BAD, text=f"{text}; its clock is {apart:.1f} s from ours: set both right"
        )
    return Check(name="database", grade=Grade.OK, text=text)


def broker(folder: DataFolder, port: int, *, is_expected: bool) -> Check:
    """Whether the broker and its store are well, and takes connections."""
    if not is_expected:
        return Check(name="broker", grade=Grade.NOTE, text="not running: it starts with `tierwatch up`")
    if not nats.healthy(folder):
        return Check(
            name="broker", grade=Grade.BAD, text=f"it does not answer or is not well: see {nats.log_file(folder)}"
        )
    with socket.create_connection(("127.0.0.1", port), timeout=3):
        pass
    page = nats.monitor(folder, "varz") or {}
    return Check(
        name="broker",
        grade=Grade.OK,
        text=f"NATS {page.get('version')}, {page.get('connections')} connections, MQTT on {port}",
    )


def detector(cache: Path) -> Check:
    """Whether the kernels are compiled."""
    count = len(list(cache.rglob("*.nbi"))) if cache.exists() else 0
    if not count:
        return Check(name="detector", grade=Grade.NOTE, text="not compiled yet: the first start takes a minute longer")
    return Check(name="detector", grade=Grade.OK, text=f"compiled, {count} kernels in {cache}")


def secrets(folder: DataFolder, *, with_postgres: bool) -> Check:
    """Whether the keys are there and closed to everybody else."""
    if not folder.keys.exists():
        return Check(name="secrets", grade=Grade.NOTE, text=f"none yet: the first start makes them in {folder.keys}")
    open_ones = [
        path.name for path in [folder.keys, *folder.keys.rglob("*")] if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_ones:
        text = f"readable by others: {', '.join(sorted(open_ones)[:5])}; close them: chmod -R go= {folder.keys}"
        return Check(name="secrets", grade=Grade.BAD, text=text)
    if with_postgres and folder.postgres.exists() and not (folder.keys / PASSWORD_FILE).exists():
        return Check(
            name="secrets", grade=Grade.NOTE, text="the database's password is gone: the next start makes a new one"
        )
    return Check(name="secrets", grade=Grade.OK, text=f"in place, in {folder.keys}")


def webhook(name: str, url: str, *, has_secret: bool) -> Check:
    """Whether an endpoint can be reached and signed for; nothing is sent, as somebody would have to answer it."""
    label = f"webhook {name}"
    if not has_secret:
        text = f"no secret: the first start makes one; give it to the receiver (tierwatch alert secret {name})"
        return Check(name=label, grade=Grade.NOTE, text=text)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with socket.create_connection((parts.hostname or "", port), timeout=3) as plain:
        if parts.scheme == "https":
            with ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname):
                pass
    return Check(name=label, grade=Grade.OK, text=f"{parts.hostname} answers, and there is a secret to sign with")


def heartbeat(url: str) -> Check:
    """Whether somebody outside would notice that this machine is gone."""
    if not url:
        text = "none: nobody outside notices when this machine dies; set [alerts] heartbeat_url to a monitor's address"
        return Check(name="heartbeat", grade=Grade.NOTE, text=text)
    return Check(name="heartbeat", grade=Grade.OK, text=f"to {urlsplit(url).hostname} while all is well")


def of_place(place: Place, children: Sequence[Child]) -> list[Check]:
    """Everything that can be seen from here, in the order in which trouble is best looked for."""
    stream, folder, is_running = place.stream, place.folder, is_held(place.folder)
    return [
        guarded("clock", clock),
        guarded("disk", lambda: disk(folder, stream.low_disk_mb)),
        *ports(children, is_running=is_running),
        guarded("broker", lambda: broker(folder, stream.mqtt_port, is_expected=is_running)),
        guarded("database", lambda: database(place.dsn, is_expected=is_running or bool(stream.dsn))),
        guarded("detector", lambda: detector(place.numba_cache)),
        guarded("secrets", lambda: secrets(folder, with_postgres=not stream.dsn)),
    ]


def _is_unsynchronised() -> bool:
    if sys.platform != "linux":
        return False
    try:
        # struct timex is 208 bytes on every 64-bit Linux; all zeros asks and changes nothing.
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256))) == _UNSYNCHRONISED
    except (OSError, AttributeError):
        return False
