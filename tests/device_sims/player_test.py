"""A wave is cut, resampled and looped without being bent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims.player import Wave, fibrillation, from_plan, from_record, from_source, looped, resampled
from device_sims.synthetic import Rhythm
from gateway.reading import MISSING_SAMPLE

DATA = Path(os.environ.get("TIERWATCH_DATA") or Path(__file__).parents[3] / "shared" / "data")
RATES = st.sampled_from([100.0, 125.0, 128.0, 130.13, 130.17, 200.0, 250.0, 360.0, 500.0])


def sine(rate_hz: float, seconds: float, frequency_hz: float = 5.0) -> Wave:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    samples = np.rint(1000 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)
    return Wave(name="sine", lead="I", rate_hz=rate_hz, samples=samples)


@settings(deadline=None)
@given(source=RATES, target=RATES)
def test_resampling_keeps_the_shape_and_the_time(source: float, target: float) -> None:
    wave = resampled(sine(source, 12.0), target)
    assert wave.rate_hz == target
    assert abs(wave.seconds - 12.0) <= 2 / min(source, target)
    ideal = sine(target, 12.0).samples.astype(float)[: len(wave.samples)]
    inside = slice(round(target), len(ideal) - round(target))
    assert np.abs(wave.samples[inside] - ideal[inside]).max() < 30


@settings(deadline=None, max_examples=40)
@given(source=RATES, target=RATES, from_s=st.floats(1, 6), for_s=st.floats(0.2, 4))
def test_missing_stays_missing_and_nothing_beside_it(source: float, target: float, from_s: float, for_s: float) -> None:
    wave = sine(source, 12.0)
    wave.samples[round(from_s * source) : round((from_s + for_s) * source)] = MISSING_SAMPLE
    out = resampled(wave, target).samples
    missing = np.flatnonzero(out == MISSING_SAMPLE) / target
    step = 1 / source + 1 / target
    assert missing.min() == pytest.approx(from_s, abs=step)
    assert missing.max() == pytest.approx(from_s + for_s, abs=2 * step)
    assert len(missing) == pytest.approx(for_s * target, abs=2 + target / source)
    assert np.abs(out[out != MISSING_SAMPLE].astype(int)).max() < 1300, "the gap's placeholder leaked into the signal"


def test_a_wave_at_its_own_rate_is_not_touched() -> None:
    wave = from_plan(((Rhythm.SINUS, 5.0),), 130.17, seed=1)
    assert resampled(wave, 130.17) is wave


def test_looped_begins_anew() -> None:
    wave = sine(250.0, 2.0)
    longer = looped(wave, 5.0)
    assert np.array_equal(longer.samples, np.concatenate([wave.samples, wave.samples, wave.samples[:250]]))


@pytest.mark.parametrize("source", ["nowhere/to/be/found", "sinus:x"])
def test_a_source_that_is_neither_says_so(source: str) -> None:
    with pytest.raises(ValueError, match=source):
        from_source(source)


def test_a_source_can_be_a_plan() -> None:
    assert from_source("sinus:3,vf:2").seconds == pytest.approx(5.0)


@pytest.mark.skipif(not (DATA / "cudb").is_dir(), reason="CUDB is in neither $TIERWATCH_DATA nor ../shared/data")
def test_an_excerpt_of_a_record_is_that_stretch_of_it() -> None:
    whole, cut = from_record(DATA / "cudb" / "cu01"), from_record(DATA / "cudb" / "cu01", from_s=30.0, seconds=20.0)
    assert np.array_equal(cut.samples, whole.samples[7500:12500])
    with pytest.raises(ValueError, match="lasts"):
        from_record(DATA / "cudb" / "cu01", from_s=10_000.0)


@pytest.mark.skipif(not (DATA / "vfdb").is_dir(), reason="VFDB is in neither $TIERWATCH_DATA nor ../shared/data")
def test_the_longest_fibrillation_is_found_where_the_annotations_say() -> None:
    assert fibrillation(DATA / "nsrdb" / "16265") is None
    for record in ("cudb/cu01", "vfdb/422", "vfdb/426"):
        span = fibrillation(DATA / record)
        assert span is not None
        whole = from_record(DATA / record)
        assert 0 < span[0] < span[1] <= whole.seconds
        assert span[1] - span[0] > 10
