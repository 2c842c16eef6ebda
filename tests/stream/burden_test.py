"""Burdens: what much ectopy is, that it outlives sessions, lost signal and restarts, and what goes into a finding."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.burden_lines import burden_lines
from gateway.reading import ClientId, DeviceId, Epoch, StreamName
from stream.burden import Burden
from stream.burden_statements import hear
from stream.ecg.burden import STRETCH_S
from stream.ecg.filters import RATE
from stream.ecg.marks import MARK, BeatClass, EcgCondition, Mark
from stream.ecg_feed import Row
from stream.finding import Condition, Finding
from stream.instants import SECOND, instant, micros
from stream.lane import LaneChart, remember
from stream.log_history import LogHistory
from stream.statement import opened
from stream.ward import Ward
from tests.stream.ecg.classed import Heart, judged
from tests.stream.ecg.rules_test import heart
from tests.stream.logs import assigned, in_time, split
from tests.stream.shard import T0

T0_US = micros(T0)


def lane_of_ada() -> LaneChart:
    return LaneChart((ClientId("gw1"), Epoch("e1"), DeviceId("ecg1"), StreamName("ecg/I")))


def stretch(
    lane: LaneChart, number: int, beats: int = 350, v: int = 0, s: int = 0, af_s: float = 0.0, **who: str
) -> list[Finding]:
    """The three marks of the stretch that ends `number` times five minutes after the start."""
    row = Row(lane, who.get("patient", "ada"), who.get("session", "s1"), 250.0, 0, T0_US)
    first, decided = (number - 1) * 75_000, number * 75_000 - 1
    said: list[Finding] = []
    for beat, condition, value, of in (
        (BeatClass.V, 0, v, beats),
        (BeatClass.S, 0, s, beats),
        (0, EcgCondition.AF, af_s, STRETCH_S),
    ):
        said += hear(row, (0, 0, Mark.BURDEN, condition, first, first, decided, value, of, 1.0, beat))
    return said


def told(found: list[Finding]) -> list[tuple[Condition, bool]]:
    return [(f.condition, f.present) for f in found]


@pytest.mark.parametrize(
    ("v", "s", "expected"),
    [
        (0, 0, []),
        (2, 0, []),  # 12 in half an hour
        (5, 0, [Condition.ECTOPY]),  # 30 in half an hour: frequent, though less than 3 %
        (0, 4, []),  # 1.1 %: what a classifier's errors may come to
        (0, 11, [Condition.ECTOPY]),  # 3.1 %
        (34, 0, [Condition.ECTOPY]),  # 9.7 %
        (36, 0, [Condition.ECTOPY, Condition.V_BURDEN]),  # 10.3 %
        (0, 60, [Condition.ECTOPY]),  # from above: however many, no V burden
    ],
)
def test_how_much_is_much(v: int, s: int, expected: list[Condition]) -> None:
    lane = lane_of_ada()
    for number in range(1, 6):
        assert stretch(lane, number, v=v, s=s) == []  # less than half an hour is no hour
    assert told(stretch(lane, 6, v=v, s=s)) == [(condition, True) for condition in expected]
    assert stretch(lane, 7, v=v, s=s) == []  # a level is said once


def test_it_is_over_when_an_hour_holds_clearly_less() -> None:
    lane = lane_of_ada()
    said = [(n, f) for n in range(1, 13) for f in stretch(lane, n, v=40)]
    said += [(n, f) for n in range(13, 30) for f in stretch(lane, n, v=0)]
    burden = [(n, f) for n, f in said if f.condition is Condition.V_BURDEN]
    assert [(n, f.present) for n, f in burden] == [(6, True), (13, True), (16, False)]  # 7.6 % of the hour
    assert len({f.episode for _, f in burden}) == 1
    over = burden[-1][1]
    assert over.end == over.at == instant(T0_US + 16 * STRETCH_S * SECOND - 4000)


def test_around_the_limit_it_does_not_flap() -> None:
    lane = lane_of_ada()
    said = [f for n in range(60) for f in stretch(lane, n + 1, v=37 if n // 6 % 2 == 0 else 32)]
    burden = [f for f in said if f.condition is Condition.V_BURDEN]
    assert len(burden) > 1
    assert [f.revision for f in burden] == list(range(1, len(burden) + 1))
    assert all(f.present for f in burden)


def test_what_is_open_is_told_again_each_hour_with_hour_and_day() -> None:
    lane = lane_of_ada()
    said = [f for n in range(1, 12 * 26 + 1) for f in stretch(lane, n, v=40, s=2, af_s=30.0)]
    burden = [f for f in said if f.condition is Condition.V_BURDEN]
    assert len(burden) == 26  # once, and at each turn of a clock hour
    newest = burden[-1].evidence
    assert newest["hour_v_percent"] == pytest.approx(100 * 40 / 350, abs=0.01)
    assert newest["hour_af_s"] == 360.0
    assert newest["day_heard_s"] == pytest.approx(24 * 3600, abs=3600)
    assert newest["day_v"] == newest["day_heard_s"] / STRETCH_S * 40
    assert newest["day_s"] == newest["day_heard_s"] / STRETCH_S * 2


def test_fibrillation_that_goes_on_is_told_each_hour_with_how_much_there_was() -> None:
    lane = lane_of_ada()
    af = opened(
        "ada", Condition.AF, stream="ecg1/ecg/I", opened_at="s1:5", onset_us=T0_US, at_us=T0_US, evidence={"score": 0.8}
    )
    lane.recent = remember(lane.recent, af)
    said = [f for n in range(1, 26) for f in stretch(lane, n, af_s=300.0)]
    assert told(said) == [(Condition.AF, True)] * 3
    assert said[-1].evidence["hour_af_s"] == 3600.0
    assert said[-1].evidence["score"] == 0.8
    assert [f.revision for f in said] == [2, 3, 4]


def test_a_new_session_and_lost_signal_forget_nothing() -> None:
    lane = lane_of_ada()
    for number in range(1, 5):
        stretch(lane, number, v=40)
    said = [f for n in range(9, 11) for f in stretch(lane, n, v=40, session="s2")]
    assert Condition.V_BURDEN in {f.condition for f in said}


def test_another_person_begins_with_nothing() -> None:
    lane = lane_of_ada()
    for number in range(1, 6):
        stretch(lane, number, v=40)
    assert stretch(lane, 6, v=40, patient="bob") == []
    assert lane.burden.patient == "bob"
    assert len(lane.burden.stretches) == 1


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=40),
    restarts=st.sets(st.integers(0, 40)),
)
def test_a_restart_changes_nothing(counts: list[tuple[int, int]], restarts: set[int]) -> None:
    unbroken, lane = lane_of_ada(), lane_of_ada()
    expected, got = [], []
    for number, (v, s) in enumerate(counts, 1):
        expected += stretch(unbroken, number, v=v, s=s)
        if number in restarts:
            lane = msgspec.msgpack.decode(msgspec.msgpack.encode(lane), type=LaneChart)
        got += stretch(lane, number, v=v, s=s)
    assert got == expected
    assert lane.burden == unbroken.burden


def test_what_is_saved_of_it_is_small() -> None:
    """Each lane is saved every half minute."""
    lane = lane_of_ada()
    for number in range(1, 12 * 30):
        stretch(lane, number, v=40, s=2, af_s=30.0)
    assert len(msgspec.msgpack.encode(lane.burden)) - len(msgspec.msgpack.encode(Burden())) < 3000


def test_the_kernel_counts_every_beat_that_has_a_class() -> None:
    """Also those that come across the end of a stretch."""
    marks = judged(Heart().beat("NNVNNSNQN/" * 90, 0.7).beat("N" * 20, 0.7), after_s=STRETCH_S)
    rows = marks[marks["kind"] == Mark.BURDEN]
    assert rows["index"].tolist() == [0, 0, 0, *[STRETCH_S * RATE] * 3, *[2 * STRETCH_S * RATE] * 3][: rows.size]
    of = {beat: rows[(rows["beat"] == beat) & (rows["condition"] == 0)] for beat in (BeatClass.V, BeatClass.S)}
    assert of[BeatClass.V]["value"].sum() == 90
    assert of[BeatClass.S]["value"].sum() == 90
    assert of[BeatClass.V]["second"].sum() == 9 * 90 + 20
    assert set(rows[rows["condition"] == EcgCondition.AF]["second"]) == {STRETCH_S}


def test_marks_hold_what_a_stretch_is_told_with() -> None:
    """`hear` reads a mark by place."""
    names = MARK.names or ()
    assert [names[i] for i in (2, 3, 4, 6, 7, 8, 10)] == [
        "kind",
        "condition",
        "index",
        "decided",
        "value",
        "second",
        "beat",
    ]


def test_lines_of_a_recording() -> None:
    """Two hours and a bit: each its own beats, AF over the turn of the hour in both, what is open ends with the signal."""
    beats = [(int(s * 250), BeatClass.V if s % 10 == 0 else BeatClass.N) for s in range(8000)]
    beats.append((8000 * 250, BeatClass.Q))
    first = opened(
        "ada", Condition.AF, stream="x", opened_at="s:1", onset_us=T0_US + 3500 * SECOND, at_us=T0_US, evidence={}
    )
    lines = list(burden_lines(beats, [first], T0, 250.0, 8000.0))
    assert [line["hour"] for line in lines] == [0, 1, 2]
    assert [line["beats"] for line in lines] == [3600, 3600, 800]
    assert [line["v"] for line in lines] == [360, 360, 80]
    assert {line["v_percent"] for line in lines} == {10.0}
    assert [line["af_s"] for line in lines] == [100.0, 3600.0, 800.0]
    assert np.isclose(sum(line["af_s"] for line in lines), 4500.0)


@pytest.mark.parametrize(("condition", "is_over"), [(Condition.V_BURDEN, False), (Condition.VF, True)])
def test_ten_calm_seconds_end_what_was_lost_from_sight_but_no_burden(condition: Condition, is_over: bool) -> None:
    """A server of a new version starts with fresh charts: an hour's share is not judged by ten seconds."""
    chunks = split(heart([0.5 + 0.8 * n for n in range(40)], 30), 250.0, [250])
    log = in_time(chunks, 31, first=(assigned(),))
    history = LogHistory()
    ward = Ward(history)
    said: list[Finding] = []
    for batch in log.batches:
        history.add(batch)
        said += ward.observe(batch)
        if batch.position == 5:
            chart = next(lane.chart for house in ward.households.values() for lane in house.lanes.values())
            found = opened(
                "ada", condition, stream="ecg1/ecg/I", opened_at="s1:5", onset_us=T0_US, at_us=T0_US, evidence={}
            )
            chart.recent, chart.unseen = remember(chart.recent, found), (found.episode,)
    assert (condition in {f.condition for f in said if not f.present}) is is_over
