"""Plans over HTTP: guarded limits with their reason, versions and what they changed, limits tried on what is archived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from alerts.clock import WallClock
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from gateway.reading import Reading, ReadingKind
from stream.limits import LIMITS
from tests.api.archived import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)
WAY = "/api/v1/plans/ada"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))  # this file was read long before


@pytest.fixture
def client(dsn: str, tmp_path: Path) -> Iterator[TestClient]:
    keys = tmp_path / "keys"
    with TestClient(create_app(ApiSettings(), dsn, keys, WallClock())) as made:
        made.headers["authorization"] = f"Bearer {ensure_token(keys)}"
        yield made


def put(client: TestClient, limits: dict[str, float], version: int, **more: Any) -> Any:
    plan = client.get(WAY).json()
    names = ("guideline", "tiers", "ladders", "team", "quiet", "pauses", "schedules", "pressure_times")
    body = {name: plan[name] for name in names} | {"limits": limits} | more
    return client.put(WAY, json=body, headers={"if-match": f'"{version}"'})


def test_beyond_the_bounds_is_refused_by_name_and_beyond_advice_wants_a_reason(client: TestClient) -> None:
    refused = put(client, {"brady_bpm": 25}, 0)
    assert (refused.status_code, refused.json()["limit"]) == (422, "brady_bpm")
    assert "30 to 60" in refused.json()["detail"]
    asked = put(client, {"brady_bpm": 34}, 0)
    assert (asked.status_code, list(asked.json()["unadvised"])) == (422, ["brady_bpm"])
    assert "the default is 40" in asked.json()["unadvised"]["brady_bpm"]
    assert put(client, {"brady_bpm": 34}, 0, reason="   ").status_code == 422
    assert client.get(WAY).json()["version"] == 0
    made = put(client, {"brady_bpm": 34}, 0, reason="athlete, 36 asleep")
    assert (made.status_code, made.json()["version"]) == (200, 1)
    assert put(client, {"brady_bpm": 34, "tachy_bpm": 140}, 1).status_code == 200  # 34 was said already
    assert put(client, {"brady_bpm": 33, "tachy_bpm": 140}, 2).status_code == 422


def test_a_lost_update_is_refused_and_versions_say_who_when_why_and_what(client: TestClient) -> None:
    assert put(client, {"brady_bpm": 34}, 0, reason="athlete").status_code == 200
    assert put(client, {"tachy_bpm": 120}, 0).status_code == 412
    assert put(client, {"brady_bpm": 45}, 1).status_code == 200
    newer, older = client.get(f"{WAY}/versions").json()["versions"]
    assert (older["version"], older["by_whom"], older["reason"]) == (1, "operator", "athlete")
    assert older["changes"] == [{"what": "limits.brady_bpm", "before": None, "after": 34.0}]
    assert newer["changes"] == [{"what": "limits.brady_bpm", "before": 34.0, "after": 45.0}]
    assert datetime.fromisoformat(older["at"]) <= datetime.fromisoformat(newer["at"])


def test_a_care_team_that_reaches_nobody_is_refused_though_limits_go_through(client: TestClient) -> None:
    team = [{"person": "d", "channel": "pigeon", "address": "x", "role": "doctor"}]
    refused = put(client, {}, 0, team=team)
    assert refused.status_code == 422
    assert any(one.startswith("doctor: there is no channel 'pigeon'") for one in refused.json()["problems"])
    assert put(client, {"tachy_bpm": 120}, 0).status_code == 200


def test_the_table_of_limits_says_value_bounds_source_and_tier(client: TestClient) -> None:
    put(client, {"glucose_low_mg_dl": 75}, 0)
    told = client.get(f"{WAY}/limits").json()
    rows = {row["name"]: row for row in told["limits"]}
    assert set(rows) == set(LIMITS)
    low = rows["glucose_low_mg_dl"]
    assert (low["value"], low["is_own"], low["default"], low["tier"], low["group"]) == (75, True, 70, "tip", "glucose")
    assert (low["lowest"], low["highest"], low["advised_from"], low["advised_to"]) == (60, 100, 65, 80)
    assert "Battelino" in low["source"]
    assert rows["no_data_s"]["is_technical"]
    assert rows["brady_bpm"]["tier"] == "doctor"


def test_limits_are_tried_on_the_archive_and_change_nothing(client: TestClient, dsn: str) -> None:
    client.post("/api/v1/assignments", json={"device": "cgm1", "patient": "ada", "from": "2026-01-01T00:00:00Z"})
    values = [*range(74, 63, -1), *range(64, 75)]
    start = NOW - timedelta(days=3)
    with Archive(dsn) as archive:
        archive.take()
        for seq, value in enumerate(values, 1):
            at = start + seq * timedelta(minutes=5)
            archive.take(Reading(device="cgm1", stream="cgm", seq=seq, kind=ReadingKind.GLUCOSE, values=(float(value),),  # type: ignore[arg-type]
                                 at=at, device_time=str(seq), received_at=at))  # fmt: skip
    body = {"limits": {"glucose_low_mg_dl": 60, "no_data_s": 120}}
    told = client.post(f"{WAY}/try", json=body).json()
    assert told["judged"] == {"glucose": 22, "pressure": 0, "episodes": 0, "minutes": 0}
    assert told["tiers"]["tip"] == {"before": 1, "after": 0, "more": 0, "fewer": 1}
    (gone,) = told["fewer"]
    assert (gone["condition"], gone["tier"]) == ("glucose_low", "tip")
    assert [one["limit"] for one in told["untold"]] == ["no_data_s"]
    assert client.get(WAY).json()["version"] == 0
    assert client.post(f"{WAY}/try", json={"limits": {"brady_bpm": 500}}).status_code == 422
