"""One recording through the product and through every scoring that its collection asks for. Runs in worker processes.

A recording that cannot be read is named and costs nothing else; an answer that the product did not give counts as missed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from alerts.validation import alarm_scoring, ec57, episode_scoring, rhythm_scoring, strip_scoring
from alerts.validation.collection import PROTOCOLS, Collection, Protocol, alarm_second
from alerts.validation.judgement import judge
from alerts.validation.peers import PEERS, beats_by
from alerts.validation.reference import read
from stream.recording import BadRecord, Recording, open_record

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.validation.bootstrap import Counts
    from alerts.validation.episode_scoring import Event
    from alerts.validation.judgement import Alarm, Episode, Judgement
    from alerts.validation.reference import Annotations

EVERY = 10
"""Of delays and offsets of beats every tenth is kept: enough for a percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be examined."""

    source: str
    collection: Collection
    path: Path
    truth: tuple[str, ...] = ()
    """What the collection's table says of it."""
    peers: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Examined:
    """One recording with everything that was counted on it."""

    task: Task
    seconds: float = 0.0
    cpu_s: float = 0.0
    counts: dict[str, Counts] = field(default_factory=dict)
    """By what was scored: a `Protocol`, or `qrs:PEER`, `af_or_flutter`."""
    values: dict[str, list[float]] = field(default_factory=dict)
    """What is told as a percentile: delays and offsets in seconds, by name."""
    said: Judgement | None = None
    events: tuple[Event, ...] = ()
    false_episodes: tuple[Episode, ...] = ()
    false_alarms: tuple[Alarm, ...] = ()
    answer: str = ""
    """Of a strip: the class given; of an arrest alarm: confirmed or refused."""
    remark: str = ""
    """What was left out on it, and why."""
    error: str = ""
    """Why it could not be read; empty: it was."""

    @property
    def record(self) -> str:
        """Its name."""
        return self.task.path.name


def examine(task: Task) -> Examined:
    """Play, judge, score. Never raises for a recording that cannot be read."""
    found = Examined(task=task)
    protocols = PROTOCOLS[task.collection]
    try:
        recording = open_record(task.path, "all" if Protocol.ARREST in protocols else None)
        reference = read(task.path, recording.rate_hz, recording.leads[0].samples.size)
    except (BadRecord, ValueError, OSError, IndexError) as error:
        found.error = f"{type(error).__name__}: {error}"
        return found
    found.seconds = recording.leads[0].samples.size / recording.rate_hz
    if Protocol.STRIPS in protocols:
        _strip(found, recording)
        return found
    said = found.said = judge(recording)
    found.cpu_s = said.cpu_s
    if Protocol.ARREST in protocols:
        _arrest(found, said)
    if Protocol.ALARMS in protocols:
        found.counts[Protocol.ALARMS] = alarm_scoring.alarms_a_day(said)
    if reference is None:
        if Protocol.ARREST not in protocols:
            found.remark = "no annotations (.atr): only its alarms are counted"
        return found
    _against(found, said, reference, protocols)
    for name in task.peers if Protocol.QRS in protocols else ():
        _peer(found, name, recording, reference)
    return found


def _against(found: Examined, said: Judgement, reference: Annotations, protocols: tuple[Protocol, ...]) -> None:
    """Everything that needs the annotators."""
    if Protocol.QRS in protocols:
        found.counts[Protocol.QRS] = ec57.beat_counts(reference, said.beats)
        found.values["waited"] = said.waited_s[::EVERY].tolist()
        found.values["offset"] = ec57.offsets(reference, said.beats)[::EVERY].tolist()
    if Protocol.CLASSES in protocols and found.record not in ec57.PACED:
        found.counts[Protocol.CLASSES] = ec57.class_pairs(reference, said.beats, said.classes)
    if Protocol.AF in protocols:
        found.counts[Protocol.AF] = rhythm_scoring.fibrillation_counts(reference, said)
        found.counts["af_or_flutter"] = rhythm_scoring.either_counts(reference, said)
    if Protocol.EPISODES in protocols:
        hunt = episode_scoring.hunt(reference, said, found.task.collection)
        found.counts[Protocol.EPISODES] = hunt.counts
        found.events, found.false_episodes = hunt.events, hunt.false
        found.values["delay"] = [e.delay_s for e in hunt.events if e.is_long and e.delay_s is not None]
    if Protocol.CALM in protocols:
        is_calm = found.task.collection is Collection.NSRDB
        counts, found.false_alarms = alarm_scoring.false_emergencies(reference, said, is_calm=is_calm)
        found.counts[Protocol.CALM] = counts


def _arrest(found: Examined, said: Judgement) -> None:
    kind, truth = found.task.truth
    is_confirmed = alarm_scoring.confirms(kind, said, alarm_second(found.seconds))
    found.counts[Protocol.ARREST] = alarm_scoring.arrest_counts(kind, truth == "1", is_confirmed)
    found.answer = "confirmed" if is_confirmed else "refused"


def _strip(found: Examined, recording: Recording) -> None:
    """A hand-held strip meets the judge of strips; one that it refuses got no answer."""
    from stream.strips.judge import judge_strip
    from stream.strips.tracing import BadStrip

    begin = time.process_time()
    try:
        found.answer = str(judge_strip(recording.leads[0].samples, recording.rate_hz).strip_class)
    except BadStrip as error:
        found.answer, found.remark = strip_scoring.NONE, str(error)
    found.cpu_s = time.process_time() - begin
    found.counts[Protocol.STRIPS] = strip_scoring.answer(found.task.truth[0], found.answer)


def _peer(found: Examined, name: str, recording: Recording, reference: Annotations) -> None:
    """A peer that fails on a recording has found nothing there."""
    try:
        beats, took = beats_by(name, recording.leads[0], recording.rate_hz)
    except Exception as error:  # noqa: BLE001 - another's detector may fail in any way
        beats, took = np.zeros(0, np.int64), 0.0
        found.remark += f"{name} failed ({type(error).__name__}: {error}). "
    found.counts[f"qrs:{name}"] = {**ec57.beat_counts(reference, beats), "cpu_s": took, "seconds": found.seconds}


def known_peers(asked: bool) -> tuple[str, ...]:
    """Names of the peers to run."""
    from alerts.validation.peers import absent

    return tuple(name for name in PEERS if name not in absent()) if asked else ()
