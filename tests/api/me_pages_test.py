"""The patient's page in a real browser: what it says when, what it never says, and what comes of each press."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from stream.finding import Condition
from tests.api.browsing import fits, opened, see, sign_in, state_of
from tests.api.wearing import Wearing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.browsing import Complaints
    from tests.api.served import Site

FOLD = 844 - 72


@pytest.fixture
def wearing(dsn: str) -> Iterator[Wearing]:
    """Ada has a band and a sensor; intake is alive."""
    wearing = Wearing(dsn)
    wearing.given("h10")
    wearing.given("cgm1")
    yield wearing
    wearing.archive.conn.close()


def me(browser: Any, site: Site, complaints: Complaints, *, language: str = "en", **more: Any) -> Any:
    page = opened(browser, site.url, complaints, width=more.pop("width", 390), language=language, **more)
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 844})
    sign_in(page, "ada")
    page.wait_for_url("**/me")
    return page


def bottom(page: Any, selector: str) -> float:
    there = page.wait_for_function(  # in one step: the page may draw it anew between two
        "(one) => document.querySelector(one)?.getBoundingClientRect().bottom", arg=selector
    )
    return float(there.json_value())


def test_fine_is_said_only_while_every_device_is_heard(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    page = me(browser, site, complaints)
    see(page, "h1", "We have no readings of you yet")  # nothing is known: nothing is fine
    wearing.ecg()
    wearing.glucose(ago_s=300)
    page.reload()
    see(page, "h1", "Your readings are fine")
    assert bottom(page, "[data-act=unwell]") <= FOLD
    assert "healthy" not in page.locator("main").inner_text()
    wearing.given("cgm2")
    wearing.glucose(ago_s=3600, device="cgm2")  # one of them is silent
    page.reload()
    see(page, "h1", "We cannot see your readings")
    page.click("text=Show which one")
    see(page, ".device .ask", "Put it on")


def test_what_is_answered_but_not_over_is_not_called_fine(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    wearing.ecg()
    wearing.glucose()
    alert = site.alert("ada", Condition.GLUCOSE_LOW)
    page = me(browser, site, complaints)
    see(page, "h1", "Please do this")
    see(page, ".hero", "we tell your doctor in 23 h")
    assert bottom(page, "[data-act=done]") <= FOLD
    page.click("[data-act=done]")
    see(page, "h1", "Thank you. We go on watching.")
    page.reload()
    see(page, "h1", "Thank you. We go on watching.")
    page.click("nav >> text=Tips")
    see(page, ".tip-card", "You have done it")
    assert state_of(dsn, alert)["state"] == "held"


def test_the_countdown_comes_to_the_front_by_keyboard_and_survives_a_reload(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    page = me(browser, site, complaints)
    page.click("nav >> text=Devices")
    see(page, "h1", "My devices")
    alert = site.alert("ada", Condition.EXTREME_TACHY, ago_s=1)
    see(page, "h1", "Are you all right?")
    see(page, "#assertive", "Are you all right?")
    assert page.evaluate("document.activeElement.id") == "screen"  # not on a button: a stray Enter answers nothing
    assert bottom(page, "[data-act=help]") <= FOLD
    until = state_of(dsn, alert)["asked_until"]
    page.reload()
    see(page, "h1", "Are you all right?")
    shown = page.locator(".bignum .num").inner_text()
    left = (until - datetime.now(UTC)).total_seconds()
    assert abs(int(shown.split(":")[1]) - left) < 3
    page.locator("#screen").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    see(page, "h1", "Your doctor will know")
    assert state_of(dsn, alert)["tier"] == "doctor"


def test_a_past_emergency_asks_and_what_dispatch_answers_is_shown(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    alert = site.alert("ada", Condition.VF, present=False, late=True)
    page = me(browser, site, complaints)
    see(page, "h1", "Are you all right?")
    see(page, ".hero", "that is over now")
    page.click("[data-act=help]")
    see(page, "h1", "We are calling for help")
    for kind, heading in (("accepted", "on its way"), ("on_the_way", "Help is on the way"), ("arrived", "arrived")):
        answered(dsn, alert, kind)
        see(page, "h1", heading)
        see(page, ".hero", datetime.now().astimezone().strftime("%H:"))
    expect(page.locator("a[href='tel:112']").first).to_be_visible()


def answered(dsn: str, alert: str, kind: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO alerts.response (notice, kind, external_id, at, body, endpoint)"
            " SELECT notice, %s, %s, now(), '{}', 'dispatch' FROM alerts.notice WHERE alert = %s LIMIT 1",
            (kind, kind, alert),
        )
        conn.execute("NOTIFY alerts")


def test_i_feel_unwell_goes_into_the_log_says_what_came_of_it_and_can_be_taken_back(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    page = me(browser, site, complaints)
    page.click("[data-act=unwell]")
    assert page.locator(".symptoms button").count() == 5
    page.click("[data-act=faint]")
    see(page, "h1", "We are telling your doctor")
    see(page, ".hero", "You said: Faint or dizzy.")
    assert told_log(dsn) == [["faint"]]
    alert = site.alert("ada", Condition.SYMPTOM, ago_s=1)
    delivered(dsn, alert, "doctor")
    see(page, "h1", "We have told Dr Lin")
    page.reload()
    see(page, "h1", "We have told Dr Lin")
    page.click("text=I pressed by mistake")
    see(page, "h1", "You have taken it back")
    assert told_log(dsn) == [["faint"], ["fine"]]


def told_log(dsn: str) -> list[list[str]]:
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT body -> 'symptoms' FROM stream.inbox WHERE name = 'symptom_report' ORDER BY asked_at"
        )
        return [row[0] for row in found]


def delivered(dsn: str, alert: str, role: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("UPDATE alerts.notice SET status = 'delivered' WHERE alert = %s AND role = %s", (alert, role))
        conn.execute("NOTIFY alerts")


def test_a_pause_is_planned_shown_and_ended(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    wearing.ecg()
    wearing.glucose()
    page = me(browser, site, complaints)
    page.click("text=Plan a pause")
    page.click("[data-act=shower]")
    assert page.locator("[data-act^=min-]").count() == 3  # no longer than the plan allows
    page.click("[data-act=min-30]")
    see(page, ".tip-card", "Shower: until")
    page.click("nav >> text=Home")
    see(page, "h1", "Pause until")
    page.click("[data-act=lift]")
    see(page, "h1", "Your readings are fine")


def test_the_alarm_is_tried_along_the_patients_own_chain_and_not_twice(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    page = me(browser, site, complaints)
    page.click("text=Test my alarm")
    page.click("[data-act=test]")
    see(page, ".ways", "it reaches nobody")  # the default team's way is a line in the log
    page.click("[data-act=test]")
    see(page, ".trouble__line", "Wait ten minutes")
    with psycopg.connect(dsn) as conn:
        tried = conn.execute("SELECT channel, address, by_whom FROM alerts.trial WHERE by_whom = 'patient'").fetchall()
        alarmed = conn.execute("SELECT count(*) FROM alerts.notice").fetchone()
    assert (tried, alarmed) == ([("log", "patient", "patient")], (0,))


def test_glucose_is_read_in_the_unit_of_the_person(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints
) -> None:
    wearing.glucose(122.5)
    page = me(browser, site, complaints)
    see(page, ".readings", "mg/dL")
    page.click("text=Settings")
    page.click("[data-act=unit-mmol]")
    page.goto(f"{site.url}/me")
    see(page, ".readings", "6.8")
    see(page, ".readings", "mmol/L")


SHAPES = [(320, "dark", "en"), (390, "light", "zh")]
SCREENS = ("home", "unwell", "told", "devices", "tips", "call", "cannot", "pause", "alarm", "family", "choices")


@pytest.mark.parametrize(("width", "theme", "language"), SHAPES)
def test_every_screen_fits_and_has_no_barrier(
    browser: Any, site: Site, wearing: Wearing, dsn: str, complaints: Complaints, width: int, theme: str, language: str
) -> None:
    axe = Axe()
    wearing.ecg()
    wearing.battery(8)
    wearing.glucose(ago_s=3600)
    site.alert("ada", Condition.GLUCOSE_LOW)
    page = me(browser, site, complaints, width=width, theme=theme, language=language)
    see(page, ".hero h1", "" if language == "zh" else "Please do this")
    for screen in SCREENS:
        page.evaluate("name => { location.hash = name; }", screen)
        page.wait_for_timeout(250)
        fits(page, axe, f"{screen} {width} {theme} {language}")
        small = page.evaluate(SMALL)
        assert not small, (screen, small)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for screen in SCREENS:
        page.evaluate("name => { location.hash = name; }", screen)
        page.wait_for_timeout(50)
        wide, there = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= there, (screen, "200 %", wide, there, page.evaluate(WIDEST))


SMALL = """() => [...document.querySelectorAll("main button, main a, nav a")].filter((node) => {
  const box = node.getBoundingClientRect(); return box.width && box.height < 48; }).map((node) => node.outerHTML.slice(0, 80))"""
WIDEST = """() => [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.outerHTML.slice(0, 80)).slice(-3)"""
