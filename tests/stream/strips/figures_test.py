"""What the strip judge says of recordings. It was trained on them: these floors show a judge, or beats, gone wrong.

How well it does on strips that it never saw stands in stream/ecg/models/strips.md, by cross-validation.
"""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from stream.recording import open_record
from stream.strips.judge import StripVerdict, judge_strip
from tests.stream.ecg.recordings import data_folder

EVERY = 12


@cache
def sample() -> list[tuple[str, str]]:
    """Every so manieth strip of each class: name, class."""
    with (data_folder() / "challenge2017" / "REFERENCE.csv").open(newline="") as handle:
        truth = sorted((row[1].strip(), row[0]) for row in csv.reader(handle))
    return [(name, letter) for letter, name in truth[::EVERY]]


@cache
def recorded(name: str) -> tuple[NDArray[np.int16], float]:
    recording = open_record(data_folder() / "challenge2017" / name)
    return recording.leads[0].samples, recording.rate_hz


@cache
def verdict(name: str) -> StripVerdict:
    return judge_strip(*recorded(name))


def agreed(letter: str) -> float:
    """F1 of a class over the sample."""
    answers = [(is_, str(verdict(name).strip_class)) for name, is_ in sample()]
    both = sum(is_ == called == letter for is_, called in answers)
    return 2 * both / (sum(is_ == letter for is_, _ in answers) + sum(called == letter for _, called in answers))


@pytest.mark.parametrize(("letter", "floor"), [("N", 0.82), ("A", 0.88), ("O", 0.77), ("~", 0.65)])
def test_classes_of_a_sample(letter, floor):
    assert agreed(letter) >= floor


def test_upside_down_the_strips_read_the_same():
    for name, _ in sample()[::6]:
        samples, rate_hz = recorded(name)
        turned = judge_strip(-samples, rate_hz)
        assert turned.strip_class is verdict(name).strip_class, name
        assert turned.confidence == pytest.approx(verdict(name).confidence, abs=1e-3), name


def test_at_half_the_gain_the_strips_read_the_same():
    """But for what rounding takes off the quietest of them."""
    names = [name for name, _ in sample()[::6]]
    moved, kept = [], 0
    for name in names:
        samples, rate_hz = recorded(name)
        halved = judge_strip(np.round(samples / 2).astype(np.int16), rate_hz)
        moved.append(abs(halved.probabilities[verdict(name).strip_class] - verdict(name).confidence))
        kept += halved.strip_class is verdict(name).strip_class
    assert np.median(moved) < 0.03
    assert kept >= 0.9 * len(names)


def test_at_other_rates_most_strips_keep_their_class():
    """At 500 and at 125 samples a second: more than five in six."""
    few = [name for name, _ in sample()[::4]]
    for up, down in ((5, 3), (5, 12)):
        kept = 0
        for name in few:
            samples, rate_hz = recorded(name)
            other = np.clip(np.round(signal.resample_poly(samples.astype(float), up, down)), -32767, 32767)
            kept += judge_strip(other.astype(np.int16), rate_hz * up / down).strip_class is verdict(name).strip_class
        assert kept >= 0.85 * len(few)
