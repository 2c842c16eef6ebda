"""Atrial fibrillation and regular tachycardia: what is told of sequences of beats, what must not matter, real recordings."""

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.ecg import atrial_course, atrial_waves, atrial_windows
from stream.ecg.atrial import hear
from stream.ecg.atrial_chart import ATRIAL, GRID, INTERVALS, POINTS
from stream.ecg.chart import new_charts
from stream.ecg.filters import RATE
from stream.ecg.marks import EcgCondition, Mark
from tests.stream.ecg.classed import Heart, conditions, fresh, judged, told
from tests.stream.ecg.recordings import excerpt, resumed, run, said, whole, work_of

AF, POSSIBLE, SVT = EcgCondition.AF, EcgCondition.AF_POSSIBLE, EcgCondition.SVT
RELAXED = settings(max_examples=8, deadline=None, derandomize=True)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sinus(heart: Heart, beats: int, interval: float = 0.8, seed: int = 0) -> Heart:
    """Breathing and a little chance."""
    for i, chance in enumerate(rng(seed).normal(0, 0.01, beats)):
        heart.beat("N", interval * (1 + 0.03 * np.sin(i / 2.5) + chance))
    return heart


def fibrillating(heart: Heart, beats: int, interval: float = 0.65, seed: int = 1) -> Heart:
    for x in np.clip(rng(seed).normal(interval, 0.22 * interval, beats), 0.35, 1.4):
        heart.beat("N", float(x))
    return heart


def test_af_is_told_confirmed_with_its_onset_and_end() -> None:
    heart = sinus(Heart(), 150)
    begin = heart.at
    fibrillating(heart, 200)
    end = heart.at
    ((first, decided, last),) = told(judged(sinus(heart, 200)), AF)
    assert first == pytest.approx(begin, abs=12)
    assert decided - begin < 24 + 64 * 0.65 + 20  # the shortest episode, 64 beats, and how late its onset is seen
    assert last == pytest.approx(end, abs=12)


def test_af_from_the_first_beat_on() -> None:
    heart = fibrillating(Heart(), 150)
    ((first, _, last),) = told(judged(heart), AF)
    assert first == pytest.approx(heart.beats[0][0], abs=3)
    assert last is None


def pattern(symbols: str, intervals: list[float], times: int, flagged: bool, seed: int = 3) -> Heart:
    """A repeated group of beats with a little chance; unflagged: the classifier fails."""
    heart = sinus(Heart(), 60)
    for _ in range(times):
        for symbol, interval in zip(symbols, intervals, strict=True):
            heart.beat(symbol if flagged else "N", interval * (1 + rng(seed + len(heart.beats)).normal(0, 0.015)))
    return sinus(heart, 80)


@pytest.mark.parametrize("flagged", [True, False], ids=["flagged", "unflagged"])
@pytest.mark.parametrize(
    ("symbols", "intervals"),
    [
        ("NV", [1.05, 0.55]),  # bigeminy
        ("NNV", [1.05, 0.8, 0.55]),  # trigeminy
        ("NNNV", [1.05, 0.8, 0.8, 0.55]),
        ("NVV", [1.1, 0.5, 0.55]),  # couplets
        ("NNS", [0.95, 0.8, 0.6]),  # atrial trigeminy
    ],
    ids=["bigeminy", "trigeminy", "quadrigeminy", "couplets", "atrial"],
)
def test_regular_ectopy_never_reads_as_af(symbols: str, intervals: list[float], flagged: bool) -> None:
    marks = judged(pattern(symbols, intervals, 80, flagged))
    assert AF not in conditions(marks)


def test_breathing_never_reads_as_af() -> None:
    """A young athlete: intervals swing by a third with each breath."""
    heart = Heart()
    for i, chance in enumerate(rng(5).normal(0, 0.02, 400)):
        heart.beat("N", 1.0 + 0.17 * np.sin(i / 1.9) + chance)
    assert AF not in conditions(judged(heart))


@pytest.mark.parametrize("condition", [EcgCondition.VF, EcgCondition.ASYSTOLE])
def test_no_new_af_while_the_heart_does_not_pump(condition: EcgCondition) -> None:
    """What counts as beats then is anything but."""
    charts, _ = fresh()
    heart = fibrillating(Heart(), 150)
    arrested = charts.copy()
    arrested["episodes"]["open"][0, condition] = 1
    assert AF in conditions(judged(heart, charts=charts))
    assert AF not in conditions(judged(heart, charts=arrested))


def test_a_short_doubt_is_told_only_when_it_is_over() -> None:
    """40 beats are proposed, never confirmed: a tip, once it has ended, with its own times."""
    heart = sinus(Heart(), 150)
    begin = heart.at
    fibrillating(heart, 36, interval=0.5)
    end = heart.at
    marks = judged(sinus(heart, 150))
    assert AF not in conditions(marks)
    ((first, decided, last),) = told(marks, POSSIBLE)
    assert first == pytest.approx(begin, abs=10)
    assert last == pytest.approx(end, abs=10)
    assert decided > end


