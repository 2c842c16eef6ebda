"""From a finding to the first attempt to tell somebody, with 1,000 patients running, beside a bare INSERT and POST.

    python benchmarks/telling.py [--patients 1000] [--seconds 40] [--emergencies 1]

A PostgreSQL of its own, the station as its own process, a receiver on loopback. Each second one position is written as
intake and Ward write it: a second of ECG of every patient, charts, and findings: some emergencies among doctors, tips and
equipment, far more than so many people have. Beside it, in the same seconds, a peer does the least there is: INSERT and
NOTIFY in one process, LISTEN and POST by httpx2 in another. It ends by itself; 1 if an emergency did not arrive.
"""

# ruff: noqa: E402 - it runs from anywhere; its own table has a name of its own
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
import msgspec
import numpy as np
import psycopg
from psycopg.types.json import Jsonb

HOME = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOME))

from alerts import plans
from alerts.ladder import Addressee, Role
from alerts.plan import DEFAULT_TEAM, Plan
from alerts.record import Contact, Record
from alerts.sealing import Seal, write_secret
from api import roster
from stream.ecg_coding import encode
from stream.finding import Condition, Finding, FindingKind, SubjectKind, episode_id
from stream.servers.data_folder import DataFolder
from stream.servers.postgres import dsn as embedded_dsn
from stream.servers.postgres import said_ready
from stream.statement import TECHNICAL
from stream.store.migrate import migrate
from stream.verdicts import put_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 250
HISTORY_S = 30
"""So much ECG lies in the archive before the first finding: what the strips are drawn from."""
CHARTS_A_SECOND, CHART_BYTES = 17, 16_384
"""Each of 1,000 charts once a minute."""
DOCTORS = (Condition.AF, Condition.BRADY, Condition.VT)
TIPS = (Condition.AF_POSSIBLE, Condition.ECTOPY, Condition.GLUCOSE_LOW, Condition.BP_LOW, Condition.TRIGEMINY)
EQUIPMENT = (Condition.LEAD_OFF, Condition.NOISE)
SECRET = "whsec_" + "dGllcndhdGNoLXRlbGxpbmctYmVuY2htYXJr"
PEER = "telling peer"
_PEER_TABLE = "public.telling_peer"
_COPY = (
    "COPY stream.ecg (lane, seq, at, patient, session, index, rate_hz, lead, contact, clipped, at_source, shard, position, ord,"
    " received_at, from_gateway, digest, count, samples) FROM STDIN"
)
_START_S, _SETTLING_S, _LISTENING_S = 60.0, 15.0, 2.0


@dataclass
class Seen:
    """When each request came in, by what it is about: the station's by patient, the peer's by number."""

    first: dict[str, float] = field(default_factory=dict)
    by_person: Counter[str] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    strips: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, at: float, body: bytes) -> None:
        """One request."""
        told = json.loads(body)
        data = told.get("data", {})
        key = f"{data['patient']}|{data['condition']}" if data else f"peer|{told['n']}"
        with self.lock:
            self.first.setdefault(key, at)
            if data:
                if data["to"]["role"] == Role.DISPATCH:
                    self.first.setdefault(f"{key}|dispatch", at)
                self.by_person[data["to"]["person"]] += 1
                self.sizes.append(len(body))
                if "strip_status" in data:
                    self.strips[data["strip_status"]] += 1


