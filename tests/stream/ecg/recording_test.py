"""Recordings as chunks: which leads, which unit, what is missing, what a bad one says."""

from pathlib import Path

import numpy as np
import pytest
import wfdb

from stream.recording import MISSING, BadRecord, chunks, open_record


def write(folder: Path, names: list[str], units: list[str], signals: np.ndarray) -> Path:
    wfdb.wrsamp(
        "r", fs=250, units=units, sig_name=names, p_signal=signals, fmt=["16"] * len(names), write_dir=str(folder)
    )
    return folder / "r"


def test_millivolts_become_microvolts_and_nan_is_missing(tmp_path: Path) -> None:
    signal = np.array([[0.0], [1.234], [np.nan], [-0.5]])
    lead = open_record(write(tmp_path, ["MLII"], ["mV"], signal)).leads[0]
    assert lead.samples.tolist() == pytest.approx([0, 1234, MISSING, -500], abs=1)
    assert lead.clipped == 0


def test_beyond_the_scale_is_clipped_and_counted(tmp_path: Path) -> None:
    """Never wraps round: 40 mV must not turn into -25."""
    lead = open_record(write(tmp_path, ["II"], ["mV"], np.array([[40.0], [-40.0], [1.0]]))).leads[0]
    assert lead.samples[:2].tolist() == [32767, -32767]
    assert lead.clipped == 2


def test_only_ecg_leads_are_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    """A pulse wave read as ECG would be asystole all day."""
    path = write(tmp_path, ["PLETH", "V1", "aVF", "RESP"], ["NU", "mV", "uV", "mV"], np.ones((10, 4)))
    every = open_record(path, "all")
    assert [lead.name for lead in every.leads] == ["V1", "aVF"]
    assert [reason.split(":")[0] for reason in every.skipped] == ["PLETH", "RESP"]
    assert [lead.name for lead in open_record(path).leads] == ["V1"]
    assert [lead.name for lead in open_record(path, "avf").leads] == ["aVF"]


@pytest.mark.parametrize("name", ["I", "II", "III", "MLII", "V5", "aVR", "MCL1", "ECG", "ECG1", "V", "MCL"])
def test_names_of_ecg_leads(tmp_path: Path, name: str) -> None:
    assert open_record(write(tmp_path, [name], ["mV"], np.ones((5, 1)))).leads[0].name == name


@pytest.mark.parametrize("name", ["PLETH", "ABP", "RESP", "CVP", "EEG", "EMG", "Vent"])
def test_other_signals_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRecord, match=name):
        open_record(write(tmp_path, [name], ["mV"], np.ones((5, 1))))


def test_a_bad_record_says_which_file_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match=r"nothing\.hea does not exist: give the path"):
        open_record(tmp_path / "nothing")
    path = write(tmp_path, ["II"], ["mV"], np.ones((500, 1)))
    path.with_suffix(".dat").write_bytes(b"")
    with pytest.raises(BadRecord, match="check that its"):
        open_record(path)


def test_chunks_are_consecutive(tmp_path: Path) -> None:
    recording = open_record(write(tmp_path, ["II"], ["mV"], np.arange(1000.0)[:, None] / 1000))
    parts = list(chunks(recording, recording.leads[0], 1.5))
    assert [index for index, _ in parts] == [0, 375, 750]
    assert np.array_equal(np.concatenate([samples for _, samples in parts]), recording.leads[0].samples)
