"""The link of a letter: scanners do not use it up, a person does once, and then it is about one alert alone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe

from alerts import sending
from alerts.delivery.letter import letter
from alerts.delivery.outcome import Message
from alerts.ladder import Role
from alerts.links import Links
from alerts.sealing import Seal
from api.roster import record_source
from stream.finding import Condition
from tests.api.browsing import Complaints, fits, opened, see, state_of
from tests.api.served import Site

OURS = {"sec-fetch-site": "same-origin"}


def told(site: Site, alert: str) -> Message:
    """The doctor's notice of an alert, frozen as the station freezes it."""
    seal, now = Seal(site.keys), datetime.now(UTC)
    records = record_source(lambda: psycopg.connect(site.dsn), seal)
    with psycopg.connect(site.dsn, autocommit=True) as conn, ThreadPoolExecutor(2) as waiting:
        claimed = sending.claim(conn, now + timedelta(minutes=20), limit=50, lease_s=1.0)
        (one,) = (one for one in claimed if str(one.notice.alert) == alert and one.notice.to.role is Role.DOCTOR)
        body = sending.freeze(
            conn, one, seal, records, waiting, now, lambda _: '<svg xmlns="http://www.w3.org/2000/svg"/>'
        )
    to = one.notice.to
    return Message(
        notice=one.notice.notice, type=one.notice.type, person=to.person, address="lin@practice.example",
        tier=one.notice.tier, body=body, at=now,
    )  # fmt: skip


def link_of(site: Site, notice: UUID) -> str:
    found = Links(site.url, site.keys, site.dsn).of(notice)
    assert found is not None
    return found


@pytest.fixture
def message(site: Site) -> Message:
    return told(site, site.alert("ada", Condition.AF))


def plain(written: Any) -> str:
    return str(written.get_body(("plain",)).get_content())


def test_a_letter_to_a_doctor_carries_the_link_and_says_nothing_of_the_patient_in_it(
    site: Site, message: Message
) -> None:
    link = link_of(site, message.notice)
    first = letter(message, "tierwatch@practice.example", link)
    assert link in plain(first)
    assert f'href="{link}"' in first.get_body(("html",)).get_content()  # type: ignore[union-attr]
    token = link.rpartition("/")[2]
    assert len(token) >= 43  # 256 bits
    assert "ada" not in link.lower()
    assert str(message.notice) not in link
    assert link_of(site, message.notice) == link  # the letter of a retry is the same letter
    with psycopg.connect(site.dsn) as conn:
        stored = conn.execute("SELECT l::text FROM alerts.link l").fetchall()
    assert token not in str(stored)


def test_without_an_address_it_says_where_to_sign_in(site: Site, message: Message) -> None:
    assert Links("", site.keys, site.dsn).of(message.notice) is None
    assert "sign in at your Tierwatch console" in plain(letter(message, "tierwatch@practice.example"))


def test_no_database_keeps_no_letter(site: Site, message: Message) -> None:
    assert Links(site.url, site.keys, "host=127.0.0.1 port=1").of(message.notice) is None


def test_nobody_else_s_letter_has_a_link(message: Message) -> None:
    body = json.loads(message.body)
    for role in ("dispatch", "patient", "family", "operator"):
        body["data"]["to"]["role"] = role
        other = Message(
            notice=message.notice, type=message.type, person="x", address="x@y.example", tier=message.tier,
            body=json.dumps(body).encode(), at=message.at,
        )  # fmt: skip
        assert "sign in" not in plain(letter(other, "tierwatch@practice.example"))


