"""Other limits tried on what is archived of a patient: read here, judged by `rejudging`. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts.alert import Occurrence
from alerts.rejudging import Archive, Minute, Tried, tried
from gateway.reading import Flag, Reading, ReadingKind
from stream.finding import FindingKind, SubjectKind
from stream.glucose_course import Sample, sample_of
from stream.instants import micros
from stream.ring import Kept
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.plan import Plan
    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))

OVER = timedelta(days=30)
"""So far back it is tried."""
LEAD = timedelta(days=8)
"""So much more is read: a week's mean and what is usual of a patient need what came before."""


def on_archive(conn: Connection, plan: Plan, wished: Plan, now: datetime) -> tuple[Archive, Tried]:
    """What `wished` would have raised against `plan` over the last 30 days, and by what that was judged."""
    archive = _read(conn, plan.patient, now)
    return archive, tried(plan, wished, archive)


def _read(conn: Connection, patient: str, now: datetime) -> Archive:
    since = now - OVER - LEAD
    lanes: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for reading in _readings(conn, patient, ReadingKind.GLUCOSE, since):
        sample = sample_of(reading)
        if sample is not None:
            lanes[(reading.device, str(reading.stream))].append(sample)
    pressure = [Kept(micros(one.at), one) for one in _readings(conn, patient, ReadingKind.BLOOD_PRESSURE, since)]
    asked = {"patient": patient, "since": since}
    rows = conn.cursor(row_factory=dict_row).execute(SQL["episodes"], asked).fetchall()
    episodes = [
        Occurrence(
            subject=patient,
            subject_kind=SubjectKind.PATIENT,
            condition=row["condition"],
            kind=FindingKind(row["kind"]),
            episode=row["episode"],
            revision=1,
            present=row["present"],
            onset=row["onset"],
            end=row["ended"],
            late=row["late"],
            evidence=row["evidence"],
        )
        for row in rows
    ]
    minutes = [Minute(*row) for row in conn.execute(SQL["minutes"], asked).fetchall()]
    return Archive(
        from_at=now - OVER, now=now, glucose=dict(lanes), pressure=pressure, episodes=episodes, minutes=minutes
    )


def _readings(conn: Connection, patient: str, kind: ReadingKind, since: datetime) -> list[Reading]:
    asked = {"patient": patient, "kind": kind.value, "since": since}
    rows = conn.cursor(row_factory=dict_row).execute(SQL["readings"], asked).fetchall()
    return [_reading(row, kind) for row in rows]


def _reading(row: dict[str, Any], kind: ReadingKind) -> Reading:
    return Reading(
        device=row["device"],
        stream=row["stream"],
        seq=row["seq"],
        kind=kind,
        values=tuple(row["readings"]),
        at=row["at"],
        slot=row["slot"],
        device_time=row["device_time"],
        connection=row["connection"],
        flags=tuple(Flag(flag) for flag in row["flags"]),
    )
