"""From the kernels' marks to statements about a lane's episodes. Pure.

Losing sight of an episode (a new session, a gap) never ends it: only later signal that can be judged does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stream import burden_statements, leads
from stream.ecg.marks import Mark, Quality
from stream.ecg_feed import CONDITIONS, grade_of
from stream.finding import Condition, Finding
from stream.instants import SECOND, instant, micros
from stream.lane import GRADES_KEPT, LaneChart, remember
from stream.limits import limit
from stream.statement import Evidence, cleared, is_open, open_of, opened, revised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.ecg_feed import Row
    from stream.household import Household, Lane
    from stream.moment import Moment

SETTLED_US = 10 * SECOND
"""So much judged signal without the condition ends an episode that was lost from sight."""
STALLED_US = 6 * SECOND
"""A lane that got nothing for so long has said its last for now (the wait for a hole)."""
CANDIDATES = frozenset({Condition.ASYSTOLE, Condition.BRADY, Condition.TACHY})
"""Conditions that a lane tells as a candidate first, with less than full confidence; `candidate` in the evidence says so."""
NOTED = frozenset({int(Mark.BEAT), int(Mark.QUALITY)})
"""Marks that say nothing by themselves, but are remembered."""


def note(row: Row, mark: tuple[float, ...]) -> None:
    """Remember a beat, or a change of the signal's grade."""
    lane = row.lane
    if mark[2] == Mark.BEAT:
        at_us, decided_us = row.time_of(int(mark[4])), row.time_of(int(mark[6]))
        lane.beats = leads.noted(lane.beats, at_us, decided_us, mark[8], mark[9] > 0)
    else:
        lane.grades = (*lane.grades[1 - GRADES_KEPT :], (row.time_of(int(mark[6])), int(mark[7])))


def hear(row: Row, mark: tuple[float, ...], is_restart: bool, tick_us: int, late_us: int) -> Finding | None:  # noqa: PLR0911
    """What a mark says, if it is to be said now. `mark` holds the fields of `MARK` in order."""
    lane = row.lane
    kind, number, index, onset, decided, value, second, confidence = mark[2:10]
    at_us = row.time_of(int(decided))
    condition, first_name, second_name = CONDITIONS[int(number)]
    evidence: Evidence = {name: float(n) for name, n in ((first_name, value), (second_name, second)) if name}
    evidence["last_index"] = int(decided)
    if condition in CANDIDATES and kind != Mark.CLOSE:
        evidence["candidate"] = int(confidence < 1.0)
    before = _newest(lane, condition, row.patient)
    if kind == Mark.OPEN:
        if before is not None:
            lane.unseen = tuple(e for e in lane.unseen if e != before.episode)
            if before.evidence.get("candidate") == 0:
                evidence.pop("candidate", None)  # what was sure once stays so
            return _say(lane, revised(before, at_us=at_us, evidence=evidence))
        found = opened(
            row.patient,
            condition,
            stream=f"{lane.key[2]}/{lane.key[3]}",
            opened_at=f"{row.session}:{int(index)}",
            onset_us=row.time_of(int(onset)),
            at_us=at_us,
            confidence=float(confidence),
            evidence={
                "device": lane.key[2], "stream": lane.key[3], "session": row.session,
                "first_index": int(onset), "rate_hz": row.rate_hz, **evidence,
            },
        )  # fmt: skip
        if condition in leads.CONTRADICTED_BY or tick_us - at_us > late_us:
            lane.withheld = (*lane.withheld, found)
            return None
        return _say(lane, found)
    if before is None or before.episode in lane.unseen:
        return None
    if kind == Mark.UPDATE:
        onset_us = row.time_of(int(onset))
        sure = float(confidence) if condition in CANDIDATES else None
        return _say(lane, revised(before, at_us=at_us, onset_us=onset_us, evidence=evidence, confidence=sure))
    if is_restart and not before.opened.startswith(f"{row.session}:"):
        lane.unseen = (*lane.unseen, before.episode)
        return None
    end_us = row.time_of(int(index))
    return _say(
        lane, cleared(before, at_us=at_us, end_us=end_us, is_late=tick_us - end_us > late_us, evidence=evidence)
    )


