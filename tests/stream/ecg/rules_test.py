"""Each condition once, on synthetic heart beats whose truth is known to the sample."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.ecg.advance import MarksTooSmall, UnfitWork, advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.marks import MARK, MISSING, EcgCondition, Mark, Quality
from tests.stream.ecg.recordings import excerpt, run, whole, work_of

RATE = 250.0
WAVES = (
    (-0.17, 0.025, 120.0),
    (-0.03, 0.010, -150.0),
    (0.0, 0.011, 1200.0),
    (0.03, 0.010, -250.0),
    (0.28, 0.06, 250.0),
)
"""P, Q, R, S, T: seconds from R, width in seconds, microvolts."""


def heart(beats_s: list[float], seconds: float, rate: float = RATE, noise_uv: float = 8.0) -> NDArray[np.int16]:
    """An ECG with R peaks at these seconds."""
    t = np.arange(round(seconds * rate)) / rate
    x = np.random.default_rng(1).normal(0, noise_uv, t.size)
    for beat in beats_s:
        for offset, width, height in WAVES:
            x += height * np.exp(-0.5 * ((t - beat - offset) / width) ** 2)
    return np.round(x).astype(np.int16)


def regular(begin: float, end: float, bpm: float) -> list[float]:
    """Beats at a steady rate, slightly uneven as hearts are."""
    steps = np.arange(begin, end, 60.0 / bpm)
    return (steps + 0.004 * np.sin(steps)).tolist()


def spans(marks: NDArray[Any], condition: EcgCondition, rate: float = RATE) -> list[tuple[float, float, float | None]]:
    """(first, decided, last) of the episodes of a condition, in seconds."""
    of = marks[marks["condition"] == condition]
    opened, closed = of[of["kind"] == Mark.OPEN], of[of["kind"] == Mark.CLOSE]
    ends = [*(closed["index"] / rate), *([None] * (opened.size - closed.size))]
    return [(o["index"] / rate, o["decided"] / rate, end) for o, end in zip(opened, ends, strict=True)]


def surely(marks: NDArray[Any], condition: EcgCondition, rate: float = RATE) -> list[float]:
    """When each episode of a condition was told without doubt, in seconds."""
    told = marks[(marks["condition"] == condition) & (marks["kind"] != Mark.CLOSE) & (marks["confidence"] == 1.0)]
    return (told["decided"] / rate).tolist()


def conditions(marks: NDArray[Any]) -> set[EcgCondition]:
    return {EcgCondition(int(c)) for c in marks["condition"][marks["kind"] == Mark.OPEN]}


@pytest.mark.parametrize("rate", [100.0, 128.0, 130.17, 250.0, 360.0, 500.0, 1000.0])
def test_beats_are_found_at_every_rate(rate: float) -> None:
    """To 12 ms where they are, within half a second; nothing else is raised."""
    truth = np.array(regular(0.5, 60, 72))
    marks = whole(heart(truth.tolist(), 60, rate), rate)
    beats = marks[marks["kind"] == Mark.BEAT]
    late = beats["index"] / rate > 2.8
    apart = np.abs(beats["index"][late, None] / rate - truth[None, :])
    assert apart.min(1).max() <= 0.012
    assert set(apart.argmin(1)) >= set(np.flatnonzero((truth > 3) & (truth < 59)))
    assert np.percentile((beats["decided"] - beats["index"]) / rate, 95) <= 0.5
    assert conditions(marks) == set()


def test_asystole() -> None:
    """The heart stands still at 30 s: feared after 3.5 s, known 4 s after the last beat; the episode begins at that beat."""
    beats = regular(0.5, 30, 70)
    marks = whole(heart(beats, 60), RATE)
    (first, decided, last) = spans(marks, EcgCondition.ASYSTOLE)[0]
    assert first == pytest.approx(beats[-1], abs=0.02)
    assert decided == pytest.approx(beats[-1] + 3.5, abs=0.1)
    assert surely(marks, EcgCondition.ASYSTOLE) == [pytest.approx(beats[-1] + 4.0, abs=0.1)]
    assert last is None


def test_a_silence_that_ends_before_four_seconds_was_no_asystole() -> None:
    """3.7 s: a candidate, over with the next beat."""
    first = regular(0.5, 30, 70)
    back = first[-1] + 3.7
    marks = whole(heart([*first, *regular(back, 60, 70)], 60), RATE)
    assert [last for _, _, last in spans(marks, EcgCondition.ASYSTOLE)] == [pytest.approx(back, abs=0.03)]
    assert surely(marks, EcgCondition.ASYSTOLE) == []


def moved(x: NDArray[np.int16], at_s: float, tau_s: float) -> NDArray[np.int16]:
    """An electrode that moves: a step of 4 mV that decays, as amplifiers coupled by a capacitor show it."""
    t = np.arange(x.size) / RATE - at_s
    step = np.where(t > 0, 4000 * np.exp(-np.maximum(t, 0) / tau_s), 0.0)
    return np.clip(np.round(x + step), -32767, 32767).astype(np.int16)


def test_an_electrode_that_moves_is_no_standstill() -> None:
    """mitdb 116 and 208: the line jumps and creeps back, and for five seconds no beat is seen."""
    beats = [*regular(0.5, 30, 70), *regular(34.8, 60, 70)]
    x = heart(beats, 60)
    assert EcgCondition.ASYSTOLE in conditions(whole(x, RATE))
    seen = conditions(whole(moved(x, 29.9, 2.0), RATE))
    assert not seen & {EcgCondition.ASYSTOLE, EcgCondition.PAUSE, EcgCondition.BRADY}


def test_an_electrode_that_moves_hides_a_standstill_for_ten_seconds_at_most() -> None:
    """The patient falls: the line jumps, and the heart does not come back."""
    beats = regular(0.5, 30, 70)
    marks = whole(moved(heart(beats, 60), beats[-1] + 0.2, 2.0), RATE)
    assert surely(marks, EcgCondition.ASYSTOLE) == [pytest.approx(beats[-1] + 10.0, abs=0.3)]


def test_a_wide_paced_beat_ends_and_the_heart_stands_still() -> None:
    """challenge2015 a776s: the T wave of the last beat is as high as a QRS, and no part of the silence after it."""
    marks = whole(*excerpt("challenge2015/a776s", 100, 50))
    (told,) = surely(marks, EcgCondition.ASYSTOLE)
    assert 48.5 < told < 49.5


def test_what_the_second_band_takes_for_a_beat_is_no_silence_yet() -> None:
    """Three seconds after the last beat the second band sees one more: the silence counts from there."""
    x = heart(regular(0.5, 30, 70), 60)
    charts = new_charts(1)
    cuts = work_of([0, 33 * 250, 35 * 250, x.size], RATE)
    run(charts, cuts[:1], x)
    other = charts["signal"]["other"][0]
    other["beats"][(int(other["count"]) - 1) % BEAT_RING] = int(32.5 * RATE)
    assert EcgCondition.ASYSTOLE not in conditions(run(charts, cuts[1:2], x))
    assert surely(run(charts, cuts[2:], x), EcgCondition.ASYSTOLE) == [pytest.approx(36.5, abs=0.1)]


def test_asystole_with_p_waves_only() -> None:
    """Complete block: P waves go on, small and regular; they neither hide nor end it."""
    beats = regular(0.5, 30, 70)
    x = heart(beats, 60).astype(float)
    t = np.arange(x.size) / RATE
    for p in regular(30.5, 60, 80):
        x += 120 * np.exp(-0.5 * ((t - p) / 0.025) ** 2)
    found = spans(whole(np.round(x).astype(np.int16), RATE), EcgCondition.ASYSTOLE)
    assert len(found) == 1
    assert found[0][1] == pytest.approx(beats[-1] + 3.5, abs=0.1)
    assert found[0][2] is None


def test_asystole_ends_with_the_first_of_three_beats() -> None:
    beats = [*regular(0.5, 30, 70), *regular(40, 60, 70)]
    marks = whole(heart(beats, 60), RATE)
    assert [last for _, _, last in spans(marks, EcgCondition.ASYSTOLE)] == [pytest.approx(40.0, abs=0.03)]


def test_a_pause_and_its_length() -> None:
    """2.6 s without a beat: a pause, told again at its end with its whole length."""
    beats = [*regular(0.5, 30, 70), *regular(32.6, 60, 70)]
    gap = 32.6 - regular(0.5, 30, 70)[-1]
    marks = whole(heart(beats, 60), RATE)
    closed = marks[(marks["kind"] == Mark.CLOSE) & (marks["condition"] == EcgCondition.PAUSE)]
    assert closed["value"].tolist() == [pytest.approx(gap, abs=0.03)]
    assert conditions(marks) == {EcgCondition.PAUSE}


def test_a_lost_electrode_is_no_asystole() -> None:
    """The line goes flat: lead off, and no standstill."""
    x = heart(regular(0.5, 30, 70), 60)
    x[30 * 250 :] = 4000
    assert conditions(whole(x, RATE)) == {EcgCondition.LEAD_OFF}


def test_the_rail_is_lead_off() -> None:
    x = heart(regular(0.5, 30, 70), 60)
    x[30 * 250 :] = 32767
    assert conditions(whole(x, RATE)) == {EcgCondition.LEAD_OFF}


def test_the_devices_own_contact_bit() -> None:
    """Off for ten seconds: lead off from the first sample so marked to the last second before contact was good."""
    x = heart(regular(0.5, 60, 70), 60)
    work = work_of([0, 30 * 250, 40 * 250, x.size], RATE)
    work["contact"][1] = 0
    marks = run(new_charts(1), work, x)
    (first, decided, last) = spans(marks, EcgCondition.LEAD_OFF)[0]
    assert (first, decided) == (30.0, 30.0)
    assert last == pytest.approx(40.0, abs=1.1)
    assert conditions(marks) == {EcgCondition.LEAD_OFF}


def test_missing_samples_are_no_silence() -> None:
    """Ten seconds lost by the radio: no pause, no standstill, no beat is made up."""
    x = heart(regular(0.5, 60, 70), 60)
    x[30 * 250 : 40 * 250] = MISSING
    marks = whole(x, RATE)
    beats = marks["index"][marks["kind"] == Mark.BEAT] / RATE
    assert conditions(marks) == set()
    assert not np.any((beats > 30) & (beats < 40))


def test_a_second_hump_is_no_beat() -> None:
    """A wave half as steep as the QRS 260 ms after it, as after wide beats: so soon only a beat like the last one follows."""
    truth = regular(0.5, 60, 70)
    humps = [beat + 0.26 for beat in truth[20:]]
    x = heart(truth, 60) + 0.5 * heart(humps, 60, noise_uv=0.0)
    marks = whole(np.round(x).astype(np.int16), RATE)
    beats = marks["index"][marks["kind"] == Mark.BEAT] / RATE
    assert np.abs(beats[beats > 3][:, None] - np.array(truth)).min(1).max() < 0.06
    assert beats.size >= len(truth) - 4


@pytest.mark.parametrize(
    ("bpm", "expected"),
    [
        (25, {EcgCondition.EXTREME_BRADY, EcgCondition.BRADY, EcgCondition.PAUSE}),
        (36, {EcgCondition.BRADY}),
        (48, set()),
        (120, set()),
        # a sudden onset of narrow, even beats
        (155, {EcgCondition.TACHY, EcgCondition.SVT}),
        (210, {EcgCondition.TACHY, EcgCondition.EXTREME_TACHY, EcgCondition.SVT}),
    ],
)
def test_rates(bpm: float, expected: set[EcgCondition]) -> None:
    """The rate changes at 30 s and back at 75 s: everything opens and closes."""
    beats = [*regular(0.5, 30, 70), *regular(30, 75, bpm), *regular(75.5, 120, 70)]
    marks = whole(heart(beats, 120), RATE)
    assert conditions(marks) - {EcgCondition.PAUSE} == expected - {EcgCondition.PAUSE}
    for condition in expected:
        assert all(last is not None for _, _, last in spans(marks, condition))


@pytest.mark.parametrize(
    ("bpm", "condition", "is_sure"),
    [
        # Within the tolerance of a heart rate meter of 40 and of 140: a candidate.
        (43, EcgCondition.BRADY, False),
        (131, EcgCondition.TACHY, False),
        # Beyond the limit itself.
        (38, EcgCondition.BRADY, True),
        (145, EcgCondition.TACHY, True),
    ],
)
def test_near_a_limit_a_rate_is_a_candidate(bpm: float, condition: EcgCondition, is_sure: bool) -> None:
    beats = [*regular(0.5, 30, 70), *regular(30, 75, bpm), *regular(75.5, 120, 70)]
    marks = whole(heart(beats, 120), RATE)
    assert [last is not None for _, _, last in spans(marks, condition)] == [True]
    assert bool(surely(marks, condition)) is is_sure


def test_a_candidate_that_goes_beyond_its_limit_is_told_again() -> None:
    """43 a minute from 30 s, 37 from 60 s: one episode, told twice."""
    beats = [*regular(0.5, 30, 70), *regular(30, 60, 43), *regular(60, 90, 37)]
    marks = whole(heart(beats, 90), RATE)
    (first, decided, _) = spans(marks, EcgCondition.BRADY)[0]
    assert len(spans(marks, EcgCondition.BRADY)) == 1
    assert decided < 45
    assert 60 < surely(marks, EcgCondition.BRADY)[0] < 70
    assert first < 31


def test_one_beat_missed_hides_no_tachycardia() -> None:
    """At 150 a minute two of seventeen beats are too small: the mean falls to 133, the median does not."""
    beats = regular(30, 60, 150)
    beats = [*regular(0.5, 30, 70), *(b for n, b in enumerate(beats) if n % 8 != 5)]
    assert EcgCondition.TACHY in conditions(whole(heart(beats, 60), RATE))


def test_noise_in_one_band_counts_no_slow_rate() -> None:
    """The beats fade to a fifth in the lower band's peaks; small sharp ones stay: both bands must count alike."""
    beats = regular(0.5, 60, 70)
    x = heart(beats, 60).astype(float)
    t = np.arange(x.size) / RATE
    fade = np.ones(x.size)
    for beat in [b for n, b in enumerate(beats) if b > 30 and n % 2]:
        fade[np.abs(t - beat) < 0.3] = 0.28
    marks = whole(np.round(x * fade).astype(np.int16), RATE)
    assert not surely(marks, EcgCondition.EXTREME_BRADY)


