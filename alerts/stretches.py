"""A stretch of one lead of a patient from the archive, up to a day: what downloads and longer strips are made of.

Read only. Must never fill a gap: a sample that is not there says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts import ecg_paper
from alerts.measurer import SQL as MEASURED
from alerts.strip import SQL, laid_out
from alerts.strip_beats import Beat
from stream.recording import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from alerts.register import Connection
    from alerts.strip_beats import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Samples of one lead, and the beats of the alerts' strips in it."""

    patient: str
    device: str
    lead: str
    from_at: datetime
    """Of the first sample."""
    rate_hz: float
    samples: NDArray[Any]
    """int16 microvolts, `MISSING` where nothing was measured."""
    beats: tuple[Beat, ...]
    """Only where an alert's strip was measured; seconds since `from_at`."""

    def gaps(self) -> Iterator[Span]:
        """Where nothing was measured, in seconds since `from_at`."""
        for first, end in ecg_paper.runs(self.samples == MISSING):
            yield first / self.rate_hz, end / self.rate_hz


def stretch(conn: Connection, patient: str, from_at: datetime, to_at: datetime, lead: str | None) -> Stretch | None:
    """What is stored of a lead in [from_at, to_at); without a lead the one of which there is most. None: nothing is."""
    asked = {"patient": patient, "from_at": from_at, "to_at": to_at}
    chunks = conn.cursor(row_factory=dict_row).execute(SQL["ecg_strip"], asked).fetchall()
    length: dict[tuple[str, str], int] = {}
    for one in chunks:
        if lead is None or one["lead"] == lead:
            key = one["device"], one["stream"]
            length[key] = length.get(key, 0) + one["count"]
    if not length:
        return None
    lane = max(length, key=lambda key: (length[key], key))
    chunks = [one for one in chunks if (one["device"], one["stream"]) == lane]
    rate_hz, seconds = float(chunks[-1]["rate_hz"]), (to_at - from_at).total_seconds()
    found = chunks[-1]["lead"]
    samples = laid_out(chunks, from_at, rate_hz, seconds)
    if not (samples != MISSING).any():
        return None
    return Stretch(
        patient=patient, device=lane[0], lead=found, from_at=from_at, rate_hz=rate_hz, samples=samples,
        beats=tuple(_beats(conn, patient, from_at, to_at, found)),
    )  # fmt: skip


def _beats(conn: Connection, patient: str, from_at: datetime, to_at: datetime, lead: str) -> list[Beat]:
    """Each beat once, though the strips of two alerts may both hold it."""
    asked = {"patient": patient, "from_at": from_at, "to_at": to_at, "lead": lead}
    rows = conn.cursor(row_factory=dict_row).execute(MEASURED["beats_between"], asked).fetchall()
    told: list[Beat] = []
    for row in rows:
        beat = Beat((row["at"] - from_at).total_seconds(), row["class"])
        if not told or beat.at_s - told[-1].at_s > _SAME_BEAT_S:
            told.append(beat)
    return told


_SAME_BEAT_S = 0.1
