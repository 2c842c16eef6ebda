"""Events, drafts and packets for the gateway's tests: small, and with every field that matters set."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.link import Packet
from gateway.reading import DeviceId, EcgChunk, Reading, ReadingKind, SessionId, StreamName
from gateway.sessions.session import UNNUMBERED, Draft

if TYPE_CHECKING:
    from gateway.reading import Sequenced

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = 1_000_000_000


def ecg(number: int = 0, *, device: str = "H10-1", samples: int = 73, at: datetime = START) -> EcgChunk:
    """A chunk; its samples are its number, so that two differ."""
    heard = at + timedelta(seconds=number * samples / 130.17)
    return EcgChunk(
        device=DeviceId(device),
        stream=StreamName("ecg/I"),
        seq=UNNUMBERED,
        session=SessionId("s1"),
        index=number * samples,
        at=heard,
        rate_hz=130.17,
        lead="I",
        samples=struct.pack("<h", number % 30000) * samples,
        received_at=heard,
    )


def pressure(number: int = 0, *, device: str = "CUFF-1", at: datetime = START) -> Reading:
    """A cuff measurement."""
    heard = at + timedelta(minutes=number)
    return Reading(
        device=DeviceId(device),
        stream=StreamName("blood_pressure"),
        seq=UNNUMBERED,
        kind=ReadingKind.BLOOD_PRESSURE,
        values=(120.0 + number % 100, 80.0, None, 60.0),
        at=heard,
        device_time=heard.replace(tzinfo=None).isoformat(),
        received_at=heard,
    )


def draft(event: Sequenced, heard_ns: int = 0) -> Draft:
    """As a session hands it over."""
    return Draft(event=event, heard_monotonic_ns=heard_ns)


def packet(characteristic: str, data: bytes, after_s: float = 0.0, *, at: datetime = START) -> Packet:
    """Heard `after_s` after `at`; the monotonic clock began 1,000 s before."""
    return Packet(
        characteristic=characteristic,
        data=data,
        heard_at=at + timedelta(seconds=after_s),
        heard_monotonic_ns=round((1000 + after_s) * SECOND),
    )
