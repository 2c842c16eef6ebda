"""Readings into a patient's ring, and what the ring says. Pure.

The ring is judged anew with each reading; what changed against what was told becomes a statement, under the id it had.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from gateway.reading import Reading, ReadingKind
from stream.finding import Condition, Finding
from stream.household import Kept, PatientChart
from stream.instants import SECOND, instant, micros
from stream.lane import remember
from stream.limits import limit
from stream.pressure import Stretch, crises
from stream.statement import Evidence, clean, cleared, is_open, opened, revised, withdrawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.moment import Moment

RING = 512
"""Readings kept of a kind: more than ten days of a measurement every half hour."""
PRESSURE_CONDITIONS = (Condition.BP_CRISIS, Condition.BP_CRISIS_UNCONFIRMED)


def keep(patient: PatientChart, reading: Reading) -> bool:
    """Take a reading into its ring; returns whether its kind is judged here."""
    if reading.kind is not ReadingKind.BLOOD_PRESSURE:
        return False
    ring = list(patient.pressure)
    insort(ring, Kept(micros(reading.at), reading), key=lambda kept: (kept.at_us, kept.reading.stream, kept.reading.seq))
    patient.pressure = tuple(ring[-RING:])
    return True


def drop(patient: PatientChart, is_anothers: Callable[[Kept], bool]) -> bool:
    """Take another person's readings out of the ring; returns whether there were any."""
    kept = tuple(k for k in patient.pressure if not is_anothers(k))
    has_changed = len(kept) != len(patient.pressure)
    patient.pressure = kept
    return has_changed


def restate(patient: PatientChart, moment: Moment, *, is_correction: bool = False) -> list[Finding]:
    """Statements that bring what was told in line with the ring, in order of onset."""
    said: list[Finding] = []
    told: set[object] = set()
    late_us = round(limit(patient.limits, "late_s") * SECOND)
    for stretch in crises(patient.pressure, patient.limits, moment.tick_us):
        before = _told(patient, stretch)
        if before is not None:
            told.add(before.episode)
        said += _statements(patient, stretch, before, moment, late_us)
    for before in patient.recent:
        if before.condition not in PRESSURE_CONDITIONS or before.episode in told or before.withdrawn:
            continue
        if is_correction and (is_open(before) or _in_ring(patient, before)):
            said.append(withdrawn(before, at_us=micros(before.at), why="wrong_person"))
        elif is_open(before):
            evidence = clean({"superseded": 1})
            said.append(cleared(before, at_us=micros(before.at), end_us=micros(before.onset), evidence=evidence))
    for finding in said:
        patient.recent = remember(patient.recent, finding)
    return said


def expires_us(patient: PatientChart) -> int | None:
    """The tick at which an unanswered first crisis is over; None: nothing waits."""
    waiting = [f for f in patient.recent if f.condition is Condition.BP_CRISIS_UNCONFIRMED and is_open(f)]
    return min((micros(f.onset) + round(limit(patient.limits, "bp_repeat_max_s") * SECOND) for f in waiting), default=None)


def _statements(patient: PatientChart, stretch: Stretch, before: Finding | None, moment: Moment, late_us: int) -> list[Finding]:
    evidence: Evidence = {
        "device": stretch.device,
        "stream": ReadingKind.BLOOD_PRESSURE,
        "systolic_mmhg": stretch.systolic_mmhg,
        "diastolic_mmhg": stretch.diastolic_mmhg,
    }
    said: list[Finding] = []
    if before is None:
        before = opened(
            patient.patient, stretch.condition, stream=f"{stretch.device}/blood_pressure", opened_at=stretch.opened,
            onset_us=stretch.onset_us, at_us=stretch.last_us, evidence=evidence,
        )  # fmt: skip
        said.append(before)
    elif _differs(before, stretch, evidence):
        before = revised(before, at_us=stretch.last_us, onset_us=stretch.onset_us, evidence=evidence)
        said.append(before)
    if stretch.end_us is not None and (before.end is None or before.end != instant(stretch.end_us) or before.present):
        is_late = moment.tick_us - stretch.last_us > late_us
        said.append(cleared(before, at_us=stretch.end_us, end_us=stretch.end_us, is_late=is_late))
        # A stretch that was over before it was told is told once.
        said = said[-1:]
    return said


def _differs(before: Finding, stretch: Stretch, evidence: Evidence) -> bool:
    is_changed = any(before.evidence.get(key) != value for key, value in evidence.items())
    return is_changed or before.onset != instant(stretch.onset_us) or (stretch.end_us is None and not before.present)


def _told(patient: PatientChart, stretch: Stretch) -> Finding | None:
    for before in patient.recent:
        if before.condition is not stretch.condition or before.withdrawn:
            continue
        if before.opened == stretch.opened:
            return before
        until_us = stretch.end_us if stretch.end_us is not None else stretch.last_us
        ended_us = micros(before.end) if before.end else micros(before.at)
        if micros(before.onset) < until_us and ended_us > stretch.onset_us:
            return before
    return None


def _in_ring(patient: PatientChart, finding: Finding) -> bool:
    return not patient.pressure or patient.pressure[0].at_us <= micros(finding.onset)
