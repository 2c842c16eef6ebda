"""The page that describes the API, in a real browser."""

from __future__ import annotations

from typing import Any

from tests.api.browsing import Complaints, opened, see
from tests.api.served import Site


def test_the_reference_shows_every_route_and_asks_nobody_else(browser: Any, site: Site, complaints: Complaints) -> None:
    page = opened(browser, f"{site.url}/sign-in", complaints)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/api")
    see(page, "#reference", "Tierwatch")
    see(page, "[id^=operations-alerts-acknowledge]", "acknowledge")
    page.click("[id^=operations-alerts-acknowledge] .opblock-summary-control")
    see(page, ".opblock.is-open", "Responses")
    assert asked
    assert all(url.startswith((site.url, "data:")) for url in asked)
