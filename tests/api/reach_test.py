"""Channels tried, schedules and plans over HTTP, with a real receiver on loopback: the steps of an operator at a first start."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from alerts.delivery.signing import ensure_secret
from alerts.settings import AlertsSettings
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from tests.alerts.desk import HandClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLES = ("dispatch", "doctor", "practice", "patient")
TEAM = [{"person": name, "channel": "webhook", "address": name, "role": name} for name in ROLES]
TEAM += [{"person": "operator", "channel": "log", "address": "operator", "role": "operator"}]
ALWAYS = {"start": "00:00", "end": "00:00", "to": [{"person": "lin", "channel": "webhook", "address": "doctor"}]}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Receiver:
    """A gateway of SMS, a dispatch centre: whoever is at the other end."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def client(dsn: str, tmp_path: Path, receiver: Receiver) -> Iterator[TestClient]:
    yield from _client(dsn, tmp_path, dict.fromkeys(ROLES, receiver.url))


def _client(dsn: str, tmp_path: Path, endpoints: dict[str, str]) -> Iterator[TestClient]:
    keys = tmp_path / "keys"
    for name in endpoints:
        ensure_secret(keys, name)
    alerts = AlertsSettings(endpoints=endpoints, allowed_private_hosts=("127.0.0.1",))
    app = create_app(ApiSettings(), dsn, keys, HandClock(), alerts)
    with TestClient(app, headers={"authorization": f"Bearer {ensure_token(keys)}"}) as made:
        yield made
    app.state.house.channels["webhook"].close()


def try_all(client: TestClient) -> None:
    for name in ROLES:
        assert client.post(f"/api/v1/channels/webhook/{name}/test").json()["delivered"]


def test_a_plan_is_in_force_after_its_ways_were_tried_and_not_before(client: TestClient, receiver: Receiver) -> None:
    refused = client.put("/api/v1/plans/ada", json={"team": TEAM})
    assert (refused.status_code, client.get("/api/v1/plans/ada").json()["version"]) == (422, 0)
    said = refused.json()["problems"]
    assert [one.partition(":")[0] for one in said] == ["tip", "night_low", "doctor", "past_emergency", "emergency"]
    try_all(client)
    assert {one["type"] for one in receiver.got} == {"alert.test"}
    made = client.put("/api/v1/plans/ada", json={"team": TEAM})
    assert (made.status_code, made.json()["version"], made.json()["warnings"]) == (200, 1, [])
    assert client.get("/api/v1/plans/ada/reachability").json()["problems"] == []


def test_a_trial_that_is_refused_proves_nothing_and_is_shown(client: TestClient, receiver: Receiver) -> None:
    receiver.status = 410
    told = client.post("/api/v1/channels/webhook/dispatch/test").json()
    assert (told["delivered"], told["detail"]) == (False, "HTTP 410")
    (shown,) = client.get("/api/v1/channels").json()["trials"]
    assert (shown["outcome"], shown["counts"]) == ("refused", False)
    assert not client.post("/api/v1/channels/fax/dispatch/test").json()["delivered"]


def test_an_endpoint_that_leads_elsewhere_today_was_never_tried(
    client: TestClient, dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    try_all(client)
    moved = dict.fromkeys(ROLES, receiver.url) | {"dispatch": receiver.url + "-of-another-town"}
    for other in _client(dsn, tmp_path, moved):
        (lost,) = [one for one in other.get("/api/v1/channels").json()["trials"] if not one["counts"]]
        assert lost["address"] == "dispatch"
        warned = other.put("/api/v1/plans/ada", json={"team": TEAM}).json()["warnings"]
        assert warned == ["dispatch: webhook 'dispatch' was never tried"]


def test_a_schedule_is_put_read_and_asked_and_refused_with_the_hours_of_the_week(client: TestClient) -> None:
    try_all(client)
    team = [one for one in TEAM if one["role"] != "doctor"]
    whole = {"zone": "Europe/Berlin", "week": [{"days": DAYS, "shift": ALWAYS}]}
    assert client.get("/api/v1/schedules/doctor").status_code == 404
    made = client.put("/api/v1/schedules/doctor", json=whole)
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    assert client.put("/api/v1/plans/ada", json={"team": team}).status_code == 200
    day = {"days": ["sat"], "shift": ALWAYS | {"end": "18:00"}}
    short = whole | {"week": [{"days": [one for one in DAYS if one != "sat"], "shift": ALWAYS}, day]}
    refused = client.put("/api/v1/schedules/doctor", json=short)
    assert refused.status_code == 422
    assert "plan of ada: doctor: nobody on Saturdays 18:00-24:00 Europe/Berlin" in refused.json()["problems"]
    assert client.put("/api/v1/schedules/doctor", json=whole, headers={"if-match": '"0"'}).status_code == 412
    assert client.put("/api/v1/schedules/doctor", json=whole | {"zone": "Berlin"}).status_code == 422
    kept = client.get("/api/v1/schedules/doctor").json()
    assert (kept["version"], kept["week"][0]["shift"]["start"]) == (1, "00:00:00")
    (on_call,) = client.get("/api/v1/schedules/doctor/on-call").json()["on_call"]
    assert on_call["person"] == "lin"
