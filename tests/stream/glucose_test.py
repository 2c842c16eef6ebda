"""Glucose by itself: events as a second computation finds them, a series for each rule, order, metrics by formula."""

from __future__ import annotations

import statistics
from datetime import timedelta
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.reading import Flag
from stream import glucose_lane
from stream.finding import Condition
from stream.glucose import LEVELS, closed, fold, rules_of, standing
from stream.glucose_course import Course, sample_of
from stream.glucose_lane import GlucoseLane
from stream.glucose_metrics import counted, daily, metrics
from stream.instants import instant
from tests.stream.cgm import every, reading, samples, series
from tests.stream.shard import T0

RULES = rules_of("cgm1", "cgm", {})
BEYOND = dict(zip(LEVELS, (lambda v: v < 54, lambda v: v < 70, lambda v: v > 180, lambda v: v > 250), strict=True))


def found(rows, rules=RULES):
    """Every stretch of a series: (condition, onset, end)."""
    course, ended = fold(Course(), samples(rows), rules)
    return ended + standing(course, rules)


def conditions(rows, rules=RULES):
    return {stretch.condition for stretch in found(rows, rules)}


# --- The second computation: whole series at once, the interval known beforehand, runs grouped -----------------------


def events(rows, is_beyond):
    """(onset, end) by iglu's rule: three readings at 5 min, one at 15; a gap over 45 min ends what stands."""
    interval = statistics.median(b[0] - a[0] for a, b in pairwise(rows))
    needed = timedelta(minutes=14.5) - interval
    parts = [[rows[0]]]
    for before, now in pairwise(rows):
        if now[0] - before[0] > timedelta(minutes=45):
            parts.append([])
        parts[-1].append(now)
    told = []
    for part in parts:
        runs = [(beyond, list(run)) for beyond, run in groupby(part, key=lambda row: is_beyond(row[1]))]
        long_runs = [(beyond, run[0][0]) for beyond, run in runs if run[-1][0] - run[0][0] >= needed]
        edges = [next(same) for _, same in groupby(long_runs, key=lambda run: run[0])]
        edges = edges[1:] if edges and not edges[0][0] else edges
        ends = [*edges[1::2], (False, part[-1][0])]
        told += [(begin, end) for (_, begin), (_, end) in zip(edges[::2], ends, strict=False)]
    return told


def test_events_of_every_cgm_file_are_those_of_a_second_computation(records):
    total = 0
    for name, rows in series(records).items():
        course, ended = fold(Course(), samples(rows), RULES)
        mine = ended + closed(course, RULES)
        for condition, is_beyond in BEYOND.items():
            expected = events(rows, is_beyond)
            total += len(expected)
            told = sorted((instant(s.onset_us), instant(s.end_us)) for s in mine if s.condition is condition)
            assert told == expected, (name, condition)
        very_low = events(rows, BEYOND[Condition.GLUCOSE_VERY_LOW])
        long = [(begin, end) for begin, end in very_low if end - begin >= timedelta(hours=2)]
        told = sorted(
            (instant(s.onset_us), instant(s.end_us)) for s in mine if s.condition is Condition.GLUCOSE_PROLONGED_LOW
        )
        assert told == long, name
    assert total > 1000


# --- Each rule on a made-up series ------------------------------------------------------------------------------------

CALM = [110.0] * 20


