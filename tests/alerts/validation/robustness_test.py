"""Strains: each does what it says and nothing else, and noise has the strength that it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alerts.validation.collection import Collection, Source
from alerts.validation.robustness import StrainTask, by_strain, strained, tasks_of
from alerts.validation.strains import HUM_UV, names, spoil
from stream.recording import MISSING, Lead, Recording
from tests.alerts.validation.annotated import reference

RATE, SECONDS = 100.0, 900.0
NOTES = reference([(second + 0.5, "N") for second in range(900)], seconds=SECONDS)


def recording():
    """A spike of a millivolt each second; the last ten seconds are missing."""
    samples = np.zeros(90000, np.int16)
    samples[50::100] = 1000
    samples[-1000:] = MISSING
    return Recording(
        name="made", rate_hz=RATE, start=None, leads=(Lead(name="I", samples=samples, clipped=0),), skipped=()
    )


NOISE = {"ma": np.random.default_rng(1).normal(0, 50, 90000)}


def strain(name):
    return spoil(name, recording(), NOTES, NOISE)


@pytest.mark.parametrize("name", names(["ma"]))
def test_what_is_missing_stays_missing_and_the_length_is_kept(name):
    worse = strain(name)
    samples = worse.recording.leads[0].samples
    assert samples.size / worse.recording.rate_hz == pytest.approx(SECONDS)
    assert (samples[-round(9 * worse.recording.rate_hz) :] == MISSING).all()
    assert worse.reference.seconds == pytest.approx(SECONDS)


def test_polarity_and_gain():
    before = recording().leads[0].samples[:89000]
    assert (strain("upside down").recording.leads[0].samples[:89000] == -before).all()
    assert (strain("gain x 4").recording.leads[0].samples[:89000] == 4 * before).all()


@pytest.mark.parametrize("rate", [125, 200, 250, 500])
def test_at_another_rate_beats_are_where_they_were(rate):
    worse = strain(f"{rate} Hz")
    assert worse.recording.rate_hz == rate
    samples = worse.recording.leads[0].samples[: 880 * rate].astype(float).reshape(880, rate)
    peaks = np.argmax(samples, axis=1) + rate * np.arange(880)
    assert np.abs(peaks - worse.reference.sample[:880]).max() <= 1


def test_hum_has_its_height():
    added = strain("hum 50 Hz").recording.leads[0].samples[:80000] - recording().leads[0].samples[:80000]
    assert np.abs(added).max() <= HUM_UV
    # 50 Hz at 100 samples a second falls on the zeros of the sine; 60 Hz does not.
    added = strain("hum 60 Hz").recording.leads[0].samples[:80000] - recording().leads[0].samples[:80000]
    assert added.std() == pytest.approx(HUM_UV / np.sqrt(2), rel=0.02)


def test_noise_has_the_strength_it_says_and_only_where_it_says():
    worse = strain("ma 6 dB")
    added = (worse.recording.leads[0].samples - recording().leads[0].samples)[:89000].astype(float)
    at = np.arange(89000) / RATE
    inside = np.any([(at >= a) & (at < b) for a, b in worse.spoilt], axis=0)
    assert not added[~inside].any()
    assert worse.spoilt[0][0] == 300
    assert 10 * np.log10(1000**2 / 8 / added[inside].var()) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(("name", "value"), [("gaps", MISSING), ("lead off", 0)])
def test_gaps_begin_after_the_learning_time(name, value):
    worse = strain(name)
    for start, end in worse.spoilt:
        assert start >= 300
        assert (worse.recording.leads[0].samples[round(start * RATE) : round(end * RATE)] == value).all()


def test_which_strains_on_which_recordings():
    mitdb = Source(
        name="mitdb",
        collection=Collection.MITDB,
        folder=Path(),
        records=(Path("101"), Path("203"), Path("104")),
        truth={},
    )
    noise = Source(name="nstdb", collection=Collection.NSTDB, folder=Path(), records=(Path("ma"), Path("em")), truth={})
    alone = tasks_of([mitdb])
    assert {task.path.name for task in alone} == {"101", "203"}  # no paced one
    assert not [task for task in alone if task.noises]
    noisy = [task for task in tasks_of([mitdb, noise]) if task.noises]
    assert {(task.path.name, task.strain) for task in noisy} == {("101", f"ma {d} dB") for d in (12, 6, 0)}


def test_a_real_recording_upside_down_is_the_same_heart(records):
    tasks = [
        StrainTask(strain=name, path=records / "mitdb" / "101", noises=()) for name in ("as recorded", "upside down")
    ]
    tasks.append(StrainTask(strain="ma 0 dB", path=records / "mitdb" / "101", noises=(records / "nstdb" / "ma",)))
    plain, turned, noisy = (line.told() for line in by_strain(tasks, [strained(task) for task in tasks]))
    assert plain["QRS DER"] < 1
    assert abs(turned["QRS DER"] - plain["QRS DER"]) < 0.3
    assert noisy["cannot judge %"] > plain["cannot judge %"]
    assert noisy["false emergencies"] == 0


def test_what_cannot_be_read_is_no_line(tmp_path):
    task = StrainTask(strain="as recorded", path=tmp_path / "nothing", noises=())
    assert by_strain([task], [strained(task)]) == []