def test_extreme_tachycardia_takes_ten_seconds() -> None:
    beats = [*regular(0.5, 30, 70), *regular(30, 75, 210)]
    (_, decided, _) = spans(whole(heart(beats, 75), RATE), EcgCondition.EXTREME_TACHY)[0]
    assert 40 <= decided <= 44


def test_fibrillation() -> None:
    """Irregular waves of 4 to 6 Hz from 30 to 60 s: seen within 7 s, over within 10 s of the first sinus beats."""
    rng = np.random.default_rng(2)
    x = heart([*regular(0.5, 30, 70), *regular(60.5, 90, 70)], 90).astype(float)
    phase = np.cumsum(2 * np.pi * (5 + np.convolve(rng.normal(0, 1, 7500), np.ones(100) / 30, "same")) / RATE)
    x[7500:15000] += 500 * np.sin(phase) * (1 + 0.3 * np.sin(2 * np.pi * np.arange(7500) / 700))
    found = spans(whole(np.round(x).astype(np.int16), RATE), EcgCondition.VF)
    assert len(found) == 1
    first, decided, last = found[0]
    assert 25 <= first <= 31
    assert decided <= 37
    assert last is not None
    assert 57 <= last <= 67


def test_noise_for_a_minute_is_a_finding() -> None:
    """Muscle noise above the QRS: cannot judge, said once, taken back when the signal is good again."""
    x = heart(regular(0.5, 240, 70), 240).astype(float)
    x[60 * 250 : 160 * 250] += np.random.default_rng(3).normal(0, 700, 100 * 250)
    marks = whole(np.clip(x, -32767, 32767).astype(np.int16), RATE)
    found = spans(marks, EcgCondition.NOISE)
    assert len(found) == 1
    assert 60 <= found[0][0] <= 75
    assert found[0][2] == pytest.approx(165, abs=10)
    grades = marks["value"][marks["kind"] == Mark.QUALITY]
    assert grades[-1] == Quality.GOOD


