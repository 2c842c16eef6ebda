"""A family's page: what the patient allows, and nothing else; by the API, and as it is seen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe

from alerts.sealing import Seal
from api import accounts
from api.access import ensure_token
from api.accounts import Account, Kind
from stream.finding import Condition
from tests.api.browsing import fits, opened, see, sign_in
from tests.api.served import PASSWORD, Site
from tests.api.wearing import Wearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.browsing import Complaints

FAMILY = (
    Account(login="cleo", kind=Kind.FAMILY, name="Cleo", person="cleo", patient="ada"),
    Account(login="otis", kind=Kind.FAMILY, name="Otis", person="otis", patient="otto"),
)
ALWAYS = {"at", "shown", "practice"}
PARTS = {
    "status": {"status"},
    "alerts": {"alerts", "on_call"},
    "readings": {"vitals", "glucose_unit"},
    "devices": {"devices"},
}


@pytest.fixture
def house(site: Site) -> Iterator[Site]:
    """Ada wears a sensor, her sugar is low; she and Otto have each a child with an account."""
    with psycopg.connect(site.dsn) as conn:
        for one in FAMILY:
            accounts.add(conn, one, PASSWORD, Seal(site.keys))
    wearing = Wearing(site.dsn)
    wearing.given("cgm1")
    wearing.glucose(62.0)
    site.alert("ada", Condition.GLUCOSE_LOW)
    yield site
    wearing.archive.conn.close()


@contextmanager
def signed_in(site: Site, login: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{site.url}/api/v1", headers={"origin": site.url}, trust_env=False) as client:
        assert client.post("/session", json={"login": login, "password": PASSWORD}).status_code == 200
        yield client


def test_what_is_shared_is_shown_and_nothing_else(house: Site) -> None:
    with signed_in(house, "ada") as ada, signed_in(house, "cleo") as cleo:
        told = cleo.get("/family").json()
        assert set(told) == ALWAYS | PARTS["status"] | PARTS["alerts"]  # until the patient says otherwise
        assert told["status"] == "open"
        (alert,) = told["alerts"]
        assert alert["plain"]["en"] == "Your sugar is low."
        assert {"evidence", "why", "condition", "do"}.isdisjoint(alert)
        for shown in ([], ["status"], ["alerts"], ["readings"], ["devices"], list(PARTS)):
            assert ada.put("/me/shares", json={"login": "cleo", "shown": shown}).status_code == 200
            told = cleo.get("/family").json()
            assert set(told) == ALWAYS.union(*(PARTS[one] for one in shown)), shown
            assert told["shown"] == sorted(shown)
        (one,) = ada.get("/me/shares").json()["family"]
        assert (one["name"], one["shown"]) == ("Cleo", sorted(PARTS))


def test_a_patient_shares_with_their_own_family_alone(house: Site) -> None:
    with signed_in(house, "ada") as ada, signed_in(house, "otis") as otis:
        for login in ("otis", "lin", "ada", "nobody"):
            assert ada.put("/me/shares", json={"login": login, "shown": ["readings"]}).status_code == 404, login
        told = otis.get("/family").json()
        assert told["shown"] == ["alerts", "status"]
        assert (told["status"], told["alerts"]) == ("none", [])  # Otto's, of whom nothing is known; never Ada's


def test_a_family_account_opens_nothing_else(house: Site) -> None:
    with signed_in(house, "cleo") as cleo, signed_in(house, "lin") as lin:
        alert = house.alert("ada", Condition.EXTREME_TACHY)
        for path in ("/me", "/me/tips", "/me/shares", "/me/devices", "/alerts", f"/alerts/{alert}", "/patients/ada",
                     "/patients/ada/pauses", "/plans/ada"):  # fmt: skip
            assert cleo.get(path).status_code == 403, path
        assert cleo.post(f"/alerts/{alert}/answer", json={"answer": "well"}).status_code == 403
        assert cleo.post("/symptoms", json={"patient": "ada", "symptoms": ["faint"]}).status_code == 403
        assert cleo.put("/me/shares", json={"login": "cleo", "shown": list(PARTS)}).status_code == 403
        assert lin.get("/family").status_code == 403


def test_a_pause_is_planned_and_ended_by_the_patient_alone(house: Site) -> None:
    with signed_in(house, "ada") as ada:
        body = {"kind": "shower", "minutes": 20, "role": "patient"}
        made = ada.post("/patients/ada/pauses", json=body)
        assert made.status_code == 201
        assert ada.post("/patients/otto/pauses", json=body).status_code == 403
        token = {"authorization": f"Bearer {ensure_token(house.keys)}"}
        with httpx2.Client(base_url=f"{house.url}/api/v1", headers=token, trust_env=False) as machine:
            theirs = machine.post("/patients/otto/pauses", json={"kind": "shower", "minutes": 20}).json()["pause"]
        assert ada.delete(f"/patients/otto/pauses/{theirs}").status_code == 403
        assert ada.delete(f"/patients/ada/pauses/{theirs}").status_code == 404
        assert ada.delete(f"/patients/ada/pauses/{made.json()['pause']}").status_code == 200


def test_the_page_follows_what_is_withdrawn(browser: Any, house: Site, complaints: Complaints) -> None:
    page = sign_in(opened(browser, house.url, complaints, width=390), "cleo")
    page.wait_for_url("**/family")
    see(page, "h1", "There is something to do")
    see(page, ".tip-card", "Your sugar is low.")
    see(page, "main", "Who is there now")
    patient = sign_in(opened(browser, house.url, complaints, width=390), "ada")
    patient.click("text=What my family sees")
    for what in ("status", "alerts"):
        patient.click(f"[data-act=cleo-{what}]")
        patient.wait_for_selector(f"[data-act=cleo-{what}]:not(:checked)")
    see(page, "h1", "Nothing is shared with you now")
    assert "sugar" not in page.locator("main").inner_text().lower()
    assert page.locator("a[href='tel:112']").count() == 1
    for what in ("readings", "devices"):
        patient.click(f"[data-act=cleo-{what}]")
        patient.wait_for_selector(f"[data-act=cleo-{what}]:checked")
    see(page, "main", "62")
    see(page, ".device", "Sugar sensor")


@pytest.mark.parametrize(
    ("width", "theme", "language"), [(1440, "light", "en"), (390, "dark", "zh"), (320, "light", "en")]
)
def test_the_page_fits_and_has_no_barrier(
    browser: Any, house: Site, complaints: Complaints, width: int, theme: str, language: str
) -> None:
    with signed_in(house, "ada") as ada:
        ada.put("/me/shares", json={"login": "cleo", "shown": list(PARTS)})
    page = opened(browser, house.url, complaints, width=width, theme=theme, language=language)
    sign_in(page, "cleo")
    page.wait_for_selector(".device")
    fits(page, Axe(), f"family {width} {theme} {language}")


KEPT = """async () => { await navigator.serviceWorker.ready;
  while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 50)); }"""


@pytest.mark.parametrize("login", ["ada", "cleo"])
def test_without_a_network_the_page_says_that_nothing_is_seen_and_how_to_call(
    browser: Any, house: Site, complaints: Complaints, login: str
) -> None:
    page = sign_in(opened(browser, house.url, complaints, width=390), login)
    page.wait_for_selector(".hero")
    page.evaluate(KEPT)
    kept = page.evaluate(
        "async () => (await (await caches.open('tierwatch-offline')).keys()).map((one) => new URL(one.url).pathname)"
    )
    assert not [one for one in kept if one.startswith("/api") or one in {"/me", "/family", "/"}]  # nobody's data
    page.context.set_offline(True)
    page.goto(house.url)
    see(page, "h1", "We cannot see your readings")
    see(page, "a[href='tel:112']", "Call 112")
    fits(page, Axe(), "offline")
    page.context.set_offline(False)
    page.click("text=Try again")
    page.wait_for_selector(".hero--tip")


def test_who_opened_the_record_is_told_by_name(browser: Any, house: Site, complaints: Complaints) -> None:
    with signed_in(house, "lin") as lin:
        for _ in range(3):
            assert lin.get("/patients/ada").status_code == 200
    page = sign_in(opened(browser, house.url, complaints, width=390), "ada")
    page.click("text=Who opened my record")
    see(page, ".ways", "Dr Lin")
    see(page, ".ways", "Looked at it.")
    see(page, ".ways", ", 3 times")
    fits(page, Axe(), "opened")
