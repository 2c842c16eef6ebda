"""Which Tierwatch is meant: its settings, its data folder, its database, and the one clock of all its processes.

Made at the composition root and handed in; nothing else looks for a settings file, a data folder or the time by itself.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from stream.servers.data_folder import DataFolder
from stream.servers.kept import HOME
from stream.servers.postgres import dsn
from stream.servers.privilege import default_data
from stream.settings_file import BadSettings, lines, read_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.settings import StreamSettings

CONFIG = Path("tierwatch.toml")
NUMBA_CACHE = "NUMBA_CACHE_DIR"
"""numba reads this when it is first imported."""


class Place:
    """What each folder was told, checked. Opens and makes nothing."""

    def __init__(
        self,
        folders: Sequence[str],
        path: Path | None = None,
        data: Path | None = None,
        speed: float = 1.0,
        anchor: datetime | None = None,
    ) -> None:
        if path is not None and not path.exists():
            raise BadSettings(f"there is no settings file {path}")
        self.path = (path or CONFIG).resolve() if (path or CONFIG).exists() else None
        self.speed = speed
        self.anchor = anchor.replace(tzinfo=UTC) if anchor is not None else datetime.now(UTC).replace(microsecond=0)
        """Where a faster clock starts from; every process is given the same one."""
        self.tables = read_tables(self.path, folders)
        base = self.path.parent if self.path is not None and data is None else Path.cwd()
        self.folder = DataFolder((base / (data or self.stream.data or default_data(HOME))).resolve())

    @property
    def stream(self) -> StreamSettings:
        """The [stream] table."""
        return cast("StreamSettings", self.tables["stream"])

    @property
    def dsn(self) -> str:
        """Where the database is, without any secret."""
        return self.stream.dsn or dsn(self.folder.root)

    @property
    def numba_cache(self) -> Path:
        """Where the compiled detector is kept; a child takes its supervisor's."""
        return Path(self.stream.numba_cache or os.environ.get(NUMBA_CACHE) or self.folder.numba).resolve()

    def now(self) -> datetime:
        """The one wall clock of every process: real time, or faster from the anchor on."""
        real = datetime.now(UTC)
        return real if self.speed == 1.0 else self.anchor + (real - self.anchor) * self.speed

    def compile_here(self) -> None:
        """Have numba keep what it compiles in our folder; before its first import, and inherited by children."""
        os.environ[NUMBA_CACHE] = str(self.numba_cache)

    def lines(self) -> list[str]:
        """The settings in force, one a line."""
        rows = [("data folder", str(self.folder.root)), *lines(self.tables)]
        width = max(len(name) for name, _ in rows)
        return [f"  {name:<{width}}  {value}" for name, value in rows if name != "[stream] data"]
