"""Classes of beats: each beat once, in order, whatever happens to the signal; and the classes that people gave."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.ecg.chart import new_charts
from stream.ecg.classes_chart import CLASSES
from stream.ecg.marks import MISSING, BeatClass, Mark, Quality
from tests.stream.ecg.recordings import excerpt, run, whole, work_of

RELAXED = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
EXCERPTS = [
    ("mitdb/203", 300, 40),  # AF with ventricular beats: search back, all the time
    ("mitdb/208", 300, 40),  # couplets and fusions
    ("nsrdb/16265", 100, 40),  # 128 Hz
    ("challenge2015/a109l", 100, 50),  # a pause: the class does not wait for its end
]


def classes_of(marks: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """R peaks and classes."""
    told = marks[marks["kind"] == Mark.CLASS]
    return told["index"], told["beat"]


@RELAXED
@given(
    which=st.sampled_from(EXCERPTS),
    holes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 2000)), max_size=3),
    events=st.lists(st.sampled_from(["restart", "short gap", "long gap", "nothing"]), min_size=3, max_size=3),
    cut=st.floats(0.1, 0.9),
)
def test_each_beat_is_classed_once_in_order(
    which: tuple[str, int, int], holes: list[tuple[int, int]], events: list[str], cut: float
) -> None:
    """A beat without a class would be missing in every count; one classed twice would be two ectopic beats."""
    samples, rate = excerpt(*which)
    samples = samples.copy()
    for begin, length in holes:
        samples[begin % samples.size : begin % samples.size + length] = MISSING
    third = samples.size // 4
    cuts = sorted({0, round(cut * third), third, 2 * third, 3 * third, samples.size})
    work = work_of(cuts, rate)
    skipped = 0
    for row, event in zip(work[-3:], events, strict=True):
        skipped += {"short gap": 3 * round(rate), "long gap": 30 * round(rate)}.get(event, 0)
        row["index"] += skipped
        row["restart"] = event == "restart"
    marks = run(new_charts(1), work, samples)
    flushed = np.zeros(1, work.dtype)  # a last restart: nobody may wait for ever
    flushed["restart"], flushed["rate_hz"], flushed["contact"] = 1, rate, 1
    marks = run(new_charts(1), np.concatenate([work, flushed]), samples)
    told = marks[np.isin(marks["kind"], [Mark.BEAT, Mark.CLASS])]
    beats, classed = told[told["kind"] == Mark.BEAT], told[told["kind"] == Mark.CLASS]
    assert beats["index"].tolist() == classed["index"].tolist()
    waiting = np.cumsum(np.where(told["kind"] == Mark.BEAT, 1, -1))
    assert set(waiting.tolist()) <= {0, 1, 2}  # the next beat is told first, then the class of the one before
    assert np.isfinite(classed["value"]).all()


@pytest.mark.parametrize("which", EXCERPTS, ids=[e[0] for e in EXCERPTS])
def test_a_class_never_waits_long(which: tuple[str, int, int]) -> None:
    """A pause begins with the last beat before it: its class must be known long before the pause is over."""
    samples, rate = excerpt(*which)
    marks = whole(samples, rate)
    classed, beats = marks[marks["kind"] == Mark.CLASS], marks[marks["kind"] == Mark.BEAT]
    known = beats[: classed.size]
    assert known["index"].tolist() == classed["index"].tolist()
    latest = np.maximum(known["decided"], known["index"] + 2.0 * rate) + 0.05 * rate
    assert (classed["decided"] <= latest).all()


def test_in_bad_signal_nothing_is_called() -> None:
    """False V come from noise."""
    samples, rate = excerpt("mitdb/119", 300, 60)
    noise = np.random.default_rng(0).normal(0, 1500, samples.size // 2)
    noisy = samples.astype(float)
    noisy[-noise.size :] += noise
    bad, seen = False, 0
    for mark in whole(np.clip(np.round(noisy), -32767, 32767).astype(np.int16), rate):
        if mark["kind"] == Mark.QUALITY:
            bad = mark["value"] == Quality.BAD
        if mark["kind"] == Mark.CLASS and bad:
            assert mark["beat"] == BeatClass.Q
            seen += 1
    assert seen > 10


@pytest.mark.parametrize(
    ("record", "begin_s", "ventricular"),
    [
        # bigeminy: half of the beats are V, and the dominant template must stay the narrow one
        ("mitdb/119", 1200, True),
        ("mitdb/106", 900, True),
        # bundle branch block: wide beats are this patient's own
        ("mitdb/124", 100, False),
        # healthy
        ("nsrdb/16265", 600, False),
    ],
)
def test_ventricular_beats_of_people_who_have_them(record: str, begin_s: float, ventricular: bool) -> None:
    """The two ways in which it must not fail."""
    _, classes = classes_of(whole(*excerpt(record, begin_s, 120)))
    share = (classes == BeatClass.V).mean()
    assert (share > 0.1) if ventricular else (share < 0.02)


@pytest.mark.parametrize(
    "change", [lambda x: -x, lambda x: x // 2, lambda x: x * 2], ids=["other way round", "half", "twice"]
)
def test_polarity_and_gain_give_the_same_classes(change: Any) -> None:
    """Swapped electrodes and another calibration are no other disease."""
    samples, rate = excerpt("mitdb/119", 300, 120)
    at, classes = classes_of(whole(samples, rate))
    other_at, others = classes_of(whole(change(samples), rate))
    near = np.abs(other_at[:, None] - at[None, :]).argmin(1)
    assert (others == classes[near]).mean() > 0.97


@pytest.mark.parametrize(
    ("record", "begin_s", "paced"),
    [
        ("mitdb/102", 300, True),
        ("mitdb/104", 900, True),
        ("mitdb/217", 300, True),
        # left and right bundle branch block, ventricular ectopy: broad without a spike
        ("mitdb/109", 300, False),
        ("mitdb/118", 300, False),
        ("mitdb/208", 300, False),
        # narrow and sharp
        ("mitdb/101", 300, False),
    ],
)
def test_a_pacemaker_is_known_by_its_spikes(record: str, begin_s: float, paced: bool) -> None:
    """Paced beats called V would be a run of ventricular tachycardia without end."""
    _, classes = classes_of(whole(*excerpt(record, begin_s, 120)))
    share = (classes == BeatClass.PACED).mean()
    assert (share > 0.3) if paced else (share == 0)
    if paced:
        assert (classes == BeatClass.V).mean() < 0.2


def test_early_narrow_beats_are_supraventricular() -> None:
    """Record 209 has runs of them; a healthy person, whose breath changes the rate, has none."""
    _, classes = classes_of(whole(*excerpt("mitdb/209", 0, 600)))
    assert (classes == BeatClass.S).mean() > 0.03
    _, classes = classes_of(whole(*excerpt("nsrdb/16265", 0, 600)))
    assert (classes == BeatClass.S).mean() < 0.005


def test_the_memory_is_small() -> None:
    """Classes have their share of the chart."""
    assert CLASSES.itemsize <= 4608
