"""From hand-held strips to statements: when a strip is over, what its judge says, how long that stands. Pure.

A strip is one session of a stream `ecg/strip/...`. It is read from the archive and judged as a whole once the next one
begins or nothing more comes; sample by sample only fibrillation and standstill are heard in it (`stream.ecg_feed`).
What it shows stands until a newer strip shows otherwise, at most for the patient's `strip_s`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.reading import MISSING_SAMPLE
from stream.finding import Condition, Finding
from stream.instants import SECOND, micros
from stream.lane import remember
from stream.limits import limit
from stream.statement import clean, cleared, is_open, opened, revised
from stream.strips.judge import StripClass, judge_strip
from stream.strips.tracing import LONGEST_S, BadStrip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gateway.reading import EcgChunk
    from stream.household import Lane
    from stream.lane import LaneChart
    from stream.moment import Moment
    from stream.statement import Evidence

STILL_US = 10 * SECOND
"""A strip to which nothing was added for so long is over: longer than the wait for a hole, and than any piece a device sends."""
LONGEST_US = round(LONGEST_S * SECOND)
"""What a session holds beyond this is not judged."""

CONDITIONS: Mapping[StripClass, Condition] = {
    StripClass.AF: Condition.STRIP_AF,
    StripClass.OTHER: Condition.STRIP_OTHER,
    StripClass.UNREADABLE: Condition.STRIP_UNREADABLE,
}
"""What each class is told as; a normal strip is told by ending what stood before it."""
_OURS = frozenset(CONDITIONS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One session of a stream of strips, put together."""

    session: str
    first_index: int
    at_us: int
    """Instant of the first sample."""
    rate_hz: float
    samples: NDArray[np.int16]
    """Microvolts; -32768 where nothing was measured or nothing came."""

    @property
    def end_us(self) -> int:
        """Instant after the last sample."""
        return self.at_us + round(self.samples.size * SECOND / self.rate_hz)


def take(lane: Lane, chunk: EcgChunk, at_us: int, own: Mapping[str, float], moment: Moment) -> list[Finding]:
    """Note a chunk that is next in its lane, before it is fed; a session that begins ends the one before it."""
    chart, said = lane.chart, []
    if chart.session != chunk.session:
        said = finish(lane, own, moment) if chart.strip_is_due else []
        chart.strip_from_us = at_us
    chart.strip_is_due = True
    return said


def at_tick(lane: Lane, own: Mapping[str, float], moment: Moment) -> list[Finding]:
    """A strip that is over is judged; what an old one said stands no longer."""
    chart = lane.chart
    is_over = chart.strip_is_due and moment.listening_us - chart.heard_us >= STILL_US
    said = finish(lane, own, moment) if is_over else []
    stands_us = round(limit(own, "strip_s") * SECOND)
    for before in [f for f in chart.recent if f.condition in _OURS and is_open(f)]:
        until_us = micros(before.at) + stands_us
        if until_us <= moment.tick_us:
            said.append(_say(chart, cleared(before, at_us=until_us, end_us=until_us)))
    return said


def wake_us(chart: LaneChart, own: Mapping[str, float], moment: Moment) -> int | None:
    """Listening time at which `at_tick` has something to say; None: nothing waits."""
    stands_us = round(limit(own, "strip_s") * SECOND)
    wakes = [
        moment.listening_us + max(micros(f.at) + stands_us - moment.tick_us, 0)
        for f in chart.recent
        if f.condition in _OURS and is_open(f)
    ]
    if chart.strip_is_due:
        wakes.append(chart.heard_us + STILL_US)
    return min(wakes, default=None)


def finish(lane: Lane, own: Mapping[str, float], moment: Moment) -> list[Finding]:
    """Judge the session that was gathered."""
    chart = lane.chart
    chart.strip_is_due = False
    first_us, patient = chart.strip_from_us, chart.patient
    rows = moment.history.chunks(chart.key, first_us - LONGEST_US, first_us + LONGEST_US, moment.position)
    strip = assembled([chunk for chunk in rows if chunk.session == chart.session])
    return tell(chart, patient, strip, own, moment) if strip is not None and patient else []


def again(
    lane: Lane,
    rows: Sequence[EcgChunk],
    span_us: tuple[int, int],
    limits: Mapping[str, Mapping[str, float]],
    moment: Moment,
) -> list[Finding]:
    """Judge anew the sessions that begin in or reach into a span of the archive (`stream.past`)."""
    chart, said = lane.chart, []
    for session in dict.fromkeys(chunk.session for chunk in rows):
        if chart.strip_is_due and session == chart.session:
            continue  # it is judged when it is over
        strip = assembled([chunk for chunk in rows if chunk.session == session])
        if strip is None or strip.at_us > span_us[1] or strip.end_us < span_us[0]:
            continue
        patient = moment.assignments.resolve(chart.key[2], None, strip.at_us)
        if patient is not None and patient in limits:
            said += tell(chart, patient, strip, limits[patient], moment)
    return said


