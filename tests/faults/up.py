"""`tierwatch up` in which intake and the station run behind `child.py`, so that a test can hurt them where it hurts most.

    python -m tests.faults.up CONFIG DATA FAULTS

Nothing else differs: the same supervisor, keepers, servers and commands.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from pathlib import Path

import tierwatch
from stream.servers.child_process import say
from stream.servers.children import Child

HURT = frozenset({"intake", "station"})


def behind_faults(child: Child, faults: str) -> Child:
    """The same child, started by `child.py`."""
    if child.name not in HURT:
        return child
    python, _, _, *words = child.command  # python -m tierwatch run NAME ...
    return dataclasses.replace(child, command=(python, "-m", "tests.faults.child", faults, *words))


def end_with_the_test() -> None:
    """Stop when standard input ends: a test run that was killed leaves nothing running."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run until told to stop."""
    threading.Thread(target=end_with_the_test, daemon=True).start()
    config, data, faults = sys.argv[1:]
    settings = tierwatch.Settings(Path(config), Path(data))
    settings.compile_here()
    children = [behind_faults(child, faults) for child in tierwatch.children_of(settings)]
    tierwatch.start(settings, children, for_s=None, ready="ALL READY")
    say("STOPPED")


if __name__ == "__main__":
    main()
