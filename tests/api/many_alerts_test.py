"""The console with 500 open alerts in a real browser: all are there, one can work at once, and help is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from alerts import listening
from stream.finding import Condition
from tests.alerts.desk import finding
from tests.api.browsing import Complaints, opened, see, sign_in
from tests.api.served import Site

MANY = 500
CONDITIONS = (Condition.VF, Condition.AF, Condition.NO_DATA, Condition.GLUCOSE_LOW, Condition.TACHY)
READY = """() => new Promise((done) => {
  const look = () => document.querySelectorAll('.row').length >= 500 && document.querySelector('.alert h2')
    ? done(performance.now()) : requestAnimationFrame(look);
  look();
})"""
SHOWN = """async () => {
  const before = document.querySelector('.alert__who').textContent;
  const from = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return [before, document.querySelector('.alert__who').textContent, performance.now() - from];
}"""
WORST_MS = 10_000
"""A machine under full load is no measure of the page: this fails where work grows by the square of the alerts."""


def test_the_console_is_usable_with_five_hundred_alerts(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    now = datetime.now(UTC)
    for n in range(MANY):
        site.stream.says(finding(CONDITIONS[n % 5], subject=f"p{n:03}", at=now - timedelta(seconds=30 + n)))
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(MANY // 50 + 1):
            listening.hear(conn, now)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".list__storm", "Nobody has 500 of these")
    see(page, ".list__storm", "Ask for a second operator")
    ready = []
    for _ in range(3):
        page.reload(wait_until="commit")
        ready.append(page.evaluate(READY))
    steps = [page.evaluate(SHOWN) for _ in range(5)]
    assert all(before != after for before, after, _ in steps)  # each key shows the next one at once
    figures = f"list ready {ready} ms after navigation, key to alert shown {[ms for *_, ms in steps]} ms"
    assert max(min(ready), *(ms for *_, ms in steps)) < WORST_MS, figures
