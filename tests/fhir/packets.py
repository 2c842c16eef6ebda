"""Packets of several people: full, empty, unknown, Chinese; made without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from alerts.course import heard, raised
from alerts.overview import what
from alerts.plan import Plan
from alerts.policy import tier_of
from alerts.reason import reason_of
from alerts.record import Contact, Record, Vital
from alerts.strip_svg import Tracing
from api import entries
from api.entries import LISTS, Entries, Entry
from api.packet import Case, Packet
from stream.finding import Condition
from stream.recording import MISSING
from tests.alerts.desk import START, finding

SNOMED = "http://snomed.info/sct"
LISTED: Entries = {
    "problems": (
        Entry(text="Ischaemic heart disease", system=SNOMED, code="414545008", display="Ischemic heart disease",
              onset="2019-05", status="active", certainty="confirmed"),
        Entry(text="Hypertension & <more>"),
    ),
    "medication": (Entry(text="Bisoprolol 5 mg", dose="one in the morning", onset="2021"), Entry(text="Ramipril 5 mg")),
    "allergies": (
        Entry(text="Penicillin", system=SNOMED, code="764146007", display="Penicillin", reaction="anaphylaxis",
              criticality="high", certainty="confirmed", onset="2009"),
    ),
    "implants": (Entry(text="Coronary stent, LAD", system=SNOMED, code="705643001", onset="2021"),),
    "directives": (Entry(text="Resuscitate: yes. Intubate: yes."),),
}  # fmt: skip
VITALS = (
    Vital(kind="blood_pressure", values={"systolic_mmhg": 162.0, "diastolic_mmhg": 59.0, "mean_arterial_mmhg": None,
          "pulse_bpm": 74.0}, at=START - timedelta(hours=5)),
    Vital(kind="glucose", values={"glucose_mg_dl": 132.0}, at=START - timedelta(minutes=4)),
    Vital(kind="heart_rate", values={"rate_bpm": 74.5}, at=START - timedelta(seconds=2), flags=("detector", "vt")),
    Vital(kind="oxygen_saturation", values={"spo2_percent": None, "pulse_bpm": None}, at=START, flags=("no_contact",)),
)  # fmt: skip
FULL = Record(
    patient="ada", name="Ada Sampleton", birth_date="1955-03-09", sex="female", language="en",
    address="12 Example Lane, flat 3, Demotown", door_code="4711 #", phones=("+44 1632 960003",), blood_group="A Rh+",
    contacts=(Contact(name="Cleo Sampleton", relation="daughter", phone="+44 1632 960001", has_key=True),),
    vitals=VITALS,
)  # fmt: skip
CHINESE = {
    "problems": (Entry(text="冠心病"), Entry(text="2型糖尿病")), "medication": (Entry(text="阿司匹林 100毫克", dose="每日一次"),),
    "allergies": (Entry(text="青霉素", reaction="过敏性休克", criticality="high"),), "implants": (), "directives": None,
}  # fmt: skip


def told(record: Record, listed: Entries) -> Record:
    """The record with the words of its lists, as the roster gives it."""
    return replace(record, **{name: entries.words(some) for name, some in listed.items() if some is not None})


def tracing(**changes: Any) -> Tracing:
    """30 s of something, with a hole."""
    samples = (600 * np.sin(np.arange(130 * 30) / 9)).astype(np.int16)
    samples[500:700] = MISSING
    made = Tracing(samples=samples, rate_hz=130.0, from_at=START - timedelta(seconds=10), lead="I", onset_s=10.0,
                   condition="vt", words="ventricular tachycardia 室性心动过速", is_of_lead=True)  # fmt: skip
    return replace(made, **changes)


def case(condition: Condition = Condition.VT_SUSTAINED) -> Case:
    """An emergency that is sounding."""
    found = replace(finding(condition), evidence={"rate_bpm": 201.0, "beats": 10})
    plan = Plan(patient="ada")
    alert = raised(found, tier_of(found, plan), plan, START).alert
    episode = heard(found)
    return Case(alert=alert, episode=episode, what=what(condition), reason=reason_of(alert, alert.tier, episode, START))


def packets() -> dict[str, Packet]:
    """By name."""
    nothing = dict.fromkeys(LISTS)
    return {
        "full": Packet(at=START, record=told(FULL, LISTED), entries=LISTED, case=case(), tracing=tracing()),
        "af": Packet(at=START, record=told(FULL, LISTED), entries=LISTED, case=case(Condition.AF),
                     tracing=tracing(lead="MLII", samples=np.full(130 * 30, MISSING, np.int16))),
        "glucose": Packet(at=START, record=told(FULL, LISTED), entries=LISTED, case=case(Condition.GLUCOSE_CRITICAL_LOW)),
        "none": Packet(at=START, record=Record(patient="otto", name="Otto Specimen", birth_date="1960", sex="male"),
                       entries=dict.fromkeys(LISTS, ())),
        "unknown": Packet(at=START, record=Record(patient="x"), entries=nothing, case=case(Condition.VF)),
        "chinese": Packet(at=START, entries=CHINESE, tracing=tracing(), case=case(), record=told(Record(
            patient="wei", name="样本伟", birth_date="1952-01-05", sex="male", language="zh", address="长安街1号", vitals=VITALS,
        ), CHINESE)),
    }  # fmt: skip
