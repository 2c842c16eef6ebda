"""Scheduled measurements: when the next one is due, and which were missed. Pure.

A scheduled instant is missed when its time and tolerance are over and the stream has listened since for long enough that
whatever was measured would have come. So a server that was away makes no patient forgetful.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stream.finding import Condition, Finding
from stream.household import Measuring, PatientChart
from stream.instants import SECOND, instant, micros
from stream.lane import remember
from stream.statement import cleared, is_open, opened, revised

if TYPE_CHECKING:
    from stream.command import Timetable
    from stream.moment import Moment

GRACE_US = 120 * SECOND
"""Listened so long after a deadline: twice the longest pause in which a gateway sends again what has no receipt."""
REPEATED = 2
"""So many missed in a row are more than a slip."""
REMEMBERED = 16
"""Missed instants kept at most; the count in the evidence goes no further."""
CONDITIONS = frozenset({Condition.BP_MISSED, Condition.BP_MISSED_REPEATED})


def set_times(patient: PatientChart, times: Timetable | None, moment: Moment) -> None:
    """The plan says when to measure. What is due already under the same times stays so."""
    if patient.measuring is not None and patient.measuring.timetable == times:
        return
    tolerance_us = 0 if times is None else tolerance_of(times)
    patient.measuring = None if times is None else Measuring(times, after(times, moment.tick_us + tolerance_us))


def conclude(patient: PatientChart, moment: Moment) -> list[Finding]:
    """At a tick: what is decided by now, and what follows from it for what was told."""
    measuring = patient.measuring
    if measuring is not None:
        patient.measuring = measuring = _decided(patient, measuring, moment)
    missed = () if measuring is None else measuring.missed
    if not missed and not any(f.condition in CONDITIONS and is_open(f) for f in patient.recent):
        return []
    said = [*_level(patient, Condition.BP_MISSED, missed[:1], moment)]
    repeated = missed if len(missed) >= REPEATED else ()
    said += _level(patient, Condition.BP_MISSED_REPEATED, repeated, moment)
    for found in said:
        patient.recent = remember(patient.recent, found)
    return said


def wake_us(patient: PatientChart, moment: Moment) -> int | None:
    """Listening time at which the next instant may be decided; None: nothing is scheduled."""
    measuring = patient.measuring
    if measuring is None:
        return None
    if measuring.overdue_us >= 0:
        return measuring.overdue_us + GRACE_US
    deadline_us = measuring.next_us + tolerance_of(measuring.timetable)
    return moment.listening_us + max(deadline_us - moment.tick_us, 0)


def after(times: Timetable, us: int) -> int:
    """The first scheduled instant after `us`, microseconds. An hour that a clock change skips is taken as the hour after."""
    zone = ZoneInfo(times.zone)
    today = instant(us).astimezone(zone).date()
    days = (today + timedelta(days=n) for n in range(-1, 3))
    return min(at for at in chain.from_iterable(_of_day(times, day, zone) for day in days) if at > us)


def tolerance_of(times: Timetable) -> int:
    """Microseconds before and after."""
    return round(times.tolerance_s * SECOND)


def _of_day(times: Timetable, day: date, zone: ZoneInfo) -> list[int]:
    return [micros(datetime.combine(day, time.fromisoformat(one), zone)) for one in times.times]


def _decided(patient: PatientChart, measuring: Measuring, moment: Moment) -> Measuring:
    tolerance_us = tolerance_of(measuring.timetable)
    while moment.tick_us >= measuring.next_us + tolerance_us:
        next_us = measuring.next_us
        is_met = any(abs(kept.at_us - next_us) <= tolerance_us for kept in patient.pressure)
        if not is_met and measuring.overdue_us < 0:
            measuring = replace(measuring, overdue_us=moment.listening_us)
        if not is_met and moment.listening_us - measuring.overdue_us < GRACE_US:
            break
        missed = measuring.missed if is_met else (*measuring.missed, next_us)[-REMEMBERED:]
        measuring = replace(measuring, next_us=after(measuring.timetable, next_us), overdue_us=-1, missed=missed)
    if not measuring.missed or not patient.pressure:
        return measuring
    # Whoever measures, at whatever hour, has taken it up again.
    newest_us = patient.pressure[-1].at_us
    return replace(measuring, missed=tuple(us for us in measuring.missed if us - tolerance_us > newest_us))


def _level(patient: PatientChart, condition: Condition, missed: tuple[int, ...], moment: Moment) -> list[Finding]:
    before = next((f for f in patient.recent if f.condition is condition and is_open(f)), None)
    evidence: dict[str, float | int | str] = {"missed": len(missed), "cause": "not_measured"}
    if not missed:
        return [] if before is None else [cleared(before, at_us=moment.second_us, end_us=moment.second_us)]
    if before is None:
        return [
            opened(
                patient.patient,
                condition,
                stream="blood_pressure",
                opened_at=f"scheduled:{missed[-1]}",
                onset_us=missed[-1],
                at_us=moment.second_us,
                evidence=evidence,
            )
        ]
    if before.evidence.get("missed") == len(missed):
        return []
    return [revised(before, at_us=moment.second_us, evidence=evidence)]
