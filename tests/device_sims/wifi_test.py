"""The Wi-Fi patch keeps each chunk until its receipt, and what it sends is what it measured."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims.faults import lead_off
from device_sims.pace import Pace
from device_sims.player import from_plan
from device_sims.proxy import Proxy
from device_sims.synthetic import Rhythm
from device_sims.wifi import MEMORY, Patch, run_patch
from gateway.gateway import Broker
from gateway.open_mhealth import read
from gateway.ranges import normalise
from gateway.reading import ClientId, DeviceId, EcgChunk, Epoch, LaneReceipt, Receipt, Refused, StreamName

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from conftest import Harbour

ON_AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
WAVE = lead_off(from_plan(((Rhythm.SINUS, 20.0),), 250.0, seed=1), 4.0, 6.0)


def patch(client: str = "wifi-1") -> Patch:
    return Patch(client, WAVE, "e1", ON_AT)


def receipt(*seqs: int, epoch: str = "e1", device: str = "wifi-1", stream: str = "ecg/I") -> Receipt:
    stored = normalise((seq, seq) for seq in seqs)
    lane = LaneReceipt(device=DeviceId(device), stream=StreamName(stream), stored=stored)
    return Receipt(epoch=Epoch(epoch), lanes=(lane,), server_time=ON_AT)


def test_its_json_reads_back_as_what_it_measured() -> None:
    messages = patch().measured(19.7)
    chunks = [read(message, ClientId("wifi-1")).event for message in messages]
    assert [chunk.seq for chunk in chunks] == list(range(1, 20))
    assert all(isinstance(chunk, EcgChunk) for chunk in chunks)
    ecg = [chunk for chunk in chunks if isinstance(chunk, EcgChunk)]
    samples = np.concatenate([np.frombuffer(chunk.samples, dtype="<i2") for chunk in ecg])
    assert np.array_equal(samples, WAVE.samples[: 19 * 250])
    assert [chunk.index for chunk in ecg] == [250 * turn for turn in range(19)]
    assert [chunk.at for chunk in ecg] == [ON_AT + timedelta(seconds=turn) for turn in range(19)]
    assert [chunk.seq for chunk in ecg if not chunk.contact] == [5, 6]


@settings(deadline=None, max_examples=50)
@given(moments=st.lists(st.floats(0, 300), max_size=40).map(sorted))
def test_each_chunk_is_measured_once_however_often_it_is_asked(moments: list[float]) -> None:
    worn = patch()
    messages = [message for moment in moments for message in worn.measured(moment)]
    assert len(messages) == int(max(moments, default=0.0))
    assert len(set(messages)) == len(messages)


@settings(deadline=None, max_examples=50)
@given(stored=st.sets(st.integers(1, 20)))
def test_only_a_receipt_of_its_own_lane_and_epoch_lets_it_forget(stored: set[int]) -> None:
    worn = patch()
    worn.measured(20.0)
    for foreign in (
        receipt(*range(1, 21), epoch="e0"),
        receipt(*range(1, 21), device="wifi-2"),
        receipt(*range(1, 21), stream="ecg/II"),
    ):
        worn.receipted(foreign)
    assert len(worn.outstanding) == 20
    worn.receipted(receipt(*stored))
    assert set(worn.outstanding) == set(range(1, 21)) - stored
    assert len(worn.overdue(100.0)) == 20 - len(stored)


def test_what_is_overdue_goes_again_and_not_at_once_again() -> None:
    worn = patch()
    first = worn.measured(1.0)
    assert worn.overdue(3.0) == []
    assert worn.overdue(6.5) == first
    assert worn.overdue(7.0) == []
    worn.go_back()
    assert worn.overdue(7.0) == first


def test_what_is_refused_for_good_is_not_sent_for_ever() -> None:
    worn = patch()
    messages = worn.measured(3.0)
    worn.was_refused(Refused(reason="impossible: x", digest=hashlib.sha256(messages[1]).hexdigest()))
    assert set(worn.outstanding) == {1, 3}
    assert worn.refused == 1


def test_a_full_memory_loses_the_oldest_and_counts_it() -> None:
    worn = patch()
    worn.measured(MEMORY + 10.0)
    assert worn.lost == 10
    assert next(iter(worn.outstanding)) == 11


async def piled_up(worn: Patch, enough: int) -> None:
    """Until so many chunks are outstanding: a patch without a network says nothing that could be waited for."""
    while len(worn.outstanding) < enough:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_nothing_is_lost_over_a_real_broker_that_is_cut_off(
    harbour: Callable[[], AbstractAsyncContextManager[Harbour]],
) -> None:
    async with asyncio.timeout(60), harbour() as it:
        password = it.admit(["wifi-1"])["wifi-1"]
        async with Proxy(it.broker.host, it.broker.port) as proxy:
            broker = Broker(host="127.0.0.1", port=proxy.port, user="wifi-1", password=password, protocol="3.1.1")
            worn, stop = Patch("wifi-1", WAVE, "e1", ON_AT), asyncio.Event()
            radio = asyncio.create_task(run_patch(worn, broker, Pace(speed=10.0), stop))
            await it.until(lambda each: len(each.events("wifi-1", "ecg/I")) >= 5)
            proxy.cut()
            await piled_up(worn, 10)
            proxy.heal()
            missed = worn.seq
            await it.until(lambda each: len(each.events("wifi-1", "ecg/I")) >= missed)
            stop.set()
            await radio
        chunks = it.events("wifi-1", "ecg/I")
    assert [chunk.seq for chunk in chunks][:missed] == list(range(1, missed + 1))
    assert worn.lost == 0
