"""A strap whose radio stutters and spits garbage: the gateway's session still gets every sample, once, in its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims import faults
from device_sims.h10 import H10, RAIL_UV, SAMPLES_A_FRAME, worn
from device_sims.player import from_plan
from device_sims.synthetic import Rhythm
from gateway.codecs import polar_pmd
from gateway.codecs.malformed import MalformedPacket
from gateway.link import Packet
from gateway.reading import MISSING_SAMPLE, DeviceId, EcgChunk
from gateway.sessions.h10 import H10Session
from gateway.sessions.session import Draft, Moment, moment_of

if TYPE_CHECKING:
    from device_sims.faults import Faults

STARTED = datetime(2026, 11, 24, 8, tzinfo=UTC)
STRAP = worn(from_plan(((Rhythm.SINUS, 20.0), (Rhythm.LEAD_OFF, 2.0), (Rhythm.VF, 20.0)), 130.17, seed=5), 10**18)


def heard(wrong: Faults, seconds: float = 40.0) -> tuple[list[EcgChunk], int]:
    """What the session makes of that much of the strap, and how many packets it could not read."""
    device = H10("H1", STRAP, wrong)
    device.written(polar_pmd.CONTROL, polar_pmd.START_ECG, 0.0)
    session, malformed = H10Session(DeviceId("H1")), 0
    drafts: list[Draft] = []
    packet: Packet | None = None
    for said in takewhile(lambda each: each.at_s < seconds, device.stream(0.0)):
        packet = Packet(
            characteristic=said.characteristic,
            data=said.data,
            heard_at=STARTED + timedelta(seconds=said.at_s),
            heard_monotonic_ns=round(said.at_s * 1e9),
        )
        try:
            drafts += session.packet(packet).drafts
        except MalformedPacket:
            malformed += 1
    assert packet is not None
    at: Moment = moment_of(packet)
    drafts += session.lost(at).drafts
    return [draft.event for draft in drafts if isinstance(draft.event, EcgChunk)], malformed


def samples_of(chunks: list[EcgChunk]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    assert len({chunk.session for chunk in chunks}) == 1
    assert [chunk.index for chunk in chunks] == list(
        np.cumsum([0, *(len(chunk.samples) // 2 for chunk in chunks)])[:-1]
    ), "a hole, or something twice"
    return np.concatenate([np.frombuffer(chunk.samples, dtype="<i2") for chunk in chunks])


def worn_until(count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    samples = STRAP.wave.samples[:count].copy()
    samples[samples == MISSING_SAMPLE] = RAIL_UV
    return samples


def test_an_undisturbed_strap_arrives_whole() -> None:
    chunks, malformed = heard(iter)
    samples = samples_of(chunks)
    assert malformed == 0
    assert len(samples) == int(40.0 * 130.17 / SAMPLES_A_FRAME) * SAMPLES_A_FRAME
    assert np.array_equal(samples, worn_until(len(samples)))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**20), share=st.sampled_from([0.05, 0.3, 1.0]))
def test_duplicates_and_garbage_change_no_sample(seed: int, share: float) -> None:
    undisturbed, _ = heard(iter)
    chunks, malformed = heard(lambda stream: faults.garbage(faults.duplicated(stream, share, seed), share, seed + 1))
    assert np.array_equal(samples_of(chunks), samples_of(undisturbed))
    assert malformed > 0 or share < 1.0  # a small share may fall on no packet at all


def test_what_a_lost_link_swallows_is_a_hole_of_that_size() -> None:
    chunks, _ = heard(lambda stream: faults.link_loss(stream, 10.0, 14.0))
    ends = [chunk.index + len(chunk.samples) // 2 for chunk in chunks]
    holes = [
        (end, chunk.index)
        for end, chunk in zip(ends, chunks[1:], strict=False)
        if chunk.index != end or chunk.session != chunks[0].session
    ]
    assert len(holes) == 1
    assert (holes[0][1] - holes[0][0]) / 130.17 == pytest.approx(4.0, abs=0.6)
    after = [chunk for chunk in chunks if chunk.index >= holes[0][1]]
    samples = np.concatenate([np.frombuffer(chunk.samples, dtype="<i2") for chunk in after])
    assert np.array_equal(samples, worn_until(holes[0][1] + len(samples))[holes[0][1] :])
