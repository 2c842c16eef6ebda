"""A data folder on a short, open path, and a supervisor that runs on it as a real process."""

from __future__ import annotations

import os
import queue
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

import pytest

from stream.servers.data_folder import DataFolder
from stream.servers.leftovers import find, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOME = Path(__file__).parents[3]
PATIENCE_S = 30.0


class Run:
    """A supervisor as a process: what it says, line by line, and ways to end it."""

    def __init__(self, folder: DataFolder, *arguments: str) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("supervised.py")), str(folder.root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=HOME,
            env={**os.environ, "PYTHONPATH": str(HOME)},
            start_new_session=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def until(self, *words: str) -> str:
        """The next line that has all these words."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                pytest.fail(f"no line with {words}; it said:\n" + "\n".join(self.said))
            if all(word in line for word in words):
                return line

    def kill(self) -> None:
        """As the kernel does when memory runs out: nothing is cleaned up."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(how)
        return self.ended()

    def ended(self) -> int:
        """Wait for the end."""
        code = self.process.wait(PATIENCE_S)
        self._reading.join(PATIENCE_S)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip("\n"))
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    """A data folder; whatever still runs on it at the end is ended."""
    place = Path(tempfile.mkdtemp(prefix="tw-"))
    place.chmod(0o755)
    found = DataFolder(place / "data")
    found.make()
    yield found
    sweep(found.mark())
    shutil.rmtree(place)


@pytest.fixture
def supervised(folder: DataFolder) -> Iterator[Callable[..., Run]]:
    """Start a supervisor on the folder over these children."""
    runs: list[Run] = []

    def start(*arguments: str) -> Run:
        runs.append(Run(folder, *arguments))
        return runs[-1]

    yield start
    for run in runs:
        run.kill()
        run.ended()


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def seconds_until_alone(folder: DataFolder) -> float:
    """How long until no process of this folder runs any more."""
    begun = time.monotonic()
    while left := find(folder.mark()):
        assert time.monotonic() - begun < PATIENCE_S, f"still running: {left}"
        time.sleep(0.05)
    return time.monotonic() - begun


def told(folder: DataFolder, name: str = "all") -> list[str]:
    """What the played children wrote down."""
    path = folder.root / f"{name}.told"
    return path.read_text().splitlines() if path.exists() else []