def assembled(chunks: Sequence[EcgChunk]) -> Strip | None:
    """The chunks of one session (by `at`) as one strip; what did not come is missing. None: there are none."""
    if not chunks:
        return None
    first = min(chunks, key=lambda chunk: (chunk.index, chunk.seq))
    most = round(LONGEST_S * first.rate_hz)
    last = min(max(chunk.index + len(chunk.samples) // 2 for chunk in chunks) - first.index, most)
    samples = np.full(last, MISSING_SAMPLE, np.int16)
    for chunk in sorted(chunks, key=lambda chunk: (chunk.index, chunk.seq)):
        begin = chunk.index - first.index
        part = np.frombuffer(chunk.samples, "<i2")[: max(most - begin, 0)]
        if chunk.contact:
            samples[begin : begin + part.size] = part
    return Strip(
        session=first.session, first_index=first.index, at_us=micros(first.at), rate_hz=first.rate_hz, samples=samples
    )


def tell(chart: LaneChart, patient: str, strip: Strip, own: Mapping[str, float], moment: Moment) -> list[Finding]:
    """What follows from a strip: its own statement, and the end of those that older strips left standing."""
    condition, confidence, evidence = _judged(strip)
    opened_at = f"{strip.session}:{strip.first_index}"
    is_readable = condition is not Condition.STRIP_UNREADABLE
    said: list[Finding] = []
    told: Finding | None = None
    for before in [f for f in chart.recent if f.condition in _OURS and f.subject == patient and not f.withdrawn]:
        if before.opened == opened_at and before.condition is condition:
            told = before
        elif before.opened == opened_at and is_open(before):
            # More of it came, and changed the verdict.
            said.append(cleared(before, at_us=strip.end_us, end_us=micros(before.onset), evidence={"superseded": 1}))
        elif is_open(before) and micros(before.onset) < strip.at_us and (is_readable or before.kind == "technical"):
            said.append(cleared(before, at_us=strip.end_us, end_us=strip.at_us))
    if condition is not None:
        said += _stated(chart, patient, strip, told, (condition, confidence, evidence), own, moment)
    if is_readable:
        chart.strip_read_us = max(chart.strip_read_us, strip.at_us)
    return [_say(chart, finding) for finding in said]


def _stated(
    chart: LaneChart,
    patient: str,
    strip: Strip,
    told: Finding | None,
    verdict: tuple[Condition, float, Evidence],
    own: Mapping[str, float],
    moment: Moment,
) -> list[Finding]:
    """The statement of a strip that is not normal; over at once where a newer strip was read, or it is too old to stand."""
    condition, confidence, evidence = verdict
    if told is not None:
        is_same = clean(evidence).items() <= told.evidence.items()
        if is_same or not is_open(told):
            return []
        return [revised(told, at_us=strip.end_us, evidence=evidence, confidence=confidence)]
    found = opened(
        patient, condition, stream=f"{chart.key[2]}/{chart.key[3]}", opened_at=f"{strip.session}:{strip.first_index}",
        onset_us=strip.at_us, at_us=strip.end_us, confidence=confidence,
        evidence={"device": chart.key[2], "stream": chart.key[3], "session": strip.session, **evidence},
    )  # fmt: skip
    age_us = moment.tick_us - strip.end_us
    if strip.at_us >= chart.strip_read_us and age_us < limit(own, "strip_s") * SECOND:
        return [found]
    is_late = age_us > limit(own, "late_s") * SECOND
    over = cleared(found, at_us=strip.end_us, end_us=strip.end_us, is_late=is_late)
    return [replace(over, revision=1)]


def _judged(strip: Strip) -> tuple[Condition | None, float, Evidence]:
    """Condition (None: normal), confidence and evidence of a strip."""
    evidence: Evidence = {
        "first_index": strip.first_index,
        "last_index": strip.first_index + strip.samples.size - 1,
        "rate_hz": strip.rate_hz,
    }
    try:
        verdict = judge_strip(strip.samples, strip.rate_hz)
    except BadStrip as error:
        return Condition.STRIP_UNREADABLE, 1.0, evidence | {"class": str(StripClass.UNREADABLE), "why": str(error)}
    evidence |= {"class": str(verdict.strip_class), "confidence": verdict.confidence, **verdict.reasons}
    return CONDITIONS.get(verdict.strip_class), verdict.confidence, evidence


def _say(chart: LaneChart, found: Finding) -> Finding:
    chart.recent = remember(chart.recent, found)
    return found
