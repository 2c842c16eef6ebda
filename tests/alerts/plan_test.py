"""Plans: what may be set, and ladders frozen with people in them."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import plans
from alerts.ladder import Addressee, LadderName, Role
from alerts.limit_guard import BOUNDS, LimitRefused, check_limits
from alerts.plan import DEFAULT_LADDERS, DEFAULT_TEAM, OPERATOR, Plan, PlanRefused, frozen, limits_of
from stream.limits import DEFAULTS
from tests.alerts.desk import ALL_TRIED, START, TEAM

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_limit_of_the_detector_can_be_set_and_its_default_is_advised(name: str) -> None:
    assert name in BOUNDS, "stream.limits has a limit that alerts.plan does not guard: add its bounds and their source"
    assert check_limits({name: DEFAULTS[name]}) == {}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_bounds_are_ordered_and_have_a_dated_source(name: str) -> None:
    bounds = BOUNDS[name]
    assert bounds.lowest <= bounds.advised_from < bounds.advised_to <= bounds.highest
    assert "20" in bounds.source


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0, 1e9])
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_nobody_sets_a_limit_away(name: str, value: float) -> None:
    with pytest.raises(LimitRefused, match=name):
        check_limits({name: value})


def test_an_unknown_limit_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(LimitRefused, match="tachy_bpm"):
        check_limits({"tachy": 130})


@given(st.sets(st.sampled_from(Role)))
def test_no_rung_is_empty_whoever_is_missing(missing: set[Role]) -> None:
    team = tuple(one for one in DEFAULT_TEAM if one.role not in missing)
    for name, ladder in frozen(Plan(patient="ada", team=team)).items():
        for rung in ladder.rungs:
            assert rung.to, name
            if rung.missing:
                assert OPERATOR in rung.to
        assert ladder.repeat_s > ladder.rungs[-1].after_s


def test_the_defaults_need_nobody_that_the_default_team_lacks() -> None:
    assert not any(rung.missing for ladder in frozen(Plan(patient="ada")).values() for rung in ladder.rungs)
    assert set(DEFAULT_LADDERS) == set(LadderName)


def test_one_person_in_two_roles_hears_it_once() -> None:
    both = [Addressee(person="lin", channel="log", address="lin", role=role) for role in (Role.DOCTOR, Role.PATIENT)]
    (rung,) = frozen(Plan(patient="ada", team=tuple(both)))[LadderName.PAST_EMERGENCY].rungs
    assert len(rung.to) == 1


def test_the_guideline_of_a_plan_sets_limits_and_the_plan_s_own_lie_over_them() -> None:
    assert limits_of(Plan(patient="ada")) == {}
    own = Plan(patient="ada", guideline="aha_2017", limits={"bp_mean_systolic_mmhg": 128.0})
    assert limits_of(own) == {"bp_mean_systolic_mmhg": 128.0, "bp_mean_diastolic_mmhg": 80.0}
    with pytest.raises(PlanRefused, match="there are: aha_2017"):
        limits_of(Plan(patient="ada", guideline="who"))


def test_activating_tells_the_detector_in_the_same_transaction(dsn: str, tmp_path: Path) -> None:
    del tmp_path
    with psycopg.connect(dsn) as conn:
        with suppress(ZeroDivisionError), conn.transaction():
            plans.activate(
                conn, Plan(patient="ada", limits={"no_data_s": 120.0}, team=TEAM), ALL_TRIED, by_whom="lin", now=START
            )
            raise ZeroDivisionError
        assert plans.current(conn, "ada").version == 0
        assert conn.execute("SELECT count(*) FROM stream.inbox").fetchone() == (0,)
        made, _ = plans.activate(
            conn, Plan(patient="ada", limits={"no_data_s": 120.0}, team=TEAM), ALL_TRIED, by_whom="lin", now=START
        )
        assert plans.current(conn, "ada") == made
        assert conn.execute("SELECT body ->> 'plan_version' FROM stream.inbox").fetchone() == ("1",)
        with pytest.raises(plans.PlanOutdated):
            plans.activate(conn, Plan(patient="ada", team=TEAM), ALL_TRIED, by_whom="bea", now=START)
