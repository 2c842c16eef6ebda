"""The trends in a real browser: gaps stay open, AF is shaded with its word, findings in words, units by choice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stream.finding import Condition
from tests.api.browsing import Complaints, fits, see
from tests.api.patient_page_test import SHAPES, at_patient, reading
from tests.api.trends_test import MINUTE, rate

if TYPE_CHECKING:
    from tests.api.served import Site


def a_day(site: Site, dsn: str) -> None:
    """A day of rates with a hole and AF in its last hours, glucose with a hole and a low, pressures."""
    now = datetime.now(UTC)
    for n in range(20, 1440, 5):
        if not 600 < n < 640:
            rate(dsn, now - n * MINUTE, 60.0 + n % 17, 50.0, 80.0 + n % 11)
    for n in range(288):
        if not 60 < n < 110:
            reading(
                dsn,
                "ada",
                "glucose",
                [49.0 if n == 200 else 110.0 + n % 40],
                now - timedelta(hours=24) + 5 * MINUTE * n,
                n,
            )
    for n in range(12):
        high = 150.0 if n % 3 else 120.0
        reading(dsn, "ada", "blood_pressure", [high, 80.0], now - timedelta(hours=2 * n), 1000 + n)
    site.alert("ada", Condition.AF, ago_s=3 * 3600)


def test_a_day_is_drawn_with_its_gaps_its_episodes_and_what_was_found_in_words(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    a_day(site, dsn)
    page = at_patient(browser, site, complaints)
    see(page, "#trend-heart_rate figcaption", "trial fibrillation since")
    page.wait_for_selector("#trend-glucose .t-line")
    assert page.locator("#trend-heart_rate .t-gap").count() == 2  # the hole, and up to now
    assert page.locator("#trend-glucose .t-gap").count() == 1
    path = page.locator("#trend-glucose .t-line").get_attribute("d")
    assert path.count("M") == 2  # open over the hole
    assert page.locator("#trend-heart_rate .t-af-text").text_content() == "AF"  # there is no room for more
    assert page.locator("#trend-blood_pressure .t-bar").count() == 12
    assert page.locator("#trend-blood_pressure .t-bar--out").count() == 8
    see(page, "#trend-glucose figcaption", "Lowest 49")
    see(page, "#trend-glucose .tir", "sensor on 83 %")
    assert page.locator("#trend-heart_rate .t-limit-text").all_text_contents() == ["130", "40"]
    page.click("text=mmol/L")
    see(page, "#trend-glucose figcaption", "Lowest 2.7")
    see(page, "#trend-glucose .tir", "3.9\u201310.0")
    page.click("text=30 d")
    see(page, ".trends h2", "Last 30 days")
    page.wait_for_selector("#trend-glucose .t-line")
    assert page.locator("svg[style], .trends [style*='color']").count() == 0


def test_nothing_measured_is_said_and_not_drawn(browser: Any, site: Site, complaints: Complaints) -> None:
    page = at_patient(browser, site, complaints)
    for kind in ("heart_rate", "glucose", "blood_pressure"):
        see(page, f"#trend-{kind}", "Nothing was measured in this time.")


def test_no_barrier_and_no_sideways_scrolling(browser: Any, site: Site, dsn: str, complaints: Complaints) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    a_day(site, dsn)
    for width, theme, language in SHAPES:
        page = at_patient(browser, site, complaints, width=width, theme=theme, language=language)
        page.wait_for_selector("#trend-glucose .t-line")
        page.wait_for_selector(".opened a")
        fits(page, axe, f"trends {width}")
        page.context.close()
