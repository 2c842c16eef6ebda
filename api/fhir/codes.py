"""What our words are called elsewhere: LOINC, UCUM, SNOMED CT, MDC. Tables only.

SNOMED CT names what an ECG shows ("ECG: atrial fibrillation"), never the disease: that is for a clinician to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.reading import ReadingKind
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
MDC = "urn:iso:std:iso:11073:10101"
TERMS = "http://terminology.hl7.org/CodeSystem/"
CATEGORY = f"{TERMS}observation-category"
OWN = "urn:tierwatch:condition"
IPS = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One value of a reading."""

    code: str
    """LOINC."""
    display: str
    unit: str
    """UCUM."""


HEART_RATE = Measure(code="8867-4", display="Heart rate", unit="/min")
VALUES: Mapping[str, Measure] = {
    "systolic_mmhg": Measure(code="8480-6", display="Systolic blood pressure", unit="mm[Hg]"),
    "diastolic_mmhg": Measure(code="8462-4", display="Diastolic blood pressure", unit="mm[Hg]"),
    "mean_arterial_mmhg": Measure(code="8478-0", display="Mean blood pressure", unit="mm[Hg]"),
    "pulse_bpm": HEART_RATE,
    "rate_bpm": HEART_RATE,
    # Interstitial or capillary is not kept with a reading: the code that says least.
    "glucose_mg_dl": Measure(code="2339-0", display="Glucose [Mass/volume] in Blood", unit="mg/dL"),
    "spo2_percent": Measure(code="2708-6", display="Oxygen saturation in Arterial blood", unit="%"),
}
"""By the name of the value (`gateway.reading.VALUE_NAMES`)."""
PANELS: Mapping[str, tuple[str, str]] = {
    ReadingKind.BLOOD_PRESSURE: ("85354-9", "Blood pressure panel with all children optional"),
}
"""Readings that are one observation with parts."""
BY_PULSE_OXIMETRY = ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")
BLOOD_GROUP = ("882-1", "ABO and Rh group [Type] in Blood")

SHOWN: Mapping[str, tuple[str, str]] = {
    Condition.AF: ("164889003", "Electrocardiographic atrial fibrillation"),
    Condition.STRIP_AF: ("164889003", "Electrocardiographic atrial fibrillation"),
    Condition.AFLUTTER: ("164890007", "Electrocardiographic atrial flutter"),
    Condition.SVT: ("426761007", "Supraventricular tachycardia"),
    Condition.VT: ("164895002", "Electrocardiographic ventricular tachycardia"),
    Condition.VT_SUSTAINED: ("164895002", "Electrocardiographic ventricular tachycardia"),
    Condition.VF: ("164896001", "Electrocardiographic ventricular fibrillation"),
    Condition.BIGEMINY: ("11157007", "Ventricular bigeminy"),
    Condition.TRIGEMINY: ("251180001", "Ventricular trigeminy"),
}
"""What an ECG shows, by condition; of those without a code that says the same, our own stands alone."""

LEADS: Mapping[str, tuple[str, str]] = {
    "I": ("131329", "MDC_ECG_ELEC_POTL_I"),
    "II": ("131330", "MDC_ECG_ELEC_POTL_II"),
    "V1": ("131331", "MDC_ECG_ELEC_POTL_V1"),
    "V2": ("131332", "MDC_ECG_ELEC_POTL_V2"),
    "V3": ("131333", "MDC_ECG_ELEC_POTL_V3"),
    "V4": ("131334", "MDC_ECG_ELEC_POTL_V4"),
    "V5": ("131335", "MDC_ECG_ELEC_POTL_V5"),
    "V6": ("131336", "MDC_ECG_ELEC_POTL_V6"),
    "III": ("131389", "MDC_ECG_ELEC_POTL_III"),
}
"""ISO/IEEE 11073-10101."""
ANY_LEAD = ("131328", "MDC_ECG_ELEC_POTL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A section of the document."""

    code: str
    """LOINC."""
    en: str
    zh: str

    def said(self, language: str) -> str:
        """Its words."""
        return self.zh if language == "zh" else self.en


FINDING = Heading(code="51848-0", en="What the algorithm found", zh="算法所见")
PROBLEMS = Heading(code="11450-4", en="Problems", zh="健康问题")
MEDICATION = Heading(code="10160-0", en="Medication", zh="用药")
ALLERGIES = Heading(code="48765-2", en="Allergies and intolerances", zh="过敏与不耐受")
DEVICES = Heading(code="46264-8", en="Implants", zh="植入物")
DIRECTIVES = Heading(code="42348-3", en="Advance directives", zh="预先医疗指示")
ALERTS = Heading(code="104605-1", en="Alert", zh="警报")
VITALS = Heading(code="8716-3", en="Last values", zh="最近数值")
RESULTS = Heading(code="30954-2", en="ECG and other results", zh="心电图及其他结果")
SUMMARY = Heading(code="60591-5", en="Patient summary", zh="患者摘要")
