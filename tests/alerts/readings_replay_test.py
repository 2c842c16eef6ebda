"""`tierwatch replay --readings`: the columns, rows in any order, bad rows by line, lines as promised, through Ward and policy."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.replay_commands import app

LOW = [110, 110, 65, 60, 50, 45, 44, 43, 60, 110, 110, 110]
GLUCOSE = [f"2026-11-24 {8 + n // 12:02d}:{n % 12 * 5:02d}:00,{value}" for n, value in enumerate(LOW)]
PRESSURE = [
    "2026-11-24 08:00:00,131,82,70",
    "2026-11-24 18:00:00,186,104,",
    "2026-11-24 18:06:00,187,103,72",
    "2026-11-25 08:00:00,128,80,70",
]


def table(path: Path, head: str, rows: list[str]) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def run(out: Path, kind: str, *files: Path):
    return CliRunner().invoke(app, ["--readings", *map(str, files), "--kind", kind, "--out", str(out)])


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_glucose_becomes_findings_alerts_and_metrics(tmp_path):
    result = run(tmp_path / "out", "glucose", table(tmp_path / "ada.csv", "timestamp,glucose_mg_dl", GLUCOSE))
    assert result.exit_code == 0, result.output
    told = lines(tmp_path / "out" / "ada.jsonl")
    found = {x["condition"]: x for x in told if x["type"] == "finding"}
    assert found["glucose_very_low"].items() >= {
        "onset_s": 1200.0, "detected_s": 1800.0, "end_s": 2400.0, "kind": "PHYSIOLOGICAL", "confidence": 1.0,
    }.items()  # fmt: skip
    assert found["glucose_low"]["onset_s"] == 600.0
    tiers = {x["condition"]: x["tier"] for x in told if x["type"] == "alert"}
    assert tiers["glucose_low"] == "TIP"
    assert tiers["glucose_very_low"] == "DOCTOR"
    assert tiers["glucose_critical_low"] == "EMERGENCY"
    assert "glucose_fall" not in tiers  # every meal would raise one
    (metrics,) = [x for x in told if x["type"] == "metrics"]
    assert metrics["tbr70_pct"] == pytest.approx(100 * 7 / 12, abs=1e-3)
    assert metrics["tbr54_pct"] == pytest.approx(100 * 4 / 12, abs=1e-3)
    assert metrics["mean_mg_dl"] == pytest.approx(sum(LOW) / 12, abs=1e-3)
    assert metrics["gmi_pct"] == pytest.approx(3.31 + 0.02392 * sum(LOW) / 12, abs=1e-3)
    assert set(metrics) >= {"tir_pct", "tar180_pct", "tar250_pct", "cv_pct"}
    days = [x for x in told if x["type"] == "day_metrics"]
    assert sum(day["readings"] for day in days) == metrics["readings"]
    spans = [(x["onset_s"], x["condition"]) for x in told if x["type"] in ("finding", "alert")]
    assert spans == sorted(spans)


def test_pressure_becomes_a_repeated_crisis(tmp_path):
    head = "timestamp,systolic,diastolic,pulse"
    result = run(tmp_path, "pressure", table(tmp_path / "bob.csv", head, PRESSURE))
    assert result.exit_code == 0, result.output
    found = [x for x in lines(tmp_path / "bob.jsonl") if x["type"] == "finding"]
    crisis = [x for x in found if x["condition"] == "bp_crisis"]
    assert [(x["onset_s"], x["detected_s"], x["end_s"]) for x in crisis] == [(36_000.0, 36_360.0, 86_400.0)]
    (day,) = [x for x in lines(tmp_path / "bob.jsonl") if x["type"] == "metrics" and x["day"] == PRESSURE[0][:10]]
    first = [row.split(",") for row in PRESSURE if row.startswith(PRESSURE[0][:10])]
    assert day["mean_systolic"] == pytest.approx(sum(int(row[1]) for row in first) / len(first))
    without = table(
        tmp_path / "no_pulse.csv", "timestamp,systolic,diastolic", [row.rsplit(",", 1)[0] for row in PRESSURE]
    )
    assert run(tmp_path, "pressure", without).exit_code == 0
    again = [x for x in lines(tmp_path / "no_pulse.jsonl") if x["type"] == "finding"]
    assert [x["condition"] for x in again] == [x["condition"] for x in found]


@pytest.mark.parametrize(
    ("kind", "head", "rows"),
    [("glucose", "timestamp,glucose_mg_dl", GLUCOSE), ("pressure", "timestamp,systolic,diastolic,pulse", PRESSURE)],
)
def test_rows_in_any_order_give_the_same_bytes(tmp_path, kind, head, rows):
    run(tmp_path / "a", kind, table(tmp_path / "x.csv", head, rows))
    for seed in range(3):
        mixed = random.Random(seed).sample(rows, len(rows))
        run(tmp_path / "b", kind, table(tmp_path / "x.csv", head, [*mixed, ""]))
        assert (tmp_path / "b" / "x.jsonl").read_bytes() == (tmp_path / "a" / "x.jsonl").read_bytes()


@pytest.mark.parametrize(
    "row", ["yesterday,100", "2026-11-24 12:00:00,", "2026-11-24 12:00:00,nan", "2026-11-24 12:00:00,-5", "2026-11-24"]
)
def test_a_bad_row_is_named_with_its_line_and_the_rest_goes_on(tmp_path, row):
    good = table(tmp_path / "good.csv", "timestamp,glucose_mg_dl", GLUCOSE)
    bad = table(tmp_path / "bad.csv", "timestamp,glucose_mg_dl", [*GLUCOSE[:3], row, *GLUCOSE[3:]])
    result = run(tmp_path, "glucose", bad, good)
    assert result.exit_code == 1
    assert "bad.csv: line 5:" in result.output
    read = [[x for x in lines(tmp_path / f"{name}.jsonl") if x["type"] == "finding"] for name in ("good", "bad")]
    assert [x["onset_s"] for x in read[0]] == [x["onset_s"] for x in read[1]]


def test_a_file_that_is_no_such_table_is_named_and_the_others_go_on(tmp_path):
    good = table(tmp_path / "good.csv", "timestamp,glucose_mg_dl", GLUCOSE)
    wrong = table(tmp_path / "wrong.csv", "time,value", ["1,2"])
    result = run(tmp_path, "glucose", wrong, tmp_path / "nothing.csv", good)
    assert result.exit_code == 1
    assert "no column timestamp, glucose_mg_dl" in result.output
    assert "nothing.csv" in result.output
    assert (tmp_path / "good.jsonl").is_file()


def test_what_is_asked_must_be_clear(tmp_path):
    file = table(tmp_path / "ada.csv", "timestamp,glucose_mg_dl", GLUCOSE)
    assert CliRunner().invoke(app, ["--readings", str(file)]).exit_code == 2
    (tmp_path / "b").mkdir()
    other = table(tmp_path / "b" / "ada.csv", "timestamp,glucose_mg_dl", GLUCOSE)
    assert run(tmp_path, "glucose", file, other).exit_code == 2


def test_an_empty_table_is_a_result(tmp_path):
    assert run(tmp_path, "glucose", table(tmp_path / "none.csv", "timestamp,glucose_mg_dl", [])).exit_code == 0
    assert lines(tmp_path / "none.jsonl") == []
