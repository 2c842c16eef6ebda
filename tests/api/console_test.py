"""The console in a real browser: taking back, the words of an outcome, each try in the story, the beats, the bar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from playwright.sync_api import expect
from psycopg.types.json import Jsonb

from stream.finding import Condition
from tests.api.browsing import WAIT_MS, Complaints, opened, see, sign_in, state_of
from tests.api.served import Site, beats


def history(dsn: str, alert: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT what, by_whom FROM alerts.history WHERE alert = %s ORDER BY n", (alert,)).fetchall()


def test_what_was_said_is_taken_back_within_ten_seconds_and_nobody_has_it_again(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    alert = site.alert("otto", Condition.AF)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".alert h2", "fibrillation")
    for key, said in (("h", "You have it"), ("a", "You have seen it")):
        page.keyboard.press(key)
        see(page, ".alert__line", said)
        see(page, "#undo", "Undo")
        page.keyboard.press("z")
        see(page, ".alert__line", "nobody has answered")
        assert state_of(dsn, alert)["answered_by"] is None
    page.keyboard.press("s")
    page.click("text=30 minutes")
    page.keyboard.press("Enter")
    see(page, ".alert__line", "snoozed")
    page.click("#undo button")
    expect(page.locator(".timeline")).to_contain_text("ended the snooze", timeout=WAIT_MS)
    assert state_of(dsn, alert)["snoozed_until"] is None
    said = [what for what, by_whom in history(dsn, alert) if by_whom == "doctor"]
    assert said == ["accepted", "returned", "acknowledged", "returned", "snoozed", "snoozed"]
    expect(page.locator("#undo")).to_be_hidden(timeout=WAIT_MS)
    page.keyboard.press("z")  # there is nothing more to take back
    assert [one for one in history(dsn, alert) if one[1] == "doctor"][6:] == []


def test_after_ten_seconds_nothing_is_taken_back(browser: Any, site: Site, dsn: str, complaints: Complaints) -> None:
    alert = site.alert("otto", Condition.AF)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".alert h2", "fibrillation")
    page.keyboard.press("h")
    see(page, "#undo", "s")
    expect(page.locator("#undo")).to_be_hidden(timeout=WAIT_MS)
    page.keyboard.press("z")
    page.keyboard.press("k")
    assert state_of(dsn, alert)["answered_by"] == "doctor"


def test_a_false_alarm_for_another_reason_needs_the_reason_in_words(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    alert = site.alert("otto", Condition.AF)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".alert h2", "fibrillation")
    page.keyboard.press("o")
    done = page.locator("dialog [type=submit]")
    page.click("text=False, because")
    expect(done).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")  # from the radio button: not sent without it
    assert state_of(dsn, alert)["state"] == "sounding"
    page.fill("dialog textarea", "the strip is of the bus ride")
    expect(done).not_to_have_attribute("aria-disabled", "true")
    done.click()
    see(page, ".notice", "closed")
    assert (state_of(dsn, alert)["state"], state_of(dsn, alert)["outcome"]) == ("closed", "false_alarm")
    see(page, ".timeline", "the strip is of the bus ride")


BEATS = [{"at_s": at, "class": kind} for at, kind in zip(
    (1.0, 1.8, 2.1, 2.4, 2.7, 3.0, 4.0, 5.0, 6.5, 8.0, 9.5, 10.5, 10.9, 14.0), "NVVVVVNVVVVNVV", strict=True)]  # fmt: skip


def test_runs_of_wide_beats_are_told_apart_by_their_rate_and_never_over_a_gap(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    page = sign_in(opened(browser, site.url, complaints), "lin")
    page.wait_for_url("**/console")
    found = page.evaluate("given => import('/pages/js/beats.js').then(m => m.runs({beats: given}))", BEATS)
    assert [(run["from"], run["to"], run["beats"], run["bpm"]) for run in found] == [
        (1.8, 3.0, 5, 200),
        (5.0, 9.5, 4, 40),
    ]
    shaded = page.evaluate(
        "given => import('/pages/js/beats.js').then(m => m.shaded({beats: given}, [1.7, 3.1]))", BEATS
    )
    assert [(one[0], one[2]) for one in shaded] == [(5.0, "WIDE")]  # what the alert itself shades is shaded once


def test_what_was_measured_is_drawn_said_and_listed_and_what_could_not_says_why(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    site.ecg("ada", datetime.now(UTC) - timedelta(seconds=90), beats(80, 130.0), 130.0)
    alert = site.alert("ada", Condition.VF, ago_s=60)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".sheet", "Being measured")
    measures = {
        "rr_ms": {"value": 830.4, "low": 820.0, "high": 840.0, "beats": 31}, "qrs_ms": {"value": 92.0, "beats": 22},
        "cannot": {"pr": "noise", "qtc": "noise"}, "beats": BEATS,
    }  # fmt: skip
    with psycopg.connect(dsn) as conn:
        conn.execute("INSERT INTO alerts.measurement VALUES (%s, '1', 1, true, now(), %s)", (alert, Jsonb(measures)))
    see(page, ".keyrow", "RR 830 ms")
    see(page, ".keyrow", "31 beats")
    see(page, ".keyrow", "QRS 92 ms 22 beats")
    see(page, ".sheet__cannot", "PR, QTc (Fridericia) cannot be measured: too much noise")
    page.click(".beats summary")
    see(page, ".beats", "5 wide beats in a row")
    expect(page.locator(".beats tbody tr")).to_have_count(len(BEATS))
    page.keyboard.press("a")  # the alert is drawn anew
    see(page, ".alert__line", "You have seen it")
    expect(page.locator(".beats tbody tr").first).to_be_visible()


def test_each_try_stands_in_the_story_and_received_is_not_accepted(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    alert = site.alert("ada", Condition.VF)
    with psycopg.connect(dsn) as conn:
        notice = conn.execute(
            "INSERT INTO alerts.notice (notice, alert, type, event, generation, cycle, rung, person, channel, address, role,"
            " tier, first_due_at, due_at, status, attempts, made_at) SELECT gen_random_uuid(), %s, 'alert.raised', 'raised',"
            " 1, 0, 0, 'dispatch', 'webhook', 'd', 'dispatch', 'emergency', now(), now(), 'delivered', 2, now()"
            " RETURNING notice",
            (alert,),
        ).fetchone()
        assert notice is not None
        for n, outcome in ((1, "retry"), (2, "delivered")):
            conn.execute(
                "INSERT INTO alerts.attempt (notice, n, at, started_at, finished_at, outcome, detail)"
                " VALUES (%s, %s, now(), now(), now(), %s, '')",
                (notice[0], n, outcome),
            )
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".timeline", "Received is not accepted")
    see(page, ".timeline", "not through at try 1")
    see(page, ".timeline", "Onset: ")
    assert page.locator(".alert__line").inner_text().count("accepted") == 0


def test_the_bar_says_whether_all_is_well_and_the_tab_how_many_nobody_has(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".health", "Samples unaccounted 0")
    see(page, ".health", "Quarantined today 0")
    see(page, "#sound", "Sound off")  # in words, before anybody has asked for it
    assert page.title() == "Alerts · Tierwatch"
    site.alert("ada", Condition.VF)
    expect(page).to_have_title("(1) Alerts · Tierwatch", timeout=WAIT_MS)
    assert page.locator("link[rel=icon]").get_attribute("href") == "/pages/count/1.svg"
    assert "Ada" not in page.title()
    page.set_viewport_size({"width": 390, "height": 844})
    page.click(".menu > summary")
    for words in ("Patients", "Samples unaccounted", "Sign out"):
        see(page, ".menu__body", words)
    page.keyboard.press("Escape")
    expect(page.locator(".menu__body")).to_be_hidden()


def test_the_sound_is_paused_for_two_minutes_and_a_new_emergency_ends_that(
    browser: Any, site: Site, complaints: Complaints
) -> None:
    page = sign_in(opened(browser, site.url, complaints), "lin")
    page.click("#sound")
    see(page, "#sound", "Sound on")
    page.keyboard.press("m")
    see(page, "#sound", "Sound paused 1:")
    site.alert("otto", Condition.AF)
    see(page, ".alert h2", "fibrillation")
    see(page, "#sound", "Sound paused 1:")  # less than an emergency does not end it
    site.alert("ada", Condition.VF)
    see(page, "#sound", "Sound on")


def test_signing_out_everywhere_ends_the_other_browser_too(browser: Any, site: Site, complaints: Complaints) -> None:
    pages = [sign_in(opened(browser, site.url, complaints), login) for login in ("lin", "lin", "sample")]
    for page in pages:
        see(page, ".calm", "All quiet")
    pages[0].click(".menu > summary")
    pages[0].click("text=Sign out everywhere")
    for page in pages[:2]:
        page.wait_for_url("**/sign-in")  # the other one is told by its socket
    pages[2].reload()
    see(pages[2], ".calm", "All quiet")


def test_by_keyboard_alone_an_alert_is_found_opened_taken_and_closed(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    site.alert("ada", Condition.VF)
    wanted = site.alert("otto", Condition.AF)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".alert h2", "entricular fibrillation")
    page.keyboard.press("2")
    see(page, ".alert__who", "Otto Specimen")
    page.keyboard.press("k")
    see(page, ".alert__who", "Ada Sampleton")
    page.keyboard.press("/")
    page.keyboard.type("otto")
    expect(page.locator("#list .row")).to_have_count(1)
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.dataset.id") != wanted:
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "alert"
    page.keyboard.press("h")
    see(page, ".alert__line", "You have it")
    page.keyboard.press("o")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    see(page, ".notice", "closed")
    assert (state_of(dsn, wanted)["state"], state_of(dsn, wanted)["answered_by"]) == ("closed", "doctor")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    see(page, "dialog", "Keys")
