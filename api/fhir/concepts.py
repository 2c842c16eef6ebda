"""What a coded element says, and the codes that mean "none", "not asked" and a blood group. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"

NONE: Mapping[tuple[str, str], str] = {
    (SNOMED, "716186003"): "allergies",
    (ABSENT, "no-known-allergies"): "allergies",
    (SNOMED, "160245001"): "problems",
    (ABSENT, "no-known-problems"): "problems",
    (SNOMED, "787481004"): "medication",
    (ABSENT, "no-known-medications"): "medication",
    (ABSENT, "no-known-devices"): "implants",
}
"""Somebody asked, and there is none: which list that is of."""
PARTLY_NONE = frozenset({"409137002", "428607008", "429625007", "716184000", "716185004", "716220001"})
"""SNOMED: no known allergy to drugs, to food, to latex ...: not all of them, so the list stays as it is."""
NOT_ASKED = frozenset({"no-allergy-info", "no-problem-info", "no-medication-info", "no-device-info"})
"""IPS: nobody knows."""
ABO_AND_RH, ABO, RH = "882-1", "883-9", "10331-7"
"""LOINC."""


def codings(concept: Any) -> list[dict[str, Any]]:
    """The codings of a CodeableConcept."""
    return [one for one in (concept or {}).get("coding") or () if one.get("code")]


def coding(concept: Any) -> dict[str, Any]:
    """The one that is kept: SNOMED CT where there is one, else the first."""
    found = codings(concept)
    return next((one for one in found if one.get("system") == SNOMED), found[0] if found else {})


def text(concept: Any) -> str | None:
    """What it says to a person; None: nothing."""
    displays = [one["display"] for one in codings(concept) if one.get("display")]
    best = (concept or {}).get("text") or coding(concept).get("display") or (displays[0] if displays else None)
    return _line(best) or coding(concept).get("code")


def code(concept: Any) -> str | None:
    """The first code, as of a status."""
    found = codings(concept)
    return found[0]["code"] if found else None


def none_of(concept: Any) -> str | None:
    """Of which list this says that there is none."""
    return next((NONE[key] for one in codings(concept) if (key := (one.get("system", ""), one["code"])) in NONE), None)


def day(moment: Any) -> str | None:
    """The date of a FHIR date or dateTime, as exact as it is said."""
    return moment[:10] if isinstance(moment, str) else None


def name(names: Any) -> str | None:
    """How a person is called: official before usual, none that is old."""
    order = {"official": 0, "usual": 1, None: 2}
    usable = [one for one in names or () if one.get("use") not in {"old", "maiden"}]
    for one in sorted(usable, key=lambda one: order.get(one.get("use"), 3)):
        parts = [*(one.get("prefix") or ()), *(one.get("given") or ()), one.get("family")]
        if found := _line(one.get("text")) or _line(" ".join(part for part in parts if part)):
            return found
    return None


def phones(telecom: Any) -> list[str]:
    """Numbers by which a person is called, by their rank; none that is old."""
    usable = [
        one for one in telecom or ()
        if one.get("system") in {"phone", "sms"} and one.get("use") != "old" and _line(one.get("value"))
    ]  # fmt: skip
    ordered = sorted(usable, key=lambda one: one.get("rank") or 99)
    return list(dict.fromkeys(str(_line(one["value"])) for one in ordered))


def address(addresses: Any) -> str | None:
    """Where a person lives: home before the others, none that is old."""
    usable = [one for one in addresses or () if one.get("use") not in {"old", "billing"}]
    for one in sorted(usable, key=lambda one: one.get("use") != "home"):
        parts = [*(one.get("line") or ()), one.get("city"), one.get("state"), one.get("postalCode"), one.get("country")]
        if found := _line(one.get("text")) or _line(", ".join(part for part in parts if part)):
            return found
    return None


def language(communication: Any) -> str | None:
    """The language in which to speak to a person: the preferred one."""
    spoken = sorted(communication or (), key=lambda one: one.get("preferred") is not True)
    return next((found for one in spoken if (found := code(one.get("language")))), None)


def _line(value: Any) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None
