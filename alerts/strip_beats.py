"""The beats of an alert's strip, by the very detector of the live way run over the archived ECG around it. Pure.

Deterministic: the same samples give the same beats. Must never tell a beat where there is no sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alerts import ecg_paper
from stream.recording import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WARM_UP_S = 120.0
"""So much before the strip: thresholds, templates and 64 beats for fibrillation are learned from it."""
AFTER_S = 3.0
"""So much behind it: a beat is told half a second after its peak, its class after the next."""
CLASSES = ("N", "S", "V", "Q", "P")
"""By `BeatClass`; P: paced."""
Span = tuple[float, float]
"""Seconds of the strip."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One heart beat."""

    at_s: float
    """R peak, since the strip begins."""
    kind: str
    """One of `CLASSES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the detector says of the strip."""

    beats: tuple[Beat, ...]
    bad: tuple[Span, ...]
    """Where the signal could not be judged."""
    spans: dict[str, tuple[Span, ...]]
    """Where each condition was present, by its name."""

    def has(self, *conditions: str) -> bool:
        """Whether one of them was present at some time of the strip."""
        return any(self.spans.get(one) for one in conditions)


class UnfitRate(ValueError):
    """The detector takes no signal of this rate."""


def heard(samples: NDArray[np.int16], rate_hz: float, from_s: float, seconds: float) -> Heard:
    """What the detector says of `seconds` from `from_s` on, having heard all of `samples` (int16 uV, MISSING where none).

    Raises:
        UnfitRate: too slow or too fast for the detector.
    """
    from stream.ecg.advance import FASTEST_HZ, SLOWEST_HZ, advance, mark_capacity
    from stream.ecg.chart import new_charts
    from stream.ecg.marks import MARK, WORK, Mark, Quality
    from stream.ecg_feed import CONDITIONS

    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        raise UnfitRate(f"{rate_hz:g} samples a second: the detector takes {SLOWEST_HZ} to {FASTEST_HZ}")
    # As chunks come: gaps are told by the indices. The last row starts afresh, which tells what was still open.
    rows = [(0, a, b - a, a, rate_hz, 0, 1, 0.0, 0.0) for a, b in ecg_paper.runs(samples != MISSING)]
    if not rows:
        return Heard(beats=(), bad=((0.0, seconds),), spans={})
    work = np.array([*rows, (0, 0, 0, samples.size, rate_hz, 1, 1, 0.0, 0.0)], WORK)
    marks = np.empty(mark_capacity(samples.size, work.size), MARK)
    marks = marks[: advance(new_charts(1), work, samples, marks)]
    beats = marks[marks["kind"] == Mark.BEAT]["index"].astype(int)
    classes = marks[marks["kind"] == Mark.CLASS]["beat"].astype(int)
    kinds = [*classes.tolist(), *[0] * (beats.size - classes.size)]  # the last are not told apart yet
    told = sorted((index, CLASSES[kind]) for index, kind in zip(beats.tolist(), kinds, strict=True))
    place = {index: Beat(index / rate_hz - from_s, kind) for index, kind in told if samples[index] != MISSING}
    grades = marks[marks["kind"] == Mark.QUALITY]
    bad = _between([(int(one["index"]), one["value"] == Quality.BAD) for one in grades], samples.size)
    spans: dict[str, tuple[Span, ...]] = {}
    for number, (condition, _, _) in CONDITIONS.items():
        said = marks[(marks["condition"] == number) & np.isin(marks["kind"], (Mark.OPEN, Mark.CLOSE))]
        edges = [
            (int(one["onset"] if one["kind"] == Mark.OPEN else one["index"]), one["kind"] == Mark.OPEN) for one in said
        ]
        if found := _within(_between(edges, samples.size), rate_hz, from_s, seconds):
            spans[str(condition)] = found
    return Heard(
        beats=tuple(one for one in place.values() if 0 <= one.at_s < seconds),
        bad=_within(bad, rate_hz, from_s, seconds),
        spans=spans,
    )


def _between(edges: Sequence[tuple[int, bool]], end: int) -> list[tuple[int, int]]:
    """Stretches that edges (sample, whether it begins) make; what does not end lasts to `end`."""
    found: list[tuple[int, int]] = []
    since: int | None = None
    for at, begins in edges:
        if begins and since is None:
            since = at
        elif not begins and since is not None:
            found.append((since, at))
            since = None
    return found if since is None else [*found, (since, end)]


def _within(spans: Sequence[tuple[int, int]], rate_hz: float, from_s: float, seconds: float) -> tuple[Span, ...]:
    cut = ((max(a / rate_hz - from_s, 0.0), min(b / rate_hz - from_s, seconds)) for a, b in spans)
    return tuple((a, b) for a, b in cut if b > a)
