"""One household at one position: rows into order, order into charts, charts into statements. Pure.

`take` sorts the rows and fills the feed; the kernels run over the feeds of all households in one call; `conclude`
asks what the tick makes due. An exception in here benches a patient, never the house (`stream.ward`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.ranges import add, contains
from gateway.reading import Abandoned, Deferred, DeviceStatus, EcgChunk, Reading
from stream import (
    burden_statements,
    ecg_statements,
    enrolment,
    equipment,
    past,
    strip_statements,
    timetable,
    vitals,
    vitals_past,
)
from stream.batch import Quarantined, Repeated
from stream.command import AssignmentChanged, BenchLifted, LimitsChanged, SymptomReport
from stream.correction import reassign
from stream.ecg.marks import Mark
from stream.ecg_feed import is_heard
from stream.finding import Condition
from stream.household import Household, Lane, PatientChart
from stream.instants import SECOND, micros
from stream.lane import (
    HOLE_WAIT_US,
    NOTHING,
    Heard,
    LaneChart,
    Passed,
    arrive,
    expire,
    give_up,
    is_strip,
    late,
    remember,
    span_of,
)
from stream.limits import limit, rates_bpm
from stream.statement import cleared, open_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stream.batch import Admitted
    from stream.ecg_feed import Feed
    from stream.finding import Finding
    from stream.lane import LaneKey
    from stream.moment import Moment

OWNER_SILENT_US = 10 * SECOND
"""Another source's ECG of the same device and lead is judged only when its owner was silent for so long."""
NEVER_US = 2**62
_TOLD = (AssignmentChanged, LimitsChanged, BenchLifted)


def take(household: Household, rows: Sequence[Admitted], feed: Feed, moment: Moment) -> list[Finding]:
    """Put the rows of one position in order; what is ready goes into the feed (ECG) or is judged (readings)."""
    said: list[Finding] = []
    household.gear_is_due |= _has_told(rows)
    for row in rows:
        payload = row.payload
        if isinstance(payload, (EcgChunk, Reading, DeviceStatus)):
            lane = _lane(household, (row.client, row.epoch, payload.device, payload.stream))  # type: ignore[arg-type]
            heard = Heard(payload, micros(row.received_at), moment.position)
            said += _pass(household, lane, arrive(lane.chart, lane.hold, heard, moment.listening_us), feed, moment)
        elif isinstance(payload, (Abandoned, Deferred, Repeated)):
            lane = _lane(household, (row.client, row.epoch, payload.device, payload.stream))  # type: ignore[arg-type]
            passed = give_up(lane.chart, lane.hold, payload.first, payload.last, moment.listening_us)
            said += _pass(household, lane, passed, feed, moment)
        elif isinstance(payload, Quarantined):
            said += _quarantined(household, row, payload, feed, moment)
        elif isinstance(payload, AssignmentChanged):
            if payload.patient is not None:
                _patient(household, payload.patient)
            enrolment.assign(household, payload, moment)
            said += reassign(household, payload, moment.spans[row.ord], moment)
        elif isinstance(payload, LimitsChanged):
            said += _limits(_patient(household, payload.patient), payload, moment)
        elif isinstance(payload, BenchLifted):
            said += _lift(_patient(household, payload.patient), moment)
        elif isinstance(payload, SymptomReport):
            patient = _patient(household, payload.patient)
            moment.patient = patient.patient
            said += [] if patient.benched else vitals.report(patient, payload, moment)
    return said


def _has_told(rows: Sequence[Admitted]) -> bool:
    return any(isinstance(row.payload, _TOLD) for row in rows)


def hold_again(household: Household, rows: Iterable[Admitted], position: int) -> None:
    """Put back what was held when the household was saved; all else of these rows was judged before."""
    for row in rows:
        payload = row.payload
        if not isinstance(payload, (EcgChunk, Reading, DeviceStatus)):
            continue
        lane = household.lanes.get((row.client, row.epoch, payload.device, payload.stream))  # type: ignore[arg-type]
        if lane is not None and payload.seq >= lane.chart.next_seq and not contains(lane.chart.closed, payload.seq):
            lane.hold.events[payload.seq] = Heard(payload, micros(row.received_at), position)


def bench(household: Household, patient: str, why: str, tick_us: int, position: int) -> list[Finding]:
    """Freeze a patient: archived, not judged, until an operator lifts it; everybody is told."""
    chart = _patient(household, patient)
    chart.benched = why
    found = failed(patient, why, tick_us, position)
    chart.recent = remember(chart.recent, found)
    return [found]


def failed(patient: str, why: str, tick_us: int, position: int) -> Finding:
    """What is told of a patient who is benched."""
    return opened(
        patient, Condition.DETECTOR_FAILED, stream="", opened_at=str(position), onset_us=tick_us, at_us=tick_us,
        evidence={"why": why},
    )  # fmt: skip


