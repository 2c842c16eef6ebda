"""Which limit is about what: its group, the conditions that it decides, whether a doctor sets it often. A table only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping


class Group(StrEnum):
    """What a limit is about."""

    HEART = "heart"
    GLUCOSE = "glucose"
    PRESSURE = "pressure"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One limit of `stream.limits`."""

    group: Group
    decides: tuple[Condition, ...] = ()
    """Conditions that begin or not by it, the gravest first; empty: only how something is told."""
    is_common: bool = False


def _entry(group: Group, *decides: Condition, common: bool = False) -> Entry:
    return Entry(group=group, decides=decides, is_common=common)


_REPEATED = (Condition.BP_CRISIS, Condition.BP_VERY_LOW, Condition.BP_CRISIS_UNCONFIRMED)

TABLE: Mapping[str, Entry] = {
    "brady_bpm": _entry(Group.HEART, Condition.BRADY, common=True),
    "tachy_bpm": _entry(Group.HEART, Condition.TACHY, common=True),
    "glucose_very_low_mg_dl": _entry(
        Group.GLUCOSE, Condition.GLUCOSE_VERY_LOW, Condition.GLUCOSE_PROLONGED_LOW, common=True
    ),
    "glucose_low_mg_dl": _entry(Group.GLUCOSE, Condition.GLUCOSE_LOW, Condition.GLUCOSE_LOW_REPEATED, common=True),
    "glucose_predicted_low_mg_dl": _entry(Group.GLUCOSE, Condition.GLUCOSE_PREDICTED_LOW),
    "glucose_high_mg_dl": _entry(Group.GLUCOSE, Condition.GLUCOSE_PROLONGED_HIGH),
    "glucose_very_high_mg_dl": _entry(Group.GLUCOSE, Condition.GLUCOSE_PROLONGED_VERY_HIGH, common=True),
    "bp_mean_systolic_mmhg": _entry(Group.PRESSURE, Condition.BP_MEAN_HIGH, common=True),
    "bp_mean_diastolic_mmhg": _entry(Group.PRESSURE, Condition.BP_MEAN_HIGH, common=True),
    "bp_crisis_systolic_mmhg": _entry(
        Group.PRESSURE, Condition.BP_CRISIS, Condition.BP_CRISIS_UNCONFIRMED, common=True
    ),
    "bp_crisis_diastolic_mmhg": _entry(Group.PRESSURE, Condition.BP_CRISIS, Condition.BP_CRISIS_UNCONFIRMED),
    "bp_high_systolic_mmhg": _entry(Group.PRESSURE, Condition.BP_HIGH),
    "bp_high_diastolic_mmhg": _entry(Group.PRESSURE, Condition.BP_HIGH),
    "bp_low_systolic_mmhg": _entry(Group.PRESSURE, Condition.BP_LOW),
    "bp_fall_mmhg": _entry(Group.PRESSURE, Condition.BP_LOW),
    "bp_very_low_systolic_mmhg": _entry(Group.PRESSURE, Condition.BP_VERY_LOW),
    "bp_repeat_min_s": _entry(Group.PRESSURE, *_REPEATED),
    "bp_repeat_max_s": _entry(Group.PRESSURE, *_REPEATED),
    "no_data_s": _entry(Group.OTHER, Condition.NO_DATA),
    "sensor_silent_s": _entry(Group.OTHER, Condition.SENSOR_SIGNAL_LOSS),
    "never_reported_s": _entry(Group.OTHER, Condition.NEVER_REPORTED),
    "battery_low_percent": _entry(Group.OTHER, Condition.BATTERY_LOW),
    "clock_off_s": _entry(Group.OTHER, Condition.CLOCK_OFF),
    "symptom_s": _entry(Group.OTHER, Condition.SYMPTOM),
    "strip_s": _entry(Group.OTHER, Condition.STRIP_AF),
    "late_s": _entry(Group.OTHER),
}
"""Every limit of `stream.limits`, in the order in which a page shows them."""
