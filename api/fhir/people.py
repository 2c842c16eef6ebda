"""The person of a Bundle, and whom to call about them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alerts.record import UNKNOWN, Contact
from api.fhir import concepts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.fhir.checking import Contents, Found
    from api.fhir.told import Reading

HAS_KEY = "urn:tierwatch:has-key"
"""Extension of a RelatedPerson, valueBoolean: whether they can open the door."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_DEATH = "the patient has died: end the monitoring instead of importing"


def patient(reading: Reading, found: Contents, one: Found) -> None:
    """Who it is, where they live, and whom the hospital would call."""
    person = one.resource
    if person.get("deceasedDateTime") or person.get("deceasedBoolean") not in {None, False}:
        found.fault(f"{one.at}.deceased", _DEATH)
    sex = person.get("gender")
    told = {
        "name": concepts.name(person.get("name")),
        "birth_date": person.get("birthDate"),
        "sex": sex if sex != "unknown" else None,
        "language": concepts.language(person.get("communication")),
        "address": concepts.address(person.get("address")),
    }
    reading.told |= {name: value for name, value in told.items() if value}
    reading.places |= {"name": f"{one.at}.name", "birth_date": f"{one.at}.birthDate"}
    if (spoken := told["language"]) and not _LANGUAGE.fullmatch(spoken):
        found.fault(f"{one.at}.communication", "the language is no BCP 47 code, as zh or en-GB")
    reading.phones += concepts.phones(person.get("telecom"))
    for contact in person.get("contact") or ():
        relation = next((said for part in contact.get("relationship") or () if (said := concepts.text(part))), None)
        _contact(reading, one, concepts.name([contact["name"]] if contact.get("name") else ()), relation, contact)
    for reference in person.get("generalPractitioner") or ():
        _member(reading, found, one, reference, "general practitioner")


def _contact(reading: Reading, one: Found, name: str | None, relation: str | None, person: Mapping[str, Any]) -> None:
    numbers = concepts.phones(person.get("telecom"))
    if name is None:
        reading.skip(one, relation, "somebody to call, without a name")
        return
    keys = [part.get("valueBoolean") for part in person.get("extension") or () if part.get("url") == HAS_KEY]
    reading.contacts.append(
        Contact(
            name=name,
            relation=relation or UNKNOWN,
            phone=numbers[0] if numbers else UNKNOWN,
            language=concepts.language(person.get("communication")) or UNKNOWN,
            has_key=UNKNOWN if not keys or keys[0] is None else keys[0] is True,
        )
    )


def related(reading: Reading, found: Contents, one: Found) -> None:
    """A relative, or somebody else who is near."""
    del found
    if one.resource.get("active") not in {None, True}:
        reading.skip(one, None, "is no longer active")
        return
    relation = next((said for part in one.resource.get("relationship") or () if (said := concepts.text(part))), None)
    _contact(reading, one, concepts.name(one.resource.get("name")), relation, one.resource)


def team(reading: Reading, found: Contents, one: Found) -> None:
    """Those who look after the patient."""
    if one.resource.get("status") not in {None, "active"}:
        reading.skip(one, None, f"its status is {one.resource['status']}")
        return
    for part in one.resource.get("participant") or ():
        role = next((said for said in map(concepts.text, part.get("role") or ()) if said), None)
        if part.get("member") is not None:
            _member(reading, found, one, part["member"], role)


def _member(reading: Reading, found: Contents, one: Found, reference: Mapping[str, Any], role: str | None) -> None:
    """Somebody of the care team: a person, a person in a role, or an organisation."""
    target = found.follow(one, reference)
    if target is None:
        if reference.get("display"):  # who it is is said, where they are is not
            _contact(reading, one, " ".join(reference["display"].split()), role, {})
        else:
            found.fault(one.at, "a member refers to something that is not in the Bundle")
        return
    if target.kind in {"Patient", "RelatedPerson"}:  # the one is nobody to call, the other comes by themselves
        return
    person = target.resource
    if target.kind == "PractitionerRole":
        role = role or next((said for part in person.get("code") or () if (said := concepts.text(part))), None)
        inner = found.follow(target, person.get("practitioner"))
        numbers = person.get("telecom") or (inner.resource.get("telecom") if inner else None)
        person = {**(inner.resource if inner else {}), "telecom": numbers}
    called = person.get("name")
    name = " ".join(called.split()) if isinstance(called, str) else concepts.name(called)
    _contact(reading, one, name or reference.get("display"), role, person)
