"""A running site for the browser tests: the real application on a port of its own, people, alerts, and an ECG."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import numpy as np
import psycopg
import uvicorn

from alerts import listening
from alerts.clock import WallClock
from alerts.delivery.settings import DeliverySettings
from alerts.record import Contact, Record
from alerts.sealing import Seal
from alerts.settings import AlertsSettings
from api import accounts, links, roster
from api.accounts import Account, Kind
from api.app import create_app
from api.settings import ApiSettings
from stream.finding import Condition, Finding, SubjectKind
from tests.alerts.desk import Stream, finding

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"
PEOPLE = {
    "ada": Record(patient="ada", name="Ada Sampleton", birth_date="1955-03-09", sex="female", phones=("+44 1632 960003",),
                  allergies=("Penicillin: anaphylaxis (2009)",), implants=("Coronary stent, LAD (2021)",),
                  directives=("Resuscitate: yes. Intubate: yes.",), problems=("Ischaemic heart disease", "Hypertension"),
                  medication=("Bisoprolol 5 mg", "Ramipril 5 mg"),
                  contacts=(Contact(name="Cleo Sampleton", relation="daughter", phone="+44 1632 960001"),)),
    "otto": Record(patient="otto", name="Otto Specimen", birth_date="1960", sex="male"),
    "wei": Record(patient="wei", name="样本伟", birth_date="1952-01-05", sex="male", language="zh"),
}  # fmt: skip
TEAM = (
    Account(login="lin", kind=Kind.DOCTOR, name="Dr Lin", person="doctor"),
    Account(login="sample", kind=Kind.NURSE, name="R. Sample, RN", person="nurse"),
    Account(login="dis", kind=Kind.DISPATCHER, name="Dispatcher D. Sample", person="dispatcher"),
    Account(login="ada", kind=Kind.PATIENT, name="Ada", person="patient", patient="ada"),
)


SETTINGS = ApiSettings(public_url="http://127.0.0.1")
ALERTS = AlertsSettings(delivery=DeliverySettings(call_back="+44 1632 960000"))


@dataclass
class Site:
    """The application, served from a thread."""

    dsn: str
    keys: Path
    url: str = ""

    def __enter__(self) -> Self:
        app = create_app(SETTINGS, self.dsn, self.keys, WallClock(), ALERTS)
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False,
                                                     timeout_graceful_shutdown=10))  # fmt: skip
        started = threading.Event()
        startup = self._server.startup

        async def announced(*given: Any, **named: Any) -> None:
            await startup(*given, **named)
            started.set()

        self._server.startup = announced  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        assert started.wait(30)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.stream = Stream(self.dsn)
        return self

    def __exit__(self, *_: object) -> None:
        # What a viewer who reads nothing was sent lies in its socket's buffer: given up only when the socket has ended.
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()

    def people(self) -> None:
        seal, now = Seal(self.keys), datetime.now(UTC)
        with psycopg.connect(self.dsn) as conn:
            for one in TEAM:
                accounts.add(conn, one, PASSWORD, seal)
            for record in PEOPLE.values():
                roster.save(conn, record, seal, now)

    def find(self, *findings: Finding) -> None:
        """These findings become alerts now."""
        self.stream.says(*findings)
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            listening.hear(conn, datetime.now(UTC))

    def alert(
        self, subject: str = "ada", condition: Condition = Condition.VF, *, ago_s: float = 20.0, **more: Any
    ) -> str:
        """One alert of a subject; returns its id."""
        self.find(finding(condition, subject=subject, at=datetime.now(UTC) - timedelta(seconds=ago_s), **more))
        with psycopg.connect(self.dsn) as conn:
            row = conn.execute(
                "SELECT alert::text FROM alerts.alert WHERE subject = %s AND condition = %s ORDER BY raised_at DESC",
                (subject, condition),
            ).fetchone()
        assert row is not None
        return str(row[0])

    def ecg(self, patient: str, start: datetime, samples: np.ndarray[Any, np.dtype[np.int16]], rate_hz: float) -> None:
        """Stored ECG, in blocks of 2 s, uncompressed."""
        step = int(2 * rate_hz)
        with psycopg.connect(self.dsn) as conn:
            conn.execute("INSERT INTO stream.source (client, epoch) VALUES ('gw', 'e') ON CONFLICT DO NOTHING")
            conn.execute("INSERT INTO stream.lane (source, device, stream) VALUES (1, 'h10', 'ecg/I')")
            for seq, first in enumerate(range(0, len(samples), step)):
                block = samples[first : first + step]
                conn.execute(
                    "INSERT INTO stream.ecg VALUES (1, %s, %s, %s, 's', %s, %s, 'I', true, 0, 'device', 0, 1, %s, NULL,"
                    " %s, true, '\\x00', %s, %s)",
                    (seq, start + timedelta(seconds=first / rate_hz), patient, first, rate_hz, seq, start, len(block),
                     b"\x00" + block.astype("<i2").tobytes()),
                )  # fmt: skip

    def sent_to_dispatch(self, alert: str) -> None:
        """As the station leaves it: dispatch was told of this alert."""
        with psycopg.connect(self.dsn) as conn:
            conn.execute(
                "UPDATE alerts.notice SET attempts = 1, status = 'delivered' WHERE role = 'dispatch' AND alert = %s",
                (alert,),
            )

    def link(self, alert: str) -> str:
        """A one-time link to an alert of which dispatch was told."""
        self.sent_to_dispatch(alert)
        with psycopg.connect(self.dsn) as conn:
            return links.new_link(conn, UUID(alert), "nurse", self.url)

    def many(self) -> None:
        """A console as on a busy morning: each tier, one over, one of the equipment."""
        self.alert("ada", Condition.VF, ago_s=74)
        self.alert("otto", Condition.AF, ago_s=3000)
        self.alert("wei", Condition.GLUCOSE_LOW, ago_s=400)
        self.alert("otto", Condition.NO_DATA, ago_s=840)
        self.alert("gw-7", Condition.LINK_SILENT, subject_kind=SubjectKind.CLIENT)


def beats(seconds: float, rate_hz: float, bpm: float = 72.0) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Something with the outline of an ECG, in microvolts."""
    at = np.arange(0.0, seconds, 1 / rate_hz) % (60 / bpm)
    waves = (
        (0.16, 0.025, 120.0),
        (0.26, 0.008, -120.0),
        (0.28, 0.010, 1100.0),
        (0.305, 0.009, -280.0),
        (0.50, 0.045, 260.0),
    )
    wave = sum(height * np.exp(-((at - middle) ** 2) / (2 * width**2)) for middle, width, height in waves)
    return np.asarray(wave, np.float64).astype(np.int16)
