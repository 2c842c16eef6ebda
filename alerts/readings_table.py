"""A CSV table of glucose or blood pressure, read into readings; what is wrong with a row is said with its line.

Must never guess: a column has one name and one unit, a value that is no number above 0 is none, and a time without an
offset is UTC.
"""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.reading import DeviceId, Reading, ReadingKind, StreamName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Kind(StrEnum):
    """What a table holds."""

    GLUCOSE = "glucose"
    """Columns `timestamp`, `glucose_mg_dl`: a continuous sensor."""
    PRESSURE = "pressure"
    """Columns `timestamp`, `systolic`, `diastolic`, and `pulse` where the cuff gives it."""


COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GLUCOSE: ("timestamp", "glucose_mg_dl"),
    Kind.PRESSURE: ("timestamp", "systolic", "diastolic"),
}
OPTIONAL = "pulse"


class BadTable(ValueError):
    """A file that is no table of this kind; the message says what is missing."""


def read_table(path: Path, kind: Kind) -> tuple[list[Reading], list[str]]:
    """The readings of a table in the order of their time, and what is wrong with the rows that are none.

    Raises:
        BadTable: a column is missing, or there is no heading.
    """
    errors: list[str] = []
    rows: list[tuple[datetime, str, tuple[float | None, ...]]] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.reader(file)
        heads = [head.strip().lower() for head in next(table, [])]
        missing = [column for column in COLUMNS[kind] if column not in heads]
        if missing:
            raise BadTable(f"no column {', '.join(missing)}; there are: {', '.join(heads) or 'none'}")
        for row in table:
            cells = dict(zip(heads, (cell.strip() for cell in row), strict=False))
            if not any(cells.values()):
                continue
            try:
                rows.append(_row(cells, kind))
            except ValueError as error:
                errors.append(f"line {table.line_num}: {error}")
    rows.sort(key=lambda row: row[0])
    return [_reading(path.stem, kind, number, *row) for number, row in enumerate(rows, 1)], errors


def _row(cells: Mapping[str, str], kind: Kind) -> tuple[datetime, str, tuple[float | None, ...]]:
    text = cells.get("timestamp", "")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it as 2026-11-24 08:00:00") from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    values: list[float | None] = [_number(cells, column) for column in COLUMNS[kind][1:]]
    if kind is Kind.PRESSURE:
        values += [None, _number(cells, OPTIONAL) if cells.get(OPTIONAL) else None]
    return at, text, tuple(values)


def _number(cells: Mapping[str, str], column: str) -> float:
    text = cells.get(column, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{column} is {text!r}, not a number above 0")
    return value


def _reading(name: str, kind: Kind, seq: int, at: datetime, text: str, values: tuple[float | None, ...]) -> Reading:
    is_glucose = kind is Kind.GLUCOSE
    return Reading(
        device=DeviceId(name),
        stream=StreamName("cgm" if is_glucose else "blood_pressure"),
        seq=seq,
        kind=ReadingKind.GLUCOSE if is_glucose else ReadingKind.BLOOD_PRESSURE,
        values=values,
        at=at,
        device_time=text,
        received_at=at,
    )
