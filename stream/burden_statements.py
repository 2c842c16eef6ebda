"""What is much ectopy, within an hour: from the counts of the kernels to statements. Pure.

Counts outlive sessions and lost signal, so a finding of this kind ends only when an hour of judged signal shows that it
has become less. Must never judge an hour of which less than half was heard.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from stream.burden import Burden, Count
from stream.ecg.marks import BeatClass
from stream.finding import Condition, Finding
from stream.instants import SECOND
from stream.lane import remember
from stream.statement import cleared, open_of, opened, revised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.ecg_feed import Row
    from stream.statement import Evidence

HOUR_US = 3600 * SECOND
DAY_US = 24 * HOUR_US
ENOUGH_S = 1800
"""So much of an hour must have been heard."""
CONDITIONS = frozenset({Condition.V_BURDEN, Condition.ECTOPY})

V_PERCENT, V_PERCENT_BACK = 10.0, 8.0
"""V burden from which a doctor should know (detection.md), and below which that is over."""
V_AN_HOUR, V_AN_HOUR_BACK = 30, 20
"""Frequent ventricular beats, grade 2 of Lown (1971), Circulation 44:130."""
ECTOPIC_PERCENT, ECTOPIC_PERCENT_BACK = 3.0, 2.0
"""V and S together; above what a classifier's errors make of a healthy heart (0.5 %, in one of nine people 2 %)."""


def hear(row: Row, mark: tuple[float, ...]) -> list[Finding]:
    """Take one of the three marks of a stretch in (V, S, AF, in this order); with the last, what is to be said."""
    lane = row.lane
    index, decided, value, of, beat = int(mark[4]), int(mark[6]), float(mark[7]), int(mark[8]), int(mark[10])
    at_us = row.time_of(decided)
    if beat == BeatClass.V:
        before = lane.burden if lane.burden.patient == row.patient else Burden(patient=row.patient)
        kept = tuple(count for count in before.stretches if count.end_us > at_us - HOUR_US)
        lane.burden = replace(before, stretches=(*kept, Count(end_us=at_us, beats=of, v=int(value))))
        return []
    *older, newest = lane.burden.stretches
    if beat == BeatClass.S:
        lane.burden = replace(lane.burden, stretches=(*older, replace(newest, s=int(value))))
        return []
    newest = replace(newest, seconds=of, af_s=value)
    *hours, last = lane.burden.hours or (Count(end_us=0),)
    is_new_hour = last.end_us // HOUR_US != at_us // HOUR_US
    hours = [count for count in [*hours, last] if count.end_us > at_us - DAY_US] if is_new_hour else hours
    hours.append(newest if is_new_hour else last.plus(newest))
    lane.burden = replace(lane.burden, stretches=(*older, newest), hours=tuple(hours))
    return _say(row, f"{row.session}:{index}", at_us, is_new_hour=is_new_hour)


def _say(row: Row, opened_at: str, at_us: int, *, is_new_hour: bool) -> list[Finding]:
    """What begins, ends, or (once an hour) goes on."""
    lane, hour = row.lane, total(row.lane.burden.stretches)
    facts: Evidence = {"device": lane.key[2], "stream": lane.key[3], **evidence(lane.burden)}
    is_enough = hour.seconds >= ENOUGH_S
    said: list[Finding] = []
    for condition, begins, goes_on in (
        (Condition.ECTOPY, *_ectopy(hour)),
        (Condition.V_BURDEN, hour.percent(hour.v) > V_PERCENT, hour.percent(hour.v) >= V_PERCENT_BACK),
        (Condition.AF, False, True),
    ):
        before = open_of(lane.recent, condition, row.patient)
        if before is None and begins and is_enough:
            stream, first = f"{lane.key[2]}/{lane.key[3]}", lane.burden.stretches[0]
            onset_us = first.end_us - first.seconds * SECOND
            said.append(
                opened(row.patient, condition, stream=stream, opened_at=opened_at, onset_us=onset_us, at_us=at_us,
                       evidence=facts)
            )  # fmt: skip
        elif before is not None and not goes_on and is_enough:
            said.append(cleared(before, at_us=at_us, end_us=at_us, evidence=facts))
        elif before is not None and is_new_hour:
            said.append(revised(before, at_us=at_us, evidence=facts))
    for found in said:
        lane.recent = remember(lane.recent, found)
    return said


def _ectopy(hour: Count) -> tuple[bool, bool]:
    """Whether ectopic beats are frequent, and whether they are so still where they were."""
    percent = hour.percent(hour.v + hour.s)
    return (
        hour.v >= V_AN_HOUR or percent > ECTOPIC_PERCENT,
        hour.v >= V_AN_HOUR_BACK or percent >= ECTOPIC_PERCENT_BACK,
    )


def total(counts: Iterable[Count]) -> Count:
    """All of them together."""
    return reduce(Count.plus, counts, Count(end_us=0))


def evidence(burden: Burden) -> Evidence:
    """The last hour and the last day, as they go into a finding."""
    told: Evidence = {}
    for name, count in (("hour", total(burden.stretches)), ("day", total(burden.hours))):
        told |= {
            f"{name}_heard_s": count.seconds,
            f"{name}_beats": count.beats,
            f"{name}_v": count.v,
            f"{name}_v_percent": round(count.percent(count.v), 2),
            f"{name}_s": count.s,
            f"{name}_s_percent": round(count.percent(count.s), 2),
            f"{name}_af_s": round(count.af_s, 1),
        }
    return told
