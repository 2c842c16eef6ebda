"""The limits that the detector judges by: default, bounds and source of each, in one table; a patient's own laid over them.

`alerts.plan` guards what a person may set by the same table; here a name that is missing falls back to the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit: what it is by default, and how far it may be moved."""

    default: float
    lowest: float
    highest: float
    """Beyond these it is refused, whoever asks."""
    advised_from: float
    advised_to: float
    """Beyond these it is taken, with a warning."""
    source: str
    """Who says so, with its year."""


def _limit(default: float, bounds: tuple[float, float], advised: tuple[float, float], source: str) -> Limit:
    return Limit(
        default=default,
        lowest=bounds[0],
        highest=bounds[1],
        advised_from=advised[0],
        advised_to=advised[1],
        source=source,
    )


_CRISIS = "Whelton 2018 (ACC/AHA) 11.2: crisis above 180 and/or 120 mmHg"
_REPEAT = "Stergiou 2021 (ESH): 1 min between readings; detection.md 2026-11-24: repeated within 1-15 min"
_CONSENSUS = "Battelino 2023 (international consensus on CGM metrics)"
_SILENCE = "alerting.md 2026-11-24, defaults of silence"
_MEAN = "China 2024, ESC 2024: 135/85 mmHg at home; AHA 2017: 130/80; the plan's guideline (`GUIDELINES`)"

LIMITS: Mapping[str, Limit] = {
    "brady_bpm": _limit(
        40, (30, 60), (40, 50),
        "Kusumoto 2018 (ACC/AHA/HRS): below 50; detection.md 2026-11-24: below 40, emergency below 30",
    ),
    "tachy_bpm": _limit(
        130, (90, 180), (100, 150),
        "Page 2015 (ACC/AHA/HRS): above 100; detection.md 2026-11-24: above 130, emergency from 180",
    ),
    "bp_crisis_systolic_mmhg": _limit(180, (140, 220), (160, 180), _CRISIS),
    "bp_crisis_diastolic_mmhg": _limit(120, (90, 140), (100, 120), _CRISIS),
    "bp_repeat_min_s": _limit(60, (30, 300), (60, 120), _REPEAT),
    "bp_repeat_max_s": _limit(900, (300, 3600), (600, 1800), _REPEAT),
    "bp_high_systolic_mmhg": _limit(160, (130, 200), (150, 170), "China 2024: grade 2 from 160/100 mmHg"),
    "bp_high_diastolic_mmhg": _limit(100, (80, 130), (90, 110), "China 2024: grade 2 from 160/100 mmHg"),
    "bp_low_systolic_mmhg": _limit(90, (70, 110), (85, 100), "detection.md 2026-11-24: hypotension below 90 mmHg"),
    "bp_fall_mmhg": _limit(30, (15, 60), (20, 40), "detection.md 2026-11-24: a fall of 30; Freeman 2011: 30 if hypertensive"),
    "bp_very_low_systolic_mmhg": _limit(80, (60, 95), (70, 90), "detection.md 2026-11-24: below 80 mmHg repeated"),
    "bp_mean_systolic_mmhg": _limit(135, (115, 160), (125, 145), _MEAN),
    "bp_mean_diastolic_mmhg": _limit(85, (65, 105), (75, 95), _MEAN),
    "glucose_very_low_mg_dl": _limit(54, (45, 70), (54, 60), f"{_CONSENSUS}: level 2 below 54 mg/dL"),
    "glucose_low_mg_dl": _limit(70, (60, 100), (65, 80), f"{_CONSENSUS}: level 1 below 70 mg/dL"),
    "glucose_high_mg_dl": _limit(180, (140, 300), (140, 250), f"{_CONSENSUS}: level 1 above 180 mg/dL"),
    "glucose_very_high_mg_dl": _limit(250, (180, 400), (220, 300), f"{_CONSENSUS}: level 2 above 250 mg/dL"),
    "glucose_predicted_low_mg_dl": _limit(55, (45, 80), (55, 70), "detection.md 2026-11-24: at most 55 within 20 min"),
    "sensor_silent_s": _limit(1200, (600, 14_400), (1200, 3600), f"{_SILENCE}; a CGM speaks every 5 to 15 min"),
    "never_reported_s": _limit(
        86_400, (3600, 604_800), (21_600, 259_200), "alerting.md 2026-11-24, never reported since enrolment; a day: our choice"
    ),
    "battery_low_percent": _limit(
        20, (5, 50), (10, 30), "our choice 2026-11-24: a chest strap at a fifth lasts for some days still"
    ),
    "clock_off_s": _limit(
        600, (60, 86_400), (120, 3600), "our choice 2026-11-24: as much as makes a reading late (`late_s`)"
    ),
    "symptom_s": _limit(14_400, (900, 172_800), (3600, 86_400), "detection.md 2026-11-24: a symptom ends by itself"),
    "strip_s": _limit(
        86_400, (3600, 604_800), (21_600, 172_800), "our choice 2026-11-24: what a hand-held strip shows stands for a day"
    ),
    "no_data_s": _limit(60, (15, 3600), (15, 600), _SILENCE),
    "late_s": _limit(
        600, (60, 90_000), (600, 4_200),
        "log.md 2026-11-24, late is not silent: 10 min, or the device's interval and 10 min",
    ),
}  # fmt: skip
"""Name, limit. Units are in the name."""

DEFAULTS: Mapping[str, float] = {name: float(one.default) for name, one in LIMITS.items()}

GUIDELINES: Mapping[str, Mapping[str, float]] = {
    # Home blood pressure from which a week's mean is raised.
    "china_2024": {"bp_mean_systolic_mmhg": 135.0, "bp_mean_diastolic_mmhg": 85.0},
    "esc_2024": {"bp_mean_systolic_mmhg": 135.0, "bp_mean_diastolic_mmhg": 85.0},
    "aha_2017": {"bp_mean_systolic_mmhg": 130.0, "bp_mean_diastolic_mmhg": 80.0},
}
"""Limits that come with the guideline of a plan; the plan's own limits lie over them."""


def rates_bpm(own: Mapping[str, float]) -> tuple[float, float]:
    """A patient's limits of a slow and a fast heart, as the kernels take them."""
    return limit(own, "brady_bpm"), limit(own, "tachy_bpm")


def limit(own: Mapping[str, float], name: str) -> float:
    """A patient's limit.

    Raises:
        KeyError: `name` is no limit of ours.
    """
    return own.get(name, DEFAULTS[name])
