"""A hospital's Bundle is looked at before anything is taken from it: structure, codes, whom each entry is of. Pure.

Every fault is told with its path, not only the first. Must never put a value of the Bundle into a message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Resource = dict[str, Any]

TYPES = frozenset({"collection", "transaction", "batch", "document", "searchset"})
"""Of Bundles that may hold a record."""
MOST_ENTRIES = 5_000
MOST_FAULTS = 200
_SHOWN = 3
"""Of the faults, in one sentence."""
_CONDITION = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
_VERIFIED = frozenset({"unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"})
CODES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Patient": {"gender": frozenset({"male", "female", "other", "unknown"})},
    "Condition": {"clinicalStatus": _CONDITION, "verificationStatus": _VERIFIED},
    "AllergyIntolerance": {
        "clinicalStatus": frozenset({"active", "inactive", "resolved"}),
        "verificationStatus": frozenset({"unconfirmed", "presumed", "confirmed", "refuted", "entered-in-error"}),
        "criticality": frozenset({"low", "high", "unable-to-assess"}),
    },
    "MedicationStatement": {
        "status": frozenset(
            ["active", "completed", "entered-in-error", "intended", "stopped", "on-hold", "unknown", "not-taken"]
        )
    },
    "MedicationRequest": {
        "status": frozenset(["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"])
    },
    "Device": {"status": frozenset({"active", "inactive", "entered-in-error", "unknown"})},
    "DeviceUseStatement": {
        "status": frozenset(["active", "completed", "entered-in-error", "intended", "stopped", "on-hold"])
    },
    "CareTeam": {"status": frozenset({"proposed", "active", "suspended", "inactive", "entered-in-error"})},
    "Consent": {"status": frozenset(["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"])},
    "Observation": {
        "status": frozenset(
            ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"]
        )
    },
}  # fmt: skip
"""Codes that FHIR binds as required, which the models let pass (hl7.org/fhir/R4, each resource's page)."""
REFERENCES: Mapping[str, tuple[str, ...]] = {
    "Condition": ("subject",),
    "AllergyIntolerance": ("patient",),
    "MedicationStatement": ("subject", "medicationReference"),
    "MedicationRequest": ("subject", "medicationReference"),
    "RelatedPerson": ("patient",),
    "CareTeam": ("subject",),
    "Device": ("patient",),
    "DeviceUseStatement": ("subject", "device"),
    "Consent": ("patient",),
    "Observation": ("subject",),
}
"""References that are followed: each must lead somewhere within the Bundle."""
WHOSE = frozenset({"subject", "patient"})
NEVER_WITHOUT = frozenset({"Condition", "AllergyIntolerance", "MedicationStatement", "MedicationRequest",
                           "RelatedPerson", "DeviceUseStatement", "CareTeam", "Consent"})  # fmt: skip
"""Nothing of these is taken unless it says whose it is."""
OTHER_VERSIONS: Mapping[str, Mapping[str, str]] = {
    "MedicationStatement": {"medication": "R5", "adherence": "R5", "taken": "STU3", "wasNotTaken": "DSTU2"},
    "MedicationRequest": {"medication": "R5", "informationSource": "R5", "context": "STU3"},
    "Condition": {"participant": "R5", "assertedDate": "STU3", "dateRecorded": "DSTU2"},
    "AllergyIntolerance": {"participant": "R5", "assertedDate": "STU3", "substance": "DSTU2"},
    "Device": {"biologicalSourceEvent": "R5", "name": "R5", "model": "STU3"},
    "DeviceUseStatement": {"whenUsed": "DSTU2"},
}
"""Elements by which another version of FHIR shows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where."""

    at: str
    """As `Bundle.entry[3].resource.onsetDateTime`."""
    why: str


class Broken(ValueError):
    """The Bundle is refused whole: nothing of it is taken before everything of it can be read."""

    def __init__(self, faults: list[Fault]) -> None:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        super().__init__("; ".join(f"{one.at}: {one.why}" for one in faults[:_SHOWN]) + more)
        self.faults = tuple(faults[:MOST_FAULTS])


@dataclass(frozen=True, slots=True)
class Found:
    """One resource, and where it stands."""

    at: str
    resource: Resource

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.resource["resourceType"])


@dataclass(slots=True)
class Contents:
    """The resources of a Bundle, by where they stand and by what refers to them."""

    found: list[Found] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    by_name: dict[str, Found] = field(default_factory=dict)

    def fault(self, at: str, why: str) -> None:
        """Note what is wrong, once a place."""
        if all(one.at != at for one in self.faults):
            self.faults.append(Fault(at, why))

    def of(self, kind: str) -> list[Found]:
        """All of one type."""
        return [one for one in self.found if one.kind == kind]

    def follow(self, one: Found, reference: Any) -> Found | None:
        """Where a reference leads, within the Bundle or into `contained`."""
        name = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(name, str):
            return None
        if name.startswith("#"):
            inner = one.resource.get("contained")
            for n, part in enumerate(inner if isinstance(inner, list) else ()):
                if part.get("id") == name[1:]:
                    return Found(f"{one.at}.contained[{n}]", part)
            return None
        name = name.partition("/_history/")[0]
        return self.by_name.get(name) or self.by_name.get("/".join(name.split("/")[-2:]))


