"""The synthetic ECG says the truth about itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, find_peaks, sosfiltfilt, welch

from device_sims.synthetic import Plan, Rhythm, plan_from_text, synthesise
from gateway.reading import MISSING_SAMPLE

BEATING = (Rhythm.SINUS, Rhythm.BRADY, Rhythm.TACHY, Rhythm.AF)
PLANS = st.lists(
    st.tuples(st.sampled_from(list(Rhythm)), st.floats(3, 25).map(lambda seconds: round(seconds, 2))),
    min_size=1,
    max_size=5,
).map(tuple)


def peaks_s(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """R peaks found without knowing the truth: tall, steep, at least 0.2 s apart."""
    band = sosfiltfilt(butter(2, (5, 25), "bandpass", fs=rate_hz, output="sos"), samples.astype(float))
    places, _ = find_peaks(band, height=250, distance=round(0.2 * rate_hz))
    return places / rate_hz


@pytest.mark.parametrize("rhythm", BEATING)
@pytest.mark.parametrize("rate_hz", [130.17, 250.0, 360.0])
def test_its_beats_are_those_that_a_peak_finder_sees(rhythm: Rhythm, rate_hz: float) -> None:
    made = synthesise([(rhythm, 60.0)], rate_hz, seed=7)
    seen, true = peaks_s(made.samples, rate_hz), np.array([beat.at_s for beat in made.beats])
    inside = true[(true > 0.3) & (true < 59.7)]
    assert len(inside) > 25
    assert np.abs(inside[:, None] - seen).min(axis=1).max() < 0.025, "a beat of the truth is not in the signal"
    assert np.abs(seen[:, None] - true).min(axis=1).max() < 0.025, "the signal holds a beat that the truth does not"


@pytest.mark.parametrize(
    ("rhythm", "slowest", "fastest"),
    [
        (Rhythm.SINUS, 60, 80),
        (Rhythm.BRADY, 30, 38),
        (Rhythm.TACHY, 140, 160),
        (Rhythm.AF, 80, 110),
        (Rhythm.VT, 175, 195),
    ],
)
def test_each_rhythm_has_its_rate(rhythm: Rhythm, slowest: float, fastest: float) -> None:
    beats = synthesise([(rhythm, 120.0)], 250.0, seed=3).beats
    assert slowest < 60 / np.median(np.diff([beat.at_s for beat in beats])) < fastest


def test_af_is_irregular_and_sinus_is_not_a_metronome() -> None:
    spreads = {}
    for rhythm in (Rhythm.SINUS, Rhythm.AF):
        intervals = np.diff([beat.at_s for beat in synthesise([(rhythm, 300.0)], 250.0, seed=5).beats])
        spreads[rhythm] = intervals.std() / intervals.mean()
    assert 0.01 < spreads[Rhythm.SINUS] < 0.08
    assert spreads[Rhythm.AF] > 0.12


def test_ventricular_beats_are_broad() -> None:
    sharpness = {}
    for rhythm in (Rhythm.SINUS, Rhythm.VT):
        samples = synthesise([(rhythm, 60.0)], 250.0, seed=1).samples.astype(float)
        frequencies, power = welch(samples, 250.0, nperseg=1024)
        sharpness[rhythm] = power[(frequencies > 12) & (frequencies < 40)].sum() / power[frequencies > 1].sum()
    assert sharpness[Rhythm.VT] < sharpness[Rhythm.SINUS] / 3


def test_fibrillation_is_one_band_without_beats_and_decays() -> None:
    made = synthesise([(Rhythm.VF, 240.0)], 250.0, seed=11, noise_uv=0, wander_uv=0)
    assert made.beats == ()
    frequencies, power = welch(made.samples.astype(float), 250.0, nperseg=2048)
    assert power[(frequencies > 2.5) & (frequencies < 7)].sum() / power.sum() > 0.95
    start, end = made.samples[2500:5000].astype(float).std(), made.samples[-2500:].astype(float).std()
    assert 80 < end < start / 2


@pytest.mark.parametrize("rhythm", [Rhythm.ASYSTOLE, Rhythm.PAUSE])
def test_nothing_beats_in_asystole(rhythm: Rhythm) -> None:
    made = synthesise([(Rhythm.SINUS, 20.0), (rhythm, 5.0), (Rhythm.SINUS, 20.0)], 250.0, seed=2)
    times = np.array([beat.at_s for beat in made.beats])
    assert not ((times > 20.0) & (times < 25.0)).any()
    assert np.diff(times).max() > 5.0
    assert len(peaks_s(made.samples[int(20.5 * 250) : int(24.8 * 250)], 250.0)) == 0


def test_a_lead_that_is_off_measures_nothing_and_only_then() -> None:
    made = synthesise([(Rhythm.SINUS, 10.0), (Rhythm.LEAD_OFF, 4.0), (Rhythm.SINUS, 10.0)], 250.0, seed=2)
    assert np.array_equal(np.flatnonzero(made.samples == MISSING_SAMPLE), np.arange(2500, 3500))


@settings(max_examples=40, deadline=None)
@given(plan=PLANS, rate_hz=st.sampled_from([125.0, 130.17, 250.0, 500.0]), seed=st.integers(0, 2**32))
def test_any_plan_is_kept_and_repeats_bit_by_bit(plan: Plan, rate_hz: float, seed: int) -> None:
    made, again = synthesise(plan, rate_hz, seed), synthesise(plan, rate_hz, seed)
    assert np.array_equal(made.samples, again.samples)
    assert made.beats == again.beats
    assert [(episode.rhythm, round(episode.end_s - episode.onset_s, 6)) for episode in made.episodes] == list(plan)
    assert len(made.samples) == round(made.episodes[-1].end_s * rate_hz)
    times = [beat.at_s for beat in made.beats]
    assert all(later - earlier >= 0.279 for earlier, later in pairwise(times))
    for episode in made.episodes:
        inside = [beat for beat in made.beats if episode.onset_s <= beat.at_s < episode.end_s]
        assert all(beat.ventricular == (episode.rhythm is Rhythm.VT) for beat in inside)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), noise_uv=st.floats(0, 400))
def test_more_noise_moves_no_beat(seed: int, noise_uv: float) -> None:
    plan = ((Rhythm.SINUS, 10.0), (Rhythm.AF, 10.0))
    assert synthesise(plan, 250.0, seed, noise_uv=noise_uv).beats == synthesise(plan, 250.0, seed).beats


@settings(deadline=None)
@given(plan=PLANS)
def test_a_written_plan_reads_back(plan: Plan) -> None:
    assert plan_from_text(",".join(f"{rhythm}:{seconds}" for rhythm, seconds in plan)) == plan


@pytest.mark.parametrize(
    "text",
    [
        "sinus",  # no seconds
        "sinus:40,waltz:3",  # no such rhythm
        "sinus:0",  # nothing
        "sinus:-3",  # time does not go back
        "vf:inf",  # would never end
        "vf:nan",  # would be no length at all
        "",  # nothing was said
    ],
)
def test_a_bad_plan_names_its_part(text: str) -> None:
    with pytest.raises(ValueError, match="stretch"):
        plan_from_text(text)
