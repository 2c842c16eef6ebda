"""A child that runs, seen from the supervisor: the leash it hangs on, and what its keeper tells of it.

Closing the leash is enough to end it; so is this process's death.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stream.servers.leftovers import MARK_VARIABLE

if TYPE_CHECKING:
    from stream.servers.children import Child
    from stream.servers.data_folder import DataFolder

HOME = Path(__file__).resolve().parents[2]
"""The folder that our packages lie in: every child starts there, so that it finds these and no others."""
_LAST_WORD_S = 6.0
"""What a keeper gets on top of the child's own time, to kill and to sweep."""


class Kept:
    """One run of one child, from its start to its end."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: int | None = None
        self.is_ready = asyncio.Event()
        self.has_begun = asyncio.Event()
        self.trouble = ""
        self.code: int | None = None
        """What the child itself ended with; negative = a signal."""
        self._leash = -1
        self._keeper: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self, folder: DataFolder) -> None:
        """Start the keeper, which starts the child."""
        leash_end, self._leash = os.pipe()
        told, tell = os.pipe()
        environment = {name: value for name, value in os.environ.items() if name != MARK_VARIABLE}
        log = os.open(folder.log_of(self.child.name), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._keeper = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stream.servers.keeper", "--fd", str(leash_end), "--tell", str(tell)),
                *("--mark", folder.mark(self.child.name), "--lock", str(folder.run / f"{self.child.name}.lock")),
                *("--stop", self.child.stop.name.removeprefix("SIG"), "--", *self.child.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=None if self.child.is_on_screen else log,
                stderr=log,
                cwd=HOME,
                env=environment,
                pass_fds=(leash_end, tell),
                start_new_session=True,  # Ctrl-C at the terminal is for the supervisor alone
            )
        except BaseException:
            os.close(told)
            raise
        finally:
            os.close(leash_end)
            os.close(tell)
            os.close(log)
        self._listening = asyncio.create_task(self._listen(told))

    async def ended(self) -> int:
        """Wait for the keeper's end; returns the code that the child ended with."""
        if self._keeper is None or self._listening is None:
            raise RuntimeError("not started")
        code = await self._keeper.wait()
        await self._listening
        self._drop_leash()
        if self.code is None:  # the keeper itself was killed: its child went with it, or goes when the next one sweeps
            self.code = code
        return self.code

    async def end(self, within_s: int) -> bool:
        """Ask the child to end, then insist; False if it had to be killed."""
        if self._keeper is None:
            return True
        if self._leash >= 0:
            with suppress(OSError):
                os.write(self._leash, bytes([min(within_s, 255)]))
        try:
            await asyncio.wait_for(self._keeper.wait(), within_s + _LAST_WORD_S)
        except TimeoutError:
            self.kill()
            await self._keeper.wait()
            return False
        return self.code is None or self.code != -signal.SIGKILL

    def hurry(self) -> None:
        """Let go: the keeper ends its child within a few seconds."""
        self._drop_leash()

    def kill(self) -> None:
        """End the child's group and the keeper, without asking."""
        self._drop_leash()
        if self.process is not None and self.code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process, signal.SIGKILL)
        if self._keeper is not None:
            with suppress(ProcessLookupError):
                self._keeper.kill()

    async def _listen(self, told: int) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(told, "rb"))
        try:
            async for line in reader:
                self._hear(line)
        finally:
            transport.close()

    def _hear(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if "pid" in said:
            self.process = int(said["pid"])
            self.has_begun.set()
        if said.get("ready"):
            self.is_ready.set()
        if "error" in said:
            self.trouble = str(said["error"])
        if "exit" in said:
            self.code = int(said["exit"])

    def _drop_leash(self) -> None:
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1
