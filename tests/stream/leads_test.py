"""What several leads of one patient say together: the table row by row, then whole stories through the Ward."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.ecg.marks import MISSING, Quality
from stream.finding import Condition
from stream.instants import SECOND, micros
from stream.lane import BEATS_KEPT_US, LaneChart
from stream.leads import AGAIN_US, CONTRADICTED_BY, NEVER_US, WAIT_US, noted, said_from, shown, weigh
from stream.recording import open_record
from stream.statement import cleared, opened, revised
from tests.stream.ecg.rules_test import heart, regular
from tests.stream.logs import assigned, in_time, judge, later, split, story
from tests.stream.shard import T0

RATE = 250.0
ONSET_US, DECIDED_US, NOW_US = 1_000 * SECOND, 1_006 * SECOND, 1_012 * SECOND
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def claimed(condition, rate_bpm=0.0):
    return opened(
        "ada", condition, stream="ecg1/ecg/I", opened_at="s1:1", onset_us=ONSET_US, at_us=DECIDED_US,
        evidence={"rate_bpm": rate_bpm},
    )  # fmt: skip


def lead(bpm=0.0, *, own_shape=True, grade=Quality.GOOD, until_us=NOW_US, frontier_us=NOW_US, from_us=990 * SECOND):
    """A lead with beats at this rate, each decided 0.4 s late."""
    beats = ()
    step_us = round(60 * SECOND / bpm) if bpm else 2**40
    for n in range((until_us - from_us) // step_us):
        at_us = from_us + n * step_us
        is_own = own_shape if own_shape in (True, False) else n % 2 == 0
        beats = noted(beats, at_us, at_us + 400_000, 0.95 if is_own else 0.8, is_clean=is_own)
    chart = LaneChart(("gw1", "e1", "ecg1", "ecg/II"), patient="ada", beats=beats)
    chart.frontier_us, chart.grades = frontier_us, ((0, int(grade)),)
    return chart


def verdict(told, *others, grade=Quality.GOOD, waited_us=0, lane=None):
    first = lane or LaneChart(("gw1", "e1", "ecg1", "ecg/I"), patient="ada", grades=((0, int(grade)),))
    first.frontier_us = NOW_US
    weigh(first, told, others, 0)
    return weigh(first, told, others, waited_us)


@pytest.mark.parametrize(
    ("condition", "rate_bpm", "other", "is_said"),
    [
        # The heart stands still in this lead, and beats in the other one.
        (Condition.ASYSTOLE, 0, lead(60), False),
        (Condition.ASYSTOLE, 0, lead(60, own_shape=False), False),
        (Condition.PAUSE, 0, lead(60), False),
        (Condition.ASYSTOLE, 0, lead(), True),
        # What is noisy or off contradicts nothing.
        (Condition.ASYSTOLE, 0, lead(60, grade=Quality.BAD), True),
        (Condition.VF, 0, lead(60, grade=Quality.BAD), True),
        # An electrode that is shaken looks like fibrillation; the other one shows the patient's own calm beats.
        (Condition.VF, 0, lead(70), False),
        (Condition.VT_SUSTAINED, 160, lead(70), False),
        # Fibrillation is counted as beats of no shape; fast VT that became the template is not calm.
        (Condition.VF, 0, lead(90, own_shape=False), True),
        (Condition.VT, 180, lead(180), True),
        (Condition.VF, 0, lead(), True),
        # Small beats are missed in this lead.
        (Condition.BRADY, 38, lead(76), False),
        (Condition.EXTREME_BRADY, 25, lead(50), False),
        # T waves are counted in the other one: every second beat is not of the patient's shape.
        (Condition.BRADY, 38, lead(76, own_shape=None), True),
        (Condition.BRADY, 38, lead(40), True),
        # T waves are counted in this lead.
        (Condition.TACHY, 160, lead(80), False),
        (Condition.EXTREME_TACHY, 190, lead(95), False),
        # The other lead is the worse one, or counts as many.
        (Condition.EXTREME_TACHY, 190, lead(95, grade=Quality.FAIR), True),
        (Condition.TACHY, 160, lead(158), True),
        # Whatever the other leads show, this is said.
        (Condition.LEAD_OFF, 0, lead(60), True),
    ],
)
def test_what_contradicts_what(condition, rate_bpm, other, is_said):
    assert (verdict([claimed(condition, rate_bpm)], other) == DECIDED_US) is is_said


@pytest.mark.parametrize(
    ("condition", "step_us", "odd_us", "bpm"),
    [
        (Condition.TACHY, 375_000, 1_500_000, 160),  # one long interval: the mean is 130, the median 160
        (Condition.BRADY, 1_600_000, 600_000, 37.5),  # one short interval: the mean is 46, the median 37.5
    ],
)
def test_leads_that_count_alike_do_not_contradict_each_other(condition, step_us, odd_us, bpm):
    other, at_us, beats = lead(), ONSET_US, ()
    while at_us < NOW_US:
        beats = noted(beats, at_us, at_us + 300_000, 0.95, is_clean=True)
        at_us += odd_us if len(beats) == 3 else step_us
    other.beats = beats
    assert verdict([claimed(condition, bpm)], other) == DECIDED_US


@pytest.mark.parametrize("condition", sorted(CONTRADICTED_BY))
def test_without_another_lead_everything_is_said_at_once(condition):
    assert verdict([claimed(condition, 30)]) == DECIDED_US


def test_a_lead_that_is_behind_is_waited_for_and_no_longer_than_six_seconds():
    behind = lead(60, frontier_us=DECIDED_US - SECOND)
    assert verdict([claimed(Condition.VF)], behind, waited_us=WAIT_US - 1) is None
    assert verdict([claimed(Condition.VF)], behind, waited_us=WAIT_US) == DECIDED_US


def test_a_lead_that_stops_contradicting_is_believed_no_more():
    """The calm lead loses its electrode after its last beat: ten seconds later fibrillation is said, as of that second."""
    told = [claimed(Condition.VF)]
    other = lead(70, until_us=DECIDED_US + 3 * SECOND, frontier_us=NOW_US + 60 * SECOND)
    first = LaneChart(("gw1", "e1", "ecg1", "ecg/I"), patient="ada")
    first.frontier_us = NOW_US + 60 * SECOND
    from_us = weigh(first, told, [other], 0)
    assert from_us is not None
    assert AGAIN_US <= from_us - (DECIDED_US + 3 * SECOND) <= AGAIN_US + 5 * SECOND
    (said,) = said_from(told, from_us)
    assert micros(said.at) == from_us
    assert said.onset == told[0].onset


def test_what_was_contradicted_to_its_end_is_never_said():
    told = [claimed(Condition.VF)]
    over = cleared(told[0], at_us=DECIDED_US + 4 * SECOND, end_us=DECIDED_US + 2 * SECOND)
    assert verdict([*told, over], lead(70)) == NEVER_US


def test_statements_made_meanwhile_are_said_as_one():
    told = [claimed(Condition.BRADY, 38)]
    told.append(revised(told[0], at_us=DECIDED_US + SECOND, evidence={"rate_bpm": 35.0}))
    told.append(revised(told[1], at_us=DECIDED_US + 3 * SECOND, evidence={"rate_bpm": 33.0}))
    said = said_from(told, DECIDED_US + 2 * SECOND)
    assert [(micros(f.at) - DECIDED_US) // SECOND for f in said] == [2, 3]
    assert [f.evidence["rate_bpm"] for f in said] == [35.0, 33.0]
    assert said_from(told, DECIDED_US) == told


@given(st.lists(st.integers(250_000, 3_000_000), min_size=1, max_size=300))
def test_beats_are_kept_to_the_millisecond_for_as_long_as_they_are_asked_for(steps_us):
    beats, true, at_us = (), [], 1_700_000_000 * SECOND
    for n, step_us in enumerate(steps_us):
        at_us += step_us // 1000 * 1000
        beats = noted(beats, at_us, at_us + 300_000, 0.9 if n % 2 else 0.89, n % 3 == 0)
        true.append((at_us, n % 2 == 1, n % 3 == 0))
    chart = LaneChart(("gw1", "e1", "ecg1", "ecg/II"), beats=beats)
    from_us = at_us - BEATS_KEPT_US + SECOND
    assert [(b.at_us, b.is_own, b.is_clean) for b in shown(chart, from_us, at_us + SECOND)] == [
        b for b in true if b[0] > from_us
    ]
    assert [b.at_us for b in shown(chart, from_us, at_us)] == [b[0] for b in true if from_us < b[0] <= at_us - 300_000]
    assert len(beats) <= BEATS_KEPT_US // 250_000 + 2


# Whole stories: two leads of one device through the Ward.


def leads_of(*signals, sizes=(250,), other_sizes=None, rate_hz=RATE):
    """Chunks of each signal as a lead of its own."""
    names = ("ecg/I", "ecg/II", "ecg/III")
    chunks = []
    for name, signal, size in zip(names, signals, (sizes, other_sizes or sizes, sizes), strict=False):
        chunks += [replace(c, stream=name, lead=name[4:]) for c in split(signal, rate_hz, list(size))]
    return chunks


def heard(*signals, **kept):
    chunks = leads_of(*signals, **kept)
    return judge(in_time(chunks, len(signals[0]) / kept.get("rate_hz", RATE) + 12, first=(assigned(),)))


def conditions(findings):
    return {(str(f.condition), f.evidence.get("stream")) for f in findings}


@pytest.fixture(scope="module")
def beating():
    return heart(regular(0.5, 90, 70), 90)


@pytest.fixture(scope="module")
def standing():
    """The heart stands still from 30 to 60 s."""
    return heart([*regular(0.5, 30, 70), *regular(60, 90, 70)], 90)


def test_silence_in_one_lead_is_not_said_while_the_other_one_beats(beating, standing):
    assert conditions(heard(standing, beating)) == set()
    assert conditions(heard(beating, standing)) == set()


def test_silence_in_both_leads_is_said_of_both(standing):
    found = [f for f in heard(standing, standing) if f.condition is Condition.ASYSTOLE]
    assert {f.evidence["stream"] for f in found} == {"ecg/I", "ecg/II"}
    assert min(f.at for f in found) <= T0 + timedelta(seconds=34.5)


@pytest.mark.parametrize("value", [MISSING, 4000])
def test_a_lead_that_is_off_silences_nothing(beating, standing, value):
    """The second electrode fell at 20 s, before the heart stood still; or at 40 s, in the midst of it."""
    for off_s, by_s in ((20, 34.5), (40, 56)):
        other = beating.copy()
        other[off_s * 250 :] = value
        found = [f for f in heard(standing, other) if f.condition is Condition.ASYSTOLE]
        assert found
        assert found[0].at <= T0 + timedelta(seconds=by_s)
        assert found[0].onset <= T0 + timedelta(seconds=30.5)


@FEW
@given(
    sizes=st.lists(st.integers(50, 500), min_size=1, max_size=4),
    other_sizes=st.lists(st.integers(50, 500), min_size=1, max_size=4),
    step_s=st.sampled_from([0.25, 1.0]),
    delays=st.lists(st.floats(0, 2.5), min_size=1, max_size=7),
)
def test_neither_chunks_nor_their_order_change_what_the_leads_say_together(
    beating, standing, sizes, other_sizes, step_s, delays
):
    """As long as no lead is six seconds behind the other one."""
    other = beating.copy()
    other[50 * 250 :] = standing[50 * 250 :]
    expected = story(heard(standing, other))
    assert {row[1] for row in expected} >= {Condition.ASYSTOLE}
    chunks = leads_of(standing, other, sizes=sizes, other_sizes=other_sizes)
    late = [later(c, delays[n % len(delays)]) for n, c in enumerate(chunks)]
    assert story(judge(in_time(late, 110, step_s, first=(assigned(),)))) == expected


UNLIKE = [
    ("mitdb/101", 140, 45, Condition.VF),  # the second lead is so weak that its noise looks like fibrillation
    ("challenge2015/t817l", 100, 50, Condition.TACHY),  # T and P waves of the second lead are counted as beats
]


@pytest.fixture(scope="module", params=UNLIKE, ids=lambda row: row[0])
def unlike(request, records):
    """Two real leads, of which the second one says what the first one contradicts."""
    name, begin_s, seconds, condition = request.param
    recording = open_record(records / name, "all")
    begin, end = (round(s * recording.rate_hz) for s in (begin_s, begin_s + seconds))
    return [lead.samples[begin:end] for lead in recording.leads], recording.rate_hz, condition


@FEW
@given(sizes=st.lists(st.integers(50, 3000), min_size=1, max_size=4), positions=st.sets(st.integers(1, 50), max_size=8))
def test_real_leads_say_the_same_in_any_chunks_order_and_over_restarts(unlike, sizes, positions):
    (first, second), rate_hz, condition = unlike
    expected = story(heard(first, second, rate_hz=rate_hz))
    assert condition not in {row[1] for row in expected}
    assert [row[:2] for row in story(heard(second, first, rate_hz=rate_hz))] == [row[:2] for row in expected]
    log = in_time(leads_of(first, second, sizes=sizes, rate_hz=rate_hz), 70, first=(assigned(),))
    assert story(judge(log, restart_at=positions)) == expected
