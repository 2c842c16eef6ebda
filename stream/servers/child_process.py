"""What a process of ours does to be a good child: says that it is ready, hears the word to stop, keeps its log.

Imports nothing heavy, and works the same where there is no supervisor.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress

from stream.servers.keeper import READY_VARIABLE


def tell_ready() -> None:
    """Say to the supervisor that this child is at work; may be said again, and to nobody."""
    descriptor = os.environ.get(READY_VARIABLE)
    if descriptor is not None:
        with suppress(OSError, ValueError):
            os.write(int(descriptor), json.dumps({"ready": True}).encode() + b"\n")


def stop_on_signal() -> threading.Event:
    """Set when the supervisor, or a person at the terminal, asks this process to end."""
    stop = threading.Event()
    for word in (signal.SIGTERM, signal.SIGINT):
        signal.signal(word, lambda *_: stop.set())
    return stop


def say(text: str) -> None:
    """A line for the person at the terminal; one who went away (a closed pipe) is no reason to stop."""
    try:
        print(text, flush=True)  # noqa: T201 - this is what it is for
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of this process


def log_as_json() -> None:
    """One line an event on standard error, which is the child's own log file: ids, never names or values."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
