"""A whole Tierwatch on free ports in a folder of its own: real processes, real gateways, a dispatch centre.

It can kill any child, arm crash points, and wait until something is true; it never sleeps blindly and leaves nothing
running behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psycopg

from alerts.delivery.signing import ensure_secret
from api.access import OPERATOR, ensure_token
from device_sims.dispatch import DispatchCentre, serving
from device_sims.dispatch_behaviour import Behaviour
from device_sims.registration import Api, register
from gateway.gateway import Broker, Gateway, run_gateway
from gateway.lane import LaneName
from gateway.reading import ClientId, Reading
from stream.servers import nats
from stream.servers.data_folder import DataFolder
from stream.servers.leftovers import find, sweep
from stream.servers.mqtt_clients import add_clients, password_of
from stream.servers.postgres import dsn
from tests.faults.people import Watched

HOME = Path(__file__).parents[2]
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.05
Result = TypeVar("Result")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()


def until(holds: Callable[[], Result], what: str, patience_s: float = PATIENCE_S) -> Result:
    """Wait until something is true (it is asked again and again), and return it; fail by name when it never is."""
    give_up = time.monotonic() + patience_s
    while not (found := holds()):
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {patience_s:g} s: {what}")
        time.sleep(LOOK_EVERY_S)
    return found


def environment() -> dict[str, str]:
    """Of our processes: this very code, and one folder with the compiled detector for all houses."""
    cache = os.environ.get("NUMBA_CACHE_DIR") or str(HOME / "var" / "numba")
    return {**os.environ, "PYTHONPATH": str(HOME), "NUMBA_CACHE_DIR": cache}


class World:
    """Gateways and the dispatch centre, in a loop and a thread of their own."""

    def __init__(self) -> None:
        self.gateways: dict[str, Gateway] = {}
        self.centre: DispatchCentre | None = None
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="outbox")
        self._stops: dict[str, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="world", daemon=True)
        self._thread.start()
        self._closing: Callable[[], Coroutine[Any, Any, object]] | None = None

    def do(self, work: Coroutine[Any, Any, Result], patience_s: float = PATIENCE_S) -> Result:
        """Run something in the world's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(patience_s)

    async def open_centre(self, secret: str, port: int, behaviour: Behaviour) -> None:
        """Start the dispatch centre."""
        self.centre = DispatchCentre(secret, behaviour=behaviour, show=lambda _: None)
        context = serving(self.centre, port=port)
        await context.__aenter__()
        self._closing = partial(context.__aexit__, None, None, None)

    async def open_gateway(self, client: str, broker: Broker, outbox: Path) -> None:
        """Start a gateway without devices: what it hears is handed to it by `hear`."""
        ready, stop = asyncio.Event(), asyncio.Event()

        def made(gateway: Gateway) -> None:
            self.gateways[client] = gateway
            ready.set()

        running = asyncio.create_task(
            run_gateway(
                client=ClientId(client), broker=broker, outbox_path=outbox, links=[], stop=stop, durable=False,
                pool=self._pool, send_every_s=0.5, on_ready=made,
            )
        )  # fmt: skip
        self._stops[client] = stop, running
        await ready.wait()

    async def hear(
        self, people: Sequence[Watched], seconds: Sequence[int], zero: datetime, heard: datetime | None = None
    ) -> None:
        """Have each patient's gateway hear these seconds: committed to its outbox, then sent when its turn comes."""
        for one in people:
            gateway = self.gateways[one.client]
            drafts = [draft for second in seconds for draft in one.said(second, zero, heard)]
            kept, gaps = await gateway._in_pool(partial(gateway.outbox.append, drafts, right=True))
            gateway._kept(kept, gaps)

    async def hear_pressure(self, people: Sequence[Watched], second: int) -> None:
        """Have each cuff say its first pressure now; `second` is what its own clock shows."""
        for one in people:
            gateway, now = self.gateways[one.client], datetime.now(UTC)
            (_, draft) = one.said(0, now, now)
            assert isinstance(draft.event, Reading)
            event = replace(draft.event, at=now, device_time=f"turn-{second}")
            kept, gaps = await gateway._in_pool(
                partial(gateway.outbox.append, [replace(draft, event=event)], right=True)
            )
            gateway._kept(kept, gaps)

    async def close_gateway(self, client: str) -> None:
        """Stop one gateway; its outbox stays."""
        stop, running = self._stops.pop(client)
        stop.set()
        await running
        del self.gateways[client]

    def close(self) -> None:
        """Stop everything."""
        for client in list(self._stops):
            self.do(self.close_gateway(client))
        if self._closing is not None:
            self.do(self._closing())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
        self._pool.shutdown()


