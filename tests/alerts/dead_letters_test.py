"""What was given up is said, listed, and can be sent again; and a person who is not reached keeps nobody waiting."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from alerts import dead_letters, listeners
from alerts.dead_letters import CannotSendAgain, NoSuchNotice
from alerts.delivery.console import Console
from alerts.delivery.outcome import Refused, Retry
from alerts.delivery.schedule import OTHER_S
from alerts.ladder import Addressee, LadderName, Role
from alerts.plan import DEFAULT_TEAM, Plan, PlannedLadder, Step
from stream.finding import Condition
from tests.alerts.desk import START, Desk, HandClock, Recorder, Stream, finding

if TYPE_CHECKING:
    from pathlib import Path


def _plan(dsn: str, plan: Plan) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO alerts.plan (patient, version, body, by_whom, activated_at) VALUES ('ada', 1, %s, 'test', %s)",
            (Jsonb(msgspec.to_builtins(plan)), START),
        )


def _open(desk: Desk, condition: str) -> list[dict[str, Any]]:
    return [row for row in desk.alerts() if row["condition"] == condition and row["state"] != "closed"]


def _given_up(desk: Desk) -> list[dict[str, Any]]:
    return [row for row in desk.notices() if row["status"] in dead_letters.GIVEN_UP]


@pytest.fixture
def doctor_by_webhook(dsn: str) -> None:
    """Ada's doctor is reached by a webhook, and by nothing else."""
    doctor = Addressee(person="doctor", channel="webhook", address="surgery", role=Role.DOCTOR)
    _plan(dsn, Plan(patient="ada", team=(doctor, *(one for one in DEFAULT_TEAM if one.role is not Role.DOCTOR))))


