"""The measurer against a real database: each strip once, whatever happens to one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from alerts import listening, measurer, measures
from alerts.measurer import COMPLETE, MOST_TRIES, measure_due, measures_of
from alerts.strip_beats import Beat, Heard
from stream.ecg_coding import compile_coding
from stream.finding import Condition
from tests.alerts.archive import store_ecg
from tests.alerts.desk import START, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 130.0
LATER = START + COMPLETE


@pytest.fixture
def conn(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True) as made:
        yield made


@pytest.fixture(autouse=True)
def ear(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Instead of the detector, which has tests of its own: a beat each second, and how often it was asked."""
    asked: list[int] = []

    def heard(samples: np.ndarray[Any, Any], rate_hz: float, from_s: float, seconds: float) -> Heard:
        del rate_hz, from_s
        asked.append(samples.size)
        return Heard(beats=tuple(Beat(at + 0.5, "N") for at in range(int(seconds))), bad=(), spans={})

    monkeypatch.setattr(measures, "heard", heard)
    monkeypatch.setattr(measures, "installed", lambda: None)
    return asked


def raised(dsn: str, *subjects: str) -> list[UUID]:
    Stream(dsn).says(*(finding(Condition.AF, subject=one) for one in subjects))
    with psycopg.connect(dsn, autocommit=True) as conn:
        listening.hear(conn, START)
        rows = conn.execute("SELECT alert FROM alerts.alert ORDER BY subject").fetchall()
    return [UUID(str(row[0])) for row in rows]


def stored(dsn: str, *subjects: str) -> None:
    compile_coding()  # not within the transaction that stores
    for one in subjects:
        store_ecg(dsn, np.zeros(round(180 * RATE)), START - timedelta(seconds=140), patient=one, device=f"h10-{one}")


def test_a_strip_is_measured_once_it_is_complete_and_once_only(
    dsn: str, conn: psycopg.Connection[Any], ear: list[int]
) -> None:
    (alert,) = raised(dsn, "ada")
    stored(dsn, "ada")
    assert measure_due(conn, LATER - timedelta(seconds=1)) == 0
    assert measures_of(conn, alert) is None
    assert measure_due(conn, LATER) == 1
    assert measure_due(conn, LATER) == 0
    found = measures_of(conn, alert)
    assert found is not None
    assert found["rr_ms"] == {"value": 1000.0, "low": 1000.0, "high": 1000.0, "spread": 0.0, "beats": 29}
    assert found["measured_at"] == LATER
    assert found["cannot"] == {"pr": "not_installed", "qrs": "not_installed", "qtc": "not_installed"}
    assert len(ear) == 1
    assert ear[0] == round((measures.WARM_UP_S + 30 + measurer.AFTER_S) * RATE)


def test_the_oldest_come_first_and_not_more_than_the_bound(dsn: str, conn: psycopg.Connection[Any]) -> None:
    ada, bob = raised(dsn, "ada", "bob")
    stored(dsn, "ada", "bob")
    conn.execute("UPDATE alerts.alert SET raised_at = raised_at - interval '1 hour' WHERE alert = %s", (bob,))
    assert measure_due(conn, LATER, limit=1) == 1
    assert measures_of(conn, bob)
    assert measures_of(conn, ada) is None


def test_an_error_is_a_row_and_the_next_strip_does_not_wait_for_it(
    dsn: str, conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = raised(dsn, "ada", "bob")
    stored(dsn, "ada", "bob")
    usual = measurer.surrounded

    def torn(conn: Any, alert: UUID, before_s: float, after_s: float) -> Any:
        if alert == ada:
            raise ZeroDivisionError
        return usual(conn, alert, before_s, after_s)

    monkeypatch.setattr(measurer, "surrounded", torn)
    assert measure_due(conn, LATER) == 2
    assert measure_due(conn, LATER) == 0
    assert (measures_of(conn, ada) or {})["cannot"]["rr"] == "error"
    assert (measures_of(conn, bob) or {})["rr_ms"]


def test_a_strip_that_its_measurer_dies_of_is_given_up(
    dsn: str, conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = raised(dsn, "ada", "bob")
    stored(dsn, "ada", "bob")
    usual = measurer.surrounded

    def killed(conn: Any, alert: UUID, before_s: float, after_s: float) -> Any:
        if alert == ada:
            raise SystemExit
        return usual(conn, alert, before_s, after_s)

    conn.execute("UPDATE alerts.alert SET raised_at = raised_at - interval '1 hour' WHERE alert = %s", (ada,))
    monkeypatch.setattr(measurer, "surrounded", killed)
    for _ in range(MOST_TRIES):
        with pytest.raises(SystemExit):
            measure_due(conn, LATER)
    assert measure_due(conn, LATER) == 2
    assert (measures_of(conn, ada) or {})["cannot"]["rr"] == "gave_up"
    assert (measures_of(conn, bob) or {})["rr_ms"]


def test_a_later_version_measures_again_and_keeps_what_it_cannot_see_any_more(
    dsn: str, conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = raised(dsn, "ada", "bob")
    stored(dsn, "ada", "bob")
    measure_due(conn, LATER)
    conn.execute("DELETE FROM stream.ecg WHERE patient = 'bob'")
    monkeypatch.setattr(measures, "REVISION", measures.REVISION + 1)
    assert measure_due(conn, LATER + timedelta(days=2)) == 2
    assert measure_due(conn, LATER + timedelta(days=2)) == 0
    assert (measures_of(conn, ada) or {})["measured_at"] == LATER + timedelta(days=2)
    kept = measures_of(conn, bob) or {}
    assert kept["rr_ms"]
    assert kept["measured_at"] == LATER


def test_without_ecg_that_is_said(dsn: str, conn: psycopg.Connection[Any]) -> None:
    (alert,) = raised(dsn, "ada")
    assert measure_due(conn, LATER) == 1
    assert (measures_of(conn, alert) or {})["cannot"]["rr"] == "no_ecg"
