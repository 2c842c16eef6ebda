"""Accounts and sessions over the real database: who gets in, who does not, and what a session may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from alerts import listeners, listening
from api import accounts
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition
from tests.alerts.desk import START, HandClock, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = {"sec-fetch-site": "same-origin"}
SECRET = "correct horse battery"


@pytest.fixture
def client(dsn: str, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(ApiSettings(), dsn, tmp_path / "keys", HandClock())
    with TestClient(app, headers=OURS) as made:
        bearer = {"authorization": f"Bearer {ensure_token(tmp_path / 'keys')}"}
        for login, more in {
            "lin": {"name": "Dr Lin", "kind": "doctor", "person": "doctor"},
            "ada": {"name": "Ada", "kind": "patient", "patient": "ada"},
            "olga": {"name": "Olga", "kind": "admin"},
        }.items():
            body = {"login": login, "password": SECRET} | more
            assert made.post("/api/v1/accounts", json=body, headers=bearer).status_code == 201
        yield made


def sign_in(client: TestClient, login: str, password: str = SECRET) -> int:
    client.cookies.clear()
    return client.post("/api/v1/session", json={"login": login, "password": password}).status_code


def alerts_of(dsn: str, *subjects: str, condition: Condition = Condition.VF) -> dict[str, str]:
    stream = Stream(dsn)
    for subject in subjects:
        stream.says(finding(condition, subject=subject))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
        return dict(conn.execute("SELECT subject, alert::text FROM alerts.alert").fetchall())


def test_the_cookie_is_for_the_browser_alone_and_the_database_has_its_hash_only(client: TestClient, dsn: str) -> None:
    told = client.post("/api/v1/session", json={"login": "LIN ", "password": SECRET})
    assert told.json() == {"page": "/console"}
    cookie = told.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    token = client.cookies["tierwatch"]
    with psycopg.connect(dsn) as conn:
        stored = conn.execute("SELECT token, password FROM api.session JOIN api.account USING (login)").fetchone()
        assert stored is not None
        assert token.encode() not in stored[0]
        assert stored[1].startswith("$argon2id$")
    assert client.get("/api/v1/session").json()["name"] == "Dr Lin"


def test_over_https_the_cookie_has_the_host_prefix(dsn: str, client: TestClient) -> None:
    secure = TestClient(client.app, base_url="https://tierwatch.example", headers=OURS)
    told = secure.post("/api/v1/session", json={"login": "lin", "password": SECRET})
    assert told.headers["set-cookie"].startswith("__Host-tierwatch=")
    assert "Secure" in told.headers["set-cookie"]
    assert secure.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize("login", ["lin", "nobody"])
def test_a_wrong_password_and_an_unknown_login_say_the_same(client: TestClient, login: str) -> None:
    told = client.post("/api/v1/session", json={"login": login, "password": "wrong password"})
    assert told.status_code == 401
    assert told.json()["detail"] == "login and password do not match, or this account waits after too many tries"
    assert "set-cookie" not in told.headers


def test_after_five_wrong_tries_the_right_password_waits_too_and_works_again_later(
    client: TestClient, dsn: str
) -> None:
    assert [sign_in(client, "lin", "wrong password") for _ in range(5)] == [401] * 5
    assert sign_in(client, "lin") == 401
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE api.account SET tried_at = tried_at - %s", (accounts.WAIT,))
    assert sign_in(client, "lin") == 200


def test_a_right_password_forgets_the_wrong_tries(client: TestClient) -> None:
    for _ in range(3):
        assert [sign_in(client, "lin", "wrong password") for _ in range(4)] == [401] * 4
        assert sign_in(client, "lin") == 200


@pytest.mark.parametrize("column", ["seen_at = seen_at - idle", "ends_at = clock_timestamp()"])
def test_a_session_ends_unseen_or_at_its_end(client: TestClient, dsn: str, column: str) -> None:
    assert sign_in(client, "lin") == 200
    assert client.get("/api/v1/alerts").status_code == 200
    with psycopg.connect(dsn) as conn:
        conn.execute(f"UPDATE api.session SET {column}")  # type: ignore[arg-type]
    assert client.get("/api/v1/alerts").status_code == 401


def test_signing_out_a_new_password_and_removal_end_the_session(client: TestClient) -> None:
    sign_in(client, "olga")
    keeper = TestClient(client.app, headers=OURS, cookies=dict(client.cookies))
    for ending in (
        lambda token: client.delete("/api/v1/session"),
        lambda token: keeper.put("/api/v1/accounts/lin/password", json={"password": SECRET}),
        lambda token: keeper.delete("/api/v1/accounts/lin"),
    ):
        assert sign_in(client, "lin") == 200
        token = client.cookies["tierwatch"]
        assert ending(token).is_success
        assert client.get("/api/v1/alerts", headers={"cookie": f"tierwatch={token}"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://elsewhere.example"},
        {"sec-fetch-site": ""},  # a browser of old, or none
    ],
)
def test_a_command_with_a_cookie_must_come_from_our_page(client: TestClient, dsn: str, headers: dict[str, str]) -> None:
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    assert client.post(f"/api/v1/alerts/{alert}/accept", headers=headers).status_code == 403
    assert client.post("/api/v1/session", json={"login": "lin", "password": SECRET}, headers=headers).status_code == 403
    assert client.get(f"/api/v1/alerts/{alert}").json()["state"] == "sounding"
    origin = {"sec-fetch-site": "", "origin": "http://testserver"}
    assert client.post(f"/api/v1/alerts/{alert}/accept", headers=origin).status_code == 200


def test_a_patient_sees_and_answers_their_own_alone(client: TestClient, dsn: str) -> None:
    found = alerts_of(dsn, "ada", "bea")
    sign_in(client, "ada")
    assert {row["subject"] for row in client.get("/api/v1/alerts").json()["alerts"]} == {"ada"}
    assert client.get("/api/v1/alerts", params={"subject": "bea"}).status_code == 403
    for subject, alert in found.items():
        assert client.get(f"/api/v1/alerts/{alert}").status_code == 403
        for verb in ("acknowledge", "accept", "reject", "close"):  # an emergency is not the patient's to stop
            assert client.post(f"/api/v1/alerts/{alert}/{verb}").status_code == 403, (subject, verb)
    for path in (
        "/patients",
        "/patients/ada",
        "/deliveries",
        "/ledger",
        "/quarantine",
        "/plans/ada",
        "/accounts",
        "/bench",
    ):
        assert client.get(f"/api/v1{path}").status_code == 403, path
    assert client.post("/api/v1/symptoms", json={"patient": "bea", "symptoms": ["faint"]}).status_code == 403
    assert client.post("/api/v1/symptoms", json={"patient": "ada", "symptoms": ["faint"]}).status_code == 202


def test_a_patient_acknowledges_a_tip_of_their_own(client: TestClient, dsn: str) -> None:
    found = alerts_of(dsn, "ada", "bea", condition=Condition.GLUCOSE_LOW)
    sign_in(client, "ada")
    assert client.post(f"/api/v1/alerts/{found['ada']}/acknowledge").json()["answered_by"] == "patient"
    assert client.post(f"/api/v1/alerts/{found['bea']}/acknowledge").status_code == 403


def test_a_patient_answers_how_they_are_about_their_own_alone(client: TestClient, dsn: str) -> None:
    found = alerts_of(dsn, "ada", "bea", condition=Condition.EXTREME_TACHY)
    sign_in(client, "ada")
    assert client.post(f"/api/v1/alerts/{found['bea']}/answer", json={"answer": "well"}).status_code == 403
    assert client.post(f"/api/v1/alerts/{found['ada']}/answer", json={"answer": "well"}).json()["tier"] == "doctor"
    assert client.post(f"/api/v1/alerts/{found['ada']}/answer", json={"answer": "help"}).json()["tier"] == "emergency"


def test_who_is_signed_in_answers_in_their_own_name(client: TestClient, dsn: str) -> None:
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    assert client.post(f"/api/v1/alerts/{alert}/accept", json={"who": "somebody else"}).status_code == 403
    assert client.post(f"/api/v1/alerts/{alert}/accept").json()["answered_by"] == "doctor"


def test_accounts_are_the_operators_business(client: TestClient, tmp_path: Path) -> None:
    sign_in(client, "lin")
    assert client.get("/api/v1/accounts").status_code == 403
    other = {"authorization": f"Bearer {ensure_token(tmp_path / 'keys', 'dispatch')}"}
    assert client.get("/api/v1/accounts", headers=other).status_code == 403
    sign_in(client, "olga")
    assert {row["login"] for row in client.get("/api/v1/accounts").json()["accounts"]} == {"ada", "lin", "olga"}
    made = client.post("/api/v1/accounts", json={"login": "new", "name": "N", "kind": "doctor"}).json()
    assert sign_in(client, "new", made["password"]) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"login": "lin"},  # taken
        {"login": "../x"},
        {"password": "short"},
        {"kind": "patient"},  # of whom?
        {"patient": "ada"},  # a doctor is nobody's patient
    ],
)
def test_an_account_that_cannot_be_is_refused_with_the_reason(client: TestClient, wrong: dict[str, Any]) -> None:
    sign_in(client, "olga")
    body = {"login": "new", "name": "N", "kind": "doctor"} | wrong
    told = client.post("/api/v1/accounts", json=body)
    assert (told.status_code, bool(told.json()["detail"])) == (422, True)


def test_the_live_socket_shows_each_what_is_theirs(client: TestClient, dsn: str) -> None:
    found = alerts_of(dsn, "ada", "bea")
    for login, seen in (("ada", {found["ada"]}), ("lin", set(found.values()))):
        sign_in(client, login)
        with client.websocket_connect("/api/v1/live") as socket:
            told = socket.receive_json()
            # A clinician's console is a way to be told; a patient's page is none.
            assert listeners.is_listening(dsn, "doctor") == (login == "lin")
        assert told["type"] == "all"
        assert {row["alert"] for row in told["alerts"]} == seen
        assert ("evidence" in told["alerts"][0]) == (login == "lin")


def test_a_change_is_told_and_a_closed_alert_is_gone(client: TestClient, dsn: str) -> None:
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    with client.websocket_connect("/api/v1/live") as socket:
        socket.receive_json()
        client.post(f"/api/v1/alerts/{alert}/accept")
        (row,) = _next(socket)["alerts"]
        assert (row["alert"], row["state"], row["answered_name"]) == (alert, "taken", "Dr Lin")
        client.post(f"/api/v1/alerts/{alert}/close", json={"outcome": "false_alarm"})
        assert _next(socket)["gone"] == [alert]


def test_the_live_socket_wants_a_session_and_our_page_and_ends_with_the_session(client: TestClient, dsn: str) -> None:
    client.cookies.clear()
    with client.websocket_connect("/api/v1/live") as socket, pytest.raises(WebSocketDisconnect) as nobody:
        socket.receive_json()
    assert nobody.value.code == 4401
    sign_in(client, "lin")
    elsewhere = {"sec-fetch-site": "", "origin": "https://elsewhere.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/live", headers=elsewhere):
        pass
    with client.websocket_connect("/api/v1/live") as socket:
        assert socket.receive_json()["type"] == "all"
        with psycopg.connect(dsn) as conn:
            conn.execute("DELETE FROM api.session")
        with pytest.raises(WebSocketDisconnect) as ended:
            _listen_on(socket)
        assert ended.value.code == 4401


def _listen_on(socket: Any) -> None:
    for _ in range(20):  # it says that it is alive each few seconds: one that goes on for so long goes on for ever
        socket.receive_json()


def _next(socket: Any) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = socket.receive_json()
        if told["type"] == "change":
            return told
