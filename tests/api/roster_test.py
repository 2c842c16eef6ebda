"""The last vitals of a record: each with its time, the heart rate from whoever counted it last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import psycopg

from api.roster import vitals
from stream.finding import Condition
from tests.alerts.desk import START, Stream, finding


def reading(dsn: str, kind: str, values: list[float], at: datetime, *flags: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO stream.reading (lane, seq, at, patient, device, kind, readings, flags, at_source, content, shard,"
            " position, ord, received_at, from_gateway, digest)"
            " VALUES (1, extract(epoch FROM %s), %s, 'ada', 'd', %s, %s, %s, 'device', '', 0, 1, 0, %s, true, '')",
            (at, at, kind, values, list(flags), at),
        )


def told(dsn: str) -> dict[str, tuple[dict[str, float | None], datetime, tuple[str, ...]]]:
    with psycopg.connect(dsn) as conn:
        return {one.kind: (one.values, one.at, one.flags) for one in vitals(conn, "ada")}


def test_the_newest_of_each_kind_with_its_time(dsn: str) -> None:
    reading(dsn, "glucose", [80.0], START - timedelta(minutes=10))
    reading(dsn, "glucose", [60.0], START - timedelta(minutes=5))
    reading(dsn, "glucose", [300.0], START, "control_solution")
    reading(dsn, "blood_pressure", [120.0, 80.0], START - timedelta(hours=2))
    found = told(dsn)
    assert found["glucose"] == ({"glucose_mg_dl": 60.0}, START - timedelta(minutes=5), ())
    assert found["blood_pressure"][0] == {"systolic_mmhg": 120.0, "diastolic_mmhg": 80.0}
    assert "heart_rate" not in found


def test_the_detectors_rate_counts_where_it_is_newer(dsn: str) -> None:
    reading(dsn, "heart_rate", [70.0], START - timedelta(minutes=1))
    Stream(dsn).says(replace(finding(Condition.BRADY), evidence={"rate_bpm": 35.04}))
    assert told(dsn)["heart_rate"] == ({"rate_bpm": 35.0}, START, ("detector", "brady"))
    reading(dsn, "heart_rate", [66.0], START + timedelta(minutes=1))
    assert told(dsn)["heart_rate"][0] == {"rate_bpm": 66.0}


def test_fibrillation_has_no_heart_rate_and_a_wrong_person_s_is_nobody_s(dsn: str) -> None:
    stream = Stream(dsn)
    stream.says(finding(Condition.VF), finding(Condition.TACHY, withdrawn="wrong_person"))
    stream.says(finding(Condition.TACHY, subject="bob"))
    assert told(dsn) == {}
