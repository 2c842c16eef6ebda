"""Who may do what: all routes times all kinds of accounts, nobody and a machine, with a patient of theirs and another's.

A route that is not in the table here fails. `docs/interfaces.md` carries the table of rights, made from the routes
(`TIERWATCH_GOLDEN=write` writes it). What a route does with a body is for its own tests: here it gets none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient

from api import accounts
from api.access import Need, ensure_token
from api.accounts import Account, Kind
from api.app import create_app
from api.rights import RIGHTS
from api.settings import ApiSettings
from stream.finding import Condition
from tests.alerts.desk import HandClock
from tests.api.panels_test import SECRET, agree, alerts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alerts.sealing import Seal

DOC = Path(__file__).parents[2] / "docs" / "interfaces.md"
BEGIN, END = "<!-- rights: made by tests/api/rights_test.py -->", "<!-- /rights -->"

P, F, D, N, S, A = Kind.PATIENT, Kind.FAMILY, Kind.DOCTOR, Kind.NURSE, Kind.DISPATCHER, Kind.ADMIN
EVERYBODY = frozenset(Kind)
TABLE: dict[str, frozenset[Kind]] = {
    "GET /accounts": frozenset({A}),
    "POST /accounts": frozenset({A}),
    "PUT /accounts/{login}/password": frozenset({A}),
    "DELETE /accounts/{login}": frozenset({A}),
    "GET /alerts": frozenset({P, D, N, A}),
    "GET /alerts/{alert}": frozenset({D, N}),  # an admin those of the equipment: below
    "POST /alerts/{alert}/accept": frozenset({D, N}),
    "POST /alerts/{alert}/acknowledge": frozenset({D, N}),  # a patient a tip: accounts_test
    "POST /alerts/{alert}/answer": frozenset({P, D, N}),
    "POST /alerts/{alert}/close": frozenset({D, N}),
    "GET /alerts/{alert}/ecg": frozenset({D, N}),
    "POST /alerts/{alert}/link": frozenset({D, N}),
    "GET /alerts/{alert}/measures": frozenset({D, N}),
    "GET /alerts/{alert}/packet": frozenset({D, N}),
    "GET /alerts/{alert}/packet.pdf": frozenset({D, N}),
    "POST /alerts/{alert}/reject": frozenset({D, N}),
    "POST /alerts/{alert}/snooze": frozenset({P, D, N}),
    "GET /alerts/{alert}/strip.svg": frozenset({D, N}),
    "POST /assignments": frozenset({D}),
    "GET /audit": frozenset({A}),
    "GET /audit/verify": frozenset({A}),
    "GET /bench": frozenset({A}),
    "POST /bench/{patient}/lift": frozenset({A}),
    "GET /channels": frozenset({D, A}),
    "POST /channels/{channel}/{address}/test": frozenset({D, A}),
    "GET /closed": frozenset({D, N}),
    "GET /deliveries": frozenset({D, N, A}),
    "GET /deliveries/{notice}": frozenset({D, N}),
    "POST /deliveries/{notice}/again": frozenset({D, N, A}),
    "GET /devices": frozenset({D, N, A}),
    "GET /dispatch": frozenset({S}),
    "GET /family": frozenset({F}),
    "GET /health": frozenset({D, N, A}),
    "GET /ledger": frozenset({A}),
    "POST /limits": frozenset({D}),
    "GET /me": frozenset({P}),
    "GET /me/audit": frozenset({P}),
    "POST /me/alarm-test": frozenset({P}),
    "PUT /me/choices": frozenset({P}),
    "GET /me/devices": frozenset({P}),
    "GET /me/shares": frozenset({P}),
    "PUT /me/shares": frozenset({P}),
    "GET /me/tips": frozenset({P}),
    "GET /patients": frozenset({D, N}),
    "GET /patients/{patient}": frozenset({D, N}),
    "PUT /patients/{patient}": frozenset({D, N}),
    "GET /patients/{patient}/alerts": frozenset({D, N}),
    "POST /patients/{patient}/begin": frozenset({D}),
    "POST /patients/{patient}/break-glass": frozenset({D, S}),
    "GET /patients/{patient}/devices": frozenset({D, N, A}),
    "POST /patients/{patient}/end": frozenset({D}),
    "GET /patients/{patient}/ecg": frozenset({D, N}),
    "GET /patients/{patient}/ecg.bin": frozenset({D, N}),
    "GET /patients/{patient}/ecg.edf": frozenset({D, N}),
    "GET /patients/{patient}/ecg.pdf": frozenset({D, N}),
    "GET /patients/{patient}/ecg.svg": frozenset({D, N}),
    "GET /patients/{patient}/ecg.zip": frozenset({D, N}),
    "GET /patients/{patient}/entered": frozenset({D, N}),
    "POST /patients/{patient}/import": frozenset({D, N}),
    "GET /patients/{patient}/findings": frozenset({D, N}),
    "GET /patients/{patient}/monitoring": frozenset({P, D, N}),
    "GET /patients/{patient}/pauses": frozenset({P, D, N}),
    "POST /patients/{patient}/pauses": frozenset({P, D}),
    "DELETE /patients/{patient}/pauses/{pause}": frozenset({P, D}),
    "GET /patients/{patient}/readings": frozenset({D, N}),
    "GET /patients/{patient}/summary": frozenset({D, N}),
    "GET /patients/{patient}/summary.pdf": frozenset({D, N}),
    "GET /patients/{patient}/trends": frozenset({D, N}),
    "GET /plans/{patient}": frozenset({D, N}),
    "PUT /plans/{patient}": frozenset({D}),
    "GET /plans/{patient}/limits": frozenset({D, N}),
    "GET /plans/{patient}/reachability": frozenset({D, N}),
    "POST /plans/{patient}/try": frozenset({D, N}),
    "GET /plans/{patient}/versions": frozenset({D, N}),
    "GET /quarantine": frozenset({A}),
    "GET /quarantine/{entry}": frozenset({A}),
    "GET /schedules/{name}": frozenset({D, A}),
    "PUT /schedules/{name}": frozenset({A}),
    "GET /schedules/{name}/on-call": frozenset({D, A}),
    "GET /summary": frozenset({D, N}),
    "POST /symptoms": frozenset({P, D, N}),
    "GET /worklist": frozenset({D, N}),
    "GET /session": EVERYBODY,
    "DELETE /session": EVERYBODY,
    "DELETE /sessions": EVERYBODY,
}
"""Below /api/v1: which kinds of accounts come in, where the patient is theirs."""
OUT_OF_SCOPE = frozenset({P, D})
"""Kinds who are refused for a patient who is not theirs, though their kind may."""
ANY_PATIENT = frozenset({"POST /patients/{patient}/break-glass"})
OPEN = frozenset({
    "GET /", "GET /sign-in", "GET /console", "GET /patient", "GET /patients", "GET /me", "GET /worklist", "GET /family",
    "GET /offline", "GET /sw.js", "GET /patients/edit",
    "GET /pages/{path:path}", "GET /pages/count/{count}.svg", "GET /api", "GET /api/{name}", "GET /livez", "GET /readyz",
    "GET /metrics", "GET /api/v1/openapi.json", "POST /api/v1/session", "POST /api/v1/callbacks/{endpoint}",
    "WS /api/v1/live", "WS /api/v1/patients/{patient}/ecg/live", "GET /a", "GET /a/{token}", "POST /a/{token}",
    "GET /d/{token}", "GET /dispatch", "GET /dispatch/{alert}", "GET /api/v1/dispatch/{alert}",
    "GET /api/v1/dispatch/{alert}/state", "GET /api/v1/dispatch/{alert}/packet", "GET /api/v1/dispatch/{alert}/packet.pdf",
    "POST /api/v1/dispatch/{alert}/answer",
    "GET /api/v1/linked", "GET /api/v1/linked/strip.svg", "POST /api/v1/linked/{verb}",
})  # fmt: skip
"""Without a session or a token: files, figures, pages that lead to the sign-in, what is signed in another way; the
sockets, the links of letters and those of dispatchers, which ask by themselves (accounts_test, panels_test, ecg_live_test,
link_routes_test, dispatch_test)."""
ACCOUNTS = (
    Account(login="p", kind=P, name="Ada", person="patient", patient="ada"),
    Account(login="f", kind=F, name="Cleo", person="cleo", patient="ada"),
    Account(login="d", kind=D, name="Dr Lin", person="lin"),
    Account(login="n", kind=N, name="R. Sample", person="sample"),
    Account(login="s", kind=S, name="Control room", person="control"),
    Account(login="a", kind=A, name="Olga", person="olga"),
)


def routes_of(app: Any) -> Iterator[tuple[str, Any]]:
    """Every route, as METHOD /path."""

    def walk(routes: Any) -> Iterator[Any]:
        for one in routes:
            yield from walk(one.original_router.routes) if hasattr(one, "original_router") else (one,)

    for route in walk(app.routes):
        for method in sorted(getattr(route, "methods", None) or {"WS"}):
            if method != "HEAD":
                yield f"{method} {route.path}", route


def need_of(dependant: Any) -> Need | None:
    for one in dependant.dependencies:
        found = one.call if isinstance(one.call, Need) else need_of(one)
        if found is not None:
            return found
    return None


@pytest.fixture
def client(dsn: str, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(ApiSettings(), dsn, tmp_path / "keys", HandClock())
    with TestClient(app, headers={"sec-fetch-site": "same-origin"}) as made:
        seal: Seal = app.state.house.seal
        with psycopg.connect(dsn) as conn:
            for one in ACCOUNTS:
                accounts.add(conn, one, SECRET, seal)
        agree(dsn, "ada", "lin")
        agree(dsn, "bea", "ito")
        yield made


def session(client: TestClient, login: str) -> dict[str, str]:
    client.cookies.clear()
    assert client.post("/api/v1/session", json={"login": login, "password": SECRET}).status_code == 200
    (token,) = client.cookies.values()
    client.cookies.clear()
    return {"cookie": f"tierwatch={token}"}


def test_every_route_is_in_the_table(client: TestClient) -> None:
    found = {told for told, _ in routes_of(client.app)}
    known = {one.replace(" /", " /api/v1/", 1) for one in TABLE} | OPEN
    assert found - known == set(), "a route that is in no table: say here who may use it"
    assert known - found == set(), "no such route any more"


def test_every_route_lets_in_whom_the_table_says_and_refuses_everybody_else(
    client: TestClient, dsn: str, tmp_path: Path
) -> None:
    found = alerts_of(dsn, "ada", "bea")
    with psycopg.connect(dsn, autocommit=True) as conn:
        notices = dict(
            conn.execute(
                "INSERT INTO alerts.notice (notice, alert, type, event, generation, cycle, rung, person, channel, address,"
                " role, tier, first_due_at, due_at) SELECT gen_random_uuid(), alert, 'alert.raised', 'raised', 9, 9, 9,"
                " 'nobody', 'log', 'nobody', 'doctor', tier, raised_at, raised_at FROM alerts.alert"
                " RETURNING (SELECT subject FROM alerts.alert a WHERE a.alert = notice.alert), notice::text"
            ).fetchall()
        )
    who: dict[Kind | str, dict[str, str]] = {one.kind: session(client, one.login) for one in ACCOUNTS}
    who |= {"machine": {"authorization": f"Bearer {ensure_token(tmp_path / 'keys')}"}, "nobody": {}}
    wrong = []
    logins = {one.kind: one.login for one in ACCOUNTS}
    for route, allowed in sorted(TABLE.items()):
        method, path = route.split(" ")
        for patient in ("ada", "bea"):
            given = {
                "patient": patient, "alert": found[patient], "notice": notices[patient], "entry": uuid4(), "login": "x",
                "name": "none", "pause": uuid4(), "channel": "log", "address": "x",
            }  # fmt: skip
            is_about = any(f"{{{name}}}" in path for name in ("patient", "alert", "notice"))
            for kind, headers in who.items():
                if isinstance(kind, Kind):
                    comes_in = kind in allowed
                    if is_about and patient == "bea" and kind in OUT_OF_SCOPE and route not in ANY_PATIENT:
                        comes_in = False
                else:
                    comes_in = kind == "machine"
                if path.startswith(("/me", "/family")) and kind == "machine":
                    comes_in = False  # it has no page of its own
                told = client.request(method, f"/api/v1{path.format(**given)}", headers=headers)
                is_in = told.status_code not in {401, 403}
                if route.startswith("DELETE /session") and isinstance(kind, Kind):
                    who[kind] = session(client, logins[kind])
                if is_in != comes_in or told.status_code >= 500 or (kind == "nobody" and told.status_code != 401):
                    wrong.append(f"{route} of {patient} by {kind}: {told.status_code} {told.text[:120]}")
    assert not wrong, "\n".join(wrong)


def test_an_admin_has_alerts_of_the_equipment_alone(client: TestClient, dsn: str) -> None:
    found = alerts_of(dsn, "ada", condition=Condition.NO_DATA)["ada"]
    admin = session(client, "a")
    for verb in ("accept", "reject", "close"):
        assert client.post(f"/api/v1/alerts/{found}/{verb}", headers=admin).status_code == 200
    for path in ("ecg", "strip.svg", "packet"):
        assert client.get(f"/api/v1/alerts/{found}/{path}", headers=admin).status_code == 403


def test_the_interfaces_page_carries_the_table_as_it_is(client: TestClient) -> None:
    lines = [
        "",
        "| route | right | patient | family | doctor | nurse | dispatcher | admin |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for told, route in sorted(routes_of(client.app), key=lambda one: (one[1].path, one[0])):
        need = need_of(route.dependant) if hasattr(route, "dependant") else None
        if need is not None:
            rights = ", ".join(sorted(need.rights))
            ticks = " | ".join("x" if RIGHTS[kind] & need.rights else "" for kind in Kind)
            lines.append(f"| `{told.replace('/api/v1', '')}` | {rights} | {ticks} |")
    made = "\n".join([*lines, "", ""])
    text = DOC.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    now, _, after = rest.partition(END)
    if os.environ.get("TIERWATCH_GOLDEN") == "write":
        DOC.write_text(f"{before}{BEGIN}\n{made}{END}{after}", encoding="utf-8")
        now = f"\n{made}"
    assert now == f"\n{made}"
