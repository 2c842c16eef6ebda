"""The form of a record in a real browser: entered, kept apart what is none and what is not known, never a lost change."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from api.access import ensure_token
from tests.api.browsing import WAIT_MS, Complaints, fits, opened, see, sign_in
from tests.api.hospital import PATIENT, bundle

if TYPE_CHECKING:
    from tests.api.served import Site

ALLERGIES = "fieldset:has(input[name=known-allergies])"
SHOTS = os.environ.get("TIERWATCH_SHOTS")


def form(browser: Any, site: Site, complaints: Complaints, patient: str = "ada", **shape: Any) -> Any:
    page = opened(browser, f"{site.url}/sign-in", complaints, **shape)
    sign_in(page, "lin")
    page.wait_for_url("**/console")
    page.goto(f"{site.url}/patients/edit#{patient}")
    page.wait_for_selector(".edit__save")
    return page


def entered(site: Site, patient: str = "ada") -> dict[str, Any]:
    headers = {"authorization": f"Bearer {ensure_token(site.keys)}"}
    found: dict[str, Any] = httpx2.get(f"{site.url}/api/v1/patients/{patient}/entered", headers=headers).json()
    return found


def test_saving_what_was_read_changes_nothing_and_none_is_not_unknown(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    before = entered(site)
    page = form(browser, site, complaints)
    assert page.url == f"{site.url}/patients/edit"  # whose it is stands nowhere in the address
    assert "Ada" not in page.title()
    page.click("text=Save the record")
    see(page, ".said", "Saved")
    assert entered(site) == before
    page.check("input[name=known-medication][value=none]")
    page.check("input[name=known-problems][value=unknown]")
    page.fill(f"{ALLERGIES} .edit__row input >> nth=1", "anaphylaxis")
    page.select_option(f"{ALLERGIES} select", "high")
    page.click("text=Save the record")
    see(page, ".said", "Saved")
    after = entered(site)
    assert (after["medication"], after["problems"]) == ([], None)
    assert after["allergies"][0]["criticality"] == "high"
    assert after["contacts"] == before["contacts"]


def test_two_who_write_are_told_and_nothing_is_lost(browser: Any, site: Site, complaints: Complaints) -> None:
    first, second = (form(browser, site, complaints) for _ in range(2))
    for page, street in ((first, "1 First Street"), (second, "2 Second Street")):
        page.get_by_label("Address").fill(street)
    first.click("text=Save the record")
    see(first, ".said", "Saved")
    second.click("text=Save the record")
    see(second, ".said--bad", "Somebody changed this record")
    assert second.get_by_label("Address").input_value() == "2 Second Street"
    assert entered(site)["address"] == "1 First Street"
    second.click("text=Read it again")
    expect(second.get_by_label("Address")).to_have_value("1 First Street", timeout=WAIT_MS)


def test_what_is_wrong_is_named_and_marked(browser: Any, site: Site, complaints: Complaints) -> None:
    page = form(browser, site, complaints)
    page.get_by_label("Birth date").fill("9.3.1955")
    page.click("text=Save the record")
    see(page, ".said--bad", "Birth date")
    assert page.get_by_label("Birth date").get_attribute("aria-invalid") == "true"
    assert entered(site)["birth_date"] == "1955-03-09"


def test_a_hospital_s_file_is_shown_first_then_taken(
    browser: Any, site: Site, complaints: Complaints, tmp_path: Path
) -> None:
    before = entered(site)
    page = form(browser, site, complaints)
    broken, good = tmp_path / "broken.json", tmp_path / "good.json"
    broken.write_text(json.dumps(bundle(PATIENT | {"gender": "femail", "birthDate": "x"})))
    good.write_text(json.dumps(bundle()))
    page.set_input_files("#file", broken)
    see(page, ".said--bad", "Bundle.entry[0].resource.birthDate")
    page.set_input_files("#file", good)
    see(page, ".changes", "Penicillin: anaphylaxis, high risk")
    assert entered(site) == before  # so far it was only tried
    page.click("text=Take it into the record")
    see(page, ".said", "Taken")
    taken = entered(site)
    assert taken["medication"][0]["dose"] == "1 in the morning"
    see(page, "fieldset:has(input[name=known-problems])", "38341003")
    page.set_input_files("#file", good)
    see(page, "h3", "Nothing in it is new")


def test_changed_words_lose_their_code(browser: Any, site: Site, complaints: Complaints, tmp_path: Path) -> None:
    file = tmp_path / "good.json"
    file.write_text(json.dumps(bundle()))
    page = form(browser, site, complaints, "new-1")
    page.set_input_files("#file", file)
    page.click("text=Take it into the record")
    see(page, ".said", "Taken")
    page.fill("fieldset:has(input[name=known-problems]) .edit__row input >> nth=0", "Hypotension")
    page.click("text=Save the record")
    see(page, ".said", "Saved")
    (problem,) = entered(site, "new-1")["problems"]
    assert (problem["text"], problem["code"], problem["onset"]) == ("Hypotension", None, "2011-05-02")


@pytest.mark.parametrize(
    ("width", "theme", "language"),
    [(1440, "light", "en"), (1024, "dark", "zh"), (390, "light", "zh"), (320, "dark", "en")],
)
def test_it_fits_and_has_no_barrier(
    browser: Any, site: Site, complaints: Complaints, tmp_path: Path, width: int, theme: str, language: str
) -> None:
    file = tmp_path / "good.json"
    file.write_text(json.dumps(bundle()))
    page = form(browser, site, complaints, width=width, theme=theme, language=language)
    fits(page, Axe(), "form")
    page.set_input_files("#file", file)
    page.wait_for_selector(".changes")
    fits(page, Axe(), "tried")
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"record-{width}-{theme}-{language}.png", full_page=True)


def test_only_clinicians_come_to_it(browser: Any, site: Site, complaints: Complaints) -> None:
    page = opened(browser, f"{site.url}/patients/edit", complaints)
    page.wait_for_url("**/sign-in")
    sign_in(page, "ada")
    page.wait_for_url("**/me")
    page.goto(f"{site.url}/patients/edit#otto")
    page.wait_for_url("**/me*")
