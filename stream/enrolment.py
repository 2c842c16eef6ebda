"""Devices that were given to a patient and have never sent a measurement: waited for, then told. Pure.

Counted in listening time from the assignment on. That a gateway hears the device is no measurement; and a device that
was heard once is never waited for again: its silence is another condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.finding import Condition, Finding
from stream.household import Enrolled, Household, PatientChart
from stream.instants import SECOND, micros
from stream.lane import remember
from stream.limits import limit
from stream.statement import cleared, is_open, opened

if TYPE_CHECKING:
    from stream.command import AssignmentChanged
    from stream.moment import Moment


def assign(household: Household, change: AssignmentChanged, moment: Moment) -> None:
    """A device was given to somebody, or taken away; the assignments of the moment hold it already."""

    def is_theirs(patient: str, slot: int | None, from_us: int) -> bool:
        return moment.assignments.resolve(change.device, slot, max(from_us, moment.tick_us)) == patient

    for name, patient in household.patients.items():
        patient.enrolled = tuple(
            one for one in patient.enrolled if one.device != change.device or is_theirs(name, one.slot, one.at_us)
        )
    begin_us = micros(change.from_at)
    if (
        change.patient is None
        or _is_known(household, change.device)
        or not is_theirs(change.patient, change.slot, begin_us)
    ):
        return
    patient = household.patients[change.patient]
    if any((one.device, one.slot) == (change.device, change.slot) for one in patient.enrolled):
        return
    ahead_us = max(begin_us - moment.tick_us, 0)
    waited = Enrolled(change.device, change.slot, moment.tick_us + ahead_us, moment.listening_us + ahead_us)
    patient.enrolled = (*patient.enrolled, waited)


def reported(patient: PatientChart, device: str, slot: int | None) -> None:
    """A measurement of this device came and is this patient's."""
    patient.enrolled = tuple(one for one in patient.enrolled if one.device != device or one.slot not in (None, slot))


def conclude(patient: PatientChart, moment: Moment) -> list[Finding]:
    """At a tick: devices that were waited for long enough, and those that are waited for no more."""
    open_ones = [f for f in patient.recent if f.condition is Condition.NEVER_REPORTED and is_open(f)]
    if not (patient.enrolled or open_ones):
        return []
    patience_us = round(limit(patient.limits, "never_reported_s") * SECOND)
    waited = {_opened_at(one): one for one in patient.enrolled if _is_theirs(patient, one, moment)}
    said = [
        cleared(before, at_us=moment.second_us, end_us=moment.second_us)
        for before in open_ones
        if before.opened not in waited
    ]
    told = {before.opened for before in open_ones}
    for mark, one in waited.items():
        if mark not in told and moment.listening_us - one.since_us >= patience_us:
            said.append(
                opened(
                    patient.patient,
                    Condition.NEVER_REPORTED,
                    stream=one.device,
                    opened_at=mark,
                    onset_us=one.at_us,
                    at_us=moment.second_us,
                    evidence={"device": one.device, "cause": "never_reported"},
                )
            )
    for found in said:
        patient.recent = remember(patient.recent, found)
    return said


def wake_us(patient: PatientChart) -> int | None:
    """Listening time at which a wait is over; None: nothing is waited for that was not told."""
    if not patient.enrolled:
        return None
    told = {f.opened for f in patient.recent if f.condition is Condition.NEVER_REPORTED and is_open(f)}
    patience_us = round(limit(patient.limits, "never_reported_s") * SECOND)
    return min((one.since_us + patience_us for one in patient.enrolled if _opened_at(one) not in told), default=None)


def _opened_at(one: Enrolled) -> str:
    return f"{one.device}/{one.slot}:{one.at_us}"


def _is_theirs(patient: PatientChart, one: Enrolled, moment: Moment) -> bool:
    return moment.assignments.resolve(one.device, one.slot, max(one.at_us, moment.tick_us)) == patient.patient  # type: ignore[arg-type]


def _is_known(household: Household, device: str) -> bool:
    """Whether a measurement of this device came before it was given to anybody."""
    return any(
        key[2] == device and lane.chart.gear is None and lane.chart.heard_us >= 0
        for key, lane in household.lanes.items()
    )
