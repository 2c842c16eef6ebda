"""The gateway's own sessions over the air: links that are lost at every packet, and nothing lost or doubled by it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from device_sims.cgm import Cgm
from device_sims.cuff import Cuff, Measurement
from device_sims.faults import LinkLossBefore
from device_sims.h10 import H10, worn
from device_sims.pace import Pace
from device_sims.player import from_plan
from device_sims.radio import gatt_profile
from device_sims.radio.ending import end
from device_sims.synthetic import Rhythm
from gateway import devices
from gateway.clock import GatewayClock
from gateway.codecs import polar_pmd
from gateway.devices import Devices
from gateway.link import DeviceKind
from gateway.reading import EcgChunk, Reading
from tests.radio.listening import Listening
from tests.radio.stacks import WAIT_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from device_sims.link import Wearable
    from device_sims.radio.gatt_profile import Profile
    from gateway.sessions.session import Draft
    from tests.radio.stacks import Stack

SPEED = 8.0
ENOUGH_FRAMES = 12


@pytest.fixture(autouse=True)
def _comes_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "FIRST_WAIT_S", 0.02)


async def heard(
    stack: Stack,
    wearable: Wearable,
    profile: Profile,
    kind: DeviceKind,
    pace: Pace,
    enough: Callable[[Sequence[Draft], Listening], bool],
) -> tuple[list[Draft], Listening]:
    """What a gateway's sessions gave out, over as many connections as it took."""
    drafts: list[Draft] = []
    device = await stack.put(wearable, profile, pace=pace)
    link = Listening(stack, device, kind)
    serving = asyncio.create_task(Devices(GatewayClock(pace.clocks()), UTC, drafts.extend).serve(link))
    try:
        await until(lambda: serving.done() or enough(drafts, link), WAIT_S)
    finally:
        await end(serving)
    return drafts, link


def readings(drafts: Sequence[Draft]) -> list[Reading]:
    return [draft.event for draft in drafts if isinstance(draft.event, Reading)]


async def test_ecg_is_neither_lost_nor_doubled_wherever_the_link_breaks_off(stack: Stack) -> None:
    pace = Pace(speed=SPEED)
    strap = worn(from_plan(((Rhythm.SINUS, 30.0),), 250.0, seed=9), 800_000_000 * 10**9)
    # Before the first frames and heart rates of a connection, one more with each.
    lost = (1, 3, 6, 10, 15)
    on = H10("H10-0A1B2C3D", strap, LinkLossBefore(*lost))
    drafts, link = await heard(
        stack,
        on,
        gatt_profile.H10,
        DeviceKind.H10,
        pace,
        lambda _, link: link.connections > len(lost) and len(frames_of(link)) >= ENOUGH_FRAMES,
    )
    chunks = [draft for draft in drafts if isinstance(draft.event, EcgChunk)]
    said = frames_of(link)
    assert link.connections == len(lost) + 1
    assert [draft.device_time for draft in chunks] == [str(frame.last_sample_ns) for frame in said]
    assert len({frame.last_sample_ns for frame in said}) == len(said)
    for draft, frame in zip(chunks, said, strict=True):
        assert isinstance(draft.event, EcgChunk)
        assert draft.event.samples == b"".join(value.to_bytes(2, "little", signed=True) for value in frame.microvolts)


def frames_of(link: Listening) -> list[polar_pmd.EcgFrame]:
    return [polar_pmd.decode(packet.data) for packet in link.heard if packet.characteristic == polar_pmd.DATA]


async def test_a_cuff_s_readings_come_once_wherever_the_link_breaks_off(stack: Stack) -> None:
    pace = Pace()
    measured = [
        Measurement(at_s=0.0, slot=turn % 2 + 1, systolic_mmhg=120 + turn, diastolic_mmhg=80, pulse_bpm=70)
        for turn in range(4)
    ]
    cuff = Cuff("BP-7001", measured, datetime.now(UTC), faults=LinkLossBefore(0, 1, 2, 3))
    drafts, link = await heard(
        stack, cuff, gatt_profile.CUFF, DeviceKind.CUFF, pace, lambda drafts, _: len(readings(drafts)) >= len(measured)
    )
    assert [reading.values[0] for reading in readings(drafts)] == [120.0, 121.0, 122.0, 123.0]
    assert [reading.slot for reading in readings(drafts)] == [1, 2, 1, 2]
    assert link.connections == 5


async def test_a_sensor_s_memory_is_told_whole_wherever_the_link_breaks_off(stack: Stack) -> None:
    pace = Pace()
    glucose = [100.0 + turn for turn in range(8)]
    sensor = Cgm("CGM-3001", glucose, datetime.now(UTC), faults=LinkLossBefore(0, 1, 2, 3, 4))
    drafts, _ = await heard(
        stack,
        sensor,
        gatt_profile.CGM,
        DeviceKind.CGM,
        pace,
        lambda drafts, link: link.connections > 5 and len(readings(drafts)) >= len(glucose),
    )
    assert [reading.values[0] for reading in readings(drafts)] == glucose