def test_a_new_session_closes_what_was_open() -> None:
    """With the last sample of the old session, before anything of the new one."""
    x = heart(regular(0.5, 30, 70), 60)
    work = work_of([0, 40 * 250, x.size], RATE)
    work["index"][1], work["restart"][1] = 0, 1
    marks = run(new_charts(1), work, x)
    closed = marks[(marks["kind"] == Mark.CLOSE) & (marks["work"] == 1)]
    assert set(closed["condition"]) >= {EcgCondition.ASYSTOLE}
    assert set(closed["index"]) == {40 * 250 - 1}
    assert (
        np.flatnonzero(marks["work"] == 1)[0] == np.flatnonzero((marks["kind"] == Mark.CLOSE) & (marks["work"] == 1))[0]
    )


def test_every_episode_has_its_own_name() -> None:
    """No two episodes of a condition begin at the same sample, whatever opens and closes."""
    rng = np.random.default_rng(4)
    x = heart(sorted(rng.uniform(0, 300, 250).tolist()), 300).astype(float)
    x += np.repeat(rng.normal(0, 1, 300) ** 4 * 100, 250) * rng.normal(0, 1, x.size)
    marks = whole(np.clip(x, -32767, 32767).astype(np.int16), RATE)
    opened = marks[marks["kind"] == Mark.OPEN]
    names = list(zip(opened["condition"].tolist(), opened["index"].tolist(), strict=True))
    assert len(names) == len(set(names))
    assert np.all(marks["onset"] <= marks["index"])
    assert np.all(marks["decided"] >= marks["index"])
    assert np.all(np.diff(marks["decided"]) >= 0)


