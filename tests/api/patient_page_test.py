"""The clinician's page of one patient and the list of patients, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from stream.finding import Condition
from tests.api.browsing import Complaints, fits, opened, see, sign_in

if TYPE_CHECKING:
    from tests.api.served import Site

SHAPES = [(1440, "light", "en"), (1024, "dark", "zh"), (390, "light", "zh"), (320, "dark", "en")]


def reading(dsn: str, patient: str, kind: str, values: list[float], at: datetime, seq: int = 1) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO stream.reading VALUES (1, %s, %s, %s, 'meter', NULL, %s, %s, '{}', NULL, NULL, 'device', '\\x00', 0, 1,"
            " 1, NULL, %s, true, '\\x00')",
            (seq, at, patient, kind, values, at),
        )  # fmt: skip


def at_patient(browser: Any, site: Site, complaints: Complaints, patient: str = "ada", **shape: Any) -> Any:
    page = opened(browser, f"{site.url}/sign-in", complaints, **shape)
    sign_in(page, "lin")
    page.wait_for_url("**/console")
    page.goto(f"{site.url}/patient#{patient}")
    page.wait_for_selector("h1")
    return page


def test_the_page_says_who_it_is_and_what_must_be_known_and_its_address_and_title_do_not(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    page = at_patient(browser, site, complaints)
    see(page, "h1", "Ada Sampleton")
    see(page, ".who__flags", "Penicillin: anaphylaxis (2009)")
    assert (page.url, page.title()) == (f"{site.url}/patient", "Patient · Tierwatch")
    page.reload()
    see(page, "h1", "Ada Sampleton")
    page.evaluate("location.hash = 'otto'")
    see(page, "h1", "Otto Specimen")
    see(page, ".who__flags", "Allergies: not on record")
    page.go_back()
    see(page, "h1", "Ada Sampleton")


def test_an_open_alert_stands_above_all_and_leads_to_itself_in_the_console(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    page = at_patient(browser, site, complaints, "otto")
    page.wait_for_selector(".health .ok, .health .pill")
    assert page.locator(".opened a").count() == 0
    site.alert("ada", Condition.VF)
    site.alert("otto", Condition.AF)
    see(page, ".opened--dr", "Nobody has it")
    see(page, "#polite", "New alert, DOCTOR")
    assert page.locator(".opened a").count() == 1
    page.click(".opened a")
    see(page, ".alert__who", "Otto Specimen")
    page.keyboard.press("p")
    see(page, "h1", "Otto Specimen")


def test_the_list_finds_by_name_shows_what_is_open_and_leads_on(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    reading(dsn, "ada", "glucose", [112.0], datetime.now(UTC))
    site.alert("otto", Condition.AF)
    page = at_patient(browser, site, complaints)
    page.click(".topbar__nav a >> nth=1")
    see(page, ".people tr:has-text('Otto')", "DOCTOR")
    see(page, ".people tr:has-text('Ada')", "112 mg/dL")
    page.fill(".find", "样本")
    assert page.locator(".people tbody tr").count() == 1
    page.fill(".find", "ada")
    page.click(".people tbody a")
    see(page, "h1", "Ada Sampleton")


def test_nobody_but_clinicians_comes_to_these_pages(browser: Any, site: Site, complaints: Complaints) -> None:
    page = opened(browser, f"{site.url}/patient#otto", complaints)
    page.wait_for_url("**/sign-in*")
    sign_in(page, "ada")
    page.wait_for_url("**/me")
    for path in ("/patient#otto", "/patients"):
        page.goto(site.url + path)
        page.wait_for_url("**/me*")


def test_no_barrier_and_no_sideways_scrolling(browser: Any, site: Site, dsn: str, complaints: Complaints) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    reading(dsn, "ada", "glucose", [112.0], datetime.now(UTC))
    site.many()
    for width, theme, language in SHAPES:
        page = at_patient(browser, site, complaints, width=width, theme=theme, language=language)
        page.wait_for_selector(".opened--em")
        fits(page, axe, f"patient {width}")
        page.goto(f"{site.url}/patients")
        page.wait_for_selector(".people tbody .tier")
        fits(page, axe, f"patients {width}")
        page.context.close()
