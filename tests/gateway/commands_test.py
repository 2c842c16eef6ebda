"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from gateway.commands import app, ingest
from gateway.outbox import Outbox
from gateway.settings import GatewaySettings
from tests.gateway.made import draft, ecg, pressure
from tests.gateway.open_mhealth_test import ECG, GLUCOSE, changed

if TYPE_CHECKING:
    from pathlib import Path

run = CliRunner()


def test_decode_shows_the_fields() -> None:
    done = run.invoke(app, ["decode", "2a35", "1e8a00580078000000041114293b3c00012700"])
    assert done.exit_code == 0
    assert "systolic       138.0" in done.output
    assert "0000-04-17T20:41:59" in done.output


def test_decode_says_what_is_wrong_and_goes_on() -> None:
    done = run.invoke(app, ["decode", "2A37", "17:01:01", "063c"])
    assert done.exit_code == 1
    assert "malformed: too short: RR interval" in done.output
    assert "rate_bpm   60" in done.output
    assert run.invoke(app, ["decode", "FFFF", "00"]).exit_code == 2
    assert run.invoke(app, ["decode", "2A37", "xyz"]).exit_code == 2


def test_status_of_an_outbox_beside_a_running_gateway(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    box = Outbox(path, boot="b")
    box.append([draft(ecg(0)), draft(ecg(1)), draft(pressure(0))], right=True)
    waiting = run.invoke(app, ["status", "--outbox", str(path)])
    assert waiting.exit_code == 1
    assert "3 events and 0 reports wait for the server" in waiting.output
    for lane in box.ledger():
        box.settle(lane, stored=((1, 2),), safe=((1, 2),), lost=())
    sent = run.invoke(app, ["status", "--outbox", str(path)])
    assert sent.exit_code == 0
    assert "all is sent" in sent.output
    box.close()


def test_check_a_file_of_messages(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(map(json.dumps, (GLUCOSE, ECG))))
    good = run.invoke(ingest, ["check", str(file)])
    assert (good.exit_code, good.output) == (0, "2 messages, 2 good, 0 with problems\n")
    file.write_text(json.dumps(changed(GLUCOSE, "body.blood_glucose.unit", "mg/l")))
    bad = run.invoke(ingest, ["check", str(file)])
    assert bad.exit_code == 2
    assert f"{file}:1 body.blood_glucose.unit: wrong_unit: unit 'mg/l' is unknown" in bad.output
    assert run.invoke(ingest, ["check", str(tmp_path / "none")]).exit_code == 2
    assert run.invoke(ingest, ["check", "-"], input=json.dumps(GLUCOSE)).exit_code == 0


def test_settings_refuse_what_they_do_not_know() -> None:
    assert GatewaySettings().client == "gateway-1"
    with pytest.raises(ValueError, match="Extra inputs"):
        GatewaySettings.model_validate({"clinet": "x"})
    with pytest.raises(ValueError, match="client id"):
        GatewaySettings(client="a b")
    assert len(GatewaySettings.model_fields) <= 8
