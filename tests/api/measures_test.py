"""The measures of an alert over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from alerts.clock import WallClock
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition
from tests.api.served import PASSWORD, beats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.served import Site


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(create_app(ApiSettings(), site.dsn, site.keys, WallClock())) as made:
        yield made


def asked(client: TestClient, site: Site, alert: str) -> Any:
    token = ensure_token(site.keys)
    return client.get(f"/api/v1/alerts/{alert}/measures", headers={"authorization": f"Bearer {token}"})


def stored(site: Site, alert: str, **measures: Any) -> None:
    with psycopg.connect(site.dsn) as conn:
        conn.execute("INSERT INTO alerts.measurement VALUES (%s, '1', 1, true, now(), %s)", (alert, Jsonb(measures)))


def test_they_are_pending_until_they_are_measured(client: TestClient, site: Site) -> None:
    alert = site.alert("ada", Condition.AF)
    assert asked(client, site, alert).status_code == 404  # there is no ECG
    site.ecg("ada", datetime.now(UTC) - timedelta(seconds=40), beats(40, 130.0), 130.0)
    assert asked(client, site, alert).json() == {"pending": True}
    stored(site, alert, rr_ms={"value": 800.0}, cannot={"pr": "af"}, beats=[{"at_s": 0.5, "class": "N"}])
    found = asked(client, site, alert).json()
    assert found.pop("measured_at")
    assert found == {
        "version": "1", "rr_ms": {"value": 800.0}, "cannot": {"pr": "af"}, "beats": [{"at_s": 0.5, "class": "N"}],
    }  # fmt: skip


def test_without_alert_or_ecg_there_are_none(client: TestClient, site: Site) -> None:
    assert asked(client, site, str(uuid4())).status_code == 404
    alert = site.alert("ada", Condition.AF)
    stored(site, alert, rr_ms=None, cannot={"rr": "no_ecg"}, beats=[])
    assert asked(client, site, alert).status_code == 404


def test_a_patient_is_shown_none(client: TestClient, site: Site) -> None:
    alert = site.alert("ada", Condition.AF)
    client.headers["origin"] = "http://testserver"
    assert client.post("/api/v1/session", json={"login": "ada", "password": PASSWORD}).is_success
    assert client.get(f"/api/v1/alerts/{alert}/measures").status_code == 403
