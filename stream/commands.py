"""The stream's commands: the store, replays, the log, and the trace of one reading or alert.

Imports nothing heavy: `tierwatch --help` reads this file. A group lives beside what it commands, in a `commands.py`
with a typer `app`; adding one is a line in `GROUPS` (a name of its own) or `COMMANDS` (its commands stand alone).
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import typer

app = typer.Typer(no_args_is_help=True)

GROUPS = {
    "store": ("stream.store.commands", "Look after the database: room for the days to come, backup, restore."),
    "log": ("stream.log_commands", "The log of record: everything that was ever judged, in its order."),
}
"""Name, module, and the sentence that `tierwatch --help` shows."""

COMMANDS: tuple[str, ...] = ()
"""Modules whose commands are typed without a group's name: `replay`, `trace`."""


def _mount() -> None:
    for name, (module, sentence) in GROUPS.items():
        if find_spec(module) is not None:
            app.add_typer(import_module(module).app, name=name, help=sentence)
    for module in COMMANDS:
        app.add_typer(import_module(module).app)


_mount()
