"""The running demo as people use it: a doctor, a dispatcher, patients, each at their page in a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import expect

from stream.servers.privilege import default_data
from tests.api.browsing import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).parents[1]
PATIENCE_MS = 300_000.0
READY_S = 500.0
"""A first start compiles the detector, on a machine that has other things to do."""
LOGIN = re.compile(r"^ {2}(\S+) +(\S+-\S+-\S+-\S+) +/")


class Demo:
    """`tierwatch demo` in a folder of its own, its dispatch centre taking everything and answering nothing."""

    def __init__(self, place: Path) -> None:
        with socket.socket() as one, socket.socket() as two, socket.socket() as three:
            for each in (one, two, three):
                each.bind(("127.0.0.1", 0))
            mqtt, pages, centre = (each.getsockname()[1] for each in (one, two, three))
        (place / "tierwatch.toml").write_text(
            f"[stream]\nmqtt_port = {mqtt}\n[api]\nport = {pages}\n"
            f"[device_sims]\ndispatch_port = {centre}\ndispatch = 'receive'\nquiet_patients = 1\n"
        )
        self.url, self.data, self.said = f"http://127.0.0.1:{pages}", place / "data", place / "said.txt"
        environment = {
            **{name: value for name, value in os.environ.items() if name != "TIERWATCH_DATA"},
            "PYTHONPATH": str(HOME),
            "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(default_data(HOME) / "numba")),
        }
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tierwatch", "demo", "--data", str(self.data), "--for", "900"],
                cwd=place, env=environment, stdout=said, stderr=subprocess.STDOUT,
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
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    yield demo
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
