"""A packet as FHIR R4 document: International Patient Summary 2.0, with the alert and its strip. Pure.

A list that nobody knows says `unavailable`, an empty one `nilknown`. The same packet gives the same bytes. Must never hold
what the models refuse: whoever asks gets a valid document, or an error of ours.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from pydantic import ValidationError

from alerts.alert import Tier
from alerts.record import UNKNOWN
from api.fhir import observations
from api.fhir.codes import (
    ALERTS,
    ALLERGIES,
    DEVICES,
    DIRECTIVES,
    FINDING,
    LOINC,
    MEDICATION,
    OWN,
    PROBLEMS,
    RESULTS,
    SHOWN,
    SNOMED,
    SUMMARY,
    VITALS,
)
from api.fhir.elements import (
    Resource,
    begun,
    coded,
    concept,
    dated,
    identity,
    instant,
    line,
    narrative,
    of_entry,
    refer,
    urn,
)
from api.fhir.persons import device, patient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api.entries import Entry
    from api.fhir.codes import Heading
    from api.packet import Case, Packet

_LOG: Any = structlog.get_logger(__name__)
MEDIA = "application/fhir+json"
LARGEST_PDF = 200_000
"""Bytes of a sheet that travels within the document; a larger one is asked for by itself."""
_SEVERITY = {Tier.EMERGENCY: "high", Tier.DOCTOR: "moderate", Tier.TIP: "low"}
_ALLERGY_STATUS = frozenset({"active", "inactive", "resolved"})
_PROBLEM_STATUS = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
_CERTAINTY = frozenset({"unconfirmed", "confirmed", "provisional", "differential"})
_CRITICALITY = frozenset({"low", "high", "unable-to-assess"})


def document(packet: Packet, pdf: bytes | None = None) -> bytes:
    """The whole document as JSON, checked against the models.

    What somebody has typed may be more than they take: it goes out all the same, as a record that is kept from a dispatcher
    helps nobody, and the log says where.
    """
    from fhir.resources.R4B.bundle import Bundle  # heavy, and wanted by few requests

    made = bundle(packet, pdf)
    try:
        Bundle.model_validate(made)
    except ValidationError as error:
        _LOG.error("document_not_valid", where=[".".join(map(str, one["loc"])) for one in error.errors()])
    return msgspec.json.encode(made)


def bundle(packet: Packet, pdf: bytes | None = None) -> Resource:
    """The document: a Composition first, then everything that it refers to."""
    who, author = patient(packet.record), device()
    about = packet.case.alert.alert if packet.case else packet.record.patient
    pages = _Sections("zh" if packet.record.language.startswith("zh") else "en")
    strip = observations.of_strip(packet.tracing, who, author, about) if packet.tracing is not None else None
    if packet.case is not None:
        flag, issue = _alert(packet.case, who, author, strip)
        pages.add(ALERTS, [flag], [packet.case.reason["en"], packet.case.reason["zh"]])
        pages.add(FINDING, [issue], [packet.case.what["en"], packet.case.what["zh"]])
    for heading, name, make in _LISTED:
        entries = packet.entries[name]
        made = [make(n, one, who) for n, one in enumerate(entries or ())]
        pages.add(heading, [one[0] for one in made], [one.words for one in entries or ()], _empty(entries))
        pages.parts += [rest for one in made for rest in one[1:]]
    directives = packet.entries["directives"]
    pages.add(DIRECTIVES, [], [one.words for one in directives or ()], _empty(directives))
    vitals, results = _measured(packet, who)
    results += [strip] if strip is not None else []
    results += [_sheet(pdf, packet, who)] if pdf is not None and len(pdf) <= LARGEST_PDF else []
    pages.add(VITALS, vitals, [_said(seen) for seen in vitals], None if vitals else _UNKNOWN)
    pages.add(RESULTS, results, [_said(seen) for seen in results], None if results else _UNKNOWN)
    when, title = instant(packet.at), SUMMARY.said(pages.language)
    composition = begun("Composition", identity("composition", about, when), "Composition") | {
        "language": pages.language,
        "status": "final",
        "type": concept(title, (LOINC, SUMMARY.code, "Patient summary Document")),
        "subject": refer(who),
        "date": when,
        "author": [refer(author)],
        "title": title,
        "section": pages.sections,
    }
    provenance = begun("Provenance", identity("provenance", about, when)) | {
        "target": [refer(composition)],
        "recorded": when,
        "agent": [{"type": coded("provenance-participant-type", "assembler"), "who": refer(author)}],
    }
    return begun("Bundle", identity("bundle", about, when), "Bundle") | {
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{identity('document', about, when)}"},
        "type": "document",
        "timestamp": when,
        "entry": [
            {"fullUrl": urn(one), "resource": one} for one in (composition, who, author, *pages.parts, provenance)
        ],
    }


class _Sections:
    """The sections of the Composition so far, and the resources that they bring along."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.sections: list[dict[str, Any]] = []
        self.parts: list[Resource] = []

    def add(self, heading: Heading, found: Sequence[Resource], words: Sequence[str], why: str | None = None) -> None:
        """One more; `why` it has no entry, where it has none."""
        title = heading.said(self.language)
        made: dict[str, Any] = {"title": title, "code": concept(title, (LOINC, heading.code, None))}
        made["text"] = narrative(words or [_EMPTY[why or _NONE][self.language]])
        if found:
            made["entry"] = [refer(one) for one in found]
        elif why is not None:
            made["emptyReason"] = coded("list-empty-reason", why)
        self.sections.append(made)
        self.parts.extend(found)