def contents(bundle: object) -> Contents:
    """What is in a Bundle, with every fault of it. `faults` empty: it may be read."""
    found = Contents()
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        found.fault("Bundle", "a FHIR R4 Bundle is wanted: a JSON object with resourceType Bundle")
        return found
    if bundle.get("type") not in TYPES:
        found.fault("Bundle.type", f"is one of {', '.join(sorted(TYPES))}")
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        found.fault("Bundle.entry", "there are no entries")
        return found
    if len(entries) > MOST_ENTRIES:
        found.fault("Bundle.entry", f"over {MOST_ENTRIES} entries")
        return found
    for n, entry in enumerate(entries):
        _entry(found, f"Bundle.entry[{n}]", entry)
    _whose(found)
    return found


def _entry(found: Contents, at: str, entry: object) -> None:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(resource, dict):
        found.fault(f"{at}.resource", "there is no resource")
        return
    request = entry.get("request")
    if isinstance(request, dict) and request.get("method") not in {"POST", "PUT"}:
        found.fault(f"{at}.request.method", "only what is to be kept can be imported: POST or PUT")
    one = Found(f"{at}.resource", resource)
    if not isinstance(resource.get("resourceType"), str):
        found.fault(f"{one.at}.resourceType", "is missing")
        return
    names = [f"{one.kind}/{resource['id']}"] if isinstance(resource.get("id"), str) else []
    names += [entry["fullUrl"]] if isinstance(entry.get("fullUrl"), str) else []
    for name in names:
        if name in found.by_name:
            found.fault(at, "another entry has the same id or fullUrl")
        found.by_name[name] = one
    found.found.append(one)
    before = len(found.faults)
    found.faults += _of_version(one) or _of_structure(one)
    if len(found.faults) == before:
        found.faults += _of_codes(one)


def _of_version(one: Found) -> list[Fault]:
    other = OTHER_VERSIONS.get(one.kind, {})
    return [
        Fault(f"{one.at}.{name}", f"is of FHIR {other[name]}; FHIR R4 is wanted")
        for name in one.resource
        if name in other
    ]


def _of_structure(one: Found) -> list[Fault]:
    from fhir.resources.R4B import get_fhir_model_class  # 0.3 s: only whoever imports waits for it

    try:
        model: Any = get_fhir_model_class(one.kind)
    except ValueError:
        return [Fault(f"{one.at}.resourceType", "is no resource of FHIR R4")]
    try:
        model.model_validate(one.resource)
    except ValidationError as error:
        return [Fault(_path(one.at, part["loc"]), _why(part)) for part in error.errors()]
    return []


def _path(at: str, steps: tuple[int | str, ...]) -> str:
    return at + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _why(part: Any) -> str:
    said = str(part["msg"]).removeprefix("Value error, ")
    known = {"missing": "is missing", "extra_forbidden": "there is no such element in FHIR R4"}
    if part["type"] in known:
        return known[part["type"]]
    if "does not match spec regex" in said:
        return f"is not written as FHIR writes a {said.split(maxsplit=1)[0]}"
    return said[:1].lower() + said[1:] if part["type"] != "value_error" else said


def _of_codes(one: Found) -> Iterator[Fault]:
    for name, allowed in CODES.get(one.kind, {}).items():
        value = one.resource.get(name)
        if isinstance(value, dict):
            codings = value.get("coding") or []
            for n, coding in enumerate(codings):
                if coding.get("code") not in allowed:
                    yield Fault(f"{one.at}.{name}.coding[{n}].code", f"is none of {', '.join(sorted(allowed))}")
            if not codings:
                yield Fault(f"{one.at}.{name}", f"has no coding: one of {', '.join(sorted(allowed))} is wanted")
        elif value is not None and value not in allowed:
            yield Fault(f"{one.at}.{name}", f"is none of {', '.join(sorted(allowed))}")


def _whose(found: Contents) -> None:
    """Exactly one patient, and everything of a person is theirs."""
    patients = found.of("Patient")
    if not patients:
        found.fault("Bundle.entry", "there is no Patient")
        return
    for other in patients[1:]:
        found.fault(other.at, "a second Patient: one Bundle is of one person")
    for one in found.found:
        for name in REFERENCES.get(one.kind, ()):
            reference = one.resource.get(name)
            target = found.follow(one, reference)
            if reference is None:
                if name in WHOSE and one.kind in NEVER_WITHOUT:
                    found.fault(f"{one.at}.{name}", "does not say whose it is")
            elif target is None:
                found.fault(f"{one.at}.{name}", "refers to something that is not in the Bundle")
            elif name in WHOSE and target.kind != "Patient":
                found.fault(f"{one.at}.{name}", f"refers to a {target.kind}, not to the Patient")
            elif name in WHOSE and target is not patients[0] and len(patients) == 1:
                found.fault(f"{one.at}.{name}", "refers to another patient")