def speak(household: Household, lane: Lane, moment: Moment, late_us: int) -> list[Finding]:
    """At a tick: what was withheld and can be said now, each statement as it was made; of what is past only the last."""
    chart, said = lane.chart, []
    for episode in dict.fromkeys(f.episode for f in chart.withheld):
        told = [f for f in chart.withheld if f.episode == episode]
        newest = told[-1]
        others = [one.chart for one in _siblings(household, lane) if not _has_stalled(one.chart, moment)]
        from_us = leads.weigh(chart, told, others, moment.listening_us)
        is_never = from_us == leads.NEVER_US
        is_late = moment.tick_us - chart.frontier_us > late_us
        if from_us is None or (is_late and is_open(newest) and not is_never and not _has_stalled(chart, moment)):
            continue
        leads.forget(chart, newest)
        chart.withheld = tuple(f for f in chart.withheld if f.episode != episode)
        if is_never:
            chart.unseen = tuple(e for e in chart.unseen if e != episode)
            continue
        is_past = moment.tick_us - micros(told[0].at) > late_us
        now = [newest] if is_past else leads.said_from(told, from_us)
        said += now
        chart.recent = remember(chart.recent, now[-1])
    return said


def settle(lane: Lane, moment: Moment, late_us: int) -> list[Finding]:
    """At a tick: end what was lost from sight and is shown to be over, or was another person's."""
    chart, said = lane.chart, []
    for before in filter(is_open, chart.recent):
        has_moved = before.subject != moment.assignments.resolve(chart.key[2], None, chart.frontier_us)
        is_counted = before.condition in burden_statements.CONDITIONS
        if (before.episode not in chart.unseen or is_counted) and not has_moved:
            continue
        last_us = micros(before.at)
        is_over = (
            grade_of(moment.ecg.rows, lane.slot) <= Quality.FAIR
            and chart.frontier_us - max(last_us, chart.anchor_us) >= SETTLED_US
        )
        if is_over or has_moved:
            end = cleared(before, at_us=last_us, end_us=last_us, is_late=moment.tick_us - last_us > late_us)
            said.append(replace(end, at=instant(max(chart.frontier_us, last_us))))
    for end in said:
        chart.recent = remember(chart.recent, end)
        chart.unseen = tuple(e for e in chart.unseen if e != end.episode)
    return said


def silence(lane: Lane, limits: dict[str, float], moment: Moment) -> Finding | None:
    """At a tick: the signal's own time stands still (`NO_DATA`), or moves again. Of a device that is worn only."""
    chart = lane.chart
    if chart.patient is None or chart.heard_us < 0:
        return None
    is_worn = moment.assignments.resolve(chart.key[2], None, moment.tick_us) == chart.patient
    is_silent = is_worn and moment.listening_us - chart.heard_us >= limit(limits, "no_data_s") * SECOND
    before = open_of(chart.recent, Condition.NO_DATA)
    if is_silent and before is None:
        return _say(
            chart,
            opened(
                chart.patient,
                Condition.NO_DATA,
                stream=f"{chart.key[2]}/{chart.key[3]}",
                opened_at=f"{chart.session}:{chart.next_index}",
                onset_us=chart.frontier_us,
                at_us=moment.second_us,
                evidence={"device": chart.key[2], "stream": chart.key[3], "client": chart.key[0]},
            ),
        )
    if before is not None and not is_silent:
        return _say(chart, cleared(before, at_us=moment.second_us, end_us=moment.second_us))
    return None


def may_fall_silent(chart: LaneChart, moment: Moment) -> bool:
    """Whether the time alone can make a lane silent: it is worn, and not said to be silent already."""
    is_worn = moment.assignments.resolve(chart.key[2], None, moment.tick_us) == chart.patient
    return is_worn and open_of(chart.recent, Condition.NO_DATA) is None


def _newest(lane: LaneChart, condition: Condition, patient: str) -> Finding | None:
    """The newest statement of the open episode of a condition, said or withheld."""
    withheld = {f.episode: f for f in lane.withheld}
    return open_of(withheld.values(), condition, patient) or open_of(lane.recent, condition, patient)


def _say(lane: LaneChart, found: Finding) -> Finding | None:
    if any(f.episode == found.episode for f in lane.withheld):
        lane.withheld = (*lane.withheld, found)
        return None
    lane.recent = remember(lane.recent, found)
    return found


def _siblings(household: Household, lane: Lane) -> Iterable[Lane]:
    return (
        other
        for other in household.lanes.values()
        if other is not lane and other.slot >= 0 and other.chart.patient == lane.chart.patient
    )


def _has_stalled(chart: LaneChart, moment: Moment) -> bool:
    return moment.listening_us - chart.heard_us >= STALLED_US
