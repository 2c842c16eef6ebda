"""A patient with devices, as intake archives it: what was measured when, how full a battery is, and that intake is alive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from gateway.reading import DeviceStatus, EcgChunk, Reading, ReadingKind
from tests.api.archived import Archive


@dataclass
class Wearing:
    """What intake writes, beside the findings that a test puts there itself."""

    dsn: str
    seqs: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.archive = Archive(self.dsn, position=1000)  # findings of a test stand at the positions before
        self.archive.take()

    def given(self, device: str, patient: str | None = "ada") -> None:
        """The device is this patient's, from a year ago on."""
        body = {"device": device, "slot": None, "patient": patient, "to_at": None,
                "from_at": (datetime.now(UTC) - timedelta(days=365)).isoformat()}  # fmt: skip
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SELECT stream.tell(%s, 'assignment_changed', %s, 'test')", (uuid4(), Jsonb(body)))
        self.archive.take()

    def ecg(self, ago_s: float = 0.0, device: str = "h10") -> None:
        """A second of ECG."""
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        seq = self._seq(device, "ecg/I")
        self.archive.take(EcgChunk(device=device, stream="ecg/I", seq=seq, session="s", index=seq * 250, lead="I", at=at,  # type: ignore[arg-type]
                                   rate_hz=250.0, samples=bytes(500), received_at=at))  # fmt: skip

    def glucose(self, mg_dl: float = 110.0, ago_s: float = 60.0, device: str = "cgm1") -> None:
        """One value of a sensor."""
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        self.archive.take(Reading(device=device, stream="cgm", seq=self._seq(device, "cgm"), kind=ReadingKind.GLUCOSE,  # type: ignore[arg-type]
                                  values=(mg_dl,), at=at, device_time=at.isoformat()[:19], received_at=at))  # fmt: skip

    def battery(self, percent: int, device: str = "h10") -> None:
        """A device says how full it is."""
        at = datetime.now(UTC)
        self.archive.take(DeviceStatus(device=device, stream="status", seq=self._seq(device, "status"), at=at,  # type: ignore[arg-type]
                                       received_at=at, battery_percent=percent))  # fmt: skip

    def _seq(self, device: str, stream: str) -> int:
        self.seqs[device, stream] = self.seqs.get((device, stream), 0) + 1
        return self.seqs[device, stream]