def test_confirmed_af_was_no_mere_possibility() -> None:
    marks = judged(sinus(fibrillating(sinus(Heart(), 150), 200), 200))
    assert POSSIBLE not in conditions(marks)


@pytest.mark.parametrize(
    ("interval", "spread", "symbols", "expected"),
    [
        (0.36, 0.0, "N", True),  # 167 a minute
        (0.40, 0.01, "N", True),  # 150: flutter that conducts every other wave lands here
        (0.42, 0.01, "N", False),  # 143
        (0.36, 0.14, "N", False),  # fast AF is uneven
        (0.36, 0.0, "V", False),  # wide: VT has its own rule
    ],
    ids=["regular", "at the limit", "slower", "uneven", "wide"],
)
def test_regular_fast_beats_are_svt(interval: float, spread: float, symbols: str, expected: bool) -> None:
    heart = sinus(Heart(), 60)
    begin = heart.at
    for chance in rng(7).normal(0, 1, 60):
        heart.beat(symbols, interval * float(np.clip(1 + spread * chance, 0.7, 1.3)))
    end = heart.at
    marks = judged(sinus(heart, 60))
    assert (SVT in conditions(marks)) is expected
    if expected:
        ((first, decided, last),) = told(marks, SVT)
        assert first == pytest.approx(begin, abs=1.0)
        assert decided - begin < 17 * interval + 1.5
        assert last == pytest.approx(end, abs=3.0)


@RELAXED
@given(cuts=st.lists(st.integers(1, 500), max_size=6, unique=True))
def test_save_and_restore_at_any_beat(cuts: list[int]) -> None:
    heart = sinus(fibrillating(sinus(Heart(), 150), 150), 210)
    expected = said(judged(heart))
    assert said(judged(heart, restart_at=tuple(sorted(cuts)))) == expected


@numba.njit
def _measure(atrials: Any, before: Any, odd: Any, judged_at: int, until: int, row: Any) -> None:
    for i in range(until):
        atrial_windows.hear(atrials[0], before[i], odd[i])
    atrial_windows.measure(atrials[0], judged_at, 0.0, row)


@RELAXED
@given(seed=st.integers(0, 10**6), later=st.integers(1, 40))
def test_a_window_knows_nothing_beyond_its_look_ahead(seed: int, later: int) -> None:
    """What is judged now must not change with what comes: so it can be judged late, or again."""
    chance = rng(seed)
    before = chance.integers(60, 400, 400)
    odd = chance.random(400) < 0.2
    at = 240
    rows = np.zeros((2, atrial_windows.ROW), np.float32)
    for row, more in zip(rows, (1, later), strict=True):
        _measure(np.zeros(1, ATRIAL), before, odd, at, at + atrial_windows.LOOK + more, row)
    assert np.array_equal(rows[0], rows[1])


def test_intervals_next_to_ectopy_are_left_out() -> None:
    """The same sinus rhythm with and without flagged ectopic beats measures the same."""
    heart = pattern("NNNNNNV", [0.95, 0.8, 0.8, 0.8, 0.8, 0.8, 0.6], 30, True)
    beats = heart.rows()
    row = np.zeros(atrial_windows.ROW, np.float32)
    before = np.round(beats["before"] * RATE).astype(np.int64)
    _measure(np.zeros(1, ATRIAL), before, beats["beat"] == 2, 160, 260, row)
    named = dict(zip(atrial_windows.NAMES, row, strict=True))
    assert named["clean32_mean_relative"] < 0.04
    assert named["raw64_mean_relative"] > 0.1


@numba.njit
def _waves(atrials: Any, segments: Any, row: Any) -> None:
    atrial = atrials[0]
    for beat in range(segments.shape[0]):
        atrial.segments[beat % 64] = segments[beat]
        atrial.seen[beat % 64] = 1
        atrial.noted += 1
        atrial_windows.hear(atrial, 200, False)
    atrial_waves.measure(atrial, segments.shape[0] - atrial_waves.LOOK, row)


def test_a_p_wave_is_coherent_and_its_absence_is_not() -> None:
    chance = rng(11)
    wave = 90 * np.exp(-(((np.arange(POINTS) - 8) / 3.0) ** 2))
    noise = chance.normal(0, 25, (100, POINTS))
    values = []
    for segments in (wave - wave.mean() + noise, noise):
        row = np.zeros(len(atrial_waves.NAMES), np.float32)
        _waves(np.zeros(1, ATRIAL), np.round(segments).astype(np.int8), row)
        values.append(dict(zip(atrial_waves.NAMES, row, strict=True)))
    p, none = values
    for name in ("coherence48", "late48", "neighbours32"):
        assert p[name] > 0.4
        assert abs(none[name]) < 0.1


