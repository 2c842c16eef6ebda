"""Each fault does what it says, and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims import faults
from device_sims.cuff import Measurement, packet
from device_sims.notification import Notification
from device_sims.player import from_plan
from device_sims.synthetic import Rhythm
from gateway.codecs import blood_pressure, heart_rate, polar_pmd
from gateway.codecs.malformed import MalformedPacket
from gateway.reading import MISSING_SAMPLE

WAVE = from_plan(((Rhythm.SINUS, 10.0),), 250.0, seed=4)
STREAMS = st.lists(st.binary(min_size=1, max_size=20), max_size=60).map(
    lambda packets: [
        Notification(at_s=number / 10, characteristic="2A37", data=data + number.to_bytes(2, "big"))
        for number, data in enumerate(packets)
    ]
)
SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])
SEEDS = st.integers(0, 2**20)


@settings(deadline=None)
@given(stream=STREAMS, from_s=st.floats(0, 6), for_s=st.floats(0, 6))
def test_link_loss_loses_that_span_only(stream: list[Notification], from_s: float, for_s: float) -> None:
    kept = list(faults.link_loss(stream, from_s, from_s + for_s))
    assert kept == [said for said in stream if said.at_s < from_s or said.at_s >= from_s + for_s]


@settings(deadline=None)
@given(stream=STREAMS, share=SHARES, seed=SEEDS)
def test_duplicates_lose_nothing_and_invent_nothing(stream: list[Notification], share: float, seed: int) -> None:
    twice = list(faults.duplicated(stream, share, seed))
    assert list(dict.fromkeys(twice)) == stream
    assert max(Counter(twice).values(), default=1) <= 2
    if share in {0.0, 1.0}:
        assert len(twice) == len(stream) * (1 + int(share))


@settings(deadline=None)
@given(stream=STREAMS, share=SHARES, seed=SEEDS)
def test_reordering_only_swaps_neighbours(stream: list[Notification], share: float, seed: int) -> None:
    mixed = list(faults.reordered(stream, share, seed))
    assert sorted(said.data for said in mixed) == sorted(said.data for said in stream)
    assert all(earlier.at_s <= later.at_s for earlier, later in pairwise(mixed))
    places = {said.data: place for place, said in enumerate(mixed)}
    assert all(abs(places[said.data] - place) <= 1 for place, said in enumerate(stream))
    if share == 1.0 and len(stream) > 1:
        assert mixed[0].data == stream[1].data


@settings(deadline=None)
@given(stream=STREAMS, share=SHARES, seed=SEEDS)
def test_garbage_comes_beside_the_good_ones(stream: list[Notification], share: float, seed: int) -> None:
    mixed = list(faults.garbage(stream, share, seed))
    remaining = iter(mixed)
    assert all(any(said == good for said in remaining) for good in stream)
    good = iter(stream)
    awaited = next(good, None)
    for said in mixed:
        if said is awaited:
            awaited = next(good, None)
            continue
        with pytest.raises(MalformedPacket):
            heart_rate.decode(said.data)
    if share == 1.0 and len(stream) > 20:
        assert len(mixed) > len(stream)


@settings(deadline=None)
@given(stream=STREAMS, share=SHARES, seed=SEEDS)
def test_the_same_seed_makes_the_same_faults(stream: list[Notification], share: float, seed: int) -> None:
    for fault in (faults.duplicated, faults.reordered, faults.garbage):
        assert list(fault(stream, share, seed)) == list(fault(stream, share, seed))


@settings(deadline=None)
@given(by_s=st.integers(-3600, 10 * 365 * 86_400))
def test_a_clock_jump_moves_the_device_time_and_nothing_else(by_s: int) -> None:
    shown = datetime(2026, 3, 4, 5, 6, 7)  # noqa: DTZ001 - a device has no zone
    cuff = packet(Measurement(at_s=0, slot=2, systolic_mmhg=141, diastolic_mmhg=88, pulse_bpm=70), shown)
    stream = [
        Notification(at_s=at_s, characteristic=characteristic, data=data)
        for at_s in (1.0, 5.0)
        for characteristic, data in (
            (polar_pmd.DATA, polar_pmd.encode(10**18, [1, -2, 3])),
            (blood_pressure.MEASUREMENT, cuff),
            (blood_pressure.MEASUREMENT, b"\x1e"),
            ("2A37", b"\x00\x40"),
        )
    ]
    before, after = stream[:4], list(faults.clock_jump(stream, 3.0, by_s))
    assert after[:4] == before
    frame, pressure = polar_pmd.decode(after[4].data), blood_pressure.decode(after[5].data)
    assert frame.last_sample_ns == 10**18 + by_s * 10**9
    assert frame.microvolts == (1, -2, 3)
    assert pressure.time is not None
    assert pressure.time.known == shown + timedelta(seconds=by_s)
    assert (pressure.systolic, pressure.diastolic, pressure.user, pressure.pulse_bpm) == (141, 88, 2, 70)
    assert after[6:] == stream[6:]


def test_lead_off_and_noise_touch_their_span_only() -> None:
    off = faults.lead_off(WAVE, 2.0, 4.0)
    loud = faults.noise(off, 3.0, 6.0, 300.0, seed=1)
    assert (off.samples[500:1000] == MISSING_SAMPLE).all()
    assert np.array_equal(np.delete(off.samples, np.s_[500:1000]), np.delete(WAVE.samples, np.s_[500:1000]))
    assert (loud.samples[500:1000] == MISSING_SAMPLE).all()
    assert np.array_equal(np.delete(loud.samples, np.s_[750:1500]), np.delete(off.samples, np.s_[750:1500]))
    difference = loud.samples[1000:1500].astype(float) - off.samples[1000:1500]
    assert 250 < difference.std() < 350
    assert not (WAVE.samples == MISSING_SAMPLE).any(), "the wave itself was changed"