def test_the_bound_of_marks_holds_on_the_wildest_input() -> None:
    """Noise, holes, gaps and a contact that comes and goes, in the slowest device's smallest chunks."""
    rng = np.random.default_rng(5)
    x = rng.integers(-32768, 32767, 60_000).astype(np.int16)
    x[20_000:40_000] = np.repeat(rng.integers(-2000, 2000, 200), 100)
    work = work_of([*range(0, x.size, 37), x.size], 100.0)
    work["contact"] = rng.integers(0, 2, work.size)
    work["index"] += np.cumsum(rng.integers(0, 2, work.size) * 900)
    work["restart"] = rng.random(work.size) < 0.02
    marks = np.zeros(mark_capacity(x.size, work.size), MARK)
    assert 0 < advance(new_charts(1), work, x, marks) < marks.size // 2


def test_too_few_marks_are_refused_before_anything_is_done() -> None:
    charts = new_charts(1)
    before = charts.tobytes()
    x = heart(regular(0.5, 5, 70), 5)
    with pytest.raises(MarksTooSmall):
        advance(charts, work_of([0, x.size], RATE), x, np.zeros(3, MARK))
    assert charts.tobytes() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_hz", 50.0),  # slower than the filters can use
        ("rate_hz", 2000.0),  # faster than the resampler's ring
        ("rate_hz", np.nan),
        ("slot", 1),  # not a lane
        ("slot", -1),
        ("count", 10**6),  # beyond the samples
        ("first", -1),
    ],
)
def test_unfit_work_is_refused(field: str, value: float) -> None:
    """A kernel checks no bounds: nothing may reach it that would leave its arrays."""
    x = heart([0.5], 2)
    work = work_of([0, x.size], RATE)
    work[field] = value
    with pytest.raises(UnfitWork, match="samples" if field in {"first", "count"} else field):
        run(new_charts(1), work, x)
