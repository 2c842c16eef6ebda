"""The cards of a patient's page in a real browser: plan, history, devices, pauses, and who may change them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe

from api.access import ensure_token
from gateway.reading import DeviceStatus, Reading, ReadingKind
from stream.finding import Condition
from tests.api.archived import Archive
from tests.api.browsing import Complaints, fits, opened, see, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.served import Site

SHAPES = [(1440, "light", "en"), (1024, "dark", "zh"), (390, "light", "zh"), (320, "dark", "en")]
SHOTS = os.environ.get("TIERWATCH_SHOTS")
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))  # this file was read long before


@pytest.fixture
def machine(site: Site) -> Iterator[httpx2.Client]:
    """Another program, which writes meanwhile."""
    headers = {"authorization": f"Bearer {ensure_token(site.keys)}"}
    with httpx2.Client(base_url=f"{site.url}/api/v1", headers=headers) as client:
        yield client


@pytest.fixture
def archive(dsn: str) -> Iterator[Archive]:
    with Archive(dsn) as archive:
        yield archive


def at_patient(
    browser: Any, site: Site, complaints: Complaints, *, login: str = "lin", patient: str = "ada", **shape: Any
) -> Any:
    page = opened(browser, f"{site.url}/sign-in", complaints, **shape)
    sign_in(page, login)
    page.wait_for_url("**/console")
    page.goto(f"{site.url}/patient#{patient}")
    page.wait_for_selector("#limit-brady_bpm, .card--plan td b")
    page.wait_for_selector(".card--devices .lines, .card--devices .muted")
    return page


def cuff(seq: int, ago: timedelta, slot: int | None = None) -> Reading:
    at = NOW - ago
    return Reading(device="cuff-1", stream="blood_pressure", seq=seq, kind=ReadingKind.BLOOD_PRESSURE,  # type: ignore[arg-type]
                   values=(128.0, 80.0, None, 64.0), at=at, slot=slot, device_time=at.isoformat()[:19],
                   received_at=at)  # fmt: skip


def glucose(archive: Archive) -> None:
    """Three days ago once slowly down to 64 and up again."""
    for seq, value in enumerate([*range(74, 63, -1), *range(64, 75)], 1):
        at = NOW - 72 * HOUR + seq * timedelta(minutes=5)
        archive.take(Reading(device="cgm1", stream="cgm", seq=seq, kind=ReadingKind.GLUCOSE, values=(float(value),),  # type: ignore[arg-type]
                             at=at, device_time=str(seq), received_at=at))  # fmt: skip


def assign(machine: httpx2.Client, archive: Archive, device: str, patient: str, slot: int | None = None) -> None:
    body = {"device": device, "patient": patient, "slot": slot, "from": (NOW - 96 * HOUR).isoformat()}
    assert machine.post("/assignments", json=body).status_code == 202
    archive.take()


def plan_of(machine: httpx2.Client, patient: str = "ada") -> dict[str, Any]:
    found: dict[str, Any] = machine.get(f"/plans/{patient}").json()
    return found


def lived_in(site: Site, machine: httpx2.Client, archive: Archive) -> None:
    """A patient of whom much is known."""
    assign(machine, archive, "cgm1", "ada")
    assign(machine, archive, "cuff-1", "ada", slot=1)
    assign(machine, archive, "cuff-1", "otto", slot=2)
    glucose(archive)
    status = DeviceStatus(device="cgm1", stream="status", seq=1, at=NOW - HOUR, received_at=NOW - HOUR, battery_percent=14,  # type: ignore[arg-type]
                          firmware="2.1", clock_offset_s=-3.0)  # fmt: skip
    archive.take(cuff(1, 3 * HOUR, 1), cuff(2, 2 * HOUR, 2), cuff(3, HOUR, 3), status)
    site.alert("ada", Condition.AF, ago_s=9000)
    alert = site.alert("ada", Condition.VT, ago_s=7000)
    machine.post(f"/alerts/{alert}/close", json={"who": "doctor", "outcome": "false_alarm", "note": "loose electrode"})
    for condition in (Condition.GLUCOSE_LOW, Condition.NO_DATA, Condition.BP_HIGH, Condition.TACHY):
        site.alert("ada", condition, ago_s=600)
    machine.post("/limits", json={"patient": "ada", "limits": {"brady_bpm": 34}, "reason": "athlete, 36 asleep"})
    machine.post("/patients/ada/pauses", json={"kind": "shower", "minutes": 30, "who": "doctor", "role": "doctor"})


def test_beyond_advice_is_amber_tried_and_kept_with_its_reason(
    browser: Any, site: Site, machine: httpx2.Client, archive: Archive, complaints: Complaints
) -> None:
    assign(machine, archive, "cgm1", "ada")
    glucose(archive)
    page = at_patient(browser, site, complaints)
    see(page, ".card--plan .card__aside", "nobody has written a plan")
    page.fill("#limit-glucose_low_mg_dl", "62")
    see(page, ".guard", "62 mg/dL is below the advised 65 mg/dL")
    see(page, ".guard", "The default is 70 mg/dL")
    see(page, ".guard", "Battelino")
    page.click("text=Try on the last 30 days")
    see(page, ".tried", "TIP would not have been raised.")
    see(page, ".tried", "22 glucose readings")
    assert plan_of(machine)["version"] == 0
    page.click("text=Save as version 1")
    see(page, ".refused", "Give a reason")
    assert plan_of(machine)["version"] == 0
    page.fill("#plan-reason", "wakes at 68 every night")
    page.click("text=Save as version 1")
    see(page, ".card--plan .card__aside", "Version 1 · Dr Lin")
    assert (plan_of(machine)["limits"], plan_of(machine)["reason"]) == (
        {"glucose_low_mg_dl": 62}, "wakes at 68 every night",
    )  # fmt: skip
    page.click("summary:has-text('History of versions')")
    see(page, ".versions", "Because: wakes at 68 every night")
    see(page, ".versions", "Glucose low: the default → 62")


def test_beyond_the_bounds_the_servers_sentence_stands_beside_the_field(
    browser: Any, site: Site, machine: httpx2.Client, complaints: Complaints
) -> None:
    page = at_patient(browser, site, complaints)
    page.fill("#limit-brady_bpm", "25")
    see(page, "#say-brady_bpm", "Nobody may set this beyond 30 /min to 60 /min.")
    page.click("text=Save as version 1")
    see(page, "#say-brady_bpm", "brady_bpm = 25 is beyond 30 to 60 (Kusumoto 2018")
    assert page.evaluate("document.activeElement.id") == "limit-brady_bpm"
    assert page.locator("#limit-brady_bpm").get_attribute("aria-invalid") == "true"
    page.keyboard.type("")
    page.click("text=Discard change")
    assert page.locator("#limit-brady_bpm").input_value() == "40"
    assert plan_of(machine)["version"] == 0


def test_a_lost_update_shows_both_and_nothing_is_overwritten_before_somebody_chose(
    browser: Any, site: Site, machine: httpx2.Client, complaints: Complaints
) -> None:
    page = at_patient(browser, site, complaints)
    page.fill("#limit-tachy_bpm", "120")
    assert machine.post("/limits", json={"patient": "ada", "limits": {"tachy_bpm": 140}}).status_code == 202
    page.click("text=Save as version 1")
    see(page, ".held", "operator saved version 1 while you were working from version 0")
    see(page, ".held tbody tr", "140 /min")
    see(page, ".held tbody tr", "120 /min")
    assert plan_of(machine)["limits"] == {"tachy_bpm": 140}
    page.click("text=Save mine on top")
    see(page, ".card--plan .card__aside", "Version 2 · Dr Lin")
    assert plan_of(machine)["limits"] == {"tachy_bpm": 120}


def test_a_care_team_that_reaches_nobody_is_refused_beside_the_person(
    browser: Any, site: Site, machine: httpx2.Client, complaints: Complaints
) -> None:
    page = at_patient(browser, site, complaints)
    page.click("summary:has-text('Who is told')")
    page.click("text=Change the care team")
    doctor = page.locator(".team__member").nth(1)
    doctor.locator("[name=channel]").fill("pigeon")
    page.click("dialog >> text=Save")
    see(page, ".team__member:nth-child(2) .refused", "there is no channel 'pigeon'")
    assert plan_of(machine)["version"] == 0


def test_times_to_measure_are_agreed_and_a_wrong_one_is_refused(
    browser: Any, site: Site, machine: httpx2.Client, complaints: Complaints
) -> None:
    page = at_patient(browser, site, complaints)
    page.click("summary:has-text('When to measure')")
    page.click("text=Change the times")
    page.fill("#times-list", "08:00, 25:00")
    page.click("dialog >> text=Save")
    see(page, "dialog .refused", "hour must be in 0..23")
    assert plan_of(machine)["version"] == 0
    page.fill("#times-list", "08:00, 20:00")
    page.fill("#times-zone", "Europe/Berlin")
    page.click("dialog >> text=Save")
    see(page, ".card--plan .card__aside", "Version 1 · Dr Lin")
    assert plan_of(machine)["pressure_times"] == {
        "times": ["08:00", "20:00"], "zone": "Europe/Berlin", "tolerance_s": 3600,
    }  # fmt: skip


def test_a_slot_that_another_holds_is_given_only_after_a_choice(
    browser: Any, site: Site, machine: httpx2.Client, archive: Archive, dsn: str, complaints: Complaints
) -> None:
    assign(machine, archive, "cuff-1", "otto", slot=2)
    archive.take(cuff(1, 3 * HOUR, 2), cuff(2, HOUR, 3))
    page = at_patient(browser, site, complaints)
    page.click("text=Give a device")
    page.fill("#device-serial", "cuff-1")
    page.fill("#device-slot", "2")
    page.click("dialog >> text=Give it")
    see(page, "dialog .held", "this slot is held by otto")
    page.click("text=End that, then give it to this patient")
    page.wait_for_selector("dialog", state="detached")
    see(page, ".device__held", "slot 2: this patient")
    archive.take()
    with psycopg.connect(dsn) as conn:
        said = conn.execute("SELECT patient FROM stream.assignment ORDER BY position, ord").fetchall()
    assert said == [("otto",), (None,), ("ada",)]
    see(page, ".waits", "Readings of slot 3")
    page.click(".waits .btn")
    see(page, ".device__held", "slot 3: this patient")
    archive.take()
    page.click("text=Correct whose it was")
    page.select_option("#correct-slot", "2")
    page.fill("#correct-from", (datetime.now().astimezone() - 5 * HOUR).strftime("%Y-%m-%dT%H:%M"))
    page.click("dialog >> text=Correct it")
    page.wait_for_selector("dialog", state="detached")
    archive.take()
    with psycopg.connect(dsn) as conn:
        owners = conn.execute("SELECT slot, patient FROM stream.reading ORDER BY slot").fetchall()
    assert owners == [(2, "ada"), (3, "ada")]
    page.locator(".device__held >> text=End").first.click()
    see(page, ".device__held", "to today")


def test_a_pause_is_planned_within_its_bounds_and_lifted_and_monitoring_ends_and_begins(
    browser: Any, site: Site, machine: httpx2.Client, complaints: Complaints
) -> None:
    site.alert("ada", Condition.AF)
    page = at_patient(browser, site, complaints)
    page.click("text=Plan a pause")
    see(page, "dialog", "At most 60 min for this patient.")
    page.fill("#pause-until", (datetime.now().astimezone() + 5 * HOUR).strftime("%Y-%m-%dT%H:%M"))
    page.click("dialog >> text=Plan it")
    see(page, "dialog .refused", "at most 60 min")
    page.select_option("#pause-kind", "charging")
    page.click("dialog >> text=Plan it")
    see(page, ".card--pauses .lines", "charging")
    assert [one["kind"] for one in machine.get("/patients/ada/pauses").json()["pauses"]] == ["charging"]
    page.click("text=Lift")
    see(page, ".card--pauses", "No pause is planned.")
    page.click(".card--pauses >> text=End monitoring")
    go = page.locator("dialog >> text=End it now")
    assert go.get_attribute("aria-disabled") == "true"  # nothing is preset
    page.click("dialog >> text=Death")
    see(page, "dialog .happens", "No message goes to the patient or the family.")
    go.click()
    see(page, ".card--pauses", "Monitoring has ended (Death)")
    assert machine.get("/alerts", params={"open": True}).json()["alerts"] == []
    page.click("text=Begin again")
    see(page, ".card--pauses .card__aside", "monitored")


def test_a_nurse_reads_all_of_it_and_is_told_who_may_change_it(
    browser: Any, site: Site, machine: httpx2.Client, archive: Archive, complaints: Complaints
) -> None:
    lived_in(site, machine, archive)
    page = at_patient(browser, site, complaints, login="sample")
    see(page, ".card--plan", "doctor may change this.")
    see(page, ".card--devices", "slot 1: this patient")
    see(page, ".card--pauses .lines", "shower")
    see(page, ".card--history", "Closed by Dr Lin")
    buttons = page.locator("#cards button").all_inner_texts()
    assert buttons == ["All 26 limits", "All 6"]
    assert page.locator("#cards input, #cards select, #cards textarea:visible").count() == 0


def test_the_history_holds_what_is_closed_too_and_each_leads_to_its_alert(
    browser: Any, site: Site, machine: httpx2.Client, archive: Archive, complaints: Complaints
) -> None:
    lived_in(site, machine, archive)
    page = at_patient(browser, site, complaints)
    assert page.locator(".card--history li").count() == 5
    page.click("text=All 6")
    see(page, ".card--history li:last-child", "Open. Nobody has it.")
    closed = page.locator(".card--history li", has_text="loose electrode")
    see(page, ".card--history li:has-text('loose electrode')", "false alarm: loose electrode. Closed by Dr Lin.")
    assert (closed.locator("a").get_attribute("href") or "").startswith("/console#")


def test_the_cards_have_no_barrier_and_fit_everywhere(
    browser: Any, site: Site, machine: httpx2.Client, archive: Archive, complaints: Complaints
) -> None:
    lived_in(site, machine, archive)
    axe = Axe()
    for width, theme, language in SHAPES:
        page = at_patient(browser, site, complaints, width=width, theme=theme, language=language)
        page.fill("#limit-brady_bpm", "32")
        page.locator(".card--plan .btn--primary").click()
        page.wait_for_selector(".tried h3")
        shot(page, f"cards-{width}-{theme}-{language}")
        fits(page, axe, f"cards {width} {theme} {language}")
        page.locator(".plan__more .btn").click()
        for summary in page.locator(".card--plan summary").all():
            summary.click()
        page.wait_for_selector(".versions li")
        shot(page, f"cards-all-{width}-{theme}-{language}")
        fits(page, axe, f"all {width} {theme} {language}")
        for name, press in (
            ("give", ".card--devices .card__foot .btn"), ("correct", ".device .btn--quiet >> nth=-1"),
            ("end", ".card--pauses .card__foot .btn >> nth=-1"), ("pause", ".card--pauses .card__foot .btn >> nth=0"),
            ("team", ".card--plan details .card__foot .btn >> nth=0"),
            ("times", ".card--plan details .card__foot .btn >> nth=1"),
        ):  # fmt: skip
            page.locator(press).click()
            page.wait_for_selector("dialog")
            shot(page, f"dialog-{name}-{width}-{theme}-{language}", whole=False)
            fits(page, axe, f"{name} {width} {theme} {language}")
            page.keyboard.press("Escape")
            page.wait_for_selector("dialog", state="detached")
        page.context.close()


def shot(page: Any, name: str, *, whole: bool = True) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=whole)
