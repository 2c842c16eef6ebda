"""The running demo as people use it: a doctor, a dispatcher, patients, each at their page in a real browser."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests import demo_place
from tests.api.browsing import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_MS = 300_000.0
READY_S = 500.0
"""A first start compiles the detector, on a machine that has other things to do."""
LOGIN = re.compile(r"^ {2}(\S+) +(\S+-\S+-\S+-\S+) +/")


class Demo:
    """`tierwatch demo` in a folder of its own, its dispatch centre taking everything and answering nothing."""

    def __init__(self, place: Path) -> None:
        port = demo_place.settle(place, "receive", 1)
        self.url, self.data, self.said = f"http://127.0.0.1:{port}", place / "data", place / "said.txt"
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tierwatch", "demo", "--data", str(self.data), "--for", "900"],
                cwd=place, env=demo_place.environment(), stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def passwords(self) -> dict[str, str]:
        """Of this start, by login: the demo shows them once it is ready."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said.read_text()
            found = dict(match.groups() for line in self.said.read_text().splitlines() if (match := LOGIN.match(line)))
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(self.said.read_text())

    def client(self) -> httpx2.Client:
        """The operator's own."""
        token = (self.data / "keys" / "api-operator.token").read_text().strip()
        return httpx2.Client(base_url=f"{self.url}/api/v1", headers={"authorization": f"Bearer {token}"})

    def link(self) -> str:
        """The one-time link of the emergency, as the dispatch centre received it."""
        received = self.data / "world" / "dispatch.jsonl"
        until = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < until:
            for line in received.read_text().splitlines() if received.exists() else ():
                if link := json.loads(line).get("packet_url"):
                    return str(link)
            time.sleep(0.5)
        raise AssertionError(self.said.read_text())


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with demo_place.place() as place:
        demo = Demo(place)
        try:
            yield demo
        finally:
            demo.process.send_signal(signal.SIGINT)
            demo.process.wait(60)


def at(browser: Any, url: str, login: str, password: str) -> Any:
    """Somebody's page."""
    context = browser.new_context()
    context.add_init_script("localStorage.setItem('tierwatch.language', 'en')")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return sign_in(page, login, password)


def see(page: Any, selector: str, text: str) -> None:
    expect(page.locator(selector).filter(has_text=text).first).to_be_visible(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def passwords(demo: Demo) -> dict[str, str]:
    return demo.passwords()


def test_a_low_glucose_is_a_tip_with_what_to_do(browser: Any, demo: Demo, passwords: dict[str, str]) -> None:
    page = at(browser, demo.url, "sofia", passwords["sofia"])
    see(page, ".hero--tip ol li", "")
    page.click("[data-act=done]")
    expect(page.locator(".hero--tip")).to_have_count(0, timeout=PATIENCE_MS)


def test_the_dispatcher_opens_the_link_and_accepts_and_the_patient_reads_that_help_comes(
    browser: Any, demo: Demo, passwords: dict[str, str]
) -> None:
    ada = at(browser, demo.url, "ada", passwords["ada"])
    see(ada, ".hero--em", "")
    dispatcher = browser.new_context(locale="en-GB").new_page()
    dispatcher.set_default_timeout(PATIENCE_MS)
    dispatcher.goto(demo.link())
    see(dispatcher, "main", "12 Harbour Lane")
    see(dispatcher, "main", "4711#")
    dispatcher.click("[data-kind=accepted]")
    see(ada, ".hero--em h1", "Help is on its way to you")
    second = browser.new_context().new_page()
    second.goto(demo.link())
    expect(second.locator("body")).not_to_contain_text("Harbour")


def test_the_doctor_takes_atrial_fibrillation_and_closes_it_with_an_outcome(
    browser: Any, demo: Demo, passwords: dict[str, str]
) -> None:
    page = at(browser, demo.url, "doctor", passwords["doctor"])
    row = page.locator(".row", has_text="Jonas Weber").filter(has_text="trial fibrillation").first
    row.click()
    see(page, ".alert h2", "trial fibrillation")
    page.keyboard.press("h")
    see(page, ".alert__head", "You have it")
    page.keyboard.press("o")
    page.locator("dialog input[type=radio]").first.check()
    page.locator("dialog button[type=submit], dialog [data-act=close]").first.click()
    see(page, ".alert__head .notice", "")
    with demo.client() as api:
        alerts = api.get("/alerts", params={"subject": "jonas"}).json()["alerts"]
    assert [(one["tier"], one["state"]) for one in alerts if one["condition"] == "af"] == [("doctor", "closed")]


@pytest.mark.parametrize(
    ("patient", "condition", "tier"), [("quiet-000", "symptom", "doctor"), ("jonas", "af", "emergency")]
)
def test_feeling_unwell_leads_where_the_heart_leads(
    browser: Any, demo: Demo, passwords: dict[str, str], patient: str, condition: str, tier: str
) -> None:
    with demo.client() as api:
        made = api.post("/accounts", json={"login": patient, "kind": "patient", "name": patient, "patient": patient})
        page = at(browser, demo.url, patient, made.json()["password"])
        page.click("[data-act=unwell]")
        page.click("[data-act=chest_pain]")
        see(page, "main", "You said: chest pain")
        until = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < until:
            alerts = api.get("/alerts", params={"subject": patient}).json()["alerts"]
            if any((one["condition"], one["tier"]) == (condition, tier) for one in alerts):
                break
            time.sleep(0.5)
        else:
            raise AssertionError(alerts)
    if tier == "emergency":
        see(page, ".hero--em", "")
    assert tier == "emergency" or not any(one["tier"] == "emergency" for one in alerts)
