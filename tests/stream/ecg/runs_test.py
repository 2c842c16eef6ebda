"""Runs and patterns of V beats: each rule of detection.md on sequences of classes, then what must not matter."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.ecg.marks import EcgCondition, Mark, Quality
from stream.ecg.runs_chart import BURDEN, RUNS
from tests.stream.ecg.classed import Heart, conditions, judged, told

VT, SUSTAINED, NSVT = EcgCondition.VT, EcgCondition.VT_SUSTAINED, EcgCondition.NSVT
PACED = EcgCondition.PACED
COUPLET, BIGEMINY, TRIGEMINY = EcgCondition.COUPLET, EcgCondition.BIGEMINY, EcgCondition.TRIGEMINY


def sinus(beats: int = 12) -> Heart:
    return Heart().beat("N" * beats, 0.8)


@pytest.mark.parametrize(
    ("symbols", "interval", "expected"),
    [
        ("V", 0.4, set()),  # one extra beat is no run
        ("VV", 0.4, {COUPLET}),
        ("VVV", 0.4, {NSVT}),  # from the third on it is a run, not a couplet
        ("VVVV", 0.5, {NSVT}),
        ("VVVV", 0.58, {NSVT}),  # 103 a minute
        ("VVVV", 0.65, {COUPLET}),  # 92 a minute: an accelerated idioventricular run is noted, no tachycardia
        ("VVVVVVVVVVVVVVV", 0.7, {COUPLET}),  # however long it is
        ("VVVVVVVV", 0.55, {NSVT}),  # 109 a minute: slower than VT
        ("VVVV", 0.4, {NSVT}),  # four are not enough
        ("VVVVV", 0.4, {NSVT, VT}),
        ("V/V/V/V/V/", 0.4, {BIGEMINY}),  # paced beats between them break the run
        ("/" * 8, 0.4, set()),  # a pacemaker at 150 a minute is no VT
        ("/" * 20, 0.4, {PACED}),  # and is told as what it is
        ("/N" * 10, 0.8, set()),  # one that helps out every other beat is no paced rhythm
        ("SSSSSSSS", 0.4, set()),  # nor are beats from above
        ("VVQVV", 0.4, {COUPLET}),  # a beat that could not be classed makes no run of five
        ("V" * 40, 1.5, set()),  # an escape rhythm at 40 a minute is no run
    ],
)
def test_what_a_run_is_called(symbols: str, interval: float, expected: set[EcgCondition]) -> None:
    heart = sinus().beat(symbols, interval).beat("N" * 12, 0.8)
    marks = judged(heart, after_s=70)
    assert conditions(marks) == expected
    for condition in expected:
        assert all(last is not None for _, _, last in told(marks, condition))


def test_a_run_is_told_at_its_third_beat() -> None:
    """At most 1.5 s after it, also where the pause behind it is long."""
    heart = sinus().beat("VVV", 0.45)
    third = heart.at
    ((first, decided, last),) = told(judged(heart.silent(1.0).beat("NNNN", 0.8)), NSVT)
    assert first == pytest.approx(third - 0.9, abs=0.01)
    assert third < decided <= third + 1.5 + 0.01
    assert last == pytest.approx(third, abs=0.01)


def test_vt_by_its_fifth_beat_and_over_with_the_last() -> None:
    heart = sinus()
    begin = heart.at + 0.4
    fifth = begin + 4 * 0.4
    heart.beat("V" * 12, 0.4)
    end = heart.at
    marks = judged(heart.beat("N" * 10, 0.8))
    assert told(marks, VT) == [
        (pytest.approx(begin, abs=0.01), pytest.approx(fifth + 0.84, abs=0.02), pytest.approx(end, abs=0.01))
    ]
    assert told(marks, NSVT)[0][2] == pytest.approx(end, abs=0.01)
    rate = marks[(marks["condition"] == VT) & (marks["kind"] == Mark.OPEN)]["value"]
    assert rate == pytest.approx([150.0], abs=0.5)


@pytest.mark.parametrize(
    ("change", "is_vt"),
    [
        (lambda h: h.beat("V" * 8, 0.4), True),
        (lambda h: h.beat("V" * 8, 0.4, match=0.95), False),  # like the patient's own narrow beats: misjudged, no VT
        (lambda h: h.beat("V" * 8, 0.4, grade=Quality.BAD), False),  # cannot judge
        (lambda h: h.beat("V" * 8, 0.4, grade=Quality.FAIR), True),
        (lambda h: [h.beat("V", 0.25).beat("V", 0.6) for _ in range(5)], False),  # AF with wide beats is uneven
        (lambda h: h.beat("VVV", 0.4).hole(0.4, "V").beat("VVV", 0.4), False),  # what lies in the hole is not known
    ],
    ids=["plain", "narrow", "bad", "fair", "uneven", "hole"],
)
def test_when_five_beats_are_vt(change: Any, is_vt: bool) -> None:
    heart = sinus()
    change(heart)
    assert (VT in conditions(judged(heart.beat("N" * 10, 0.8)))) is is_vt


@pytest.mark.parametrize(
    ("interval", "seconds", "is_sustained"),
    [
        (0.35, 9, False),  # 171 a minute, nine seconds
        (0.35, 11.5, True),
        (0.45, 28, False),  # 133 a minute: only after 30 s
        (0.45, 32, True),
    ],
)
def test_when_vt_does_not_stop(interval: float, seconds: float, is_sustained: bool) -> None:
    heart = sinus().beat("V" * round(seconds / interval), interval).beat("N" * 10, 0.8)
    marks = judged(heart)
    assert (SUSTAINED in conditions(marks)) is is_sustained
    if is_sustained:
        ((first, decided, last),) = told(marks, SUSTAINED)
        assert first == told(marks, VT)[0][0]
        assert decided - first == pytest.approx(10 if interval < 0.4 else 30, abs=1.5)
        assert last == told(marks, VT)[0][2]


def test_a_captured_beat_does_not_end_vt() -> None:
    """A sinus beat that gets through is the proof of VT, not its end."""
    heart = sinus().beat("V" * 30, 0.37).beat("N", 0.3).beat("V" * 30, 0.37).beat("N" * 10, 0.8)
    marks = judged(heart)
    assert len(told(marks, VT)) == 1
    assert len(told(marks, SUSTAINED)) == 1
    assert len(told(marks, NSVT)) == 1


def test_vt_that_was_lost_for_some_beats_is_as_long_as_it_is() -> None:
    """Beats are missed or misjudged in it now and then: the ambulance is not kept waiting for 30 s without a fault."""
    heart = sinus()
    for _ in range(8):
        heart.beat("V" * 12, 0.44).beat("NN", 0.5)
    marks = judged(heart.beat("N" * 10, 0.8))
    assert len(told(marks, SUSTAINED)) == 1
    ((first, decided, _),) = told(marks, SUSTAINED)
    assert decided - first <= 33


def test_vt_that_slows_down_is_over() -> None:
    """What follows is an idioventricular rhythm, and no emergency, however long."""
    heart = sinus().beat("V" * 10, 0.4)
    end = heart.at
    marks = judged(heart.beat("V" * 60, 0.8).beat("N" * 10, 0.8))
    ((_, _, last),) = told(marks, VT)
    assert last is not None
    assert last <= end + 12 * 0.8
    assert SUSTAINED not in conditions(marks)


def test_single_extra_beats_do_not_prolong_vt() -> None:
    """They come after it as before it."""
    heart = sinus().beat("V" * 8, 0.4)
    end = heart.at
    heart.beat("NVNNV" * 10, 0.6).beat("N" * 10, 0.8)
    ((_, _, last),) = told(judged(heart), VT)
    assert last is not None
    assert last <= end + 3


def test_vt_that_is_lost_from_sight_is_not_over() -> None:
    """The signal turns BAD, or beats cannot be classed: only judged signal ends it."""
    heart = sinus().beat("V" * 8, 0.4).beat("Q" * 30, 0.5, grade=Quality.BAD)
    assert [last for _, _, last in told(judged(heart, after_s=60), VT)] == [None]


def test_vt_ends_where_no_beat_follows() -> None:
    """The heart stops after it: that is another condition, and VT is over."""
    heart = sinus().beat("V" * 8, 0.4)
    assert told(judged(heart, after_s=8), VT)[0][2] == pytest.approx(heart.at, abs=0.01)


def test_couplets_close_together_are_one_finding() -> None:
    heart = sinus()
    for _ in range(5):
        heart.beat("VV", 0.45).beat("N" * 20, 0.8)
    heart.beat("N" * 90, 0.8).beat("VV", 0.45).beat("N" * 3, 0.8)
    found = told(judged(heart), COUPLET)
    assert len(found) == 2
    assert found[0][2] is not None
    assert found[1][2] is None


@pytest.mark.parametrize(
    ("pattern", "times", "expected"),
    [
        ("NV", 3, set()),  # three pairs are chance
        ("NV", 8, {BIGEMINY}),
        ("NNV", 2, set()),
        ("NNV", 8, {TRIGEMINY}),
        ("NVNNV", 4, set()),  # neither
        ("NNNV", 8, set()),  # quadrigeminy has no finding of its own
        ("NS", 8, set()),  # from above
        ("/V", 8, {BIGEMINY}),  # between paced beats
        ("NQ", 8, set()),
    ],
)
def test_patterns(pattern: str, times: int, expected: set[EcgCondition]) -> None:
    heart = sinus()
    marks = judged(heart.beat(pattern * times, 0.6).beat("N" * 15, 0.8))
    assert conditions(marks) == expected
    for condition in expected:
        ((first, _, last),) = told(marks, condition)
        assert first < heart.at - 20
        assert last is not None
        assert last < heart.at - 5


def test_one_beat_out_of_step_does_not_end_a_pattern() -> None:
    heart = sinus().beat("NV" * 10, 0.6).beat("NN", 0.7).beat("NV" * 10, 0.6).beat("N" * 20, 0.8)
    assert len(told(judged(heart), BIGEMINY)) == 1


def test_a_hole_does_not_end_a_pattern() -> None:
    heart = sinus().beat("NV" * 10, 0.6).hole(3).beat("NV" * 10, 0.6).beat("N" * 20, 0.8)
    assert len(told(judged(heart), BIGEMINY)) == 1


SEQUENCES = st.lists(
    st.tuples(
        st.sampled_from(["N", "V", "VV", "VVVVVV", "NV" * 6, "NNV" * 5, "S", "Q", "/"]),
        st.sampled_from([0.3, 0.45, 0.7, 1.3]),
    ),
    min_size=1,
    max_size=30,
)


def heart_of(pieces: list[tuple[str, float]]) -> Heart:
    heart = sinus(3)
    for symbols, interval in pieces:
        heart.beat(symbols, interval)
    return heart.beat("N" * 8, 0.8)


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, st.data())
def test_a_restart_anywhere_changes_nothing(pieces: list[tuple[str, float]], data: st.DataObject) -> None:
    heart = heart_of(pieces)
    cuts = data.draw(st.sets(st.integers(1, len(heart.beats) - 1), max_size=4))
    assert judged(heart, restart_at=tuple(sorted(cuts))).tobytes() == judged(heart).tobytes()


@settings(max_examples=60, deadline=None)
@given(SEQUENCES)
def test_every_run_that_opens_closes_and_the_graver_lies_within(pieces: list[tuple[str, float]]) -> None:
    marks = judged(heart_of(pieces), after_s=70)
    for condition in (VT, SUSTAINED, NSVT, COUPLET):
        found = told(marks, condition)
        assert all(last is not None and first <= last for first, _, last in found)
        assert all(a[2] < b[0] for a, b in pairwise(found) if a[2] is not None)
    for first, _, last in told(marks, SUSTAINED):
        assert any(first <= v[2] == last for v in told(marks, VT))


def test_what_is_remembered_is_small() -> None:
    assert RUNS.itemsize + BURDEN.itemsize <= 512
