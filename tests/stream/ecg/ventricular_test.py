"""The verdict on VT: what asks for it, what must never pass it, and alarms of an intensive care unit."""

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.ecg_scoring import detect, episodes
from stream.ecg import ventricular
from stream.ecg.filters import RATE
from stream.ecg.marks import MARK, EcgCondition
from stream.recording import Lead, open_record
from tests.stream.ecg.classed import fresh
from tests.stream.ecg.recordings import data_folder

RELAXED = settings(max_examples=30, deadline=None, derandomize=True)
SECOND = 30
SURE = 4.6
ALARM_S = 150.0


@numba.njit
def _judge(charts: Any, pens: Any, marks: Any, k: int) -> None:
    pens[0].now = k
    ventricular.each_second(charts[0], pens[0], marks, k)


def verdict(logits: list[float], bpm: float, match: list[float] | None = None, dip: float = 0.02) -> NDArray[Any]:
    """The chart after beats with these logits of V, the last one just classed, at second 30."""
    charts, pens = fresh()
    signal = charts["signal"]
    n = len(logits)
    places = np.arange(n) % 32
    signal["first"]["count"] = n
    signal["first"]["beats"][0, places] = SECOND * RATE - 100 - np.arange(n)[::-1] * round(60 * RATE / bpm)
    signal["first"]["peak"] = 100.0
    signal["ventricular"]["logits"][0, places] = logits
    signal["ventricular"]["heights"][0, places] = 1.0
    signal["rhythm"]["match"][0, places] = match or [0.98 if x < 0 else 0.2 for x in logits]
    signal["rhythm"]["dip"][0, places] = dip
    charts["clock"]["next_index"] = SECOND * RATE
    _judge(charts, pens, np.zeros(100, MARK), SECOND * RATE - 1)
    return charts


def state(charts: NDArray[Any]) -> Any:
    return charts["signal"]["ventricular"][0]


@RELAXED
@given(bpm=st.floats(50, 180), beats=st.integers(5, 31))
def test_a_patients_own_beats_ask_for_nothing(bpm: float, beats: int) -> None:
    """However fast: sinus tachycardia costs nothing."""
    assert not state(verdict([-SURE] * beats, bpm))["asked"]


@RELAXED
@given(bpm=st.floats(60, 200), pattern=st.sampled_from(["VN", "VVN", "VNN", "VVNN"]))
def test_patterns_of_ectopy_are_no_tachycardia(bpm: float, pattern: str) -> None:
    """Bigeminy, couplets: two V in a row are not three, whatever the trees say."""
    logits = [SURE if x == "V" else -SURE for x in (pattern * 16)[:31]]
    charts = verdict(logits, bpm)
    assert not state(charts)["holds"]
    assert not charts["episodes"]["open"][0, EcgCondition.VT]


def test_a_run_of_v_passes() -> None:
    """Seven wide beats at 160 a minute after sinus: VT from the first of the five that are most like it."""
    charts = verdict([-SURE] * 20 + [SURE] * 7, 160.0)
    assert state(charts)["holds"]
    assert charts["episodes"]["open"][0, EcgCondition.VT]
    assert charts["signal"]["runs"]["last_v"][0] == state(charts)["run_last"] == SECOND * RATE - 100


def test_features_are_always_numbers() -> None:
    """A lane that never had a QRS knows no envelope between beats: trees must never meet a NaN."""
    row = state(verdict([SURE] * 8, 150.0, dip=float("nan")))
    assert row["asked"]
    assert np.isfinite(row["features"]).all()


def confirmed(name: str) -> bool:
    """Whether a lead shows VT or VF in the 16 s before the alarm."""
    recording = open_record(data_folder() / "challenge2015" / name, "all")
    rate = recording.rate_hz
    for lead in recording.leads:
        cut = Lead(name=lead.name, samples=lead.samples[: round(ALARM_S * rate)], clipped=0)
        found = [e for e in episodes(detect(cut, rate), rate) if e.condition in {EcgCondition.VT, EcgCondition.VF}]
        if any(e.end >= ALARM_S - 16 for e in found):
            return True
    return False


@pytest.mark.parametrize("name", ["v309l", "v818s", "v255l", "v842s"])
def test_true_alarms_are_confirmed(name: str) -> None:
    """Runs of five to seven beats; of the last two the beats look nearly like the patient's own."""
    assert confirmed(name)


def test_alarms_of_an_intensive_care_unit() -> None:
    """Nine in ten true VT alarms are confirmed, four in five false ones are not."""
    rows = [line.split(",") for line in (data_folder() / "challenge2015" / "ALARMS").read_text().split()]
    alarms = [(name, truth == "1") for name, kind, truth in rows if kind == "Ventricular_Tachycardia"]
    said = np.array([confirmed(name) for name, _ in alarms])
    truth = np.array([is_true for _, is_true in alarms])
    assert said[truth].mean() >= 0.9
    assert said[~truth].mean() <= 0.2
