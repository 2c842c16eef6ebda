"""How tests use a page: open it, sign in, look, and measure whether it fits."""

from __future__ import annotations

from typing import Any

import psycopg
from playwright.sync_api import expect

from tests.api.served import PASSWORD

WAIT_MS = 60_000
"""A machine that is busy with other tests is slow; who waits in vain is told the same, later."""
_CUT = """() => [...document.querySelectorAll("body *")].filter((node) => {
  if (![...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim())) return false;
  const style = getComputedStyle(node);
  if (style.clipPath !== "none" || style.textOverflow === "ellipsis" || !node.checkVisibility()) return false;
  const hides = (way) => way === "hidden" || way === "clip";
  return (hides(style.overflowX) && node.scrollWidth > node.clientWidth + 1)
    || (hides(style.overflowY) && node.scrollHeight > node.clientHeight + 1);
}).map((node) => node.outerHTML.slice(0, 200))"""
"""Elements whose own text is cut off."""


class Complaints(list[str]):
    """What the browser complains of: scripts that failed, and what the policy has forbidden."""

    def of(self, page: Any) -> Any:
        # An answer that refuses (401, 404, 409) or a cut line is logged by the browser too: it is no fault of a page.
        page.on("console", lambda said: said.type == "error" and "Failed to load" not in said.text
                and "WebSocket" not in said.text and self.append(said.text))  # fmt: skip
        page.on("pageerror", lambda error: self.append(str(error)))
        return page


def opened(
    browser: Any, url: str, complaints: Complaints, *, width: int = 1440, theme: str = "light", language: str = "en"
) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    context.add_init_script(f"localStorage.setItem('tierwatch.language', '{language}')")
    page = complaints.of(context.new_page())
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    return page


def sign_in(page: Any, login: str, password: str = PASSWORD) -> Any:
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("button[type=submit]")
    return page


def see(page: Any, selector: str, text: str) -> None:
    expect(page.locator(selector).first).to_contain_text(text, timeout=WAIT_MS)


def state_of(dsn: str, alert: str) -> dict[str, Any]:
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as conn:
        return conn.execute("SELECT * FROM alerts.alert WHERE alert = %s", (alert,)).fetchone() or {}


def fits(page: Any, axe: Any, where: str) -> None:
    found = axe.run(page).response["violations"]
    assert not found, (
        where,
        [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in found],
    )
    wide, there = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= there, (where, wide, there)
    assert not (cut := page.evaluate(_CUT)), (where, cut)
