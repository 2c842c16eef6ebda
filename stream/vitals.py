"""Readings and reports into a patient's rings, and what the rings say. Pure.

Each kind is judged anew with each reading (glucose: one step further where the reading is in order); what changed
against what was told becomes a statement, under the id it had (`stream.retelling`).
"""

from __future__ import annotations

from bisect import insort
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.reading import Reading, ReadingKind
from stream import glucose, glucose_lane, pressure, symptoms
from stream.finding import Condition, Finding
from stream.glucose_course import sample_of
from stream.glucose_lane import GlucoseLane
from stream.household import Due, PatientChart
from stream.instants import SECOND, micros
from stream.lane import remember
from stream.limits import limit
from stream.retelling import Scope, retell
from stream.ring import Kept
from stream.statement import cleared, is_open, open_of, opened

if TYPE_CHECKING:
    from stream.command import SymptomReport
    from stream.moment import Moment
    from stream.stretch import Stretch

RING = 512
"""Readings of blood pressure kept at most."""
RING_US = 24 * 86_400 * SECOND
"""For so long; three weeks' means can be made of them."""
SETTLED_US = 86_400 * SECOND
SETTLED_MEAN_US = 8 * 86_400 * SECOND
"""What begins this soon after the oldest reading kept cannot be judged whole: it stays as it was told."""
LANES_KEPT = 4
"""Glucose streams of one patient that are remembered at most."""
SILENT = "silent"
STALLED_US = 6 * SECOND
"""No reading for so long (longer than a resend): what is old and has come is all that comes for now."""
PATIENCE_US = 600 * SECOND
"""At latest after this it is judged all the same."""


def take(patient: PatientChart, reading: Reading, moment: Moment) -> list[Finding]:
    """A reading into its ring, and what follows from it."""
    if reading.kind is ReadingKind.BLOOD_PRESSURE:
        patient.heard_us = moment.listening_us
        if not keep_pressure(patient, reading) or is_old(patient, micros(reading.at), moment):
            due(patient, reading, moment)
            return []
        return restate_pressure(patient, moment)
    if reading.kind is ReadingKind.GLUCOSE:
        return _take_glucose(patient, reading, moment)
    return []


def report(patient: PatientChart, said: SymptomReport, moment: Moment) -> list[Finding]:
    """What the patient says of how they feel, and what follows from it."""
    heard = symptoms.Report(micros(said.at), tuple(sorted(said.symptoms)))
    patient.symptoms = symptoms.kept(patient.symptoms, heard)
    return restate_symptoms(patient, moment)


def restate(patient: PatientChart, moment: Moment) -> list[Finding]:
    """Everything judged anew: limits have changed, or a time has run out."""
    said = restate_pressure(patient, moment) + restate_symptoms(patient, moment)
    for lane in patient.glucose:
        judged, ended = glucose_lane.again(lane, rules_of(patient, lane))
        _put(patient, judged)
        said += tell_glucose(patient, judged, ended, moment, is_whole=True)
    return said


def restate_pressure(patient: PatientChart, moment: Moment, *, is_correction: bool = False) -> list[Finding]:
    """Statements that bring what was told of blood pressure in line with the ring."""
    settled_us, settled_mean_us = -1, -1
    if patient.pressure_from_us >= 0:
        settled_us = patient.pressure_from_us + SETTLED_US
        settled_mean_us = patient.pressure_from_us + SETTLED_MEAN_US

    def is_settled(condition: Condition, onset_us: int) -> bool:
        return onset_us >= (settled_mean_us if condition is Condition.BP_MEAN_HIGH else settled_us)

    found = pressure.stretches(patient.pressure, patient.limits, moment.tick_us)
    whole = [s for s in found if is_settled(s.condition, s.onset_us) or s.end_us is None]
    scope = Scope(
        is_ours=lambda f: f.condition in pressure.CONDITIONS,
        is_covered=lambda f: is_open(f) or is_settled(f.condition, micros(f.onset)),
        is_correction=is_correction,
        keeps_before_us=settled_us,
    )
    return retell(patient, whole, scope, moment)


def restate_symptoms(patient: PatientChart, moment: Moment) -> list[Finding]:
    """Statements that bring what was told of symptoms in line with the reports."""
    if not patient.symptoms:
        return []
    oldest_us = patient.symptoms[0].at_us
    scope = Scope(
        is_ours=lambda f: f.condition is Condition.SYMPTOM,
        is_covered=lambda f: micros(f.onset) >= oldest_us,
        same_stream=True,
    )
    return retell(patient, symptoms.stretches(patient.symptoms, patient.limits, moment.tick_us), scope, moment)


