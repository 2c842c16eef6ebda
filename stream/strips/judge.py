"""The judge of a hand-held strip: normal, atrial fibrillation, another rhythm, or unreadable. Pure.

One strip in, one verdict out, the same for the same samples, with the reasons a doctor would ask for. It must never
stand in for the watch over a continuous signal: fibrillation of the ventricles and standstill are not its business.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from stream.ecg.filters import RATE
from stream.strips import model
from stream.strips.features import row_of, strip_features
from stream.strips.tracing import LONGEST_S, trace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class StripClass(StrEnum):
    """What a strip shows, in the letters of the PhysioNet/Computing in Cardiology Challenge 2017."""

    NORMAL = "N"
    """Sinus rhythm without anything else."""
    AF = "A"
    """Atrial fibrillation."""
    OTHER = "O"
    """Another rhythm, or ectopic beats: to be read by somebody."""
    UNREADABLE = "~"
    """Too noisy to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripVerdict:
    """What one strip shows."""

    strip_class: StripClass
    probabilities: Mapping[StripClass, float]
    """Of each class, with the prior of the product; they sum to 1."""
    reasons: Mapping[str, float]
    """Finite numbers: `rate_bpm`, `slowest_bpm`, `fastest_bpm`, `odd_share`, `early_beats`, `p_coherence` (1 the same P
    wave before each beat, 0 none), `irregularity` (median step between intervals over the median interval), `beats`,
    `seconds`. What could not be measured is absent."""

    @property
    def confidence(self) -> float:
        """Probability of the class that was chosen."""
        return self.probabilities[self.strip_class]


REASONS: Final = {
    "rate_bpm": "rate.median",
    "slowest_bpm": "rate.slowest",
    "fastest_bpm": "rate.fastest",
    "early_beats": "ectopy.s",
    "p_coherence": "p.p_slow",
    "irregularity": "rr.jump",
    "beats": "read.beats",
    "seconds": "read.seconds",
}
"""Reason, and the feature that it is."""

KNOWN: Final = "like.alike"
"""Absent where there are too few beats for a usual one: such a strip is not read at all."""
_MOST_MISSING: Final = 0.5


def judge_strip(samples_uv: NDArray[np.int16], rate_hz: float) -> StripVerdict:
    """Judge a strip of one lead: int16 microvolts (-32768 = missing), 100-1000 samples a second, 8-120 s.

    Raises BadStrip where it is not such a strip.
    """
    trace = trace_of(samples_uv, rate_hz)
    found = strip_features(trace)
    if KNOWN not in found or trace.missing.mean() > _MOST_MISSING:
        shares = dict.fromkeys(StripClass, 0.0) | {StripClass.UNREADABLE: 1.0}
        return StripVerdict(strip_class=StripClass.UNREADABLE, probabilities=shares, reasons=_reasons(found))
    learned = model.load()
    p = model.probabilities(learned, row_of(found, learned.names))
    shares = {StripClass(letter): float(share) for letter, share in zip(model.CLASSES, p, strict=True)}
    best = StripClass(model.CLASSES[int(np.argmax(p))])
    return StripVerdict(strip_class=best, probabilities=shares, reasons=_reasons(found))


def compile_judge() -> None:
    """Compile (or load from the cache) all kernels, and read the model, by one empty strip."""
    judge_strip(np.zeros(round(LONGEST_S * RATE) // 8, np.int16), RATE)


def _reasons(found: Mapping[str, float]) -> dict[str, float]:
    told = {reason: found[name] for reason, name in REASONS.items() if np.isfinite(found.get(name, np.nan))}
    if "ectopy.odd" in found:
        told["odd_share"] = found["ectopy.odd"] / found["read.beats"]
    return {reason: round(value, 4) for reason, value in sorted(told.items())}
