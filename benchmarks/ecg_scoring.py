"""Scores of the ECG kernels against annotations: by the rules of AAMI EC57 for beats, event by event for episodes."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK, EcgCondition, Mark
from stream.recording import Lead

# fmt: off
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)
"""De Chazal's training half of MIT-BIH."""
# fmt: on

CANDIDATES = (EcgCondition.ASYSTOLE, EcgCondition.BRADY, EcgCondition.TACHY)
EMERGENCIES = (EcgCondition.VF, EcgCondition.ASYSTOLE, EcgCondition.EXTREME_BRADY, EcgCondition.EXTREME_TACHY)
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
LEARNING_S = 300.0
WITHIN_S = 0.150
MARGIN_S = 10.0


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
    import wfdb

    ann: Any = wfdb.rdann(str(path), "atr")
    order = np.argsort(ann.sample, kind="stable")
    return np.asarray(ann.sample)[order], np.asarray(ann.symbol)[order], [ann.aux_note[i].strip("\x00") for i in order]


def bracketed(sample: NDArray[Any], symbol: NDArray[Any], end: int) -> list[tuple[int, int]]:
    """`[` to `]`; one left open runs to the end."""
    spans, start = [], None
    for at, what in zip(sample, symbol, strict=True):
        if what == "[" and start is None:
            start = int(at)
        elif what == "]" and start is not None:
            spans.append((start, int(at)))
            start = None
    return spans + ([(start, end)] if start is not None else [])


def match(reference: NDArray[Any], found: NDArray[Any], within: int) -> NDArray[np.bool_]:
    """Which reference beats and which found ones have a partner, one to one, nearest first in time order."""
    hit, used = np.zeros(reference.size, bool), np.zeros(found.size, bool)
    i = j = 0
    while i < reference.size and j < found.size:
        apart = found[j] - reference[i]
        if abs(apart) > within:
            i, j = (i + 1, j) if apart > 0 else (i, j + 1)
        elif j + 1 < found.size and abs(found[j + 1] - reference[i]) < abs(apart):
            j += 1
        elif i + 1 < reference.size and abs(reference[i + 1] - found[j]) < abs(apart):
            i += 1
        else:
            hit[i] = used[j] = True
            i, j = i + 1, j + 1
    return np.concatenate([hit, used])


def beat_errors(
    reference: NDArray[Any],
    found: NDArray[Any],
    rate_hz: float,
    left_out: list[tuple[int, int]],
    start_s: float = LEARNING_S,
) -> tuple[int, int, int]:
    """TP, FN, FP by AAMI EC57."""
    both = match(reference, found, round(WITHIN_S * rate_hz))
    hit, used = both[: reference.size], both[reference.size :]

    def counts(at: NDArray[Any]) -> NDArray[np.bool_]:
        keep = at >= start_s * rate_hz
        for a, b in left_out:
            keep &= ~((at >= a) & (at <= b))
        return np.asarray(keep)

    return (
        int((hit & counts(reference)).sum()),
        int((~hit & counts(reference)).sum()),
        int((~used & counts(found)).sum()),
    )


def fibrillation_spans(
    path: Path, collection: str, length: int, rate: float
) -> tuple[list[tuple[str, float, float]], list[tuple[float, float]]]:
    """Annotated VF and VT, and stretches called NOISE, in seconds."""
    sample, symbol, text = annotations(path)
    if collection == "cudb":
        return [("VF", a / rate, b / rate) for a, b in bracketed(sample, symbol, length)], []
    changes = [(int(s), t.strip()[1:]) for s, t in zip(sample, text, strict=True) if t.startswith("(")]
    spans = [(w, a / rate, b / rate) for (a, w), b in zip(changes, [c[0] for c in changes[1:]] + [length], strict=True)]
    named = {"VF": "VF", "VFIB": "VF", "VFL": "VF", "VT": "VT"}
    return [(named[w], a, b) for w, a, b in spans if w in named], [(a, b) for w, a, b in spans if w == "NOISE"]


def beats_of(marks: NDArray[Any]) -> NDArray[Any]:
    """R peaks."""
    return np.asarray(marks["index"][marks["kind"] == Mark.BEAT])


def delay_of(begin: float, end: float, found: list[Episode]) -> float | None:
    """Seconds from the onset of an annotated stretch to the first finding that meets it in time; None: missed."""
    hits = [e.decided for e in found if e.onset <= end and e.end >= begin and e.decided <= end + MARGIN_S]
    return max(0.0, min(hits) - begin) if hits else None
