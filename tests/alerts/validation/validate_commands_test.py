"""The command over small folders of real recordings: what it prints, what it recognises, what it does about a bad one."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from alerts.validation.collection import Collection, NothingToScore, recognised, sources
from alerts.validation.examine import Task, examine
from alerts.validation.figures import figures_of
from alerts.validation.validate_commands import app


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})


def copied(records, to, *names):
    """A folder of a few recordings."""
    to.mkdir(parents=True)
    for name in names:
        for path in (records / name).parent.glob(f"{(records / name).name}.*"):
            shutil.copy(path, to)
    return to


@pytest.mark.parametrize(
    ("folder", "names", "expected"),
    [
        ("mitdb", ["100"], Collection.MITDB),
        ("ltafdb_wave", ["01"], Collection.LTAFDB),
        ("here", ["101", "234"], Collection.MITDB),
        ("here", ["cu01", "cu35"], Collection.CUDB),
        ("here", ["418", "611"], Collection.VFDB),
        ("here", ["16265", "19830"], Collection.NSRDB),
        ("here", ["data_0_1"], Collection.CPSC2021),
        ("here", ["A00001"], Collection.CHALLENGE2017),
        ("here", ["bw", "ma"], Collection.NSTDB),
        ("here", ["101", "holter7"], Collection.OTHER),
        ("here", [], Collection.OTHER),
    ],
)
def test_a_folder_is_known_by_its_name_or_by_its_records(tmp_path, folder, names, expected):
    assert recognised(tmp_path / folder, names) is expected


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(NothingToScore, match="no WFDB recording"):
        sources([tmp_path])
    result = run(tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "is no folder" in result.output


def test_what_is_printed_stands_beside_its_target(records, tmp_path):
    data = copied(records, tmp_path / "data" / "mitdb", "mitdb/101", "mitdb/106")
    copied(records, tmp_path / "data" / "cudb", "cudb/cu01")
    result = run(data.parent, "--records", "--no-peers", "--jobs", "2", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    for word in ("QRS DER", "≤ 0.2", "V Se", "VF found", "false emergencies", "mitdb/106", "cudb/cu01"):
        assert word in result.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'class="trace"' in page  # at least one error of the two deserves its strip
    told = json.loads((tmp_path / "out" / "validate.json").read_text())
    assert {one["recording"] for one in told["recordings"]} == {"101", "106", "cu01"}
    assert "3 recordings" in result.output


def test_one_bad_recording_is_named_and_the_rest_goes_on(records, tmp_path):
    data = copied(records, tmp_path / "cudb", "cudb/cu01")
    (data / "cu99.hea").write_text("cu99 1 250 1000\ncu99.dat 212 400 12 0 0 0 0 ECG\n")
    result = run(data, "--no-peers")
    assert result.exit_code == 1
    assert "cudb/cu99" in result.output
    assert "VF found" in result.output


def test_any_folder_with_annotations_is_scored(tmp_path, records):
    data = copied(records, tmp_path / "clinic", "mitdb/101")
    (data / "101.atr").unlink()
    found = wfdb.rdann(str(records / "mitdb" / "101"), "atr")
    wfdb.wrann("101", "atr", found.sample, symbol=found.symbol, fs=360, write_dir=str(data))
    shutil.copy(data / "101.hea", data / "x101.hea")  # a name of no collection's
    shutil.copy(data / "101.atr", data / "x101.atr")
    text = (data / "x101.hea").read_text().replace("101 2 360", "x101 2 360", 1)
    (data / "x101.hea").write_text(text)
    (source,) = sources([data])
    assert source.collection is Collection.OTHER
    one = examine(Task(source=source.name, collection=source.collection, path=source.records[1]))
    assert one.counts["qrs"]["tp"] > 1500
    assert not one.error


def test_no_figure_depends_on_the_order_or_number_of_processes(records):
    tasks = [
        Task(source="mitdb", collection=Collection.MITDB, path=records / "mitdb" / name) for name in ("101", "106")
    ]
    one = [examine(task) for task in tasks]
    assert figures_of(one) == figures_of([examine(task) for task in tasks])
    der = next(f for f in figures_of(one) if f.name == "QRS DER")
    counts = [e.counts["qrs"] for e in one]
    errors = sum(c["fn"] + c["fp"] for c in counts)
    assert der.value == pytest.approx(100 * errors / sum(c["tp"] + c["fn"] for c in counts))
    assert np.isfinite([der.low, der.high]).all()
