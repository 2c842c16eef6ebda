"""A patient's course over HTTP: nothing extreme is hidden, gaps are named, pages join without a hole or a repetition."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access import ensure_token
from api.trends import on_s, thinned
from stream.finding import Condition
from tests.api.patient_page_test import reading
from tests.api.served import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.served import Site

MINUTE = timedelta(minutes=1)


def rate(dsn: str, at: datetime, bpm: float, low: float | None = None, high: float | None = None) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO stream.rate VALUES ('h10', 'ecg/I', %s, 'ada', 70, %s, %s, %s)",
            (at, bpm, low or bpm, high or bpm),
        )


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {ensure_token(site.keys)}"}
    with httpx2.Client(base_url=f"{site.url}/api/v1/patients/ada", headers=headers, trust_env=False) as client:
        yield client


def trend(client: httpx2.Client, kind: str, hours: int = 24) -> dict[str, Any]:
    told = client.get("/trends", params={"kind": kind, "hours": hours})
    assert told.status_code == 200, told.text
    found: dict[str, Any] = told.json()
    return found


def test_a_month_of_rates_comes_in_few_points_and_hides_no_extreme(client: httpx2.Client, dsn: str) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO stream.rate SELECT 'h10', 'ecg/I', %s - n * interval '1 minute', 'ada', 70, 60, 58, 62"
            " FROM generate_series(10, 40000) n WHERE n NOT BETWEEN 20000 AND 20030", (now,),
        )  # fmt: skip
        conn.execute("UPDATE stream.rate SET low_bpm = 31 WHERE at = %s", (now - 5000 * MINUTE,))
        conn.execute("UPDATE stream.rate SET high_bpm = 187 WHERE at = %s", (now - 30000 * MINUTE,))
    found = trend(client, "heart_rate", 720)
    assert len(found["points"]) <= 601
    assert (min(p["low"] for p in found["points"]), max(p["high"] for p in found["points"])) == (31, 187)
    assert found["counted_by"] == "detector"
    assert found["limits"] == {"tachy_bpm": 130, "brady_bpm": 40}
    lengths = [(datetime.fromisoformat(g["to"]) - datetime.fromisoformat(g["from"])) / MINUTE for g in found["gaps"]]
    assert lengths == pytest.approx([43200 - 40000, 32], abs=2)  # before the first, and half an hour between


def test_rhythm_episodes_are_spans_and_a_device_counts_where_no_detector_did(
    site: Site, client: httpx2.Client, dsn: str
) -> None:
    reading(dsn, "ada", "heart_rate", [88.0, 0.7], datetime.now(UTC) - 3 * MINUTE)
    site.alert("ada", Condition.AF, ago_s=600)
    site.alert("ada", Condition.GLUCOSE_LOW, ago_s=300)
    found = trend(client, "heart_rate")
    assert [(one["condition"], one["present"], one["to"]) for one in found["spans"]] == [("af", True, None)]
    assert (found["counted_by"], [p["mean"] for p in found["points"]]) == ("device", [88.0])


def test_time_in_range_says_how_long_the_sensor_was_on_and_what_is_no_reading_does_not_count(
    client: httpx2.Client, dsn: str
) -> None:
    now = datetime.now(UTC)
    values = [100.0] * 70 + [60.0, 50.0] + [100.0] * 72
    for n, value in enumerate(values):  # twelve hours of 5 min, and 1 h without any in the middle
        at = now - timedelta(hours=13) + 5 * MINUTE * n + (timedelta(hours=1) if n >= 72 else timedelta())
        reading(dsn, "ada", "glucose", [value], at, n)
    reading(dsn, "ada", "glucose", [400.0], now - 7 * MINUTE, 1000)
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE stream.reading SET flags = '{control_solution}' WHERE seq = 1000")
    found = trend(client, "glucose")
    assert found["in_range"]["readings"] == 144
    assert found["in_range"]["tbr54_pct"] == pytest.approx(100 / 144, abs=0.01)
    assert found["sensor_on_pct"] == pytest.approx(50, abs=0.5)
    assert (found["lowest"]["value"], found["highest"]["value"], found["below_70_s"]) == (50.0, 100.0, 600)
    assert len(found["gaps"]) == 2


def test_pressure_comes_reading_by_reading_with_its_flags(client: httpx2.Client, dsn: str) -> None:
    now = datetime.now(UTC)
    reading(dsn, "ada", "blood_pressure", [150.0, 90.0, None, 70.0], now - timedelta(hours=3), 1)  # type: ignore[list-item]
    reading(dsn, "ada", "blood_pressure", [130.0, 80.0, None, 70.0], now - timedelta(hours=1), 2)  # type: ignore[list-item]
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE stream.reading SET flags = '{irregular_pulse}' WHERE seq = 1")
    found = trend(client, "blood_pressure")
    assert [(p["systolic"], p["diastolic"], p["flags"]) for p in found["points"]] == [
        (150.0, 90.0, ["irregular_pulse"]), (130.0, 80.0, []),
    ]  # fmt: skip
    assert found["mean"] == {"systolic": 140.0, "diastolic": 85.0}


def test_readings_and_findings_come_page_by_page_without_a_hole_or_a_repetition(
    site: Site, client: httpx2.Client, dsn: str
) -> None:
    at = datetime.now(UTC) - MINUTE
    for seq in range(7):
        reading(dsn, "ada", "glucose", [100.0 + seq], at, seq)  # all of one instant
    reading(dsn, "ada", "blood_pressure", [150.0, 90.0], at, 100)
    seen, after = [], {}
    while True:
        page = client.get("/readings", params={"kind": "glucose", "limit": 3} | after).json()
        seen += [one["values"]["glucose_mg_dl"] for one in page["readings"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [106.0, 105.0, 104.0, 103.0, 102.0, 101.0, 100.0]
    first = client.get("/readings", params={"limit": 1}).json()["readings"][0]
    assert (first["device"], first["slot"], first["flags"]) == ("meter", None, [])
    for condition in (Condition.AF, Condition.VF, Condition.TACHY):
        site.alert("ada", condition)
    one = client.get("/findings", params={"limit": 2}).json()
    two = client.get("/findings", params={"limit": 2, "after": one["next"]}).json()
    assert len({row["episode"] for row in one["findings"] + two["findings"]}) == 3
    assert two["next"] is None
    assert {"evidence", "confidence", "what", "withdrawn"} <= set(one["findings"][0])


@pytest.mark.parametrize(
    "path",
    ["/trends?kind=weight", "/trends?kind=glucose&hours=721", "/readings?after=x", "/findings?after=2026-01-01T00:00:00|1|2",
     "/readings?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/readings?after=2026-01-01T00:00:00|1|2"],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_name(client: httpx2.Client, path: str) -> None:
    told = client.get(path)
    assert (told.status_code, told.headers["content-type"]) == (422, "application/problem+json")


def test_a_patient_does_not_read_them_even_their_own(site: Site) -> None:
    with httpx2.Client(base_url=site.url, trust_env=False, headers={"origin": site.url}) as client:
        client.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
        for path in ("trends?kind=glucose", "readings", "findings"):
            assert client.get(f"/api/v1/patients/ada/{path}").status_code == 403


@given(st.lists(st.floats(60, 260), min_size=1, max_size=3000))
def test_however_many_pressures_the_highest_and_the_lowest_stay(systolics: list[float]) -> None:
    kept = thinned([{"systolic": one, "n": n} for n, one in enumerate(systolics)])
    assert len(kept) <= 601
    assert max(one["systolic"] for one in kept) == max(systolics)
    assert min(one["systolic"] for one in kept) == min(systolics)
    assert [one["n"] for one in kept] == sorted(one["n"] for one in kept)


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=50))
def test_no_reading_stands_for_more_than_the_longest_wait(waits: list[int]) -> None:
    at, values = datetime(2026, 1, 1, tzinfo=UTC), []
    for wait in waits:
        values.append((at, 100.0))
        at += timedelta(seconds=wait)
    assert 0 < on_s(values, timedelta(minutes=20)) <= 1200 * len(values)
    assert on_s(values, timedelta(minutes=20), below=70.0) == 0
