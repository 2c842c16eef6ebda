"""Replay: the same bytes for every way of cutting and sharing the work; bad records are named; figures that must hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from alerts.replay import EXTENSION, replay_record
from alerts.replay_commands import app


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("lead", [None, "all"])
def test_chunk_and_jobs_change_no_byte(records, tmp_path, lead):
    # 116 holds a silence that is said, made worse and over within ten seconds: in one chunk, or in many.
    names = [str(records / "cudb" / "cu01"), str(records / "mitdb" / "116")]
    for chunk in (0.1, 1.0, 10.0):
        for name in names:
            replay_record(name, lead, chunk, str(tmp_path / f"{chunk}"))
    leads = ["--lead", lead] if lead else []
    result = CliRunner().invoke(app, [*names, "--out", str(tmp_path / "jobs"), "--jobs", "2", *leads])
    assert result.exit_code == 0, result.output
    expected = bytes_of(tmp_path / "1.0")
    assert expected
    for other in ("0.1", "10.0", "jobs"):
        assert bytes_of(tmp_path / other) == expected


def test_what_is_written_reads_back_as_wfdb_and_as_sorted_lines(records, tmp_path):
    replay_record(str(records / "cudb" / "cu01"), None, 1.0, str(tmp_path))
    notes = wfdb.rdann(str(tmp_path / "cu01"), EXTENSION)
    assert notes.fs == 250
    assert (np.diff(notes.sample) >= 0).all()
    assert {"N", "+"} <= set(notes.symbol)
    assert any(aux.startswith("(VF") for aux in notes.aux_note)
    *lines, burden = [json.loads(line) for line in (tmp_path / "cu01.jsonl").read_text().splitlines()]
    assert (burden["type"], burden["hour"]) == ("burden", 0)
    assert [(x["onset_s"], x["condition"]) for x in lines] == sorted((x["onset_s"], x["condition"]) for x in lines)
    emergency = [x for x in lines if x["type"] == "alert" and x["tier"] == "EMERGENCY"]
    (vf,) = [x for x in lines if x["type"] == "finding" and x["condition"] == "vf"]
    assert emergency[0]["raised_s"] >= vf["detected_s"] >= vf["onset_s"]


def test_one_bad_record_is_named_and_the_rest_goes_on(records, tmp_path):
    result = CliRunner().invoke(
        app, [str(records / "cudb" / "cu01"), str(records / "cudb" / "nothing"), "--out", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert "nothing" in result.output
    assert (tmp_path / "cu01.jsonl").is_file()


def test_every_first_vf_is_found_and_sinus_hours_hold_no_emergency(records, tmp_path):
    delays = []
    for path in sorted((records / "cudb").glob("*.hea")):
        reference = wfdb.rdann(str(path.with_suffix("")), "atr")
        opens = [s / 250 for s, symbol in zip(reference.sample, reference.symbol, strict=True) if symbol == "["]
        replay_record(str(path), None, 1.0, str(tmp_path / "cudb"))
        lines = [json.loads(x) for x in (tmp_path / "cudb" / f"{path.stem}.jsonl").read_text().splitlines()]
        vf = [x for x in lines if x["type"] == "finding" and x["condition"] == "vf"]
        # A finding that is open at the onset counts from there.
        hits = [x["detected_s"] for x in vf if x["detected_s"] <= opens[0] + 60 and (x["end_s"] or 1e9) >= opens[0]]
        assert hits, f"{path.stem}: the first episode at {opens[0]:.0f} s was missed"
        delays.append(max(0.0, min(hits) - opens[0]))
    assert np.median(delays) <= 7
    for path in sorted((records / "nsrdb").glob("*.hea")):
        assert replay_record(str(path), None, 10.0, None).emergencies == 0, path.stem
