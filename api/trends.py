"""A patient's course over hours to a month, as the pages draw it: pieces, gaps, rhythm episodes, time in range, limits.

Must never hide an extreme, draw over a gap, or give a share of a time without saying how much of it was measured.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from alerts import overview, plans
from alerts.plan import limits_of
from api.house import Row, rows
from gateway.reading import ReadingKind
from stream.finding import Condition
from stream.glucose_metrics import metrics
from stream.limits import limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

PIECES = 600
"""At most so many points."""
READINGS = 600
RATE = "rate"
"""The course that the detector counted, as `stream.course` calls it."""


class Trend(StrEnum):
    """What is drawn."""

    HEART_RATE = "heart_rate"
    GLUCOSE = "glucose"
    BLOOD_PRESSURE = "blood_pressure"


UNITS: Mapping[Trend, str] = {Trend.HEART_RATE: "/min", Trend.GLUCOSE: "mg/dL", Trend.BLOOD_PRESSURE: "mmHg"}
LONGEST: Mapping[Trend, timedelta] = {Trend.HEART_RATE: timedelta(minutes=15), Trend.GLUCOSE: timedelta(minutes=20)}
"""Without a measurement for longer there is a gap."""
LIMITS: Mapping[Trend, Sequence[str]] = {
    Trend.HEART_RATE: ("tachy_bpm", "brady_bpm"),
    Trend.GLUCOSE: ("glucose_very_high_mg_dl", "glucose_high_mg_dl", "glucose_low_mg_dl", "glucose_very_low_mg_dl"),
    Trend.BLOOD_PRESSURE: ("bp_mean_systolic_mmhg", "bp_mean_diastolic_mmhg"),
}
RHYTHMS = (
    Condition.VF, Condition.ASYSTOLE, Condition.VT_SUSTAINED, Condition.VT, Condition.EXTREME_TACHY,
    Condition.EXTREME_BRADY, Condition.AF, Condition.AFLUTTER, Condition.SVT, Condition.AF_POSSIBLE,
)  # fmt: skip
"""Episodes that are drawn over the heart rate."""
MOST_EPISODES = 500


def trend(conn: psycopg.Connection[Any], patient: str, kind: Trend, hours: int, now: datetime) -> Row:
    """The course of the last hours."""
    asked = {"patient": patient, "from_at": now - timedelta(hours=hours), "to_at": now}
    own = limits_of(plans.current(conn, patient))
    told: Row = {
        "kind": kind,
        "unit": UNITS[kind],
        "from": asked["from_at"],
        "to": now,
        "limits": {name: limit(own, name) for name in LIMITS[kind]},
    }
    if kind is Trend.BLOOD_PRESSURE:
        return told | _pressures(conn, asked)
    asked["width"] = timedelta(minutes=max(1, -(-hours * 60 // PIECES)))
    source: str = RATE if kind is Trend.HEART_RATE else kind
    told["points"] = rows(conn, "course_in_pieces", kind=source, **asked)
    if not told["points"] and source == RATE:  # without ECG as the device counts, which takes for a beat what it likes
        source = ReadingKind.HEART_RATE
        told["points"] = rows(conn, "course_in_pieces", kind=source, **asked)
    told["gaps"] = [
        {"from": gap["from_at"], "to": gap["to_at"]}
        for gap in rows(conn, "course_gaps", kind=source, longest=LONGEST[kind], **asked)
    ]
    if kind is Trend.HEART_RATE:
        return told | {"counted_by": "detector" if source == RATE else "device", "spans": _spans(conn, asked)}
    values = [(row["at"], row["mean"]) for row in rows(conn, "course", kind=source, **asked)]
    found = metrics([value for _, value in values])
    return told | {
        "in_range": asdict(found) if found else None,
        "sensor_on_pct": round(100 * on_s(values, LONGEST[kind]) / (hours * 3600), 1),
        "lowest": _extreme(values, min),
        "highest": _extreme(values, max),
        "below_70_s": round(on_s(values, LONGEST[kind], below=70.0)),
    }


def on_s(values: Sequence[tuple[datetime, float]], longest: timedelta, *, below: float | None = None) -> float:
    """Seconds that readings stand for: each until the next, and before a gap for as long as usual. `below`: only those."""
    if not values:
        return 0.0
    waits = [(b[0] - a[0]).total_seconds() for a, b in pairwise(values)]
    steady = [one for one in waits if one <= longest.total_seconds()]
    usual = median(steady) if steady else 300.0
    lasts = [one if one <= longest.total_seconds() else usual for one in waits] + [usual]
    return sum(one for one, (_, value) in zip(lasts, values, strict=True) if below is None or value < below)


def _extreme(values: Sequence[tuple[datetime, float]], pick: Any) -> Row | None:
    if not values:
        return None
    at, value = pick(values, key=lambda one: one[1])
    return {"at": at, "value": value}


def _spans(conn: psycopg.Connection[Any], asked: Row) -> list[Row]:
    found = rows(conn, "episodes_of", before_at=None, episode=None, limit=MOST_EPISODES, **asked)
    return [
        {
            "from": row["onset"],
            "to": row["ended"],
            "condition": row["condition"],
            "what": overview.what(row["condition"]),
            "present": row["present"],
        }
        for row in reversed(found)
        if row["condition"] in RHYTHMS and row["withdrawn"] is None
    ]


def _pressures(conn: psycopg.Connection[Any], asked: Row) -> Row:
    found = [
        {
            "at": row["at"],
            "systolic": row["readings"][0],
            "diastolic": row["readings"][1],
            "flags": row["flags"],
            "device": row["device"],
        }
        for row in reversed(
            rows(conn, "readings_of", kind=ReadingKind.BLOOD_PRESSURE, before_at=None, lane=None, seq=None, limit=5000,
                 **asked)
        )
        if row["readings"][0] is not None and row["readings"][1] is not None
        and not {"test", "control_solution"} & set(row["flags"])
    ]  # fmt: skip
    count = len(found)
    mean = {name: sum(one[name] for one in found) / count for name in ("systolic", "diastolic")} if count else None
    return {"points": thinned(found), "readings": count, "mean": mean, "gaps": [], "spans": []}


def thinned(found: list[Row]) -> list[Row]:
    """At most `READINGS` of them: of each piece the one with the highest and the one with the lowest systolic pressure."""
    if len(found) <= READINGS:
        return found
    size = -(-2 * len(found) // READINGS)
    kept: list[Row] = []
    for first in range(0, len(found), size):
        piece = found[first : first + size]
        ends = max(piece, key=lambda one: one["systolic"]), min(piece, key=lambda one: one["systolic"])
        kept += [one for one in piece if one is ends[0] or one is ends[1]]
    return kept