@pytest.mark.parametrize(
    ("rows", "condition", "minutes"),
    [
        (every(5, [100, 69, 68, 67, 100, 100, 100, 100]), Condition.GLUCOSE_LOW, (5, 20)),
        (every(5, [100, 69, 68, 100, 100, 100]), Condition.GLUCOSE_LOW, None),  # two readings are ten minutes
        (every(15, [100, 69, 100, 100]), Condition.GLUCOSE_LOW, (15, 30)),  # one stands for a quarter of an hour
        (
            every(5, [100, 69, 68, 67, 100, 68, 100, 100, 100]),
            Condition.GLUCOSE_LOW,
            (5, 30),
        ),  # back for one is not back
        (every(5, [100, 70, 70, 70, 70, 70]), Condition.GLUCOSE_LOW, None),  # 70 is in range
        (every(5, [60, 60, 60, 53.9, 53.9, 53.9, 60, 60, 60]), Condition.GLUCOSE_VERY_LOW, (15, 30)),
        (every(5, [180, 180.1, 181, 182, 170, 170, 170]), Condition.GLUCOSE_HIGH, (5, 20)),
        (every(5, [250.1, 251, 252, 250, 250, 250]), Condition.GLUCOSE_VERY_HIGH, (0, 15)),
        (every(5, [50.0] * 25 + [80.0] * 3), Condition.GLUCOSE_PROLONGED_LOW, (0, 125)),
        (every(5, [50.0] * 24 + [80.0] * 3), Condition.GLUCOSE_PROLONGED_LOW, (0, 120)),
        (every(5, [50.0] * 23 + [80.0] * 3), Condition.GLUCOSE_PROLONGED_LOW, None),
        (every(5, [190.0] * 24 + [150.0] * 3), Condition.GLUCOSE_PROLONGED_HIGH, (0, 120)),
        (every(5, [260.0] * 24 + [150.0] * 3), Condition.GLUCOSE_PROLONGED_VERY_HIGH, (0, 120)),
        (every(5, [*CALM, 39, 110, 110, 110]), Condition.GLUCOSE_CRITICAL_LOW, (100, 105)),  # one reading is enough
        (
            every(5, [*CALM, 53, 53, 53, 53, 53, 80, 80, 80]),
            Condition.GLUCOSE_CRITICAL_LOW,
            (110, 125),
        ),  # fell until then
        (every(5, [60.0] * 9 + [53] * 9), Condition.GLUCOSE_CRITICAL_LOW, None),  # very low, and steady
        (every(5, [150, 140, 130, 120, 119, 118, 117]), Condition.GLUCOSE_FALL, (10, 25)),
        (every(5, [150, 141, 132, 123, 114, 105]), Condition.GLUCOSE_FALL, None),  # 1.8 a minute
        (every(5, [100, 110, 120, 130, 131, 132, 133]), Condition.GLUCOSE_RISE, (10, 25)),
        (every(15, [150, 120, 119]), Condition.GLUCOSE_FALL, (15, 30)),
    ],
)
def test_a_rule_on_a_made_up_series(rows, condition, minutes):
    told = [s for s in found(rows) if s.condition is condition]
    start = rows[0][0]
    spans = [((instant(s.onset_us) - start), s.end_us and (instant(s.end_us) - start)) for s in told]
    assert spans == ([] if minutes is None else [tuple(timedelta(minutes=m) for m in minutes)])


def test_a_gap_over_45_minutes_ends_an_event_at_its_last_reading_and_a_shorter_one_does_not():
    before, after = every(5, [60] * 5), every(5, [60] * 5, T0 + timedelta(minutes=66))
    told = [s for s in found([*before, *after]) if s.condition is Condition.GLUCOSE_LOW]
    assert [instant(s.onset_us) for s in told] == [T0, T0 + timedelta(minutes=66)]
    assert instant(told[0].end_us) == T0 + timedelta(minutes=20)
    near = every(5, [60] * 5, T0 + timedelta(minutes=65))
    assert len([s for s in found([*before, *near]) if s.condition is Condition.GLUCOSE_LOW]) == 1


def test_a_second_low_within_a_day_is_repeated_and_one_after_a_day_is_not():
    low = [60, 60, 60, 90, 90, 90]
    assert Condition.GLUCOSE_LOW_REPEATED not in conditions(every(5, low))
    assert Condition.GLUCOSE_LOW_REPEATED in conditions(every(5, [*low, *low]))
    assert Condition.GLUCOSE_LOW_REPEATED not in conditions(every(5, [*low, *[100] * 285, *low]))


def test_a_predicted_low_comes_before_the_low_and_never_across_a_gap():
    falling = [130 - 6 * n for n in range(14)]
    told = {s.condition: s for s in found(every(5, falling))}
    ahead = told[Condition.GLUCOSE_PREDICTED_LOW]
    assert ahead.onset_us < told[Condition.GLUCOSE_LOW].at_us
    assert ahead.evidence["expected_mg_dl"] <= 55 < ahead.evidence["mg_dl"]
    gapped = [*every(5, falling[:8]), *every(5, falling[8:9], T0 + timedelta(minutes=61))]
    assert Condition.GLUCOSE_PREDICTED_LOW not in conditions(gapped)


def test_the_forecast_learns_from_the_patient():
    steep = [150 - 50 * (n % 8) / 7 for n in range(300)]  # falls that always turn back at 100
    course, _ = fold(Course(), samples(every(5, steep)), RULES)
    assert course.model != Course().model
    assert course.model.weights[0] < Course().model.weights[0]


NIGHT = T0.replace(hour=2)


def test_a_steady_night_with_a_fast_fall_asks_for_a_finger_stick_and_hides_nothing():
    rows = every(5, [*CALM, 88, 66, 58, 57, 58, 88, 105, 108], NIGHT)
    told = {s.condition: s for s in found(rows)}
    assert told[Condition.GLUCOSE_COMPRESSION_LOW].end_us is not None
    assert Condition.GLUCOSE_LOW in told
    assert Condition.GLUCOSE_COMPRESSION_LOW not in conditions(every(5, [*CALM, 88, 66, 58, 57], T0.replace(hour=13)))
    slow = [*CALM, *[110 - 2 * n for n in range(25)]]
    assert Condition.GLUCOSE_COMPRESSION_LOW not in conditions(every(5, slow, NIGHT))


@pytest.mark.parametrize("flag", [Flag.CONTROL_SOLUTION, Flag.TEST])
def test_control_solution_and_tests_never_count(flag):
    assert sample_of(reading(1, T0, 40.0, flag)) is None


