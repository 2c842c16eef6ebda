"""Where the store is, and its server running while a command works on it.

A server of your own runs by itself; so does the embedded one under `tierwatch up`. Otherwise it is started here for as
long as the work takes, with the data folder held, so that nothing else starts on it. Must never leave it running.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeVar

from stream.servers.children import postgres_child
from stream.servers.data_folder import FolderUnusable, hold, is_held
from stream.servers.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.servers.data_folder import DataFolder

READY_WITHIN_S = 60.0

Result = TypeVar("Result")


class StreamTable(Protocol):
    """The [stream] table, as far as it is read here."""

    @property
    def dsn(self) -> str:
        """Empty: the embedded server."""


class Place(Protocol):
    """What the command line knows about where things are."""

    @property
    def dsn(self) -> str:
        """How to connect, whichever server it is."""

    @property
    def folder(self) -> DataFolder:
        """Where the embedded server would be."""

    @property
    def stream(self) -> StreamTable:
        """Which of the two it is."""


def with_store(place: Place, work: Callable[[str], Result], *, alone: bool = False) -> Result:
    """Do `work(dsn)` with the server running; `alone` = with nothing else of Tierwatch's running on it.

    Raises:
        FolderInUse: `alone`, and Tierwatch is up.
        FolderUnusable: the embedded server could not be started.
    """
    if place.stream.dsn:
        return work(place.dsn)
    place.folder.make()
    if is_held(place.folder) and not alone:
        return work(place.dsn)
    with hold(place.folder):
        return asyncio.run(_serving(place, work))


async def _serving(place: Place, work: Callable[[str], Result]) -> Result:
    child = postgres_child(place.folder)
    kept = Kept(child)
    await kept.start(place.folder)
    ended = asyncio.create_task(kept.ended())
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while kept.process is None or child.probe is None or not child.probe(kept.process):
                if ended.done():
                    break
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise FolderUnusable(f"PostgreSQL was not ready after {READY_WITHIN_S:g} s: {_log(place)}") from error
    else:
        if ended.done():
            raise FolderUnusable(f"PostgreSQL ended by itself: {kept.trouble or _log(place)}")
        return await asyncio.to_thread(work, place.dsn)
    finally:
        await kept.end(child.stop_within_s)
        await ended


def _log(place: Place) -> str:
    return f"see {place.folder.log_of('postgres')}"
