"""PostgreSQL refuses to run as root: whom it runs as then, and whether that user can get at its files.

Never opens a folder that somebody closed: it names the folder, and what to do.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM_USERS = ("tierwatch", "postgres", "nobody")
"""Tried in this order; `nobody` is on every system."""

SYSTEM_DATA = Path("/var/lib/tierwatch")
"""Where root's data goes when its own folders are closed to others."""


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """A user that a root process turns into."""

    name: str
    uid: int
    gid: int

    def become(self) -> None:
        """Give root up for good."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)


def unprivileged(owner_of: Path) -> Unprivileged | None:
    """Whom to run as: None = as we are. Whoever owns the data already, else the first of `SYSTEM_USERS`."""
    if os.geteuid() != 0:
        return None
    if owner_of.exists() and (uid := owner_of.stat().st_uid) != 0:
        found = pwd.getpwuid(uid)
        return Unprivileged(found.pw_name, found.pw_uid, found.pw_gid)
    for name in SYSTEM_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Unprivileged(found.pw_name, found.pw_uid, found.pw_gid)
    raise RuntimeError(
        f"PostgreSQL cannot run as root, and this system has none of the users {', '.join(SYSTEM_USERS)}: add one."
    )


def closed_folder(path: Path, user: Unprivileged) -> Path | None:
    """The first folder on the way to `path` that this user may not pass through."""
    for folder in _from_root(path):
        try:
            found = folder.stat()
        except FileNotFoundError:
            return None
        if found.st_uid == user.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == user.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not found.st_mode & bit:
            return folder
    return None


def _from_root(path: Path) -> Iterable[Path]:
    resolved = path.resolve()
    return [*reversed(resolved.parents), resolved]


def default_data(home: Path) -> Path:
    """`var` beside the program; for root in a private home the system's place instead, as PostgreSQL could not get in."""
    beside = home / "var"
    user = unprivileged(beside / "postgres")
    if user is None or closed_folder(home, user) is None:
        return beside
    return SYSTEM_DATA
