"""A table of glucose or blood pressure through the very Ward and policy of the live way: findings, alerts, metrics.

Each file is its own patient, device and Ward. Rows may lie in any order: they are heard in the order in which they were
measured. A row that is no reading is named with its line; the others go on.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alerts.readings_table import BadTable, Kind, read_table
from alerts.replay import jsonl
from gateway.reading import ClientId, Epoch
from stream.batch import Admitted, Batch
from stream.command import AssignmentChanged
from stream.finding import PatientId
from stream.glucose_course import sample_of
from stream.glucose_metrics import counted, daily, metrics
from stream.instants import micros
from stream.log_history import LogHistory
from stream.pressure import is_valid
from stream.pressure_mean import day_means
from stream.ring import Kept
from stream.ward import Ward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.reading import Reading
    from stream.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsReplay:
    """What one file came to."""

    file: str
    readings: int = 0
    findings: int = 0
    alerts: int = 0
    emergencies: int = 0
    errors: tuple[str, ...] = ()
    """What could not be read, with the line; one for the whole file where nothing could."""


def replay_readings(path: str, kind: Kind, out: str | None) -> ReadingsReplay:
    """Replay one CSV file; writes `out/<stem>.jsonl`. Never raises for a bad file."""
    try:
        readings, errors = read_table(Path(path), kind)
    except (BadTable, OSError, UnicodeDecodeError, csv.Error) as error:
        return ReadingsReplay(file=Path(path).name, errors=(str(error),))
    lines: list[dict[str, Any]] = []
    if readings:
        lines += jsonl(judged(readings), readings[0].at)
        lines += measured(readings) if kind is Kind.GLUCOSE else averaged(readings)
    if out is not None:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, sort_keys=True, allow_nan=False) + "\n" for line in lines)
        (folder / f"{Path(path).stem}.jsonl").write_text(text, encoding="utf-8")
    alerts = [line for line in lines if line["type"] == "alert"]
    return ReadingsReplay(
        file=Path(path).name,
        readings=len(readings),
        findings=sum(1 for line in lines if line["type"] == "finding"),
        alerts=len(alerts),
        emergencies=sum(1 for line in alerts if line["tier"] == "EMERGENCY"),
        errors=tuple(errors),
    )


def judged(readings: list[Reading]) -> Iterator[Finding]:
    """Every statement about the readings, in order: one position a reading, at its own time."""
    first = readings[0]
    history = LogHistory()
    ward = Ward(history)
    rows: list[Any] = [
        AssignmentChanged(
            device=first.device, slot=None, patient=PatientId(first.device), from_at=first.at - timedelta(days=1)
        )
    ]
    for position, reading in enumerate(readings, 1):
        rows.append(reading)
        admitted = tuple(
            Admitted(ord=n, client=ClientId("replay"), epoch=Epoch("replay"), received_at=reading.at, payload=row)
            for n, row in enumerate(rows)
        )
        batch = Batch(shard=0, position=position, tick=reading.at, rows=admitted)
        rows = []
        history.add(batch)
        yield from ward.observe(batch)


def measured(readings: list[Reading]) -> list[dict[str, Any]]:
    """The metrics of all glucose readings as one line, and of each day as one more."""
    samples = counted(sample for reading in readings if (sample := sample_of(reading)) is not None)
    found = metrics([sample.mg_dl for sample in samples])
    whole = {"type": "metrics", **(asdict(found) if found is not None else {"readings": 0})}
    return [whole, *({"type": "day_metrics", "day": day, **asdict(one)} for day, one in daily(samples).items())]


def averaged(readings: list[Reading]) -> list[dict[str, Any]]:
    """The means of blood pressure, a line a day: of the readings that are valid."""
    valid = [kept for reading in readings if is_valid(kept := Kept(micros(reading.at), reading))]
    return [
        {"type": "metrics", "day": day, "mean_systolic": systolic, "mean_diastolic": diastolic, "readings": count}
        for day, (systolic, diastolic, count) in day_means(valid).items()
    ]
