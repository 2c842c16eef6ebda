"""Excerpts of real recordings for the tests of the ECG kernels."""

import os
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import ECG_CHART, new_charts
from stream.ecg.marks import MARK, WORK
from stream.recording import open_record

ROOT = Path(__file__).resolve().parents[3]


def data_folder() -> Path:
    """$TIERWATCH_DATA or ../shared/data; skips where there is neither."""
    for folder in (os.environ.get("TIERWATCH_DATA"), ROOT.parent / "shared" / "data"):
        if folder and (Path(folder) / "mitdb").is_dir():
            return Path(folder)
    pytest.skip("no recordings: set TIERWATCH_DATA, or put them into ../shared/data")


@cache
def excerpt(record: str, begin_s: float, seconds: float) -> tuple[NDArray[np.int16], float]:
    """Samples (uV) and rate of a stretch of a record's first ECG lead."""
    recording = open_record(data_folder() / record)
    begin = round(begin_s * recording.rate_hz)
    samples = recording.leads[0].samples[begin : begin + round(seconds * recording.rate_hz)]
    return samples, recording.rate_hz


def work_of(cuts: list[int], rate_hz: float, slot: int = 0, first: int = 0) -> NDArray[Any]:
    """Rows of work for one lane cut at sample numbers (from 0 to the end)."""
    work = np.zeros(len(cuts) - 1, WORK)
    work["slot"], work["rate_hz"], work["contact"] = slot, rate_hz, 1
    work["index"] = cuts[:-1]
    work["first"] = np.array(cuts[:-1]) + first
    work["count"] = np.diff(cuts)
    return work


def run(charts: NDArray[Any], work: NDArray[Any], samples: NDArray[np.int16]) -> NDArray[Any]:
    """The marks of a batch."""
    marks = np.zeros(mark_capacity(samples.size, work.size), MARK)
    return marks[: advance(charts, work, samples, marks)]


def resumed(samples: NDArray[np.int16], rate_hz: float, cuts: list[int]) -> tuple[list[tuple[Any, ...]], bytes]:
    """What a lane says whose chart is saved and made anew at each cut (from 0 to the end), and the chart at last."""
    saved, got = new_charts(1).tobytes(), []
    for begin, end in pairwise(cuts):
        charts = np.frombuffer(bytearray(saved), ECG_CHART)
        work = work_of([begin, end], rate_hz)
        work["first"] = 0
        got += said(run(charts, work, samples[begin:end]))
        saved = charts.tobytes()
    return got, saved


def said(marks: NDArray[Any]) -> list[tuple[Any, ...]]:
    """Marks without the row of work that produced them."""
    return [tuple(mark[name] for name in MARK.names or () if name != "work") for mark in marks]


def whole(samples: NDArray[np.int16], rate_hz: float) -> NDArray[Any]:
    """The marks of one lane taken in one chunk."""
    return run(new_charts(1), work_of([0, samples.size], rate_hz), samples)