_NONE, _UNKNOWN = "nilknown", "unavailable"


def _empty(entries: Sequence[Entry] | None) -> str | None:
    """Why a list is empty; None: it is not."""
    return _UNKNOWN if entries is None else None if entries else _NONE


def _measured(packet: Packet, who: Resource) -> tuple[list[Resource], list[Resource]]:
    """Vital signs, and other results."""
    values = () if isinstance(packet.record.vitals, str) else packet.record.vitals
    made = [(one, seen) for one in values if (seen := observations.of_vital(one, who)) is not None]
    results = [seen for one, seen in made if not observations.is_vital_sign(one)]
    if packet.record.blood_group != UNKNOWN:
        results.append(observations.of_blood_group(packet.record.blood_group, who))
    return [seen for one, seen in made if observations.is_vital_sign(one)], results


_EMPTY = {
    _NONE: {"en": "None.", "zh": "无。"},
    _UNKNOWN: {"en": "Not known.", "zh": "不详。"},
}


def _alert(case: Case, who: Resource, author: Resource, strip: Resource | None) -> tuple[Resource, Resource]:
    """The alert as a flag for the reader, and what was found as the algorithm's issue: not a diagnosis."""
    alert = case.alert
    shown = SHOWN.get(alert.condition)
    code = concept(
        f"{case.what['en']} / {case.what['zh']}",
        *([(SNOMED, *shown)] if shown else []),
        (OWN, alert.condition, case.what["en"]),
    )
    end = case.episode.end if case.episode is not None and not alert.state.is_present else None
    period = {"start": instant(alert.onset)} | ({"end": instant(end)} if end is not None and end >= alert.onset else {})
    flag = begun("Flag", identity("flag", alert.alert), "Flag-alert") | {
        "status": "active",
        "category": [coded("flag-category", "clinical")],
        "code": code,
        "subject": refer(who),
        "period": period,
        "author": refer(author),
    }
    issue = begun("DetectedIssue", identity("issue", alert.alert)) | {
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{alert.alert}"}],
        "status": "final",
        "code": code,
        "severity": _SEVERITY[alert.tier],
        "patient": refer(who),
        "identifiedPeriod": period,
        "author": refer(author),
        "implicated": [refer(flag), *([refer(strip)] if strip is not None else [])],
        "detail": f"{case.reason['en']} / {case.reason['zh']}",
    }
    return flag, issue


