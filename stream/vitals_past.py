"""Readings older than their ring, and readings whose owner has changed: judged over the archive. Pure.

The past pass of readings (log.md, "Order and lateness" 4): the stretch around what came late is judged afresh, and what
is found there joins the episodes that were told, under their ids, or is new. Repeating it changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.reading import Reading, ReadingKind
from stream import glucose, glucose_lane, pressure, vitals
from stream.glucose_course import Course, Sample, sample_of
from stream.household import Due
from stream.instants import SECOND, micros
from stream.retelling import Scope, retell
from stream.ring import Kept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.assignments import Span
    from stream.command import AssignmentChanged
    from stream.finding import Finding
    from stream.household import Household, PatientChart
    from stream.moment import Moment
    from stream.stretch import Stretch

DAY_US = 86_400 * SECOND
BEFORE_US = DAY_US
AFTER_US = {ReadingKind.GLUCOSE: 6 * 3600 * SECOND, ReadingKind.BLOOD_PRESSURE: 7 * DAY_US}
"""Archive read before and after what came late: enough for how an event began and ended."""
PIECE_US = 14 * DAY_US
"""At most so much of it in one position, so that the present never waits."""


def run(patient: PatientChart, moment: Moment) -> list[Finding]:
    """At a tick: judge what is due, at most a piece of each stream beyond its ring; the rest stays due."""
    ripe_us = vitals.ripe_us(patient)
    if ripe_us is None or moment.listening_us < ripe_us:
        return []
    dues, patient.due = patient.due, ()
    said: list[Finding] = []
    rest: list[Due] = []
    for one in dues:
        piece = replace(one, to_us=min(one.to_us, one.from_us + PIECE_US))
        if piece != one:
            # Ripe at the next tick: the present comes in between.
            rest.append(replace(one, from_us=piece.to_us + 1, since_us=-vitals.PATIENCE_US))
        said += (
            _glucose(patient, piece, moment) if one.kind is ReadingKind.GLUCOSE else _pressure(patient, piece, moment)
        )
    patient.due = tuple(rest)
    return said


def moved(household: Household, change: AssignmentChanged, span: Span, moment: Moment) -> list[Finding]:
    """A device's readings of this span are somebody else's: withdrawn from one, judged for the other."""
    rows = moment.history.readings(change.device, span.first - DAY_US, span.end, moment.position)
    said: list[Finding] = []
    for name, patient in sorted(household.patients.items()):
        if patient.benched:
            continue
        mine = [r for r in rows if moment.assignments.resolve(r.device, r.slot, micros(r.at)) == name]
        said += _moved_pressure(patient, change, mine, moment)
        for stream in _streams(patient, change.device, mine):
            said += _moved_glucose(patient, change.device, stream, mine, span, moment)
    return said


def _streams(patient: PatientChart, device: str, mine: Iterable[Reading]) -> list[str]:
    streams = {str(r.stream) for r in mine if r.kind is ReadingKind.GLUCOSE}
    return sorted(streams | {lane.stream for lane in patient.glucose if lane.device == device})


def _moved_glucose(
    patient: PatientChart, device: str, stream: str, mine: Iterable[Reading], span: Span, moment: Moment
) -> list[Finding]:
    lane = vitals.lane_of(patient, device, stream)
    samples = _samples(r for r in mine if r.kind is ReadingKind.GLUCOSE and r.stream == stream)
    if lane.ring == tuple(samples[-glucose_lane.KEPT :]) and lane.base_us < span.first:
        return []
    # What lies after the span was, and stays, this patient's own.
    later = [s for s in lane.ring if s.at_us >= span.end]
    lane, ended = glucose_lane.made(lane, [*samples, *later], vitals.rules_of(patient, lane))
    vitals.put(patient, lane)
    return vitals.tell_glucose(patient, lane, ended, moment, is_whole=True, is_correction=True, from_us=span.first)


def _moved_pressure(
    patient: PatientChart, change: AssignmentChanged, mine: Iterable[Reading], moment: Moment
) -> list[Finding]:
    def is_mine(kept: Kept) -> bool:
        owner = moment.assignments.resolve(kept.reading.device, kept.reading.slot, kept.at_us)
        return kept.reading.device != change.device or owner == patient.patient

    before = patient.pressure
    patient.pressure = tuple(kept for kept in before if is_mine(kept))
    for reading in mine:
        is_new = reading.kind is ReadingKind.BLOOD_PRESSURE and all(
            kept.reading != reading for kept in patient.pressure
        )
        if is_new and not vitals.keep_pressure(patient, reading):
            vitals.due(patient, reading, moment)
    return [] if patient.pressure == before else vitals.restate_pressure(patient, moment, is_correction=True)


def _glucose(patient: PatientChart, piece: Due, moment: Moment) -> list[Finding]:
    lane = vitals.lane_of(patient, piece.device, piece.stream)
    rules = vitals.rules_of(patient, lane)
    said: list[Finding] = []
    if piece.from_us <= lane.base_us:
        early = [s for s in _samples(_rows(patient, piece, moment)) if s.at_us <= lane.base_us]
        course, ended = glucose.fold(Course(), early, rules)
        if piece.to_us + AFTER_US[piece.kind] >= lane.base_us:
            # It reaches to the ring: that is judged again, from the state that the archive leads to.
            # What was learnt of the patient is kept.
            lane, more = glucose_lane.again(replace(lane, base=course._replace(model=lane.base.model)), rules)
            vitals.put(patient, lane)
            ended += [*more, *glucose.standing(lane.tip, rules)]
        else:
            ended += glucose.closed(course, rules)
        said += _join(patient, ended, piece, moment)
    if piece.to_us > lane.base_us:
        lane, ended = glucose_lane.again(lane, rules)
        said += vitals.tell_glucose(patient, lane, ended, moment, is_whole=True)
    return said


def _pressure(patient: PatientChart, piece: Due, moment: Moment) -> list[Finding]:
    said: list[Finding] = []
    if piece.from_us <= patient.pressure_from_us:
        kept = [Kept(micros(r.at), r) for r in _rows(patient, piece, moment)]
        found = pressure.stretches(kept, patient.limits, moment.tick_us, with_mean=False)
        # The ring holds later readings: nothing of this is the last word.
        over = [s if s.end_us is not None else replace(s, end_us=s.last_us) for s in found]
        said += _join(patient, over, piece, moment)
    return said + vitals.restate_pressure(patient, moment) if piece.to_us > patient.pressure_from_us else said


def _rows(patient: PatientChart, piece: Due, moment: Moment) -> list[Reading]:
    rows = moment.history.readings(
        piece.device, piece.from_us - BEFORE_US, piece.to_us + AFTER_US[piece.kind], moment.position  # type: ignore[arg-type]
    )  # fmt: skip
    return [
        r
        for r in rows
        if (r.kind, r.stream) == (piece.kind, piece.stream)
        and moment.assignments.resolve(r.device, r.slot, micros(r.at)) == patient.patient
    ]


def _join(patient: PatientChart, stretches: Iterable[Stretch], piece: Due, moment: Moment) -> list[Finding]:
    meeting = [s for s in stretches if s.onset_us <= piece.to_us and (s.end_us is None or s.end_us >= piece.from_us)]
    conditions = {s.condition for s in meeting}
    scope = Scope(
        is_ours=lambda f: f.condition in conditions and vitals.key_of(f) == f"{piece.device}/{piece.stream}",
        widens_only=True,
    )
    return retell(patient, meeting, scope, moment)


def _samples(readings: Iterable[Reading]) -> list[Sample]:
    found = [sample for reading in readings if (sample := sample_of(reading)) is not None]
    return sorted(found, key=lambda s: s[:2])
