"""The strip of an alert, as the console asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from tests.alerts.archive import store_ecg
from tests.alerts.desk import START
from tests.api.app_test import alert, client, keys

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

__all__ = ["alert", "client", "keys"]


def test_the_strip_is_a_picture_from_the_archive(client: TestClient, alert: str, dsn: str) -> None:
    store_ecg(dsn, 500 * np.sin(np.arange(130 * 60) / 5), START - timedelta(seconds=30))
    told = client.get(f"/api/v1/alerts/{alert}/strip.svg")
    assert (told.status_code, told.headers["content-type"]) == (200, "image/svg+xml")
    assert told.headers["cache-control"] == "private, no-store"
    assert told.text.startswith("<svg ")
    assert told.text == client.get(f"/api/v1/alerts/{alert}/strip.svg").text


def test_no_ecg_and_no_alert_are_told_apart(client: TestClient, alert: str) -> None:
    missing = client.get(f"/api/v1/alerts/{alert}/strip.svg")
    assert (missing.status_code, "no ECG of this patient" in missing.json()["detail"]) == (404, True)
    nobody = uuid4()
    assert client.get(f"/api/v1/alerts/{nobody}/strip.svg").json()["detail"] == f"there is no alert {nobody}"


def test_it_asks_for_a_token(client: TestClient, alert: str) -> None:
    assert client.get(f"/api/v1/alerts/{alert}/strip.svg", headers={"authorization": ""}).status_code == 401
