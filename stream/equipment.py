"""What a patient's devices say of themselves, and why one of them is silent: battery, clock, link. Pure.

Compared level by level each time that a household is judged, so that a lost edge heals and a device that is given back
leaves nothing open. Must never judge a person, nor lay one device's state to somebody whose it is not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.reading import DeviceStatus, LinkState
from stream.assignments import FOREVER
from stream.finding import Condition, Finding
from stream.instants import SECOND, micros
from stream.lane import Gear, LaneChart, Told, remember
from stream.limits import limit
from stream.statement import cleared, is_open, open_of, opened, revised
from stream.vitals import SILENT, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.reading import DeviceId
    from stream.household import Household, PatientChart
    from stream.moment import Moment

EMPTY_PERCENT = 5
"""A device that falls silent with no more than this had an empty battery, likely."""
RECHARGED = 10
"""Percent above the limit at which a battery is no longer low: it must not flap with the temperature."""
WORTH_SAYING = 5
"""Percent by which a low battery must fall further to be worth another statement."""
STILL_THERE_US = 10 * SECOND
"""Something else of the same gateway that came so long after a device's last: the gateway is there, the device is not."""

CAUSES = ("gateway_offline", "device_silent", "out_of_reach", "battery_empty")
"""Why a device is silent, likely; each is surer than those before it, and none goes back while the silence lasts."""
CONDITIONS = frozenset({Condition.BATTERY_LOW, Condition.CLOCK_OFF})


def note(chart: LaneChart, status: DeviceStatus) -> None:
    """Remember what a status says, where nothing newer was said."""
    gear, at_us = chart.gear or Gear(), micros(status.at)

    def newer(before: Told | None, value: float | None) -> Told | None:
        if value is None or (before is not None and (before.at_us, before.seq) > (at_us, status.seq)):
            return before
        return Told(float(value), at_us, status.seq)

    is_up = None if status.link is None else float(status.link is LinkState.UP)
    chart.gear = Gear(
        newer(gear.battery_percent, status.battery_percent),
        newer(gear.is_up, is_up),
        newer(gear.clock_offset_s, status.clock_offset_s),
    )


def conclude(household: Household, moment: Moment) -> list[Finding]:
    """At a tick: batteries that are low and clocks that are off, of each patient who wears the device now.

    Only where something has come by which that may have changed: this is paid for by every household and second.
    """
    if not household.gear_is_due and moment.tick_us < household.hands_us:
        return []
    household.gear_is_due, household.hands_us = False, _hands_us(household, moment)
    gear = _gear(household)
    said: list[Finding] = []
    for name, patient in sorted(household.patients.items()):
        ours = [f for f in patient.recent if f.condition in CONDITIONS and is_open(f)]
        if patient.benched or not (gear or ours):
            continue
        moment.patient = name
        mine = {
            device: one for device, one in gear.items() if name in moment.assignments.wearers(device, moment.tick_us)
        }
        gone = [before for before in ours if before.evidence["device"] not in mine]
        said += [_say(patient, cleared(one, at_us=moment.second_us, end_us=moment.second_us)) for one in gone]
        for device, one in sorted(mine.items()):
            said += [
                _say(patient, found)
                for found in (_battery(patient, device, one), _clock(patient, device, one))
                if found
            ]
    return said


def wake_us(household: Household, moment: Moment) -> int:
    """Listening time at which a device changes hands by what was said already: what is open may be over then."""
    return FOREVER if household.hands_us >= FOREVER else moment.listening_us + household.hands_us - moment.tick_us


def _hands_us(household: Household, moment: Moment) -> int:
    devices = {key[2] for key in household.lanes}
    devices |= {one.device for patient in household.patients.values() for one in patient.enrolled}  # type: ignore[misc]
    return min((moment.assignments.boundary_us(device, moment.tick_us) for device in devices), default=FOREVER)


def of_signal(household: Household, chart: LaneChart, silent: Finding | None, moment: Moment) -> list[Finding]:
    """What is said of an ECG lane's silence, with why it is silent, likely; or only that this has become clearer."""
    before = open_of(chart.recent, Condition.NO_DATA)
    if silent is None and before is None:
        return []
    found = _with_cause(household, silent, before, chart.heard_us, moment)
    if found is None:
        return []
    chart.recent = remember(chart.recent, found)
    return [found]


