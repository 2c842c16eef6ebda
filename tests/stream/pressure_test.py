"""Blood pressure on a hand-made table of cases, with what would go wrong in the field beside each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reading import Flag, Reading, ReadingKind
from stream.finding import Condition
from stream.instants import instant, micros
from stream.limits import GUIDELINES
from stream.pressure import CONDITIONS, sittings, stretches
from stream.pressure_mean import week_mean
from stream.ring import Kept
from tests.stream.shard import T0

MINUTE, DAY = 1.0, 1440.0
CRISIS, FIRST, HIGH, LOW = Condition.BP_CRISIS, Condition.BP_CRISIS_UNCONFIRMED, Condition.BP_HIGH, Condition.BP_LOW
VERY_LOW, MEAN, IRREGULAR = Condition.BP_VERY_LOW, Condition.BP_MEAN_HIGH, Condition.IRREGULAR_PULSE
SHOWN: set[Condition] = set()


def kept(minute: float, systolic: float | None, diastolic: float | None, *flags: Flag, seq: int = 0) -> Kept:
    at = T0 + timedelta(minutes=minute)
    words = Reading(
        device="cuff1", stream="blood_pressure", seq=seq or round(minute * 60) + 1, kind=ReadingKind.BLOOD_PRESSURE,
        values=(systolic, diastolic, None, 70.0), at=at, device_time=at.replace(tzinfo=None).isoformat(), flags=flags,
    )  # fmt: skip
    return Kept(micros(at), words)


def told(rows, own=None, now=10_000 * DAY):
    """(condition, onset, end) in minutes; end None: it stands."""
    readings = [kept(*row) for row in rows]
    found = stretches(readings, own or {}, micros(T0 + timedelta(minutes=now)))

    def minutes(us):
        return None if us is None else (instant(us) - T0).total_seconds() / 60

    SHOWN.update(s.condition for s in found)
    return sorted(((s.condition, minutes(s.onset_us), minutes(s.end_us)) for s in found), key=lambda s: (s[1], s[0]))


CASES = {
    "healthy": ([(0, 120, 80), (600, 118, 76)], []),
    "a first crisis asks for a second; a normal one ends it": (
        [(0, 185, 100), (5, 150, 90)],
        [(FIRST, 0, 5)],
    ),
    "nobody measured again: it ends by itself after 15 minutes": ([(0, 185, 100)], [(FIRST, 0, 15)]),
    "repeated within 15 minutes": (
        [(0, 185, 100), (5, 183, 99), (60, 140, 85)],
        [(FIRST, 0, 5), (CRISIS, 0, 60), (HIGH, 0, 60)],
    ),
    "the diastolic alone": (
        [(0, 165, 121), (10, 166, 124), (60, 140, 85)],
        [(FIRST, 0, 10), (CRISIS, 0, 60), (HIGH, 0, 60)],
    ),
    "half a minute apart is the same measurement": (
        [(0, 185, 100), (0.5, 186, 100)],
        [(FIRST, 0, 15), (HIGH, 0, None)],
    ),
    "too late to be a repetition: each asks anew": (
        [(0, 185, 100), (16, 185, 100)],
        [(FIRST, 0, 15), (HIGH, 0, None), (FIRST, 16, 31)],
    ),
    "just below the crisis": ([(0, 179, 119), (5, 179, 119)], [(HIGH, 0, None)]),
    "160/100 in one reading is not confirmed": ([(0, 165, 95), (600, 140, 85)], []),
    "confirmed by the next sitting of the day": ([(0, 165, 95), (600, 162, 95), (900, 140, 85)], [(HIGH, 0, 900)]),
    "not by one two days later": ([(0, 165, 95), (2 * DAY, 162, 95)], []),
    "confirmed in one sitting, by its mean": ([(0, 170, 95), (1.5, 155, 95), (600, 140, 85)], [(HIGH, 0, 600)]),
    "a sitting whose mean is below": ([(0, 170, 95), (1, 150, 90), (2, 148, 90)], []),
    "hypotension": ([(0, 85, 55), (60, 120, 80)], [(LOW, 0, 60)]),
    "89 and 90": ([(0, 90, 55), (60, 89, 55)], [(LOW, 60, None)]),
    "very low, repeated": ([(0, 78, 50), (5, 76, 50), (60, 120, 80)], [(LOW, 0, 60), (VERY_LOW, 0, 60)]),
    "very low, once": ([(0, 78, 50), (5, 95, 60)], [(LOW, 0, 5)]),
    "a fall of 30 below what is usual": (
        [*((n * 600, 138, 85) for n in range(6)), (3600, 107, 65), (4200, 130, 80)],
        [(LOW, 3600, 4200)],
    ),
    "a fall of 30 from far above is wanted": ([*((n * 600, 155, 90) for n in range(6)), (3600, 120, 75)], []),
    "no fall without a usual": ([(0, 138, 85), (600, 107, 65)], []),
    "an irregular pulse until a reading without": (
        [(0, 120, 80, Flag.IRREGULAR_PULSE), (600, 121, 80, Flag.IRREGULAR_PULSE), (900, 120, 80)],
        [(IRREGULAR, 0, 900)],
    ),
    "a test is nobody's": ([(0, 200, 120, Flag.TEST), (5, 200, 120, Flag.TEST)], []),
    "what no cuff can have measured": (
        [(0, 280, 100), (5, 280, 100), (10, 185, 175), (15, 185, 178), (20, 90, 80), (25, None, 60), (30, 200, 25)],
        [],
    ),
    "a pulse pressure of 15 can be": ([(0, 88, 73)], [(LOW, 0, None)]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case(name):
    rows, expected = CASES[name]
    assert told(rows) == sorted(expected, key=lambda s: (s[1], s[0]))


def test_a_first_crisis_stands_until_its_time_is_out():
    assert told([(0, 185, 100)], now=14.9) == [(FIRST, 0, None)]
    assert told([(0, 185, 100)], now=15) == [(FIRST, 0, 15)]


def test_limits_and_windows_are_the_patients_own():
    own = {"bp_crisis_systolic_mmhg": 160.0, "bp_repeat_max_s": 1800.0}
    assert (CRISIS, 0, 60) in told([(0, 165, 95), (29, 166, 95), (60, 120, 80)], own)


# --- The week at home ---------------------------------------------------------------------------------------------------


def week(*means, readings=4):
    """Days of so many readings, an hour apart, from eight in the morning."""
    return [(day * DAY + n * 60, mean[0], mean[1]) for day, mean in enumerate(means) for n in range(readings)]


WEEKS = {
    "above 135/85, the first day left out": ([(120, 75), *[(137, 80)] * 4], {}, True),
    "the first day alone was high": ([(190, 100), *[(134, 80)] * 4], {}, False),
    "the diastolic alone": ([(120, 75), *[(120, 86)] * 4], {}, True),
    "three days are two without the first": ([(120, 75), *[(150, 80)] * 2], {}, False),
    "130/80 where the plan follows the AHA": ([(120, 75), *[(132, 78)] * 4], dict(GUIDELINES["aha_2017"]), True),
    "and 135/85 where it follows China": ([(120, 75), *[(132, 78)] * 4], dict(GUIDELINES["china_2024"]), False),
    "a mean that came down again ends it": ([(120, 75), *[(140, 80)] * 4, *[(110, 70)] * 5], {}, False),
}


@pytest.mark.parametrize("name", WEEKS)
def test_a_week(name):
    days, own, is_raised = WEEKS[name]
    standing = [row for row in told(week(*days), own) if row[0] is MEAN and row[2] is None]
    assert bool(standing) is is_raised


def test_eleven_readings_are_too_few_and_a_mean_says_what_it_was_made_of():
    days = {n: [(140.0, 90.0)] * 4 for n in range(4)}
    assert week_mean(days, 3) == (140.0, 90.0, 12, 3)
    days[3] = days[3][:3]
    assert week_mean(days, 3) is None
    assert week_mean(days, 20) is None


# --- Invariances --------------------------------------------------------------------------------------------------------

any_reading = st.tuples(st.integers(0, 200), st.integers(70, 200), st.integers(45, 125))


@given(st.lists(any_reading, max_size=12, unique_by=lambda row: row[0]))
def test_invalid_readings_between_change_nothing(rows):
    rows = sorted(rows)
    noise = [(minute + 0.25, 300, 20) for minute, _, _ in rows]
    assert told(rows) == told(sorted([*rows, *noise]))


@given(st.lists(any_reading, min_size=1, max_size=12, unique_by=lambda row: row[0]))
def test_every_reading_belongs_to_one_sitting(rows):
    readings = [kept(*row) for row in sorted(rows)]
    assert [one for sitting in sittings(readings) for one in sitting.readings] == readings


def test_quality_flags_lower_the_confidence_and_two_doubts_more():
    def trust(*flags):
        found = stretches([kept(0, 185, 100, *flags), kept(5, 185, 100)], {}, 0)
        return next(s.confidence for s in found if s.condition is CRISIS)

    moved, both = trust(Flag.BODY_MOVEMENT), trust(Flag.BODY_MOVEMENT, Flag.CUFF_LOOSE)
    assert 1.0 == trust() > moved > both > 0


def test_every_condition_of_pressure_was_shown_above():
    if len(SHOWN) > 1:  # alone this test says nothing
        assert SHOWN == CONDITIONS
