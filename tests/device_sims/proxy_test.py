"""The proxy passes every byte on in order, and what it cuts or stalls heals."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from device_sims.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
    """A proxy before a server that says back what it hears."""

    async def say_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(say_back, "127.0.0.1", 0)
    async with asyncio.timeout(20), Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def asked(proxy: Proxy, data: bytes) -> bytes:
    """Send it and read as many bytes back, over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(data)
        return await reader.readexactly(len(data))
    finally:
        writer.close()


async def test_bytes_pass_untouched() -> None:
    data = bytes(range(256)) * 4000
    async with echo() as proxy:
        assert await asked(proxy, data) == data
        assert proxy.passed_bytes == 2 * len(data)


async def test_a_cut_drops_what_is_open_refuses_what_is_new_and_heals() -> None:
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        proxy.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asked(proxy, b"during")
        proxy.heal()
        assert await asked(proxy, b"after") == b"after"


async def test_a_stall_holds_everything_and_loses_nothing() -> None:
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        proxy.stall()
        writer.write(b"bc")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        proxy.heal()
        assert await reader.readexactly(2) == b"bc"
        writer.close()


async def test_a_delay_delays() -> None:
    async with echo() as proxy:
        loop = asyncio.get_running_loop()
        proxy.delay_s = 0.1
        began = loop.time()
        await asked(proxy, b"x")
        assert loop.time() - began >= 0.2


async def test_a_broker_that_is_down_looks_as_it_would_without_a_proxy() -> None:
    async with asyncio.timeout(20), Proxy("127.0.0.1", 1) as proxy:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asked(proxy, b"x")