def tell_glucose(
    patient: PatientChart,
    lane: GlucoseLane,
    ended: list[Stretch],
    moment: Moment,
    *,
    is_whole: bool,
    is_correction: bool = False,
    from_us: int | None = None,
) -> list[Finding]:
    """Statements of one stream. `is_whole`: `ended` is all that ended since `from_us` (by default, within the ring)."""
    rules = rules_of(patient, lane)
    is_over = is_overtaken(patient, lane)
    stand = glucose.closed(lane.tip, rules, with_sensor=True) if is_over else glucose.standing(lane.tip, rules)
    oldest_us = from_us if from_us is not None else lane.ring[0].at_us if lane.ring else 0
    scope = Scope(
        is_ours=lambda f: (
            f.condition in glucose.CONDITIONS and key_of(f) == lane.key and not f.opened.startswith(SILENT)
        ),
        is_covered=(lambda f: is_open(f) or micros(f.onset) >= oldest_us) if is_whole else None,
        is_correction=is_correction,
    )
    return retell(patient, [*ended, *stand], scope, moment)


def keep_pressure(patient: PatientChart, reading: Reading) -> bool:
    """Take a blood pressure into the ring; False: it is older than the ring."""
    at_us = micros(reading.at)
    if at_us <= patient.pressure_from_us:
        return False
    ring = list(patient.pressure)
    insort(ring, Kept(at_us, reading), key=lambda kept: (kept.at_us, kept.reading.stream, kept.reading.seq))
    oldest_us = ring[-1].at_us - RING_US
    gone = max(len(ring) - RING, sum(1 for kept in ring if kept.at_us < oldest_us))
    if gone:
        patient.pressure_from_us = ring[gone - 1].at_us
    patient.pressure = tuple(ring[gone:])
    return True


def is_old(patient: PatientChart, at_us: int, moment: Moment) -> bool:
    """Whether a reading of this instant comes so late that more of its kind may follow, and show how it ended."""
    return moment.tick_us - at_us > round(limit(patient.limits, "late_s") * SECOND)


def due(patient: PatientChart, reading: Reading, moment: Moment) -> None:
    """Note an old reading: judged when no more come (`stream.vitals_past`)."""
    at_us, place = micros(reading.at), (reading.device, str(reading.stream), reading.kind)
    fresh = Due(*place, from_us=at_us, to_us=at_us, since_us=moment.listening_us)
    same = next((one for one in patient.due if (one.device, one.stream, one.kind) == place), fresh)
    widened = replace(same, from_us=min(same.from_us, at_us), to_us=max(same.to_us, at_us))
    patient.due = (*(one for one in patient.due if one is not same), widened)


def ripe_us(patient: PatientChart) -> int | None:
    """Listening time at which what is old is judged; None: nothing is due."""
    if not patient.due:
        return None
    return min(patient.heard_us + STALLED_US, min(one.since_us for one in patient.due) + PATIENCE_US)


def at_tick(patient: PatientChart, moment: Moment) -> list[Finding]:
    """What the time alone makes true: a wait that is over, a sensor that fell silent."""
    said: list[Finding] = []
    expires_us = _expires_us(patient, moment)
    if expires_us is not None and expires_us <= moment.tick_us:
        said += restate_pressure(patient, moment) + restate_symptoms(patient, moment)
    for lane in patient.glucose:
        if lane.is_silent and not _is_worn(patient, lane, moment):
            said += _heard_again(patient, lane, moment.second_us)
            _put(patient, replace(lane, is_silent=False, heard_us=-1))
        elif _is_silent(patient, lane, moment):
            _put(patient, replace(lane, is_silent=True))
            said += _silence(patient, lane, moment)
    return said


def wake_us(patient: PatientChart, moment: Moment) -> int | None:
    """Listening time at which `at_tick` may have something to say; None: nothing waits."""
    wakes: list[int] = []
    expires_us = _expires_us(patient, moment)
    if expires_us is not None:
        wakes.append(moment.listening_us + max(expires_us - moment.tick_us, 0))
    due_us = ripe_us(patient)
    wakes += [] if due_us is None else [due_us]
    silent_us = round(limit(patient.limits, "sensor_silent_s") * SECOND)
    wakes += [lane.heard_us + silent_us for lane in patient.glucose if _may_fall_silent(patient, lane, moment)]
    return min(wakes, default=None)


def rules_of(patient: PatientChart, lane: GlucoseLane) -> glucose.Rules:
    """By what a stream of this patient is judged."""
    return glucose.rules_of(lane.device, lane.stream, patient.limits)


def key_of(finding: Finding) -> str:
    """Device and stream that a statement rests on."""
    return f"{finding.evidence.get('device')}/{finding.evidence.get('stream')}"


def lane_of(patient: PatientChart, device: str, stream: str) -> GlucoseLane:
    """The patient's lane of a glucose stream; a fresh one where there is none."""
    return next(
        (one for one in patient.glucose if (one.device, one.stream) == (device, stream)), GlucoseLane(device, stream)
    )


