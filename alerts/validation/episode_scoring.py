"""Ventricular fibrillation and tachycardia, event by event: found or not, how late, and what was found for nothing.

An episode is found by a finding that overlaps it and was decided no later than 10 s after its end. A finding away from
every episode by more than 10 s is false. Pure; must never count a stretch called NOISE by the annotators as calm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerts.validation.collection import Collection
from alerts.validation.spans import common_to, length, merged, without

if TYPE_CHECKING:
    from alerts.validation.bootstrap import Counts
    from alerts.validation.judgement import Episode, Judgement
    from alerts.validation.reference import Annotations
    from alerts.validation.spans import Span

MARGIN_S = 10.0
LONG_S = 5.0
"""Shorter ones are annotated too, but no monitor has to find them."""
IN_TIME_S = 7.0
_INSTANT_S = 1e-3
FIBRILLATION = ("VF", "VFIB", "VFL")
"""How MIT-BIH's files spell fibrillation and flutter of the ventricles."""
TACHYCARDIA = "VT"
FINDS = {"VF": ("vf", "vt", "vt_sustained"), "VT": ("vf", "vt", "vt_sustained", "nsvt")}
"""Which findings meet an episode: fibrillation and fast tachycardia look alike, both are an emergency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One annotated episode and when it was found."""

    kind: str
    start_s: float
    end_s: float
    delay_s: float | None
    """From its onset; None: missed."""

    @property
    def is_long(self) -> bool:
        """Whether it has to be found."""
        return self.end_s - self.start_s >= LONG_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What became of the episodes of one recording."""

    events: tuple[Event, ...]
    false: tuple[Episode, ...]
    counts: Counts
    """hours and false_s of calm time; false findings by condition; in_noise; unjudged: true or not, nobody annotated it."""


def annotated(reference: Annotations, collection: Collection) -> tuple[list[tuple[str, float, float]], list[Span]]:
    """(kind, start, end) of each episode in seconds, and the stretches of NOISE."""
    if collection is Collection.CUDB:
        return [("VF", a / reference.rate_hz, b / reference.rate_hz) for a, b in reference.bracketed()], []
    rhythms = reference.rhythms()
    kinds = {**dict.fromkeys(FIBRILLATION, "VF"), TACHYCARDIA: "VT"}
    noise = [(start, end) for start, end, label in rhythms if label == "NOISE"]
    return [(kinds[label], start, end) for start, end, label in rhythms if label in kinds], noise


def delay_of(kind: str, start: float, end: float, said: Judgement) -> float | None:
    """Seconds from the onset to the first finding that meets the episode; one open already counts as none; None: missed."""
    hits = [
        e.detected_s
        for e in said.of(*FINDS[kind])
        if e.onset_s <= end and e.end_s >= start and e.detected_s <= end + MARGIN_S
    ]
    return max(0.0, min(hits) - start) if hits else None


def hunt(reference: Annotations, said: Judgement, collection: Collection) -> Hunt:
    """Score one recording. CUDB has no annotations of tachycardia: a `vt` there may be true and counts apart."""
    episodes, noise = annotated(reference, collection)
    events = tuple(
        Event(kind=kind, start_s=start, end_s=end, delay_s=delay_of(kind, start, end, said))
        for kind, start, end in episodes
    )
    near = merged((start - MARGIN_S, end + MARGIN_S) for _, start, end in episodes)
    calm = without([(0.0, reference.seconds)], [*near, *noise])
    judgeable = ("vf",) if collection is Collection.CUDB else ("vf", "vt")
    away = [e for e in said.of("vf", "vt") if not common_to([_claimed(e, said)], near)]
    loud = [e for e in away if any(a <= e.onset_s < b or a <= e.detected_s < b for a, b in noise)]
    rest = [e for e in away if e not in loud]
    false = tuple(e for e in rest if e.condition in judgeable)
    long = [event for event in events if event.is_long]
    counts: Counts = {
        "hours": length(calm) / 3600,
        "false_s": length(common_to([_claimed(e, said) for e in said.of(*judgeable)], calm)),
        "in_noise": float(len(loud)),
        "unjudged": float(len(rest) - len(false)),
        "false": float(len(false)),
    }
    for kind in FINDS:
        of_kind = [event for event in long if event.kind == kind]
        counts |= {
            f"{kind}": float(len(of_kind)),
            f"{kind}_found": float(sum(1 for event in of_kind if event.delay_s is not None)),
            f"{kind}_in_time": float(sum(1 for e in of_kind if e.delay_s is not None and e.delay_s <= IN_TIME_S)),
        }
    return Hunt(events=events, false=false, counts=counts)


def _claimed(episode: Episode, said: Judgement) -> Span:
    """The time that a finding claims, within the recording; never empty."""
    return episode.onset_s, max(min(episode.end_s, said.seconds), episode.onset_s + _INSTANT_S)
