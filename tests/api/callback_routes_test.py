"""Callbacks over HTTP as a receiver sends them: signed by the public `standardwebhooks` package, or refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from standardwebhooks import Webhook

from alerts.delivery.signing import ensure_secret, retire, rotate, secrets_of, signatures
from alerts.record import no_record
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition
from tests.alerts.desk import Desk, HandClock, Recorder, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def client(dsn: str, keys: Path) -> Iterator[TestClient]:
    """Without a token: the signature is all."""
    ensure_secret(keys, "dispatch")
    with TestClient(create_app(ApiSettings(), dsn, keys, HandClock())) as made:
        yield made


@pytest.fixture
def alert(dsn: str, keys: Path) -> Iterator[str]:
    """An emergency of which everybody has been told."""
    desk = Desk(dsn, HandClock(), keys, {"webhook": Recorder(), "log": Recorder()}, no_record)
    Stream(dsn).says(finding(Condition.VF))
    desk.work()
    yield str(desk.alerts()[0]["alert"])
    desk.close()


def _body(alert: str, kind: str = "accepted", **more: str) -> bytes:
    return json.dumps({"type": f"alert.{kind}", "data": {"alert_id": alert, **more}}, ensure_ascii=False).encode()


def _headers(secret: str, body: bytes, identity: str = "c1", at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, at, body.decode()),
    }


def _post(client: TestClient, body: bytes, headers: dict[str, str], endpoint: str = "dispatch") -> Response:
    told: Any = client.post(f"/api/v1/callbacks/{endpoint}", content=body, headers=headers)
    return told


def _states(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return [row[0] for row in conn.execute("SELECT state FROM alerts.alert")]


def test_a_signed_acceptance_takes_the_alert_and_the_same_again_changes_nothing(
    client: TestClient, alert: str, keys: Path
) -> None:
    body = _body(alert, by="一号台")
    headers = _headers(secrets_of(keys, "dispatch")[0], body)
    first = _post(client, body, headers)
    assert (first.status_code, first.json()["state"], first.json()["answered_by"]) == (200, "taken", "dispatch")
    assert first.json()["changed"]
    again = _post(client, body, headers)
    assert (again.status_code, again.json()["changed"]) == (200, False)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        pytest.param(lambda b, h, s: (b + b" ", h), "fits none", id="a byte was added"),
        pytest.param(lambda b, h, s: (b, h | {"webhook-id": "c2"}), "fits none", id="under another id: it counts once"),
        pytest.param(lambda b, h, s: (b, {}), "webhook-id", id="not signed"),
        pytest.param(
            lambda b, h, s: (b, _headers(s, b, at=datetime.now(UTC) - timedelta(minutes=6))),
            "five minutes",
            id="replayed",
        ),
        pytest.param(
            lambda b, h, s: (b, _headers(s, b, at=datetime.now(UTC) + timedelta(minutes=6))), "five minutes", id="ahead"
        ),
        pytest.param(lambda b, h, s: (b, h | {"webhook-signature": "v1,%%% nonsense"}), "fits none", id="no base64"),
        pytest.param(lambda b, h, s: (b, h | {"webhook-signature": ""}), "fits none", id="an empty signature"),
        pytest.param(lambda b, h, s: (b, h | {"webhook-timestamp": "-1"}), "no number", id="a time that is none"),
        pytest.param(
            lambda b, h, s: (b, h | {"webhook-id": "a.b"}), "full stop", id="an id that could be cut elsewhere"
        ),
    ],
)
def test_what_the_endpoint_did_not_sign_is_refused(
    client: TestClient, alert: str, keys: Path, dsn: str, change: Any, word: str
) -> None:
    body, secret = _body(alert), secrets_of(keys, "dispatch")[0]
    told = _post(client, *change(body, _headers(secret, body), secret))
    assert told.status_code == 401
    assert word in told.json()["detail"]
    assert _states(dsn) == ["sounding"]


def test_the_same_statement_twice_at_once_counts_once(client: TestClient, alert: str, keys: Path, dsn: str) -> None:
    body = _body(alert, "rejected", reason="full")
    headers = _headers(secrets_of(keys, "dispatch")[0], body)
    with ThreadPoolExecutor(4) as all_at_once:
        told = list(all_at_once.map(lambda _: _post(client, body, headers), range(4)))
    assert [one.status_code for one in told] == [200] * 4
    assert sorted(one.json()["changed"] for one in told) == [False, False, False, True]
    with psycopg.connect(dsn) as conn:
        assert conn.execute("SELECT count(*) FROM alerts.history WHERE what = 'rejected'").fetchone() == (1,)


def test_another_endpoints_secret_is_none_and_an_endpoint_without_secret_is_nobody(
    client: TestClient, alert: str, keys: Path, dsn: str
) -> None:
    body = _body(alert)
    assert _post(client, body, _headers(ensure_secret(keys, "sms"), body)).status_code == 401
    signed_by_nobody = {
        "webhook-id": "c1",
        "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
        "webhook-signature": signatures([], "c1", 0, body),
    }
    assert _post(client, body, signed_by_nobody, "nobody").status_code == 401
    assert _post(client, body, _headers(secrets_of(keys, "sms")[0], body), "sms").status_code == 404  # it was not told
    assert _states(dsn) == ["sounding"]


def test_both_secrets_verify_until_the_old_one_is_retired(client: TestClient, alert: str, keys: Path) -> None:
    old = secrets_of(keys, "dispatch")[0]
    assert rotate(keys, "dispatch") == 2
    new = secrets_of(keys, "dispatch")[0]
    body = _body(alert, "rejected", reason="full")
    for number, secret in enumerate((old, new)):
        assert _post(client, body, _headers(secret, body, f"c{number}")).status_code == 200
    assert retire(keys, "dispatch") == 1
    assert _post(client, body, _headers(old, body, "c8")).status_code == 401
    assert _post(client, body, _headers(new, body, "c9")).status_code == 200


def test_our_own_notice_sent_back_is_no_statement(client: TestClient, alert: str, keys: Path, dsn: str) -> None:
    """It is signed with the same secret: whoever records it could send it back."""
    body = json.dumps({"type": "alert.raised", "data": {"alert_id": alert}}).encode()
    told = _post(client, body, _headers(secrets_of(keys, "dispatch")[0], body))
    assert told.status_code == 422
    assert _states(dsn) == ["sounding"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"type":"alert.accepted"}', b'{"type":"alert.accepted","data":{"alert_id":"x"}}', b"\xff\xfe"],
)
def test_nonsense_that_is_signed_is_a_422(client: TestClient, keys: Path, body: bytes) -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "c1",
        "webhook-timestamp": str(now),
        "webhook-signature": signatures(secrets_of(keys, "dispatch"), "c1", now, body),
    }
    assert _post(client, body, headers).status_code == 422


def test_an_id_used_for_something_else_is_a_409_and_too_much_a_413(client: TestClient, alert: str, keys: Path) -> None:
    secret = secrets_of(keys, "dispatch")[0]
    assert _post(client, _body(alert), _headers(secret, _body(alert))).status_code == 200
    arrived = _body(alert, "arrived")
    assert _post(client, arrived, _headers(secret, arrived)).status_code == 409
    huge = _body(alert, reason="x" * 20_000)
    assert _post(client, huge, _headers(secret, huge, "c2")).status_code == 413


def test_attempts_and_responses_stand_on_the_alert(client: TestClient, alert: str, keys: Path) -> None:
    body = _body(alert, "on_the_way", eta="2026-11-24T08:09:00+00:00", vehicle="7")
    _post(client, body, _headers(secrets_of(keys, "dispatch")[0], body))
    shown = client.get(f"/api/v1/alerts/{alert}", headers={"authorization": f"Bearer {ensure_token(keys)}"}).json()
    (said,) = shown["responses"]
    assert said["body"]["vehicle"] == "7"
    assert said["kind"] == "on_the_way"
    by_webhook = next(one for one in shown["notices"] if one["channel"] == "webhook")
    assert [attempt["outcome"] for attempt in by_webhook["attempts"]] == ["delivered"]
