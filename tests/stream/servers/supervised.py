"""A supervisor over children of a test's choosing, as a process of its own that can be killed.

    python supervised.py DATA [--mqtt-port N] [--for S] CHILD...

`postgres` and `nats` are the real ones. Any other word is `name:behaviour`, played by `play.py`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stream.servers.child_process import say
from stream.servers.children import Child, Port, PortBusy, nats_child, postgres_child
from stream.servers.data_folder import DataFolder, FolderInUse, FolderUnusable
from stream.servers.supervisor import supervise

PLAY = Path(__file__).with_name("play.py")


def child(folder: DataFolder, word: str, mqtt_port: int) -> Child:
    """The child that a word asks for."""
    if word == "postgres":
        return postgres_child(folder)
    if word == "nats":
        return nats_child(folder, mqtt_port=mqtt_port, shard=0)
    name, behaviour = word.split(":", 1)
    command = (sys.executable, str(PLAY), behaviour, str(folder.root), name)
    port = (Port(number=int(behaviour.split("=")[1]), setting="[play] port"),) if behaviour.startswith("port=") else ()
    return Child(
        name=name,
        holds_up_s=0.5 if behaviour == "crash-alone" else None,
        command=command,
        is_once=behaviour.startswith("once"),
        ports=port,
        is_on_screen=behaviour == "talk",
        stop_within_s=60 if behaviour == "stubborn-long" else 2,
    )


def main() -> None:
    """Run until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("children", nargs="+")
    parser.add_argument("--mqtt-port", type=int, default=0)
    parser.add_argument("--for", dest="for_s", type=float)
    given = parser.parse_args()
    folder = DataFolder(given.data)
    children = [child(folder, word, given.mqtt_port) for word in given.children]
    try:
        supervise(
            folder,
            children,
            say,
            for_s=given.for_s,
            ready=lambda: say("ALL READY"),
        )
    except (PortBusy, FolderInUse, FolderUnusable) as error:
        say(f"REFUSED {error}")
        sys.exit(1)
    say("STOPPED")


if __name__ == "__main__":
    main()
