"""A device was somebody else's all along: what was told of the wrong person is withdrawn, the right one is judged. Pure.

Making an assignment is the same thing seen from nobody: what lay unjudged in the archive is judged now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream import vitals_past
from stream.finding import Finding, SubjectKind
from stream.instants import micros
from stream.lane import remember
from stream.past import QUIET_US
from stream.statement import withdrawn

if TYPE_CHECKING:
    from stream.assignments import Span
    from stream.command import AssignmentChanged
    from stream.household import Household, Lane
    from stream.moment import Moment


def reassign(household: Household, change: AssignmentChanged, span: Span, moment: Moment) -> list[Finding]:
    """Statements that follow from a new assignment; the assignments of the moment hold it already."""
    said: list[Finding] = []
    for _, lane in sorted(household.lanes.items()):
        if lane.chart.key[2] == change.device:
            said += _withdraw(lane, span, moment)
            _judge_again(lane, span, moment)
    return said + vitals_past.moved(household, change, span, moment)


def _withdraw(lane: Lane, span: Span, moment: Moment) -> list[Finding]:
    chart, said = lane.chart, []
    for told in (*chart.recent, *chart.withheld):
        onset_us = micros(told.onset)
        if told.withdrawn or told.subject_kind is not SubjectKind.PATIENT or not span.first <= onset_us < span.end:
            continue
        if moment.assignments.resolve(chart.key[2], None, onset_us) != told.subject:
            said.append(withdrawn(told, at_us=micros(told.at), why="wrong_person"))
    withheld = {f.episode for f in chart.withheld}
    for finding in said:
        chart.recent = remember(chart.recent, finding)
        chart.unseen = tuple(e for e in chart.unseen if e != finding.episode)
    chart.withheld = tuple(f for f in chart.withheld if f.episode not in {s.episode for s in said})
    return [finding for finding in said if finding.episode not in withheld]


def _judge_again(lane: Lane, span: Span, moment: Moment) -> None:
    """Ask for a past pass over what of the span lies behind the lane's frontier."""
    chart = lane.chart
    first_us, end_us = span.first, min(span.end, chart.frontier_us)
    if chart.frontier_us == 0 or end_us <= first_us or not chart.key[3].startswith("ecg"):
        return
    first_us = max(first_us, chart.first_us)
    if chart.due_since_us < 0:
        chart.due_from_us, chart.due_to_us, chart.due_since_us = first_us, end_us, moment.listening_us
        # Nothing more is expected: the pass is ripe at once.
        chart.due_last_us = moment.listening_us - QUIET_US
    chart.due_from_us, chart.due_to_us = min(chart.due_from_us, first_us), max(chart.due_to_us, end_us)
