"""The sentence that says why: with its numbers, since when, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Alert, Episode, State, Tier
from alerts.course import raised
from alerts.plan import Plan
from alerts.policy import tier_of
from alerts.reason import numbers, reason_of
from stream.finding import Condition
from tests.alerts.desk import START, finding


def alert_of(condition: Condition) -> Alert:
    plan, found = Plan(patient="ada"), finding(condition)
    return raised(found, tier_of(found, plan), plan, START).alert


def episode_of(evidence: dict[str, Any], **changes: Any) -> Episode:
    given = {"revision": 1, "present": True, "late": False, "withdrawn": False, "onset": START} | changes
    return Episode(episode=uuid4(), evidence=evidence, **given)


def test_an_emergency_in_one_sentence() -> None:
    said = reason_of(
        alert_of(Condition.VT_SUSTAINED), Tier.EMERGENCY, episode_of({"rate_bpm": 201.4, "seconds": 12.0}), START
    )
    assert said["en"] == (
        "EMERGENCY: sustained ventricular tachycardia since 08:00:00 UTC, 201 a minute, for 12 s; this can kill within minutes."
    )
    assert said["zh"] == "紧急：持续性室性心动过速，自08:00:00（UTC）起，每分钟201次，持续12秒；数分钟内可危及生命。"  # noqa: RUF001


@pytest.mark.parametrize(
    ("evidence", "english"),
    [
        ({"lowest_mg_dl": 36.0}, "lowest 36 mg/dL (2.0 mmol/L)"),  # both units, each with its own name
        ({"systolic_mmhg": 188.0, "diastolic_mmhg": 124.0}, "188/124 mmHg"),
        ({"systolic_mmhg": 188.0}, None),  # half a pressure is none
        ({"code": "chest_pain"}, "chest pain"),
        ({"code": "rm -rf"}, None),
        (
            {"rate_bpm": True, "beats": "5", "pause_s": float("nan"), "first_index": 7},
            None,
        ),  # nothing that is no number
    ],
)
def test_numbers_in_words(evidence: dict[str, Any], english: str | None) -> None:
    assert [one["en"] for one in numbers(evidence)] == ([english] if english else [])


def test_what_is_over_says_from_when_to_when_and_another_day_says_its_date() -> None:
    over = replace(alert_of(Condition.AF), state=State.LATCHED)
    ended = episode_of({}, present=False, end=START + timedelta(minutes=2))
    assert "from 08:00:00 to 08:02:00 UTC" in reason_of(over, Tier.DOCTOR, ended, START)["en"]
    assert "since 2026-11-24 08:00:00 UTC" in reason_of(over, Tier.DOCTOR, None, START + timedelta(days=1))["en"]


@given(
    evidence=st.dictionaries(
        st.sampled_from(["rate_bpm", "code", "lowest_mg_dl", "systolic_mmhg", "diastolic_mmhg", "x"]),
        st.one_of(st.floats(), st.integers(), st.text()),
    ),
    condition=st.sampled_from(Condition),
)
def test_whatever_the_evidence_it_is_one_sentence(evidence: dict[str, Any], condition: Condition) -> None:
    said = reason_of(alert_of(condition), Tier.TIP, episode_of(evidence), START)
    assert said["en"].startswith("Tip: ")
    assert said["en"].endswith(".")
    assert said["zh"].endswith("。")