def _problem(n: int, entry: Entry, who: Resource) -> list[Resource]:
    made = _of("Condition", n, who) | {"subject": refer(who), "code": of_entry(entry)}
    made["clinicalStatus"] = coded("condition-clinical", entry.status if entry.status in _PROBLEM_STATUS else "active")
    if entry.certainty in _CERTAINTY:
        made["verificationStatus"] = coded("condition-ver-status", entry.certainty)
    return [
        made | {"category": [coded("condition-category", "problem-list-item")]} | dated("onsetDateTime", entry.onset)
    ]


def _medication(n: int, entry: Entry, who: Resource) -> list[Resource]:
    made = _of("MedicationStatement", n, who) | {"subject": refer(who), "status": "active"}
    made["medicationCodeableConcept"] = of_entry(entry)
    dose = line(entry.dose or "")
    return [
        made | dated("effectiveDateTime", entry.onset, needed=True) | ({"dosage": [{"text": dose}]} if dose else {})
    ]


def _allergy(n: int, entry: Entry, who: Resource) -> list[Resource]:
    made = _of("AllergyIntolerance", n, who) | {"patient": refer(who), "code": of_entry(entry)}
    status = entry.status if entry.status in _ALLERGY_STATUS else "active"
    made["clinicalStatus"] = coded("allergyintolerance-clinical", status)
    if entry.certainty in {"unconfirmed", "confirmed"}:
        made["verificationStatus"] = coded("allergyintolerance-verification", entry.certainty)
    if entry.criticality in _CRITICALITY:
        made["criticality"] = entry.criticality
    if entry.reaction and line(entry.reaction):
        made["reaction"] = [{"manifestation": [concept(entry.reaction)]}]
    return [made | dated("onsetDateTime", entry.onset)]


def _implant(n: int, entry: Entry, who: Resource) -> list[Resource]:
    thing = _of("Device", n, who) | {"type": of_entry(entry), "patient": refer(who)}
    use = _of("DeviceUseStatement", n, who) | {"status": "active", "subject": refer(who), "device": refer(thing)}
    return [use | dated("timingDateTime", entry.onset, needed=True), thing]


_LISTED: tuple[tuple[Heading, str, Callable[[int, Entry, Resource], list[Resource]]], ...] = (
    (PROBLEMS, "problems", _problem),
    (MEDICATION, "medication", _medication),
    (ALLERGIES, "allergies", _allergy),
    (DEVICES, "implants", _implant),
)
"""What becomes entries of a section: the first resource of each is the entry."""


def _of(kind: str, n: int, who: Resource) -> Resource:
    return begun(kind, identity(kind, who["id"], n), kind)


def _sheet(pdf: bytes, packet: Packet, who: Resource) -> Resource:
    return begun("DocumentReference", identity("sheet", who["id"], instant(packet.at))) | {
        "status": "current",
        "type": concept("The same on one sheet", (LOINC, SUMMARY.code, "Patient summary Document")),
        "subject": refer(who),
        "content": [{"attachment": {"contentType": "application/pdf", "data": base64.b64encode(pdf).decode()}}],
    }


def _said(seen: Resource) -> str:
    """An observation in one line."""
    head = (seen.get("code") or seen["type"]).get("text", "")
    values = [_quantity(one) for one in seen.get("component", [seen])]
    when = seen.get("effectiveDateTime", "")
    return " ".join(part for part in (f"{head}:", ", ".join(filter(None, values)), when and f"({when})") if part)


def _quantity(seen: Resource) -> str:
    if "valueQuantity" in seen:
        return f"{seen['valueQuantity']['value']:g} {seen['valueQuantity']['unit']}"
    if "valueCodeableConcept" in seen:
        return str(seen["valueCodeableConcept"]["text"])
    return "30 s, 25 mm/s" if "valueSampledData" in seen else "no value" if "dataAbsentReason" in seen else ""
