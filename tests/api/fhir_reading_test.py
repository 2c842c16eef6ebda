"""A hospital's Bundle: what is taken, what is said not to be, and that a broken one is refused with every place."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.record import UNKNOWN, Contact, Record
from api.entries import LISTS, Entries, Entry
from api.fhir import merging, reading
from api.fhir.checking import Broken
from tests.api.hospital import (
    CONTENTS,
    OURS,
    PATIENT,
    VERIFIED,
    allergy,
    bundle,
    coded,
    condition,
    drug,
    status,
)  # fmt: skip

if TYPE_CHECKING:
    from api.fhir.merging import Merged

TODAY = date(2026, 12, 1)
EMPTY: Entries = dict.fromkeys(LISTS)
REFUTED = {"verificationStatus": status("refuted", VERIFIED)}
NO_ALLERGY = allergy("716186003", "No known allergy")


def merged(*resources: dict[str, Any], record: Record | None = None, entries: Entries | None = None) -> Merged:
    told = reading.read(bundle(*resources), TODAY)
    return merging.merge(record or Record(patient="ada"), entries or EMPTY, told)


def faults(given: object) -> dict[str, str]:
    with pytest.raises(Broken) as broken:
        reading.read(given, TODAY)
    return {one.at: one.why for one in broken.value.faults}


def words(found: Merged, name: str) -> list[str] | None:
    listed = found.entries[name]
    return None if listed is None else [one.words for one in listed]


def test_a_hospital_s_record_is_taken() -> None:
    found = merged()
    told = found.record
    assert (told.name, told.birth_date, told.sex, told.language) == ("Ada Sampleton", "1955-03-09", "female", "en-GB")
    assert (told.address, told.phones) == ("1 Sample Street, Sampleton", ("+44 1632 960003",))
    assert told.blood_group == "A positive"
    assert words(found, "problems") == ["Hypertension (2011-05-02)"]
    assert words(found, "allergies") == ["Penicillin: anaphylaxis, high risk (2009-02-03)"]
    assert words(found, "medication") == ["Bisoprolol 5 mg, 1 in the morning"]
    assert words(found, "implants") == ["Coronary stent, LAD (2021-03)"]
    assert words(found, "directives") == ["Do not resuscitate"]
    assert told.contacts == (
        Contact(name="Cleo Sampleton", relation="daughter", phone="+44 1632 960001", has_key=True),
        Contact(name="Dr Lin", relation="family doctor", phone="+44 1632 960009"),
    )


def test_codes_are_kept() -> None:
    (kept,) = merged(PATIENT, condition("38341003", "Hypertension")).entries["problems"] or ()
    assert (kept.system, kept.code, kept.status) == ("http://snomed.info/sct", "38341003", "active")


def test_what_is_not_taken_is_said() -> None:
    said = {(one.what, one.why) for one in merged().not_taken}
    assert {
        ("Asthma", "is resolved"),
        ("Warfarin", "is stopped"),
        ("Immunization", "is not part of the record"),
    } <= said
    severe = condition("38341003", "Hypertension", severity={"text": "severe"}, note=[{"text": "see letter"}])
    assert [one.why for one in merged(PATIENT, severe).not_taken] == ["without its note, severity"]


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (condition("195967001", "Asthma", "resolved"), "problems"),
        (condition("195967001", "Asthma", "inactive"), "problems"),
        (condition("195967001", "Asthma", "remission"), "problems"),
        (condition("195967001", "Asthma", **REFUTED), "problems"),
        (condition("195967001", "Asthma", verificationStatus=status("entered-in-error", VERIFIED)), "problems"),
        ({**condition("195967001", "Asthma", abatementDateTime="2020"), "clinicalStatus": None}, "problems"),
        (allergy("91936005", "Penicillin", **REFUTED), "allergies"),  # it was tested, and it is not so
        (drug("Warfarin", "entered-in-error"), "medication"),
        (drug("Warfarin", "not-taken"), "medication"),
        (drug("Warfarin", effectivePeriod={"end": "2026-11-30"}), "medication"),
        (drug("Warfarin", "intended"), "medication"),
    ],
)
def test_what_does_not_hold_is_never_shown_as_holding(resource: dict[str, Any], name: str) -> None:
    found = merged(PATIENT, {key: value for key, value in resource.items() if value is not None})
    assert found.entries[name] is None
    assert len(found.not_taken) == 1


def test_no_known_allergy_is_none_and_silence_is_unknown() -> None:
    assert merged(PATIENT).entries["allergies"] is None
    assert merged(PATIENT, NO_ALLERGY).entries["allergies"] == ()
    partly = merged(PATIENT, allergy("409137002", "No known drug allergy"))
    assert partly.entries["allergies"] is None  # latex was not asked about
    assert partly.not_taken


def test_none_never_removes_what_is_known() -> None:
    known = EMPTY | {"allergies": (Entry(text="Latex"),)}
    found = merged(PATIENT, NO_ALLERGY, entries=known)
    assert words(found, "allergies") == ["Latex"]
    assert any("remove them by hand" in one.why for one in found.not_taken)


def test_a_hospital_s_silence_removes_nothing_and_its_refutation_does() -> None:
    known = EMPTY | {"allergies": (Entry(text="Latex"), Entry(text="penicillin"))}
    assert words(merged(PATIENT, entries=known), "allergies") == ["Latex", "penicillin"]
    refuted = merged(PATIENT, allergy("91936005", "Penicillin", **REFUTED), entries=known)
    assert words(refuted, "allergies") == ["Latex"]
    (change,) = (one for one in refuted.changes if one["field"] == "allergies")
    assert change["removed"] == ["penicillin"]


def test_what_was_entered_by_hand_stays_and_gets_its_code() -> None:
    record = Record(
        patient="ada", door_code="4711", contacts=(Contact(name="Cleo Sampleton", phone="1", has_key=False),)
    )
    found = merged(record=record, entries=EMPTY | {"allergies": (Entry(text="penicillin"),)})
    assert found.record.door_code == "4711"
    assert words(found, "allergies") == ["Penicillin: anaphylaxis, high risk (2009-02-03)"]
    silent = merged(PATIENT, {"resourceType": "RelatedPerson", "patient": OURS, "name": [{"text": "Cleo Sampleton"}]},
                    record=record)  # fmt: skip
    assert silent.record.contacts == record.contacts


def changed(position: int, **more: Any) -> dict[str, Any]:
    made = bundle()
    resource = made["entry"][position]["resource"]
    for name, value in more.items():
        if value is None:
            del resource[name]
        else:
            resource[name] = value
    return made


R = "Bundle.entry[1].resource"


@pytest.mark.parametrize(
    ("given", "at", "why"),
    [
        ([], "Bundle", "a FHIR R4 Bundle is wanted"),
        ({"resourceType": "Patient"}, "Bundle", "a FHIR R4 Bundle is wanted"),
        (bundle(kind="history"), "Bundle.type", "is one of"),
        ({"resourceType": "Bundle", "type": "collection", "entry": []}, "Bundle.entry", "no entries"),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{}]}, "Bundle.entry[0].resource", "no resource"),
        (bundle(*CONTENTS[1:2]), "Bundle.entry", "no Patient"),
        (bundle(PATIENT, PATIENT | {"id": "otto"}), "Bundle.entry[1].resource", "second Patient"),
        (bundle(PATIENT, PATIENT), "Bundle.entry[1]", "same id"),
        (bundle(PATIENT, {"resourceType": "Nonsense"}), f"{R}.resourceType", "no resource of FHIR R4"),
        (changed(0, gender="femail"), "Bundle.entry[0].resource.gender", "is none of"),  # the models let it pass
        (changed(0, birthDate="9.3.1955"), "Bundle.entry[0].resource.birthDate", "is not written as FHIR writes a Date"),
        (changed(0, birthDate="2031-01-01"), "Bundle.entry[0].resource.birthDate", "lies in the future"),
        (changed(0, deceasedBoolean=True), "Bundle.entry[0].resource.deceased", "has died"),
        (changed(1, onsetDateTime="yesterday"), f"{R}.onsetDateTime", "is not written as FHIR writes a DateTime"),
        (changed(1, onset="2011"), f"{R}.onset", "no such element"),
        (changed(1, subject=None), f"{R}.subject", "is missing"),
        (changed(1, subject={"display": "Ada"}), f"{R}.subject", "not in the Bundle"),
        (changed(1, subject={"reference": "Patient/otto"}), f"{R}.subject", "not in the Bundle"),
        (changed(1, subject={"reference": "Practitioner/lin"}), f"{R}.subject", "not to the Patient"),
        (changed(1, clinicalStatus=status("activ")), f"{R}.clinicalStatus.coding[0].code", "is none of"),
        (changed(1, clinicalStatus={"text": "active"}), f"{R}.clinicalStatus", "has no coding"),
        (changed(1, verificationStatus=status("sure")), f"{R}.verificationStatus.coding[0].code", "is none of"),
        (changed(1, code=None), R, "neither words nor a code"),
        (changed(1, code={"text": "x" * 501}), R, "over 500 characters"),
        (changed(1, participant=[]), f"{R}.participant", "FHIR R5"),
        (changed(4, medication={"concept": {"text": "x"}}), "Bundle.entry[4].resource.medication", "FHIR R5"),
        (changed(4, taken="y"), "Bundle.entry[4].resource.taken", "FHIR STU3"),
        (changed(3, criticality="very"), "Bundle.entry[3].resource.criticality", "is none of"),
        (changed(7, device={"reference": "Device/else"}), "Bundle.entry[7].resource.device", "not in the Bundle"),
        (changed(10, participant=[{"member": {"reference": "Practitioner/no"}}]), "Bundle.entry[10].resource", "not in the"),
        (changed(11, valueCodeableConcept={}), "Bundle.entry[11].resource", "no value that is a blood group"),
        (bundle(PATIENT, NO_ALLERGY, CONTENTS[3]), R, "other entries tell some"),
    ],
)  # fmt: skip
def test_a_broken_one_is_refused_with_the_place(given: object, at: str, why: str) -> None:
    found = faults(given)
    assert at in found
    assert why in found[at]


def test_every_fault_is_told_and_nobody_s_data() -> None:
    broken = changed(0, gender="femail", birthDate="Secret")
    broken["entry"][1]["resource"]["onsetDateTime"] = "Secret"
    broken["entry"][3]["resource"]["patient"] = {"reference": "Patient/Secret"}
    found = faults(broken)
    assert set(found) >= {
        "Bundle.entry[0].resource.birthDate",
        "Bundle.entry[1].resource.onsetDateTime",
        "Bundle.entry[3].resource.patient",
    }
    assert "Secret" not in str(found)


@pytest.mark.parametrize(
    ("record", "at"),
    [
        (Record(patient="ada", birth_date="1960-01-01"), "Bundle.entry[0].resource.birthDate"),
        (Record(patient="ada", blood_group="0 negative"), "Bundle.entry[11].resource"),
    ],
)
def test_another_person_s_bundle_is_refused(record: Record, at: str) -> None:
    with pytest.raises(Broken) as broken:
        merged(record=record)
    assert [one.at for one in broken.value.faults] == [at]


def test_a_year_agrees_with_its_day_and_the_more_exact_stays() -> None:
    assert merged(record=Record(patient="ada", birth_date="1955")).record.birth_date == "1955-03-09"
    short = PATIENT | {"birthDate": "1955"}
    assert merged(short, record=Record(patient="ada", birth_date="1955-03-09")).record.birth_date == "1955-03-09"


TEXTS = st.sampled_from(["Asthma", "asthma", "AF", "Gout"])
KNOWN = st.none() | st.lists(
    st.builds(Entry, text=TEXTS, code=st.none() | st.sampled_from(["1", "2"]), system=st.just("s")), max_size=4
).map(tuple)  # fmt: skip
TOLD = st.lists(
    st.builds(
        lambda text, code, clinical: condition("1", "", clinical)
        | {"code": {"text": text} | ({"coding": [{"system": "s", "code": code}]} if code else {})},
        TEXTS, st.sampled_from(["1", "2", ""]), st.sampled_from(["active", "resolved"]),
    ),
    max_size=5,
)  # fmt: skip


@given(known=KNOWN, told=TOLD)
def test_the_same_bundle_twice_changes_nothing(known: tuple[Entry, ...] | None, told: list[dict[str, Any]]) -> None:
    once = merged(PATIENT, *told, entries=EMPTY | {"problems": known})
    again = merged(PATIENT, *told, record=once.record, entries=once.entries)
    assert again.changes == ()
    assert (again.record, again.entries) == (once.record, once.entries)


@given(at=st.integers(0, len(CONTENTS) - 1), name=st.sampled_from(["status", "code", "subject", "name", "gender"]),
       value=st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
       | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2))  # fmt: skip
def test_whatever_comes_it_is_taken_or_refused(at: int, name: str, value: Any) -> None:
    made = bundle()
    made["entry"][at]["resource"][name] = value
    with suppress(Broken):
        merging.merge(Record(patient="ada"), EMPTY, reading.read(made, TODAY))


def test_a_document_and_a_request_are_read_as_well() -> None:
    request = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": OURS,
               "contained": [{"resourceType": "Medication", "id": "m", "code": coded("1", "Ramipril 5 mg")}],
               "medicationReference": {"reference": "#m"}, "dosageInstruction": [{"text": "1 in the evening"}]}  # fmt: skip
    found = merging.merge(Record(patient="ada"), EMPTY, reading.read(bundle(PATIENT, request, kind="document"), TODAY))
    assert words(found, "medication") == ["Ramipril 5 mg, 1 in the evening"]
    forbidden = merged(PATIENT, request | {"doNotPerform": True})
    assert forbidden.entries["medication"] is None
    assert forbidden.record.blood_group == UNKNOWN
