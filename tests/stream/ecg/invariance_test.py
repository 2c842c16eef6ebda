"""What must not matter: how a recording was cut, saved, batched, or which way round the electrodes were."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.ecg.chart import CHART_VERSION, ECG_CHART, new_charts
from stream.ecg.marks import MISSING, EcgCondition, Mark
from tests.stream.ecg.recordings import ROOT, data_folder, excerpt, resumed, run, said, whole, work_of

EXCERPTS = [
    ("mitdb/203", 300, 40),  # AF with ventricular beats at 360 Hz: search back, all the time
    ("cudb/cu04", 210, 50),  # fibrillation begins, with missing samples
    ("vfdb/418", 395, 40),  # flutter opens and closes
    ("nsrdb/16265", 100, 40),  # 128 Hz: upsampled
    ("challenge2015/a109l", 100, 50),  # a pause
]
RELAXED = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def damaged(samples: NDArray[np.int16], holes: list[tuple[int, int]]) -> NDArray[np.int16]:
    """A copy with stretches of missing samples."""
    copy = samples.copy()
    for begin, length in holes:
        copy[begin % samples.size : begin % samples.size + length] = MISSING
    return copy


@pytest.fixture(params=EXCERPTS, ids=[e[0] for e in EXCERPTS])
def recorded(request: pytest.FixtureRequest) -> tuple[NDArray[np.int16], float]:
    name, begin, seconds = request.param
    return excerpt(name, begin, seconds)


def cuts_of(size: int, rate_hz: float, seed: int, longest_s: float) -> list[int]:
    """Chunks of 1 sample to so many seconds."""
    rng = np.random.default_rng(seed)
    cuts = [0]
    while cuts[-1] < size:
        cuts.append(min(size, cuts[-1] + int(rng.integers(1, max(2, int(longest_s * rate_hz))))))
    return cuts


@RELAXED
@given(
    seed=st.integers(0, 1000),
    longest_s=st.sampled_from([0.02, 0.3, 2.0, 10.0]),
    holes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 2000)), max_size=3),
)
def test_any_chunking_says_the_same(
    recorded: tuple[NDArray[np.int16], float], seed: int, longest_s: float, holes: list[tuple[int, int]]
) -> None:
    """A phone that sends ten seconds at once must not change a diagnosis."""
    samples, rate = damaged(recorded[0], holes), recorded[1]
    one, many = new_charts(1), new_charts(1)
    expected = said(run(one, work_of([0, samples.size], rate), samples))
    got = said(run(many, work_of(cuts_of(samples.size, rate, seed, longest_s), rate), samples))
    assert got == expected
    assert many.tobytes() == one.tobytes()


def test_sample_by_sample(recorded: tuple[NDArray[np.int16], float]) -> None:
    """The finest cut of all."""
    samples, rate = recorded[0][:4000], recorded[1]
    one, many = new_charts(1), new_charts(1)
    expected = said(run(one, work_of([0, samples.size], rate), samples))
    assert said(run(many, work_of(list(range(samples.size + 1)), rate), samples)) == expected
    assert many.tobytes() == one.tobytes()


@RELAXED
@given(seed=st.integers(0, 1000))
def test_save_and_restore_anywhere_changes_nothing(recorded: tuple[NDArray[np.int16], float], seed: int) -> None:
    """A server that restarts goes on as if nothing had been."""
    samples, rate = recorded
    unbroken = new_charts(1)
    expected = said(run(unbroken, work_of([0, samples.size], rate), samples))
    got, saved = resumed(samples, rate, cuts_of(samples.size, rate, seed, 10.0))
    assert got == expected
    assert saved == unbroken.tobytes()


def test_many_lanes_as_each_alone() -> None:
    """Neighbours in a batch never meet."""
    lanes = [excerpt(*e) for e in EXCERPTS]
    alone = [said(whole(samples, rate)) for samples, rate in lanes]
    parts, first = [], 0
    for slot, (samples, rate) in enumerate(lanes):
        parts.append(work_of([*range(0, samples.size, 500), samples.size], rate, slot, first))
        first += samples.size
    work = np.concatenate(parts)
    work = work[np.argsort(work["index"] / work["rate_hz"], kind="stable")]  # as they come in
    together = run(new_charts(len(lanes)), work, np.concatenate([s for s, _ in lanes]))
    for slot, expected in enumerate(alone):
        got = [(0, *m[1:]) for m in said(together[together["slot"] == slot])]
        assert got == expected


def test_polarity_gives_the_same_beats(recorded: tuple[NDArray[np.int16], float]) -> None:
    """Swapped electrodes: R is then an S, at the same place."""
    samples, rate = recorded
    flipped = np.where(samples == MISSING, MISSING, -samples).astype(np.int16)
    up, down = whole(samples, rate), whole(flipped, rate)
    a, b = (marks["index"][marks["kind"] == Mark.BEAT] for marks in (up, down))
    assert a.size == b.size
    assert np.abs(a - b).max() <= 2


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_gain_gives_the_same_beats(recorded: tuple[NDArray[np.int16], float], gain: float) -> None:
    """A device with another calibration."""
    samples, rate = recorded
    scaled = np.where(samples == MISSING, MISSING, np.clip(np.round(samples * gain), -32767, 32767)).astype(np.int16)
    a, b = (m["index"][m["kind"] == Mark.BEAT] for m in (whole(samples, rate), whole(scaled, rate)))
    near = np.abs(a[:, None] - b[None, :]).min(1) <= 3
    assert near.mean() > 0.97


def test_a_gap_in_the_index_is_like_missing_samples() -> None:
    """A lost packet: the same beats whether the gateway fills it or leaves it out."""
    samples, rate = excerpt("mitdb/203", 300, 40)
    filled = damaged(samples, [(5000, 1000)])
    expected = said(whole(filled, rate))
    work = np.concatenate([work_of([0, 5000], rate), work_of([6000, samples.size], rate)])
    assert said(run(new_charts(1), work, samples)) == expected


def test_a_long_gap_costs_nothing_and_starts_afresh() -> None:
    """A wearable back after a month: no month of silence is worked through."""
    samples, rate = excerpt("mitdb/203", 300, 40)
    work = work_of([0, 7200, samples.size], rate)
    work["index"][1] += 10**12
    marks = run(new_charts(1), work, samples)
    beats = marks["index"][marks["kind"] == Mark.BEAT]
    assert beats.max() > 10**12
    # Nothing is made of the month itself: what opens is what each part shows by itself.
    alone = [whole(part, rate) for part in (samples[:7200], samples[7200:])]
    opened = [set(m["condition"][m["kind"] == Mark.OPEN]) for m in (marks, *alone)]
    assert opened[0] <= opened[1] | opened[2]
    assert not opened[0] & {EcgCondition.PAUSE, EcgCondition.ASYSTOLE, EcgCondition.NOISE}


def test_the_chart_is_small() -> None:
    """10,000 lanes are saved every minute."""
    assert ECG_CHART.itemsize <= 16384
    assert CHART_VERSION >= 1


BOUNDS = """
import numpy as np
from tests.stream.ecg.recordings import excerpt, resumed, whole
for name, begin, seconds in [("mitdb/203", 300, 15), ("cudb/cu04", 210, 20), ("nsrdb/16265", 100, 12)]:
    samples, rate = excerpt(name, begin, seconds)
    samples = samples.copy(); samples[900:1300] = -32768
    assert whole(samples, rate).size
"""


def test_no_index_leaves_its_array() -> None:
    """numba checks no bounds by itself; once, it must."""
    data_folder()
    done = subprocess.run(
        [sys.executable, "-c", BOUNDS],
        cwd=ROOT,
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(ROOT / "var" / "numba-bounds")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
