"""The mean of a week at home: blood pressure as a guideline counts it, its first day left out. Pure.

After Stergiou 2021 (ESH): seven days, at least three, the first of them left out, at least twelve readings.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from stream.finding import Condition
from stream.instants import instant
from stream.limits import limit
from stream.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.ring import Kept

DAYS = 7
LEAST_DAYS = 3
"""After the first was left out: two, and one to compare with, would be too few."""
LEAST_READINGS = 12


class WeekMean(NamedTuple):
    """Mean of a week's home readings."""

    systolic_mmhg: float
    diastolic_mmhg: float
    readings: int
    days: int


def day_of(kept: Kept) -> int:
    """The day of a reading as its wearer's clock has it, as a number; UTC where the device has no clock."""
    text = kept.reading.device_time or ""
    try:
        return date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return instant(kept.at_us).toordinal()


def day_means(valid: Sequence[Kept]) -> dict[str, tuple[float, float, int]]:
    """Systolic and diastolic mean of each day, and of how many readings; by the wearer's own clock."""
    days: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for kept in valid:
        systolic, diastolic = kept.reading.values[:2]
        days[day_of(kept)].append((systolic or 0.0, diastolic or 0.0))
    return {
        date.fromordinal(day).isoformat(): (fmean(s for s, _ in pairs), fmean(d for _, d in pairs), len(pairs))
        for day, pairs in sorted(days.items())
    }


def week_mean(days: Mapping[int, Sequence[tuple[float, float]]], today: int) -> WeekMean | None:
    """Mean of the days `today` - 6 to `today`, the first with readings left out; None: too little."""
    within = sorted(day for day in days if today - DAYS < day <= today)[1:]
    pairs = [pair for day in within for pair in days[day]]
    if len(within) < LEAST_DAYS or len(pairs) < LEAST_READINGS:
        return None
    systolic, diastolic = (sum(pair[n] for pair in pairs) / len(pairs) for n in (0, 1))
    return WeekMean(round(systolic, 1), round(diastolic, 1), len(pairs), len(within))


def raised_means(valid: Sequence[Kept], own: Mapping[str, float]) -> list[Stretch]:
    """Times during which the week's mean was at or above the plan's limits, judged at each valid reading (by `at`)."""
    limits = limit(own, "bp_mean_systolic_mmhg"), limit(own, "bp_mean_diastolic_mmhg")
    days: dict[int, list[tuple[float, float]]] = defaultdict(list)
    found: list[Stretch] = []
    is_open = False
    for kept in valid:
        systolic, diastolic = kept.reading.values[:2]
        today = day_of(kept)
        days[today].append((systolic or 0.0, diastolic or 0.0))
        mean = week_mean(days, today)
        is_raised = mean is not None and (mean.systolic_mmhg >= limits[0] or mean.diastolic_mmhg >= limits[1])
        if mean is None:
            continue
        if is_open:
            now = replace(found[-1], at_us=kept.at_us)
            found[-1] = replace(now, last_us=kept.at_us, evidence=_evidence(kept, mean)) if is_raised else replace(
                now, end_us=kept.at_us
            )  # fmt: skip
        elif is_raised:
            found.append(_stretch(kept, mean))
        is_open = is_raised
    return found


def _stretch(kept: Kept, mean: WeekMean) -> Stretch:
    reading = kept.reading
    return Stretch(
        condition=Condition.BP_MEAN_HIGH, stream=f"{reading.device}/blood_pressure",
        opened=kept.opened,
        onset_us=kept.at_us, last_us=kept.at_us, at_us=kept.at_us, evidence=_evidence(kept, mean),
    )  # fmt: skip


def _evidence(kept: Kept, mean: WeekMean) -> dict[str, float | int | str]:
    return {
        "device": kept.reading.device, "stream": "blood_pressure", "mean_systolic_mmhg": mean.systolic_mmhg,
        "mean_diastolic_mmhg": mean.diastolic_mmhg, "readings": mean.readings, "days": mean.days,
    }  # fmt: skip
