"""From memory to disk: what was heard waits here for its commit, ECG at most 250 ms, a reading not at all.

A thin shell around `Outbox.append`. Nothing gets a number, and nothing is sent, before it is committed. While the disk
is full, readings wait in memory; of the waveform only the newest does, and what was lost is counted and reported.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.outbox import Outbox, OutboxFull
from gateway.reading import DeviceStatus, EcgChunk
from gateway.sessions.session import Draft, status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from gateway.clock import GatewayClock
    from gateway.lane import Gap, Kept

GROUP_S = 0.25
TRY_AGAIN_S = 1.0
WAVEFORM_IN_MEMORY = 600
"""Chunks held while the disk is full: about 5 minutes of one lead."""
_LOST = "disk full: "

_log = structlog.get_logger("gateway.outbox")


class IntakeQueue:
    """What was heard and is not on disk yet."""

    def __init__(
        self,
        outbox: Outbox,
        clock: GatewayClock,
        pool: Executor | None,
        on_kept: Callable[[Sequence[Kept], Sequence[Gap]], None],
    ) -> None:
        self._outbox, self._clock, self._pool, self._on_kept = outbox, clock, pool, on_kept
        self._pending: list[Draft] = []
        self._committing = 0
        self._lost = 0
        self._arrived = asyncio.Event()
        self._urgent = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Events that are not on disk yet."""
        return len(self._pending) + self._committing

    def put(self, drafts: Sequence[Draft]) -> None:
        """Something was heard."""
        if not drafts:
            return
        self._pending += drafts
        self._arrived.set()
        if any(not isinstance(draft.event, EcgChunk) for draft in drafts):
            self._urgent.set()

    async def commit(self) -> None:
        """For ever: readings at once, with whatever waits; ECG in groups."""
        while True:
            await self._arrived.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GROUP_S):
                    await self._urgent.wait()
            self._arrived.clear()
            self._urgent.clear()
            drafts, self._pending = self._pending, []
            if not drafts:
                continue
            try:
                self._committing = len(drafts)
                await self._keep(drafts)
            except OutboxFull as error:
                _log.error("outbox_full", why=str(error))
                self._pending = self._bounded(drafts + self._pending)
                self._committing = 0
                await asyncio.sleep(TRY_AGAIN_S)
                self._arrived.set()
            finally:
                self._committing = 0

    def commit_the_rest(self) -> None:
        """At the end: what came in last; a full disk then loses it, and the log says how much."""
        try:
            if self._pending:
                self._outbox.append(self._pending, right=self._clock.wall_is_right())
        except OutboxFull as error:
            _log.error("lost_at_the_end", events=len(self._pending), why=str(error))
        self._pending = []

    async def _keep(self, drafts: list[Draft]) -> None:
        append = partial(self._outbox.append, drafts, right=self._clock.wall_is_right())
        work = asyncio.get_running_loop().run_in_executor(self._pool, append)
        try:
            # A commit under way is seen through even when the gateway stops: else its events would be appended twice.
            kept, gaps = await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if work.exception() is not None:
                self._pending = drafts + self._pending
            raise
        self._on_kept(kept, gaps)

    def _bounded(self, drafts: list[Draft]) -> list[Draft]:
        """While nothing can be written: every reading, and the newest of the waveform."""
        spare = sum(isinstance(draft.event, EcgChunk) for draft in drafts) - WAVEFORM_IN_MEMORY
        if spare <= 0:
            return drafts
        self._lost += spare
        kept: list[Draft] = []
        for draft in drafts:
            if isinstance(draft.event, EcgChunk) and spare > 0:
                spare -= 1
            elif not (isinstance(draft.event, DeviceStatus) and (draft.event.note or "").startswith(_LOST)):
                kept.append(draft)
        note = f"{_LOST}{self._lost} ECG chunks so far were lost before they could be kept"
        return [*kept, status(drafts[0].event.device, self._clock.now(), note=note)]
