"""Whose patients a doctor sees: by plan and by what they were told; and each kind of account keeps to its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from alerts import listening, panels, reading
from alerts.ladder import Addressee, Role
from alerts.panels import EVERYTHING, Sight
from alerts.plan import DEFAULT_TEAM, Plan
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition, SubjectKind
from tests.alerts.desk import START, HandClock, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = {"sec-fetch-site": "same-origin"}
SECRET = "correct horse battery"
LIN = frozenset({"lin"})


def agree(dsn: str, patient: str, *doctors: str) -> None:
    """A plan that names these doctors and nobody else as such."""
    team = [one for one in DEFAULT_TEAM if one.role is not Role.DOCTOR]
    team += [Addressee(person=name, channel="log", address=name, role=Role.DOCTOR) for name in doctors]
    with psycopg.connect(dsn) as conn:
        (version,) = conn.execute("SELECT count(*) + 1 FROM alerts.plan WHERE patient = %s", (patient,)).fetchone() or (
            1,
        )
        plan = Plan(patient=patient, version=version, team=tuple(team))
        conn.execute(
            "INSERT INTO alerts.plan VALUES (%s, %s, %s, 'test', %s)",
            (patient, version, Jsonb(msgspec.to_builtins(replace(plan, on_call={}))), START),
        )


def alerts_of(dsn: str, *subjects: str, condition: Condition = Condition.VF, **more: Any) -> dict[str, str]:
    stream = Stream(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        (stream.position,) = conn.execute("SELECT coalesce(max(position), 0) FROM stream.batch").fetchone() or (0,)
        stream.says(*(finding(condition, subject=subject, **more) for subject in subjects))
        listening.hear(conn, START)
        return dict(conn.execute("SELECT subject, alert::text FROM alerts.alert").fetchall())


@pytest.fixture
def client(dsn: str, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(ApiSettings(), dsn, tmp_path / "keys", HandClock())
    with TestClient(app, headers=OURS) as made:
        bearer = {"authorization": f"Bearer {ensure_token(tmp_path / 'keys')}"}
        for login, more in {
            "lin": {"kind": "doctor"},
            "sample": {"kind": "nurse"},
            "olga": {"kind": "admin"},
            "ada": {"kind": "patient", "patient": "ada"},
            "cleo": {"kind": "family", "patient": "ada"},
        }.items():
            body = {"login": login, "name": login, "password": SECRET} | more
            assert made.post("/api/v1/accounts", json=body, headers=bearer).status_code == 201
        yield made


def sign_in(client: TestClient, login: str) -> TestClient:
    client.cookies.clear()
    assert client.post("/api/v1/session", json={"login": login, "password": SECRET}).status_code == 200
    return client


def others(dsn: str, now: Any = START, patient: str | None = None) -> frozenset[str]:
    with psycopg.connect(dsn) as conn:
        return panels.others(conn, LIN, now, patient)


def test_a_patient_is_of_whom_the_plan_in_force_names(dsn: str) -> None:
    agree(dsn, "ada", "lin")
    agree(dsn, "bea", "ito")
    agree(dsn, "cal", "lin")
    agree(dsn, "cal", "ito")  # what was agreed before counts no more
    assert others(dsn) == {"bea", "cal"}
    assert [others(dsn, patient=one) for one in ("ada", "bea", "new")] == [frozenset(), {"bea"}, frozenset()]


def test_whoever_is_told_may_look_until_a_day_after_the_end(dsn: str) -> None:
    agree(dsn, "ada", "ito")
    alert = alerts_of(dsn, "ada")["ada"]
    assert others(dsn) == {"ada"}
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO alerts.notice (notice, alert, type, event, generation, cycle, rung, person, channel, address, role,"
            " tier, first_due_at, due_at) VALUES (gen_random_uuid(), %s, 'alert.raised', 'raised', 1, 0, 0, 'lin', 'log', 'lin',"
            " 'doctor', 'emergency', %s, %s)", (alert, START, START),
        )  # fmt: skip
    assert others(dsn) == frozenset()
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE alerts.alert SET state = 'closed', closed_at = %s", (START,))
    assert others(dsn, START + timedelta(hours=23)) == frozenset()
    assert others(dsn, START + timedelta(hours=25)) == {"ada"}


def test_who_stands_on_the_ladder_that_runs_may_look_before_they_are_told(dsn: str) -> None:
    agree(dsn, "ada", "lin")
    alerts_of(dsn, "ada")
    agree(dsn, "ada", "ito")  # the alert keeps the ladder of then: lin will be told
    assert others(dsn) == frozenset()


def test_lists_and_single_answers_agree(dsn: str) -> None:
    agree(dsn, "bea", "ito")
    alerts_of(dsn, "ada", "bea")
    alerts_of(dsn, "ada", "bea", condition=Condition.NO_DATA)
    alerts_of(dsn, "gw-7", condition=Condition.LINK_SILENT, subject_kind=SubjectKind.CLIENT)
    with psycopg.connect(dsn) as conn:
        persons = frozenset(row[0] for row in conn.execute("SELECT DISTINCT person FROM alerts.notice").fetchall())
        assert persons
        for sight in (
            EVERYTHING,
            Sight(is_clinical=False),
            Sight(names=LIN, others=frozenset({"bea"})),
            *(Sight(names=frozenset({one}), others=frozenset({"ada", "bea"})) for one in sorted(persons)),
            Sight(only=frozenset({"ada"})),
            Sight(only=frozenset()),
        ):
            every = reading.list_alerts(conn, limit=100)
            assert len(every) == 5
            shown = {row["alert"] for row in every if sight.shows(reading.about(conn, row["alert"]) or {})}
            assert {row["alert"] for row in reading.list_alerts(conn, limit=100, sight=sight)} == shown
            sent = {row["alert"] for row in reading.list_deliveries(conn, limit=100, sight=sight)}
            told = {row["alert"] for row in reading.list_deliveries(conn, limit=100)}
            assert sent == told & shown


def test_a_doctor_gets_no_alert_record_or_plan_of_anothers_patient(client: TestClient, dsn: str) -> None:
    agree(dsn, "bea", "ito")
    found = alerts_of(dsn, "ada", "bea")
    sign_in(client, "lin")
    assert {row["subject"] for row in client.get("/api/v1/alerts").json()["alerts"]} == {"ada"}
    assert client.get("/api/v1/alerts", params={"subject": "bea"}).json()["alerts"] == []
    assert client.get("/api/v1/deliveries", params={"alert": found["bea"]}).json()["deliveries"] == []
    for patient, status in (("ada", 200), ("bea", 403)):
        for path in (
            f"alerts/{found[patient]}", f"patients/{patient}", f"plans/{patient}", f"patients/{patient}/pauses",
            f"patients/{patient}/devices", f"patients/{patient}/monitoring", f"plans/{patient}/reachability",
        ):  # fmt: skip
            assert client.get(f"/api/v1/{path}").status_code == status, path
        assert client.post(f"/api/v1/alerts/{found[patient]}/accept").status_code == status
    for path in ("ecg", "strip.svg"):
        assert client.get(f"/api/v1/alerts/{found['bea']}/{path}").status_code == 403
        assert client.get(f"/api/v1/alerts/{found['ada']}/{path}").status_code == 404
    assert client.put("/api/v1/plans/bea", json={}).status_code == 403
    assert client.post("/api/v1/limits", json={"patient": "bea", "limits": {}}).status_code == 403
    assert client.post("/api/v1/assignments", json={"device": "h10", "patient": "bea"}).status_code == 403
    with client.websocket_connect("/api/v1/live") as socket:
        assert {row["subject"] for row in socket.receive_json()["alerts"]} == {"ada"}


def test_a_device_of_anothers_patient_is_neither_shown_nor_taken(client: TestClient, dsn: str, tmp_path: Path) -> None:
    bearer = {"authorization": f"Bearer {ensure_token(tmp_path / 'keys')}"}
    for device, patient in (("h10", "bea"), ("h11", "ada")):
        body = {"device": device, "patient": patient}
        assert client.post("/api/v1/assignments", json=body, headers=bearer).status_code == 202
    agree(dsn, "bea", "ito")
    sign_in(client, "lin")
    assert client.post("/api/v1/assignments", json={"device": "h10", "patient": None}).status_code == 403
    assert client.post("/api/v1/assignments", json={"device": "h11", "patient": None}).status_code == 202
    assert "bea" not in client.get("/api/v1/patients").text


def test_a_nurse_sees_everybody_and_an_admin_the_equipment_alone(client: TestClient, dsn: str) -> None:
    agree(dsn, "bea", "ito")
    found = alerts_of(dsn, "bea")
    technical = alerts_of(dsn, "gw-7", condition=Condition.LINK_SILENT, subject_kind=SubjectKind.CLIENT)["gw-7"]
    for login, subjects, statuses in (("sample", {"bea", "gw-7"}, (200, 200)), ("olga", {"gw-7"}, (403, 200))):
        sign_in(client, login)
        assert {row["subject"] for row in client.get("/api/v1/alerts").json()["alerts"]} == subjects
        asked = (client.get(f"/api/v1/alerts/{one}").status_code for one in (found["bea"], technical))
        assert tuple(asked) == statuses
        with client.websocket_connect("/api/v1/live") as socket:
            assert {row["subject"] for row in socket.receive_json()["alerts"]} == subjects
    assert client.get("/api/v1/patients/bea").status_code == 403
    assert client.post(f"/api/v1/alerts/{technical}/accept").status_code == 200


def test_family_gets_no_alerts(client: TestClient, dsn: str) -> None:
    alerts_of(dsn, "ada")
    sign_in(client, "cleo")
    assert client.get("/api/v1/alerts").status_code == 403
    with client.websocket_connect("/api/v1/live") as socket:
        assert socket.receive()["code"] == 4401


def test_what_was_sent_is_shown_to_whom_it_concerns(client: TestClient, dsn: str) -> None:
    agree(dsn, "bea", "ito")
    alerts_of(dsn, "bea")
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT notice FROM alerts.notice").fetchall()
    assert rows
    sign_in(client, "lin")
    for (notice,) in rows:
        assert client.get(f"/api/v1/deliveries/{notice}").status_code == 403
        assert client.post(f"/api/v1/deliveries/{notice}/again").status_code == 403
