"""What one look at the house means: each fault by itself, all at once, and none where all is well."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import StationCondition
from alerts.audit import (
    AUDITED,
    INTAKE_STARTS_S,
    STATION_STARTS_S,
    Late,
    Pulse,
    Seen,
    is_coming_up,
    troubles,
)
from alerts.policy import RULES

LONG = 10_000.0
PULSE = Pulse(shard=0, stored_age_s=0.4, unjudged_age_s=None, chart_age_s=20.0)
WELL = Seen(pulses=(PULSE,), station_age_s=1.0)
STALLED, OVERDUE = StationCondition.WORKER_STALLED, StationCondition.STEP_OVERDUE

FAULTS: list[tuple[dict[str, Any], StationCondition, str]] = [
    # A station that died between two rungs.
    ({"steps": Late(count=1, oldest_s=16)}, OVERDUE, "station"),
    # Its senders hang: nobody tries what is due.
    ({"notices": Late(count=3, oldest_s=60)}, OVERDUE, "station"),
    # It lives, and hears nothing of what was found.
    ({"unheard_s": 30.0}, OVERDUE, "station"),
    # An alert that no step will ever come to.
    ({"forgotten": 1}, OVERDUE, "station"),
    # A notice that kills whoever tries it.
    ({"unfinished": 1}, OVERDUE, "station"),
    # The station's process is gone, or was never there.
    ({"station_age_s": 16.0}, STALLED, "station"),
    ({"station_age_s": None}, STALLED, "station"),
    # Nothing is taken in; taken in and not judged; never was.
    ({"pulses": (replace(PULSE, stored_age_s=16.0),)}, STALLED, "intake"),
    ({"pulses": (replace(PULSE, unjudged_age_s=16.0),)}, STALLED, "intake"),
    ({"pulses": (replace(PULSE, stored_age_s=None),)}, STALLED, "intake"),
    ({"pulses": (replace(PULSE, chart_age_s=200.0),)}, StationCondition.CHARTS_STALE, "intake"),
    ({"starts": {"intake": 5, "station": 1}}, STALLED, "intake"),
    ({"mute": ("api",)}, STALLED, "api"),
    ({"unaccounted": 1}, StationCondition.UNACCOUNTED, "ledger"),
]


@pytest.mark.parametrize(("change", "condition", "subject"), FAULTS)
def test_each_fault_is_a_trouble_of_its_own(change: dict[str, Any], condition: StationCondition, subject: str) -> None:
    (found,) = troubles(replace(WELL, **change), LONG)
    assert (found.condition, found.subject) == (condition, subject)
    assert found.why


def test_a_house_that_is_well_has_none_and_every_part_of_a_look_can_be_wrong() -> None:
    assert troubles(WELL, LONG) == ()
    assert is_coming_up(WELL) is None
    assert {name for change, _, _ in FAULTS for name in change} == {one.name for one in fields(Seen)}
    assert {condition for _, condition, _ in FAULTS} == set(AUDITED)
    assert all(condition in RULES for condition in AUDITED)


@given(st.sets(st.integers(0, len(FAULTS) - 1), min_size=1))
def test_faults_together_hide_none_of_each_other(chosen: set[int]) -> None:
    changes = [FAULTS[one][0] for one in sorted(chosen)]
    seen = WELL
    for change in changes:
        seen = replace(seen, **change)
    expected = {(str(c), s) for change, c, s in FAULTS if all(getattr(seen, k) == v for k, v in change.items())}
    assert {one.key for one in troubles(seen, LONG)} == expected


def test_a_house_that_comes_up_is_given_time_and_no_heartbeat() -> None:
    cold = Seen(
        pulses=(replace(PULSE, stored_age_s=86_400.0),), station_age_s=86_400.0, steps=Late(count=9, oldest_s=9e4)
    )
    assert troubles(cold, STATION_STARTS_S - 1) == ()
    assert is_coming_up(cold) == "station"
    compiling = replace(cold, station_age_s=1.0, steps=Late())
    assert troubles(compiling, INTAKE_STARTS_S - 1) == ()
    assert is_coming_up(compiling) == "intake"
    assert [one.subject for one in troubles(compiling, INTAKE_STARTS_S)] == ["intake"]


def test_one_that_has_lived_since_is_not_given_the_time_of_a_start() -> None:
    (found,) = troubles(replace(WELL, pulses=(replace(PULSE, stored_age_s=20.0),)), 60.0)
    assert found.subject == "intake"