def hear(feed: Feed, marks: NDArray[np.void], households: Sequence[Household], moment: Moment) -> list[Finding]:
    """Statements from the kernels' marks; `households` by row of work."""
    said: list[Finding] = []
    for mark in marks[marks["kind"] != Mark.CLASS].tolist():
        work = mark[1]
        row = feed.rows[work]
        if mark[2] in ecg_statements.NOTED:
            ecg_statements.note(row, mark)
            continue
        if not is_heard(row.lane, mark[2], mark[3]):
            continue
        moment.patient = row.patient
        if mark[2] == Mark.BURDEN:
            said += burden_statements.hear(row, mark)
            continue
        late_us = round(limit(households[work].patients[row.patient].limits, "late_s") * SECOND)
        found = ecg_statements.hear(row, mark, bool(feed.work[work][5]), moment.tick_us, late_us)
        if found is not None:
            said.append(found)
    return said


def expired(household: Household, feed: Feed, moment: Moment) -> list[Finding]:
    """At the tick, before the kernels run: holes that were open too long."""
    said: list[Finding] = []
    for lane in household.lanes.values():
        if lane.chart.hole_since_us >= 0:
            said += _pass(household, lane, expire(lane.chart, lane.hold, moment.listening_us), feed, moment)
    return said


def conclude(household: Household, moment: Moment) -> list[Finding]:
    """At the tick, after the kernels ran: what was withheld, is over, is silent, is due; sets when to wake next."""
    said: list[Finding] = []
    for patient in household.patients.values():
        if patient.benched:
            continue
        moment.patient = patient.patient
        said += vitals_past.run(patient, moment)
        said += equipment.of_sensors(household, patient, vitals.at_tick(patient, moment), moment)
        said += enrolment.conclude(patient, moment)
        said += timetable.conclude(patient, moment)
    said += equipment.conclude(household, moment)
    for _, lane in sorted(household.lanes.items()):
        chart = lane.chart
        if past.is_ripe(chart, moment.listening_us):
            said += past.run_pass(household, lane, moment)
        owner = household.patients.get(chart.patient or "")
        if owner is None or owner.benched:
            continue
        moment.patient = owner.patient
        late_us = round(limit(owner.limits, "late_s") * SECOND)
        if chart.withheld:
            said += ecg_statements.speak(household, lane, moment, late_us)
        if lane.slot >= 0:
            said += ecg_statements.settle(lane, moment, late_us)
            if is_strip(chart.key):
                # Between two strips silence is what is expected.
                said += strip_statements.at_tick(lane, owner.limits, moment)
                continue
            silent = ecg_statements.silence(lane, owner.limits, moment)
            said += equipment.of_signal(household, chart, silent, moment)
    household.wake_us = _wake_us(household, moment)
    return said


def _pass(household: Household, lane: Lane, passed: Passed, feed: Feed, moment: Moment) -> list[Finding]:
    said: list[Finding] = []
    if passed is NOTHING:
        return said
    for heard in passed.ready:
        event = heard.event
        first_us, end_us = span_of(event)
        lane.chart.first_us = lane.chart.first_us or first_us
        lane.chart.frontier_us = max(lane.chart.frontier_us, end_us)
        lane.chart.heard_us = moment.listening_us
        if isinstance(event, DeviceStatus):
            equipment.note(lane.chart, event)
            household.gear_is_due = True
            continue
        _reported(household, event, first_us, moment)
        if isinstance(event, EcgChunk):
            said += _feed(household, lane, event, first_us, feed, moment)
        else:
            said += _reading(household, event, first_us, moment)
    for heard in passed.late:
        event, at_us = heard.event, micros(heard.event.at)
        if not isinstance(event, DeviceStatus):
            _reported(household, event, at_us, moment)
        if isinstance(event, EcgChunk):
            late(lane.chart, heard, moment.listening_us)
            continue
        # What puts itself in order is taken at once: a ring, and what a device says of itself.
        lane.chart.judged_past = add(lane.chart.judged_past, event.seq, event.seq)
        if isinstance(event, Reading):
            said += _reading(household, event, at_us, moment)
        else:
            equipment.note(lane.chart, event)
            household.gear_is_due = True
    return said


def _reported(household: Household, event: EcgChunk | Reading, at_us: int, moment: Moment) -> None:
    if not any(patient.enrolled for patient in household.patients.values()):
        return
    slot = event.slot if isinstance(event, Reading) else None
    patient = household.patients.get(moment.assignments.resolve(event.device, slot, at_us) or "")
    if patient is not None:
        enrolment.reported(patient, event.device, slot)


