"""Where a demo runs in tests: a folder that PostgreSQL's user may pass through, free ports, and nothing of it left behind."""

from __future__ import annotations

import os
import random
import shutil
import socket
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stream.servers.data_folder import DataFolder
from stream.servers.leftovers import sweep
from stream.servers.privilege import default_data

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).parents[1]


@contextmanager
def place() -> Iterator[Path]:
    """The working folder; the data folder is `data` in it."""
    found = Path(tempfile.mkdtemp(prefix="tw-"))
    found.chmod(0o755)
    try:
        yield found
    finally:
        sweep(DataFolder(found.resolve() / "data").mark())
        shutil.rmtree(found)


def settle(place: Path, dispatch: str, quiet_patients: int) -> int:
    """Write its settings, with a dispatch centre that answers so; returns the port of its pages."""
    mqtt, pages, centre = _free_ports(3)
    (place / "tierwatch.toml").write_text(
        f"[stream]\nmqtt_port = {mqtt}\n[api]\nport = {pages}\n"
        f"[device_sims]\ndispatch_port = {centre}\ndispatch = '{dispatch}'\nquiet_patients = {quiet_patients}\n"
    )
    return pages


def environment() -> dict[str, str]:
    """Of its process: this checkout, synthetic hearts, and the kernels that the tests have compiled."""
    return {
        **{name: value for name, value in os.environ.items() if name != "TIERWATCH_DATA"},
        "PYTHONPATH": str(HOME),
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(default_data(HOME) / "numba")),
    }


def _free_ports(number: int) -> list[int]:
    """Below those that the system hands out by itself: another child must not be given one of them in between."""
    found: set[int] = set()
    while len(found) < number:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.add(port)
    return sorted(found)
