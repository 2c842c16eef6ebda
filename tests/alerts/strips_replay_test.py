"""`tierwatch replay --strip`: the columns, one row a record, jobs change nothing, what cannot be read is named."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from alerts.replay_commands import app
from tests.stream.strips.drawn import drawn, fibrillating, sinus


def record(folder: Path, name: str, samples: np.ndarray, rate_hz: float = 300.0, lead: str = "ECG") -> str:
    wfdb.wrsamp(
        name, fs=rate_hz, units=["mV"], sig_name=[lead], p_signal=samples[:, None] / 1000.0, fmt=["16"],
        write_dir=str(folder), adc_gain=[1000.0], baseline=[0],
    )  # fmt: skip
    return str(folder / name)


@pytest.fixture(scope="module")
def strips(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("strips")
    return {
        "N": record(folder, "S2", drawn(sinus())),
        "A": record(folder, "S1", drawn(fibrillating(), has_p=False)),
        "~": record(folder, "S3", np.zeros(9000, np.int16)),
        "short": record(folder, "S4", np.zeros(900, np.int16)),
    }


def rows(folder: Path) -> list[list[str]]:
    with (folder / "strips.csv").open(newline="") as handle:
        return list(csv.reader(handle))


def run(out: Path, *arguments: str):
    return CliRunner().invoke(app, ["--strip", *arguments, "--out", str(out)])


def test_a_row_a_record_in_their_order(strips, tmp_path):
    result = run(tmp_path, strips["N"], strips["A"], strips["~"] + ".hea")
    assert result.exit_code == 0, result.output
    head, *table = rows(tmp_path)
    assert head == ["record", "class", "confidence"]
    assert [row[:2] for row in table] == [["S2", "N"], ["S1", "A"], ["S3", "~"]]
    assert all(0.25 < float(row[2]) <= 1 for row in table)


def test_jobs_change_no_byte(strips, tmp_path):
    names = [strips["N"], strips["A"], strips["~"]]
    assert run(tmp_path / "one", *names).exit_code == 0
    assert run(tmp_path / "two", *names, "--jobs", "2").exit_code == 0
    assert (tmp_path / "two" / "strips.csv").read_bytes() == (tmp_path / "one" / "strips.csv").read_bytes()


def test_what_is_no_strip_is_named_and_the_rest_goes_on(strips, tmp_path):
    result = run(tmp_path, str(tmp_path / "nothing"), strips["short"], strips["A"])
    assert result.exit_code == 1
    assert "nothing.hea does not exist" in result.output.replace("\n", "")
    assert "S4: 3.0 s long" in result.output
    assert [row[0] for row in rows(tmp_path)[1:]] == ["S1"]


def test_two_records_of_one_name_are_refused(strips, tmp_path):
    result = run(tmp_path, strips["A"], strips["A"])
    assert result.exit_code == 2
    assert not (tmp_path / "strips.csv").exists()
