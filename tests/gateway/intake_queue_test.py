"""From memory to disk: at once for a reading, in groups for ECG, and what a full disk does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from gateway import intake_queue, ranges
from gateway.clock import Clocks, GatewayClock
from gateway.intake_queue import IntakeQueue
from gateway.outbox import Outbox
from gateway.reading import DeviceStatus
from tests.gateway.made import START, draft, ecg, pressure
from tests.gateway.outbox_test import ECG, PRESSURE, held, limit_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    import pytest

    from gateway.lane import Gap, Kept

CLOCK = GatewayClock(Clocks(wall=lambda: START, monotonic_ns=lambda: 0, synchronised=lambda: True, boot="b"))


class Told:
    """What the queue hands on."""

    def __init__(self) -> None:
        self.commits: list[list[int]] = []
        self.gaps: list[Gap] = []
        self.came = asyncio.Event()

    def take(self, kept: Sequence[Kept], gaps: Sequence[Gap]) -> None:
        self.commits.append([item.seq for item in kept])
        self.gaps += gaps
        self.came.set()

    async def next(self) -> None:
        async with asyncio.timeout(20):
            await self.came.wait()
        self.came.clear()


@asynccontextmanager
async def working(box: Outbox) -> AsyncIterator[tuple[IntakeQueue, Told]]:
    told = Told()
    queue = IntakeQueue(box, CLOCK, None, told.take)
    task = asyncio.create_task(queue.commit())
    yield queue, told
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    queue.commit_the_rest()


async def test_ecg_is_grouped_and_a_reading_takes_it_along_at_once(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "o.db", boot="b")
    async with working(box) as (queue, told):
        queue.put([draft(ecg(0))])
        await asyncio.sleep(0)
        queue.put([draft(ecg(1))])
        await told.next()
        assert told.commits == [[1, 2]]
        queue.put([draft(ecg(2)), draft(pressure(0))])
        await told.next()
        assert told.commits[1] == [3, 1]
        assert queue.waiting == 0
    box.close()


async def test_stopping_in_the_middle_commits_everything_once(tmp_path: Path) -> None:
    for turns in range(6):
        box = Outbox(tmp_path / f"{turns}.db", boot="b")
        async with working(box) as (queue, _):
            queue.put([draft(pressure(n)) for n in range(5)])
            for _ in range(turns):
                await asyncio.sleep(0)
            queue.put([draft(ecg(0))])
        assert box.ledger() == {PRESSURE: 5, ECG: 1}
        box.close()


async def test_while_the_disk_is_full_readings_wait_and_the_newest_waveform_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_queue, "TRY_AGAIN_S", 0.05)
    monkeypatch.setattr(intake_queue, "WAVEFORM_IN_MEMORY", 10)
    box = Outbox(tmp_path / "o.db", boot="b")
    box.append([draft(pressure(n)) for n in range(100)], right=True)
    limit_pages(box, 0)
    async with working(box) as (queue, told):
        queue.put([draft(pressure(100 + n)) for n in range(200)])
        queue.put([draft(ecg(n)) for n in range(30)])
        # 200 readings, the newest 10 of 30 chunks, and a line that says what was lost.
        async with asyncio.timeout(20):
            while queue.waiting != 211:  # noqa: ASYNC110 - the queue tries by itself
                await asyncio.sleep(0.01)
        assert not told.commits
        limit_pages(box, 10_000)
        await told.next()
        assert queue.waiting == 0
    assert held(box, PRESSURE) == ((1, 300),)
    assert ranges.size(held(box, ECG)) == 10
    chunks, _ = box.events(ECG, 1, 10)
    assert chunks[0].at == ecg(20).at
    (lane,) = [name for name in box.ledger() if name.stream == "status"]
    (note,), _ = box.events(lane, 1, 1)
    assert isinstance(note, DeviceStatus)
    assert note.note == "disk full: 20 ECG chunks so far were lost before they could be kept"
    box.close()
