"""What was sent, as the console sees it: every attempt, what was given up, and sending that again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from alerts.delivery.outcome import Refused
from alerts.record import no_record
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition
from tests.alerts.desk import Desk, HandClock, Recorder, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def desk(dsn: str, tmp_path: Path, clock: HandClock) -> Iterator[Desk]:
    """A doctor's notice that was refused."""
    logged = Recorder(answers=[Refused("SMTP 550 at recipient")])
    made = Desk(dsn, clock, tmp_path / "keys", {"webhook": Recorder(), "log": logged}, no_record)
    Stream(dsn).says(finding(Condition.BRADY))
    made.work()
    yield made
    made.close()


@pytest.fixture
def client(dsn: str, tmp_path: Path, clock: HandClock) -> Iterator[TestClient]:
    keys = tmp_path / "keys"
    app = create_app(ApiSettings(), dsn, keys, clock)
    with TestClient(app, headers={"authorization": f"Bearer {ensure_token(keys)}"}) as made:
        yield made


def _listed(client: TestClient, status: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/deliveries", params={"status": status}).json()["deliveries"]
    return found


def test_what_was_given_up_is_listed_with_its_attempts_and_can_be_sent_again_once(
    client: TestClient, desk: Desk
) -> None:
    (given_up,) = _listed(client, "refused")
    assert [(one["n"], one["outcome"], one["detail"]) for one in given_up["attempts"]] == [
        (1, "refused", "SMTP 550 at recipient")
    ]
    path = f"/api/v1/deliveries/{given_up['notice']}/again"
    again = client.post(path)
    assert (again.status_code, again.json()["status"]) == (200, "waiting")
    twice = client.post(path)
    assert (twice.status_code, "waiting" in twice.json()["detail"]) == (409, True)
    desk.work()
    assert _listed(client, "refused") == []
    sent = next(one for one in _listed(client, "delivered") if one["notice"] == given_up["notice"])
    assert [one["outcome"] for one in sent["attempts"]] == ["refused", "delivered"]
    nobody = client.post("/api/v1/deliveries/00000000-0000-0000-0000-000000000000/again")
    assert nobody.status_code == 404
