"""A TCP proxy between a gateway and its broker that cuts, stalls and delays: network faults without privileges.

It passes bytes on untouched and in order, or not at all; it never changes one.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_READ_BYTES = 65536


class Proxy:
    """`async with Proxy("127.0.0.1", broker_port) as proxy:` then point the client at `proxy.port`."""

    def __init__(self, host: str, port: int) -> None:
        """The proxy listens from `__aenter__` on, on a free port of the loopback interface."""
        self.port = 0
        self.delay_s = 0.0
        """Each piece of data waits this long before it is passed on."""
        self.passed_bytes = 0
        """In both directions together."""
        self._target = (host, port)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Start to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection and the port."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Drop every connection, and each new one at once, until `heal`."""
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self) -> None:
        """Keep the connections open and let nothing through, as a network that swallows packets, until `heal`."""
        self._flowing.clear()

    def heal(self) -> None:
        """Let everything through again, without delay; what was stalled arrives."""
        self._is_cut = False
        self.delay_s = 0.0
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        except OSError:
            # The broker is down: the client sees a closed connection, as without a proxy.
            writer.transport.abort()
            return
        ends = {writer, onward_writer}
        self._writers |= ends
        try:
            await asyncio.gather(self._pump(reader, onward_writer), self._pump(onward_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_READ_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
                self.passed_bytes += len(data)
        # One side has ended: so does the other, after what was on the way.
        if not writer.is_closing():
            writer.close()
