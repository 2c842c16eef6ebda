"""`tierwatch up` with all its real children: it comes up, it goes down, and a kill -9 of it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from stream.servers.data_folder import DataFolder
from stream.servers.leftovers import find, sweep
from stream.servers.postgres import dsn
from stream.servers.privilege import default_data

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).parents[1]
PATIENCE_S = 180.0
"""A first start compiles the detector."""


class Up:
    """A running `tierwatch up`, in a folder of its own with free ports."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="tw-"))
        self.place.chmod(0o755)
        self.folder = DataFolder(self.place.resolve() / "data")
        ports = []
        for _ in range(2):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports.append(free.getsockname()[1])
        text = f"[stream]\nmqtt_port = {ports[0]}\ndata = 'data'\n[api]\nport = {ports[1]}\n"
        (self.place / "tierwatch.toml").write_text(text)
        # The detector that `up` and `replay` use too: it is compiled at most once on this machine.
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(HOME),
            "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(default_data(HOME) / "numba")),
        }
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until all children are ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tierwatch", "up"],
            cwd=self.place,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        too_long = threading.Timer(PATIENCE_S, self.process.kill)
        too_long.start()
        try:
            for line in self.process.stdout:
                self.said.append(line)
                if line.startswith("Ready."):
                    return self.process
        finally:
            too_long.cancel()
        pytest.fail("it ended before it was ready:\n" + "".join(self.said))

    def end(self, how: signal.Signals) -> int:
        """End it in some way; returns its exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(how)
        self.said += self.process.stdout.readlines()
        self.process.stdout.close()
        return self.process.wait(60)

    def seconds_until_alone(self) -> float:
        """How long children live on."""
        begun = time.monotonic()
        while left := find(self.folder.mark()):
            assert time.monotonic() - begun < 20, f"still running: {left}"
            time.sleep(0.05)
        return time.monotonic() - begun

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run `tierwatch check` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "tierwatch", "check"],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def tierwatch_up() -> Iterator[Up]:
    """Ended and removed whatever happens."""
    up = Up()
    yield up
    if up.process is not None and up.process.poll() is None:
        up.end(signal.SIGKILL)
    sweep(up.folder.mark())
    shutil.rmtree(up.place)


def test_up_check_ctrl_c_kill_and_up_again(tierwatch_up: Up) -> None:
    tierwatch_up.start()
    checked = tierwatch_up.check()
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with psycopg.connect(dsn(tierwatch_up.folder.root)) as connection:
        first = connection.execute("SELECT count(*) FROM stream.start").fetchone()
    assert tierwatch_up.end(signal.SIGINT) == 0
    assert tierwatch_up.seconds_until_alone() < 1.0

    tierwatch_up.start()
    connection = psycopg.connect(dsn(tierwatch_up.folder.root))
    second = connection.execute("SELECT count(*) FROM stream.start").fetchone()
    assert first is not None
    assert second is not None
    assert second > first  # the same store, and its children wrote that they started
    connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")  # a busy backend
    tierwatch_up.end(signal.SIGKILL)
    assert tierwatch_up.seconds_until_alone() < 5.0
    connection.close()

    tierwatch_up.start()
    assert tierwatch_up.end(signal.SIGTERM) == 0
    assert tierwatch_up.seconds_until_alone() < 1.0
