"""Every physiological condition, raised and cleared the whole way: bytes, admission, Ward, policy, alert; and its tier.

A stretch of a real recording wherever one shows it (docs/conditions.md names it); what none shows is made, and says so.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alerts.alert import Tier
from gateway.reading import DeviceId, Flag, Reading, ReadingKind, StreamName
from stream.command import AssignmentChanged, SymptomReport
from stream.finding import Condition, PatientId
from stream.recording import open_record
from stream.statement import TECHNICAL
from tests.stream.cgm import readings, series
from tests.stream.ecg.atrial_test import fibrillating, sinus, stepping
from tests.stream.ecg.classed import Heart
from tests.stream.ecg.rules_test import WAVES, heart, regular
from tests.stream.shard import T0
from tests.stream.strips import drawn
from tests.whole_way import WholeWay

ADA = PatientId("ada")
TABLE = Path(__file__).parents[1] / "docs" / "conditions.md"
TIP, DOCTOR, EMERGENCY = Tier.TIP, Tier.DOCTOR, Tier.EMERGENCY
QUIET = None
STRIP = "ecg/strip/I"
STRIP_BIGEMINY = [0.52 if i % 2 else 1.08 for i in range(34)]


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows a condition."""

    tier: Tier | None
    """Of the alert that comes of it; QUIET: none does."""
    live: Callable[[WholeWay, Path], None]
    recorded: tuple[str, ...] = field(default=())
    """Records and files, as docs/conditions.md names them; none: it is made."""


# --- What is lived through ------------------------------------------------------------------------------------------------


def assigned(way: WholeWay, device: str) -> None:
    far_back = T0 - timedelta(days=365)
    way.tell(T0, AssignmentChanged(device=DeviceId(device), slot=None, patient=ADA, from_at=far_back))


def ecg(tier: Tier | None, *stretches: tuple[str, float, float]) -> Shown:
    """Stretches (record, from, to in seconds) of the first ECG lead, one after another."""

    def live(way: WholeWay, records: Path) -> None:
        assigned(way, "ecg1")
        for number, (record, begin_s, end_s) in enumerate(stretches):
            recording = open_record(records / record)
            rate = recording.rate_hz
            samples = recording.leads[0].samples[round(begin_s * rate) : round(end_s * rate)]
            way.ecg(samples, rate, f"s{number}")
        way.wait(2)

    return Shown(tier, live, tuple(dict.fromkeys(record for record, _, _ in stretches)))


def made(tier: Tier | None, beats_s: list[float], *, without_p: bool = False) -> Shown:
    """A made ECG with R peaks at these seconds, and five seconds more."""

    def live(way: WholeWay, _: Path) -> None:
        assigned(way, "ecg1")
        samples = heart(beats_s, beats_s[-1] + 5).astype(float)
        if without_p:
            offset, width, height = WAVES[0]
            t = np.arange(samples.size) / 250.0
            for beat in beats_s:
                samples -= height * np.exp(-0.5 * ((t - beat - offset) / width) ** 2)
        way.ecg(np.round(samples).astype(np.int16), 250.0, "s1")

    return Shown(tier, live)


def strips(tier: Tier | None, shows: NDArray[np.int16]) -> Shown:
    """A made hand-held strip, and a normal one a minute later."""

    def live(way: WholeWay, _: Path) -> None:
        assigned(way, "ecg1")
        for session, samples in (("s1", shows), ("s2", drawn.drawn(drawn.sinus()))):
            way.ecg(samples, 300.0, session, STRIP)
            way.wait(60)

    return Shown(tier, live)


def cgm(tier: Tier | None, name: str, first: int, last: int) -> Shown:
    """So many readings of a person's sensor, and those around them."""

    def live(way: WholeWay, records: Path) -> None:
        assigned(way, "cgm1")
        rows = series(records)[name][max(0, first - 100) : last + 40]
        # Whole days later: what is judged by the hour of the day stays true.
        later = timedelta(days=(T0 - rows[0][0]).days + 1)
        for one in readings([(at + later, value) for at, value in rows]):
            way.hear(one.at, one)

    return Shown(tier, live, (name,))


def cuff(minute: float, systolic: float, diastolic: float, *flags: Flag) -> Reading:
    at = T0 + timedelta(minutes=minute)
    return Reading(
        device=DeviceId("cuff1"), stream=StreamName("blood_pressure"), seq=0, kind=ReadingKind.BLOOD_PRESSURE, at=at,
        values=(systolic, diastolic, None, 70.0), device_time=at.replace(tzinfo=None).isoformat(), flags=flags,
        received_at=at,
    )  # fmt: skip


