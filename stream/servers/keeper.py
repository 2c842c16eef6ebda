"""Keeps one child process: starts it, tells how it is, and ends it, whatever happens to the supervisor.

    python -m stream.servers.keeper --fd N [--tell N] [--mark WORD] [--lock FILE] [--stop INT] [--grace S] -- CMD...

It holds the reading end of a pipe (`--fd`). End of file there means that the supervisor is gone: the child is asked to
stop, and killed after the grace. It never restarts anything, and knows nothing of what it keeps.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from stream.servers.leftovers import MARK_VARIABLE, sweep

READY_VARIABLE = "TIERWATCH_READY_FD"
"""The environment variable with the descriptor on which a child says `{"ready": true}`."""

_SET_PARENT_DEATH_SIGNAL = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to keep, and how."""

    command: tuple[str, ...]
    leash: int
    """The reading end of the supervisor's pipe. A byte there = stop, with that many seconds; end of file = stop now."""
    tell: int | None
    """Where lines about the child go, as JSON; the child inherits it and says there that it is ready."""
    mark: str | None
    lock: str | None
    """Held as long as this keeper lives, so that the next one does not meet its child."""
    stop: signal.Signals
    grace_s: float


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux; elsewhere the next start sweeps).

    SIGQUIT: PostgreSQL takes its backends along, everything else simply ends.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGQUIT)


def _prepare_child() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no memory image with somebody's readings on the disk
    die_with_parent()


def keep(order: Order) -> int:
    """Run the command to its end; returns the code to exit with (128 + n after signal n)."""
    if order.lock is not None:
        lock = os.open(order.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    if order.mark is not None and (ended := sweep(order.mark)):
        _tell(order, left_over=ended)
    wake = _wake_on_child()
    try:
        child = _start(order)
    except OSError as error:
        _tell(order, error=f"{order.command[0]}: {error.strerror}")
        return 127
    _tell(order, pid=child.pid)
    code = _watch(child, order, wake)
    _end_group(child.pid, signal.SIGKILL)
    if order.mark is not None:
        sweep(order.mark)
    _tell(order, exit=code)
    return code if code >= 0 else 128 - code


def _start(order: Order) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if order.mark is not None:
        environment[MARK_VARIABLE] = order.mark
    if order.tell is not None:
        environment[READY_VARIABLE] = str(order.tell)
    return subprocess.Popen(  # noqa: S603 - running what we are told is what a keeper is for
        order.command,
        stdin=subprocess.DEVNULL,
        env=environment,
        pass_fds=() if order.tell is None else (order.tell,),
        process_group=0,
        preexec_fn=_prepare_child,  # noqa: PLW1509 - a keeper has one thread
    )


def _watch(child: subprocess.Popen[bytes], order: Order, wake: int) -> int:
    """Wait for the child's end or the supervisor's word, and see to it that the second brings about the first."""
    waiting = [order.leash, wake]
    deadline = float("inf")
    asked = False
    while (code := child.poll()) is None:
        left = deadline - time.monotonic()
        ready, _, _ = select.select(waiting, [], [], None if left == float("inf") else max(0.0, left))
        if wake in ready:
            os.read(wake, 4096)
        if order.leash in ready:
            word = os.read(order.leash, 1)
            if not word:
                waiting.remove(order.leash)
            if not asked:
                asked = True
                _end_group(child.pid, order.stop)
            deadline = min(deadline, time.monotonic() + (word[0] if word else order.grace_s))
        if time.monotonic() >= deadline:
            deadline = float("inf")
            _end_group(child.pid, signal.SIGKILL)
    return code


def _wake_on_child() -> int:
    """A descriptor that becomes readable when a child ends. Ctrl-C and a closed terminal are the supervisor's affair."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, lambda *_: None)
    return readable


def _end_group(group: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)


def _tell(order: Order, **facts: object) -> None:
    if order.tell is not None:
        with suppress(OSError):  # nobody listens any more: then the leash will say so too
            os.write(order.tell, json.dumps(facts).encode() + b"\n")


def _order(arguments: list[str]) -> Order:
    parser = argparse.ArgumentParser(prog="keeper", description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--tell", type=int)
    parser.add_argument("--mark")
    parser.add_argument("--lock")
    parser.add_argument("--stop", default="TERM")
    parser.add_argument("--grace", type=float, default=2.5)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    return Order(
        command=tuple(given.command),
        leash=given.fd,
        tell=given.tell,
        mark=given.mark,
        lock=given.lock,
        stop=signal.Signals[f"SIG{given.stop}"],
        grace_s=given.grace,
    )


if __name__ == "__main__":
    sys.exit(keep(_order(sys.argv[1:])))
