"""The H10's conversation: rate, index, gaps, restarts, duplicates, clipping, on frames made by the encoder."""

from __future__ import annotations

import struct
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs import battery, heart_rate, polar_pmd
from gateway.reading import DeviceId, DeviceStatus, EcgChunk, LinkState, Reading
from gateway.sessions.h10 import H10Session, saturated
from gateway.sessions.session import Moment, Step, moment_of
from tests.gateway.made import START, packet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.link import Packet

CLOCK = 599_622_173_760_485_265


def frames(  # a strap as a few numbers
    count: int, *, rate_hz: float = 130.17, size: int = 73, clock_ns: int = CLOCK, delay_s: float = 0.05, first: int = 0
) -> list[Packet]:
    """Frames `first`.. of a strap whose samples are their own number; each heard `delay_s` after its last sample."""
    made = []
    for number in range(first, first + count):
        last = (number + 1) * size - 1
        samples = [(number * size + i) % 20000 for i in range(size)]
        data = polar_pmd.encode(clock_ns + round(last * 1e9 / rate_hz), samples)
        made.append(packet(polar_pmd.DATA, data, last / rate_hz + delay_s))
    return made


def heard(session: H10Session, packets: Sequence[Packet]) -> list[EcgChunk]:
    """The chunks that come of packets."""
    return [d.event for p in packets for d in session.packet(p).drafts if isinstance(d.event, EcgChunk)]


def notes(steps: Sequence[Step]) -> list[str]:
    """What the session says in words."""
    return [d.event.note for s in steps for d in s.drafts if isinstance(d.event, DeviceStatus) and d.event.note]


def index_of_samples(chunk: EcgChunk) -> int:
    """Which sample of the strap this chunk begins with, by its content."""
    return int(struct.unpack_from("<h", chunk.samples)[0])


def made() -> H10Session:
    return H10Session(DeviceId("H10-1"))


def test_start_and_stop() -> None:
    session = made()
    step = session.start(Moment(at=START, monotonic_ns=0), "c1")
    assert [(w.characteristic, w.data) for w in step.writes] == [(polar_pmd.CONTROL, polar_pmd.START_ECG)]
    assert [d.event.link for d in step.drafts if isinstance(d.event, DeviceStatus)] == [LinkState.UP]
    assert [w.data for w in session.stop()] == [polar_pmd.STOP_ECG]


@settings(max_examples=40)
@given(
    rate_hz=st.sampled_from([130.0, 130.17, 130.35, 250.0, 360.0, 128.0]),
    size=st.integers(10, 80),
    lost=st.sets(st.integers(1, 29), max_size=12),
    jitter=st.lists(st.floats(0, 0.4), min_size=30, max_size=30),
)
def test_index_follows_the_device_clock_whatever_is_lost_and_late(
    rate_hz: float, size: int, lost: set[int], jitter: list[float]
) -> None:
    # Some whole interval is needed to measure a rate at all.
    lost -= {0, 1}
    session = made()
    packets = [p for n, p in enumerate(frames(30, rate_hz=rate_hz, size=size)) if n not in lost]
    late = [
        packet(p.characteristic, p.data, (p.heard_monotonic_ns / 1e9 - 1000) + jitter[n]) for n, p in enumerate(packets)
    ]
    chunks = heard(session, late)
    chunks += [d.event for d in session.lost(moment_of(late[-1])).drafts if isinstance(d.event, EcgChunk)]
    assert len(chunks) == len(packets)
    assert len({chunk.session for chunk in chunks}) == 1
    assert {chunk.rate_hz for chunk in chunks} == {rate_hz}
    for chunk in chunks:
        assert chunk.index == index_of_samples(chunk)


def test_at_is_the_first_samples_instant() -> None:
    chunks = heard(made(), frames(10))
    for chunk in chunks:
        true = START + timedelta(seconds=chunk.index / 130.17 + 0.05)
        assert abs(chunk.at - true) < timedelta(microseconds=50)
        assert chunk.received_at is not None
        assert chunk.received_at >= chunk.at


def test_radio_delay_does_not_move_at() -> None:
    # Packets that waited in the radio: the least delayed of the first frames sets the offset.
    packets = frames(4, delay_s=0.05) + frames(6, delay_s=1.5, first=4)
    chunks = heard(made(), packets)
    assert abs(chunks[-1].at - (START + timedelta(seconds=chunks[-1].index / 130.17 + 0.05))) < timedelta(
        microseconds=50
    )


def test_doubled_notifications_are_dropped() -> None:
    packets = [p for p in frames(20) for _ in range(2)]
    assert heard(made(), packets) == heard(made(), frames(20))


def test_an_overtaken_frame_takes_its_place() -> None:
    packets = frames(12)
    packets[7], packets[8] = packets[8], packets[7]
    chunks = heard(made(), packets)
    assert sorted(c.index for c in chunks) == [n * 73 for n in range(12)]
    assert all(c.index == index_of_samples(c) for c in chunks)
    assert len({c.session for c in chunks}) == 1


