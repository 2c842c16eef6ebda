"""The dispatch centre believes only what is signed, and shows each emergency once."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from device_sims.dispatch import DispatchCentre, serving
from device_sims.dispatch_behaviour import Behaviour
from device_sims.packet import in_words, is_secret, verify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECRET = "whsec_" + base64.b64encode(b"a secret of the demo, 32 bytes..").decode()
OTHER = "whsec_" + base64.b64encode(b"somebody else's secret, 32 bytes").decode()
PACKET: dict[str, Any] = {
    "type": "alert.raised",
    "timestamp": "2026-11-24T08:00:00Z",
    "data": {
        "alert_id": "a1",
        "tier": "emergency",
        "condition": "vf",
        "onset": "2026-11-24T07:59:50Z",
        "patient": "p1",
        "reason": {"en": "this can kill within minutes", "zh": "数分钟内可危及生命"},
        "record": {"name": "Ada Example", "address": "1 Sample Street", "phones": ["+00 1", "+00 2"]},
        "strip": "<svg/>",
    },
}


def signed(body: bytes, secret: str = SECRET, webhook_id: str = "n1", at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }


@contextlib.asynccontextmanager
async def running(centre: DispatchCentre) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        asyncio.timeout(20),
        serving(centre) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def post(client: httpx2.AsyncClient, body: bytes, headers: dict[str, str]) -> int:
    return (await client.post("/emergencies", content=body, headers=headers)).status_code


BODY = json.dumps(PACKET).encode()
NOW_ISH = datetime.now(UTC)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(BODY + b" ", signed(BODY), id="one byte was added"),
        pytest.param(BODY.replace(b"Ada", b"Eve"), signed(BODY), id="another name was put in"),
        pytest.param(BODY, signed(BODY, OTHER), id="another's secret"),
        pytest.param(BODY, signed(BODY, at=NOW_ISH - timedelta(minutes=10)), id="an old one, replayed"),
        pytest.param(BODY, signed(BODY, at=NOW_ISH + timedelta(hours=1)), id="from the future"),
        pytest.param(BODY, signed(BODY) | {"webhook-id": "n2"}, id="under another id"),
        pytest.param(BODY, {}, id="not signed at all"),
        pytest.param(BODY, signed(BODY) | {"webhook-signature": "nonsense"}, id="a signature without version"),
        pytest.param(BODY, signed(BODY) | {"webhook-signature": "v1,%%%"}, id="a signature that is no base64"),
        pytest.param(BODY, signed(BODY) | {"webhook-timestamp": "soon"}, id="a time that is none"),
        pytest.param(
            b"\xff\xfe", {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,x"}, id="no text"
        ),
    ],
)
@pytest.mark.asyncio
async def test_what_is_not_signed_is_refused(body: bytes, headers: dict[str, str]) -> None:
    shown: list[str] = []
    centre = DispatchCentre(SECRET, show=shown.append)
    async with running(centre) as client:
        assert await post(client, body, headers) == 401
        assert await post(client, BODY, signed(BODY)) == 200, "the refused one must not count as seen"
    assert [received.verified for received in centre.received] == [False, True]
    assert not any("Eve" in text for text in shown)


@pytest.mark.asyncio
async def test_signatures_go_by_the_computers_clock_however_far_ahead_the_world_is() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=3)
    centre = DispatchCentre(SECRET, show=lambda _: None, now=lambda: ahead)
    async with running(centre) as client:
        assert await post(client, BODY, signed(BODY)) == 200
        assert await post(client, BODY, signed(BODY, at=ahead)) == 401


@pytest.mark.asyncio
async def test_it_shows_each_webhook_once_even_after_a_restart(tmp_path: Path) -> None:
    shown: list[str] = []
    log = tmp_path / "received.jsonl"
    for _ in range(2):
        async with running(DispatchCentre(SECRET, log=log, show=shown.append)) as client:
            for _ in range(2):
                assert await post(client, BODY, signed(BODY)) == 200
        with log.open("a") as file:
            file.write('{"webhook_id": "n')  # killed in the middle of a line
            file.write("\n")
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    assert [line["duplicate"] for line in lines] == [False, True, True, True]
    assert {(line["webhook_id"], line["alert_id"], line["type"], line["verified"]) for line in lines} == {
        ("n1", "a1", "alert.raised", True)
    }
    assert sum("Ada Example" in text for text in shown) == 1


@dataclass
class Desk:
    """The product's side: what was called back, verified with the secret, in order."""

    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(fields["content-length"]))
        assert head[0].split()[1] == "/api/v1/callbacks/dispatch"
        self.got.append((fields["webhook-id"], Webhook(SECRET).verify(body, fields)))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("behaviour", "kinds"),
    [
        (Behaviour.ACCEPT, ["accepted"]),
        (Behaviour.REJECT, ["rejected"]),
        (Behaviour.COME, ["accepted", "on_the_way", "arrived"]),
    ],
)
@pytest.mark.asyncio
async def test_it_answers_by_callbacks_that_it_signs(behaviour: Behaviour, kinds: list[str]) -> None:
    desk = Desk()
    server = await asyncio.start_server(desk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1/callbacks/dispatch"
    centre = DispatchCentre(SECRET, callback=url, behaviour=behaviour, show=lambda _: None, travel_s=0.05)
    async with running(centre) as client:
        await post(client, BODY, signed(BODY))
        await post(client, BODY, signed(BODY, OTHER))
        await centre.wait_for(lambda each: len(each.answered) == len(kinds))
    server.close()
    assert centre.answered == [("a1", kind, 204) for kind in kinds]
    assert [said["type"] for _, said in desk.got] == [f"alert.{kind}" for kind in kinds]
    assert len({identity for identity, _ in desk.got}) == len(kinds)
    assert all(said["data"]["alert_id"] == "a1" for _, said in desk.got)
    if behaviour is Behaviour.REJECT:
        assert "district" in desk.got[0][1]["data"]["reason"]


@pytest.mark.asyncio
async def test_a_notice_that_comes_again_is_answered_under_the_same_id_and_one_ambulance_drives() -> None:
    desk = Desk()
    server = await asyncio.start_server(desk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1/callbacks/dispatch"
    centre = DispatchCentre(SECRET, callback=url, behaviour=Behaviour.COME, show=lambda _: None, travel_s=30.0)
    async with running(centre) as client:
        await post(client, BODY, signed(BODY))
        await centre.wait_for(lambda each: len(each.answered) == 2)
        await post(client, BODY, signed(BODY))
        await post(client, BODY, signed(BODY, webhook_id="n2"))
        await centre.wait_for(lambda each: len(each.answered) == 4)
    server.close()
    assert [kind for _, kind, _ in centre.answered] == ["accepted", "on_the_way", "accepted", "accepted"]
    first, again, other = [identity for identity, said in desk.got if said["type"] == "alert.accepted"]
    assert first == again != other


@pytest.mark.parametrize(("behaviour", "status"), [(Behaviour.FAIL, 500), (Behaviour.REDIRECT, 307)])
@pytest.mark.asyncio
async def test_a_centre_that_failed_has_not_taken_it(behaviour: Behaviour, status: int) -> None:
    shown: list[str] = []
    centre = DispatchCentre(SECRET, behaviour=behaviour, show=shown.append)
    async with running(centre) as client:
        assert await post(client, BODY, signed(BODY)) == status
        assert shown == []
        centre.behaviour = Behaviour.RECEIVE
        assert await post(client, BODY, signed(BODY)) == 200
    assert [received.duplicate for received in centre.received] == [False, False]
    assert len(shown) == 1
    assert centre.answered == []


@pytest.mark.asyncio
async def test_a_centre_that_is_down_does_not_listen() -> None:
    async with running(DispatchCentre(SECRET, behaviour=Behaviour.DOWN)) as client:
        with pytest.raises(httpx2.ConnectError):
            await post(client, BODY, signed(BODY))


@pytest.mark.asyncio
async def test_a_slow_centre_is_slower_than_its_sender() -> None:
    centre = DispatchCentre(SECRET, behaviour=Behaviour.SLOW, show=lambda _: None, slow_s=1.0)
    async with running(centre) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post("/emergencies", content=BODY, headers=signed(BODY), timeout=0.2)


def test_a_packet_in_words_says_who_where_what_and_since_when() -> None:
    text = in_words(PACKET)
    for part in (
        "alert.raised",
        "EMERGENCY",
        "vf",
        "Ada Example",
        "1 Sample Street",
        "2026-11-24T07:59:50Z",
        "数分钟内",
        "+00 2",
        "yes / 有",
    ):
        assert part in text
    assert "no / 无" in in_words({"type": "alert.raised", "data": {}})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(max_codepoint=0x2FF), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "record", "name", "tier", "reason", "evidence", "alert_id", "en"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(payload=st.dictionaries(st.sampled_from(["type", "data", "record"]), JSON))
def test_any_payload_can_be_shown_without_control_characters(payload: dict[str, Any]) -> None:
    lines = in_words(payload).split("\n")
    assert len(lines) == len(in_words(PACKET).split("\n")), "a value forged a line of its own"
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for line in lines for letter in line)


@settings(deadline=None)
@given(body=st.binary(max_size=60), signature=st.text(max_size=30))
def test_verifying_never_raises(body: bytes, signature: str) -> None:
    headers = {
        "webhook-id": "x",
        "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
        "webhook-signature": signature,
    }
    assert not verify(headers, body, SECRET).verified


def test_a_secret_is_known_by_its_form() -> None:
    assert is_secret(SECRET)
    assert not is_secret("whsec_")
    assert not is_secret("whsec_not base64!")