@dataclass
class House:
    """One Tierwatch; use `house()`."""

    place: Path
    low_disk_mb: int = 10
    behaviour: Behaviour = Behaviour.RECEIVE
    world: World = field(default_factory=World)
    people: list[Watched] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.folder = DataFolder(self.place.resolve() / "data")
        self.faults = self.place / "faults"
        self.faults.mkdir()
        self.mqtt_port, self.api_port, self.dispatch_port = free_ports(3)
        self.config = self.place / "tierwatch.toml"
        self.url = f"http://127.0.0.1:{self.api_port}"

    def note(self, line: str) -> None:
        """Print what was measured, with the time since the start."""
        sys.stdout.write(f"{time.monotonic() - self._begun:6.1f} s  {line}\n")
        sys.stdout.flush()

    # ------------------------------------------------------------------ start and end

    def start(self) -> None:
        """Start all children, and wait until they are ready."""
        self.config.write_text(
            f"[stream]\nmqtt_port = {self.mqtt_port}\nlow_disk_mb = {self.low_disk_mb}\n"
            f"[api]\nport = {self.api_port}\n"
            "[alerts]\nlease_s = 10.0\nreconcile_s = 5.0\n"
            f'endpoints = {{ dispatch = "http://127.0.0.1:{self.dispatch_port}/emergencies" }}\n'
            'allowed_private_hosts = ["127.0.0.1"]\n'
        )
        self.folder.make()
        self._ready.clear()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.up", *map(str, (self.config, self.folder.root, self.faults))],
            cwd=HOME, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        # The first time on a machine the detector is compiled.
        until(lambda: self._ready.is_set() or self._has_ended(), "all children ready", 240.0)
        if self._has_ended():
            raise AssertionError("it ended at its start:\n" + "\n".join(self.said))

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip("\n"))
                if "ALL READY" in line:
                    self._ready.set()

    def stop(self) -> None:
        """Ctrl-C, and be sure that nothing is left."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE_S)
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process = None
        assert not find(self.folder.mark()), "processes left behind"

    def settle(self, people: Sequence[Watched], since: datetime | None = None) -> None:
        """Register these people, let their gateways in, and open the dispatch centre."""
        self.people = list(people)
        keys = self.folder.keys
        if self.world.centre is None:
            self.world.do(self.world.open_centre(ensure_secret(keys, "dispatch"), self.dispatch_port, self.behaviour))
        api = Api(url=self.url, token=ensure_token(keys, OPERATOR))
        self.world.do(register(api, [one.home for one in people], since or datetime.now(UTC)), 120.0)
        until(
            lambda: not self.ask("SELECT count(*) FROM stream.inbox WHERE position IS NULL")[0][0], "assignments taken"
        )
        clients = sorted({one.client for one in people})
        add_clients(self.folder.root, clients)
        for client in clients:
            self.open_gateway(client)

    def open_gateway(self, client: str) -> None:
        """Start (again) the gateway of a client."""
        password = password_of(self.folder.root, client)
        broker = Broker(host="127.0.0.1", port=self.mqtt_port, user=client, password=password, protocol="3.1.1")
        self.world.do(self.world.open_gateway(client, broker, self.place / f"{client}.outbox"))

    # ------------------------------------------------------------------ what is so

    def ask(self, sql: str, *values: Any, patience_s: float = 30.0) -> list[tuple[Any, ...]]:
        """Rows of the store; asked again while the server is away."""
        give_up = time.monotonic() + patience_s
        while True:
            try:
                with psycopg.connect(dsn(self.folder.root), autocommit=True, connect_timeout=5) as conn:
                    return conn.execute(sql, values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(LOOK_EVERY_S)

    def call(self, method: str, path: str, **given: Any) -> Any:
        """The API, as its operator; asked again while it is away."""
        headers = {"authorization": f"Bearer {ensure_token(self.folder.keys, OPERATOR)}"}
        give_up = time.monotonic() + 30.0
        while True:
            try:
                with httpx2.Client(base_url=self.url, headers=headers, timeout=10.0, trust_env=False) as client:
                    reply = client.request(method, path, **given)
                assert reply.status_code < 500, f"{method} {path}: {reply.status_code} {reply.text[:300]}"
            except (httpx2.TransportError, AssertionError):
                if time.monotonic() > give_up:
                    raise
                time.sleep(LOOK_EVERY_S)
                continue
            assert reply.status_code < 300, f"{method} {path}: {reply.status_code} {reply.text[:300]}"
            return reply.json() if reply.content else None

    def positions(self) -> tuple[int, int]:
        """Newest stored and newest judged position."""
        ((stored, judged),) = self.ask(
            "SELECT (SELECT coalesce(max(position), 0) FROM stream.batch), (SELECT judged_position FROM stream.cursor)"
        )
        return stored, judged

    def sent(self) -> dict[tuple[str, LaneName], int]:
        """The sent ledger: for each lane of each client the highest number its outbox ever gave."""
        return {(c, lane): seq for c, g in self.world.gateways.items() for lane, seq in g.ledger().items()}

    @property
    def unsent(self) -> int:
        """Events in outboxes without a receipt."""
        return sum(gateway.unsent for gateway in self.world.gateways.values())

    def stored(self) -> dict[tuple[str, LaneName], tuple[int, int]]:
        """For each lane how many rows are archived, and the highest number among them."""
        rows = self.ask(
            "SELECT s.client, l.device, l.stream, count(*), max(e.seq) FROM stream.lane l JOIN stream.source s USING (source)"
            " JOIN (SELECT lane, seq FROM stream.ecg UNION ALL SELECT lane, seq FROM stream.reading) e USING (lane)"
            " GROUP BY 1, 2, 3"
        )
        return {(c, LaneName(d, s)): (count, highest) for c, d, s, count, highest in rows}

    def receipted(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until every event of every outbox has its receipt."""
        until(lambda: not self.unsent, "every event receipted", patience_s)

    def all_judged(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until what is stored now is judged, live or past, and the station has heard of it."""
        stored, _ = self.positions()
        until(lambda: self.positions()[1] >= stored, f"position {stored} judged", patience_s)
        until(lambda: self.call("GET", "/api/v1/ledger")["unjudged"] == 0, "nothing unjudged", patience_s)
        stored, _ = self.positions()
        until(
            lambda: self.ask("SELECT position FROM alerts.cursor")[0][0] >= stored, f"position {stored} heard by the station",
            patience_s,
        )  # fmt: skip

    # ------------------------------------------------------------------ harm

    def pid(self, child: str) -> int | None:
        """The process of a child now; None while there is none."""
        if child == "postgres":
            with suppress(OSError, ValueError, IndexError):
                return int((self.folder.postgres / "postmaster.pid").read_text().split()[0])
            return None
        if child == "nats":
            return nats.process_of(self.folder)
        return next(iter(find(self.folder.mark(child))), None)

    def kill(self, child: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Kill -9 a child; returns which process it was."""
        process = until(lambda: self.pid(child), f"{child} runs")
        assert process is not None
        os.kill(process, how)
        return process

    def back(self, child: str, before: int) -> None:
        """Wait until a killed child is replaced, and positions are judged again."""
        until(lambda: self.pid(child) not in {None, before}, f"{child} started again")
        self.goes_on()

    def goes_on(self) -> None:
        """Wait until positions are judged that were stored after now."""
        stored, _ = self.positions()
        until(lambda: self.positions()[1] > stored, "judging goes on")

    def arm(self, fault: str, text: str = "") -> None:
        """Put a fault in place (see `child.py`)."""
        fresh = self.faults / f"{fault}.new"
        fresh.write_text(text)
        fresh.rename(self.faults / fault)

    def disarm(self, fault: str) -> None:
        """Take a lasting fault away."""
        (self.faults / fault).unlink(missing_ok=True)

    def fired(self, point: str) -> dict[str, Any]:
        """Wait until an armed crash point has killed its process; what was in flight."""
        until((self.faults / f"{point}.fired").exists, f"{point} reached")
        found: dict[str, Any] = json.loads((self.faults / f"{point}.facts").read_text())
        (self.faults / f"{point}.fired").unlink()
        return found

    def fence(self) -> int:
        """Number of the newest writer."""
        ((fence,),) = self.ask("SELECT fence FROM stream.cursor")
        return int(fence)

    @contextmanager
    def second_intake(self) -> Iterator[None]:
        """Another intake beside the supervisor's, as if somebody had started the house on a second machine."""
        words = ["run", "intake", "--config", str(self.config), "--data", str(self.folder.root)]
        with (self.place / "second.log").open("wb") as log:
            second = subprocess.Popen(
                [sys.executable, "-m", "tierwatch", *words], cwd=HOME, env=environment(), stdout=log, stderr=log
            )
        try:
            yield
        finally:
            second.terminate()
            second.wait(PATIENCE_S)

    def in_flight(self) -> str:
        """In one line what is neither here nor there at this moment."""
        ((stored, judged, heard, notices),) = self.ask(
            "SELECT (SELECT coalesce(max(position), 0) FROM stream.batch), (SELECT judged_position FROM stream.cursor),"
            " (SELECT position FROM alerts.cursor),"
            " (SELECT count(*) FROM alerts.notice WHERE status = 'waiting')"
        )
        behind = f"{stored - judged} positions unjudged, {judged - heard} unheard, {notices} notices"
        return f"{self.unsent:4} events unreceipted, {behind}"


@contextmanager
def house(**given: Any) -> Iterator[House]:
    """A house that has started; gone with everything at the end, whatever happens."""
    place = Path(tempfile.mkdtemp(prefix="tw-"))
    place.chmod(0o755)
    made = House(place, **given)
    try:
        made.start()
        yield made
        made.world.close()
        made.stop()
    except BaseException:
        for name in ("intake", "station"):
            with suppress(OSError):
                lines = made.folder.log_of(name).read_text(errors="replace").splitlines()
                sys.stdout.write("\n".join([f"--- {name}.log", *lines[-25:], ""]))
        sys.stdout.write("\n".join(["--- supervisor", *made.said[-40:], ""]))
        with suppress(Exception):
            made.world.close()
        if made.process is not None:
            made.process.kill()
            made.process.wait(PATIENCE_S)
            assert made.process.stdin is not None
            made.process.stdin.close()
        raise
    finally:
        sweep(made.folder.mark())
        shutil.rmtree(place, ignore_errors=True)
