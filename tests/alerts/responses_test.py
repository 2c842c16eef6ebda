"""What comes back from a dispatch centre: kept as said, once, and taken for what it means to the alert."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from alerts import reading, responses
from alerts.alert import Outcome
from alerts.answers import Said, Verb, answer
from alerts.ladder import LadderName, Role
from alerts.plan import DEFAULT_TEAM, Plan, PlannedLadder, Step
from alerts.responses import IdReused, Kind, NotTold, Statement
from stream.finding import Condition
from tests.alerts.desk import START, Desk, HandClock, Recorder, Stream, finding

if TYPE_CHECKING:
    from alerts.alert import Alert


@pytest.fixture
def alert(desk: Desk, stream: Stream) -> UUID:
    """An emergency of which everybody has been told."""
    stream.says(finding(Condition.VF))
    desk.work()
    found: UUID = desk.alerts()[0]["alert"]
    return found


def _says(desk: Desk, alert: UUID, kind: Kind, identity: str, **more: Any) -> tuple[Alert, bool]:
    said = Statement(endpoint=more.pop("endpoint", "dispatch"), external_id=identity, kind=kind, alert=alert, **more)
    with psycopg.connect(desk.dsn) as conn:
        return responses.take(conn, said, desk.clock.now())


def _answers(desk: Desk, alert: UUID, verb: Verb, who: str) -> None:
    with psycopg.connect(desk.dsn) as conn:
        answer(conn, alert, Said(verb=verb, by_whom=who, key=f"{who}-{verb}"), desk.clock.now())


def _history(desk: Desk, alert: UUID) -> list[dict[str, Any]]:
    return desk.rows("SELECT what, by_whom, detail FROM alerts.history WHERE alert = %s ORDER BY n", alert)


def _responses(desk: Desk, alert: UUID) -> list[dict[str, Any]]:
    found = reading.one_alert(desk.conn, alert)
    assert found is not None
    return list(found["responses"])


def test_accepted_means_that_the_dispatch_s_person_has_it(desk: Desk, alert: UUID, clock: HandClock) -> None:
    now, is_new = _says(desk, alert, Kind.ACCEPTED, "c1", by="desk 3", body={"alert_id": str(alert), "by": "desk 3"})
    assert (now.state, now.answered_by, is_new) == ("taken", "dispatch", True)
    (kept,) = _responses(desk, alert)
    assert (kept["kind"], kept["endpoint"], kept["person"], kept["external_id"]) == (
        "accepted", "dispatch", "dispatch", "c1",
    )  # fmt: skip
    assert kept["body"]["by"] == "desk 3"
    clock.forward(3600)
    desk.work()
    assert {notice["cycle"] for notice in desk.notices()} == {0}


def test_the_same_statement_again_changes_nothing(desk: Desk, alert: UUID) -> None:
    _says(desk, alert, Kind.REJECTED, "c1", reason="full")
    before = _history(desk, alert)
    now, is_new = _says(desk, alert, Kind.REJECTED, "c1", reason="full")
    assert not is_new
    assert now.state == "sounding"
    assert _history(desk, alert) == before
    assert len(_responses(desk, alert)) == 1


def test_an_id_that_stands_for_something_else_is_refused_and_nothing_is_lost_in_silence(
    desk: Desk, alert: UUID
) -> None:
    _says(desk, alert, Kind.ACCEPTED, "c1")
    with pytest.raises(IdReused, match="accepted"):
        _says(desk, alert, Kind.ARRIVED, "c1")
    assert [one["kind"] for one in _responses(desk, alert)] == ["accepted"]


def test_only_who_was_told_may_answer(desk: Desk, alert: UUID, stream: Stream) -> None:
    with pytest.raises(NotTold):
        _says(desk, alert, Kind.ACCEPTED, "c1", endpoint="elsewhere")
    stream.says(finding(Condition.AF, subject="bea"))
    desk.work()
    doctors = next(row["alert"] for row in desk.alerts() if row["condition"] == "af")
    with pytest.raises(NotTold):
        _says(desk, doctors, Kind.ACCEPTED, "c2")
    with pytest.raises(NotTold):
        _says(desk, alert, Kind.ACCEPTED, "c3", notice=UUID(int=1))
    assert {row["state"] for row in desk.alerts()} == {"sounding"}


def test_rejected_sends_the_next_rung_at_once_with_the_reason_in_the_history(
    desk: Desk, stream: Stream, dsn: str, webhook: Recorder, logged: Recorder
) -> None:
    emergency = PlannedLadder(
        steps=(Step(after_s=0, roles=(Role.DISPATCH,)), Step(after_s=50, roles=(Role.PRACTICE,))),
        repeat_s=60, acknowledgement_s=300,
    )  # fmt: skip
    with psycopg.connect(dsn) as conn:
        plan = Plan(patient="ada", ladders={LadderName.EMERGENCY: emergency}, team=DEFAULT_TEAM)
        conn.execute(
            "INSERT INTO alerts.plan (patient, version, body, by_whom, activated_at) VALUES ('ada', 1, %s, 'test', %s)",
            (Jsonb(msgspec.to_builtins(plan)), START),
        )
    stream.says(finding(Condition.VF))
    desk.work()
    alert = desk.alerts()[0]["alert"]
    assert [message.person for message in (*webhook.got, *logged.got)] == ["dispatch"]
    _says(desk, alert, Kind.REJECTED, "c1", reason="not our district")
    desk.work()
    assert [message.person for message in logged.got] == ["practice"]
    assert any("not our district" in str(row["detail"]) for row in _history(desk, alert))
    assert desk.alerts()[0]["state"] == "sounding"


def test_on_the_way_and_arrived_are_told_to_patient_and_doctor_and_not_back_to_dispatch(
    desk: Desk, alert: UUID, clock: HandClock, webhook: Recorder, logged: Recorder
) -> None:
    _says(desk, alert, Kind.ACCEPTED, "c1")
    before = len(webhook.got)
    for kind, identity in ((Kind.ON_THE_WAY, "c2"), (Kind.ARRIVED, "c3")):
        clock.forward(60)
        _says(desk, alert, kind, identity, eta=clock.now() + timedelta(minutes=8))
        desk.work()
    updates = [message for message in logged.got if message.type == "alert.updated"]
    assert sorted(message.person for message in updates) == ["doctor", "doctor", "patient", "patient"]
    assert "8 min" in updates[0].body.decode()
    assert "救援已到达" in updates[-1].body.decode()
    assert len(webhook.got) == before
    told = [row for row in _history(desk, alert) if row["what"] == "response"]
    assert [(row["by_whom"], row["detail"]["kind"]) for row in told] == [
        ("dispatch", "on_the_way"), ("dispatch", "arrived"),
    ]  # fmt: skip


def test_who_accepted_and_cannot_come_after_all_gives_it_back_and_everybody_is_told_again(
    desk: Desk, alert: UUID, clock: HandClock, webhook: Recorder, logged: Recorder
) -> None:
    _says(desk, alert, Kind.ACCEPTED, "c1")
    clock.forward(600)
    desk.work()
    before = len(webhook.got)
    now, _ = _says(desk, alert, Kind.REJECTED, "c2", reason="the ambulance broke down")
    assert (now.state, now.answered_by) == ("sounding", None)
    desk.work()
    assert len(webhook.got) == before + 1
    assert {message.person for message in logged.got[-2:]} == {"doctor", "patient"}
    assert {message.at for message in logged.got[-2:]} == {clock.now()}


def test_a_rejection_takes_nothing_from_somebody_else_who_has_it(desk: Desk, alert: UUID) -> None:
    _answers(desk, alert, Verb.ACCEPT, "Dr Lin")
    now, _ = _says(desk, alert, Kind.REJECTED, "c1", reason="full")
    assert (now.state, now.answered_by) == ("taken", "Dr Lin")


def test_on_the_way_alone_says_also_that_they_have_it(desk: Desk, alert: UUID) -> None:
    now, _ = _says(desk, alert, Kind.ON_THE_WAY, "c1")
    assert (now.state, now.answered_by) == ("taken", "dispatch")


def test_what_comes_too_late_stands_in_the_history_and_takes_nothing_from_anybody(desk: Desk, alert: UUID) -> None:
    _answers(desk, alert, Verb.ACCEPT, "Dr Lin")
    now, is_new = _says(desk, alert, Kind.ACCEPTED, "c1")
    assert (now.answered_by, is_new) == ("Dr Lin", True)
    now, _ = _says(desk, alert, Kind.ON_THE_WAY, "c2")
    assert (now.state, now.answered_by) == ("taken", "Dr Lin")
    _answers(desk, alert, Verb.CLOSE, "Dr Lin")
    now, _ = _says(desk, alert, Kind.ARRIVED, "c3")
    assert (now.state, now.outcome) == ("closed", Outcome.RESOLVED)
    assert [row["detail"]["kind"] for row in _history(desk, alert) if row["what"] == "response"] == [
        "accepted", "on_the_way", "arrived",
    ]  # fmt: skip
    assert len(_responses(desk, alert)) == 3