@numba.njit
def _hear(atrials: Any, beats: Any, segments: Any, with_waves: bool, events: Any) -> None:
    atrial = atrials[0]
    for i in range(beats.size):
        atrial.segments[i % 64] = segments[i]
        atrial.seen[i % 64] = 1
        atrial.noted += 1
        events[i] = hear(atrial, beats[i].r, round(beats[i].before * RATE), beats[i].beat == 2, True, with_waves)


def af_opens(heart: Heart, segments: NDArray[Any] | None) -> bool:
    """Whether AF is told of a heart's beats, with these P segments or without any."""
    rows, atrial = heart.rows(), np.zeros(1, ATRIAL)
    atrial_course.begin(atrial)
    events = np.zeros(rows.size, np.int64)
    waves = np.zeros((rows.size, POINTS), np.int8) if segments is None else np.round(segments).astype(np.int8)
    _hear(atrial, rows, waves, segments is not None, events)
    return bool((events == atrial_course.OPENED).any())


def test_the_same_p_before_each_beat_speaks_against_af() -> None:
    """Uneven beats alone are AF; with a P before each of them they are ectopy that nobody flagged."""
    heart = fibrillating(Heart(), 300)
    wave = 100 * np.exp(-(((np.arange(POINTS) - 8) / 3.0) ** 2))
    noise = rng(13).normal(0, 25, (300, POINTS))
    assert af_opens(heart, None)
    assert af_opens(heart, noise)
    assert not af_opens(heart, np.clip(wave - wave.mean() + 0.5 * noise, -127, 127))


def test_no_new_af_where_ectopy_leaves_too_few_intervals() -> None:
    """Every second interval or more touches a V beat: it cannot be judged, unless the P waves are known to be gone."""
    heart, chance = Heart(), rng(17)
    for i, interval in enumerate(np.clip(chance.normal(0.65, 0.15, 400), 0.35, 1.4)):
        heart.beat("V" if i % 3 == 1 else "N", float(interval))
    assert not af_opens(heart, None)
    assert af_opens(heart, chance.normal(0, 25, (400, POINTS)))


def test_the_chart_of_the_atria_is_small() -> None:
    assert ATRIAL.itemsize <= 3072
    assert INTERVALS % GRID == 0


def spans(marks: NDArray[Any], rate: float, condition: EcgCondition) -> list[tuple[float, float]]:
    mine = marks[marks["condition"] == condition]
    ends = [*(mine[mine["kind"] == Mark.CLOSE]["index"] / rate), np.inf]
    return [(o["onset"] / rate, e) for o, e in zip(mine[mine["kind"] == Mark.OPEN], ends, strict=False)]


def test_paroxysms_of_201() -> None:
    """The record's first AF begins at its beginning and gives way to sinus rhythm with trigeminy."""
    samples, rate = excerpt("mitdb/201", 0, 420)
    assert spans(whole(samples, rate), rate, AF)


@pytest.mark.parametrize(
    ("record", "begin", "seconds"),
    [
        ("mitdb/119", 0, 600),  # bigeminy and trigeminy
        ("mitdb/106", 1200, 400),  # long bigeminy
        ("nsrdb/16795", 0, 900),  # breathing arrhythmia
        ("mitdb/208", 0, 400),  # frequent V of two shapes
    ],
)
def test_no_af_where_there_is_none(record: str, begin: float, seconds: float) -> None:
    samples, rate = excerpt(record, begin, seconds)
    assert not spans(whole(samples, rate), rate, AF)


def test_chunks_and_restarts_within_af() -> None:
    """Long enough for AF to be told and to end."""
    samples, rate = excerpt("mitdb/201", 0, 420)
    unbroken = new_charts(1)
    expected = said(run(unbroken, work_of([0, samples.size], rate), samples))
    assert any(mark[2] == AF for mark in expected)
    cuts = [0, *sorted(rng(2).integers(1, samples.size, 40).tolist()), samples.size]
    got, saved = resumed(samples, rate, cuts)
    assert got == expected
    assert saved == unbroken.tobytes()


def test_af_before_a_long_gap_ends_when_what_follows_is_none() -> None:
    """The atria start afresh behind the gap: the episode is neither lost nor open for ever."""
    before, rate = excerpt("mitdb/201", 0, 300)
    after, _ = excerpt("mitdb/101", 0, 200)
    work = np.concatenate([work_of([0, before.size], rate), work_of([0, after.size], rate)])
    begin = before.size + round(60 * rate)
    work["first"][1], work["index"][1] = before.size, begin
    marks = run(new_charts(1), work, np.concatenate([before, after]))
    mine = marks[marks["condition"] == AF]
    mine = mine[np.isin(mine["kind"], [Mark.OPEN, Mark.CLOSE])]
    assert mine["kind"].tolist()[-2:] == [Mark.OPEN, Mark.CLOSE]
    assert mine["index"][-1] <= begin