def test_looking_never_uses_it_up_and_it_opens_once(site: Site, message: Message, dsn: str) -> None:
    link = link_of(site, message.notice)
    for _ in range(3):  # mail scanners
        assert httpx2.get(link).status_code == 200
        assert httpx2.head(link).status_code in {200, 405}
    assert httpx2.get(f"{site.url}/api/v1/linked").status_code == 401
    assert httpx2.post(link).status_code == 403  # not from the page
    with httpx2.Client(base_url=site.url, headers=OURS) as client:
        assert client.post(link).status_code == 204
        shown = client.get("/api/v1/linked").json()
        assert shown["told"]["condition"] == "af"
        assert shown["told"]["record"]["address"] == "withheld"
        assert client.get("/api/v1/linked/strip.svg").headers["content-type"].startswith("image/svg+xml")
    again = httpx2.post(link, headers=OURS)
    assert (again.status_code, again.headers["content-type"]) == (410, "application/problem+json")
    with psycopg.connect(dsn) as conn:  # it is written down who opened what, and when
        assert conn.execute("SELECT notice FROM alerts.link WHERE used_at IS NOT NULL").fetchall() == [
            (message.notice,)
        ]


def test_of_two_who_press_at_once_one_gets_in(site: Site, message: Message) -> None:
    link = link_of(site, message.notice)
    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(lambda _: httpx2.post(link, headers=OURS).status_code, range(8)))
    assert answers == [204, *[410] * 7]


@pytest.mark.parametrize("column", ["ends_at", "over_at"])
def test_a_day_later_it_is_over(site: Site, message: Message, dsn: str, column: str) -> None:
    link = link_of(site, message.notice)
    with httpx2.Client(base_url=site.url, headers=OURS) as client, psycopg.connect(dsn, autocommit=True) as conn:
        if column == "over_at":
            assert client.post(link).status_code == 204
        conn.execute(f"UPDATE alerts.link SET {column} = clock_timestamp()")
        if column == "ends_at":
            assert client.post(link).status_code == 410
        assert client.get("/api/v1/linked").status_code == 401


def test_the_session_is_of_that_alert_alone(site: Site, message: Message) -> None:
    other = site.alert("otto", Condition.AF)
    with httpx2.Client(base_url=site.url, headers=OURS) as client:
        assert client.post(link_of(site, message.notice)).status_code == 204
        for path in ("/alerts", f"/alerts/{other}", "/patients", "/patients/ada", "/me", "/deliveries"):
            assert client.get(f"/api/v1{path}").status_code in {401, 404}, path
        assert client.post(f"/api/v1/alerts/{other}/accept").status_code == 401
        assert client.post("/api/v1/linked/close").status_code == 422
        assert client.post("/api/v1/linked/accept", headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert client.post("/api/v1/linked/acknowledge").json()["state"] == "held"
        taken = client.post("/api/v1/linked/accept").json()
    assert (taken["state"], taken["answered_by"]) == ("taken", "doctor")
    assert state_of(site.dsn, other)["state"] == "sounding"


@pytest.mark.parametrize(
    ("width", "theme", "language"), [(1024, "light", "en"), (390, "dark", "zh"), (320, "light", "en")]
)
def test_a_doctor_opens_it_on_the_phone_and_takes_the_alert(
    browser: Any,
    site: Site,
    message: Message,
    complaints: Complaints,
    width: int,
    theme: str,
    language: str,
) -> None:
    alert = json.loads(message.body)["data"]["alert_id"]
    link = link_of(site, message.notice)
    page = opened(browser, link, complaints, width=width, theme=theme, language=language)
    see(page, "h1", {"en": "An alert waits", "zh": "有一条警报"}[language])
    assert "Ada" not in page.content()
    fits(page, Axe(), "door")
    page.keyboard.press("Tab")
    page.click(".btn--primary")
    see(page, "h1", {"en": "trial fibrillation", "zh": "心房颤动"}[language])
    assert page.url == f"{site.url}/a"  # the address holds nothing any more
    assert "Ada" not in page.title()
    fits(page, Axe(), "alert")
    page.click(".linked__do .btn--primary")
    see(page, ".notice", {"en": "You have it", "zh": "由您接手"}[language])
    assert state_of(site.dsn, alert)["answered_by"] == "doctor"
    fits(page, Axe(), "taken")
    late = opened(browser, link, complaints, width=width, theme=theme, language=language)
    late.click(".btn--primary")
    see(late, "h1", {"en": "was used", "zh": "已使用"}[language])
    fits(late, Axe(), "over")
