"""The book of who looked at what: written before it is done, only added to, chained; and break-glass, which stands in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from api import audit
from api.access import ensure_token
from api.audit import Entry, Head, HeadFile
from tests.api.panels_test import agree, alerts_of, client, sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient

__all__ = ["client"]

REASON = "unconscious at the front desk"


def book(dsn: str, *columns: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT n, who, role, what, subject, outcome, reason FROM api.audit ORDER BY n").fetchall()
    names = ("n", "who", "role", "what", "subject", "outcome", "reason")
    return [tuple(row[names.index(one)] for one in columns) for row in rows]


def add(dsn: str, count: int, who: str = "lin") -> list[Head]:
    heads = []
    for n in range(count):
        with psycopg.connect(dsn) as conn:
            heads.append(
                audit.write(conn, Entry(who=who, role="doctor", what="GET /patients/{patient}", subject=f"p{n}"))
            )
    return heads


def unguarded(dsn: str, statement: str) -> None:
    """What somebody with the database in their hands could do."""
    with psycopg.connect(dsn) as conn:
        conn.execute("ALTER TABLE api.audit DISABLE TRIGGER fixed")
        conn.execute(statement)  # type: ignore[arg-type]
        conn.execute("ALTER TABLE api.audit ENABLE TRIGGER fixed")


def verdict(dsn: str, known: Head | None = None) -> tuple[int | None, str]:
    with psycopg.connect(dsn) as conn:
        found = audit.verify(conn, known)
    return found.cut, found.why


def test_each_reading_and_each_command_is_written_with_who_and_of_whom(client: TestClient, dsn: str) -> None:
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    before = len(book(dsn, "n"))
    client.get("/api/v1/patients/ada")
    client.get(f"/api/v1/alerts/{alert}/ecg")
    client.post(f"/api/v1/alerts/{alert}/accept")
    client.post("/api/v1/symptoms", json={"patient": "ada", "symptoms": ["faint"]})
    client.get("/api/v1/patients")
    client.get("/api/v1/health")  # figures of everybody are nobody's
    sign_in(client, "olga")
    client.delete("/api/v1/accounts/lin")
    assert book(dsn, "who", "role", "what", "subject", "outcome")[before:] == [
        ("lin", "doctor", "GET /patients/{patient}", "ada", "begun"),
        ("lin", "doctor", "GET /alerts/{alert}/ecg", "ada", "begun"),
        ("lin", "doctor", "POST /alerts/{alert}/accept", "ada", "begun"),
        ("lin", "doctor", "POST /symptoms", None, "begun"),
        ("lin", "doctor", "POST /symptoms", "ada", "begun"),
        ("lin", "doctor", "GET /patients", None, "begun"),
        ("olga", "admin", "DELETE /accounts/{login}", "account lin", "begun"),
    ]


def test_what_is_refused_is_written_too(client: TestClient, dsn: str) -> None:
    agree(dsn, "bea", "ito")
    sign_in(client, "lin")
    before = len(book(dsn, "n"))
    assert client.get("/api/v1/patients/bea").status_code == 403
    assert client.get("/api/v1/accounts").status_code == 403
    sign_in(client, "ada")
    assert client.get("/api/v1/patients/ada").status_code == 403
    assert book(dsn, "who", "what", "subject", "outcome", "reason")[before:] == [
        ("lin", "GET /patients/{patient}", "bea", "refused", "not theirs"),
        ("lin", "GET /accounts", None, "refused", "not for this kind of account"),
        ("patient", "GET /patients/{patient}", "ada", "refused", "not for this kind of account"),
    ]


def test_what_cannot_be_written_is_not_done_but_an_alert_can_be_taken(client: TestClient, dsn: str) -> None:
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("ALTER TABLE api.audit RENAME TO elsewhere")
    for told in (
        client.get("/api/v1/patients/ada"),
        client.post(f"/api/v1/alerts/{alert}/close"),
        client.post("/api/v1/symptoms", json={"patient": "ada", "symptoms": ["faint"]}),
    ):
        assert told.status_code == 503
        assert "written down" in told.json()["detail"]
    assert client.post(f"/api/v1/alerts/{alert}/acknowledge").json()["state"] == "held"
    assert client.post(f"/api/v1/alerts/{alert}/accept").json()["state"] == "taken"


def test_a_book_that_is_held_keeps_nobody_waiting_for_long(client: TestClient, dsn: str) -> None:
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    with psycopg.connect(dsn) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended('api.audit', 0))")
        assert client.get("/api/v1/patients/ada").status_code == 503
        assert client.post(f"/api/v1/alerts/{alert}/accept").json()["state"] == "taken"


@pytest.mark.parametrize("change", ["UPDATE api.audit SET who = 'x'", "DELETE FROM api.audit", "TRUNCATE api.audit"])
def test_rows_are_only_added(dsn: str, change: str) -> None:
    add(dsn, 1)
    with psycopg.connect(dsn) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(change)  # type: ignore[arg-type]
    assert book(dsn, "who") == [("lin",)]


def test_rows_written_side_by_side_make_one_chain(dsn: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda who: add(dsn, 15, who), ("a", "b", "c", "d")))
    assert [n for (n,) in book(dsn, "n")] == list(range(1, 61))
    assert verdict(dsn) == (None, "")


@pytest.mark.parametrize(
    ("done", "cut", "why"),
    [
        ("UPDATE api.audit SET subject = 'other' WHERE n = 4", 4, "it is not as it was written"),
        ("UPDATE api.audit SET at = at - interval '1 day' WHERE n = 4", 4, "it is not as it was written"),
        ("UPDATE api.audit SET outcome = 'refused' WHERE n = 4", 4, "it is not as it was written"),
        ("DELETE FROM api.audit WHERE n = 4", 5, "rows are missing before it"),
        ("DELETE FROM api.audit WHERE n = 1", 2, "rows are missing before it"),
        # The row taken out and the others moved up: the hashes show it.
        ("DELETE FROM api.audit WHERE n = 4; UPDATE api.audit SET n = n - 1 WHERE n > 4", 4, "it is not as it was written"),
        ("DELETE FROM api.audit WHERE n > 6", 7, "the end is missing"),
        ("DELETE FROM api.audit", 1, "the end is missing"),
    ],
)  # fmt: skip
def test_a_cut_is_found_at_its_first_row(dsn: str, done: str, cut: int, why: str) -> None:
    heads = add(dsn, 8)
    assert verdict(dsn, heads[-1]) == (None, "")
    for one in done.split("; "):
        unguarded(dsn, one)
    assert verdict(dsn, heads[-1]) == (cut, why)


def test_a_chain_that_was_written_anew_does_not_fit_the_file(dsn: str) -> None:
    heads = add(dsn, 3)
    unguarded(dsn, "DELETE FROM api.audit")
    add(dsn, 4, "somebody else")
    assert verdict(dsn) == (None, "")
    assert verdict(dsn, heads[-1])[0] == 3


def test_the_file_goes_forward_only_and_never_over_a_cut(dsn: str, tmp_path: Path) -> None:
    one, other = (HeadFile(tmp_path / "audit.head") for _ in range(2))
    assert one.read() is None
    heads = add(dsn, 5)
    assert one.note(heads[4])
    assert other.note(heads[2])  # another process that was slower
    with psycopg.connect(dsn) as conn:
        one.save(conn)
        other.save(conn)
    assert other.read() == heads[4]
    unguarded(dsn, "DELETE FROM api.audit WHERE n > 2")
    anew = add(dsn, 6, "somebody else")
    one.note(anew[-1])
    with psycopg.connect(dsn) as conn:
        one.save(conn)
    assert one.read() == heads[4]
    assert verdict(dsn, one.read())[0] == 5


def test_verify_over_the_api_names_a_tail_that_was_cut_off(client: TestClient, dsn: str) -> None:
    sign_in(client, "olga")
    assert client.get("/api/v1/audit/verify").json()["whole"]
    with psycopg.connect(dsn) as conn:
        client.app.state.house.head.save(conn)  # type: ignore[attr-defined]
    unguarded(dsn, "DELETE FROM api.audit WHERE n > 2")
    told = client.get("/api/v1/audit/verify").json()
    assert (told["whole"], told["cut"], told["why"]) == (False, 4, "the end is missing")  # what asks is row 3


def test_the_book_is_listed_by_patient_and_person_page_by_page(client: TestClient, dsn: str) -> None:
    add(dsn, 5)
    add(dsn, 2, "sample")
    sign_in(client, "olga")
    seen, before = [], None
    while True:
        query = {"who": "lin", "limit": 2} | ({"before": before} if before else {})
        told = client.get("/api/v1/audit", params=query).json()
        seen += [row["subject"] for row in told["audit"]]
        before = told["next"]
        if before is None:
            break
    assert seen == ["p4", "p3", "p2", "p1", "p0"]
    listed = client.get("/api/v1/audit", params={"patient": "p1"}).json()["audit"]
    assert {row["who"] for row in listed} == {"lin", "sample"}
    sign_in(client, "lin")
    assert client.get("/api/v1/audit").status_code == 403


def test_a_patient_sees_who_looked_and_not_what_they_looked_at_themselves(client: TestClient, dsn: str) -> None:
    sign_in(client, "lin").get("/api/v1/patients/ada")
    sign_in(client, "sample").get("/api/v1/patients/bea")
    sign_in(client, "ada").get("/api/v1/patients/ada/pauses")
    told = client.get("/api/v1/me/audit").json()["audit"]
    assert [(row["name"], row["role"], row["what"]) for row in told] == [("lin", "doctor", "GET /patients/{patient}")]
    assert dsn not in str(told)


def test_break_glass_opens_one_record_for_an_hour_and_the_patient_sees_why(client: TestClient, dsn: str) -> None:
    agree(dsn, "ada", "ito")
    agree(dsn, "bea", "ito")
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "lin")
    told = client.get("/api/v1/patients/ada")
    assert (told.status_code, told.json()["break_glass"]) == (403, "/api/v1/patients/ada/break-glass")
    assert client.post(told.json()["break_glass"], json={"reason": "too short"}).status_code == 422
    assert client.post(told.json()["break_glass"], json={"reason": REASON}).status_code == 201
    assert client.get("/api/v1/patients/ada").status_code == 200
    assert client.get("/api/v1/patients/bea").status_code == 403
    assert client.post(f"/api/v1/alerts/{alert}/accept").status_code == 200
    with client.websocket_connect("/api/v1/live") as socket:
        assert [row["subject"] for row in socket.receive_json()["alerts"]] == ["ada"]
    assert client.put("/api/v1/plans/ada", json={}).status_code == 403  # to see and to answer, not to treat
    assert ("lin", "ada", "opened", REASON) in book(dsn, "who", "subject", "outcome", "reason")
    sign_in(client, "ada")
    assert REASON in [row["reason"] for row in client.get("/api/v1/me/audit").json()["audit"]]
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE api.break_glass SET until_at = clock_timestamp()")
    sign_in(client, "lin")
    assert client.get("/api/v1/patients/ada").status_code == 403


def test_a_dispatcher_sees_a_record_by_break_glass_alone(client: TestClient, dsn: str, tmp_path: Path) -> None:
    bearer = {"authorization": f"Bearer {ensure_token(tmp_path / 'keys')}"}
    body = {"login": "control", "name": "C", "kind": "dispatcher", "password": "correct horse battery"}
    assert client.post("/api/v1/accounts", json=body, headers=bearer).status_code == 201
    alert = alerts_of(dsn, "ada")["ada"]
    sign_in(client, "control")
    assert client.get(f"/api/v1/alerts/{alert}").status_code == 403
    assert client.post("/api/v1/patients/ada/break-glass", json={"reason": REASON}).status_code == 201
    assert client.get(f"/api/v1/alerts/{alert}").status_code == 200
    assert client.post(f"/api/v1/alerts/{alert}/accept").status_code == 403
    assert client.get("/api/v1/patients").status_code == 403


@pytest.mark.parametrize("login", ["sample", "olga", "ada", "cleo"])
def test_nobody_else_breaks_glass(client: TestClient, login: str) -> None:
    sign_in(client, login)
    assert client.post("/api/v1/patients/ada/break-glass", json={"reason": REASON}).status_code == 403
