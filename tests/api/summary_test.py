"""The week in figures: what each tier brought, how it ended, and nothing that names a patient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.summary import NoSuchWeek, span, summarised
from api.access import ensure_token
from stream.finding import Condition
from tests.api.served import PASSWORD

if TYPE_CHECKING:
    from tests.api.served import Site

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("week", "now", "name", "since"),
    [
        (None, NOW, "2026-W48", datetime(2026, 11, 23, tzinfo=UTC)),  # the last whole one
        ("2026-W01", NOW, "2026-W01", datetime(2025, 12, 29, tzinfo=UTC)),  # begins in the year before
        (None, datetime(2027, 1, 5, tzinfo=UTC), "2026-W53", datetime(2026, 12, 28, tzinfo=UTC)),
    ],
)
def test_a_week_goes_from_monday_to_monday(week: str | None, now: datetime, name: str, since: datetime) -> None:
    assert span(week, now) == (name, since, since + timedelta(days=7))


@pytest.mark.parametrize("week", ["", "2026", "2026-48", "2026-W54", "2026-W00", "0000-W01", "2026-W1"])
def test_what_is_no_week_is_refused(week: str) -> None:
    with pytest.raises(NoSuchWeek):
        span(week, NOW)


@given(st.integers(-50_000, 50_000))
def test_weeks_follow_one_another_without_a_gap(hours: int) -> None:
    now = NOW + timedelta(hours=hours)
    _, _, until = span(None, now)
    assert until <= now < until + timedelta(days=7)
    assert span(None, now + timedelta(days=7))[1] == until


def row(**more: Any) -> dict[str, Any]:
    return {
        "alert": "a", "subject": "ada", "subject_kind": "patient", "condition": "af", "kind": "rhythm", "tier": "doctor",
        "raised_at": NOW, "outcome": None, "closed_at": None, "taken_at": None, "note": None, "persons": [],
    } | more  # fmt: skip


def test_the_figures() -> None:
    def later(seconds: float) -> datetime:
        return NOW + timedelta(seconds=seconds)

    told = summarised(
        [
            row(taken_at=later(60), outcome="resolved", closed_at=later(90)),
            row(taken_at=later(120), outcome="false_alarm", closed_at=later(130), note="moved"),
            row(taken_at=later(600)),
            row(tier="emergency", condition="vf"),
            row(tier="tip", condition="glucose_low"),  # a tip needs no answer
            row(kind="technical", condition="no_data"),
            row(kind="technical", condition="no_data"),  # the same patient
            row(kind="technical", condition="battery_low"),
        ]
    )
    assert told["tiers"]["doctor"] == {
        "raised": 3, "outcomes": {"false_alarm": 1, "open": 1, "resolved": 1}, "median_s": 120.0,
    }  # fmt: skip
    assert told["tiers"]["emergency"]["median_s"] is None
    assert [one["reason"] for one in told["false_alarms"]] == ["moved"]
    assert [one["condition"] for one in told["unanswered"]] == ["vf"]
    assert (told["technical"], told["patients_without_data"], told["batteries"]) == (3, 1, 1)
    assert "ada" not in str(told)


def test_over_http_each_sees_what_is_theirs(site: Site) -> None:
    week = datetime.now(UTC).strftime("%G-W%V")
    alert = site.alert("ada", Condition.AF, ago_s=5)
    site.alert("otto", Condition.VF, ago_s=5)
    token = {"authorization": f"Bearer {ensure_token(site.keys)}"}
    for verb in ("accept", "close"):
        body = {"outcome": "false_alarm", "note": "electrode"} if verb == "close" else {}
        assert httpx2.post(f"{site.url}/api/v1/alerts/{alert}/{verb}", headers=token, json=body).status_code == 200
    found = httpx2.get(f"{site.url}/api/v1/summary", params={"week": week}, headers=token).json()
    assert found["tiers"]["doctor"]["outcomes"] == {"false_alarm": 1}
    assert found["false_alarms"] == [{"alert": alert, "condition": "af", "reason": "electrode"}]
    assert [one["condition"] for one in found["unanswered"]] == ["vf"]
    assert httpx2.get(f"{site.url}/api/v1/summary", params={"week": "x"}, headers=token).status_code == 422
    with httpx2.Client(base_url=site.url, headers={"sec-fetch-site": "same-origin"}) as ada:
        assert ada.post("/api/v1/session", json={"login": "ada", "password": PASSWORD}).status_code == 200
        assert ada.get("/api/v1/summary").status_code == 403
