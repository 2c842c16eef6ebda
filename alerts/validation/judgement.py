"""What the product says of one recording: beats, rhythms, quality, episodes and alarms, in samples and seconds.

The whole way of `tierwatch replay` (chunks, Ward, findings, policy), nothing beside it; the result is what the files of
`replay` hold. Must never score: scoring reads a judgement and a reference.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.replay import NO_START, NORMAL, SYMBOLS, Marks, jsonl, judged, rhythm_changes
from alerts.validation.reference import CLASS_OF
from alerts.validation.spans import in_force, merged
from stream.ecg.marks import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from alerts.validation.spans import Span
    from stream.recording import Recording

CHUNK_S = 5.0
"""Nothing depends on it but the time it takes."""
PHYSIOLOGICAL = "PHYSIOLOGICAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode of one condition."""

    condition: str
    kind: str
    onset_s: float
    detected_s: float
    end_s: float
    """Infinite: still open at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alert as it sounded."""

    tier: str
    condition: str
    kind: str
    onset_s: float
    raised_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that was said of one recording."""

    rate_hz: float
    length: int
    beats: NDArray[np.int64]
    """R peaks of the first lead, in samples, ascending."""
    classes: NDArray[np.str_]
    """Their AAMI classes."""
    waited_s: NDArray[np.float64]
    """How long after its peak each was told."""
    rhythms: tuple[tuple[float, float, str], ...]
    """(start, end, label) in seconds, the label without its bracket."""
    grades: tuple[tuple[float, float, str], ...]
    """(start, end, grade) of the first lead's quality."""
    episodes: tuple[Episode, ...]
    alarms: tuple[Alarm, ...]
    cpu_s: float
    """What it took."""

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.length / self.rate_hz

    def in_rhythm(self, *labels: str) -> list[Span]:
        """Where one of the rhythms is in force."""
        return merged((start, end) for start, end, label in self.rhythms if label in labels)

    def of(self, *conditions: str) -> list[Episode]:
        """Episodes of the body, of these conditions."""
        return [e for e in self.episodes if e.condition in conditions and e.kind == PHYSIOLOGICAL]

    def cannot_judge(self) -> list[Span]:
        """Where it says so: the signal is BAD, or a technical finding is open."""
        spans = [(start, end) for start, end, grade in self.grades if grade == Quality.BAD.name]
        spans += [(e.onset_s, min(e.end_s, self.seconds)) for e in self.episodes if e.kind != PHYSIOLOGICAL]
        return merged(spans)


def judge(recording: Recording) -> Judgement:
    """Play a recording through the product."""
    begin = time.process_time()
    start = recording.start or NO_START
    marks = Marks()
    findings = list(judged(recording, start, CHUNK_S, marks))
    lines = list(jsonl(findings, start))
    took = time.process_time() - begin
    rate, length = recording.rate_hz, recording.leads[0].samples.size

    def within(at: int) -> int:  # as `replay` writes them: inside of the recording
        return min(max(at, 0), length - 1)

    rows = sorted(
        (within(at), SYMBOLS[beat], waited) for (at, beat), waited in zip(marks.beats, marks.waited, strict=True)
    )
    changes = [(0, NORMAL), *rhythm_changes(findings, start, rate)]
    return Judgement(
        rate_hz=rate,
        length=length,
        beats=np.array([row[0] for row in rows], np.int64),
        classes=np.array([CLASS_OF[row[1]] for row in rows], dtype="U1"),
        waited_s=np.array([row[2] for row in rows], float) / rate,
        rhythms=in_force([(within(at), label.removeprefix("(")) for at, label in changes], rate, length),
        grades=in_force([(within(at), Quality(grade).name) for at, grade in sorted(marks.grades)], rate, length),
        episodes=tuple(_episodes(lines)),
        alarms=tuple(_alarms(lines)),
        cpu_s=took,
    )


def _episodes(lines: Iterable[dict[str, Any]]) -> Iterable[Episode]:
    for line in lines:
        if line["type"] == "finding":
            yield Episode(
                condition=line["condition"],
                kind=line["kind"],
                onset_s=line["onset_s"],
                detected_s=line["detected_s"],
                end_s=math.inf if line["end_s"] is None else line["end_s"],
            )


def _alarms(lines: list[dict[str, Any]]) -> Iterable[Alarm]:
    kinds = {line["condition"]: line["kind"] for line in lines if line["type"] == "finding"}
    for line in lines:
        if line["type"] == "alert":
            yield Alarm(
                tier=line["tier"],
                condition=line["condition"],
                kind=kinds.get(line["condition"], PHYSIOLOGICAL),
                onset_s=line["onset_s"],
                raised_s=line["raised_s"],
            )