@contextmanager
def receiver(seen: Seen) -> Iterator[str]:
    """A receiver on loopback; its URL."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            at = time.monotonic()
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()
            seen.note(at, body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def database(folder: DataFolder) -> Iterator[str]:
    """A PostgreSQL of its own, as `tierwatch up` starts it, migrated."""
    folder.make()
    command = [sys.executable, "-m", "stream.servers.postgres", "--data", str(folder.root)]
    with folder.log_of("postgres").open("wb") as log:
        server = subprocess.Popen(command, cwd=HOME, stdout=log, stderr=log)
    try:
        until = time.monotonic() + _START_S
        while not _is_up(folder) and server.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        dsn = embedded_dsn(folder.root)
        migrate(dsn)
        yield dsn
    finally:
        server.terminate()
        server.wait(60)


def _is_up(folder: DataFolder) -> bool:
    with suppress(OSError, ValueError, IndexError):
        return said_ready(folder, int((folder.postgres / "postmaster.pid").read_text().split()[0]))
    return False


@contextmanager
def child(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, ended with this one's block."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=HOME, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def await_session(dsn: str, name: str) -> None:
    """Until that session of the database is there.

    Raises:
        RuntimeError: it does not come.
    """
    until = time.monotonic() + _START_S
    with psycopg.connect(dsn, autocommit=True) as conn:
        while time.monotonic() < until:
            if conn.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = %s", (name,)).fetchone():
                time.sleep(_LISTENING_S)
                return
            time.sleep(0.1)
    raise RuntimeError(f"{name} did not come to the database")


class People:
    """The patients: their records, plans, lanes, and a second of ECG at a time."""

    def __init__(self, dsn: str, keys: Path, number: int) -> None:
        """Everybody is entered."""
        self.names = [f"p{n:04}" for n in range(number)]
        self.seal = Seal(keys)
        self._chunks = [encode(beat(n)) for n in range(40)]
        self._seconds = count(-HISTORY_S)
        self.began = datetime.now(UTC)
        now = self.began
        with psycopg.connect(dsn) as conn:
            for name in self.names:
                roster.save(conn, _record(name), self.seal, now)
                body = Jsonb(msgspec.to_builtins(_plan(name)))
                asked = {"patient": name, "version": 1, "body": body, "by_whom": "bench", "now": now}
                conn.execute(plans.SQL["save_plan"], asked)
            conn.execute(
                "INSERT INTO stream.source (client, epoch) SELECT 'gw-' || n, 'e' FROM unnest(%s::text[]) n",
                (self.names,),
            )
            conn.execute(
                "INSERT INTO stream.lane (source, device, stream) SELECT source, client, 'ecg/I' FROM stream.source"
            )
            rows = conn.execute("SELECT device, lane FROM stream.lane").fetchall()
            self.lanes = {device.removeprefix("gw-"): lane for device, lane in rows}
            conn.execute(f"CREATE TABLE {_PEER_TABLE} (n int, body text)")

    def begin(self, conn: psycopg.Connection[Any]) -> None:
        """Put on: half a minute of ECG lies in the archive up to now."""
        self.began = datetime.now(UTC)
        with conn.transaction():
            for _ in range(HISTORY_S):
                self.second(conn, 0)

    def second(self, conn: psycopg.Connection[Any], position: int) -> None:
        """A second of ECG of everybody, as intake copies it."""
        second = next(self._seconds)
        at = self.began + timedelta(seconds=second)
        with conn.cursor().copy(_COPY) as copy:
            for n, name in enumerate(self.names):
                index = (second + HISTORY_S) * RATE_HZ
                copy.write_row(
                    (
                        self.lanes[name], second + HISTORY_S + 1, at, name, "s", index, RATE_HZ, "I", True, 0, "device", 0,
                        position, n, at, True, b"digest", RATE_HZ, self._chunks[(n + second) % len(self._chunks)],
                    )
                )  # fmt: skip


def beat(seed: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A second of a made heart, with the noise of a patch."""
    t = np.arange(RATE_HZ) / RATE_HZ
    wave = 1100 * np.exp(-(((t - 0.4) / 0.012) ** 2)) + 220 * np.exp(-(((t - 0.7) / 0.05) ** 2))
    return (wave + np.random.default_rng(seed).normal(0, 12, RATE_HZ)).round().astype(np.int16)


def _record(name: str) -> Record:
    return Record(
        patient=name, name=f"Patient {name}", birth_date="1950-01-01", sex="female", language="zh", address="1 Road, 2nd floor",
        door_code="4711", phones=("+49 30 1",), problems=("hypertension", "diabetes"), medication=("metoprolol 50 mg",) * 4,
        allergies=("penicillin",), blood_group="A+", implants=(), directives=(), contacts=(Contact(name="Li", phone="1"),) * 2,
    )  # fmt: skip


def _plan(name: str) -> Plan:
    """Everybody who is told at once is told by webhook."""
    by_hook = {Role.DOCTOR, Role.PATIENT, Role.OPERATOR}
    team = tuple(
        Addressee(person=one.person, channel="webhook", address="dispatch", role=one.role)
        if one.role in by_hook
        else one
        for one in DEFAULT_TEAM
    )
    return Plan(patient=name, version=1, team=team)


