"""What a notice says, and to whom it says how much."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import EventType, Notice
from alerts.course import heard, raised
from alerts.escalation import due
from alerts.payload import LARGEST, Material, compose, wants_record
from alerts.plan import Plan
from alerts.policy import tier_of
from alerts.record import Contact, Record
from stream.finding import Condition
from tests.alerts.desk import START, finding

RECORD = Record(
    patient="ada", name="王秀英", address="Chang'an Jie 1", door_code="4711", allergies=("penicillin",), implants=(),
    contacts=(Contact(name="Li", phone="1"),),
)  # fmt: skip


def _material(condition: Condition, person: str, record: Record | None = RECORD) -> Material:
    plan = Plan(patient="ada")
    found = finding(condition)
    change = due(raised(found, tier_of(found, plan), plan, START).alert, START)
    notice = next(n for n in change.notices if n.to.person == person)
    return Material(alert=change.alert, notice=notice, episodes=(heard(found),), record=record)


def _said(material: Material) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(compose(material, START))
    return told


def test_dispatch_gets_everything_and_no_key_is_missing() -> None:
    record = _said(_material(Condition.VF, "dispatch"))["data"]["record"]
    assert set(record) == {one.name for one in fields(Record)}
    assert (record["name"], record["door_code"], record["medication"]) == ("王秀英", "4711", "unknown")
    assert record["implants"] == []  # none is not unknown


def test_the_doctor_gets_no_address() -> None:
    record = _said(_material(Condition.VF, "doctor"))["data"]["record"]
    assert record["name"] == "王秀英"
    assert "4711" not in json.dumps(record)
    assert "Chang" not in json.dumps(record)


@pytest.mark.parametrize(
    ("condition", "person"),
    [(Condition.VF, "patient"), (Condition.LEAD_OFF, "patient"), (Condition.DETECTOR_FAILED, "doctor")],
)
def test_patients_and_technical_alerts_carry_no_record(condition: Condition, person: str) -> None:
    material = _material(condition, person)
    assert not wants_record(material.alert, material.notice)
    assert "王秀英" not in compose(material, START).decode()


def test_a_patient_gets_plain_words_only() -> None:
    data = _said(_material(Condition.VF, "patient"))["data"]
    assert data["reason"]["zh"]
    assert not {"evidence", "times", "record"} & set(data)


def test_a_missing_record_is_said() -> None:
    data = _said(_material(Condition.VF, "dispatch", None))["data"]
    assert data["record"] is None
    assert data["record_status"].startswith("missing")


def test_it_says_why_in_both_languages_and_with_its_numbers() -> None:
    data = _said(_material(Condition.VF, "dispatch"))["data"]
    assert set(data["reason"]) == {"en", "zh"}
    assert data["evidence"]["rate_bpm"] == 250.0
    assert data["onset"] == START.isoformat().replace("+00:00", "Z")


def test_a_stand_down_says_how_it_ended_and_carries_no_record() -> None:
    material = _material(Condition.VF, "dispatch")
    notice: Notice = replace(material.notice, type=EventType.STOOD_DOWN)
    told = _said(replace(material, notice=notice))
    assert told["type"] == "alert.stood_down"
    assert "record" not in told["data"]


_LONG = st.lists(st.text(max_size=2000), max_size=400).map(tuple)


@given(problems=_LONG, medication=_LONG, contacts=st.integers(0, 400), name=st.text(max_size=30_000))
def test_it_fits_whatever_the_record_holds(
    problems: tuple[str, ...], medication: tuple[str, ...], contacts: int, name: str
) -> None:
    record = replace(
        RECORD, problems=problems, medication=medication, name=name or "x",
        contacts=tuple(Contact(name="y" * 200, relation="z" * 200) for _ in range(contacts)),
    )  # fmt: skip
    body = compose(_material(Condition.VF, "dispatch", record), START)
    assert len(body) <= LARGEST
    told = json.loads(body)["data"]["record"]
    assert told["address"] == RECORD.address  # where to go is never cut
    assert told["name"] != ""
