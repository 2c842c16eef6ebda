"""Starts the children in their order, starts them again when they end, and ends them in the reverse order.

It holds the data folder, and nothing else: no database connection, no medicine, no secret. It never gives up on a child.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from stream.servers.children import refuse_busy_ports
from stream.servers.data_folder import DataFolder, hold
from stream.servers.kept import Kept
from stream.servers.leftovers import find, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from stream.servers.children import Child

DELAYS_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Before each new try; the last one for ever after."""
CALM_S = 60.0
"""A child that was well for so long starts again from the shortest delay."""
PROBE_EVERY_S = 0.1
NOTE_AFTER_S = 4.0
STILL_WAITING_S = 20.0
LARGEST_LOG = 20 * 1024 * 1024
_LEFTOVER_S = 6.0


class Supervisor:
    """One run of `tierwatch up`."""

    def __init__(self, folder: DataFolder, children: Sequence[Child], say: Callable[[str], None]) -> None:
        self.folder = folder
        self.children = tuple(children)
        self.say = say
        self.all_ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._running: dict[str, Kept] = {}
        self._width = max((len(child.name) for child in children), default=0)

    def stop(self) -> None:
        """Ask for a clean stop; asked twice, for a quick one."""
        if self._stopping.is_set():
            self._hurry.set()
            for kept in self._running.values():
                kept.hurry()
        self._stopping.set()

    async def run(self) -> None:
        """Until somebody stops it. Raises `PortBusy` before anything has started."""
        await self._let_the_last_run_end()
        refuse_busy_ports(self.children)
        tasks: dict[str, asyncio.Task[None]] = {}
        logs = asyncio.create_task(self._keep_logs_short())
        try:
            for child in self.children:
                ready = asyncio.Event()
                tasks[child.name] = asyncio.create_task(self._keep(child, ready))
                if not await self._unless_stopping(self._held_up(child, ready)):
                    break
            else:
                self.all_ready.set()
            await self._stopping.wait()
        finally:
            self._stopping.set()
            logs.cancel()
            await self._end_all(tasks)

    async def _held_up(self, child: Child, ready: asyncio.Event) -> None:
        """Wait for a child as long as those after it should: no page that fails may keep intake from starting."""
        try:
            await asyncio.wait_for(ready.wait(), child.holds_up_s)
        except TimeoutError:
            self._report(child, "not ready yet; the others go on without it")

    async def _keep(self, child: Child, first_ready: asyncio.Event) -> None:
        """One child, for as long as we run."""
        failures = 0
        while not self._stopping.is_set():
            begun = time.monotonic()
            kept = Kept(child)
            self._running[child.name] = kept
            code, trouble = await self._run_once(child, kept, first_ready)
            del self._running[child.name]
            if self._stopping.is_set() or (child.is_once and code == 0):
                return
            lasted = time.monotonic() - begun
            failures = 0 if kept.is_ready.is_set() and lasted > CALM_S else failures
            delay = DELAYS_S[min(failures, len(DELAYS_S) - 1)]
            failures += 1
            self._report(
                child, f"ended ({trouble or _how(code)}) after {lasted:.1f} s; starting it again in {delay:g} s"
            )
            if failures == 1 or trouble:
                self._show_reason(child)
            await self._unless_stopping(asyncio.sleep(delay))

    async def _run_once(self, child: Child, kept: Kept, first_ready: asyncio.Event) -> tuple[int, str]:
        begun = time.monotonic()
        try:
            await kept.start(self.folder)
        except OSError as error:  # no process to be had, no descriptor left: the next try may find some
            return 127, str(error.strerror or error)
        announcing = asyncio.create_task(self._announce(child, kept, first_ready, begun))
        try:
            code = await kept.ended()
        finally:
            announcing.cancel()
            with suppress(asyncio.CancelledError):
                await announcing
        if child.is_once and code == 0:
            self._report(child, f"done     {time.monotonic() - begun:6.1f} s")
            first_ready.set()
        return code, kept.trouble

    async def _announce(self, child: Child, kept: Kept, first_ready: asyncio.Event, begun: float) -> None:
        """Say when it is ready, and now and then that it is not yet."""
        if child.is_once:
            return
        waiting = asyncio.create_task(self._until_ready(child, kept))
        patience_s = NOTE_AFTER_S if child.note else STILL_WAITING_S
        hint = f": {child.note}" if child.note else ""
        try:
            while not (await asyncio.wait({waiting}, timeout=patience_s))[0]:
                self._report(child, f"starting {time.monotonic() - begun:6.0f} s{hint}")
                patience_s, hint = STILL_WAITING_S, f"; its log: {self.folder.log_of(child.name)}"
        finally:
            waiting.cancel()
        self._report(child, f"ready    {time.monotonic() - begun:6.1f} s")
        first_ready.set()

    async def _until_ready(self, child: Child, kept: Kept) -> None:
        if child.probe is None:
            await kept.is_ready.wait()
            return
        await kept.has_begun.wait()
        while kept.process is None or not await asyncio.to_thread(child.probe, kept.process):  # noqa: ASYNC110 - a server
            await asyncio.sleep(PROBE_EVERY_S)  # of somebody else: it calls nobody back
        kept.is_ready.set()

    async def _end_all(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        """The reverse order: whoever makes work ends before whoever keeps it."""
        for name in reversed(tasks):
            kept = self._running.get(name)
            if kept is not None:
                if self._hurry.is_set():
                    kept.hurry()
                if not await kept.end(kept.child.stop_within_s):
                    self._report(kept.child, f"did not stop within {kept.child.stop_within_s} s and was killed")
            with suppress(asyncio.CancelledError):
                await tasks[name]
        left = await asyncio.to_thread(sweep, self.folder.mark())
        if left:
            self.say(f"{left} left-over process(es) were killed.")

    async def _let_the_last_run_end(self) -> None:
        """After a kill -9 of the last supervisor its keepers still end their children: wait, then sweep what is left."""
        mark = self.folder.mark()
        until = time.monotonic() + _LEFTOVER_S
        told = False
        while await asyncio.to_thread(find, mark) and time.monotonic() < until and not self._stopping.is_set():
            if not told:
                self.say("The last run is still ending: waiting for it.")
                told = True
            await asyncio.sleep(0.2)
        await asyncio.to_thread(sweep, mark)

    async def _unless_stopping(self, waiting: Coroutine[object, object, object]) -> bool:
        """Wait for something, or for the stop; True if it was the something."""
        something = asyncio.create_task(waiting)
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({something, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in (something, stop):
            task.cancel()
        return not self._stopping.is_set()

    async def _keep_logs_short(self) -> None:
        """A log beyond its bound is moved aside, once; the child goes on writing at the new beginning."""
        while True:
            await asyncio.sleep(60.0)
            for child in self.children:
                await asyncio.to_thread(_shorten, self.folder, child.name)

    def _show_reason(self, child: Child) -> None:
        path = self.folder.log_of(child.name)
        with suppress(OSError):
            with path.open("rb") as log:
                log.seek(max(0, path.stat().st_size - 4000))
                lines = log.read().decode(errors="replace").strip().splitlines()
            if lines:
                self._report(child, f"  {lines[-1][:500]}")
            self._report(child, f"  more in {path}")

    def _report(self, child: Child, text: str) -> None:
        self.say(f"{child.name:<{self._width}}  {text}")


def supervise(
    folder: DataFolder,
    children: Sequence[Child],
    say: Callable[[str], None],
    *,
    for_s: float | None = None,
    ready: Callable[[], None] = lambda: None,
    meanwhile: Callable[[threading.Event], None] = lambda _: None,
) -> None:
    """Hold the folder and run the children until Ctrl-C, SIGTERM, a closed terminal, or for so many seconds.

    `meanwhile` works in a thread from "ready" on; the seconds count when it is done. Its event is set when all has ended.
    """
    folder.make()
    with hold(folder):
        asyncio.run(_supervise(Supervisor(folder, children, say), for_s, ready, meanwhile))


async def _supervise(
    supervisor: Supervisor,
    for_s: float | None,
    ready: Callable[[], None],
    meanwhile: Callable[[threading.Event], None],
) -> None:
    ended = threading.Event()
    loop = asyncio.get_running_loop()
    for word in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(word, supervisor.stop)

    async def when_ready() -> None:
        await supervisor.all_ready.wait()
        ready()
        await asyncio.to_thread(meanwhile, ended)
        if for_s is not None:
            await asyncio.sleep(for_s)
            supervisor.stop()

    watching = asyncio.create_task(when_ready())
    try:
        await supervisor.run()
    finally:
        ended.set()
        watching.cancel()


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _shorten(folder: DataFolder, name: str) -> None:
    path = folder.log_of(name)
    with suppress(OSError):
        if path.stat().st_size > LARGEST_LOG:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)