def found(condition: Condition, patient: str, at: datetime) -> Finding:
    """A finding as the Ward states it."""
    return Finding(
        subject=patient, subject_kind=SubjectKind.PATIENT, condition=condition,
        kind=FindingKind.TECHNICAL if condition in TECHNICAL else FindingKind.PHYSIOLOGICAL,
        episode=episode_id(patient, condition, "ecg/I", f"s:{uuid4()}"), revision=1, present=True, opened="s:1", onset=at,
        at=at, evidence={"device": f"gw-{patient}", "stream": "ecg/I", "session": "s", "first_index": 0, "rate_bpm": 140.0},
    )  # fmt: skip


@dataclass
class Written:
    """When each finding, and each row of the peer, was about to be written."""

    at: dict[str, float] = field(default_factory=dict)
    tiers: dict[str, str] = field(default_factory=dict)
    late_s: float = 0.0


def write(dsn: str, people: People, seconds: int, emergencies: int) -> Written:
    """One position a second, at the second: T1, then T2 with T3; the peer's row in the middle between two."""
    written, rng = Written(), np.random.default_rng(1)
    patients = iter(rng.permutation(people.names).tolist() * 10)
    chart = rng.bytes(CHART_BYTES)
    with psycopg.connect(dsn, autocommit=True) as conn, psycopg.connect(dsn, autocommit=True) as peer:
        people.begin(conn)
        begun = time.monotonic()
        for position in range(1, seconds + 1):
            _sleep_until(begun + position)
            at = datetime.now(UTC)
            with conn.transaction():
                people.second(conn, position)
                conn.execute(
                    "INSERT INTO stream.batch (shard, position, tick_at, rows) VALUES (0, %s, %s, %s)",
                    (position, at, len(people.names)),
                )
            kinds = [
                *(("EMERGENCY", Condition.VF) for _ in range(emergencies)),
                *(("DOCTOR", DOCTORS[int(rng.integers(len(DOCTORS)))]) for _ in range(2)),
                *(("TIP", TIPS[int(rng.integers(len(TIPS)))]) for _ in range(4)),
                *(("equipment", EQUIPMENT[int(rng.integers(len(EQUIPMENT)))]) for _ in range(2)),
            ]
            findings = [found(condition, next(patients), at) for _, condition in kinds]
            moment = time.monotonic()
            for (tier, _), one in zip(kinds, findings, strict=True):
                key = f"{one.subject}|{one.condition}"
                if key not in written.at:
                    written.at[key], written.tiers[key] = moment, tier
            with conn.transaction():
                put_findings(conn, 0, position, findings)
                _charts(conn, people, position, chart)
                conn.execute("UPDATE stream.cursor SET judged_position = %s", (position,))
                conn.execute("SELECT pg_notify('stream_finding', '')")
            written.late_s = max(written.late_s, time.monotonic() - begun - position)
            _sleep_until(begun + position + 0.5)
            written.at[f"peer|{position}"], written.tiers[f"peer|{position}"] = time.monotonic(), "peer"
            with peer.transaction():
                body = json.dumps({"n": position, "filling": "x" * 12_000})
                peer.execute(f"INSERT INTO {_PEER_TABLE} VALUES (%s, %s)", (position, body))
                peer.execute("SELECT pg_notify('telling_peer', %s)", (str(position),))
    return written


def _charts(conn: psycopg.Connection[Any], people: People, position: int, chart: bytes) -> None:
    first = position * CHARTS_A_SECOND
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO stream.chart (kind, owner, shard, version, position, low_water, state)"
            " VALUES ('household', %s, 0, 0, %s, %s, %s)"
            " ON CONFLICT (shard, kind, owner) DO UPDATE SET position = excluded.position, state = excluded.state",
            [
                (people.names[n % len(people.names)], position, position, chart)
                for n in range(first, first + CHARTS_A_SECOND)
            ],
        )


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def peer(dsn: str, url: str) -> None:
    """The least there is: hear a NOTIFY, read the row, post it, on connections that are kept."""
    with psycopg.connect(dsn, autocommit=True, application_name=PEER) as conn, httpx2.Client(trust_env=False) as client:
        conn.execute("LISTEN telling_peer")
        while True:
            for told in list(conn.notifies(timeout=60.0, stop_after=1)):
                row = conn.execute(f"SELECT body FROM {_PEER_TABLE} WHERE n = %s", (int(told.payload),)).fetchone()
                if row is not None:
                    client.post(url, content=row[0].encode(), headers={"content-type": "application/json"})


