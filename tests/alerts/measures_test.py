"""What is measured in a strip: right where it is shown, and not shown where it cannot be known."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest

from alerts.measures import LEAST_BEATS, measured
from alerts.strip_beats import AFTER_S, WARM_UP_S
from alerts.strip_svg import SECONDS, Tracing
from device_sims.synthetic import Rhythm, Synthesis, synthesise
from stream.recording import MISSING

pytest.importorskip("neurokit2")
RATE = 130.0
WHOLE_S = WARM_UP_S + SECONDS + AFTER_S


@cache
def made(rhythm: Rhythm, noise_uv: float = 10.0) -> Synthesis:
    return synthesise([(rhythm, WHOLE_S)], RATE, 3, noise_uv=noise_uv)


def of(samples: np.ndarray[Any, Any], condition: str = "") -> dict[str, Any]:
    first, end = round(WARM_UP_S * RATE), round((WARM_UP_S + SECONDS) * RATE)
    strip = Tracing(
        samples=samples[first:end], rate_hz=RATE, from_at=datetime(2026, 11, 24, tzinfo=UTC), lead="I", onset_s=10,
        condition=condition,
    )  # fmt: skip
    return measured(strip, samples)


def test_of_a_clean_sinus_rhythm_all_is_measured_and_right() -> None:
    truth = made(Rhythm.SINUS)
    found = of(truth.samples)
    assert found["cannot"] == {}
    there = np.array([one.at_s for one in truth.beats if WARM_UP_S <= one.at_s < WARM_UP_S + SECONDS]) - WARM_UP_S
    told = np.array([one["at_s"] for one in found["beats"]])
    assert told.size == there.size
    assert np.abs(told - there).max() < 0.02
    assert found["rr_ms"]["value"] == pytest.approx(np.diff(there).mean() * 1000, abs=2)
    # Waves are Gaussian: their edges lie where 2 to 2.5 standard deviations end. Within what readers differ by.
    assert found["pr_ms"]["value"] == pytest.approx(160, abs=30)
    assert found["qrs_ms"]["value"] == pytest.approx(95, abs=25)
    assert found["qt_ms"]["value"] == pytest.approx(440, abs=40)
    assert all(found[f"{name}_ms"]["beats"] >= LEAST_BEATS for name in ("pr", "qrs", "qt"))
    beat_s = found["rr_ms"]["value"] / 1000
    assert found["qtc_ms"]["value"] == pytest.approx(found["qt_ms"]["value"] / beat_s ** (1 / 3), abs=0.2)
    assert found["qtc_ms"]["bazett"] == pytest.approx(found["qt_ms"]["value"] / beat_s**0.5, abs=0.2)


def test_the_same_samples_give_the_same_measures() -> None:
    assert of(made(Rhythm.SINUS).samples) == of(made(Rhythm.SINUS).samples.copy())


@pytest.mark.parametrize("condition", ["af", ""])
def test_in_fibrillation_there_is_no_pr(condition: str) -> None:
    found = of(made(Rhythm.AF).samples, condition)
    assert found["rr_ms"]
    assert found["pr_ms"] is None
    assert "pr" in found["cannot"]


def test_an_alert_of_fibrillation_has_no_pr_whatever_the_strip_shows() -> None:
    found = of(made(Rhythm.SINUS).samples, "af")
    assert found["pr_ms"] is None
    assert found["cannot"]["pr"] == "af"


def test_noise_is_refused_before_it_moves_an_edge() -> None:
    found = of(made(Rhythm.SINUS, 120.0).samples)
    assert {found["cannot"][name] for name in ("pr", "qrs", "qtc")} == {"noise"}
    assert found["rr_ms"]


@pytest.mark.parametrize("rhythm", [Rhythm.NOISE, Rhythm.VT, Rhythm.ASYSTOLE, Rhythm.LEAD_OFF])
def test_of_what_cannot_be_measured_nothing_is_shown(rhythm: Rhythm) -> None:
    found = of(made(rhythm).samples)
    assert [found[f"{name}_ms"] for name in ("pr", "qrs", "qt", "qtc")] == [None] * 4
    assert {"pr", "qrs", "qtc"} <= found["cannot"].keys()


def test_no_beat_lies_in_a_gap_and_no_interval_spans_one() -> None:
    samples = made(Rhythm.SINUS).samples.copy()
    gap = 12.0, 17.0
    samples[round((WARM_UP_S + gap[0]) * RATE) : round((WARM_UP_S + gap[1]) * RATE)] = MISSING
    found = of(samples)
    assert not [one for one in found["beats"] if gap[0] <= one["at_s"] < gap[1]]
    assert found["rr_ms"]["high"] < 1200


def test_a_rate_that_the_detector_does_not_take_is_said() -> None:
    strip = Tracing(samples=np.zeros(1500, np.int16), rate_hz=50.0, from_at=datetime(2026, 11, 24, tzinfo=UTC), lead="I",
                    onset_s=10)  # fmt: skip
    found = measured(strip, np.zeros(7500, np.int16))
    assert found["beats"] == []
    assert set(found["cannot"].values()) == {"rate"}
