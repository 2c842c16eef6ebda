"""Every page as people have it: desk and phone, light and dark, English and Chinese. No barrier, nothing cut, nothing wide.

`make screenshots` runs this with TIERWATCH_SHOTS naming a folder: each page at each size, theme and language is written
there. Without it a page is looked at in the corners: desk and light and English, tablet, phone and dark and Chinese.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.api.browsing import WAIT_MS, Complaints, fits
from tests.api.served import PASSWORD, Site, beats
from tests.api.wearing import Wearing

if TYPE_CHECKING:
    from collections.abc import Callable

SHOTS = os.environ.get("TIERWATCH_SHOTS")
SIZES = ((1440, 900), (1024, 768), (390, 844))
Look = tuple[tuple[int, int], str, str]
CORNERS: tuple[Look, ...] = (
    (SIZES[0], "light", "en"), (SIZES[0], "dark", "zh"), (SIZES[1], "light", "zh"), (SIZES[2], "dark", "en"),
    (SIZES[2], "light", "zh"),
)  # fmt: skip
ALL: tuple[Look, ...] = tuple(
    (size, theme, word) for size in SIZES for theme in ("light", "dark") for word in ("en", "zh")
)


class Shot(NamedTuple):
    """A page in a state that people meet."""

    login: str | None
    path: str
    awaits: str
    """What shows that it is all there."""
    prepare: Callable[[Site], None] = lambda _: None
    act: Callable[[Any], None] = lambda _: None
    """What is pressed before it is looked at."""


def busy(site: Site) -> None:
    now = datetime.now(UTC)
    site.ecg("ada", now - timedelta(seconds=100), beats(90, 250), 250.0)
    site.many()


def a_tip(site: Site) -> None:
    from stream.finding import Condition

    site.alert("ada", Condition.GLUCOSE_LOW, ago_s=60)


def well(site: Site) -> None:
    wearing = Wearing(site.dsn)
    for device in ("h10", "cgm1"):
        wearing.given(device)
    wearing.ecg()
    wearing.battery(74)
    wearing.battery(8, "cgm1")
    wearing.glucose(122.5, ago_s=240)
    wearing.archive.conn.close()


def helped(site: Site) -> None:
    import psycopg

    from stream.finding import Condition

    alert = site.alert("ada", Condition.VF)
    with psycopg.connect(site.dsn) as conn:
        conn.execute(
            "INSERT INTO alerts.response (notice, kind, external_id, at, body, endpoint)"
            " SELECT notice, 'on_the_way', 'x', now(), '{}', 'dispatch' FROM alerts.notice WHERE alert = %s LIMIT 1",
            (alert,),
        )


def family(site: Site) -> None:
    import psycopg

    from alerts.sealing import Seal
    from api import accounts, own
    from api.accounts import Account, Kind

    with psycopg.connect(site.dsn) as conn:
        cleo = Account(login="cleo", kind=Kind.FAMILY, name="Cleo", person="cleo", patient="ada")
        accounts.add(conn, cleo, PASSWORD, Seal(site.keys))
        own.share(conn, "ada", "cleo", list(own.Share), datetime.now(UTC))
    well(site)


def asked(site: Site) -> None:
    from stream.finding import Condition

    site.alert("ada", Condition.VF, present=False, late=True)


SHOTS_OF: dict[str, Shot] = {
    "sign-in": Shot(None, "/sign-in", "#password"),
    "console-quiet": Shot("lin", "/console", ".calm"),
    "console": Shot("lin", "/console", ".row", busy),
    "console-closed": Shot("lin", "/console", ".row", busy, lambda page: page.click("[data-filter=closed]")),
    "worklist": Shot("lin", "/worklist", ".work__item", busy),
    "worklist-done": Shot("lin", "/worklist", ".work__none"),
    "me": Shot("ada", "/me", ".hero--ok", well),
    "me-unseen": Shot("ada", "/me", ".hero--tech"),
    "me-tip": Shot("ada", "/me", ".hero--tip", a_tip),
    "me-asked": Shot("ada", "/me", ".bignum", asked),
    "me-help": Shot("ada", "/me", ".hero--em", helped),
    "me-unwell": Shot("ada", "/me#unwell", ".symptoms", well),
    "me-devices": Shot("ada", "/me#devices", ".device", well),
    "me-tips": Shot("ada", "/me#tips", ".tip-card", a_tip),
    "me-call": Shot("ada", "/me#call", ".btn--person", well),
    "me-pause": Shot("ada", "/me#pause", ".choices", well, lambda page: page.click("[data-act=night]")),
    "me-family": Shot("ada", "/me#family", ".switch", family),
    "family": Shot("cleo", "/family", ".device", family),
}


@pytest.mark.parametrize("name", SHOTS_OF)
def test_a_page_has_no_barrier_and_fits_everywhere(name: str, browser: Any, site: Site, complaints: Complaints) -> None:
    shot, axe = SHOTS_OF[name], Axe()
    shot.prepare(site)
    cookie = signed_in(site, shot.login)
    for (width, height), theme, word in ALL if SHOTS else CORNERS:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        context.add_init_script(f"localStorage.setItem('tierwatch.language', '{word}')")
        if cookie:
            context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": site.url}])
        page = complaints.of(context.new_page())
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{site.url}{shot.path}")
        page.wait_for_selector(shot.awaits)
        shot.act(page)
        page.wait_for_load_state("networkidle") if shot.login is None else page.wait_for_timeout(400)
        if SHOTS:
            folder = Path(SHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}-{width}-{theme}-{word}.png", full_page=True)
        fits(page, axe, f"{name} {width} {theme} {word}")
        context.close()


def signed_in(site: Site, login: str | None) -> tuple[str, str] | None:
    """The session's cookie, as the sign-in page gets it."""
    if login is None:
        return None
    with httpx2.Client(base_url=site.url, headers={"origin": site.url}) as client:
        answer = client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        answer.raise_for_status()
        return next((one.name, one.value) for one in client.cookies.jar if one.value)
