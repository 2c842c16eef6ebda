"""The API over the real database, as a client sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.rows import dict_row

from alerts import listening
from api.access import ensure_token
from api.app import create_app
from api.house import House
from api.settings import ApiSettings
from stream.finding import Condition
from tests.alerts.desk import ALL_TRIED, START, TEAM, HandClock, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def client(dsn: str, keys: Path) -> Iterator[TestClient]:
    app = create_app(ApiSettings(), dsn, keys, HandClock())
    with TestClient(app, headers={"authorization": f"Bearer {ensure_token(keys)}"}) as made:
        yield made


@pytest.fixture
def alert(dsn: str) -> str:
    """An emergency that is sounding."""
    Stream(dsn).says(finding(Condition.VF))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
    return str(_rows(dsn, "SELECT alert FROM alerts.alert")[0]["alert"])


def _rows(dsn: str, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row) as conn:
        return conn.execute(query).fetchall()


COLD = """
import sys
from fastapi.testclient import TestClient
from pathlib import Path
from api.app import create_app
from api.settings import ApiSettings
from tests.alerts.desk import HandClock
with TestClient(create_app(ApiSettings(), sys.argv[1], Path(sys.argv[2]), HandClock())):
    from stream.rice_reading import decode_into
    sys.exit(not decode_into.signatures)