def of_sensors(household: Household, patient: PatientChart, said: list[Finding], moment: Moment) -> list[Finding]:
    """The same of glucose sensors: `said`, each silence with its cause."""
    for lane in patient.glucose:
        if not lane.is_silent:
            continue
        mine = [f for f in patient.recent if f.opened.startswith(SILENT) and is_open(f) and key_of(f) == lane.key]
        before = open_of(mine, Condition.SENSOR_SIGNAL_LOSS)
        if before is None:
            continue
        fresh = before if before in said else None
        found = _with_cause(household, fresh, before, lane.heard_us, moment)
        if found is None:
            continue
        patient.recent = remember(patient.recent, found)
        said = [*(f for f in said if f is not fresh), found]
    return said


def _with_cause(
    household: Household, fresh: Finding | None, before: Finding | None, since_us: int, moment: Moment
) -> Finding | None:
    if fresh is not None and not fresh.present:
        return fresh
    found = fresh or before
    assert found is not None
    cause = _cause(household, str(found.evidence["device"]), since_us)
    if fresh is not None:
        return replace(fresh, evidence={**fresh.evidence, "cause": cause})
    is_surer = CAUSES.index(cause) > CAUSES.index(str(found.evidence.get("cause", CAUSES[0])))
    return revised(found, at_us=moment.second_us, evidence={"cause": cause}) if is_surer else None


def _cause(household: Household, device: str, since_us: int) -> str:
    gear = _gear(household).get(device, Gear())  # type: ignore[call-overload]
    if gear.battery_percent is not None and gear.battery_percent.value <= EMPTY_PERCENT:
        return "battery_empty"
    if gear.is_up is not None and not gear.is_up.value:
        return "out_of_reach"
    clients = {key[0] for key in household.lanes if key[2] == device}
    heard_us = max((lane.chart.heard_us for key, lane in household.lanes.items() if key[0] in clients), default=-1)
    return "device_silent" if heard_us >= since_us + STILL_THERE_US else "gateway_offline"


def _gear(household: Household) -> dict[DeviceId, Gear]:
    """By device the newest that any gateway heard it say."""
    found: dict[DeviceId, Gear] = {}
    for key, lane in household.lanes.items():
        gear = lane.chart.gear
        if gear is None:
            continue
        before = found.get(key[2])
        found[key[2]] = (
            gear
            if before is None
            else Gear(
                _later(before.battery_percent, gear.battery_percent),
                _later(before.is_up, gear.is_up),
                _later(before.clock_offset_s, gear.clock_offset_s),
            )
        )
    return found


def _later(a: Told | None, b: Told | None) -> Told | None:
    known = [one for one in (a, b) if one is not None]
    return max(known, key=lambda one: (one.at_us, one.seq, one.value), default=None)


def _battery(patient: PatientChart, device: str, gear: Gear) -> Finding | None:
    told = gear.battery_percent
    if told is None:
        return None
    before = _open(patient.recent, Condition.BATTERY_LOW, device)
    low = limit(patient.limits, "battery_low_percent")
    evidence: dict[str, float | int | str] = {"device": device, "battery_percent": int(told.value)}
    if before is None:
        return _opened(patient, Condition.BATTERY_LOW, told, evidence) if told.value <= low else None
    at_us = max(told.at_us, micros(before.at))
    if told.value > min(low + RECHARGED, 99):
        return cleared(before, at_us=at_us, end_us=at_us, evidence=evidence)
    has_fallen = told.value <= float(before.evidence["battery_percent"]) - WORTH_SAYING
    return revised(before, at_us=at_us, evidence=evidence) if has_fallen else None


def _clock(patient: PatientChart, device: str, gear: Gear) -> Finding | None:
    told = gear.clock_offset_s
    if told is None:
        return None
    before = _open(patient.recent, Condition.CLOCK_OFF, device)
    is_off = abs(told.value) > limit(patient.limits, "clock_off_s")
    evidence: dict[str, float | int | str] = {"device": device, "clock_offset_s": told.value}
    if before is None:
        return _opened(patient, Condition.CLOCK_OFF, told, evidence) if is_off else None
    at_us = max(told.at_us, micros(before.at))
    return None if is_off else cleared(before, at_us=at_us, end_us=at_us, evidence=evidence)


def _opened(patient: PatientChart, condition: Condition, told: Told, evidence: dict[str, float | int | str]) -> Finding:
    return opened(
        patient.patient, condition, stream=f"{evidence['device']}/status", opened_at=f"{told.at_us}:{told.seq}",
        onset_us=told.at_us, at_us=told.at_us, evidence=evidence,
    )  # fmt: skip


def _open(recent: Iterable[Finding], condition: Condition, device: str) -> Finding | None:
    return next((f for f in recent if f.condition is condition and is_open(f) and f.evidence["device"] == device), None)


def _say(patient: PatientChart, found: Finding) -> Finding:
    patient.recent = remember(patient.recent, found)
    return found