def put(patient: PatientChart, lane: GlucoseLane) -> None:
    """Keep a lane; one too many that another has overtaken long ago falls away."""
    _put(patient, lane)
    if len(patient.glucose) > LANES_KEPT:
        oldest = min(patient.glucose, key=lambda one: one.ring[-1].at_us if one.ring else -1)
        patient.glucose = tuple(one for one in patient.glucose if one is not oldest)


def is_overtaken(patient: PatientChart, lane: GlucoseLane) -> bool:
    """Whether another stream of this patient went on when this one had stopped for longer than a gap."""
    newest_us = max((one.tip.last_us for one in patient.glucose if one.key != lane.key), default=-1)
    return 0 <= lane.tip.last_us < newest_us - glucose.GAP_US


def _take_glucose(patient: PatientChart, reading: Reading, moment: Moment) -> list[Finding]:
    sample = sample_of(reading)
    if sample is None:
        return []
    patient.heard_us = moment.listening_us
    lane = lane_of(patient, reading.device, str(reading.stream))
    if sample.at_us <= lane.base_us:
        due(patient, reading, moment)
        return []
    said = _heard_again(patient, lane, sample.at_us) if lane.is_silent else []
    lane = replace(lane, heard_us=moment.listening_us, is_silent=False)
    lane, ended, is_whole = glucose_lane.add(lane, sample, rules_of(patient, lane))
    put(patient, lane)
    if is_old(patient, sample.at_us, moment):
        due(patient, reading, moment)
        return said
    said += tell_glucose(patient, lane, ended, moment, is_whole=is_whole)
    for other in patient.glucose:
        if other.key != lane.key and is_overtaken(patient, other):
            said += tell_glucose(patient, other, [], moment, is_whole=False)
            said += _heard_again(patient, other, sample.at_us) if other.is_silent else []
    return said


def _put(patient: PatientChart, lane: GlucoseLane) -> None:
    others = [one for one in patient.glucose if one.key != lane.key]
    patient.glucose = tuple(sorted([*others, lane], key=lambda one: one.key))


def _expires_us(patient: PatientChart, moment: Moment) -> int | None:
    """The tick at which an unanswered first crisis, or a symptom, is over; None: nothing waits."""
    if not patient.recent:
        return None
    crisis_us = round(limit(patient.limits, "bp_repeat_max_s") * SECOND)
    symptom_us = round(limit(patient.limits, "symptom_s") * SECOND)
    last_us = {f.opened: micros(f.at) for f in patient.recent if f.condition is Condition.SYMPTOM and is_open(f)}
    times = [
        micros(f.onset) + crisis_us
        for f in patient.recent
        if f.condition is Condition.BP_CRISIS_UNCONFIRMED and is_open(f)
    ]
    if last_us:
        soonest = symptoms.expires_us(patient.symptoms, patient.limits, moment.tick_us)
        times.append(soonest if soonest is not None else min(last_us.values()) + symptom_us)
    return min(times, default=None)


def _is_worn(patient: PatientChart, lane: GlucoseLane, moment: Moment) -> bool:
    return patient.patient in moment.assignments.wearers(lane.device, moment.tick_us)  # type: ignore[arg-type]


def _may_fall_silent(patient: PatientChart, lane: GlucoseLane, moment: Moment) -> bool:
    is_worn = _is_worn(patient, lane, moment)
    is_sensor = glucose.is_sensor(lane.tip.gaps, is_continuous=rules_of(patient, lane).is_continuous)
    return is_worn and is_sensor and not lane.is_silent and lane.heard_us >= 0 and not is_overtaken(patient, lane)


def _is_silent(patient: PatientChart, lane: GlucoseLane, moment: Moment) -> bool:
    silent_us = round(limit(patient.limits, "sensor_silent_s") * SECOND)
    return _may_fall_silent(patient, lane, moment) and moment.listening_us - lane.heard_us >= silent_us


def _silence(patient: PatientChart, lane: GlucoseLane, moment: Moment) -> list[Finding]:
    last = lane.ring[-1]
    found = opened(
        patient.patient, Condition.SENSOR_SIGNAL_LOSS, stream=lane.key, opened_at=f"{SILENT}:{last.opened}",
        onset_us=last.at_us, at_us=moment.second_us, evidence={"device": lane.device, "stream": lane.stream},
    )  # fmt: skip
    patient.recent = remember(patient.recent, found)
    return [found]


def _heard_again(patient: PatientChart, lane: GlucoseLane, at_us: int) -> list[Finding]:
    silences = [f for f in patient.recent if key_of(f) == lane.key and f.opened.startswith(SILENT)]
    before = open_of(silences, Condition.SENSOR_SIGNAL_LOSS)
    if before is None:
        return []
    end_us = max(at_us, micros(before.onset))
    over = cleared(before, at_us=end_us, end_us=end_us)
    patient.recent = remember(patient.recent, over)
    return [over]
