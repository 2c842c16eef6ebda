"""Devices over HTTP, over the log as intake writes it: what is shown of each, whose it is, what waits for an owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from alerts.clock import WallClock
from alerts.sealing import Seal
from api import accounts
from api.access import ensure_token
from api.app import create_app
from api.settings import ApiSettings
from gateway.reading import Deferred, DeviceStatus, LinkState, Reading, ReadingKind
from tests.api.archived import Archive
from tests.api.served import PASSWORD, TEAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)
"""When the test began: this file was read long before."""
MINUTE = timedelta(minutes=1)
OURS = {"origin": "http://testserver"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def client(dsn: str, tmp_path: Path) -> Iterator[TestClient]:
    keys = tmp_path / "keys"
    with TestClient(create_app(ApiSettings(), dsn, keys, WallClock())) as made:
        with psycopg.connect(dsn) as conn:
            for one in TEAM:
                accounts.add(conn, one, PASSWORD, Seal(keys))
        made.headers["authorization"] = f"Bearer {ensure_token(keys)}"
        yield made


@pytest.fixture
def archive(dsn: str) -> Iterator[Archive]:
    with Archive(dsn) as archive:
        yield archive


def pressure(seq: int, ago: timedelta, slot: int | None = None, systolic: float = 128.0) -> Reading:
    at = NOW - ago
    return Reading(device="cuff-1", stream="blood_pressure", seq=seq, kind=ReadingKind.BLOOD_PRESSURE,  # type: ignore[arg-type]
                   values=(systolic, 80.0, None, 64.0), at=at, slot=slot, device_time=at.isoformat()[:19],
                   received_at=at)  # fmt: skip


def status(seq: int, ago: timedelta, device: str = "cuff-1", **said: Any) -> DeviceStatus:
    return DeviceStatus(device=device, stream="status", seq=seq, at=NOW - ago, received_at=NOW - ago, **said)  # type: ignore[arg-type]


def assign(client: TestClient, archive: Archive, device: str, patient: str | None, **more: Any) -> Any:
    body = {"device": device, "patient": patient, "from": (NOW - timedelta(days=2)).isoformat(), **more}
    told = client.post("/api/v1/assignments", json=body)
    archive.take()
    return told


def one(client: TestClient, patient: str = "ada") -> dict[str, Any]:
    (found,) = client.get(f"/api/v1/patients/{patient}/devices").json()["devices"]
    return dict(found)


def test_of_each_thing_that_a_device_says_the_newest_word_is_shown(client: TestClient, archive: Archive) -> None:
    assign(client, archive, "cuff-1", "ada")
    archive.take(
        status(1, 9 * MINUTE, battery_percent=80, firmware="1.2"), pressure(1, 8 * MINUTE),
        status(2, 2 * MINUTE, battery_percent=74), status(3, MINUTE, link=LinkState.DOWN, clock_offset_s=3.5),
    )  # fmt: skip
    found = one(client)
    assert (found["kinds"], found["battery_percent"], found["firmware"]) == (["blood_pressure"], 74, "1.2")
    assert (found["link"], found["clock_offset_s"]) == ("down", 3.5)
    assert datetime.fromisoformat(found["heard_at"]) == NOW - MINUTE
    assert datetime.fromisoformat(found["measured_at"]) == NOW - 8 * MINUTE
    assert (found["missing"], found["is_all_sent"]) == (0, True)


def test_all_is_sent_only_where_nothing_is_missing_and_the_gateway_is_heard(
    client: TestClient, archive: Archive
) -> None:
    assign(client, archive, "cuff-1", "ada")
    archive.take(pressure(1, 60 * MINUTE), at=NOW - 60 * MINUTE)
    assert one(client)["is_all_sent"] is None  # an hour ago: what its gateway holds since, nobody knows
    archive.take(pressure(4, 2 * MINUTE), at=NOW - 2 * MINUTE)
    assert (one(client)["missing"], one(client)["is_all_sent"]) == (2, False)
    announced = Deferred(device="cuff-1", stream="blood_pressure", first=5, last=9)  # type: ignore[arg-type]
    archive.take(pressure(2, 50 * MINUTE), announced)
    assert one(client)["missing"] == 6
    archive.take(*(pressure(seq, (60 - seq) * MINUTE) for seq in (3, 5, 6, 7, 8, 9)))
    assert (one(client)["missing"], one(client)["is_all_sent"]) == (0, True)


def test_a_correction_moves_what_it_covers_and_leaves_the_rest(client: TestClient, archive: Archive) -> None:
    day = timedelta(days=1)
    assign(client, archive, "cuff-1", "otto", slot=2)
    refused = assign(client, archive, "cuff-1", "ada", slot=2)
    assert (refused.status_code, refused.json()["held_by"]) == (409, "otto")
    archive.take(pressure(1, 1.5 * day, slot=2), pressure(2, 0.5 * day, slot=2))
    corrected = {"from": (NOW - day).isoformat(), "correct": True}
    assert assign(client, archive, "cuff-1", "ada", slot=2, **corrected).status_code == 202
    mine, his = one(client)["holdings"]
    assert (mine["patient"], mine["slot"], mine["to"], his["patient"]) == ("ada", 2, None, "otto")
    assert datetime.fromisoformat(his["to"]) == datetime.fromisoformat(mine["from"]) == NOW - day
    assert archive.conn.execute("SELECT patient FROM stream.reading ORDER BY at").fetchall() == [("otto",), ("ada",)]


def test_what_came_of_nobody_is_shown_with_its_slot_and_is_theirs_once_assigned(
    client: TestClient, archive: Archive
) -> None:
    assign(client, archive, "cuff-1", "ada", slot=1)
    archive.take(pressure(1, 30 * MINUTE, slot=2), pressure(2, 20 * MINUTE, slot=2), pressure(3, 10 * MINUTE, slot=1))
    (waiting,) = one(client)["waiting"]
    assert (waiting["slot"], waiting["kind"], waiting["count"]) == (2, "blood_pressure", 2)
    assert datetime.fromisoformat(waiting["from"]) == NOW - 30 * MINUTE
    assign(client, archive, "cuff-1", "ada", slot=2)
    assert one(client)["waiting"] == []


def test_the_free_ones_are_those_that_nobody_holds_now(client: TestClient, archive: Archive) -> None:
    def free() -> list[str]:
        return [one["device"] for one in client.get("/api/v1/devices", params={"free": True}).json()["devices"]]

    archive.take(pressure(1, MINUTE))
    assert free() == ["cuff-1"]
    assign(client, archive, "cuff-1", "ada")
    assert free() == []
    assign(client, archive, "cuff-1", None, **{"from": NOW.isoformat()})
    assert free() == ["cuff-1"]
    assert [held["to"] is None for held in one(client)["holdings"]] == [False]


def test_a_patient_sees_their_own_devices_of_now_and_nobody_elses(client: TestClient, archive: Archive) -> None:
    assign(client, archive, "cuff-1", "ada")
    assign(client, archive, "strap-1", "otto")
    assign(client, archive, "old-1", "ada", to=(NOW - MINUTE).isoformat())
    archive.take(pressure(1, MINUTE), status(1, MINUTE, battery_percent=41))
    client.headers.pop("authorization")
    assert client.get("/api/v1/me/devices").status_code == 401
    told = client.post("/api/v1/session", json={"login": "ada", "password": PASSWORD}, headers=OURS)
    assert told.status_code == 200
    (mine,) = client.get("/api/v1/me/devices").json()["devices"]
    assert (mine["device"], mine["battery_percent"], mine["is_all_sent"]) == ("cuff-1", 41, True)
    assert client.get("/api/v1/devices").status_code == 403
    assert client.get("/api/v1/patients/otto/devices").status_code == 403