def test_clock_restart_is_a_new_session() -> None:
    session = made()
    first = frames(10)
    again = [
        packet(p.characteristic, p.data, 100 + n * 0.56)
        for n, p in enumerate(frames(10, clock_ns=599_000_000_000_000_000))
    ]
    chunks = heard(session, first) + heard(session, again)
    sessions = list(dict.fromkeys(c.session for c in chunks))
    assert len(sessions) == 2
    assert [c.index for c in chunks if c.session == sessions[1]] == [n * 73 for n in range(10)]


def test_restart_at_the_same_clock_is_not_taken_for_duplicates() -> None:
    # A flat strap starts again at 2019, each time at the same nanosecond; its samples are others.
    session = made()
    heard(session, frames(10))
    changed = []
    for n, p in enumerate(frames(10)):
        frame = polar_pmd.decode(p.data)
        data = polar_pmd.encode(frame.last_sample_ns, [v + 1 for v in frame.microvolts])
        changed.append(packet(p.characteristic, data, 200 + n * 0.56))
    chunks = heard(session, changed)
    assert len(chunks) == 10
    assert {c.session for c in chunks} == {f"H10-1@{polar_pmd.decode(frames(1)[0].data).last_sample_ns}.2"}


def test_a_clock_set_forward_is_a_new_session_that_is_dated_right() -> None:
    session = made()
    heard(session, frames(10))
    ten_years = 10 * 365 * 86400 * 10**9
    ahead = frames(10, first=10, clock_ns=CLOCK + ten_years)
    steps = [session.packet(p) for p in ahead]
    chunks = [d.event for s in steps for d in s.drafts if isinstance(d.event, EcgChunk)]
    assert any("jumped ahead by 315360000" in note for note in notes(steps))
    assert {c.index for c in chunks} == {n * 73 for n in range(10)}
    assert all(abs(c.at - START) < timedelta(seconds=20) for c in chunks)


def test_another_rate_is_another_session() -> None:
    session = made()
    chunks = heard(session, frames(20))
    end_s = 20 * 73 / 130.17
    faster = [
        packet(p.characteristic, p.data, end_s + n * 73 / 200)
        for n, p in enumerate(frames(40, rate_hz=200.0, clock_ns=CLOCK + round(end_s * 1e9)))
    ]
    chunks += heard(session, faster)
    assert chunks[0].rate_hz == 130.17
    assert chunks[-1].rate_hz == 200.0
    assert chunks[-1].session != chunks[0].session


def test_coming_back_after_a_minute_goes_on_counting() -> None:
    session = made()
    all_frames = frames(130)
    chunks = heard(session, all_frames[:20])
    session.lost(moment_of(all_frames[20]))
    session.start(moment_of(all_frames[120]), "c2")
    chunks += heard(session, all_frames[120:])
    assert len({c.session for c in chunks}) == 1
    assert chunks[-1].index == 129 * 73


def test_same_frames_give_the_same_session_names() -> None:
    assert heard(made(), frames(6)) == heard(made(), frames(6))


def test_what_is_held_comes_out_when_the_link_is_lost() -> None:
    session = made()
    assert not heard(session, frames(2))
    step = session.lost(moment_of(frames(3)[2]))
    chunks = [d.event for d in step.drafts if isinstance(d.event, EcgChunk)]
    assert [c.index for c in chunks] == [0, 73]


@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=73))
def test_saturation_counts_and_never_makes_the_missing_sample(values: list[int]) -> None:
    data, clipped = saturated(values)
    kept = struct.unpack(f"<{len(values)}h", data)
    assert clipped == sum(abs(v) > 32767 for v in values)
    assert all(k == max(-32767, min(32767, v)) for k, v in zip(kept, values, strict=True))


def test_heart_rate_is_one_reading_in_ten_seconds_with_every_interval() -> None:
    session = made()
    session.start(Moment(at=START, monotonic_ns=0), "c1")
    packets = [
        packet(heart_rate.MEASUREMENT, heart_rate.encode(heart_rate.HeartRate(rate_bpm=60, rr_1024=(1000 + n,))), n)
        for n in range(31)
    ]
    drafts = [d.event for p in packets for d in session.packet(p).drafts]
    readings = [event for event in drafts if isinstance(event, Reading)]
    assert [r.device_time for r in readings] == ["1", "2"]
    assert {r.connection for r in readings} == {"c1"}
    last = session.lost(moment_of(packets[-1])).drafts
    readings += [d.event for d in last if isinstance(d.event, Reading)]
    intervals = [v for r in readings for v in r.values[1:]]
    assert intervals == [round((1000 + n) / 1024, 6) for n in range(31)]


def test_contact_and_battery_are_told_when_they_change() -> None:
    session = made()
    off = heart_rate.encode(heart_rate.HeartRate(rate_bpm=0, contact=False))
    assert [
        d.event.contact for d in session.packet(packet("2A37", off)).drafts if isinstance(d.event, DeviceStatus)
    ] == [False]
    assert not session.packet(packet("2A37", off, 1)).drafts
    assert not heard(session, frames(4))[0].contact
    level = packet(battery.LEVEL, battery.encode(12))
    assert [d.event.battery_percent for d in session.packet(level).drafts if isinstance(d.event, DeviceStatus)] == [12]
    assert not session.packet(level).drafts
