"""Ending a task for certain."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_S = 0.1


async def end(task: asyncio.Task[Any]) -> None:
    """Cancelled and gone; raises what had ended it before, if anything had.

    Told again until it listens: `asyncio.wait_for`, which bumble waits with, swallows a cancellation that comes together
    with its answer (before Python 3.12).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_S)
    if not task.cancelled():
        task.result()
