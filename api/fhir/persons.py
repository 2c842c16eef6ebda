"""Who a document is about, and what made it, as FHIR Patient and Device. Pure.

The profile wants a name and a birth date: where nobody knows them, they say so.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from alerts.record import UNKNOWN
from api.fhir.elements import Resource, absent, begun, concept, dated, identity, line

if TYPE_CHECKING:
    from alerts.record import Contact, Record

_SEXES = frozenset({"female", "male", "other"})


def patient(record: Record) -> Resource:
    """The person."""
    made = begun("Patient", identity("patient", record.patient), "Patient") | {
        "identifier": [{"system": "urn:tierwatch:patient", "value": record.patient}],
        "name": [_name(record.name)],
        "gender": record.sex if record.sex in _SEXES else "unknown",
    }
    made |= dated("birthDate", record.birth_date, needed=True)
    if not isinstance(record.phones, str) and (phones := [line(one) for one in record.phones]):
        made["telecom"] = [{"system": "phone", "value": one} for one in phones if one]
    if address := _known(record.address):
        code = _known(record.door_code)
        made["address"] = [{"text": f"{address} (door code {code})" if code else address}]
    if not isinstance(record.contacts, str) and record.contacts:
        made["contact"] = [_contact(one) for one in record.contacts]
    if language := _known(record.language):
        made["communication"] = [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": language}]}}]
    return made


def device() -> Resource:
    """What made the document: Tierwatch, as its author."""
    return begun("Device", identity("device", "tierwatch", version("tierwatch"))) | {
        "manufacturer": "Tierwatch",
        "deviceName": [{"name": "Tierwatch: research and development, not a cleared medical device", "type": "other"}],
        "modelNumber": "tierwatch",
        "version": [{"value": version("tierwatch")}],
    }


def _name(name: str) -> dict[str, Any]:
    known = _known(name)
    return {"text": known} if known else {"_text": absent()}


def _contact(contact: Contact) -> dict[str, Any]:
    made: dict[str, Any] = {"name": _name(contact.name)}
    relation = [part for part in (_known(contact.relation), "has a key" if contact.has_key is True else None) if part]
    if relation:
        made["relationship"] = [concept(", ".join(relation))]
    if phone := _known(contact.phone):
        made["telecom"] = [{"system": "phone", "value": phone}]
    return made


def _known(value: str) -> str | None:
    return None if value == UNKNOWN else line(value)
