"""The past pass: judge what came late, as if it had come in order. Pure: archived rows in, statements out.

A fresh chart runs over the archive around the late stretch; what it finds there joins the episodes that were already
told, under their ids, or is a new episode. Repeating a pass changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.ranges import EMPTY, normalise, subtract, union
from stream.ecg.chart import new_charts
from stream.ecg.marks import Mark, Quality
from stream.ecg_feed import CONDITIONS, Feed, grade_of, is_heard
from stream.ecg_statements import CANDIDATES, SETTLED_US
from stream.finding import Condition, Finding
from stream.instants import SECOND, instant, micros
from stream.lane import LaneChart, is_strip, remember, span_of
from stream.limits import limit, rates_bpm
from stream.statement import cleared, is_open, opened, revised
from stream.strip_statements import again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gateway.reading import EcgChunk
    from stream.assignments import Assignments
    from stream.household import Household, Lane
    from stream.moment import Moment

QUIET_US = 30 * SECOND
"""A pass waits until nothing late came for so long."""
PATIENCE_US = 600 * SECOND
"""At latest after this the pass runs over what is there."""
MARGIN_US = 120 * SECOND
"""Archive read before and after the late stretch."""
PIECE_US = 3600 * SECOND
"""At most so much late signal in one position, so that the present never waits."""
MERGE_GAP_US = 10 * SECOND
"""Episodes of one condition closer than this are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEpisode:
    """What a fresh chart found in archived signal."""

    patient: str
    condition: Condition
    opened: str
    onset_us: int
    last_us: int
    """Last sample that supports it."""
    end_us: int | None
    """None: present at the end of what was read."""
    confidence: float
    evidence: dict[str, float | int | str]


def is_ripe(lane: LaneChart, listening_us: int) -> bool:
    """Whether a pass over the lane is due at this tick."""
    if lane.due_since_us < 0:
        return False
    return listening_us - lane.due_last_us >= QUIET_US or listening_us - lane.due_since_us >= PATIENCE_US


def run_pass(household: Household, lane: Lane, moment: Moment) -> list[Finding]:
    """Judge the lane's late stretch, at most `PIECE_US` of it; the ledger and the rest of `due` are updated."""
    chart = lane.chart
    first_us, end_us = chart.due_from_us, min(chart.due_to_us, chart.due_from_us + PIECE_US)
    rows = moment.history.chunks(chart.key, first_us - MARGIN_US, end_us + MARGIN_US, moment.position)
    limits = {name: patient.limits for name, patient in household.patients.items()}
    found = past_pass(chart, rows, moment.assignments, limits, (first_us, end_us), moment.on_past_marks)
    judged = [e for e in found if e.patient in household.patients and not household.patients[e.patient].benched]
    said = [s for episode in judged if (s := join(household, lane, episode, moment)) is not None]
    if is_strip(chart.key):
        watched = {name: own for name, own in limits.items() if not household.patients[name].benched}
        said += again(lane, rows, (first_us, end_us), watched, moment)
    is_last = end_us >= chart.due_to_us
    passed = chart.due if is_last else _within(rows, chart, end_us)
    chart.judged_past = union(chart.judged_past, passed)
    chart.due = subtract(chart.due, passed)
    chart.due_from_us = end_us
    if is_last:
        chart.due, chart.due_since_us, chart.due_last_us = EMPTY, -1, -1
    return said


