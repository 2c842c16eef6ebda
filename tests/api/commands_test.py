"""`tierwatch patient ...` against the API as it is served."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psycopg
import pytest
import uvicorn
from typer.testing import CliRunner

from alerts.clock import WallClock
from api.app import create_app
from api.commands import app
from api.settings import ApiSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[SimpleNamespace]:
    keys = tmp_path / "keys"
    listening = socket.create_server(("127.0.0.1", 0))
    settings = ApiSettings(port=listening.getsockname()[1])
    application = create_app(settings, dsn, keys, WallClock())
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield SimpleNamespace(api=settings, folder=SimpleNamespace(keys=keys))
    server.should_exit = True
    thread.join(10)
    listening.close()


def _type(place: SimpleNamespace, *words: str) -> Result:
    return CliRunner().invoke(app, ("patient", *words), obj=lambda: place, env={"COLUMNS": "250"})


def test_add_assign_limit_and_list(place: SimpleNamespace, dsn: str) -> None:
    assert "entered" in _type(place, "add", "ada-1", "--name", "Ada Wong", "--allergy", "penicillin").output
    told = _type(place, "assign", "ada-1", "H10-1", "--from", "2026-11-24T08:00:00")
    assert "H10-1 is ada-1's" in told.output
    conflict = _type(place, "assign", "bea", "H10-1", "--from", "2026-11-24T08:00:00")
    assert conflict.exit_code == 1
    assert "ada-1" in conflict.output
    assert "give a reason" in _type(place, "limits", "ada-1", "tachy_bpm=160").output
    assert "note: tachy_bpm = 160" in _type(place, "limits", "ada-1", "tachy_bpm=160", "--reason", "athlete").output
    assert "beyond" in _type(place, "limits", "ada-1", "tachy_bpm=900").output
    assert "NAME=VALUE" in _type(place, "limits", "ada-1", "fast").output
    assert _type(place, "list").output == "ada-1\n"
    with psycopg.connect(dsn) as conn:
        assert conn.execute("SELECT count(*) FROM stream.inbox").fetchone() == (2,)


def test_without_the_api_it_says_what_to_do(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    nowhere = SimpleNamespace(api=ApiSettings(port=9), folder=SimpleNamespace(keys=keys))
    assert "no token" in _type(nowhere, "list").output
    keys.mkdir()
    (keys / "api-operator.token").write_text("x")
    assert "is `tierwatch up` running?" in _type(nowhere, "list").output
