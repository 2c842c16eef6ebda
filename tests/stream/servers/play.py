"""A trivial child: plays one behaviour and writes what it does to DATA/<name>.told, a line each.

python play.py BEHAVIOUR DATA NAME
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from stream.servers.child_process import tell_ready

_WAIT = "import time\nwhile True: time.sleep(60)"


def main() -> None:
    """Play."""
    behaviour, data, name = sys.argv[1:4]
    diary = Path(data) / f"{name}.told"

    def tell(word: str) -> None:
        with Path(data, "all.told").open("a") as everybody, diary.open("a") as mine:
            everybody.write(f"{name} {word}\n")
            mine.write(f"{word} {time.monotonic_ns()}\n")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        tell("stopped")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour.startswith("stubborn") else stop)
    tell(f"started {os.getpid()}")
    if behaviour == "once":
        return
    if behaviour == "once-late":  # fails the first time: a database that was not there yet
        if diary.read_text().count("started") < 2:
            sys.exit("not yet")
        return
    if behaviour.startswith("crash"):
        sys.exit("a line that says why")
    if behaviour == "brood":  # a grandchild in a session of its own, as PostgreSQL's backends are
        subprocess.Popen([sys.executable, "-c", _WAIT], start_new_session=True)
    if behaviour == "talk":
        print("for the person", flush=True)  # noqa: T201
        print("for the log", file=sys.stderr, flush=True)  # noqa: T201
    tell_ready()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
