"""The strip of an alert: small whatever the signal, and nothing on it that was not measured."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alerts.strip_svg import LARGEST, SECONDS, Tracing, draw
from stream.recording import MISSING

AT = datetime(2026, 11, 24, 9, 40, 28, tzinfo=UTC)
HEAD, PER_S, PER_MV = 100, 250, 100
SVG = "{http://www.w3.org/2000/svg}"
Spot = tuple[int, int]


def tracing(samples: NDArray[Any], rate_hz: float = 250.0, **changes: Any) -> Tracing:
    given = {
        "lead": "II",
        "onset_s": 10.0,
        "is_of_lead": True,
        "condition": "vf",
        "words": "ventricular fibrillation 心室颤动",
    }
    return Tracing(samples=samples.astype(np.int16), rate_hz=rate_hz, from_at=AT, **(given | changes))


def beating(rate_hz: float = 250.0) -> NDArray[np.float64]:
    """A heart at 75 a minute: a narrow R wave and a T wave, in microvolts."""
    t = np.arange(round(SECONDS * rate_hz)) / rate_hz % 0.8
    return 1200 * np.exp(-(((t - 0.3) / 0.012) ** 2)) + 250 * np.exp(-(((t - 0.55) / 0.05) ** 2))


def lines(svg: str) -> list[list[list[Spot]]]:
    """By row, the lines of the trace as absolute points (without the calibration pulse)."""
    rows = []
    for path in re.findall(r"class='trace'[^>]* d='([^']*)'", svg):
        found = []
        for x, y, steps in re.findall(r"M(\d+) (\d+)l([^M]*)", path):
            spots = [(int(x), int(y))]
            numbers = [int(n) for n in re.findall(r"-?\d+", steps)]
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                spots.append((spots[-1][0] + dx, spots[-1][1] + dy))
            found.append(spots)
        rows.append(found)
    return rows


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate_hz=st.sampled_from([128.0, 130.17, 250.0, 512.0, 1000.0]),
    amplitude=st.sampled_from([0, 20, 300, 3000, 32767]),
    lost=st.floats(0, 1),
    length=st.integers(1, 400),
    onset_s=st.floats(0, 29.9),
    words=st.text(max_size=300),
)
def test_any_strip_is_small_and_whole(
    seed: int, rate_hz: float, amplitude: int, lost: float, length: int, onset_s: float, words: str
) -> None:
    rng = np.random.default_rng(seed)
    n = round(SECONDS * rate_hz)
    samples = rng.integers(-amplitude, amplitude + 1, n)
    samples[np.repeat(rng.random(n // length + 1) < lost, length)[:n]] = MISSING
    words = "".join(c for c in words if c.isprintable())
    svg = draw(tracing(samples, rate_hz, onset_s=onset_s, words=words, lead="<b>'\"&"))
    assert len(svg.encode()) <= LARGEST
    root = ET.fromstring(svg)
    assert len(root.findall(f"{SVG}g")) == 3
    assert not re.search(r"style=|<script|\bon\w+=", svg)


def test_it_is_the_same_each_time() -> None:
    assert draw(tracing(beating())) == draw(tracing(beating()))


@pytest.mark.parametrize("rate_hz", [128.0, 250.0, 500.0])
def test_paper_speed_and_height_hold(rate_hz: float) -> None:
    rows = lines(draw(tracing(beating(rate_hz), rate_hz)))
    assert len(rows) == 3
    for number, (row,) in enumerate(rows):
        top = min(y for _, y in row)
        peaks = [x for x, y in row if y <= top + 60 and y < sum(y for _, y in row) / len(row) - 60]
        groups = [x for before, x in pairwise([-100, *peaks]) if x - before > 50]
        expected = [
            HEAD + (beat - number * 10) * PER_S
            for beat in np.arange(0.3, 30, 0.8)
            if number * 10 <= beat < number * 10 + 10
        ]
        assert len(groups) == len(expected)
        assert np.abs(np.array(groups) - np.array(expected)).max() <= 5
        middle = sorted(y for _, y in row)[len(row) // 2]
        assert abs((max(y for _, y in row) - top) - 1.2 * PER_MV) <= 12, middle


def test_no_line_is_drawn_where_nothing_was_measured() -> None:
    samples = beating()
    holes = [(2.0, 5.6), (9.0, 11.5), (20.0, 20.1)]
    for begin, end in holes:
        samples[round(begin * 250) : round(end * 250)] = MISSING
    svg = draw(tracing(samples))
    for number, row in enumerate(lines(svg)):
        for line in row:
            for (x0, _), (x1, _) in pairwise(line):
                begin, end = (number * 10 + (x - HEAD) / PER_S for x in (x0, x1))
                assert not any(begin < hole_end - 0.01 and end > hole_begin + 0.01 for hole_begin, hole_end in holes)
    hatched = re.findall(r"class='missing'[^>]* d='([^']*)'", svg)
    assert [path.count("M") for path in hatched] == [2, 1, 1]  # the second hole goes over the seam of two rows
    assert "no signal 无信号 3.6 s" in svg


def test_what_has_not_been_measured_yet_is_hatched_too() -> None:
    samples = beating()
    samples[18 * 250 :] = MISSING
    svg = draw(tracing(samples))
    assert "no signal 无信号 2.0 s" in svg
    assert "no signal 无信号 10.0 s" in svg
    assert "l" not in re.findall(r"class='trace'[^>]* d='([^']*)'", svg)[2]


def test_a_signal_that_leaves_the_paper_is_marked() -> None:
    wild = beating() * 5
    assert "class='clip'" in draw(tracing(wild))
    assert "class='clip'" not in draw(tracing(beating()))


def test_the_onset_says_when_and_what_and_is_drawn_where_it_was() -> None:
    svg = draw(tracing(beating(), onset_s=12.0, end_s=17.0))
    assert "▼ 09:40:40 ventricular fibrillation 心室颤动" in svg
    assert re.search(rf"class='onset' [^>]*x='{HEAD + 2 * PER_S}'", svg)
    assert re.findall(r"class='span' [^>]*x='(\d+)' width='(\d+)'", svg) == [(str(HEAD + 2 * PER_S), str(5 * PER_S))]
    assert "II · 25 mm/s · 10 mm/mV · UTC" in svg
    assert ">09:40:28<" in svg


def test_a_condition_that_was_not_found_in_this_lead_shades_nothing() -> None:
    svg = draw(tracing(beating(), is_of_lead=False, condition="glucose_critical_low"))
    assert "class='span'" not in svg
    assert "class='onset'" in svg


def test_each_row_has_its_calibration_pulse_of_one_millivolt() -> None:
    svg = draw(tracing(beating()))
    assert len(re.findall(r"d='M10 \d+h10v-100h50v100h10M", svg)) == 3