@pytest.mark.parametrize(
    ("flag", "condition"),
    [
        (Flag.SENSOR_WARM_UP, Condition.SENSOR_WARM_UP),
        (Flag.SENSOR_EXPIRED, Condition.SENSOR_EXPIRED),
        (Flag.SIGNAL_LOST, Condition.SENSOR_SIGNAL_LOSS),
    ],
)
def test_what_the_sensor_says_of_itself_is_technical_and_its_values_do_not_count(flag, condition):
    rows = [(n, value, flags) for n, (value, flags) in enumerate([(110, ()), (30, (flag,)), (30, (flag,)), (110, ())])]
    told = [sample_of(reading(n + 1, T0 + timedelta(minutes=5 * n), v, *flags)) for n, v, flags in rows]
    course, ended = fold(Course(), told, RULES)
    assert [(s.condition, instant(s.onset_us), instant(s.end_us)) for s in ended] == [
        (condition, T0 + timedelta(minutes=5), T0 + timedelta(minutes=15))
    ]
    assert standing(course, RULES) == []
    assert counted(told) == [told[0], told[3]]


def test_a_finger_stick_counts_at_once_and_a_sensor_is_known_by_how_it_measures():
    meter = rules_of("meter1", "glucose", {})
    assert Condition.GLUCOSE_VERY_LOW in conditions(every(300, [110, 50]), meter)
    assert Condition.GLUCOSE_LOW not in conditions(every(5, [*[110] * 8, 65, 110, 110]), meter)


def test_a_reading_that_its_device_doubts_counts_with_less_confidence():
    told = [sample_of(reading(n, T0 + timedelta(minutes=5 * n), 60.0, Flag.QUESTIONABLE)) for n in range(4)]
    course, _ = fold(Course(), told, RULES)
    (low,) = standing(course, RULES)
    assert (low.condition, low.confidence) == (Condition.GLUCOSE_LOW, 0.6)


def test_limits_are_the_patients_own():
    own = rules_of("cgm1", "cgm", {"glucose_low_mg_dl": 80.0, "glucose_high_mg_dl": 150.0})
    assert conditions(every(5, [75] * 5), own) == {Condition.GLUCOSE_LOW}
    assert conditions(every(5, [160] * 5), own) == {Condition.GLUCOSE_HIGH}


# --- Order ------------------------------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_any_order_within_the_ring_gives_what_order_gives(records, data):
    rows = data.draw(st.sampled_from([rows for rows in series(records).values() if len(rows) > 400]))
    first = data.draw(st.integers(0, len(rows) - 300))
    real = samples(rows[first : first + 300])
    # Each reading may be overtaken by those of the next five hours; the first keeps its place.
    late = data.draw(st.lists(st.integers(0, 60), min_size=len(real), max_size=len(real)))
    order = sorted(range(len(real)), key=lambda n: (n + late[n], n) if n else (-1, 0))
    lanes = []
    for arrival in (range(len(real)), order):
        lane = GlucoseLane("cgm1", "cgm")
        for n in arrival:
            lane, _, _ = glucose_lane.add(lane, real[n], RULES)
        lanes.append(lane)
    assert lanes[0] == lanes[1]
    course, _ = fold(Course(), real, RULES)
    assert lanes[0].tip == course
    assert len(lanes[0].ring) == glucose_lane.KEPT


# --- Metrics ----------------------------------------------------------------------------------------------------------


def test_metrics_of_every_file_are_iglus_formulae(records):
    """iglu counts readings: in_range, below and above percent; gmi = 3.31 + 0.02392 mean; cv = 100 sd / mean, sd by n - 1."""
    for rows in series(records).values():
        values = [value for _, value in rows]
        mine = metrics(values)
        mean = statistics.fmean(values)
        expected = {
            "tir_pct": sum(70 <= v <= 180 for v in values),
            "tbr54_pct": sum(v < 54 for v in values),
            "tbr70_pct": sum(v < 70 for v in values),
            "tar180_pct": sum(v > 180 for v in values),
            "tar250_pct": sum(v > 250 for v in values),
        }
        for name, count in expected.items():
            assert getattr(mine, name) == pytest.approx(100 * count / len(values), abs=1e-3)
        assert mine.mean_mg_dl == pytest.approx(mean, abs=1e-3)
        assert mine.gmi_pct == pytest.approx(3.31 + 0.02392 * mean, abs=1e-3)
        assert mine.cv_pct == pytest.approx(100 * statistics.stdev(values) / mean, abs=1e-3)


def test_metrics_by_day_and_of_little():
    assert metrics([]) is None
    assert metrics([100.0]).cv_pct is None
    days = daily(samples(every(360, [60, 100, 200, 300, 100])))
    assert {day: (m.readings, m.tbr70_pct) for day, m in days.items()} == {
        "2026-11-24": (3, pytest.approx(33.33, abs=0.01)),
        "2026-11-25": (2, 0.0),
    }
