"""Other limits tried on archived readings: what they would have raised, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Occurrence, Tier
from alerts.limit_table import TABLE
from alerts.plan import Plan
from alerts.rejudging import Archive, Minute, Tried, Why, tried
from gateway.reading import Reading, ReadingKind
from stream.finding import Condition, FindingKind, SubjectKind
from stream.glucose_course import sample_of
from stream.instants import micros
from stream.limits import LIMITS
from stream.ring import Kept
from tests.stream.cgm import every, readings
from tests.stream.shard import T0

PLAN = Plan(patient="ada")
DAY = timedelta(days=1)
SLOW = [*range(74, 63, -1), *range(64, 75)]
"""Down and up by 1 mg/dL each five minutes: no forecast speaks of it."""
SLOWER = [*range(74, 55, -1), *range(56, 75)]


def glucose(values: list[float]) -> Archive:
    rows = readings(every(5, values))
    samples = [sample for one in rows if (sample := sample_of(one)) is not None]
    return Archive(from_at=T0 - DAY, now=T0 + DAY, glucose={("cgm1", "cgm"): samples})


def rhythm(condition: Condition, rate_bpm: float) -> Occurrence:
    return Occurrence(
        subject="ada", subject_kind=SubjectKind.PATIENT, condition=condition, kind=FindingKind.PHYSIOLOGICAL,
        episode=uuid4(), revision=1, present=False, onset=T0, end=T0 + timedelta(minutes=5), evidence={"rate_bpm": rate_bpm},
    )  # fmt: skip


def on(archive: Archive, **limits: float) -> Tried:
    return tried(PLAN, replace(PLAN, limits=limits), archive)


def conditions(found: tuple[object, ...]) -> list[tuple[str, Tier]]:
    return [(one.condition, one.tier) for one in found]  # type: ignore[attr-defined]


def test_every_limit_has_its_place_in_the_table() -> None:
    assert set(TABLE) == set(LIMITS)


def test_a_lower_limit_raises_no_tip_and_says_which_one_is_gone() -> None:
    found = on(glucose(SLOW), glucose_low_mg_dl=60)
    assert conditions(found.before) == conditions(found.fewer) == [(Condition.GLUCOSE_LOW, Tier.TIP)]
    assert (found.after, found.more, found.untold) == ((), (), ())


def test_a_higher_limit_turns_a_tip_into_a_doctors_alert_which_alone_speaks() -> None:
    found = on(glucose(SLOWER), glucose_very_low_mg_dl=60)
    assert conditions(found.fewer) == [(Condition.GLUCOSE_LOW, Tier.TIP)]
    assert conditions(found.more) == conditions(found.after) == [(Condition.GLUCOSE_VERY_LOW, Tier.DOCTOR)]


def test_pressure_is_judged_again_with_what_was_felt_at_that_time() -> None:
    def cuff(seq: int, minutes: float) -> Kept:
        at = T0 + timedelta(minutes=minutes)
        one = Reading(device="cuff", stream="blood_pressure", seq=seq, kind=ReadingKind.BLOOD_PRESSURE,  # type: ignore[arg-type]
                      values=(172.0, 96.0, None, None), at=at, device_time=at.isoformat()[:19])  # fmt: skip
        return Kept(micros(at), one)

    archive = Archive(from_at=T0 - DAY, now=T0 + DAY, pressure=[cuff(1, 0), cuff(2, 4)])
    calm = on(archive, bp_crisis_systolic_mmhg=170)
    assert (Condition.BP_CRISIS, Tier.DOCTOR) in conditions(calm.more)
    felt = replace(archive, episodes=[rhythm(Condition.SYMPTOM, 0.0)])
    assert (Condition.BP_CRISIS, Tier.EMERGENCY) in conditions(on(felt, bp_crisis_systolic_mmhg=170).more)


def minutes(*bpm: float) -> list[Minute]:
    return [Minute(T0 + timedelta(minutes=n), rate, rate - 4) for n, rate in enumerate(bpm)]


def test_a_slow_heart_that_stays_above_the_other_limit_is_left_out_and_one_that_went_below_is_not() -> None:
    shallow = replace(rhythm(Condition.BRADY, 39.0), onset=T0 + timedelta(hours=2), end=T0 + timedelta(hours=2.1))
    deep = [*minutes(60, 44, 36, 44, 60), Minute(shallow.onset, 46.0, 38.0)]
    found = on(Archive(from_at=T0 - DAY, now=T0 + DAY, episodes=[rhythm(Condition.BRADY, 38.0), shallow], minutes=deep),
               brady_bpm=34)  # fmt: skip
    assert [one.onset for one in found.fewer] == [shallow.onset]
    assert (len(found.before), len(found.after), found.more) == (2, 1, ())
    assert [(one.why, one.of, one.unsure) for one in found.untold] == [(Why.BY_MINUTE, 2, 0)]


def test_a_looser_rate_limit_counts_minutes_that_lie_together_as_one_alert() -> None:
    slow = minutes(60, 46, 60, 46, 60, *[60] * 20, 46, 60)
    found = on(Archive(from_at=T0 - DAY, now=T0 + DAY, minutes=slow), brady_bpm=45)
    assert conditions(found.more) == [(Condition.BRADY, Tier.DOCTOR)] * 2
    fast = minutes(*[125.0] * 9, 100, *[125.0] * 10, 100, *[100.0] * 12, 140)
    found = on(Archive(from_at=T0 - DAY, now=T0 + DAY, minutes=fast), tachy_bpm=120)
    assert [(one.onset - T0) / timedelta(minutes=1) for one in found.more] == [
        10,
        33,
    ]  # ten minutes, and one much faster


def test_without_rates_it_says_that_the_archive_does_not_hold_them() -> None:
    archive = Archive(from_at=T0 - DAY, now=T0 + DAY, episodes=[rhythm(Condition.BRADY, 38.0)])
    for value in (34, 45):
        found = on(archive, brady_bpm=value)
        assert [(one.why, one.of, one.unsure) for one in found.untold] == [(Why.NO_RATES, 1, 1)]
        assert found.before == found.after
    far = replace(archive, minutes=[Minute(T0 + timedelta(hours=9), 60.0, 58.0)])
    (untold,) = on(far, brady_bpm=34).untold
    assert (untold.why, untold.unsure) == (Why.BY_MINUTE, 1)


def test_a_candidate_raises_nothing() -> None:
    doubtful = replace(rhythm(Condition.BRADY, 38.0), evidence={"rate_bpm": 38.0, "candidate": 1})
    assert on(Archive(from_at=T0 - DAY, now=T0 + DAY, episodes=[doubtful]), brady_bpm=34).before == ()


def test_what_cannot_be_judged_again_is_named() -> None:
    archive = glucose([110.0])
    assert [(one.limit, one.why) for one in on(archive, no_data_s=120, bp_high_systolic_mmhg=150).untold] == [
        ("bp_high_systolic_mmhg", Why.NO_READINGS), ("no_data_s", Why.NOT_KEPT),
    ]  # fmt: skip


def test_what_began_before_the_time_is_not_counted() -> None:
    archive = glucose(SLOW)
    late = replace(archive, from_at=T0 + DAY)
    assert on(late, glucose_low_mg_dl=60).before == ()


@given(values=st.lists(st.floats(45, 300), max_size=60), low=st.floats(60, 100))
def test_the_same_limits_differ_in_nothing_and_two_ways_are_mirrored(values: list[float], low: float) -> None:
    archive = glucose(values)
    same = tried(PLAN, PLAN, archive)
    assert (same.before, same.after, same.more, same.fewer, same.untold) == ((), (), (), (), ())
    wished = replace(PLAN, limits={"glucose_low_mg_dl": low})
    there, back = tried(PLAN, wished, archive), tried(wished, PLAN, archive)
    assert (there.before, there.after, there.more, there.fewer) == (back.after, back.before, back.fewer, back.more)


@pytest.mark.parametrize("low", [62.0, 68.0])
def test_a_tighter_tip_never_hides_what_the_looser_one_shows(low: float) -> None:
    found = on(glucose(SLOW * 2), glucose_low_mg_dl=low)
    assert len(found.before) == len(found.after) + len(found.fewer) - len(found.more)
