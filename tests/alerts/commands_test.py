"""`tierwatch alert ...` as a person types it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING
from uuid import uuid4

from typer.testing import CliRunner

from alerts.commands import app
from stream.finding import Condition
from tests.alerts.desk import finding

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.alerts.desk import Desk, Stream


def _type(*words: str, keys: Path | None = None) -> Result:
    place = SimpleNamespace(now=lambda: datetime.now(UTC), folder=SimpleNamespace(keys=keys))
    return CliRunner().invoke(app, words, obj=lambda: place, env={"COLUMNS": "250"})


def test_list_show_and_answer(desk: Desk, stream: Stream, dsn: str) -> None:
    assert "No alert" in _type("alert", "list", "--dsn", dsn).output
    stream.says(finding(Condition.VF), finding(Condition.LEAD_OFF))
    desk.work()
    listed = _type("alert", "list", "--dsn", dsn, "--tier", "emergency").output
    assert "vf" in listed
    assert "lead_off" not in listed
    alert = str(next(row["alert"] for row in desk.alerts() if row["condition"] == "vf"))
    assert alert in listed
    shown = _type("alert", "show", alert, "--dsn", dsn).output
    assert "raised" in shown
    assert "dispatch by webhook" in shown
    assert "1: delivered" in shown
    assert "taken" in _type("alert", "answer", alert, "accept", "--who", "Dr Lin", "--dsn", dsn).output
    late = _type("alert", "answer", alert, "accept", "--who", "bea", "--dsn", dsn)
    assert late.exit_code == 1
    assert "taken by Dr Lin" in late.output
    closed = _type("alert", "answer", alert, "close", "--who", "Dr Lin", "--outcome", "resolved", "--dsn", dsn)
    assert "closed" in closed.output


def test_an_unknown_alert_is_one_line_and_exit_1(dsn: str) -> None:
    for words in (("show",), ("answer",)):
        told = _type("alert", *words, str(uuid4()), *(("accept",) if words == ("answer",) else ()), "--dsn", dsn)
        assert told.exit_code == 1
        assert "there is no alert" in told.output


def test_a_secret_is_named_by_its_file_and_never_printed(tmp_path: Path) -> None:
    told = _type("alert", "secret", "dispatch", keys=tmp_path / "keys")
    file = tmp_path / "keys" / "webhook-dispatch.secrets"
    assert told.output.strip() == str(file)
    assert "whsec_" not in told.output
    before = file.read_text()
    _type("alert", "secret", "dispatch", keys=tmp_path / "keys")
    assert file.read_text() == before
