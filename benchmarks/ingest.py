"""A thousand clients against the whole of `tierwatch up`: stored = sent, how much more it carries, where time goes.

    python benchmarks/ingest.py [--clients 1000] [--seconds 60] [--rates 1,2,4] [--unassigned]

Everything runs on this machine, on ports and in a folder of its own, and is gone afterwards: generator, broker,
database and detector share its cores, so the figures are a lower bound. It ends by itself.
"""

# ruff: noqa: E402 - it runs from anywhere
from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import psutil

HOME = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOME))

from device_sims.load import Ledger, Load, device_of, run_load
from stream.servers.mqtt_clients import add_clients

if TYPE_CHECKING:
    from collections.abc import Iterator

SUSTAINED_P99_S = 2.0
"""A rate is sustained when all was stored and the receipts' p99 stays under this."""
_START_S = 240.0
_CLIMB_S = 20.0
_SETTLING_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running `tierwatch up`."""

    process: subprocess.Popen[str]
    data: Path
    mqtt_port: int
    url: str

    @property
    def token(self) -> str:
        """The operator's."""
        return (self.data / "keys" / "api-operator.token").read_text(encoding="ascii").strip()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(folder: Path) -> Server:
    """`tierwatch up`, until it says that it is ready.

    Raises:
        RuntimeError: it ended, or did not become ready in four minutes; its last lines follow.
    """
    mqtt_port, api_port = free_ports(2)
    config = folder / "tierwatch.toml"
    config.write_text(f"[stream]\nmqtt_port = {mqtt_port}\n[api]\nport = {api_port}\n", encoding="utf-8")
    command = [sys.executable, "-m", "tierwatch", "up", "--config", str(config), "--data", str(folder / "data")]
    process = subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    server = Server(process=process, data=folder / "data", mqtt_port=mqtt_port, url=f"http://127.0.0.1:{api_port}")
    said: list[str] = []
    began = time.monotonic()
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("Ready"):
            print(f"ready after {time.monotonic() - began:.1f} s (with what had to be compiled)")
            return server
        if time.monotonic() - began > _START_S:
            break
    stop(server)
    raise RuntimeError("tierwatch up did not become ready:\n" + "".join(said[-20:]))


def stop(server: Server) -> None:
    """Cleanly."""
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(60)
    except subprocess.TimeoutExpired:
        server.process.kill()


def assign(server: Server, clients: list[str]) -> None:
    """A patient to each device, so that everything is judged."""
    headers = {"authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False) as api:
        for client in clients:
            said = {"device": device_of(client), "patient": client, "from": "2026-01-01T00:00:00Z"}
            api.post("/api/v1/assignments", json=said).raise_for_status()


def books(server: Server, wait_s: float = 120.0) -> dict[str, Any]:
    """The server's own ledger, once all is judged that can be."""
    headers = {"authorization": f"Bearer {server.token}"}
    until = time.monotonic() + wait_s
    with httpx2.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False) as api:
        while True:
            found: dict[str, Any] = api.get("/api/v1/ledger").raise_for_status().json()
            if found["unjudged"] == 0 or time.monotonic() > until:
                return found
            time.sleep(1.0)


def busy(server: Server) -> dict[str, float]:
    """Processor seconds so far, by part."""
    parts: dict[str, float] = {}
    for child in psutil.Process(server.process.pid).children(recursive=True):
        try:
            words, times = child.cmdline(), child.cpu_times()
        except psutil.Error:
            continue
        name = _part(words)
        parts[name] = parts.get(name, 0.0) + times.user + times.system
    return parts


def _part(words: list[str]) -> str:
    text = " ".join(words[:1])
    if "postgres" in text:
        return "postgres"
    if "nats-server" in text:
        return "nats"
    return words[words.index("run") + 1] if "run" in words and "tierwatch" in words else "supervisor"


def rounds(arguments: argparse.Namespace) -> Iterator[tuple[float, float]]:
    """(batches a second of each client, seconds): the long one first, then the climb."""
    rates = [float(rate) for rate in arguments.rates.split(",")]
    yield rates[0], arguments.seconds
    for rate in rates[1:]:
        yield rate, min(arguments.seconds, _CLIMB_S)


def report(ledger: Ledger, before: dict[str, float], after: dict[str, float]) -> None:
    """The ledger, and where the processor's time went."""
    for line in ledger.lines():
        print("  " + line)
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    shown = sorted(spent.items(), key=lambda each: -each[1])
    print("  server's cpu      " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in shown if seconds >= 0.05))


def main() -> int:
    """Run it; 1 if anything was unaccounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", default="1,2,4", help="batches a second of each client; the first goes on longest")
    parser.add_argument("--unassigned", action="store_true", help="archive only: nobody is judged")
    arguments = parser.parse_args()
    names = [f"load-{number:04}" for number in range(arguments.clients)]
    sent, is_lost, sustained = 0, False, 0.0
    with tempfile.TemporaryDirectory(prefix="tierwatch-ingest-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs under another user
        server = start(Path(folder))
        try:
            passwords = add_clients(server.data, names)
            if not arguments.unassigned:
                assign(server, names)
            # Who owns what is taken from the inbox first: the rounds are about readings.
            time.sleep(_SETTLING_S)
            for rate, seconds in rounds(arguments):
                print(f"\n{arguments.clients} clients, {rate:g} batches a second each, {seconds:g} s")
                before = busy(server)
                load = Load(
                    host="127.0.0.1", port=server.mqtt_port, passwords=passwords, period_s=1 / rate, seconds=seconds
                )
                ledger = asyncio.run(run_load(load))
                report(ledger, before, busy(server))
                sent += ledger.sent
                is_lost |= ledger.unaccounted > 0
                if ledger.unaccounted == 0 and ledger.receipt_p99_s < SUSTAINED_P99_S:
                    sustained = max(sustained, ledger.sent / ledger.seconds)
            found = books(server)
        finally:
            stop(server)
    print(f"\nsent {sent:,} = archived {found['archived']:,}: {sent == found['archived']}")
    print(f"unaccounted {found['unaccounted']}, unjudged {found['unjudged']}")
    print(f"highest rate sustained here: {sustained:,.0f} events a second, p99 of receipts under {SUSTAINED_P99_S:g} s")
    return int(is_lost or sent != found["archived"] or found["unaccounted"] > 0)


if __name__ == "__main__":
    sys.exit(main())
