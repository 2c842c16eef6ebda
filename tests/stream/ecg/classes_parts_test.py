"""The parts that classes of beats are made of: waves, templates, intervals, history."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.ecg import classes_intervals, classes_strip, classes_templates
from stream.ecg.chart import WAVE_RING
from stream.ecg.classes_chart import CLASSES, INTERVAL_FEATURES, INTERVALS, QRS, RHYTHM_PAST, STRIP

RELAXED = settings(max_examples=50, deadline=None, derandomize=True)


def hump(width: float, height: float = 1000.0, shift: int = 0) -> NDArray[np.int16]:
    """A strip with one smooth wave, uV."""
    at = np.arange(STRIP) - classes_strip.CENTRE - shift
    return np.round(height * np.exp(-((at / width) ** 2))).astype(np.int16)


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_a_beat_is_like_itself_wherever_it_lies(shift: int) -> None:
    """R may be found a point early or late."""
    template = (4 * hump(3)[classes_strip.QRS_BEGIN :][:QRS]).astype(np.int16)
    likeness, found = classes_strip.correlation(hump(3, shift=shift), classes_strip.QRS_BEGIN, template, QRS, 2)
    assert likeness == pytest.approx(1.0, abs=1e-3)
    assert found == shift


def test_a_flat_line_is_like_nothing() -> None:
    """No division by nothing, no likeness out of nowhere."""
    flat = np.zeros(STRIP, np.int16)
    assert classes_strip.correlation(flat, classes_strip.QRS_BEGIN, hump(3)[25:], QRS, 2)[0] == 0.0
    assert classes_strip.correlation(hump(3), classes_strip.QRS_BEGIN, flat, QRS, 2)[0] == 0.0


@RELAXED
@given(r=st.integers(200, 4000), behind=st.integers(54, 170))
def test_a_strip_is_what_the_ring_holds(r: int, behind: int) -> None:
    """Wherever the ring's seam lies; what is not there yet repeats the newest sample and is never an old one."""
    signal = (1000 * np.sin(np.arange(r + behind + 1) / 9.0)).astype(np.float32)
    ring = np.zeros(WAVE_RING, np.float32)
    for k in range(max(0, signal.size - WAVE_RING), signal.size):
        ring[k % WAVE_RING] = signal[k]
    beat = np.zeros(1, CLASSES)["pending"]
    classes_strip.capture(beat[0], ring, r, signal.size - 1, 1.0)
    at = np.minimum(r + classes_strip.WIDE_DELAY + 2 * (np.arange(STRIP) - classes_strip.CENTRE), signal.size - 2)
    expected = 0.25 * (signal[at - 1] + 2 * signal[at] + signal[at + 1])
    assert np.abs(beat[0]["wave"] - expected).max() <= 1.0


def taught(beats: list[tuple[NDArray[np.int16], bool]]) -> Any:
    """Classes that have learned beats (wave, early)."""
    state = np.zeros(1, CLASSES)
    classes = state[0]
    for wave, early in beats:
        classes["pending"]["wave"] = wave
        width = 8.0 * float((wave > wave.max() * 0.3).sum())
        measures = (0.0, float(np.ptp(wave)), float(wave.max()), width, width, width, 100.0, 0.1, 1.0, 1.0)
        classes_templates.compare(classes, wave, measures[1])
        classes_templates.learn(classes, classes["pending"], measures, early, 0.8, not early)
    classes_templates.compare(classes, beats[0][0], float(np.ptp(beats[0][0])))
    return classes


def test_in_bigeminy_the_narrow_shape_is_dominant() -> None:
    """Every other beat is ventricular: by count alone, or by who came first, the broad one could become normal."""
    narrow, broad = hump(2), hump(9, -1500.0)
    classes = taught([(broad, True), *[(narrow, False), (broad, True)] * 30])
    assert classes["templates_n"] == 2
    dominant = classes["templates"][classes["dominant"]]
    assert dominant["width"] < 60
    assert dominant["count"] > 10


def test_eight_shapes_and_the_rarest_goes() -> None:
    """Noise makes new shapes for ever; the patient's own must not be pushed out by them."""
    rng = np.random.default_rng(1)
    own = hump(2)
    beats = [(own, False)] * 50
    for _ in range(30):
        beats += [(rng.normal(0, 500, STRIP).astype(np.int16), False), (own, False)]
    classes = taught(beats)
    assert classes["templates_n"] == 8
    assert classes["templates"]["count"].max() > 40


@RELAXED
@given(st.lists(st.floats(0.26, 2.4), min_size=1, max_size=120))
def test_sorted_intervals_are_the_intervals_sorted(intervals: list[float]) -> None:
    """Medians rest on it."""
    state, features = np.zeros(1, RHYTHM_PAST), np.zeros(INTERVAL_FEATURES, np.float32)
    for interval in intervals:
        classes_intervals.fill(state[0], features, interval, interval)
        assert np.isfinite(features).all()
        classes_intervals.learn(state[0], interval, False)
    past = state[0]
    kept = np.array(intervals[-INTERVALS:], np.float32)
    assert past["sorted"][: past["n"]].tolist() == sorted(kept.tolist())


def test_intervals_next_to_a_ventricular_beat_are_no_history() -> None:
    """Else bigeminy would make every normal beat look early or late."""
    state, features = np.zeros(1, RHYTHM_PAST), np.zeros(INTERVAL_FEATURES, np.float32)
    for i in range(60):
        ventricular = i % 2 == 1
        interval = 0.5 if ventricular else 1.1
        if i <= 20:
            ventricular, interval = False, 0.8
        classes_intervals.fill(state[0], features, interval, 0.8)
        classes_intervals.learn(state[0], interval, ventricular)
    past = state[0]
    assert past["n"] == 21
    assert (past["sorted"][: past["n"]] == np.float32(0.8)).all()