"""


def test_on_a_cold_cache_strips_can_be_read_before_anybody_is_let_in(dsn: str, keys: Path, tmp_path: Path) -> None:
    # A strip is read inside a transaction: seconds of compiling in it, and the server ends it.
    here = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cold"), "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", COLD, dsn, str(keys)], env=here, check=True)


def test_without_a_token_there_is_nothing_but_health(client: TestClient) -> None:
    bare = {"authorization": ""}
    assert client.get("/livez", headers=bare).status_code == 200
    told = client.get("/api/v1/alerts", headers=bare)
    assert told.status_code == 401
    assert told.headers["content-type"] == "application/problem+json"
    assert client.get("/api/v1/alerts", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_a_token_lies_in_a_file_that_only_we_can_read(client: TestClient, keys: Path) -> None:
    del client
    assert (keys / "api-operator.token").stat().st_mode & 0o777 == 0o600


def test_an_alert_is_listed_shown_and_accepted_once(client: TestClient, alert: str, dsn: str) -> None:
    (listed,) = client.get("/api/v1/alerts", params={"open": True}).json()["alerts"]
    assert (listed["alert"], listed["tier"]) == (alert, "emergency")
    shown = client.get(f"/api/v1/alerts/{alert}").json()
    assert [entry["what"] for entry in shown["history"]] == ["raised", "rung"]
    assert {notice["person"] for notice in shown["notices"]} == {"dispatch", "doctor", "patient"}
    first = client.post(f"/api/v1/alerts/{alert}/accept", json={"who": "Dr Lin"}).json()
    assert (first["state"], first["answered_by"], first["next_due_at"]) == ("taken", "Dr Lin", None)
    second = client.post(f"/api/v1/alerts/{alert}/accept", json={"who": "dispatch"})
    assert second.status_code == 409
    assert second.json()["detail"] == "taken by Dr Lin"
    again = client.post(f"/api/v1/alerts/{alert}/accept", json={"who": "Dr Lin"}).json()
    assert not again["changed"]
    assert {row["status"] for row in _rows(dsn, "SELECT status FROM alerts.notice")} == {"moot"}


def test_two_who_accept_at_once_one_wins_and_the_other_is_told_who(client: TestClient, alert: str) -> None:
    with ThreadPoolExecutor(2) as both:
        answers = list(
            both.map(lambda who: client.post(f"/api/v1/alerts/{alert}/accept", json={"who": who}), ("ann", "bob"))
        )
    winner = next(answer.json()["answered_by"] for answer in answers if answer.status_code == 200)
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert loser.json()["detail"] == f"taken by {winner}"


def test_the_same_idempotency_key_changes_an_alert_once(client: TestClient, alert: str, dsn: str) -> None:
    for _ in range(3):
        told = client.post(f"/api/v1/alerts/{alert}/acknowledge", headers={"idempotency-key": "k1"})
        assert told.status_code == 200
        assert told.json()["state"] == "held"
    assert len(_rows(dsn, "SELECT * FROM alerts.history WHERE what = 'acknowledged'")) == 1


def test_closing_stands_down_and_cannot_be_undone_by_an_answer(client: TestClient, alert: str) -> None:
    closed = client.post(f"/api/v1/alerts/{alert}/close", json={"who": "Dr Lin", "outcome": "false_alarm"})
    assert closed.json()["state"] == "closed"
    late = client.post(f"/api/v1/alerts/{alert}/acknowledge")
    assert (late.status_code, late.json()["detail"]) == (409, "closed (false_alarm) by Dr Lin")


def test_an_unknown_alert_is_a_404_and_nonsense_a_422(client: TestClient, dsn: str) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert client.post(f"/api/v1/alerts/{nobody}/accept").status_code == 404
    assert client.get(f"/api/v1/alerts/{nobody}").status_code == 404
    Stream(dsn).says(finding(Condition.VF))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
    (known,) = client.get("/api/v1/alerts").json()["alerts"]
    bad = client.post(f"/api/v1/alerts/{known['alert']}/close", json={"outcome": "bogus"})
    assert bad.status_code == 422
    assert "outcome" in bad.json()["detail"]
    assert client.get("/api/v1/alerts", params={"before": "nonsense"}).status_code == 422


def test_pages_of_alerts_hold_each_alert_once(client: TestClient, dsn: str) -> None:
    stream = Stream(dsn)
    for number in range(7):
        stream.says(finding(Condition.VF, subject=f"p{number}"))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
    seen: list[str] = []
    before = None
    while True:
        page = client.get("/api/v1/alerts", params={"limit": 3} | ({"before": before} if before else {})).json()
        seen += [row["alert"] for row in page["alerts"]]
        before = page["next"]
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 7


def test_an_assignment_goes_into_the_inbox_and_a_conflict_is_a_409(client: TestClient, dsn: str) -> None:
    body = {"device": "cuff-1", "slot": 1, "patient": "ada", "from": "2026-11-24T08:00:00Z"}
    assert client.post("/api/v1/assignments", json=body).status_code == 202
    (row,) = _rows(dsn, "SELECT name, body, by_whom FROM stream.inbox")
    assert (row["name"], row["by_whom"]) == ("assignment_changed", "operator")
    assert row["body"]["patient"] == "ada"
    other = client.post("/api/v1/assignments", json=body | {"patient": "bea"})
    assert other.status_code == 409
    assert other.json()["held_by"] == "ada"
    assert client.post("/api/v1/assignments", json=body | {"patient": "bea", "slot": 2}).status_code == 202
    assert client.post("/api/v1/assignments", json=body | {"patient": "bea", "correct": True}).status_code == 202


def test_of_two_assignments_at_once_one_wins(client: TestClient) -> None:
    def ask(patient: str) -> int:
        body = {"device": "h10", "patient": patient, "from": "2026-11-24T08:00:00Z"}
        return client.post("/api/v1/assignments", json=body).status_code

    with ThreadPoolExecutor(4) as many:
        assert sorted(many.map(ask, ("a", "b", "c", "d"))) == [202, 409, 409, 409]


def test_limits_are_guarded_versioned_and_told_to_the_detector(client: TestClient, dsn: str) -> None:
    told = client.post(
        "/api/v1/limits", json={"patient": "ada", "limits": {"tachy_bpm": 160}, "reason": "athlete"}
    ).json()
    assert told["version"] == 1
    assert "tachy_bpm = 160" in told["warnings"][0]
    refused = client.post("/api/v1/limits", json={"patient": "ada", "limits": {"tachy_bpm": 500}})
    assert refused.status_code == 422
    old = client.post("/api/v1/limits", json={"patient": "ada", "limits": {}, "version": 0})
    assert old.status_code == 412
    (row,) = _rows(dsn, "SELECT name, body FROM stream.inbox")
    assert row["body"] == {"patient": "ada", "plan_version": 1, "limits": {"tachy_bpm": 160.0}}


def test_a_person_is_sealed_at_rest_and_comes_back_whole(client: TestClient, dsn: str) -> None:
    person = {
        "name": "王秀英",
        "sex": "female",
        "allergies": ["penicillin"],
        "implants": [],
        "contacts": [{"name": "Li", "relation": "son", "phone": "1"}],
    }
    assert client.put("/api/v1/patients/ada", json=person).status_code == 204
    record = client.get("/api/v1/patients/ada").json()
    assert (record["name"], record["allergies"], record["implants"]) == ("王秀英", ["penicillin"], [])
    assert record["door_code"] == record["medication"] == record["vitals"] == "unknown"
    (row,) = _rows(dsn, "SELECT * FROM api.person")
    assert "王秀英".encode() not in row["name"]
    assert client.get("/api/v1/patients").json()["patients"][0]["patient"] == "ada"
    unknown = client.get("/api/v1/patients/nobody").json()
    assert set(unknown) == set(record)


def test_symptoms_and_the_bench(client: TestClient, dsn: str) -> None:
    assert client.post("/api/v1/symptoms", json={"patient": "ada", "symptoms": ["faint"]}).status_code == 202
    assert client.post("/api/v1/bench/ada/lift").status_code == 404
    with psycopg.connect(dsn) as conn:
        conn.execute("INSERT INTO stream.bench VALUES ('ada', 7, 'ZeroDivisionError')")
    assert client.post("/api/v1/bench/ada/lift").status_code == 202
    assert {row["name"] for row in _rows(dsn, "SELECT name FROM stream.inbox")} == {"symptom_report", "bench_lifted"}


def test_quarantine_is_shown_by_name_with_its_bytes_on_request(client: TestClient, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO stream.quarantine (id, client, device, reason, at_fault, sha256, count, first_at, last_at, body)"
            " VALUES (gen_random_uuid(), 'gw-1', 'h10', 'malformed', 'not MessagePack', '\\x00', 3, now(), now(), '\\xc1ff')"
        )
    (row,) = client.get("/api/v1/quarantine", params={"client": "gw-1"}).json()["quarantine"]
    assert (row["reason"], row["count"], row["device"], row["size"]) == ("malformed", 3, "h10", 2)
    assert "body" not in row
    (row,) = client.get("/api/v1/quarantine", params={"body": True}).json()["quarantine"]
    assert row["body"] == "c1ff"
    assert client.get(f"/api/v1/quarantine/{row['id']}").json()["body"] == "c1ff"
    assert client.get("/api/v1/quarantine", params={"reason": "oversized"}).json()["quarantine"] == []


def test_the_ledger_counts_what_is_unaccounted_and_unjudged(client: TestClient, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw-1', 'e')")
        conn.execute(
            "INSERT INTO stream.lane (source, device, stream, received, judged_live, checkpoint)"
            " VALUES (1, 'cuff', 'blood_pressure', '{[1,6)}', '{[1,3)}', 9)"
        )
        for seq in (1, 2, 3):
            conn.execute(
                "INSERT INTO stream.reading VALUES (1, %s, now(), 'ada', 'cuff', 1, 'blood_pressure', '{120,80}', '{}',"
                " NULL, NULL, 'device', '\\x00', 0, 5, %s, now(), now(), true, '\\x00')", (seq, seq),
            )  # fmt: skip
        conn.execute(
            "INSERT INTO stream.other (shard, position, ord, name, lane, seq, last, received_at, body)"
            " VALUES (0, 5, 9, 'abandoned', 1, 4, 4, now(), '')"
        )
    told = client.get("/api/v1/ledger").json()
    (lane,) = told["lanes"]
    assert lane["archived"] == [[1, 3]]
    assert (lane["unjudged"], lane["unaccounted"]) == ([[3, 3]], [[5, 5]])
    assert (told["unjudged"], told["unaccounted"]) == (1, 1)
    metrics = client.get("/metrics").text
    assert "tierwatch_unaccounted 1.0" in metrics
    record = client.get("/api/v1/patients/ada").json()
    assert record["vitals"][0]["values"]["systolic_mmhg"] == 120.0


def test_not_ready_says_why(client: TestClient, dsn: str) -> None:
    told = client.get("/readyz")
    assert (told.status_code, told.json()["ready"]) == (503, False)
    with psycopg.connect(dsn) as conn:
        conn.execute("INSERT INTO stream.batch VALUES (0, 1, %s, 0)", (datetime.now(UTC),))
    assert client.get("/readyz").status_code == 200


def test_a_body_is_read_word_for_word_only_after_it_was_tried(client: TestClient, alert: str) -> None:
    deliveries = client.get("/api/v1/deliveries", params={"alert": alert}).json()["deliveries"]
    assert len(deliveries) == 3
    assert client.get(f"/api/v1/deliveries/{deliveries[0]['notice']}").status_code == 404


def test_a_plan_is_versioned_by_etag_and_one_that_tells_nobody_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(House, "means", lambda *_: ALL_TRIED)  # how ways are tried is `reach_test.py`
    first = client.get("/api/v1/plans/ada")
    assert (first.headers["etag"], first.json()["version"]) == ('"0"', 0)
    team = [{"person": one.person, "channel": one.channel, "address": one.address, "role": one.role} for one in TEAM]
    body = {"tiers": {"pause": "emergency"}, "limits": {"no_data_s": 120}, "team": team}
    made = client.put("/api/v1/plans/ada", json=body, headers={"if-match": '"0"'})
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    assert client.get("/api/v1/plans/ada").json()["tiers"] == {"pause": "emergency"}
    assert client.put("/api/v1/plans/ada", json=body, headers={"if-match": '"0"'}).status_code == 412
    late = {"steps": [{"after_s": 60, "roles": ["dispatch"]}], "repeat_s": 60, "acknowledgement_s": 300}
    refused = client.put("/api/v1/plans/ada", json={"ladders": {"emergency": late}})
    assert refused.status_code == 422
    assert "at once" in refused.json()["detail"]


def test_a_nul_character_is_refused_as_a_problem(client: TestClient, alert: str) -> None:
    told = client.post(f"/api/v1/alerts/{alert}/accept", json={"who": "a\u0000b"})
    assert (told.status_code, told.headers["content-type"]) == (422, "application/problem+json")
    assert client.get("/api/v1/alerts", params={"subject": "a\0b"}).status_code == 422
    assert client.post(f"/api/v1/alerts/{alert}/accept").json()["changed"]


def test_the_patient_is_asked_and_their_word_is_taken_once(client: TestClient, dsn: str) -> None:
    stream = Stream(dsn)
    stream.says(finding(Condition.EXTREME_TACHY))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
    (listed,) = client.get("/api/v1/alerts").json()["alerts"]
    assert datetime.fromisoformat(listed["asked_until"]) == START + timedelta(seconds=30)
    way = f"/api/v1/alerts/{listed['alert']}/answer"
    once = {"idempotency-key": "tap-1"}
    said = client.post(way, json={"answer": "well", "who": "patient"}, headers=once).json()
    assert (said["tier"], said["asked_until"], said["changed"]) == ("doctor", None, True)
    assert not client.post(way, json={"answer": "well", "who": "patient"}, headers=once).json()["changed"]
    assert client.post(way, json={"answer": "perhaps"}).status_code == 422
    helped = client.post(way, json={"answer": "help"}).json()
    assert helped["tier"] == "emergency"
    dispatch = _rows(dsn, "SELECT generation FROM alerts.notice WHERE person = 'dispatch'")
    assert dispatch == [{"generation": 2}]


def test_the_equipment_is_not_asked_how_it_is(client: TestClient, dsn: str) -> None:
    Stream(dsn).says(finding(Condition.LEAD_OFF))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
    (listed,) = client.get("/api/v1/alerts").json()["alerts"]
    refused = client.post(f"/api/v1/alerts/{listed['alert']}/answer", json={"answer": "help"})
    assert refused.status_code == 409
    assert "acknowledge" in refused.json()["detail"]
