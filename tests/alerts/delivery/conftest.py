"""A receiver of webhooks on loopback, and a folder of keys: what tests of delivery may ask for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Receiver:
    """A receiver's desk: what came, and what is answered."""

    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    pause_s: float = 0.0
    port: int = 0
    paths: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=never-in-a-log"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    desk = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            desk.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            desk.paths.append(self.path)
            if desk.pause_s:
                desk.released.wait(desk.pause_s)
            self.send_response(desk.status)
            for name, value in desk.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(desk.answer)))
            self.end_headers()
            self.wfile.write(desk.answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield desk
    desk.released.set()
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"