def past_pass(
    lane: LaneChart,
    rows: Sequence[EcgChunk],
    assignments: Assignments,
    limits: Mapping[str, Mapping[str, float]],
    due: tuple[int, int],
    on_marks: Callable[[Feed, NDArray[np.void]], None] | None = None,
) -> list[PastEpisode]:
    """Episodes of the archived rows (by `at`) that meet the due stretch (microseconds), in order of onset.

    `limits` are those in force now, by patient; `on_marks` is told of every mark.
    """
    fresh = LaneChart(lane.key)
    feed = Feed()
    for chunk in rows:
        patient = assignments.resolve(chunk.device, None, micros(chunk.at))
        if patient is not None:
            feed.add(fresh, 0, chunk, patient, rates_bpm(limits.get(patient, {})))
    marks = feed.run(new_charts(1))
    if on_marks is not None:
        on_marks(feed, marks)
    episodes: list[PastEpisode] = []
    standing: dict[int, PastEpisode] = {}
    for mark in marks.tolist():
        _, work, kind, number, index, onset, decided, value, second, confidence, _ = mark
        row = feed.rows[work]
        if kind == Mark.OPEN and is_heard(lane, kind, number):
            condition, *names = CONDITIONS[number]
            standing[number] = PastEpisode(
                patient=row.patient, condition=condition, opened=f"{row.session}:{index}", onset_us=row.time_of(onset),
                last_us=row.time_of(decided), end_us=None, confidence=confidence,
                evidence={
                    "device": lane.key[2], "stream": lane.key[3], "session": row.session, "first_index": onset,
                    "last_index": decided, "rate_hz": row.rate_hz,
                    **{name: float(n) for name, n in zip(names, (value, second), strict=True) if name},
                    **({"candidate": int(confidence < 1.0)} if condition in CANDIDATES else {}),
                },
            )  # fmt: skip
        elif kind == Mark.UPDATE and number in standing and confidence == 1.0:
            sure = {key: 0 if key == "candidate" else told for key, told in standing[number].evidence.items()}
            standing[number] = replace(standing[number], evidence=sure)
        elif kind == Mark.CLOSE and number in standing:
            episode = standing.pop(number)
            is_lost = feed.work[work][5] and not episode.opened.startswith(f"{row.session}:")
            end_us = None if is_lost else row.time_of(index)
            episodes.append(replace(episode, end_us=end_us, last_us=end_us or episode.last_us))
    if standing:
        # Present in the last sample that was read: that sample supports it.
        _, last_us = span_of(rows[-1])
        episodes += [replace(episode, last_us=last_us) for episode in standing.values()]
    meeting = [e for e in episodes if e.onset_us <= due[1] and (e.end_us is None or e.end_us >= due[0])]
    return sorted(meeting, key=lambda e: (e.onset_us, e.condition, e.opened))


def join(household: Household, lane: Lane, past: PastEpisode, moment: Moment) -> Finding | None:
    """The statement that a past episode needs: a revision of one already told, a new one, or none."""
    chart = lane.chart
    late_us = round(limit(household.patients[past.patient].limits, "late_s") * SECOND)
    grade = grade_of(moment.ecg.rows, lane.slot) if lane.slot >= 0 else Quality.BAD
    has_later = grade <= Quality.FAIR and chart.frontier_us - past.last_us >= SETTLED_US
    end_us = past.last_us if past.end_us is None and has_later else past.end_us
    before = _touching(chart.recent, past, end_us)
    if before is not None:
        said = _widened(before, past, end_us, moment, late_us)
    else:
        said = opened(
            past.patient, past.condition, stream=f"{chart.key[2]}/{chart.key[3]}", opened_at=past.opened,
            onset_us=past.onset_us, at_us=past.last_us, confidence=past.confidence, evidence=past.evidence,
        )  # fmt: skip
        if end_us is not None:
            said = cleared(said, at_us=end_us, end_us=end_us, is_late=moment.tick_us - end_us > late_us)
        else:
            chart.unseen = (*chart.unseen, said.episode)
    if said is not None:
        chart.recent = remember(chart.recent, said)
    return said


def _widened(before: Finding, past: PastEpisode, end_us: int | None, moment: Moment, late_us: int) -> Finding | None:
    onset_us = min(micros(before.onset), past.onset_us)
    if is_open(before) or before.end is None:
        return revised(before, at_us=micros(before.at), onset_us=onset_us) if onset_us < micros(before.onset) else None
    if end_us is None:
        end_us = past.last_us
    last_us = max(micros(before.end), end_us)
    if onset_us == micros(before.onset) and last_us == micros(before.end):
        return None
    said = cleared(before, at_us=last_us, end_us=last_us, is_late=moment.tick_us - last_us > late_us)
    return replace(said, onset=instant(onset_us))


def _touching(recent: Sequence[Finding], past: PastEpisode, end_us: int | None) -> Finding | None:
    for told in recent:
        if told.condition is not past.condition or told.subject != past.patient or told.withdrawn:
            continue
        starts_before = end_us is None or micros(told.onset) - MERGE_GAP_US <= end_us
        if starts_before and (told.end is None or micros(told.end) + MERGE_GAP_US >= past.onset_us):
            return told
    return None


def _within(rows: Sequence[EcgChunk], chart: LaneChart, end_us: int) -> tuple[tuple[int, int], ...]:
    judged = normalise((chunk.seq, chunk.seq) for chunk in rows if micros(chunk.at) < end_us)
    return subtract(chart.due, subtract(chart.due, judged))
