"""Small parts of FHIR resources: ids, texts, codes, times, and what stands where something is not known. Pure.

Ids are derived from what a resource is about. Must never make up a value: what is not known says so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from api.fhir.codes import ABSENT, IPS, TERMS
from stream.finding import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.entries import Entry

Resource = dict[str, Any]

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
_SYSTEM = re.compile(r"(https?://|urn:)\S+")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def identity(*about: object) -> UUID:
    """The id of a resource, from what it is about."""
    return uuid5(NAMESPACE, "|".join(["fhir", *(str(one) for one in about)]))


def begun(kind: str, id_: object, profile: str | None = None) -> Resource:
    """A resource of which only kind, id and profile are said."""
    made: Resource = {"resourceType": kind, "id": str(id_)}
    if profile is not None:
        made["meta"] = {"profile": [f"{IPS}{profile}-uv-ips"]}
    return made


def urn(resource: Resource) -> str:
    """The address of a resource within its document."""
    return f"urn:uuid:{resource['id']}"


def refer(resource: Resource) -> dict[str, str]:
    """A reference to it."""
    return {"reference": urn(resource)}


def instant(at: datetime) -> str:
    """A moment, in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def line(value: object) -> str | None:
    """A text without what FHIR does not allow in one; None: nothing is left."""
    return _NO_TEXT.sub("", str(value)).strip() or None


def concept(text: object, *codings: tuple[str, str, str | None]) -> dict[str, Any]:
    """A CodeableConcept: words, and (system, code, display) where they are well formed."""
    good = [
        {"system": system, "code": code} | ({"display": said} if (said := line(display or "")) else {})
        for system, code, display in codings
        if _SYSTEM.fullmatch(system) and _CODE.fullmatch(code)
    ]
    said = line(text)
    return ({"coding": good} if good else {}) | ({"text": said} if said else {} if good else {"text": "not said"})


def of_entry(entry: Entry) -> dict[str, Any]:
    """What an entry is, with its code where it has one."""
    coded = [(entry.system, entry.code, entry.display)] if entry.system and entry.code else []
    return concept(entry.text, *coded)


def coded(table: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one of HL7's own tables."""
    return {"coding": [{"system": f"{TERMS}{table}", "code": code}]}


def absent(why: str = "unknown") -> dict[str, Any]:
    """What stands beside an element that has no value."""
    return {"extension": [{"url": ABSENT, "valueCode": why}]}


def dated(name: str, date: str | None, *, needed: bool = False) -> dict[str, Any]:
    """A date, or where the profile wants one that nobody knows: that it is not known."""
    if date and _DATE.fullmatch(date):
        return {name: date}
    return {f"_{name}": absent()} if needed else {}


def narrative(lines: Iterable[str]) -> dict[str, str]:
    """The same in words: a list."""
    items = "".join(f"<li>{escape(said)}</li>" for one in lines if (said := line(one)))
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{items}</ul></div>'}
