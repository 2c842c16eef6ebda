"""The FHIR document of a packet: what it says, what it admits not to know, and that it says the same each time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.record import Record, Vital
from api.entries import LISTS, Entry
from api.fhir import summary
from api.packet import Packet
from tests.alerts.archive import store_ecg
from tests.alerts.desk import START
from tests.api.app_test import alert, client, keys
from tests.fhir.packets import packets, tracing

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

__all__ = ["alert", "client", "keys"]
PACKETS = packets()
Resource = dict[str, Any]


def _made(packet: Packet) -> Resource:
    made: Resource = json.loads(summary.document(packet))
    return made


def _all(bundle: Resource, kind: str) -> list[Resource]:
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def _sections(bundle: Resource) -> dict[str, Resource]:
    return {one["code"]["coding"][0]["code"]: one for one in _all(bundle, "Composition")[0]["section"]}


def test_what_a_hospital_coded_keeps_its_code() -> None:
    made = _made(PACKETS["full"])
    ill, high = _all(made, "Condition")
    assert ill["code"]["coding"][0]["code"] == "414545008"
    assert (ill["onsetDateTime"], ill["verificationStatus"]["coding"][0]["code"]) == ("2019-05", "confirmed")
    assert "coding" not in high["code"]  # words alone get no code of ours
    (allergy,) = _all(made, "AllergyIntolerance")
    assert (allergy["criticality"], allergy["reaction"][0]["manifestation"][0]["text"]) == ("high", "anaphylaxis")
    assert [one["dosage"][0]["text"] for one in _all(made, "MedicationStatement") if "dosage" in one] == [
        "one in the morning"
    ]
    assert _all(made, "DeviceUseStatement")[0]["timingDateTime"] == "2021"


def test_none_is_not_unknown() -> None:
    reasons = {
        name: [_sections(_made(PACKETS[name]))[code]["emptyReason"]["coding"][0]["code"] for code in
               ("11450-4", "10160-0", "48765-2", "46264-8")]
        for name in ("none", "unknown")
    }  # fmt: skip
    assert reasons == {"none": ["nilknown"] * 4, "unknown": ["unavailable"] * 4}
    (who,) = _all(_made(PACKETS["unknown"]), "Patient")
    assert "birthDate" not in who
    assert who["_birthDate"]["extension"][0]["valueCode"] == "unknown"


def test_no_value_is_never_a_number() -> None:
    by_code = {one["code"]["coding"][0]["code"]: one for one in _all(_made(PACKETS["full"]), "Observation")}
    spo2 = by_code["2708-6"]
    assert spo2["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert "valueQuantity" not in spo2
    assert [one["code"]["coding"][0]["code"] for one in by_code["85354-9"]["component"]] == [
        "8480-6",
        "8462-4",
        "8867-4",
    ]
    half = replace(PACKETS["none"], record=Record(patient="x", vitals=(
        Vital(kind="blood_pressure", values={"systolic_mmhg": float("nan"), "diastolic_mmhg": None}, at=START),)))  # fmt: skip
    (pressure,) = _all(_made(half), "Observation")
    assert [one["dataAbsentReason"]["coding"][0]["code"] for one in pressure["component"]] == ["not-a-number"] * 2


def test_the_strip_is_its_samples_and_a_gap_is_no_sample() -> None:
    (strip,) = [one for one in _all(_made(PACKETS["full"]), "Observation") if "valueSampledData" in one]
    data = strip["valueSampledData"]["data"].split(" ")
    samples = tracing().samples
    assert (len(data), set(data[500:700])) == (130 * 30, {"E"})
    assert (data[499], data[700]) == (str(samples[499]), str(samples[700]))
    assert strip["code"]["coding"][0]["code"] == "131329"
    assert abs(strip["valueSampledData"]["period"] * 130 - 1000) < 1e-6
    (dark,) = [one for one in _all(_made(PACKETS["af"]), "Observation") if "ECG" in one["code"]["text"]]
    assert dark["dataAbsentReason"]["coding"][0]["code"] == "error"


def test_an_algorithm_names_what_the_ecg_shows_never_the_disease() -> None:
    (issue,) = _all(_made(PACKETS["af"]), "DetectedIssue")
    codes = {one["code"] for one in issue["code"]["coding"]}
    assert "164889003" in codes
    assert "49436004" not in json.dumps(_made(PACKETS["af"]))
    assert issue["author"]["reference"] == next(
        one["fullUrl"] for one in _made(PACKETS["af"])["entry"] if one["resource"]["resourceType"] == "Device")  # fmt: skip


def test_the_same_packet_gives_the_same_bytes_and_every_reference_leads_somewhere() -> None:
    for packet in PACKETS.values():
        assert summary.document(packet) == summary.document(packet)
        made = _made(packet)
        there = [one["fullUrl"] for one in made["entry"]]
        assert len(there) == len(set(there))
        wanted = set(_references(made))
        assert wanted <= set(there)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [one for part in value.values() for one in _references(part)]
    return [one for part in value for one in _references(part)] if isinstance(value, list) else []


TEXT = st.text(max_size=20)
ENTRY = st.builds(Entry, text=TEXT, system=st.none() | TEXT, code=st.none() | TEXT, display=st.none() | TEXT,
                  onset=st.none() | TEXT, status=st.none() | TEXT, certainty=st.none() | TEXT,
                  criticality=st.none() | TEXT, reaction=st.none() | TEXT, dose=st.none() | TEXT)  # fmt: skip


@given(st.fixed_dictionaries({name: st.none() | st.lists(ENTRY, max_size=3).map(tuple) for name in LISTS}), TEXT)
def test_whatever_was_entered_the_models_take_it(listed: dict[str, tuple[Entry, ...] | None], name: str) -> None:
    record = Record(
        patient="x", name=name, birth_date=name, phones=(name,), address=name, blood_group=name, language="en"
    )
    made = _made(Packet(at=START, record=record, entries=listed))
    assert len(_all(made, "Condition")) == len(listed["problems"] or ())


def test_over_http_it_is_the_same_document_each_time(client: TestClient, alert: str, dsn: str) -> None:
    store_ecg(dsn, 500 * np.sin(np.arange(130 * 60) / 5), START - timedelta(seconds=30))
    client.put("/api/v1/patients/ada", json={"name": "Ada Sampleton", "problems": [], "allergies": ["Penicillin"]})
    told = client.get(f"/api/v1/alerts/{alert}/packet")
    assert (told.status_code, told.headers["content-type"]) == (200, "application/fhir+json")
    assert told.headers["cache-control"] == "private, no-store"
    assert told.content == client.get(f"/api/v1/alerts/{alert}/packet").content
    assert _sections(told.json())["48765-2"]["text"]["div"].count("Penicillin") == 1
    assert [one for one in _all(told.json(), "Observation") if "valueSampledData" in one]
    plain = client.get("/api/v1/patients/ada/summary").json()
    assert (_all(plain, "Flag"), _all(plain, "Patient")[0]["name"][0]["text"]) == ([], "Ada Sampleton")
    assert client.get(f"/api/v1/alerts/{alert}/packet", headers={"authorization": ""}).status_code == 401
    assert client.get("/api/v1/alerts/00000000-0000-0000-0000-000000000000/packet").status_code == 404