def _feed(household: Household, lane: Lane, chunk: EcgChunk, at_us: int, feed: Feed, moment: Moment) -> list[Finding]:
    patient = moment.assignments.resolve(chunk.device, None, at_us)
    if patient is None or not _owns(household, lane, moment):
        return []
    if _patient(household, patient).benched:
        return []
    if lane.slot < 0:
        lane.slot = moment.ecg.take()
    limits = household.patients[patient].limits
    moment.patient = patient
    said = strip_statements.take(lane, chunk, at_us, limits, moment) if is_strip(lane.chart.key) else []
    feed.add(lane.chart, lane.slot, chunk, patient, rates_bpm(limits))
    return said


def _owns(household: Household, lane: Lane, moment: Moment) -> bool:
    """Whether this lane is the one source of its device's lead; takes over from an owner that fell silent."""
    if lane.slot >= 0:
        return True
    for other in household.lanes.values():
        if other is lane or other.slot < 0 or other.chart.key[2:] != lane.chart.key[2:]:
            continue
        if moment.listening_us - other.chart.heard_us < OWNER_SILENT_US:
            return False
        # The new source inherits what was said; only its own signal can end it.
        lane.chart.recent = other.chart.recent
        lane.chart.unseen = tuple(f.episode for f in other.chart.recent if f.present)
        lane.chart.patient = other.chart.patient
        moment.ecg.give_back(other.slot)
        other.slot, other.chart.patient = -1, None
        other.chart.recent, other.chart.withheld, other.chart.weighed = (), (), ()
    return True


def _reading(household: Household, reading: Reading, at_us: int, moment: Moment) -> list[Finding]:
    name = moment.assignments.resolve(reading.device, reading.slot, at_us)
    if name is None:
        return []
    patient = _patient(household, name)
    moment.patient = name
    return [] if patient.benched else vitals.take(patient, reading, moment)


def _limits(patient: PatientChart, change: LimitsChanged, moment: Moment) -> list[Finding]:
    patient.limits, patient.plan_version = change.limits, change.plan_version
    timetable.set_times(patient, change.pressure_times, moment)
    moment.patient = patient.patient
    return [] if patient.benched else vitals.restate(patient, moment)


def _lift(patient: PatientChart, moment: Moment) -> list[Finding]:
    patient.benched = ""
    before = open_of(patient.recent, Condition.DETECTOR_FAILED)
    if before is None:
        return []
    over = cleared(before, at_us=moment.second_us, end_us=moment.second_us)
    patient.recent = remember(patient.recent, over)
    return [over]


def _quarantined(household: Household, row: Admitted, bad: Quarantined, feed: Feed, moment: Moment) -> list[Finding]:
    if bad.device is None or bad.stream is None or bad.first is None or bad.last is None or row.epoch is None:
        return []
    lane = _lane(household, (bad.client, row.epoch, bad.device, bad.stream))  # type: ignore[arg-type]
    passed = give_up(lane.chart, lane.hold, bad.first, bad.last, moment.listening_us)
    return _pass(household, lane, passed, feed, moment)


def _lane(household: Household, key: LaneKey) -> Lane:
    lane = household.lanes.get(key)
    if lane is None:
        lane = household.lanes[key] = Lane(LaneChart(key))
        household.gear_is_due = True
    return lane


def _patient(household: Household, name: str) -> PatientChart:
    patient = household.patients.get(name)
    if patient is None:
        patient = household.patients[name] = PatientChart(name)
    return patient


def _wake_us(household: Household, moment: Moment) -> int:
    wake = equipment.wake_us(household, moment)
    for lane in household.lanes.values():
        if lane.chart.withheld or lane.chart.unseen:
            return moment.listening_us
        wake = min(wake, *_lane_wakes(household, lane, moment))
    for patient in household.patients.values():
        if patient.benched:
            continue
        for due_us in (vitals.wake_us(patient, moment), enrolment.wake_us(patient), timetable.wake_us(patient, moment)):
            wake = wake if due_us is None else min(wake, due_us)
    return wake


def _lane_wakes(household: Household, lane: Lane, moment: Moment) -> list[int]:
    chart, wakes = lane.chart, [NEVER_US]
    if chart.hole_since_us >= 0:
        wakes.append(chart.hole_since_us + HOLE_WAIT_US)
    if chart.due_since_us >= 0:
        wakes += [chart.due_last_us + past.QUIET_US, chart.due_since_us + past.PATIENCE_US]
    if lane.slot < 0 or chart.heard_us < 0 or not chart.patient:
        return wakes
    limits = household.patients[chart.patient].limits
    if is_strip(chart.key):
        due_us = strip_statements.wake_us(chart, limits, moment)
        wakes += [] if due_us is None else [due_us]
    elif ecg_statements.may_fall_silent(chart, moment):
        wakes.append(chart.heard_us + round(limit(limits, "no_data_s") * SECOND))
    return wakes
