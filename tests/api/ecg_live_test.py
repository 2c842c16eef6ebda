"""The live ECG over its socket: order, gaps, a slow viewer, who may see it, and that nothing old comes as new."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import numpy as np
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from api import ecg_live
from api.access import ensure_token
from api.ecg_live import View
from api.ecg_rooms import Lead, Room
from tests.api.served import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE_HZ = 130.0


class Strap:
    """Stores ECG as intake does: a batch, its rows, and the wake."""

    def __init__(self, dsn: str, patient: str = "ada", lead: str = "I", lane: int = 1) -> None:
        self._dsn, self._patient, self._lead, self._lane = dsn, patient, lead, lane
        self.index = self._seq = 0
        self.start = datetime.now(UTC)
        self.session = "s"
        with psycopg.connect(dsn) as conn:
            conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e') ON CONFLICT DO NOTHING")
            conn.execute("INSERT INTO stream.lane (source, device, stream) VALUES (1, 'h10', %s)", (f"ecg/{lead}",))

    def now(self) -> datetime:
        """When the next sample is measured."""
        return self.start + timedelta(seconds=self.index / RATE_HZ)

    def store(self, samples: Any, *, rate_hz: float = RATE_HZ, at: datetime | None = None) -> None:
        block = np.asarray(samples, np.int16)
        self._seq += 1
        at = at or self.start + timedelta(seconds=self.index / rate_hz)
        with psycopg.connect(self._dsn) as conn:
            (position,) = conn.execute(
                "INSERT INTO stream.batch (shard, position, tick_at, rows) SELECT 0, coalesce(max(position), 0) + 1, now(), 1"
                " FROM stream.batch RETURNING position"
            ).fetchone() or (0,)  # fmt: skip
            conn.execute(
                "INSERT INTO stream.ecg VALUES (%s, %s, %s, %s, %s, %s, %s, %s, true, 0, 'device', 0, %s, 1, NULL, %s, true,"
                " '\\x00', %s, %s)",
                (self._lane, self._seq, at, self._patient, self.session, self.index, rate_hz, self._lead, position, at,
                 len(block), b"\x00" + block.astype("<i2").tobytes()),
            )  # fmt: skip
            conn.execute("SELECT pg_notify('stream_ecg', '')")
        self.index += len(block)


@pytest.fixture
def site(dsn: str, tmp_path: Path) -> Iterator[Site]:
    with Site(dsn, tmp_path / "keys") as site:
        site.people()
        yield site


def watch(site: Site, patient: str = "ada", **headers: str) -> Any:
    token = ensure_token(site.keys)
    url = f"ws{site.url[4:]}/api/v1/patients/{patient}/ecg/live"
    return connect(url, additional_headers=headers or {"authorization": f"Bearer {token}"}, proxy=None, open_timeout=10,
                   max_size=None, max_queue=1)  # fmt: skip


def until(socket: Any, kind: str, timeout_s: float = 60.0) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while True:
        said: dict[str, Any] = msgspec.json.decode(socket.recv(timeout=deadline - time.monotonic()))
        if said["type"] == kind:
            return said


def samples_of(part: dict[str, Any]) -> list[int]:
    return np.frombuffer(base64.b64decode(part["i16le"]), "<i2").tolist()


def parts(socket: Any, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        found += until(socket, "samples")["parts"]
    return found


def test_what_is_stored_comes_at_once_in_order_and_what_is_missing_is_named(site: Site, dsn: str) -> None:
    strap = Strap(dsn)
    strap.store(range(65))
    with watch(site) as socket:
        said = until(socket, "leads")
        assert said == {"type": "leads", "lead": "h10|ecg/I",
                        "leads": [{"id": "h10|ecg/I", "lead": "I", "device": "h10", "rate_hz": RATE_HZ}]}  # fmt: skip
        first = until(socket, "samples")
        assert (first["is_past"], samples_of(first["parts"][0])) == (True, list(range(65)))
        waits = []
        for number in range(3):
            strap.start = datetime.now(UTC) - timedelta(seconds=strap.index / RATE_HZ)
            stored_at = time.monotonic()
            strap.store([number] * 13)
            (part,) = parts(socket, 1)
            waits.append(time.monotonic() - stored_at)
            assert (samples_of(part), part["gap"]) == ([number] * 13, 0)
        assert max(waits) < 0.9
        strap.index += 468  # 3.6 s that never came
        strap.store([-32768, 7])
        (part,) = parts(socket, 1)
        assert (part["gap"], samples_of(part)) == (468, [-32768, 7])


def test_what_comes_late_or_twice_is_not_shown_as_now(site: Site, dsn: str) -> None:
    strap = Strap(dsn)
    strap.store([1] * 65, at=datetime.now(UTC) - timedelta(minutes=5))
    with watch(site) as socket:
        until(socket, "state")
        strap.store([1] * 65, at=datetime.now(UTC) - timedelta(minutes=4))
        strap.start = datetime.now(UTC) - timedelta(seconds=strap.index / RATE_HZ)
        strap.store([2] * 65)
        strap.index -= 30  # a device that sends some again
        strap.store([2] * 30 + [3] * 10)
        assert [samples_of(part) for part in parts(socket, 2)] == [[2] * 65, [3] * 10]


def test_a_lead_can_be_chosen_and_another_patients_signal_never_comes(site: Site, dsn: str) -> None:
    one, two = Strap(dsn), Strap(dsn, lead="V5", lane=2)
    with watch(site) as socket:
        one.store([1] * 13)
        two.store([2] * 13)
        other = Strap(dsn, patient="otto", lead="II", lane=3)
        other.store([9] * 13)
        while len(until(socket, "leads")["leads"]) < 2:
            pass
        socket.send('{"lead": "h10|ecg/V5"}')
        assert samples_of(parts(socket, 1)[-1]) == [2] * 13
        socket.send("no json")
        socket.send('{"lead": "h10|ecg/II"}')  # is not this patient's
        two.store([4] * 13)
        assert samples_of(parts(socket, 1)[-1]) == [4] * 13


def test_a_viewer_who_takes_nothing_holds_nobody_up_and_is_told_what_was_skipped(
    site: Site, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecg_live, "SEND_S", 120.0)  # it is not let go before it is told
    strap = Strap(dsn)
    strap.store([0] * 13)
    noise = np.random.default_rng(1)
    with watch(site) as slow, watch(site) as quick:
        parts(slow, 1), parts(quick, 1)
        strap.start = datetime.now(UTC)
        waits = []
        for _ in range(25):  # more than the ways to the slow one hold
            begun = time.monotonic()
            strap.store(noise.integers(-9000, 9000, 300_000), rate_hz=300_000.0)
            while not parts(quick, 1):
                pass
            waits.append(time.monotonic() - begun)
        assert max(waits) < ecg_live.SEND_S / 2, "who takes everything has waited for who takes nothing"
        skipped = 0.0
        while not skipped:
            skipped = until(slow, "samples")["skipped_s"]
        assert skipped > 1


def test_who_may_not_see_the_patient_is_refused(site: Site, dsn: str) -> None:
    Strap(dsn).store([1] * 13)
    for login, code in (("ada", 4403), (None, 4401)):
        headers = {"origin": site.url, "cookie": "none=1"}
        if login:
            with httpx2.Client(base_url=site.url, trust_env=False) as client:
                told = client.post("/api/v1/session", json={"login": login, "password": "correct horse battery"},
                                   headers={"origin": site.url})  # fmt: skip
                assert told.status_code == 200
                headers["cookie"] = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        with watch(site, **headers) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
    with watch(site, authorization="Bearer wrong") as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=10)


def row(index: int, count: int, at_s: float, session: str = "s", rate_hz: float = 100.0) -> dict[str, Any]:
    at = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=at_s)
    coded = b"\x00" + np.full(count, index, "<i2").tobytes()
    return {"device": "d", "stream": "ecg/I", "lead": "I", "session": session, "index": index, "rate_hz": rate_hz, "at": at,
            "count": count, "samples": coded}  # fmt: skip


def test_a_new_session_goes_on_by_time_and_a_new_rate_begins_anew() -> None:
    room = Room("ada")
    for one in (row(0, 100, 0), row(100, 100, 1), row(5, 100, 4, "t"), row(105, 100, 5, "t")):
        room.take(one)
    lead = room.leads["d|ecg/I"]
    assert [part.gap for part in lead.parts] == [0, 0, 200, 0]
    room.take(row(0, 250, 6, "u", rate_hz=250.0))
    assert ([part.gap for part in lead.parts], lead.rate_hz) == ([0], 250.0)


def test_the_past_of_a_lead_is_bounded_and_a_slow_viewer_gets_the_newest() -> None:
    lead = Lead("d", "ecg/I", "I", 100.0)
    for second in range(100):
        lead.take(row(second * 100, 100, second), np.zeros(100, np.int16))
    assert lead.seconds(lead.parts) <= 16
    assert [part.number for part in lead.after(90, 4.0)] == [97, 98, 99, 100]
    assert [part.number for part in lead.after(98, 4.0)] == [99, 100]


def test_strips_of_a_hand_held_device_are_no_stream() -> None:
    room = Room("ada")
    room.take(row(0, 100, 0) | {"stream": "ecg/strip/I"})
    assert room.leads == {}


def test_each_thing_is_said_once_and_who_is_behind_is_skipped_forward() -> None:
    room = Room("ada")
    view = View(room)
    assert [one["type"] for one in view.news(0.0, None)] == ["leads", "state"]
    for second in range(3):
        room.take(row(second * 100, 100, second))
    assert [one["type"] for one in view.news(0.1, None)] == ["leads", "samples"]
    assert view.news(0.2, None) == []
    for second in range(3, 13):
        room.take(row(second * 100, 100, second))
    (said,) = view.news(0.3, None)
    assert (said["skipped_s"], len(said["parts"]), said["is_past"]) == (6.0, 4, False)
