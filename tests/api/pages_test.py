"""The pages in a real browser, over the real application and database: what people see, press and are told."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import expect

from api.page_routes import HEADERS
from device_sims.proxy import Proxy
from stream.finding import Condition
from tests.api.browsing import WAIT_MS, Complaints, fits, opened, see, sign_in, state_of
from tests.api.served import Site, beats

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_wrong_password_is_told_and_the_right_one_leads_to_the_own_page(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    page = opened(browser, site.url, complaints)
    page.wait_for_url("**/sign-in")
    sign_in(page, "lin", "wrong password")
    see(page, ".problem", "did not match")
    sign_in(page, "lin")
    page.wait_for_url("**/console")
    see(page, ".calm", "All quiet")
    page.goto(f"{site.url}/me")  # not theirs
    page.wait_for_url("**/console")
    page.click(".menu > summary")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.goto(f"{site.url}/console")
    page.wait_for_url("**/sign-in")
    sign_in(page, "ada")
    page.wait_for_url("**/me")


def test_of_two_browsers_that_take_one_alert_one_wins_and_the_other_is_told_who(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    alert = site.alert("ada")
    pages = {login: sign_in(opened(browser, site.url, complaints), login) for login in ("lin", "sample")}
    for page in pages.values():
        see(page, ".alert h2", "entricular fibrillation")
        see(page, ".row__who", "Nobody has it")
    assert state_of(dsn, alert)["state"] == "sounding"  # opening never acknowledges
    held: list[Any] = []
    pages["sample"].route("**/accept", lambda route: held.append(route))  # noqa: PLW0108 - a builtin has no place for its mark
    pages["sample"].keyboard.press("h")  # on its way while the other one takes it
    pages["lin"].click("text=I have it")
    see(pages["lin"], ".alert__line", "You have it")
    see(pages["sample"], ".row__who", "Dr Lin")
    held[0].continue_()
    see(pages["sample"], ".notice", "Dr Lin took it")
    see(pages["sample"], ".row__who", "Dr Lin")
    assert state_of(dsn, alert)["answered_by"] == "doctor"
    pages["lin"].keyboard.press("o")
    see(pages["lin"], "dialog", "What was it?")
    assert pages["lin"].locator("dialog .btn--primary").get_attribute("aria-disabled") == "true"  # nothing is preset
    pages["lin"].click("text=True, no action needed")
    pages["lin"].click("text=Close the alert")
    see(pages["sample"], ".notice", "closed")
    assert (state_of(dsn, alert)["state"], state_of(dsn, alert)["outcome"]) == ("closed", "resolved")


def test_a_cut_socket_shows_disables_and_heals(browser: Any, site: Site, dsn: str, complaints: Complaints) -> None:
    alert = site.alert("ada")
    with proxied(site.port) as (proxy, url, call):
        page = sign_in(opened(browser, url, complaints), "lin")
        see(page, ".alert h2", "entricular fibrillation")
        for cut in (proxy.stall, proxy.cut):  # a network that swallows all, and one that is gone
            call(cut)
            see(page, "#banner", "Not connected for 0:")
            see(page, "#banner", "What you see is from")
            assert page.locator("[data-act=take]").get_attribute("aria-disabled") == "true"
            page.keyboard.press("h")
            if cut == proxy.stall:
                see(page, "#banner", "Not connected for 0:1")  # ten seconds
            else:
                site.alert("otto", Condition.AF)  # meanwhile
            call(proxy.heal)
            expect(page.locator("#banner")).to_be_hidden(timeout=WAIT_MS)
            assert page.locator("[data-act=take]").get_attribute("aria-disabled") is None
        see(page, "#list", "Otto Specimen")
    assert state_of(dsn, alert)["state"] == "sounding"  # what was pressed while cut is not sent later


@contextmanager
def proxied(port: int) -> Iterator[tuple[Proxy, str, Any]]:
    """The proxy on a loop of its own; commands to it are called there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    proxy = Proxy("127.0.0.1", port)
    asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result(10)
    try:
        yield proxy, f"http://127.0.0.1:{proxy.port}", loop.call_soon_threadsafe
    finally:
        asyncio.run_coroutine_threadsafe(proxy.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.mark.parametrize(
    ("word", "tier", "heading"),
    [("well", "doctor", "Your doctor will know"), ("help", "emergency", "calling for help")],
)
def test_the_patient_answers_the_countdown(
    browser: Any, site: Site, dsn: str, complaints: Complaints, word: str, tier: str, heading: str
) -> None:
    page = sign_in(opened(browser, site.url, complaints, width=390), "ada")
    page.wait_for_url("**/me")
    alert = site.alert("ada", Condition.EXTREME_TACHY, ago_s=1)
    see(page, "h1", "Are you all right?")
    assert "0:" in page.locator(".bignum .num").inner_text()
    assert "tachy" not in page.locator("main").inner_text().lower()  # no names of rhythms to patients
    page.click(f"[data-act={word}]")
    see(page, "h1", heading)
    found = state_of(dsn, alert)
    assert (found["tier"], found["asked_until"]) == (tier, None)


def test_a_tip_says_what_to_do_and_is_done(browser: Any, site: Site, dsn: str, complaints: Complaints) -> None:
    alert = site.alert("ada", Condition.GLUCOSE_LOW)
    page = sign_in(opened(browser, site.url, complaints, width=390, language="zh"), "ada")
    see(page, "h1", "请这样做")
    see(page, ".hero ol", "进食含糖食物")
    page.click("[data-act=done]")
    expect(page.locator(".hero--tip")).to_have_count(0, timeout=WAIT_MS)
    assert state_of(dsn, alert)["answered_by"] == "patient"


SHAPES = [(1440, "light", "en"), (1024, "dark", "zh"), (390, "light", "zh"), (320, "dark", "en")]


def test_no_barrier_no_sideways_scrolling_and_nothing_that_the_policy_forbids(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    site.ecg("ada", datetime.now(UTC) - timedelta(seconds=60), beats(60, 130.0), 130.0)
    site.many()
    for width, theme, language in SHAPES:
        page = opened(browser, f"{site.url}/sign-in", complaints, width=width, theme=theme, language=language)
        page.wait_for_selector("#login")
        fits(page, axe, f"sign-in {width}")
        sign_in(page, "sample")
        page.wait_for_selector(".row")
        fits(page, axe, f"console {width}")
        if width <= 760:
            page.click(".row >> nth=0")
            page.wait_for_selector(".strip canvas")
            fits(page, axe, f"alert {width}")
        page.keyboard.press("?")
        page.wait_for_selector("dialog")
        fits(page, axe, f"keys {width}")
        page.context.clear_cookies()
        page.goto(f"{site.url}/me")
        sign_in(page, "ada")
        page.wait_for_selector(".hero--em")
        fits(page, axe, f"me {width}")
        page.context.close()


def test_every_answer_carries_the_strict_headers_and_files_their_etag(site: Site) -> None:
    for path in ("/sign-in", "/pages/js/page.js", "/api/v1/alerts", "/nowhere"):
        told = httpx2.get(site.url + path, trust_env=False)
        assert {name: told.headers.get(name) for name in HEADERS} == HEADERS, path
    first = httpx2.get(f"{site.url}/pages/js/page.js", trust_env=False)
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    again = httpx2.get(
        f"{site.url}/pages/js/page.js", headers={"if-none-match": first.headers["etag"]}, trust_env=False
    )
    assert (again.status_code, again.content) == (304, b"")
    for path in ("/pages/../app.py", "/pages/%2e%2e/app.py", "/pages/nothing.js"):
        assert httpx2.get(site.url + path, trust_env=False).status_code == 404
