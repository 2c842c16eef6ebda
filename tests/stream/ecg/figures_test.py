"""Figures that must be seen on the development halves (DS1, CUDB, VFDB, NSRDB); `tierwatch validate` prints them all."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.ecg_scoring import (
    BEATS,
    DS1,
    EMERGENCIES,
    Episode,
    annotations,
    beat_errors,
    beats_of,
    bracketed,
    delay_of,
    detect,
    episodes,
    fibrillation_spans,
)
from stream.ecg.marks import EcgCondition, Mark
from stream.recording import open_record
from tests.stream.ecg.recordings import data_folder

TRUE_ARRHYTHMIA = {"207", "205", "203"}  # hold VF, flutter and fast VT


@cache
def detected(record: str) -> tuple[NDArray[Any], float, int]:
    """Marks, rate and length of a record's first ECG lead."""
    recording = open_record(data_folder() / record)
    lead = recording.leads[0]
    return detect(lead, recording.rate_hz), recording.rate_hz, lead.samples.size


def emergencies(record: str) -> list[Episode]:
    marks, rate, _ = detected(record)
    return [e for e in episodes(marks, rate) if e.condition in EMERGENCIES and e.sure < np.inf]


def beats_against_reference(record: str, start_s: float) -> tuple[int, int, int]:
    marks, rate, length = detected(record)
    sample, symbol, _ = annotations(data_folder() / record)
    reference = sample[np.isin(symbol, list(BEATS)) & (sample < length)]
    return beat_errors(reference, beats_of(marks), rate, bracketed(sample, symbol, length), start_s)


def test_beats_of_ds1() -> None:
    """Sensitivity and predictivity of at least 99.8 %, an error rate of at most 0.25 %."""
    tp, fn, fp = np.sum([beats_against_reference(f"mitdb/{name}", 300.0) for name in DS1], axis=0)
    assert tp / (tp + fn) >= 0.998
    assert tp / (tp + fp) >= 0.998
    assert (fn + fp) / (tp + fn) <= 0.0025


def test_beats_are_decided_in_time() -> None:
    """95 % within half a second of the R peak."""
    marks, rate, _ = detected("mitdb/101")
    beats = marks[marks["kind"] == Mark.BEAT]
    assert np.percentile((beats["decided"] - beats["index"]) / rate, 95) <= 0.5


def test_r_peaks_lie_where_cardiologists_put_them() -> None:
    marks, rate, _ = detected("mitdb/101")
    sample, symbol, _ = annotations(data_folder() / "mitdb/101")
    reference, found = sample[np.isin(symbol, list(BEATS))], beats_of(marks)
    apart = np.abs(found[:, None] - reference[None, :]).min(1) / rate
    assert np.percentile(apart, 95) < 0.03


@pytest.mark.parametrize("name", sorted(set(DS1) - TRUE_ARRHYTHMIA))
def test_no_emergency_on_ds1(name: str) -> None:
    """But in the minute of VT that 223's own annotations state."""
    _, rate, length = detected(f"mitdb/{name}")
    tachycardia, _ = fibrillation_spans(data_folder() / f"mitdb/{name}", "vfdb", length, rate)
    raised = emergencies(f"mitdb/{name}")
    assert [e for e in raised if not any(e.onset <= end and e.end >= begin for _, begin, end in tachycardia)] == []


def test_sinus_hours_of_healthy_people() -> None:
    """No emergency, and the detector was awake."""
    totals = np.zeros(3, int)
    for path in sorted((data_folder() / "nsrdb").glob("*.hea")):
        record = f"nsrdb/{path.stem}"
        assert emergencies(record) == []
        totals += beats_against_reference(record, 0.0)
    tp, fn, fp = totals
    assert tp / (tp + fn) >= 0.99
    assert tp / (tp + fp) >= 0.99


def first_fibrillation(record: str, collection: str) -> float | None:
    """Delay of the first annotated VF episode: None where it was missed, no VF where it raises."""
    marks, rate, length = detected(record)
    spans, _ = fibrillation_spans(data_folder() / record, collection, length, rate)
    begin, end = next((a, b) for kind, a, b in spans if kind == "VF")
    found = [e for e in episodes(marks, rate) if e.condition == EcgCondition.VF]
    return delay_of(begin, end, found)


def test_every_first_fibrillation_of_cudb_is_found() -> None:
    """And half of them within 7 s."""
    folder = data_folder() / "cudb"
    delays = {p.stem: first_fibrillation(f"cudb/{p.stem}", "cudb") for p in sorted(folder.glob("*.hea"))}
    assert [name for name, delay in delays.items() if delay is None] == []
    assert np.median([delay for delay in delays.values() if delay is not None]) <= 7.0


def test_fibrillation_and_tachycardia_of_vfdb_are_found() -> None:
    """Every VF of at least 5 s, and nine in ten VT, though their beats may have become the lead's own template."""
    missed: list[str] = []
    of_vt = 0
    for path in sorted((data_folder() / "vfdb").glob("*.hea")):
        marks, rate, length = detected(f"vfdb/{path.stem}")
        spans, _ = fibrillation_spans(path.with_suffix(""), "vfdb", length, rate)
        found = [e for e in episodes(marks, rate) if e.condition == EcgCondition.VF]
        of_vt += sum(kind == "VT" and end - begin >= 5.0 for kind, begin, end in spans)
        missed += [
            f"{kind} of {path.stem} at {begin:.0f} s"
            for kind, begin, end in spans
            if end - begin >= 5.0 and delay_of(begin, end, found) is None
        ]
    assert [name for name in missed if name.startswith("VF")] == []
    assert len(missed) <= 0.1 * of_vt
