"""What a time of glucose comes to: share in, below and above range, mean, GMI, variation. Pure, for replay, API and reports.

After Battelino 2019 and 2023 (ranges), Bergenstal 2018 (GMI); readings are counted, as iglu counts them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.glucose_course import Sample

VERY_LOW, LOW, HIGH, VERY_HIGH = 54.0, 70.0, 180.0, 250.0
"""mg/dL; of everybody: a patient's own limits do not move what is reported."""
GMI_AT_ZERO, GMI_PER_MG_DL = 3.31, 0.02392


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseMetrics:
    """Metrics of some readings; percentages are of readings."""

    readings: int
    tir_pct: float
    """70 to 180 mg/dL, both included."""
    tbr54_pct: float
    tbr70_pct: float
    """Below 70, also below 54."""
    tar180_pct: float
    """Above 180, also above 250."""
    tar250_pct: float
    mean_mg_dl: float
    gmi_pct: float
    """Glucose management indicator: what HbA1c such a mean would give."""
    cv_pct: float | None
    """Coefficient of variation (sample deviation over mean); None: of one reading."""


def metrics(mg_dl: Sequence[float]) -> GlucoseMetrics | None:
    """Metrics of glucose readings; None: there are none."""
    count = len(mg_dl)
    if not count:
        return None

    def share(inside: Iterable[bool]) -> float:
        return round(100.0 * sum(inside) / count, 4)

    mean = sum(mg_dl) / count
    deviation = sqrt(sum((v - mean) ** 2 for v in mg_dl) / (count - 1)) if count > 1 else None
    return GlucoseMetrics(
        readings=count,
        tir_pct=share(LOW <= v <= HIGH for v in mg_dl),
        tbr54_pct=share(v < VERY_LOW for v in mg_dl),
        tbr70_pct=share(v < LOW for v in mg_dl),
        tar180_pct=share(v > HIGH for v in mg_dl),
        tar250_pct=share(v > VERY_HIGH for v in mg_dl),
        mean_mg_dl=round(mean, 4),
        gmi_pct=round(GMI_AT_ZERO + GMI_PER_MG_DL * mean, 4),
        cv_pct=None if deviation is None else round(100.0 * deviation / mean, 4),
    )


def counted(samples: Iterable[Sample]) -> list[Sample]:
    """The readings that count, by `at`: of a person, and the first of an instant."""
    kept: dict[int, Sample] = {}
    for sample in sorted(samples, key=lambda s: s[:2]):
        if sample.can_be_judged:
            kept.setdefault(sample.at_us, sample)
    return list(kept.values())


def daily(samples: Iterable[Sample]) -> dict[str, GlucoseMetrics]:
    """Metrics of each day, as the device's own clock has it."""
    days: dict[str, list[float]] = defaultdict(list)
    for sample in counted(samples):
        days[sample.opened[:10]].append(sample.mg_dl)
    return {day: found for day, values in sorted(days.items()) if (found := metrics(values)) is not None}
