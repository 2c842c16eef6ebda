"""A hand-held strip that arrives live: judged once it is over, told with its class, the same for every way of arriving."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.alert import Reason, Tier
from alerts.catalogue import CONDITIONS, REASONS
from alerts.replaying import replay_alerts
from gateway.reading import MISSING_SAMPLE, Deferred, EcgChunk
from stream.command import LimitsChanged
from stream.finding import Condition, Finding, FindingKind
from stream.recording import open_record
from tests.stream.logs import Log, assigned, in_time, judge, later, story
from tests.stream.shard import T0
from tests.stream.strips.drawn import drawn, fibrillating, sinus

RATE = 300.0
STREAM = "ecg/strip/I"
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
AF = drawn(fibrillating(), has_p=False)
NORMAL = drawn(sinus())


def strip(
    samples: np.ndarray, sizes: tuple[int, ...] = (300,), *, session: str = "s1", at_s: float = 0.0, first_seq: int = 1,
    rate_hz: float = RATE,
) -> list[EcgChunk]:  # fmt: skip
    """A recording as a device would send it while it is made."""
    chunks, index = [], 0
    while index < samples.size:
        piece = samples[index : index + sizes[len(chunks) % len(sizes)]]
        begin, end = at_s + index / rate_hz, at_s + (index + piece.size) / rate_hz
        chunks.append(
            EcgChunk(
                device="ecg1", stream=STREAM, seq=first_seq + len(chunks), session=session, index=index,
                at=T0 + timedelta(microseconds=round(begin * 1e6)), rate_hz=rate_hz, lead="I",
                samples=piece.astype("<i2").tobytes(), received_at=T0 + timedelta(microseconds=round(end * 1e6)),
            )
        )  # fmt: skip
        index += piece.size
    return chunks


def judged(*recordings: list[EcgChunk], until_s: float, step_s: float = 1.0, restart_at: set[int] | None = None):
    chunks = [chunk for recording in recordings for chunk in recording]
    return judge(in_time(chunks, until_s, step_s, first=(assigned(),)), restart_at=restart_at)


def newest(findings: list[Finding]) -> list[Finding]:
    return sorted({f.episode: f for f in findings}.values(), key=lambda f: (f.onset, f.condition))


def test_fibrillation_goes_to_the_doctor_with_class_and_confidence():
    found = judged(strip(AF), until_s=60)
    (af,) = newest(found)
    assert af.condition is Condition.STRIP_AF
    assert af.present
    assert af.onset == T0
    assert af.evidence["class"] == "A"
    assert af.evidence["confidence"] == pytest.approx(af.confidence, abs=1e-4)
    assert af.confidence > 0.5
    assert (af.evidence["first_index"], af.evidence["last_index"]) == (0, AF.size - 1)
    assert af.evidence["stream"] == STREAM
    (alert,) = replay_alerts(found)
    assert alert.tier is Tier.DOCTOR
    said = CONDITIONS[Condition.STRIP_AF]
    assert "possible atrial fibrillation in a hand-held strip" in said["en"]
    assert "手持" in said["zh"]


def test_a_recording_sent_whole_is_told_as_one_sent_while_it_was_made():
    """In one message of half a minute, or a second at a time."""
    whole = [replace(chunk, received_at=chunk.received_at) for chunk in strip(AF, (AF.size,))]
    assert story(judged(whole, until_s=60)) == story(judged(strip(AF), until_s=60))


def test_a_normal_strip_says_nothing_and_ends_what_an_older_one_said():
    assert judged(strip(NORMAL), until_s=60) == []
    af, normal = strip(AF), strip(NORMAL, session="s2", at_s=600, first_seq=200)
    (told,) = newest(judged(af, as_next(af, normal), until_s=660))
    assert told.condition is Condition.STRIP_AF
    assert not told.present
    assert told.end == T0 + timedelta(seconds=600)


def as_next(before: list[EcgChunk], chunks: list[EcgChunk]) -> list[EcgChunk]:
    """Numbered on from another recording."""
    return [replace(chunk, seq=before[-1].seq + n) for n, chunk in enumerate(chunks, 1)]


def test_the_next_recording_ends_one_that_was_not_over_yet():
    """Two in a row, without the pause that would show the first to be over."""
    af = strip(AF)
    seconds = AF.size / RATE
    noise = strip(np.zeros(9000, np.int16), session="s2", at_s=seconds + 1)
    found = newest(judged(af, as_next(af, noise), until_s=seconds + 45))
    assert [f.condition for f in found] == [Condition.STRIP_AF, Condition.STRIP_UNREADABLE]
    assert all(f.present for f in found)  # what cannot be read proves nothing


def test_unreadable_is_technical_asks_for_another_and_ends_with_it():
    short = strip(NORMAL[:1500])
    again = as_next(short, strip(NORMAL, session="s2", at_s=60))
    found = judged(short, again, until_s=120)
    (told,) = newest(found)
    assert told.kind is FindingKind.TECHNICAL
    assert told.condition is Condition.STRIP_UNREADABLE
    assert "5.0 s long" in str(told.evidence["why"])
    assert not told.present
    (alert,) = replay_alerts(found)
    assert alert.tier is Tier.TIP
    assert "record again" in REASONS[Reason.RECORD_AGAIN]["en"]


def test_the_watch_over_a_continuous_signal_does_not_meddle():
    """A slow heart, a lifted finger and the silence after it: of a strip its judge speaks, and nobody else."""
    slow = drawn([2.1] * 14)
    lifted = np.concatenate([slow, np.full(1500, 32767, np.int16), np.full(1500, MISSING_SAMPLE, np.int16)])
    found = judged(strip(lifted), until_s=300)
    assert {f.condition for f in found} <= {Condition.STRIP_OTHER, Condition.STRIP_UNREADABLE}
    assert found


def test_fibrillation_of_the_ventricles_in_a_strip_is_an_emergency(records):
    recording = open_record(records / "cudb" / "cu01")
    samples = recording.leads[0].samples[195 * 250 : 250 * 250]
    found = judged(strip(samples, (250,), rate_hz=250.0), until_s=90)
    vf = [f for f in newest(found) if f.condition is Condition.VF]
    assert vf
    assert vf[-1].present  # the end of the recording is not the end of it
    assert Tier.EMERGENCY in {alert.tier for alert in replay_alerts(found)}


@FEW
@given(sizes=st.lists(st.integers(40, 2700), min_size=1, max_size=4), step_s=st.sampled_from([0.25, 1.0, 2.0]))
def test_chunking_and_batching_change_nothing(sizes, step_s):
    af = strip(AF, tuple(sizes))
    both = af, as_next(af, strip(NORMAL, tuple(sizes), session="s2", at_s=100))
    expected = strip(AF), as_next(strip(AF), strip(NORMAL, session="s2", at_s=100))
    assert story(judged(*both, until_s=150, step_s=step_s)) == story(judged(*expected, until_s=150))


@FEW
@given(st.data())
def test_order_changes_nothing_while_every_hole_is_filled_before_it_closes(data):
    chunks = strip(AF, (600,))
    delays = data.draw(st.lists(st.floats(0, 4), min_size=len(chunks), max_size=len(chunks)))
    mixed = [later(c, d) for c, d in zip(chunks, delays, strict=True)]
    assert story(judged(mixed, until_s=60, step_s=0.5)) == story(judged(chunks, until_s=60, step_s=0.5))


def test_restart_at_every_single_position():
    af = strip(AF)
    af[12] = later(af[12], 3)
    recordings = af, as_next(af, strip(NORMAL, session="s2", at_s=40))
    assert judged(*recordings, until_s=90, restart_at=set(range(1, 92))) == judged(*recordings, until_s=90)


def test_what_a_strip_says_stands_for_as_long_as_the_plan_says():
    log = in_time(
        strip(AF), 60, first=(assigned(), LimitsChanged(patient="ada", limits={"strip_s": 3600.0}, plan_version=1))
    )
    for second in range(61, 3700, 2):
        log.add(T0 + timedelta(seconds=second))
    told = judge(log)
    assert [f.present for f in told] == [True, False]
    assert told[-1].end == told[0].at + timedelta(hours=1)


def test_a_strip_of_last_week_is_told_as_past():
    """Kept in the device until it met its phone: what it showed then is news, but does not stand."""
    log = Log()
    back = T0 + timedelta(days=7)
    log.add(back, assigned())
    log.add(back + timedelta(seconds=1), *strip(AF))
    for second in range(10):
        log.add(back + timedelta(seconds=2 + second))
    (told,) = judge(log)
    assert told.late
    assert not told.present
    (alert,) = replay_alerts([told])
    assert alert.tier is Tier.DOCTOR


def test_seconds_that_come_late_change_the_verdict():
    """Its first half alone is normal; the rest, deferred, comes a minute later and fibrillates."""
    samples = np.concatenate([NORMAL[:4500], AF])
    chunks = strip(samples)
    log = Log()
    log.add(T0, assigned())
    log.add(
        T0 + timedelta(seconds=16), *chunks[:15], Deferred(device="ecg1", stream=STREAM, first=16, last=len(chunks))
    )
    for second in range(40):
        log.add(T0 + timedelta(seconds=17 + second))
    before = judge(log)
    log.add(T0 + timedelta(seconds=60), *chunks[15:])
    for second in range(60):
        log.add(T0 + timedelta(seconds=61 + second))
    after = newest(judge(log))
    assert [f.condition for f in before] == []
    assert [f.condition for f in after if f.present] in ([Condition.STRIP_AF], [Condition.STRIP_OTHER])
    assert after[-1].evidence["last_index"] == samples.size - 1
