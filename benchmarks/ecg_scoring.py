"""The ECG kernels alone, without the product around them, against annotations: for training scripts and tests of kernels.

The rules of scoring are those of `alerts.validation`; here they are only handed marks of a lane and arrays.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alerts.validation import collection, ec57, episode_scoring, reference
from alerts.validation.ec57 import LEARNING_S, WITHIN_S
from alerts.validation.episode_scoring import MARGIN_S
from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK, EcgCondition, Mark
from stream.recording import Lead

__all__ = [
    "BEATS", "CANDIDATES", "DS1", "EMERGENCIES", "LEARNING_S", "MARGIN_S", "WITHIN_S", "Episode",
    "annotations", "beat_errors", "beats_of",
    "bracketed", "delay_of", "detect", "episodes", "fibrillation_spans", "match",
]  # fmt: skip

DS1 = tuple(sorted(collection.DS1))
"""De Chazal's training half of MIT-BIH."""
CANDIDATES = (EcgCondition.ASYSTOLE, EcgCondition.BRADY, EcgCondition.TACHY)
EMERGENCIES = (EcgCondition.VF, EcgCondition.ASYSTOLE, EcgCondition.EXTREME_BRADY, EcgCondition.EXTREME_TACHY)
BEATS = frozenset(reference.CLASS_OF)


@dataclass(frozen=True)
class Episode:
    """An episode of one lane, in seconds; one still open ends at infinity."""

    condition: EcgCondition
    onset: float
    decided: float
    end: float
    sure: float
    """When it was more than a candidate; infinity: never."""


def detect(lead: Lead, rate_hz: float) -> NDArray[Any]:
    """All marks of one lead, taken in chunks of a second."""
    step = round(rate_hz)
    starts = np.arange(0, lead.samples.size, step)
    work = np.zeros(starts.size, WORK)
    work["first"] = work["index"] = starts
    work["count"] = np.minimum(step, lead.samples.size - starts)
    work["rate_hz"], work["contact"] = rate_hz, 1
    marks = np.zeros(mark_capacity(lead.samples.size, work.size), MARK)
    return marks[: advance(new_charts(1), work, lead.samples, marks)]


def episodes(marks: NDArray[Any], rate_hz: float) -> list[Episode]:
    """Episodes in order of opening."""
    found: list[Episode] = []
    for mark in marks[np.isin(marks["kind"], [Mark.OPEN, Mark.UPDATE, Mark.CLOSE])]:
        condition, decided = EcgCondition(int(mark["condition"])), mark["decided"] / rate_hz
        sure = decided if mark["confidence"] == 1.0 or condition not in CANDIDATES else np.inf
        if mark["kind"] == Mark.OPEN:
            found.append(Episode(condition, mark["onset"] / rate_hz, decided, np.inf, sure))
            continue
        last = max(i for i, e in enumerate(found) if e.condition == condition)
        if mark["kind"] == Mark.CLOSE:
            found[last] = replace(found[last], end=mark["index"] / rate_hz)
        else:
            found[last] = replace(found[last], sure=min(found[last].sure, sure))
    return found


def annotations(path: Path) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Samples, symbols and texts, in order of time."""
    found = reference.read(path, 1.0, 0)
    assert found is not None, f"{path} has no annotations"
    return found.sample, found.symbol, list(found.text)


def bracketed(sample: NDArray[Any], symbol: NDArray[Any], end: int) -> list[tuple[int, int]]:
    """`[` to `]`; one left open runs to the end."""
    return _noted(sample, symbol, [""] * sample.size, 1.0, end).bracketed()


def match(theirs: NDArray[Any], found: NDArray[Any], within: int) -> NDArray[np.bool_]:
    """Which reference beats have a partner, then which found ones; one to one."""
    partner = ec57.partners(theirs, found, within)
    used = np.zeros(found.size, bool)
    used[partner[partner >= 0]] = True
    return np.concatenate([partner >= 0, used])


def beat_errors(
    theirs: NDArray[Any],
    found: NDArray[Any],
    rate_hz: float,
    left_out: list[tuple[int, int]],
    start_s: float = LEARNING_S,
) -> tuple[int, int, int]:
    """TP, FN, FP by AAMI EC57."""
    both = match(theirs, found, round(WITHIN_S * rate_hz))
    hit, used = both[: theirs.size], both[theirs.size :]
    counts = ec57.counts_at(theirs, start_s * rate_hz, left_out)
    made_up = ~used & ec57.counts_at(found, start_s * rate_hz, left_out)
    return int((hit & counts).sum()), int((~hit & counts).sum()), int(made_up.sum())


def fibrillation_spans(
    path: Path, name: str, length: int, rate: float
) -> tuple[list[tuple[str, float, float]], list[tuple[float, float]]]:
    """Annotated VF and VT, and stretches called NOISE, in seconds."""
    found = _noted(*annotations(path), rate, length)
    return episode_scoring.annotated(found, collection.NAMES.get(name, collection.Collection.OTHER))


def beats_of(marks: NDArray[Any]) -> NDArray[Any]:
    """R peaks."""
    return np.asarray(marks["index"][marks["kind"] == Mark.BEAT])


def delay_of(begin: float, end: float, found: list[Episode]) -> float | None:
    """Seconds from the onset of an annotated stretch to the first finding that meets it in time; None: missed."""
    hits = [e.decided for e in found if e.onset <= end and e.end >= begin and e.decided <= end + MARGIN_S]
    return max(0.0, min(hits) - begin) if hits else None


def _noted(
    sample: NDArray[Any], symbol: NDArray[Any], text: list[str], rate_hz: float, length: int
) -> reference.Annotations:
    return reference.Annotations(rate_hz=rate_hz, length=length, sample=sample, symbol=symbol, text=tuple(text))
