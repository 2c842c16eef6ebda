"""One gateway, one outbox: a lock beside the file, let go by the system when the process ends, however it ends."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

try:
    import fcntl
except ImportError:  # a system without it has no such lock; everything else works
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path


class OutboxBusy(OSError):
    """Another process works on this outbox: two would give the same number twice. Stop it, or give another file."""


def take_hold(path: Path) -> IO[bytes]:
    """The lock, held until it is closed.

    Raises:
        OutboxBusy: another process holds it.
    """
    lock = path.with_name(path.name + ".lock").open("ab")
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise OutboxBusy(f"{path} is in use by another gateway; stop it, or give another outbox") from error
    return lock
