"""Which errors deserve a picture: the worst of each kind, few of one recording. Pure.

What is chosen is what a reader should see first: beats missed or made up close together, classes confused, AF and VF
missed, late or for nothing, alarms that were wrong. Must never leave a kind of error out because another is frequent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alerts.validation import ec57, rhythm_scoring
from alerts.validation.alarm_scoring import SPARED
from alerts.validation.collection import Collection, Protocol, alarm_second
from alerts.validation.episode_scoring import IN_TIME_S
from alerts.validation.kinds import AF, ARREST, CALM, CLASSES, EPISODES, QRS, STRIPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from alerts.validation.examine import Examined
    from alerts.validation.judgement import Judgement
    from alerts.validation.reference import Annotations

SHORT_S, LONG_S = 7.2, 14.4
"""How much is drawn: of beats, and of rhythms."""
MOST = 8
"""Pictures of one kind ..."""
OF_ONE = 2
"""... and of one recording among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One stretch of one recording that shows an error."""

    section: str
    examined: Examined
    start_s: float
    seconds: float
    sentence: str
    weight: float
    """How bad; only compared with its own kind."""
    wrong_s: tuple[float, ...] = ()
    """Where the wrong beats are."""


def worst(examined: Sequence[Examined], reference_of: Callable[[Examined], Annotations | None]) -> list[Fault]:
    """The pictures of the report, section by section."""
    found: list[Fault] = []
    for one in examined:
        reference = reference_of(one)
        if one.said is not None and reference is not None:
            found += [*_beats(one, one.said, reference), *_classes(one, one.said, reference)]
            found += [*_rhythms(one, one.said, reference), *_episodes(one), *_emergencies(one)]
        found += [*_arrest(one), *_strip(one)]
    chosen: list[Fault] = []
    for section in dict.fromkeys(fault.section for fault in found):
        chosen += _few([fault for fault in found if fault.section == section])
    return chosen


def _few(faults: list[Fault]) -> list[Fault]:
    """The worst, at most `OF_ONE` of a recording, unless there are no others."""
    ranked = sorted(faults, key=lambda f: (-f.weight, f.examined.task.source, f.examined.record, f.start_s))
    number: dict[str, int] = {}
    chosen = []
    for fault in ranked:
        key = f"{fault.examined.task.source}/{fault.examined.record}"
        number[key] = number.get(key, 0) + 1
        if number[key] <= OF_ONE:
            chosen.append(fault)
    return chosen[:MOST]


def _beats(one: Examined, said: Judgement, reference: Annotations) -> Iterable[Fault]:
    if Protocol.QRS not in one.counts:
        return
    pairs = ec57.paired(reference, said.beats)
    missed = reference.beats()[0][pairs.missed] / reference.rate_hz
    extra = said.beats[pairs.extra] / reference.rate_hz
    for start, inside in _windows(np.concatenate([missed, extra])):
        few = [int(((part >= start) & (part < start + SHORT_S)).sum()) for part in (missed, extra)]
        yield Fault(
            section=QRS, examined=one, start_s=start, seconds=SHORT_S, weight=len(inside), wrong_s=inside,
            sentence=f"{_number(few[0], 'beat')} missed, {few[1]} made up",
        )  # fmt: skip


def _classes(one: Examined, said: Judgement, reference: Annotations) -> Iterable[Fault]:
    if Protocol.CLASSES not in one.counts or not said.beats.size:
        return
    pairs = ec57.paired(reference, said.beats)
    samples, theirs = reference.beats()
    hit = pairs.hit
    ours = said.classes[pairs.partner[hit]]
    at, real = samples[hit] / reference.rate_hz, theirs[hit]
    for group in "VS":
        missed = (real == group) & (ours != group)
        false = (ours == group) & (real != group) & ~np.isin(real, list(ec57.FORGIVEN[group]))
        for start, inside in _windows(at[missed | false]):
            within = (at >= start) & (at < start + SHORT_S)
            numbers = int((missed & within).sum()), int((false & within).sum())
            yield Fault(
                section=CLASSES, examined=one, start_s=start, seconds=SHORT_S, weight=len(inside), wrong_s=inside,
                sentence=f"{numbers[0]} {group} not called so, {numbers[1]} called {group} for nothing",
            )  # fmt: skip


def _rhythms(one: Examined, said: Judgement, reference: Annotations) -> Iterable[Fault]:
    if Protocol.AF not in one.counts:
        return
    for start, end, what in rhythm_scoring.wrong(reference, said):
        yield Fault(
            section=AF, examined=one, start_s=max(0.0, start - 3.0), seconds=LONG_S, weight=end - start,
            sentence=f"AF {'missed' if what == 'missed' else 'said for nothing'} for {end - start:.0f} s",
        )  # fmt: skip


def _episodes(one: Examined) -> Iterable[Fault]:
    for event in one.events:
        if not event.is_long or (event.delay_s is not None and event.delay_s <= IN_TIME_S):
            continue
        told = "missed" if event.delay_s is None else f"told after {event.delay_s:.1f} s"
        yield Fault(
            section=EPISODES, examined=one, start_s=max(0.0, event.start_s - 3.0), seconds=LONG_S,
            weight=1e6 if event.delay_s is None else 1e3 * event.delay_s,
            sentence=f"{event.kind} of {event.end_s - event.start_s:.0f} s {told}",
        )  # fmt: skip
    for episode in one.false_episodes:
        length = min(episode.end_s, one.seconds) - episode.onset_s
        yield Fault(
            section=EPISODES, examined=one, start_s=max(0.0, episode.onset_s - 3.0), seconds=LONG_S, weight=length,
            sentence=f"{episode.condition.upper()} said for nothing, for {length:.0f} s",
        )  # fmt: skip


def _emergencies(one: Examined) -> Iterable[Fault]:
    for alarm in one.false_alarms:
        yield Fault(
            section=CALM, examined=one, start_s=max(0.0, alarm.onset_s - 3.0), seconds=LONG_S, weight=1.0,
            sentence=f"false emergency: {_words(alarm.condition)}, raised at {alarm.raised_s:.0f} s",
        )  # fmt: skip


def _arrest(one: Examined) -> Iterable[Fault]:
    if Protocol.ARREST not in one.counts:
        return
    kind, truth = one.task.truth
    is_true, is_confirmed = truth == "1", one.answer == "confirmed"
    if is_true == is_confirmed:
        return
    weight = (2.0 if is_true else 0.0) + (1.0 if kind in SPARED else 0.0)
    yield Fault(
        section=ARREST, examined=one, start_s=max(0.0, alarm_second(one.seconds) - LONG_S), seconds=LONG_S, weight=weight,
        sentence=f"{_words(kind).lower()}: " + ("a true alarm was refused" if is_true else "a false alarm was confirmed"),
    )  # fmt: skip


def _strip(one: Examined) -> Iterable[Fault]:
    if one.task.collection is not Collection.CHALLENGE2017 or not one.answer or one.answer == one.task.truth[0]:
        return
    names = {"N": "normal", "A": "AF", "O": "another rhythm", "~": "noisy"}
    weight = 2.0 if "A" in {one.answer, one.task.truth[0]} else 1.0
    yield Fault(
        section=STRIPS, examined=one, start_s=0.0, seconds=min(LONG_S, one.seconds), weight=weight,
        sentence=f"is {names.get(one.task.truth[0], one.task.truth[0])}, was called {names.get(one.answer, 'nothing')}",
    )  # fmt: skip


def _windows(at: NDArray[np.float64]) -> list[tuple[float, tuple[float, ...]]]:
    """(start, the errors inside) of stretches that hold errors, the fullest first, none overlapping."""
    left = np.sort(at)
    found: list[tuple[float, tuple[float, ...]]] = []
    while left.size and len(found) < OF_ONE:
        ends = np.searchsorted(left, left + SHORT_S - 2.0, side="right")
        first = int(np.argmax(ends - np.arange(left.size)))
        inside = left[first : ends[first]]
        start = max(0.0, float(inside[0] + inside[-1]) / 2 - SHORT_S / 2)
        found.append((start, tuple(inside.tolist())))
        left = left[(left < start - SHORT_S) | (left > start + 2 * SHORT_S)]
    return found


def _number(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _words(name: str) -> str:
    return name.replace("_", " ")
