"""Bundles as a hospital might send them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

SNOMED = "http://snomed.info/sct"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
OURS = {"reference": "urn:uuid:ada"}


def coded(code: str, display: str, system: str = SNOMED) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def status(code: str, system: str = CLINICAL) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def condition(code: str, display: str, clinical: str = "active", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": status(clinical),
        "code": coded(code, display),
        "subject": OURS,
    } | more


def allergy(code: str, display: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "clinicalStatus": status("active", ALLERGY), "code": coded(code, display),
            "patient": OURS} | more  # fmt: skip


def drug(text: str, state: str = "active", **more: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationStatement", "status": state, "subject": OURS,
            "medicationCodeableConcept": {"text": text}} | more  # fmt: skip


PATIENT: dict[str, Any] = {
    "resourceType": "Patient", "id": "ada", "gender": "female", "birthDate": "1955-03-09",
    "name": [{"use": "old", "family": "Former"}, {"use": "official", "family": "Sampleton", "given": ["Ada"]}],
    "telecom": [{"system": "phone", "value": "+44 1632 960003"}, {"system": "email", "value": "ada@sample.example"}],
    "address": [{"use": "home", "line": ["1 Sample Street"], "city": "Sampleton"}],
    "communication": [{"language": {"coding": [{"code": "en-GB"}]}, "preferred": True}],
}  # fmt: skip
CONTENTS: list[dict[str, Any]] = [
    PATIENT,
    condition("38341003", "Hypertension", onsetDateTime="2011-05-02"),
    condition("195967001", "Asthma", "resolved"),
    allergy("91936005", "Penicillin", criticality="high",
            reaction=[{"manifestation": [{"text": "anaphylaxis"}], "onset": "2009-02-03"}]),
    drug("Bisoprolol 5 mg", dosage=[{"text": "1 in the morning"}]),
    drug("Warfarin", "stopped"),
    {"resourceType": "Device", "id": "stent", "type": {"text": "Coronary stent"}, "status": "active"},
    {"resourceType": "DeviceUseStatement", "status": "active", "subject": OURS, "device": {"reference": "Device/stent"},
     "timingDateTime": "2021-03", "bodySite": {"text": "LAD"}},
    {"resourceType": "RelatedPerson", "id": "cleo", "patient": OURS, "name": [{"text": "Cleo Sampleton"}],
     "relationship": [{"text": "daughter"}], "telecom": [{"system": "phone", "value": "+44 1632 960001"}],
     "extension": [{"url": "urn:tierwatch:has-key", "valueBoolean": True}]},
    {"resourceType": "Practitioner", "id": "lin", "name": [{"prefix": ["Dr"], "family": "Lin"}],
     "telecom": [{"system": "phone", "value": "+44 1632 960009"}]},
    {"resourceType": "CareTeam", "status": "active", "subject": OURS,
     "participant": [{"role": [{"text": "family doctor"}], "member": {"reference": "Practitioner/lin"}},
                     {"member": {"reference": "RelatedPerson/cleo"}}]},
    {"resourceType": "Observation", "status": "final", "subject": OURS,
     "code": coded("882-1", "ABO and Rh group", "http://loinc.org"), "valueCodeableConcept": {"text": "A positive"}},
    {"resourceType": "Consent", "status": "active", "patient": OURS, "scope": status("adr", "http://terminology.hl7.org/CodeSystem/consentscope"),
     "category": [{"text": "Do not resuscitate"}], "policyRule": {"text": "local"}},
    {"resourceType": "Immunization", "status": "completed", "patient": OURS, "vaccineCode": {"text": "Influenza"},
     "occurrenceDateTime": "2025-10-01"},
]  # fmt: skip


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    """A Bundle of these; of `CONTENTS` where none is given."""
    entries = [
        {"resource": one} | ({"fullUrl": "urn:uuid:ada"} if one.get("id") == "ada" else {})
        for one in deepcopy(list(resources) or CONTENTS)
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}
