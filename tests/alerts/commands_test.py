"""`tierwatch alert ...` as a person types it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING
from uuid import uuid4

from typer.testing import CliRunner

from alerts.commands import app
from alerts.delivery.outcome import Refused
from stream.finding import Condition
from tests.alerts.desk import finding

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.alerts.desk import Desk, Recorder, Stream


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


def test_a_secret_is_changed_in_two_steps_and_never_printed(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    file = keys / "webhook-dispatch.secrets"
    early = _type("alert", "secret", "dispatch", "--rotate", keys=keys)
    assert (early.exit_code, "no secret yet" in early.output) == (1, True)
    _type("alert", "secret", "dispatch", keys=keys)
    old = file.read_text().split()
    rotated = _type("alert", "secret", "dispatch", "--rotate", keys=keys)
    new = file.read_text().split()
    assert new[1:] == old
    assert new[0] != old[0]
    assert (file.stat().st_mode & 0o777) == 0o600
    both = _type("alert", "secret", "dispatch", "--rotate", "--retire", keys=keys)
    assert both.exit_code == 1
    retired = _type("alert", "secret", "dispatch", "--retire", keys=keys)
    assert file.read_text().split() == new[:1]
    assert "whsec_" not in rotated.output + retired.output + both.output
    assert [path.name for path in keys.iterdir()] == [file.name], "nothing is left lying about"


def test_what_was_given_up_is_listed_with_the_reason_and_sent_again(
    desk: Desk, stream: Stream, dsn: str, logged: Recorder
) -> None:
    assert "No notice was given up" in _type("alert", "dead", "--dsn", dsn).output
    logged.answers = [Refused("SMTP 550 5.1.1 at recipient")]
    stream.says(finding(Condition.BRADY))
    desk.work()
    listed = _type("alert", "dead", "--dsn", dsn).output
    assert "SMTP 550 5.1.1 at recipient" in listed
    notice = str(next(row["notice"] for row in desk.notices() if row["status"] == "refused"))
    assert notice in listed
    assert "in the queue again" in _type("alert", "again", notice, "--who", "ops", "--dsn", dsn).output
    twice = _type("alert", "again", notice, "--dsn", dsn)
    assert (twice.exit_code, "waiting" in twice.output) == (1, True)
    desk.clock.at = datetime.now(UTC)
    desk.work()
    assert next(row["status"] for row in desk.notices() if str(row["notice"]) == notice) == "delivered"
