"""The record goes out to a dispatcher: a link that opens once, the page behind it, answers, and one sheet of paper."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg
import pytest
from playwright.sync_api import expect

from alerts.record import Contact, Record
from alerts.sealing import Seal
from api import links, roster
from stream.finding import Condition
from tests.api.browsing import opened, see, sign_in, state_of
from tests.api.served import Site, beats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.browsing import Complaints


@pytest.fixture
def emergency(site: Site) -> str:
    now = datetime.now(UTC)
    site.ecg("ada", now - timedelta(seconds=100), beats(90, 250), 250.0)
    alert = site.alert("ada", Condition.VF, ago_s=74)
    site.sent_to_dispatch(alert)
    return alert


@pytest.fixture
def browser_of(site: Site) -> Iterator[Any]:
    made: list[httpx2.Client] = []

    def client() -> httpx2.Client:
        made.append(httpx2.Client(base_url=site.url, headers={"origin": site.url}))
        return made[-1]

    yield client
    for one in made:
        one.close()


def test_a_link_opens_once_and_holds_in_the_browser_that_opened_it(site: Site, emergency: str, browser_of: Any) -> None:
    link, mine, other = site.link(emergency), browser_of(), browser_of()
    first = mine.get(link)
    assert (first.status_code, first.headers["location"]) == (303, f"/dispatch/{emergency}")
    assert {"httponly", "samesite=lax"} <= {part.strip().lower() for part in first.headers["set-cookie"].split(";")}
    told = mine.get(f"/api/v1/dispatch/{emergency}").json()
    assert (told["record"]["name"], told["record"]["allergies"]) == (
        "Ada Sampleton",
        ["Penicillin: anaphylaxis (2009)"],
    )
    assert told["ecg"]["rate_hz"] == 250.0
    assert mine.get(f"/api/v1/dispatch/{emergency}/packet").json()["type"] == "document"
    assert mine.get(link).status_code == 303  # the same browser comes again
    second = other.get(link)
    assert second.status_code == 410
    assert 'data-why="used"' in second.text
    assert re.search(r'data-opened="20\d\d-', second.text)
    assert "+44 1632 960000" in second.text
    for path in ("", "/state", "/packet"):
        refused = other.get(f"/api/v1/dispatch/{emergency}{path}")
        assert refused.status_code == 410
        assert "Sampleton" not in refused.text + second.text


def test_the_link_is_of_one_alert(site: Site, emergency: str, browser_of: Any) -> None:
    mine = browser_of()
    mine.get(site.link(emergency))
    another = site.alert("otto", Condition.VF, ago_s=5)
    site.sent_to_dispatch(another)
    assert mine.get(f"/api/v1/dispatch/{another}").status_code == 410
    assert mine.get("/api/v1/dispatch").status_code == 401
    assert mine.get(f"/api/v1/alerts/{emergency}").status_code == 401


def test_looking_ahead_does_not_use_a_link_up(site: Site, emergency: str, browser_of: Any) -> None:
    link = site.link(emergency)
    assert browser_of().get(link, headers={"sec-purpose": "prefetch"}).status_code == 204
    assert browser_of().head(link).status_code == 405
    assert browser_of().get(link).status_code == 303


def test_each_opening_stands_in_the_history_once(site: Site, emergency: str, browser_of: Any) -> None:
    link, mine = site.link(emergency), browser_of()
    mine.get(link), mine.get(link)
    with psycopg.connect(site.dsn) as conn:
        told = conn.execute("SELECT by_whom, before, after FROM alerts.history WHERE what = 'opened'").fetchall()
    assert told == [("dispatch", "sounding", "sounding")]  # whoever looks has not taken it


def test_a_link_ends_but_not_while_the_alert_is_open(site: Site, emergency: str, browser_of: Any) -> None:
    mine, unopened = browser_of(), site.link(emergency)
    mine.get(site.link(emergency))
    with psycopg.connect(site.dsn) as conn:
        conn.execute("UPDATE api.dispatch_link SET ends_at = clock_timestamp() - interval '1 minute'")
    assert 'data-why="over"' in browser_of().get(unopened).text
    left = mine.get(f"/api/v1/dispatch/{emergency}/state").json()["ends_in_s"]
    assert 800 < left < links.AT_LEAST.total_seconds() + 1
    with psycopg.connect(site.dsn) as conn:
        conn.execute("UPDATE api.dispatch_link SET ends_at = clock_timestamp() - interval '1 minute'")
        conn.execute("UPDATE alerts.alert SET state = 'closed' WHERE alert = %s", (emergency,))
    refused = mine.get(f"/api/v1/dispatch/{emergency}/state")
    assert (refused.status_code, refused.json()["why"], refused.json()["call"]) == (410, "over", "+44 1632 960000")


def test_an_answer_is_what_a_signed_callback_says_and_comes_from_our_page(
    site: Site, emergency: str, browser_of: Any
) -> None:
    mine = browser_of()
    mine.get(site.link(emergency))
    path = f"/api/v1/dispatch/{emergency}/answer"
    assert mine.post(path, json={"kind": "accepted"}, headers={"origin": "http://elsewhere.test"}).status_code == 403
    said = mine.post(path, json={"kind": "accepted"}, headers={"idempotency-key": "k1"}).json()
    assert ([one["kind"] for one in said["responses"]], said["state"]) == (["accepted"], "taken")
    again = mine.post(path, json={"kind": "accepted"}, headers={"idempotency-key": "k1"}).json()
    assert len(again["responses"]) == 1
    mine.post(path, json={"kind": "on_the_way"})
    assert state_of(site.dsn, emergency)["answered_by"] == "dispatch"


def test_only_the_hash_of_a_link_is_stored(site: Site, emergency: str) -> None:
    token = site.link(emergency).rsplit("/", 1)[1]
    with psycopg.connect(site.dsn) as conn:
        stored = [row[0] for row in conn.execute("SELECT token FROM api.dispatch_link").fetchall()]
    assert stored == [hashlib.sha256(token.encode()).digest()]


def test_who_is_not_a_dispatcher_does_not_see_the_page_of_one(site: Site, emergency: str, browser_of: Any) -> None:
    for login, status in (("dis", 200), ("lin", 403), ("ada", 403)):
        who = browser_of()
        who.post("/api/v1/session", json={"login": login, "password": "correct horse battery"}).raise_for_status()
        assert who.get(f"/api/v1/dispatch/{emergency}").status_code == status
        assert who.get("/api/v1/dispatch").status_code == status
        assert who.post(f"/api/v1/alerts/{emergency}/link").status_code == (201 if login == "lin" else 403)


def test_a_dispatcher_opens_accepts_and_is_told_to_stand_down(
    browser: Any, site: Site, emergency: str, complaints: Complaints, browser_of: Any
) -> None:
    page = opened(browser, site.link(emergency), complaints)
    see(page, "h1", "entricular fibrillation")
    assert "/d/" not in page.url
    see(page, ".where", "not on record")
    see(page, ".person__name", "Ada Sampleton")
    see(page, ".must", "Penicillin: anaphylaxis (2009)")
    expect(page.locator("[data-kind=on_the_way]")).to_have_attribute("aria-disabled", "true")
    page.click("[data-kind=accepted]")
    see(page, ".btn--done", "Accepted")
    page.click("[data-kind=on_the_way]")
    expect(page.locator(".btn--done")).to_have_count(2)
    assert state_of(site.dsn, emergency)["state"] == "taken"
    nurse = browser_of()
    nurse.post("/api/v1/session", json={"login": "sample", "password": "correct horse battery"})
    nurse.post(f"/api/v1/alerts/{emergency}/close", json={"outcome": "false_alarm"}).raise_for_status()
    see(page, ".down", "Stood down")
    expect(page.locator("[data-kind=arrived]")).to_have_attribute("aria-disabled", "true")
    used = opened(browser, site.link(emergency).rsplit("/", 1)[0] + "/" + "x" * 43, complaints)
    see(used, "h1", "not open to you")
    see(used, ".gone__call", "+44 1632 960000")
    listed = sign_in(opened(browser, site.url, complaints), "dis")
    see(listed, ".emergencies", "entricular fibrillation")


def test_a_phone_shows_eight_seconds_first_then_all(
    browser: Any, site: Site, emergency: str, complaints: Complaints
) -> None:
    page = opened(browser, site.link(emergency), complaints, width=390)
    page.wait_for_selector("#strip")
    short = page.locator("#strip").bounding_box()["height"]
    page.click("#all")
    expect(page.locator("#all")).to_be_hidden()
    assert page.locator("#strip").bounding_box()["height"] > 2 * short


def test_it_prints_on_one_page_however_long_the_record(
    browser: Any, site: Site, emergency: str, complaints: Complaints
) -> None:
    lines = tuple(
        f"A finding of years ago number {n}, with many words about its course and treatment" for n in range(40)
    )
    long = Record(patient="ada", name="Ada " + "Sampleton " * 20, birth_date="1955-03-09", sex="female", language="en",
                  address="12 Example Lane, flat 3, second floor, " * 8, door_code="4711 #", phones=("+44 1632 960003",) * 9,
                  problems=lines, medication=lines, allergies=lines, implants=lines, directives=lines,
                  contacts=tuple(Contact(name=f"Person {n}", phone=f"+44 1632 96000{n}") for n in range(9)))  # fmt: skip
    for record in (None, long):
        if record is not None:
            with psycopg.connect(site.dsn) as conn:
                roster.save(conn, record, Seal(site.keys), datetime.now(UTC))
        page = opened(browser, site.link(emergency), complaints)
        page.wait_for_selector("#strip")
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