def percentiles(waits: list[float]) -> tuple[float, float]:
    """p50 and p99, milliseconds."""
    low, high = np.percentile(np.array(waits or [np.nan]) * 1000, [50, 99])
    return float(low), float(high)


def report(written: Written, seen: Seen) -> int:
    """The table; how many emergencies did not arrive."""
    waits: dict[str, list[float]] = {}
    lost: Counter[str] = Counter()
    for key, at in written.at.items():
        tier = written.tiers[key]
        if key in seen.first:
            waits.setdefault(tier, []).append(seen.first[key] - at)
            if tier == "EMERGENCY" and f"{key}|dispatch" in seen.first:
                waits.setdefault("dispatch", []).append(seen.first[f"{key}|dispatch"] - at)
        else:
            lost[tier] += 1
    print(f"\n{'from the finding to':<34}{'findings':>9}{'not told':>10}{'p50 ms':>9}{'p99 ms':>9}")
    for tier, words in (
        ("EMERGENCY", "first webhook of an EMERGENCY"),
        ("dispatch", "the same, to dispatch, whole"),
        ("DOCTOR", "first webhook of a DOCTOR alert"),
        ("TIP", "first webhook of a TIP"),
        ("equipment", "first webhook about equipment"),
        ("peer", "peer: INSERT, NOTIFY, httpx2 POST"),
    ):
        low, high = percentiles(waits.get(tier, []))
        print(f"{words:<34}{len(waits.get(tier, [])) + lost[tier]:>9}{lost[tier]:>10}{low:>9.1f}{high:>9.1f}")
    ours, theirs = percentiles(waits.get("EMERGENCY", [])), percentiles(waits.get("peer", []))
    print(f"\nEMERGENCY over the peer: {ours[0] / theirs[0]:.1f} at p50, {ours[1] / theirs[1]:.1f} at p99")
    sizes = np.array(seen.sizes or [0])
    print(f"payloads {len(seen.sizes)}, largest {sizes.max():,} bytes; strips: {dict(seen.strips)}")
    return lost["EMERGENCY"]


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--emergencies", type=int, default=1, help="a second")
    parser.add_argument("--peer", nargs=2, metavar=("DSN", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        peer(*given.peer)
        return 0
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="tierwatch-telling-") as place, receiver(seen) as url:
        Path(place).chmod(0o711)  # as root, PostgreSQL runs under another user
        folder = DataFolder(Path(place) / "data")
        with database(folder) as dsn:
            config = Path(place) / "tierwatch.toml"
            config.write_text(
                f'[alerts]\nallowed_private_hosts = ["127.0.0.1"]\n[alerts.endpoints]\ndispatch = "{url}"\n'
            )
            write_secret(folder.keys / "webhook-dispatch.secrets", SECRET.encode())
            began = time.monotonic()
            people = People(dsn, folder.keys, given.patients)
            print(
                f"{given.patients} patients entered in {time.monotonic() - began:.1f} s; {given.seconds} s of findings follow"
            )
            station = ("-m", "tierwatch", "run", "station", "--config", str(config), "--data", str(folder.root))
            ours, bare = Path(place) / "station.log", Path(place) / "peer.log"
            with (
                child(sys.executable, *station, log=ours),
                child(sys.executable, __file__, "--peer", dsn, url, log=bare),
            ):
                await_session(dsn, "tierwatch station")
                await_session(dsn, PEER)
                written = write(dsn, people, given.seconds, given.emergencies)
                until = time.monotonic() + _SETTLING_S
                while written.at.keys() - seen.first.keys() and time.monotonic() < until:
                    time.sleep(0.1)
            lost = report(written, seen)
            print(f"the writer was at most {written.late_s:.2f} s behind its second; {os.cpu_count()} cores")
            if lost or not any(key.startswith("peer") for key in seen.first):
                print(bare.read_text(errors="replace")[-2000:])
                print(ours.read_text(errors="replace")[-2000:])
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
