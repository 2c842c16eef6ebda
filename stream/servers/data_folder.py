"""The data folder: where each thing lies in it, who may read it, and who holds it.

Everything that Tierwatch keeps on this machine is under one folder. Secrets are in `keys/` (0700) and nowhere else.
One supervisor holds the folder at a time; the kernel lets go of it when that process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class FolderInUse(RuntimeError):
    """Another Tierwatch holds this data folder: stop that one, or choose another folder with --data."""


class FolderUnusable(RuntimeError):
    """A data folder that cannot be used as it is: the message says what to do."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths under a data folder. Making one touches nothing; `make` does."""

    root: Path

    @property
    def keys(self) -> Path:
        """Secrets, mode 0700."""
        return self.root / "keys"

    @property
    def logs(self) -> Path:
        """One log a child: ids, never names or values."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What lives only as long as a process: its locks."""
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL's own folder."""
        return self.root / "postgres"

    @property
    def nats(self) -> Path:
        """The embedded broker's configuration, log and store."""
        return self.root / "nats"

    @property
    def numba(self) -> Path:
        """The compiled detector."""
        return self.root / "numba"

    def log_of(self, child: str) -> Path:
        """The log file of one child."""
        return self.logs / f"{child}.log"

    def mark(self, child: str = "") -> str:
        """A word that names this folder and one child of it, the same in every run: left-over processes wear it."""
        digest = hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:10]
        return f"tierwatch-{digest}-{child}"

    def make(self) -> None:
        """Make the folders that are missing and close what must be closed."""
        # As root, PostgreSQL runs under another user and has to pass through: search permission, no more.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(mode)
            for folder in (self.keys, self.logs, self.run, self.nats, self.numba):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise FolderUnusable(
                f"{self.root}: {error.strerror or error}. Choose a folder that you may write to: --data, or [stream] data."
            ) from error


@contextmanager
def hold(folder: DataFolder) -> Iterator[None]:
    """Hold the folder for this process; raises `FolderInUse` saying who has it."""
    path = folder.root / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 64).decode(errors="replace").strip() or "unknown"
            raise FolderInUse(
                f"{folder.root} is in use by another Tierwatch, process {holder}. "
                f"Stop that one (kill {holder}), or choose another folder with --data."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def write_secret(path: Path, text: str) -> None:
    """Replace a file in one step, mode 0600 from its first byte on: nobody ever reads half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def is_held(folder: DataFolder) -> bool:
    """Whether a supervisor is running on this folder."""
    try:
        descriptor = os.open(folder.root / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
