"""What a notice says, and to whom it says how much."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.alert import EventType, Notice
from alerts.carrying import Carried, Status
from alerts.catalogue import for_clinic, for_patient
from alerts.course import heard, raised
from alerts.delivery.letter import letter
from alerts.delivery.outcome import Message
from alerts.escalation import due
from alerts.ladder import Addressee, Role
from alerts.payload import LARGEST, LAST, Material, compose, wants_record
from alerts.plan import DEFAULT_TEAM, Plan
from alerts.policy import tier_of
from alerts.record import UNKNOWN, WITHHELD, Contact, Record, Vital
from alerts.words_technical import BY_CAUSE
from stream.finding import Condition
from tests.alerts.desk import START, finding

RECORD = Record(
    patient="ada", name="王秀英", language="zh", address="Chang'an Jie 1", position="39.9, 116.4", door_code="4711",
    allergies=("penicillin",), implants=(), contacts=(Contact(name="Li", phone="1"),),
)  # fmt: skip
STRIP = "<svg>strip</svg>"
WHOLE = Carried(record=RECORD, record_status=Status.COMPLETE, strip=STRIP, strip_status=Status.COMPLETE)
DAUGHTER = Addressee(person="mei", channel="log", address="mei", role=Role.FAMILY)


def _material(condition: Condition, person: str, carried: Carried = WHOLE) -> Material:
    plan = Plan(patient="ada", team=(*DEFAULT_TEAM, DAUGHTER))
    found = finding(condition)
    change = due(raised(found, tier_of(found, plan), plan, START).alert, START)
    notice = next(n for n in change.notices if n.to.person == person)
    return Material(alert=change.alert, notice=notice, episodes=(heard(found),), carried=carried)


def _said(material: Material) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(compose(material, START))
    return told


def test_dispatch_gets_everything_and_no_key_is_missing() -> None:
    data = _said(_material(Condition.VF, "dispatch"))["data"]
    record = data["record"]
    assert set(record) == {one.name for one in fields(Record)}
    assert (record["name"], record["door_code"], record["medication"]) == ("王秀英", "4711", "unknown")
    assert record["implants"] == []  # none is not unknown
    assert (data["record_status"], data["strip_status"], data["strip"], data["cut"]) == (
        "complete",
        "complete",
        STRIP,
        {},
    )
    assert data["language"] == "zh"


def test_the_doctor_gets_no_address() -> None:
    material = _material(Condition.VF, "doctor")
    record = _said(material)["data"]["record"]
    assert record["name"] == "王秀英"
    assert {record["address"], record["position"], record["door_code"]} == {WITHHELD}
    assert not any(secret in compose(material, START).decode() for secret in ("4711", "Chang", "116.4"))
    assert _said(material)["data"]["strip"] == STRIP


@pytest.mark.parametrize(
    ("condition", "person"),
    [
        (Condition.VF, "patient"),
        (Condition.VF, "mei"),
        (Condition.LEAD_OFF, "patient"),
        (Condition.DETECTOR_FAILED, "doctor"),
    ],
)
def test_patients_families_and_technical_alerts_carry_no_record(condition: Condition, person: str) -> None:
    material = _material(condition, person)
    assert not wants_record(material.alert, material.notice)
    sent = compose(material, START).decode()
    assert "王秀英" not in sent
    assert "<svg" not in sent


@pytest.mark.parametrize("condition", [Condition.VF, Condition.GLUCOSE_LOW, Condition.ECTOPY, Condition.LEAD_OFF])
def test_a_patient_gets_plain_words_and_what_to_do_only(condition: Condition) -> None:
    data = _said(_material(condition, "patient"))["data"]
    assert data["reason"] == for_patient(condition).what
    assert data["what_to_do"] == for_patient(condition).steps()
    assert not {"evidence", "times", "record", "strip", "condition_name", "what_it_is"} & set(data)


def test_the_family_is_told_whom_it_is_about() -> None:
    data = _said(_material(Condition.VF, "mei"))["data"]
    assert "whom you look after" in data["about"]["en"]
    assert "about" not in _said(_material(Condition.VF, "patient"))["data"]


def test_the_dispatcher_reads_what_it_is_and_what_is_usually_done() -> None:
    data = _said(_material(Condition.VF, "dispatch"))["data"]
    assert data["what_it_is"] == for_clinic(Condition.VF).what
    assert data["what_to_do"] == for_clinic(Condition.VF).steps()
    assert data["condition_name"]["zh"] == "心室颤动"


def test_a_missing_record_is_said_and_every_key_is_there_all_the_same() -> None:
    data = _said(_material(Condition.VF, "dispatch", Carried(strip=STRIP, strip_status=Status.COMPLETE)))["data"]
    assert data["record_status"].startswith("missing")
    assert set(data["record"]) == {one.name for one in fields(Record)}
    assert {value for name, value in data["record"].items() if name != "patient"} == {UNKNOWN}
    assert data["strip"] == STRIP


@pytest.mark.parametrize("status", [Status.LATE, Status.FAILED, Status.NONE])
def test_a_missing_strip_is_said_and_the_record_goes_all_the_same(status: Status) -> None:
    data = _said(_material(Condition.VF, "dispatch", replace(WHOLE, strip=None, strip_status=status)))["data"]
    assert (data["strip"], data["strip_status"]) == (UNKNOWN, status)
    assert data["record"]["name"] == "王秀英"


def test_it_says_why_in_both_languages_and_with_its_numbers() -> None:
    data = _said(_material(Condition.VF, "dispatch"))["data"]
    assert data["reason"]["en"].startswith("EMERGENCY: ventricular fibrillation since 08:00:00 UTC, 250 a minute; ")
    assert data["reason"]["zh"].startswith("紧急：心室颤动，自08:00:00（UTC）起，每分钟250次；")  # noqa: RUF001
    assert data["evidence"]["rate_bpm"] == 250.0
    assert data["onset"] == START.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("person", ["dispatch", "patient"])
def test_a_stand_down_says_how_it_ended_carries_no_record_and_asks_nothing(person: str) -> None:
    material = _material(Condition.VF, person)
    notice: Notice = replace(material.notice, type=EventType.STOOD_DOWN)
    told = _said(replace(material, notice=notice))
    assert told["type"] == "alert.stood_down"
    assert not {"record", "strip"} & set(told["data"])
    assert told["data"]["what_to_do"]["en"] in ([], ["You need to do nothing.", for_patient(Condition.AF).do[-1]["en"]])


_TEXT = st.one_of(st.text(max_size=60), st.text(max_size=60).map(lambda text: text * 60), st.just("\x01" * 700))
_LISTED = st.one_of(st.just(UNKNOWN), st.lists(_TEXT, max_size=120).map(tuple))
_RECORDS = st.builds(
    Record, patient=st.just("ada"), name=_TEXT, birth_date=_TEXT, sex=_TEXT, language=_TEXT, address=_TEXT, position=_TEXT,
    door_code=_TEXT, phones=_LISTED, problems=_LISTED, medication=_LISTED, allergies=_LISTED, blood_group=_TEXT,
    implants=_LISTED, directives=_LISTED,
    contacts=st.lists(st.builds(Contact, name=_TEXT, relation=_TEXT, phone=_TEXT), max_size=30).map(tuple),
    vitals=st.lists(
        st.builds(Vital, kind=_TEXT, values=st.dictionaries(_TEXT, st.floats(), max_size=40), at=st.just(START)), max_size=9
    ).map(tuple),
)  # fmt: skip


_WORST = "\x01" * 700  # six bytes a character, in JSON
_LISTS = dict.fromkeys(("phones", "problems", "medication", "allergies", "implants", "directives"), (_WORST,) * 120)
_TEXTS = dict.fromkeys(
    ("name", "birth_date", "sex", "language", "address", "position", "door_code", "blood_group"), _WORST
)
WORST = Record(
    patient="ada", **_TEXTS, **_LISTS, contacts=(Contact(name=_WORST, relation=_WORST, phone=_WORST),) * 30,
    vitals=(Vital(kind=_WORST, values=dict.fromkeys(map(str, range(40)), 1.0), at=START, flags=(_WORST,) * 40),) * 9,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@example(record=WORST, strip="<svg>" + "s" * 11_990, person="dispatch", evidence={_WORST: _WORST}, why=_WORST)
@given(
    record=st.one_of(st.none(), _RECORDS),
    strip=st.one_of(st.none(), st.integers(1, 12_000).map(lambda size: "<svg>" + "\u5fc3" * (size // 3))),
    person=st.sampled_from(["dispatch", "doctor", "patient", "mei"]),
    evidence=st.dictionaries(_TEXT, st.one_of(_TEXT, st.floats(), st.integers(-(2**63), 2**63)), max_size=60),
    why=_TEXT,
)
def test_any_record_and_any_strip_fit_into_one_message_with_all_keys(
    record: Record | None, strip: str | None, person: str, evidence: dict[str, Any], why: str
) -> None:
    material = _material(Condition.VF, person, Carried(record=record, strip=strip))
    episode = replace(material.episodes[0], evidence=evidence)
    body = compose(replace(material, episodes=(episode,), why=why), START)
    assert len(body) <= LARGEST
    data = json.loads(body)["data"]
    if person in {"patient", "mei"}:
        assert "record" not in data
        return
    assert set(data["record"]) == {one.name for one in fields(Record)}
    assert {"strip", "strip_status", "record_status", "language", "cut", "reason", "what_to_do"} <= set(data)
    whole = record or Record(patient="ada")
    for name in LAST - {"address", "position", "door_code", "patient"}:
        _is_kept(getattr(whole, name), data["record"][name], data["cut"].get(name))
    for name in set(data["record"]) - LAST:
        given = getattr(whole, name)
        if isinstance(given, tuple) and len(given) and name not in data["cut"]:
            assert len(data["record"][name]) == len(given)


def _is_kept(whole: Any, sent: Any, cut: str | None) -> None:
    """The first of it is there, and what is not there is named."""
    if isinstance(whole, str):
        assert sent == whole if cut is None else whole.startswith(sent) and len(sent) >= 60
        return
    assert len(sent) >= min(len(whole), 8)
    assert cut is not None or list(whole) == sent


def test_what_is_cut_is_named_and_what_saves_a_life_goes_last() -> None:
    record = replace(
        RECORD,
        problems=tuple(f"problem {n} " * 40 for n in range(50)),
        allergies=tuple(f"allergy {n}" for n in range(8)),
    )
    large = replace(WHOLE, record=record, strip="<svg>" + "s" * 11_900)
    data = _said(_material(Condition.VF, "dispatch", large))["data"]
    assert data["record_status"].startswith("shortened")
    assert data["cut"]["problems"] == "8 of 50"
    assert data["record"]["allergies"] == list(record.allergies)
    assert data["record"]["address"] == RECORD.address
    assert (data["strip"], data["strip_status"]) == (large.strip, "complete")


def test_a_letter_shows_the_steps_in_both_languages_and_tells_the_family_whom_it_is_about() -> None:
    material = _material(Condition.GLUCOSE_CRITICAL_LOW, "mei")
    notice = material.notice
    message = Message(
        notice=notice.notice, type=notice.type, person="mei", address="mei@example.org", tier=notice.tier, at=START,
        body=compose(material, START),
    )  # fmt: skip
    written = letter(message, "tierwatch@example.org").get_body(("plain",))
    assert written is not None
    text = written.get_content()
    assert "This is about the person whom you look after." in text
    assert "Eat or drink something with sugar now" in text
    assert "请立即进食含糖食物" in text


@pytest.mark.parametrize("person", ["patient", "mei"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_why_a_device_is_silent_is_the_first_step_for_whoever_is_told(person: str, language: str) -> None:
    material = _material(Condition.NO_DATA, person)
    (silent,) = material.episodes
    known = replace(material, episodes=(replace(silent, evidence={**silent.evidence, "cause": "battery_empty"}),))
    usual = _said(material)["data"]["what_to_do"][language]
    assert _said(known)["data"]["what_to_do"][language] == [BY_CAUSE["battery_empty"][language], *usual]
