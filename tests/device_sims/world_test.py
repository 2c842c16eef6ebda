"""The world speaks to the product as strangers do: MQTT and HTTP, every wearable, nothing of the database."""

from __future__ import annotations

import ast
import asyncio
import base64
import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import device_sims
from device_sims import cast, registration, world
from device_sims.pace import Pace
from device_sims.registration import Api, RegistrationError
from device_sims.settings import DeviceSimsSettings
from device_sims.world import World
from gateway.reading import EcgChunk, Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from conftest import Harbour

    from gateway.gateway import Gateway

SECRET = "whsec_" + base64.b64encode(b"a secret of the demo, 32 bytes..").decode()
ALLOWED = {"device_sims", "gateway", "stream.recording"}
OURS = {"gateway", "stream", "alerts", "api", "device_sims", "tierwatch"}


def sources() -> list[Path]:
    return sorted(Path(device_sims.__path__[0]).rglob("*.py"))


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {
                f"{node.module}.{alias.name}" if node.module == "stream" else str(node.module) for alias in node.names
            }
    return found


def test_it_imports_nothing_of_the_product_but_the_gateway_and_the_player() -> None:
    assert len(sources()) > 10
    for path in sources():
        for name in imported(path):
            if name.split(".")[0] in OURS:
                assert name.split(".")[0] in ALLOWED or name in ALLOWED, f"{path.name} imports {name}"


def test_it_has_no_database_address() -> None:
    for path in sources():
        assert not {name.split(".")[0] for name in imported(path)} & {
            "psycopg",
            "psycopg_pool",
            "sqlalchemy",
            "asyncpg",
        }
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
        assert not {name for name in names if "dsn" in name.lower()}, path.name


def test_everybody_has_an_id_of_their_own_and_every_device_a_person() -> None:
    homes = list(cast.homes(30))
    people = [person.patient for home in homes for person in home.people]
    clients = [home.client for home in homes]
    devices = [each.device for home in homes for each in (*home.straps, *home.patches)]
    devices += [each.device for home in homes for each in (*home.cuffs, *home.sensors)]
    for ids in (people, clients, devices):
        assert len(set(ids)) == len(ids)
    assert all(home.patches == () or home.patches[0].device == home.client for home in homes)
    asked = list(registration.requests(homes, datetime.now(UTC)))
    assigned = [wanted.body for wanted in asked if wanted.path.endswith("assignments")]
    assert {body["device"] for body in assigned} == set(devices)
    assert {body["patient"] for body in assigned} <= set(people)
    assert [wanted.method for wanted in asked] == ["PUT"] * len(people) + ["POST"] * len(assigned), "people come first"
    assert len({wanted.key for wanted in asked}) == len(asked)
    couple = [(body["slot"], body["patient"]) for body in assigned if body["device"] == "CUFF-CHEN"]
    assert couple == [(1, "chen-guiying"), (2, "chen-guoqiang")]


class Desk:
    """An API that takes everything, or says what it is told to."""

    def __init__(self, *statuses: int) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._statuses = list(statuses)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.splitlines()[1:])
        }
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        self.asked.append((head.split()[1], fields.get("authorization", ""), json.loads(body or b"{}")))
        status = self._statuses.pop(0) if self._statuses else 201
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


async def desk(*statuses: int) -> tuple[Desk, asyncio.Server, Api]:
    clerk = Desk(*statuses)
    server = await asyncio.start_server(clerk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return clerk, server, Api(url=url, token="clinic")


@pytest.mark.asyncio
async def test_registration_waits_for_the_api() -> None:
    clerk, server, api = await desk(503, 204, 202)
    async with asyncio.timeout(20), server:
        await registration.register(api, [cast.ADA], datetime.now(UTC))
    assert [path for path, _, _ in clerk.asked] == ["/api/v1/patients/ada"] * 2 + ["/api/v1/assignments"]
    assert {token for _, token, _ in clerk.asked} == {"Bearer clinic"}
    assert clerk.asked[1][2]["name"] == "Ada Lindqvist"


@pytest.mark.asyncio
async def test_registration_that_is_refused_says_what_was_refused() -> None:
    _, server, api = await desk(422)
    async with asyncio.timeout(20), server:
        with pytest.raises(RegistrationError, match="PUT /api/v1/patients/ada: 422"):
            await registration.register(api, [cast.ADA], datetime.now(UTC))


@pytest.mark.asyncio
async def test_every_wearable_of_the_world_reaches_intake(
    harbour: Callable[[], AbstractAsyncContextManager[Harbour]], tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = DeviceSimsSettings(dispatch_port=port)
    gateways: list[Gateway] = []
    stop, ready = asyncio.Event(), asyncio.Event()
    clerk, server, api = await desk()
    async with asyncio.timeout(90), server, harbour() as it:
        living = World(
            folder=tmp_path / "world",
            broker=it.broker,
            passwords=it.admit(world.clients(settings)),
            pace=Pace(speed=20.0),
            settings=settings,
            webhook_secret=SECRET,
            api=api,
        )
        task = asyncio.create_task(world.live(living, stop, ready.set, gateways.append))

        def enough(each: Harbour) -> bool:
            return (
                len(each.events("CUFF-CHEN", "blood_pressure")) >= 4
                and len(each.events("H10-ADA", "ecg/I")) >= 60
                and len(each.events("H10-000", "ecg/I")) >= 60
                and len(each.events("wifi-lin", "ecg/I")) >= 60
                and len(each.events("CGM-SOFIA", "cgm")) >= len(cast.SOFIA.sensors[0].glucose_mg_dl)
            )

        await ready.wait()
        assert len(clerk.asked) == len(list(registration.requests(list(cast.homes(1)), datetime.now(UTC))))
        await asyncio.wait({asyncio.create_task(it.until(enough)), task}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await task
    pressures = [event for event in it.events("CUFF-CHEN", "blood_pressure") if isinstance(event, Reading)]
    assert [(event.slot, event.values[:2]) for event in pressures][:4] == [
        (measured.slot, (measured.systolic_mmhg, measured.diastolic_mmhg))
        for measured in cast.CHEN.cuffs[0].measurements[:4]
    ]
    glucose = [event for event in it.events("CGM-SOFIA", "cgm") if isinstance(event, Reading)]
    remembered = cast.SOFIA.sensors[0].glucose_mg_dl
    assert tuple(event.values[0] for event in glucose)[: len(remembered)] == remembered
    for device in ("H10-ADA", "H10-JONAS", "H10-000", "wifi-lin"):
        chunks = [event for event in it.events(device, "ecg/I") if isinstance(event, EcgChunk)]
        assert [chunk.seq for chunk in chunks] == list(range(1, len(chunks) + 1))
        assert [chunk.index for chunk in chunks] == [
            sum(len(chunk.samples) // 2 for chunk in chunks[:turn]) for turn in range(len(chunks))
        ], f"the signal of {device} has a gap"
    assert all(gateway.malformed == 0 for gateway in gateways)
    assert len(gateways) == 5
