"""Pauses, snoozes and the end of monitoring over HTTP, with the station and the real database behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from alerts.listening import reconcile
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition, SubjectKind
from tests.alerts.conftest import clock, desk, logged, stream, webhook  # noqa: F401 - fixtures
from tests.alerts.desk import finding, later

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.alerts.desk import Desk, HandClock, Recorder, Stream


@pytest.fixture
def client(dsn: str, tmp_path: Path, clock: HandClock) -> Iterator[TestClient]:  # noqa: F811
    keys = tmp_path / "keys"
    app = create_app(ApiSettings(), dsn, keys, clock)
    with TestClient(app, headers={"authorization": f"Bearer {ensure_token(keys)}"}) as made:
        yield made


def _open(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/alerts", params={"open": True}).json()["alerts"]
    return found


def test_a_pause_is_planned_once_shown_and_lifted(
    client: TestClient, desk: Desk, stream: Stream, clock: HandClock, logged: Recorder  # noqa: F811
) -> None:  # fmt: skip
    way = "/api/v1/patients/ada/pauses"
    body = {"kind": "shower", "minutes": 30, "who": "patient", "role": "patient"}
    once = {"idempotency-key": "p-1"}
    made = client.post(way, json=body, headers=once)
    assert made.status_code == 201
    assert client.post(way, json=body, headers=once).json()["pause"] == made.json()["pause"]
    (shown,) = client.get(way).json()["pauses"]
    assert (shown["kind"], shown["by_whom"], shown["role"]) == ("shower", "patient", "patient")
    stream.says(finding(Condition.NO_DATA))
    desk.work()
    assert _open(client)[0]["paused_until"] == shown["until_at"]
    assert logged.got == []
    clock.forward(600)
    assert client.delete(f"{way}/{shown['pause']}").status_code == 200
    desk.work()
    assert [message.person for message in logged.got] == ["patient"]
    assert client.delete(f"{way}/{shown['pause']}").status_code == 404
    assert client.get(way).json()["pauses"] == []
    assert len(client.get(way, params={"all": True}).json()["pauses"]) == 1
    refused = client.post(way, json={**body, "minutes": 600})
    assert refused.status_code == 422
    assert "at most 60 min" in refused.json()["detail"]


def test_a_pause_of_the_only_patient_of_a_gateway_is_one_of_the_gateway(
    client: TestClient, desk: Desk, stream: Stream, dsn: str  # noqa: F811
) -> None:  # fmt: skip
    with psycopg.connect(dsn) as conn:
        conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw-1', 'e')")
        conn.execute(
            "INSERT INTO stream.lane (source, device, stream) SELECT source, 'h10', 'ecg/I' FROM stream.source"
        )
        conn.execute(
            "INSERT INTO stream.assignment (device, from_at, patient, position, ord) VALUES ('h10', now(), 'ada', 0, 0)"
        )
    client.post("/api/v1/patients/ada/pauses", json={"kind": "holiday", "minutes": 5000, "role": "patient"})
    stream.says(finding(Condition.LINK_SILENT, subject="gw-1", subject_kind=SubjectKind.CLIENT))
    desk.work()
    (alert,) = _open(client)
    assert alert["paused_until"] is not None
    with psycopg.connect(dsn) as conn:  # another person wears something of the same gateway, and has planned no pause
        conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw-2', 'e')")
        conn.execute(
            "INSERT INTO stream.lane (source, device, stream) SELECT source, device, 'ecg/I' FROM stream.source,"
            " unnest(ARRAY['h10', 'h11']) device WHERE client = 'gw-2'"
        )
        conn.execute(
            "INSERT INTO stream.assignment (device, from_at, patient, position, ord) VALUES ('h11', now(), 'bea', 0, 1)"
        )
    stream.says(finding(Condition.LINK_SILENT, subject="gw-2", subject_kind=SubjectKind.CLIENT))
    desk.work()
    assert next(one for one in _open(client) if one["subject"] == "gw-2")["paused_until"] is None


def test_a_snooze_is_shown_bounded_and_over_in_time(
    client: TestClient, desk: Desk, stream: Stream, clock: HandClock, logged: Recorder  # noqa: F811
) -> None:  # fmt: skip
    stream.says(finding(Condition.AF_POSSIBLE))
    desk.work()
    (alert,) = _open(client)
    way = f"/api/v1/alerts/{alert['alert']}/snooze"
    said = client.post(way, json={"minutes": 20, "who": "patient"}).json()
    assert said["snoozed_until"] == _open(client)[0]["snoozed_until"] == said["next_due_at"]
    assert client.post(way, json={"minutes": 1000, "who": "patient"}).status_code == 422
    clock.forward(1199)
    desk.work()
    assert len(logged.got) == 1
    clock.forward(1)
    desk.work()
    assert len(logged.got) == 2


def test_the_end_closes_all_and_a_beginning_raises_what_is_so(
    client: TestClient, desk: Desk, stream: Stream, clock: HandClock, webhook: Recorder, logged: Recorder  # noqa: F811
) -> None:  # fmt: skip
    stream.says(vf := finding(Condition.VF))
    desk.work()
    before = len(logged.got)
    assert client.post("/api/v1/patients/ada/end", json={"kind": "withdrawal", "who": "Dr Lin"}).json()["changed"]
    assert not client.post("/api/v1/patients/ada/end", json={"kind": "withdrawal"}).json()["changed"]
    desk.work()
    assert _open(client) == []
    assert [message.type for message in webhook.got] == ["alert.raised", "alert.stood_down"]
    assert len(logged.got) == before
    assert client.get("/api/v1/patients/ada/monitoring").json()["said"]["why"] == "withdrawal"
    refused = client.post("/api/v1/patients/ada/pauses", json={"kind": "shower", "minutes": 5})
    assert refused.status_code == 409
    clock.forward(60)
    stream.says(later(vf))
    stream.says(finding(Condition.AF, opened="s|9"))
    desk.work()
    assert [alert["condition"] for alert in _open(client)] == ["heard_after_end"]
    assert client.post("/api/v1/patients/ada/begin").json()["changed"]
    reconcile(desk.conn, clock.now())
    desk.work()
    assert {alert["condition"] for alert in _open(client)} == {"heard_after_end", "vf", "af"}
    assert [message.type for message in webhook.got] == ["alert.raised", "alert.stood_down", "alert.raised"]


def test_nothing_that_waits_reaches_the_bereaved(
    client: TestClient, desk: Desk, stream: Stream, dsn: str  # noqa: F811
) -> None:  # fmt: skip
    stream.says(finding(Condition.VF))
    desk.hear()  # nobody has been told yet
    client.post("/api/v1/patients/ada/end", json={"kind": "death"})
    desk.work()
    with psycopg.connect(dsn) as conn:
        waiting = conn.execute("SELECT DISTINCT role, status FROM alerts.notice WHERE role <> 'dispatch'").fetchall()
    assert {status for _, status in waiting} == {"moot"}


def test_a_patients_alerts_are_told_with_how_each_ended_page_by_page(
    client: TestClient, desk: Desk, stream: Stream, clock: HandClock  # noqa: F811
) -> None:  # fmt: skip
    for condition in (Condition.AF, Condition.VF, Condition.TACHY):
        clock.forward(60)
        stream.says(finding(condition))
        stream.says(finding(Condition.AF, subject="otto"))
        desk.work()
    vf = next(one for one in _open(client) if one["condition"] == "vf")
    told = client.post(
        f"/api/v1/alerts/{vf['alert']}/close",
        json={"who": "doctor", "outcome": "false_alarm", "note": "loose electrode"},
    )
    assert told.status_code == 200
    way = "/api/v1/patients/ada/alerts"
    first = client.get(way, params={"limit": 2}).json()
    rest = client.get(way, params={"limit": 2, "before": first["next"]}).json()
    assert (first["total"], len(first["alerts"]), [one["condition"] for one in rest["alerts"]]) == (3, 2, ["af"])
    closed = next(one for one in first["alerts"] if one["condition"] == "vf")
    assert (closed["outcome"], closed["closed_by"], closed["note"]) == ("false_alarm", "doctor", "loose electrode")
    assert closed["what"]["en"] == "ventricular fibrillation"
    assert client.get(way, params={"before": "rubbish"}).status_code == 422
