"""Real CGM series for tests, and readings made of them."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from gateway.reading import Flag, Reading, ReadingKind
from stream.glucose_course import Sample, sample_of
from tests.stream.shard import T0

Series = list[tuple[datetime, float]]


@cache
def series(folder: Path) -> dict[str, Series]:
    """Every person's CGM of the collections: instant and mg/dL, by time, the first of an instant."""
    found: dict[str, dict[datetime, float]] = defaultdict(dict)
    for path in sorted((folder / "cgm").glob("*/*.csv")):
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            heads = rows.fieldnames or []
            when = next(h for h in heads if h.lower() in ("timestamp", "date", "time"))
            value = next(h for h in heads if h in ("glucose_mg_dl", "gl") or h.startswith("CGM"))
            for row in rows:
                if row[value]:
                    at = datetime.fromisoformat(row[when]).replace(tzinfo=UTC)
                    found[f"{path.stem}{row.get('id', '')}"].setdefault(at, round(float(row[value]), 1))
    return {name: sorted(rows.items()) for name, rows in found.items()}


def reading(seq: int, at: datetime, mg_dl: float | None, *flags: Flag, **kept: object) -> Reading:
    """A reading of a continuous sensor."""
    words = {
        "device": "cgm1",
        "stream": "cgm",
        "kind": ReadingKind.GLUCOSE,
        "values": (mg_dl,),
        "device_time": at.replace(tzinfo=None).isoformat(),
        "received_at": at,
    }
    return Reading(seq=seq, at=at, flags=tuple(sorted(flags)), **{**words, **kept})


def readings(rows: Series, **kept: object) -> list[Reading]:
    """A series as readings of one stream, in order."""
    return [reading(n, at, mg_dl, **kept) for n, (at, mg_dl) in enumerate(rows, 1)]


def every(minutes: float, values: list[float], start: datetime = T0) -> Series:
    """A made-up series."""
    return [(start + timedelta(minutes=minutes * n), float(value)) for n, value in enumerate(values)]


def samples(rows: Series) -> list[Sample]:
    """A series as what glucose is judged by."""
    return [sample for one in readings(rows) if (sample := sample_of(one)) is not None]