def pressure(tier: Tier | None, *rows: tuple[float, ...]) -> Shown:
    """Made readings: minute, systolic, diastolic, flags."""

    def live(way: WholeWay, _: Path) -> None:
        assigned(way, "cuff1")
        for row in rows:
            one = cuff(*row)  # type: ignore[arg-type]
            way.hear(one.at, one)

    return Shown(tier, live)


@cache
def ambulatory(records: Path) -> dict[str, list[tuple[datetime, float, float]]]:
    """`ID/VISIT` and its readings."""
    found: dict[str, list[tuple[datetime, float, float]]] = {}
    with (records / "bp" / "bp_hypnos.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["DATE.TIME"]).replace(tzinfo=UTC)
            name = f"{float(row['ID']):.0f}/{float(row['VISIT']):.0f}"
            found.setdefault(name, []).append((at, float(row["SYST"]), float(row["DIAST"])))
    return {name: sorted(rows) for name, rows in found.items()}


def day_and_night(tier: Tier | None, visit: str) -> Shown:
    """A day with a cuff that measures by itself."""

    def live(way: WholeWay, records: Path) -> None:
        assigned(way, "cuff1")
        rows = ambulatory(records)[visit]
        for at, systolic, diastolic in rows:
            one = cuff((at - rows[0][0]).total_seconds() / 60, systolic, diastolic)
            way.hear(one.at, one)

    return Shown(tier, live, (visit,))


def symptom(tier: Tier | None) -> Shown:
    def live(way: WholeWay, _: Path) -> None:
        later = T0 + timedelta(minutes=20)
        way.tell(T0, SymptomReport(patient=ADA, at=T0, symptoms=("chest_pain",)))
        way.tell(later, SymptomReport(patient=ADA, at=later, symptoms=("fine",)))

    return Shown(tier, live)


def peaks(beats: Heart) -> list[float]:
    return [beat[0] for beat in beats.beats]


DAY = 1440
WEEK = [
    (day * DAY + n * 60, *mean)
    for day, mean in enumerate([(120, 75), *[(140, 80)] * 4, *[(110, 70)] * 6])
    for n in range(4)
]

SHOWN: dict[Condition, Shown] = {
    Condition.VF: ecg(EMERGENCY, ("cudb/cu01", 180, 250), ("cudb/cu01", 0, 60)),
    Condition.ASYSTOLE: ecg(EMERGENCY, ("challenge2015/a449l", 90, 175)),
    Condition.PAUSE: ecg(DOCTOR, ("challenge2015/b265l", 90, 170)),
    Condition.BRADY: ecg(DOCTOR, ("challenge2015/b227l", 60, 130)),
    Condition.EXTREME_BRADY: made(EMERGENCY, [*regular(0.5, 30, 70), *regular(30, 75, 25), *regular(75.5, 110, 70)]),
    Condition.TACHY: ecg(DOCTOR, ("challenge2015/t157l", 0, 80)),
    Condition.EXTREME_TACHY: made(EMERGENCY, [*regular(0.5, 30, 70), *regular(30, 75, 210), *regular(75.5, 110, 70)]),
    Condition.PACED: ecg(QUIET, ("mitdb/107", 0, 90), ("nsrdb/16265", 0, 60)),
    Condition.COUPLET: ecg(QUIET, ("mitdb/215", 0, 200)),
    Condition.NSVT: ecg(DOCTOR, ("mitdb/215", 120, 200)),
    Condition.VT: ecg(DOCTOR, ("mitdb/205", 1400, 1520)),
    Condition.VT_SUSTAINED: ecg(EMERGENCY, ("vfdb/428", 1880, 2000)),
    Condition.BIGEMINY: ecg(TIP, ("mitdb/106", 740, 1000)),
    Condition.TRIGEMINY: ecg(TIP, ("mitdb/201", 600, 780)),
    Condition.V_BURDEN: ecg(DOCTOR, ("mitdb/119", 0, 1805), ("nsrdb/16265", 0, 3600)),
    Condition.ECTOPY: ecg(TIP, ("mitdb/114", 0, 1805), ("nsrdb/16265", 0, 3600)),
    Condition.AF: ecg(DOCTOR, ("mitdb/201", 0, 700)),
    Condition.AF_POSSIBLE: made(TIP, peaks(sinus(fibrillating(sinus(Heart(), 150), 36, interval=0.5), 150))),
    Condition.AFLUTTER: made(DOCTOR, peaks(stepping([2, 3, 4], 120)), without_p=True),
    Condition.SVT: ecg(DOCTOR, ("mitdb/209", 520, 660)),
    Condition.STRIP_AF: strips(DOCTOR, drawn.drawn(drawn.fibrillating(), has_p=False)),
    Condition.STRIP_OTHER: strips(TIP, drawn.drawn(STRIP_BIGEMINY, wide=frozenset(range(2, 35, 2)))),
    Condition.GLUCOSE_LOW: cgm(TIP, "processed_1005_0_20210522", 394, 397),
    Condition.GLUCOSE_VERY_LOW: cgm(DOCTOR, "processed_1002_0_20210504", 676, 679),
    Condition.GLUCOSE_CRITICAL_LOW: cgm(EMERGENCY, "processed_1007_0_20210726", 1148, 1152),
    Condition.GLUCOSE_PROLONGED_LOW: cgm(DOCTOR, "processed_1007_0_20210726", 166, 178),
    Condition.GLUCOSE_LOW_REPEATED: cgm(DOCTOR, "processed_1007_0_20210726", 803, 806),
    Condition.GLUCOSE_HIGH: cgm(QUIET, "processed_2046_0_20201216", 129, 134),
    Condition.GLUCOSE_VERY_HIGH: cgm(QUIET, "processed_1009_0_20210803", 194, 198),
    Condition.GLUCOSE_PROLONGED_HIGH: cgm(TIP, "processed_1011_0_20210622", 436, 448),
    Condition.GLUCOSE_PROLONGED_VERY_HIGH: cgm(DOCTOR, "processed_2009_0_20211103", 105, 115),
    Condition.GLUCOSE_FALL: cgm(QUIET, "dexcom_010", 1951, 1954),
    Condition.GLUCOSE_RISE: cgm(QUIET, "processed_2065_0_20210615", 663, 665),
    Condition.GLUCOSE_PREDICTED_LOW: cgm(TIP, "processed_1007_0_20210726", 777, 778),
    Condition.GLUCOSE_COMPRESSION_LOW: cgm(TIP, "processed_1011_0_20210622", 46, 49),
    Condition.BP_CRISIS_UNCONFIRMED: day_and_night(TIP, "70439/1"),
    Condition.BP_HIGH: day_and_night(DOCTOR, "70422/1"),
    Condition.BP_LOW: day_and_night(TIP, "70424/1"),
    Condition.BP_CRISIS: pressure(DOCTOR, (0, 185, 100), (5, 183, 99), (60, 140, 85)),
    Condition.BP_VERY_LOW: pressure(DOCTOR, (0, 78, 50), (5, 76, 50), (60, 120, 80)),
    Condition.BP_MEAN_HIGH: pressure(DOCTOR, *WEEK),
    Condition.IRREGULAR_PULSE: pressure(TIP, (0, 120, 80, Flag.IRREGULAR_PULSE), (600, 121, 80)),  # type: ignore[arg-type]
    Condition.SYMPTOM: symptom(DOCTOR),
}


def lived(shown: Shown, request: pytest.FixtureRequest) -> WholeWay:
    way = WholeWay()
    # Only what is recorded may skip.
    shown.live(way, request.getfixturevalue("records") if shown.recorded else T0)  # type: ignore[arg-type]
    return way


@pytest.mark.parametrize("condition", SHOWN)
def test_raised_and_cleared_the_whole_way(condition: Condition, request: pytest.FixtureRequest) -> None:
    shown = SHOWN[condition]
    way = lived(shown, request)
    told = way.of(condition)
    newest = {found.episode: found for found in told}
    ended = [found for found in newest.values() if not found.present]
    assert [found for found in told if found.present], "never raised"
    assert ended, "never cleared"
    assert all(found.end is not None and found.onset <= found.end for found in ended)
    tiers = {alert.tier for alert in way.alerts() if alert.finding.condition is condition}
    assert tiers == (set() if shown.tier is QUIET else {shown.tier})


def test_the_table_names_what_is_lived_through_here() -> None:
    rows = {
        line.split("`")[1]: line.split(" | ")[3] for line in TABLE.read_text().splitlines() if line.startswith("| `")
    }
    for condition, shown in SHOWN.items():
        for record in shown.recorded or ("made",):
            assert record in rows[condition], condition


def test_no_physiological_condition_is_left_out() -> None:
    assert set(SHOWN) == set(Condition) - TECHNICAL
