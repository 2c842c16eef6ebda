"""A virtual device behind the gateway's `Link`: at the pace of the world, answering, losing the link."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from device_sims.cuff import Cuff, Measurement
from device_sims.h10 import H10, SAMPLES_A_FRAME, TRUE_RATE_HZ, worn
from device_sims.link import VirtualLink
from device_sims.pace import Pace
from device_sims.player import from_plan
from device_sims.synthetic import Rhythm
from gateway.codecs import battery, blood_pressure, polar_pmd
from gateway.link import LinkLost, Packet

pytestmark = pytest.mark.asyncio

FAST = 50.0


def strap() -> H10:
    return H10("H1", worn(from_plan(((Rhythm.SINUS, 30.0),), 250.0, seed=1), 10**18))


async def until(link: VirtualLink, enough: int, into: list[Packet] | None = None) -> list[Packet]:
    """Ask for ECG and listen until that many frames of it came; all that was heard."""
    heard: list[Packet] = [] if into is None else into
    async for packet in link.packets():
        heard.append(packet)
        if len(heard) == 1:
            await link.write(polar_pmd.CONTROL.lower(), polar_pmd.START_ECG)
        if sum(each.characteristic == polar_pmd.DATA for each in heard) == enough:
            break
    return heard


async def test_a_strap_answers_and_streams_at_the_pace_of_the_world() -> None:
    async with asyncio.timeout(20):
        heard = await until(VirtualLink(strap(), Pace(speed=FAST)), 30)
    assert [packet.characteristic for packet in heard[:2]] == [battery.FIRMWARE, polar_pmd.CONTROL]
    frames = [packet for packet in heard if packet.characteristic == polar_pmd.DATA]
    clock_ns = [polar_pmd.decode(packet.data).last_sample_ns for packet in frames]
    spoken_s = (clock_ns[-1] - clock_ns[0]) / 1e9
    assert spoken_s == pytest.approx(29 * SAMPLES_A_FRAME / TRUE_RATE_HZ)
    # By the world's clock at least as long as the signal lasted: no frame can be heard before it was measured.
    assert (
        heard[-1].heard_monotonic_ns - frames[0].heard_monotonic_ns
    ) / 1e9 > spoken_s - SAMPLES_A_FRAME / TRUE_RATE_HZ
    assert heard[-1].heard_at > heard[0].heard_at


async def test_each_connection_has_its_own_name() -> None:
    link = VirtualLink(strap(), Pace(speed=FAST))
    names = set()
    async with asyncio.timeout(20):
        for _ in range(3):
            async for _packet in link.packets():
                names.add(link.info.connection)
                break
    assert len(names) == 3
    assert "" not in names


async def test_a_lost_link_says_so_and_comes_back_with_the_present() -> None:
    link = VirtualLink(strap(), Pace(speed=FAST), outages=((10.0, 30.0),))
    before: list[Packet] = []
    async with asyncio.timeout(20):
        with pytest.raises(LinkLost):
            await until(link, 1_000_000, into=before)
        tries = 0
        while True:
            try:
                after = await until(link, 3)
                break
            except LinkLost:
                tries += 1
                await asyncio.sleep(0.02)
    assert tries >= 1, "it could be reached while it was out of range"
    last = polar_pmd.decode([packet for packet in before if packet.characteristic == polar_pmd.DATA][-1].data)
    first = polar_pmd.decode(next(packet for packet in after if packet.characteristic == polar_pmd.DATA).data)
    assert (first.last_sample_ns - last.last_sample_ns) / 1e9 > 19.0


async def test_writing_to_a_device_that_is_not_connected_is_an_error() -> None:
    link = VirtualLink(strap(), Pace())
    with pytest.raises(LinkLost):
        await link.write(polar_pmd.CONTROL, polar_pmd.START_ECG)


async def test_a_cuff_connects_when_it_has_measured_and_hangs_up_after() -> None:
    shown = datetime(2026, 1, 1)  # noqa: DTZ001 - a device has no zone
    measured = [
        Measurement(at_s=at_s, slot=slot, systolic_mmhg=130, diastolic_mmhg=80) for at_s, slot in ((5.0, 1), (20.0, 2))
    ]
    link = VirtualLink(Cuff("C1", measured, shown), Pace(speed=FAST))
    visits: list[list[Packet]] = []
    async with asyncio.timeout(20):
        visits.append([packet async for packet in link.packets()])
        visits.append([packet async for packet in link.packets()])
    slots = [
        [
            blood_pressure.decode(packet.data).user
            for packet in visit
            if packet.characteristic == blood_pressure.MEASUREMENT
        ]
        for visit in visits
    ]
    assert slots == [[1], [2]]
