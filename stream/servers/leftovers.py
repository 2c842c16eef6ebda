"""Processes that an earlier run left behind: how they are known, and how they are ended.

A process id says nothing after a restart, and a process group says too little: each PostgreSQL backend makes one of its
own. So every child wears a mark (see `DataFolder.mark`). Nothing without the mark is ever touched.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARK_VARIABLE = "TIERWATCH_CHILD"
"""The environment variable that carries the mark; children of children inherit it."""
MARK_ARGUMENT = "cluster_name="
"""What stands before the mark among PostgreSQL's arguments; its backends show it in their titles."""


def is_left_over(mark: str, environment: Mapping[str, str], command: Sequence[str]) -> bool:
    """Whether this process wears the mark. A mark that ends in '-' names every child of a data folder.

    PostgreSQL runs as another user, whose environment we may not be able to read, and its backends write their title
    over it. So there the mark is the cluster name, which the title shows: `postgres: MARK: ...`.
    """

    def wears(found: str) -> bool:
        return found.startswith(mark) if mark.endswith("-") else found == mark

    if wears(environment.get(MARK_VARIABLE, "")):
        return True
    if any(word.startswith(MARK_ARGUMENT) and wears(word.removeprefix(MARK_ARGUMENT)) for word in command):
        return True
    title = (command[0] if command else "").split(": ", 2)
    return len(title) > 1 and title[0] == "postgres" and wears(title[1].rstrip(":"))


def find(mark: str) -> list[int]:
    """The process ids that wear the mark, this process left out."""
    import psutil  # type: ignore[import-untyped]  # 40 ms, which only a keeper and a starting supervisor should pay

    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        environment: dict[str, str] = {}
        command: list[str] = []
        with suppress(psutil.Error, OSError):
            command = process.cmdline()
        with suppress(psutil.Error, OSError):  # another user's process: its command line must do
            environment = process.environ()
        if is_left_over(mark, environment, command):
            found.append(process.pid)
    return found


def sweep(mark: str, patience_s: float = 5.0) -> int:
    """End every process that wears the mark, and wait until they are gone; returns how many there were."""
    seen: set[int] = set()
    until = time.monotonic() + patience_s
    while left := find(mark):
        seen.update(left)
        for process in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if time.monotonic() > until:
            break
        time.sleep(0.02)  # the kernel takes a moment to bury them; there is nothing to wait on for a stranger's child
    return len(seen)