@numba.njit
def _course(courses: Any, scores: Any, step: int, out: Any) -> None:
    for i in range(scores.size):
        out[i] = atrial_course.take(courses[0], (i - 1) * step, i * step, scores[i], 1.5, -1.0, 24 * RATE, True)


def events_of(scores: list[float], step: int) -> tuple[list[int], int]:
    """What a course tells of scores that lie `step` samples apart, and its last onset."""
    row = np.zeros(1, ATRIAL)
    atrial_course.begin(row)
    out = np.zeros(len(scores), np.int64)
    _course(row["course"], np.array(scores, float), step, out)
    return out[out != 0].tolist(), int(row["course"]["onset"][0])


@pytest.mark.parametrize(
    ("scores", "events"),
    [
        ([-3] * 3 + [3] * 12 + [-3] * 6, [atrial_course.OPENED, atrial_course.CLOSED]),
        ([-3] * 3 + [3] * 3 + [-3] * 6, []),  # shorter than 24 s
        ([-3] * 3 + [0.9] * 12 + [-3] * 3, []),  # never above the threshold
        ([-3] * 3 + [3] * 9 + [-0.4] * 6 + [3] * 3, [atrial_course.OPENED]),  # a doubt does not end it
    ],
    ids=["long", "short", "low", "doubt"],
)
def test_how_scores_become_an_episode(scores: list[float], events: list[int]) -> None:
    """One score every 6 s."""
    assert events_of(scores, 6 * RATE)[0] == events


@pytest.mark.parametrize(("gap_s", "episodes"), [(4, 1), (20, 2)])
def test_a_short_gap_does_not_end_an_episode(gap_s: int, episodes: int) -> None:
    """One score a second."""
    events, _ = events_of([3.0] * 40 + [-5.0] * gap_s + [3.0] * 60, RATE)
    assert events.count(atrial_course.OPENED) == episodes


def without_p() -> NDArray[Any]:
    """A chart whose segments before the QRS were seen and hold nothing but noise."""
    charts, _ = fresh()
    charts["signal"]["atrial"]["seen"] = 1
    charts["signal"]["atrial"]["segments"] = np.round(rng(19).normal(0, 25, (1, 64, POINTS))).astype(np.int8)
    return charts


def stepping(multiples: list[int], beats: int, period: float = 0.21, seed: int = 9) -> Heart:
    """Flutter whose block steps at random between these multiples of its wave."""
    chance = rng(seed)
    heart = sinus(Heart(), 60)
    for _ in range(beats):
        heart.beat("N", period * int(chance.choice(multiples)) + float(chance.normal(0, 0.006)))
    return sinus(heart, 90)


@pytest.mark.parametrize(
    ("multiples", "expected"),
    [([2, 3, 4], True), ([2, 4, 4, 3], True), ([4], False)],
    ids=["variable", "mostly 4:1", "steady 4:1 cannot be told from sinus rhythm"],
)
def test_flutter_is_told_by_the_steps_of_its_block(multiples: list[int], expected: bool) -> None:
    marks = judged(stepping(multiples, 120), charts=without_p())
    assert (EcgCondition.AFLUTTER in conditions(marks)) is expected
    if expected:
        ((_, _, last),) = told(marks, EcgCondition.AFLUTTER)
        assert last is not None
        opened = marks[(marks["condition"] == EcgCondition.AFLUTTER) & (marks["kind"] == Mark.OPEN)]
        assert opened["second"][0] == pytest.approx(60 / 0.21, rel=0.06)


def test_af_is_no_flutter() -> None:
    assert EcgCondition.AFLUTTER not in conditions(judged(fibrillating(Heart(), 300), charts=without_p()))


@pytest.mark.parametrize("intervals", [[0.42, 0.63], [0.63, 0.84], [0.84, 0.84, 0.63]])
def test_two_intervals_in_turn_are_no_flutter(intervals: list[float]) -> None:
    """Atrial bigeminy whose intervals happen to be multiples of one period."""
    heart = sinus(Heart(), 60)
    for _ in range(60):
        for interval in intervals:
            heart.beat("N", interval)
    assert EcgCondition.AFLUTTER not in conditions(judged(heart, charts=without_p()))


def test_the_onset_is_dated_back_to_where_the_score_rose() -> None:
    """A slow beginning belongs to the episode: it is where the mean last rose above zero."""
    events, onset = events_of([-3.0] * 4 + [0.8] * 6 + [3.0] * 8, 6 * RATE)
    assert events == [atrial_course.OPENED]
    assert 3 * 6 * RATE <= onset <= 6 * 6 * RATE
