"""What was measured, as FHIR Observations: vital signs, glucose, the strip. Pure.

"No value" is a `dataAbsentReason`, never a number; what was not measured within a strip is "E".
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.strip_svg import SECONDS
from api.fhir.codes import (
    ANY_LEAD,
    BLOOD_GROUP,
    BY_PULSE_OXIMETRY,
    CATEGORY,
    LEADS,
    LOINC,
    MDC,
    PANELS,
    TERMS,
    UCUM,
    VALUES,
)
from api.fhir.elements import Resource, absent, begun, concept, identity, instant, refer
from gateway.reading import Flag, ReadingKind
from stream.recording import MISSING

if TYPE_CHECKING:
    from alerts.record import Vital
    from alerts.strip_svg import Tracing
    from api.fhir.codes import Measure

_RESULT = "Observation-results-laboratory-pathology"
_FAILED = frozenset({Flag.NO_CONTACT, Flag.SIGNAL_LOST, Flag.SENSOR_WARM_UP, Flag.SENSOR_EXPIRED})
_VITAL = frozenset({ReadingKind.HEART_RATE, ReadingKind.BLOOD_PRESSURE, ReadingKind.OXYGEN_SATURATION})


def is_vital_sign(vital: Vital) -> bool:
    """Whether FHIR counts it among the vital signs; glucose is a result."""
    return vital.kind in _VITAL


def of_vital(vital: Vital, patient: Resource) -> Resource | None:
    """The newest reading of one kind; None: of a kind that has no code here."""
    named = {name: value for name, value in vital.values.items() if name in VALUES}
    if not named:
        return None
    category, profile = ("vital-signs", None) if is_vital_sign(vital) else ("laboratory", _RESULT)
    made = _observation(identity("vital", patient["id"], vital.kind, instant(vital.at)), patient, profile)
    made["category"] = [_category(category)]
    made["effectiveDateTime"] = instant(vital.at)
    if vital.flags:
        made["note"] = [{"text": "The device says: " + ", ".join(vital.flags)}]
    panel = PANELS.get(vital.kind)
    if panel is not None:
        # The profile of blood pressure wants both, measured or not.
        parts = {"systolic_mmhg": None, "diastolic_mmhg": None} | named
        made["code"] = concept(panel[1], (LOINC, *panel))
        made["component"] = [
            {"code": _code(VALUES[name])} | _value(value, VALUES[name], vital)
            for name, value in parts.items()
            if value is not None or name in {"systolic_mmhg", "diastolic_mmhg"}
        ]
        return made
    first, value = next(iter(named.items()))
    made["code"] = _code(VALUES[first])
    if vital.kind == ReadingKind.OXYGEN_SATURATION:
        made["code"]["coding"].append({"system": LOINC, "code": BY_PULSE_OXIMETRY[0], "display": BY_PULSE_OXIMETRY[1]})
    return made | _value(value, VALUES[first], vital)


def of_strip(tracing: Tracing, patient: Resource, device: Resource, about: object) -> Resource:
    """The strip as SampledData: microvolts of one lead."""
    made = _observation(identity("strip", about, instant(tracing.from_at)), patient)
    code, name = LEADS.get(tracing.lead, ANY_LEAD)
    made["category"] = [_category("procedure")]
    made["code"] = concept(f"ECG, lead {tracing.lead}", (MDC, code, name))
    made["effectivePeriod"] = {
        "start": instant(tracing.from_at),
        "end": instant(tracing.from_at + timedelta(seconds=SECONDS)),
    }
    made["device"] = refer(device)
    if not np.any(tracing.samples != MISSING):
        return made | _missing("error")
    made["valueSampledData"] = {
        "origin": {"value": 0, "unit": "uV", "system": UCUM, "code": "uV"},
        "period": round(1000 / tracing.rate_hz, 9),
        "dimensions": 1,
        "data": " ".join("E" if one == MISSING else str(one) for one in tracing.samples.tolist()),
    }
    return made


def of_blood_group(group: str, patient: Resource) -> Resource:
    """The blood group, as it was entered; when it was found is not known."""
    made = _observation(identity("blood group", patient["id"]), patient, _RESULT)
    made["category"] = [_category("laboratory")]
    made["code"] = concept(BLOOD_GROUP[1], (LOINC, *BLOOD_GROUP))
    return made | {"_effectiveDateTime": absent(), "valueCodeableConcept": concept(group)}


def _observation(id_: object, patient: Resource, profile: str | None = None) -> Resource:
    said = {"status": "final", "subject": refer(patient), "performer": [refer(patient)]}
    return begun("Observation", id_, profile) | said


def _category(code: str) -> dict[str, Any]:
    return {"coding": [{"system": CATEGORY, "code": code}]}


def _code(measure: Measure) -> dict[str, Any]:
    return concept(measure.display, (LOINC, measure.code, measure.display))


def _value(value: float | None, measure: Measure, vital: Vital) -> dict[str, Any]:
    if value is None or not np.isfinite(value):
        return _missing("error" if _FAILED & set(vital.flags) else "not-a-number")
    return {"valueQuantity": {"value": value, "unit": measure.unit, "system": UCUM, "code": measure.unit}}


def _missing(why: str) -> dict[str, Any]:
    return {"dataAbsentReason": {"coding": [{"system": f"{TERMS}data-absent-reason", "code": why}]}}