@pytest.mark.usefixtures("doctor_by_webhook")
def test_after_a_day_a_notice_is_given_up_said_and_sent_again_under_its_id(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    webhook.answers = [Retry("HTTP 503")] * 1000
    stream.says(finding(Condition.BRADY))
    desk.work()
    for before, after in pairwise(OTHER_S):
        clock.forward(after - before)
        desk.work()
    first = _given_up(desk)[0]
    assert (first["status"], first["attempts"]) == ("dead", len(OTHER_S))
    (said,) = _open(desk, "dead_letter")
    assert (said["subject"], said["tier"], said["kind"]) == ("webhook:surgery", "tip", "technical")
    webhook.answers = []
    clock.forward(60)
    desk.work()
    assert first["notice"] in {row["notice"] for row in _given_up(desk)}, "nothing comes of itself"
    with psycopg.connect(desk.dsn) as conn:
        dead_letters.send_again(conn, first["notice"], "operator", clock.now())
    desk.work()
    again = next(row for row in desk.notices() if row["notice"] == first["notice"])
    assert (again["status"], again["attempts"]) == ("delivered", len(OTHER_S) + 1)
    assert webhook.got[-1].notice == first["notice"]
    (history,) = desk.rows("SELECT by_whom FROM alerts.history WHERE what = 'sent_again'")
    assert history["by_whom"] == "operator"


@pytest.mark.usefixtures("doctor_by_webhook")
def test_what_is_sent_again_has_its_whole_schedule_before_it(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder
) -> None:
    webhook.answers = [Refused("HTTP 410"), Retry("HTTP 503"), Retry("HTTP 503")]
    stream.says(finding(Condition.BRADY))
    desk.work()
    (given_up,) = _given_up(desk)
    assert given_up["status"] == "refused"
    (said,) = _open(desk, "dead_letter")
    assert said["state"] == "sounding"
    with psycopg.connect(desk.dsn) as conn:
        dead_letters.send_again(conn, given_up["notice"], "operator", clock.now())
    for _ in range(3):
        desk.work()
        clock.forward(5)
    assert _given_up(desk) == []
    clock.forward(30)
    desk.work()
    assert [message.notice for message in webhook.got] == [given_up["notice"]] * 4
    (said,) = _open(desk, "dead_letter")
    assert said["state"] == "latched", "it got through in the end; that it did not at first is to be seen"


@pytest.mark.usefixtures("doctor_by_webhook")
def test_a_day_later_it_may_fail_again(desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder) -> None:
    webhook.answers = [Retry("HTTP 503")] * 1000
    stream.says(finding(Condition.BRADY))
    desk.work()
    for _ in range(2):
        for before, after in pairwise(OTHER_S):
            clock.forward(after - before)
            desk.work()
        given_up = next(row for row in desk.notices() if (row["person"], row["rung"], row["cycle"]) == ("doctor", 0, 0))
        assert given_up["status"] == "dead"
        with psycopg.connect(desk.dsn) as conn:
            dead_letters.send_again(conn, given_up["notice"], "operator", clock.now())
        desk.work()
    again = next(row for row in desk.notices() if row["notice"] == given_up["notice"])
    assert (again["status"], again["attempts"]) == ("waiting", 2 * len(OTHER_S) + 1)


@pytest.mark.usefixtures("doctor_by_webhook")
def test_only_what_was_given_up_can_be_sent_again_and_only_while_somebody_needs_it(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder, dsn: str
) -> None:
    webhook.answers = [Refused("HTTP 410")]
    stream.says(finding(Condition.BRADY))
    desk.work()
    (given_up,) = _given_up(desk)
    with psycopg.connect(dsn) as conn:
        with pytest.raises(NoSuchNotice):
            dead_letters.send_again(conn, uuid4(), "operator", clock.now())
        other = next(row["notice"] for row in desk.notices() if row["status"] == "delivered")
        with pytest.raises(CannotSendAgain, match="delivered"):
            dead_letters.send_again(conn, other, "operator", clock.now())
        conn.execute("UPDATE alerts.alert SET state = 'closed', next_due_at = NULL WHERE condition = 'brady'")
        with pytest.raises(CannotSendAgain, match="closed"):
            dead_letters.send_again(conn, given_up["notice"], "operator", clock.now())


def test_an_operator_who_cannot_be_reached_makes_no_avalanche(
    desk: Desk, stream: Stream, clock: HandClock, logged: Recorder
) -> None:
    logged.answers = [Refused("no")] * 1000
    stream.says(finding(Condition.BRADY))
    for _ in range(10):
        desk.work()
        clock.forward(3600)
    conditions = sorted(row["condition"] for row in desk.alerts())
    assert set(conditions) == {"brady", "dead_letter", "delivery_failing"}
    assert len(conditions) <= 1 + 2 * len({row["address"] for row in desk.notices()})


# --- Beside an address that does not answer ---------------------------------------------------------------------------


def _emergency_of_two_rungs(dsn: str) -> None:
    ladder = PlannedLadder(
        steps=(Step(after_s=0, roles=(Role.DISPATCH,)), Step(after_s=50, roles=(Role.PRACTICE,))),
        repeat_s=60, acknowledgement_s=300,
    )  # fmt: skip
    _plan(dsn, Plan(patient="ada", ladders={LadderName.EMERGENCY: ladder}, team=DEFAULT_TEAM))


def test_from_15_s_on_the_next_rung_runs_beside_an_emergency_that_does_not_get_through(
    desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder, logged: Recorder, dsn: str
) -> None:
    _emergency_of_two_rungs(dsn)
    webhook.answers = [Retry("ConnectError")] * 1000
    stream.says(finding(Condition.VF))
    for _ in range(14):
        desk.work()
        clock.forward(1)
    desk.work()
    assert [message.person for message in logged.got if message.person == "practice"] == []
    clock.forward(1)
    desk.work()
    practice = [message for message in logged.got if message.person == "practice"]
    assert [(message.at - START).total_seconds() for message in practice] == [15]
    tried = len(webhook.got)
    clock.forward(15)
    desk.work()
    assert len(webhook.got) == tried + 1, "and the retry goes on beside it"


def test_an_emergency_that_is_refused_goes_to_the_next_rung_at_once(
    desk: Desk, stream: Stream, webhook: Recorder, logged: Recorder, dsn: str
) -> None:
    _emergency_of_two_rungs(dsn)
    webhook.answers = [Refused("HTTP 410")]
    stream.says(finding(Condition.VF))
    desk.work()
    assert "practice" in [message.person for message in logged.got]


# --- The console ------------------------------------------------------------------------------------------------------


@pytest.fixture
def console_desk(dsn: str, clock: HandClock, tmp_path: Path, webhook: Recorder, logged: Recorder) -> Any:
    """Ada's doctor sits at a console, or does not."""
    from functools import partial

    from alerts.record import no_record

    doctor = Addressee(person="doctor", channel="console", address="lin", role=Role.DOCTOR)
    _plan(dsn, Plan(patient="ada", team=(doctor, *(one for one in DEFAULT_TEAM if one.role is not Role.DOCTOR))))
    channels = {"webhook": webhook, "log": logged, "console": Console(partial(listeners.is_listening, dsn))}
    made = Desk(dsn, clock, tmp_path / "keys", channels, no_record)
    yield made
    made.close()


def test_nobody_at_the_console_is_said_and_the_next_rung_does_not_wait(
    console_desk: Desk, stream: Stream, clock: HandClock, logged: Recorder
) -> None:
    stream.says(finding(Condition.BRADY))
    for _ in range(119):
        console_desk.work()
        clock.forward(1)
    assert _open(console_desk, "console_not_listening") == []
    for _ in range(2):
        clock.forward(1)
        console_desk.work()
    (said,) = _open(console_desk, "console_not_listening")
    assert (said["subject"], said["tier"], said["kind"]) == ("console:lin", "doctor", "technical")
    brady = _open(console_desk, "brady")[0]["alert"]
    told = [row["person"] for row in console_desk.notices() if row["alert"] == brady]
    assert told == ["doctor", "practice"], "again to the doctor in 15 minutes would have told nobody else"
    assert {"doctor", "operator"} < {message.person for message in logged.got}, "the default doctor and the operator"


def test_who_signs_in_has_it_at_once_and_the_technical_alert_is_over(
    console_desk: Desk, stream: Stream, clock: HandClock, dsn: str
) -> None:
    stream.says(finding(Condition.BRADY))
    for _ in range(130):
        console_desk.work()
        clock.forward(1)
    with psycopg.connect(dsn) as conn:
        listeners.refresh(conn, "lin", "tab-1", clock.now())
    console_desk.work()
    assert {row["status"] for row in console_desk.notices() if row["channel"] == "console"} == {"delivered"}
    assert _open(console_desk, "console_not_listening") == []


def test_an_emergency_waits_15_s_for_a_console_and_no_longer(
    console_desk: Desk, stream: Stream, clock: HandClock
) -> None:
    stream.says(finding(Condition.VF))
    for _ in range(16):
        console_desk.work()
        clock.forward(1)
    assert len(_open(console_desk, "console_not_listening")) == 1
