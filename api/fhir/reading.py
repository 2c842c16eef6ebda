"""A hospital's Bundle becomes what the roster keeps: all of it, or a refusal that names every fault. Pure.

What is recognised and not taken is told, never silently dropped. Must never show as holding what is over, refuted or
entered in error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.entries import Entry
from api.fhir import concepts, people
from api.fhir.checking import Broken, Contents, Found, contents
from api.fhir.told import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

LONGEST = 500
"""Characters of one text, as the form takes them."""
_NOT_YET = frozenset({"intended", "draft", "proposed"})
"""It does not hold, and says nothing of what does."""
_HOUSEKEEPING = frozenset(
    {"resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension", "identifier"}
)
_DATES = ("onsetDateTime", "abatementDateTime", "birthDate", "effectiveDateTime", "recordedDate", "timingDateTime")


def read(bundle: object, today: date) -> Reading:
    """What a Bundle says.

    Raises:
        Broken: something of it is wrong; each fault with its path.
    """
    found = contents(bundle)
    if found.faults:
        raise Broken(found.faults)
    reading = Reading(today=today)
    for one in found.found:
        take = _TAKEN.get(one.kind)
        if take is None:
            if one.kind not in _HELPERS:
                reading.skip(one, None, "is not part of the record")
            continue
        _dates(found, one, today)
        before = len(reading.not_taken)
        take(reading, found, one)
        if len(reading.not_taken) == before and (left := _left(one)):
            reading.skip(one, one.kind, f"without its {', '.join(left)}")
    _agree(reading, found)
    if found.faults:
        raise Broken(found.faults)
    return reading


def _left(one: Found) -> list[str]:
    said = {name.removeprefix("_").split("[", maxsplit=1)[0] for name in one.resource}
    return sorted(said - _HOUSEKEEPING - _USED[one.kind])


def _dates(found: Contents, one: Found, today: date) -> None:
    for name in _DATES:
        value = one.resource.get(name)
        if isinstance(value, str) and value[:10] > today.isoformat()[: len(value[:10])]:
            found.fault(f"{one.at}.{name}", "lies in the future")


# --- The lists --------------------------------------------------------------------------------------------------------


def _put(reading: Reading, found: Contents, one: Found, name: str, entry: Entry, over: str | None) -> None:
    """Into its list, or among what does not hold: `over` says why."""
    for part, value in (("text", entry.text), ("reaction", entry.reaction), ("dose", entry.dose)):
        if value and len(value) > LONGEST:
            found.fault(one.at, f"its {part} is over {LONGEST} characters")
    if over is None:
        reading.entries[name].append(entry)
    else:
        reading.over[name] |= {entry.same, Entry(text=entry.text).same}  # also as somebody wrote it by hand
        reading.skip(one, entry.text, over)


def _says_none(reading: Reading, one: Found, concept: Any, name: str) -> bool:
    """Whether this entry says that there is none, or that nobody knows."""
    codes = {part["code"] for part in concepts.codings(concept)}
    if concepts.none_of(concept) == name:
        reading.none.add(name)
        reading.places[f"no {name}"] = one.at
        return True
    if codes & (concepts.PARTLY_NONE | concepts.NOT_ASKED):
        reading.skip(one, concepts.text(concept), "is not about the whole list: it stays as it is")
        return True
    return False


def _entry(found: Contents, one: Found, concept: Any, **more: str | None) -> Entry | None:
    text, kept = concepts.text(concept), concepts.coding(concept)
    if text is None:
        found.fault(one.at, "has neither words nor a code: nobody could read what it is")
        return None
    return Entry(text=text, system=kept.get("system"), code=kept.get("code"), display=kept.get("display"), **more)


def _over(one: Found) -> str | None:
    """Why a problem or an allergy does not hold; None: it does."""
    certainty = concepts.code(one.resource.get("verificationStatus"))
    status = concepts.code(one.resource.get("clinicalStatus"))
    if certainty in {"entered-in-error", "refuted"}:
        return f"is {certainty}"
    if status in {"inactive", "resolved", "remission"}:
        return f"is {status}"
    if status is None and any(name.startswith("abatement") for name in one.resource):
        return "is over"
    return None


def _ended(reading: Reading, period: Mapping[str, Any]) -> str | None:
    end = concepts.day(period.get("end"))
    return "is over" if end and end < reading.today.isoformat()[: len(end)] else None


def _onset(one: Found) -> str | None:
    period = one.resource.get("onsetPeriod")
    return concepts.day(one.resource.get("onsetDateTime") or (period or {}).get("start"))


def _status(one: Found) -> dict[str, str | None]:
    return {
        "status": concepts.code(one.resource.get("clinicalStatus")),
        "certainty": concepts.code(one.resource.get("verificationStatus")),
        "onset": _onset(one),
    }


def _condition(reading: Reading, found: Contents, one: Found) -> None:
    concept, over = one.resource.get("code"), _over(one)
    if over is None and _says_none(reading, one, concept, "problems"):
        return
    if entry := _entry(found, one, concept, **_status(one)):
        _put(reading, found, one, "problems", entry, over)


def _allergy(reading: Reading, found: Contents, one: Found) -> None:
    reactions = one.resource.get("reaction") or ()
    concept = one.resource.get("code") or next((part["substance"] for part in reactions if part.get("substance")), None)
    over = _over(one)
    if over is None and _says_none(reading, one, concept, "allergies"):
        return
    seen = [said for part in reactions for said in map(concepts.text, part.get("manifestation") or ()) if said]
    first = min((day for part in reactions if (day := concepts.day(part.get("onset")))), default=None)
    status = _status(one)
    entry = _entry(
        found, one, concept,
        **status | {"onset": status["onset"] or first},
        criticality=one.resource.get("criticality"),
        reaction="; ".join(dict.fromkeys(seen)) or None,
    )  # fmt: skip
    if entry:
        _put(reading, found, one, "allergies", entry, over)


def _drug(found: Contents, one: Found) -> Any:
    if "medicationReference" in one.resource:
        target = found.follow(one, one.resource["medicationReference"])
        return target.resource.get("code") if target else None
    return one.resource.get("medicationCodeableConcept")


def _dose(doses: Any) -> str | None:
    told = []
    for dose in doses or ():
        quantity: dict[str, Any] = next(
            (part["doseQuantity"] for part in dose.get("doseAndRate") or () if "doseQuantity" in part), {}
        )
        amount = " ".join(str(quantity[name]) for name in ("value", "unit") if quantity.get(name) is not None)
        when = concepts.text((dose.get("timing") or {}).get("code"))
        words = dose.get("text") or dose.get("patientInstruction")
        told.append(words or ", ".join(part for part in (amount, when) if part))
    return " ".join("; ".join(part for part in told if part).split()) or None


def _medication(reading: Reading, found: Contents, one: Found) -> None:
    concept, status = _drug(found, one), one.resource.get("status")
    if _says_none(reading, one, concept, "medication"):
        return
    if status in _NOT_YET or one.resource.get("doNotPerform") not in {None, False}:
        reading.skip(one, concepts.text(concept), "is not given" if status not in _NOT_YET else f"is {status}")
        return
    period = one.resource.get("effectivePeriod") or {}
    over = _ended(reading, period) if status in {"active", "unknown"} else f"is {status}"
    doubt = "unconfirmed" if status == "unknown" else None
    doses = one.resource.get("dosage") or one.resource.get("dosageInstruction")
    since = concepts.day(one.resource.get("effectiveDateTime") or period.get("start"))
    if entry := _entry(found, one, concept, status=status, certainty=doubt, onset=since, dose=_dose(doses)):
        _put(reading, found, one, "medication", entry, over)


def _device_entry(found: Contents, one: Found, device: Found, since: str | None, site: str | None) -> Entry | None:
    named = [part["name"] for part in device.resource.get("deviceName") or () if part.get("name")]
    concept = device.resource.get("type") or {}
    words = concepts.text(concept) or (named[0] if named else None)
    words = f"{words}, {site}" if words and site else words
    return _entry(found, one, {**concept, "text": words}, status="active", onset=since)


def _implant(reading: Reading, found: Contents, one: Found) -> None:
    """A use of a device; what is put into the body is told to whoever comes."""
    device = found.follow(one, one.resource["device"])
    if device is None:
        return
    if _says_none(reading, one, device.resource.get("type"), "implants"):
        return
    status = one.resource.get("status")
    period = one.resource.get("timingPeriod") or {}
    since = concepts.day(one.resource.get("timingDateTime") or period.get("start"))
    if status in _NOT_YET:
        reading.skip(one, concepts.text(device.resource.get("type")), f"is {status}")
        return
    over = _ended(reading, period) or _gone(device) if status == "active" else f"is {status}"
    if entry := _device_entry(found, one, device, since, concepts.text(one.resource.get("bodySite"))):
        _put(reading, found, one, "implants", entry, over)


def _gone(device: Found) -> str | None:
    status = device.resource.get("status")
    return f"is {status}" if status in {"inactive", "entered-in-error"} else None


def _device(reading: Reading, found: Contents, one: Found) -> None:
    if any(found.follow(use, use.resource.get("device")) is one for use in found.of("DeviceUseStatement")):
        return
    if one.resource.get("patient") is None:
        reading.skip(one, concepts.text(one.resource.get("type")), "does not say whose it is")
        return
    if _says_none(reading, one, one.resource.get("type"), "implants"):
        return
    if entry := _device_entry(found, one, one, None, None):  # when it was made is not when it was put in
        _put(reading, found, one, "implants", entry, _gone(one))


def _consent(reading: Reading, found: Contents, one: Found) -> None:
    if concepts.code(one.resource.get("scope")) != "adr":
        reading.skip(one, concepts.text(one.resource.get("scope")), "is no advance directive")
        return
    status = one.resource.get("status")
    if status in _NOT_YET:
        reading.skip(one, None, f"is {status}")
        return
    concept = next(iter(one.resource.get("category") or ()), None)
    if entry := _entry(found, one, concept, status=status, onset=concepts.day(one.resource.get("dateTime"))):
        _put(reading, found, one, "directives", entry, None if status == "active" else f"is {status}")


def _observation(reading: Reading, found: Contents, one: Found) -> None:
    kinds = {
        part["code"] for part in concepts.codings(one.resource.get("code")) if part.get("system") == concepts.LOINC
    }
    if not kinds & {concepts.ABO_AND_RH, concepts.ABO, concepts.RH}:
        reading.skip(one, concepts.text(one.resource.get("code")), "is not part of the record")
        return
    if one.resource.get("status") not in {"final", "amended", "corrected"}:
        reading.skip(one, "blood group", f"is {one.resource.get('status')}")
        return
    if one.resource.get("subject") is None:
        found.fault(f"{one.at}.subject", "does not say whose blood group it is")
    value = one.resource.get("valueString") or concepts.text(one.resource.get("valueCodeableConcept"))
    if not value or len(value) > 20:  # noqa: PLR2004 - as the form
        found.fault(one.at, "has no value that is a blood group")
        return
    name = "blood_group" if concepts.ABO_AND_RH in kinds else "abo" if concepts.ABO in kinds else "rh"
    reading.places["blood_group"] = one.at
    if reading.told.setdefault(name, value) != value:
        found.fault(one.at, "another entry tells another blood group")


def _agree(reading: Reading, found: Contents) -> None:
    """What stands in one list holds together."""
    abo, rh = reading.told.pop("abo", None), reading.told.pop("rh", None)
    if abo and "blood_group" not in reading.told:
        reading.told["blood_group"] = f"{abo} {rh}" if rh else abo
    for name, value in reading.told.items():
        if len(value) > LONGEST:
            found.fault(reading.places.get(name, "Bundle"), f"{name} is over {LONGEST} characters")
    for name, listed in reading.entries.items():
        coded = {Entry(text=entry.text).same for entry in listed if entry.code}
        once = {entry.same: entry for entry in reversed(listed) if entry.same not in coded}
        reading.entries[name] = list(reversed(once.values()))
        reading.over[name] -= once.keys()
        if listed and name in reading.none:
            found.fault(reading.places[f"no {name}"], f"says that there are no {name}; other entries tell some")
    reading.contacts = list({(one.name.casefold(), one.relation): one for one in reading.contacts}.values())


_TAKEN: Mapping[str, Callable[[Reading, Contents, Found], None]] = {
    "Patient": people.patient,
    "RelatedPerson": people.related,
    "CareTeam": people.team,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "MedicationStatement": _medication,
    "MedicationRequest": _medication,
    "DeviceUseStatement": _implant,
    "Device": _device,
    "Consent": _consent,
    "Observation": _observation,
}
_HELPERS = frozenset({"Practitioner", "PractitionerRole", "Organization", "Medication", "Composition"})
"""They are read through what refers to them."""
_SAYS = {"subject", "patient", "clinicalStatus", "verificationStatus", "code", "onsetDateTime", "onsetPeriod"}
_ORDER = {"status", "subject", "medicationReference", "medicationCodeableConcept", "effectiveDateTime", "dosage"}
_USED: Mapping[str, frozenset[str]] = {
    name: frozenset(used)
    for name, used in {
        "Patient": {"active", "name", "telecom", "gender", "birthDate", "address", "communication", "contact",
                    "generalPractitioner", "deceasedBoolean"},
        "RelatedPerson": {"active", "patient", "relationship", "name", "telecom", "communication"},
        "CareTeam": {"status", "subject", "participant", "name"},
        "Condition": _SAYS | {"category"},
        "AllergyIntolerance": _SAYS | {"criticality", "reaction", "type", "category"},
        "MedicationStatement": _ORDER | {"effectivePeriod"},
        "MedicationRequest": _ORDER | {"intent", "dosageInstruction", "doNotPerform"},
        "DeviceUseStatement": {"status", "subject", "device", "timingDateTime", "timingPeriod", "bodySite"},
        "Device": {"status", "patient", "type", "deviceName"},
        "Consent": {"status", "scope", "patient", "category", "dateTime"},
        "Observation": {"status", "category", "code", "subject", "valueString", "valueCodeableConcept"},
    }.items()
}  # fmt: skip
"""Elements that something is made of; any other is told as not taken."""
