"""What devices say of themselves, why they are silent, who never reported: over the Ward, without ECG (no kernel is needed)."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from gateway.reading import Deferred, DeviceId, DeviceStatus, LinkState, Reading, ReadingKind, StreamName
from stream.command import LimitsChanged
from stream.finding import Condition, Finding
from stream.household import SavedHousehold
from tests.stream.cgm import every, readings
from tests.stream.logs import Log, assigned, judge
from tests.stream.shard import T0

CGM = assigned(device="cgm1", patient="ada")


def status(seq: int, second: float, device: str = "cgm1", **said: object) -> DeviceStatus:
    at = T0 + timedelta(seconds=second)
    return DeviceStatus(device=DeviceId(device), stream=StreamName("status"), seq=seq, at=at, received_at=at, **said)  # type: ignore[arg-type]


def log_of(*rows: tuple[float, object], until_s: int, first: tuple[object, ...] = (CGM,)) -> Log:
    """A position a second; each row in the one of its second."""
    log = Log()
    log.add(T0, *first)
    for second in range(1, until_s + 1):
        log.add(T0 + timedelta(seconds=second), *(one for at_s, one in rows if second - 1 < at_s <= second))
    return log


def sensor(minutes: int) -> list[tuple[float, object]]:
    """A glucose reading every five minutes, told by the gateway."""
    rows = readings(every(5, [110] * (minutes // 5 + 1), T0 + timedelta(seconds=1)))
    return [((one.at - T0).total_seconds(), one) for one in rows]


def said(found: list[Finding], condition: Condition) -> list[tuple[bool, object]]:
    """(present, cause) of what was said of a condition."""
    return [(f.present, f.evidence.get("cause")) for f in found if f.condition is condition]


def levels(*percent: int) -> list[tuple[float, object]]:
    return [(10.0 * n, status(n, 10.0 * n, battery_percent=one)) for n, one in enumerate(percent, 1)]


# --- Battery and clock --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "told"),
    [
        # A strap that has days left must not wake anybody.
        ([80, 21], []),
        ([80, 20], [(True, 20)]),
        # It gets worse: worth saying again, but not at each percent.
        ([20, 19, 18, 15, 14, 10], [(True, 20), (True, 15), (True, 10)]),
        # Warm in the hand it shows more: that is no charging.
        ([20, 25, 30], [(True, 20)]),
        ([20, 31], [(True, 20), (False, 31)]),
        ([20, 100, 20], [(True, 20), (False, 100), (True, 20)]),
    ],
)
def test_a_low_battery_is_told_once_and_over_when_it_is_charged(percent, told):
    found = judge(log_of(*levels(*percent), until_s=80))
    assert [(f.present, f.evidence["battery_percent"]) for f in found] == told
    assert {f.condition for f in found} <= {Condition.BATTERY_LOW}


def test_what_was_said_last_counts_not_what_came_last():
    """A backlog brings old levels behind the new one."""
    old, newer, newest = (status(n, 5.0 * n, battery_percent=p) for n, p in enumerate((90, 50, 10), 1))
    deferred = Deferred(device=DeviceId("cgm1"), stream=StreamName("status"), first=1, last=2)
    for order in permutations((old, newer, newest)):
        rows = [(19.0, deferred), *((20.0 + n, one) for n, one in enumerate(order))]
        found = judge(log_of(*rows, until_s=60))
        assert [(f.present, f.evidence["battery_percent"]) for f in found][-1:] == [(True, 10)], order


def test_a_shared_cuff_is_told_to_both_and_to_nobody_whose_it_is_no_more():
    cuff = (assigned("cuff1", "ada", 1), assigned("cuff1", "bob", 2))
    away = assigned("cuff1", "cyd", 2)
    log = log_of((5, status(1, 5, "cuff1", battery_percent=8)), (20, away), until_s=30, first=cuff)
    found = judge(log)
    assert sorted((f.subject, f.present) for f in found) == [
        ("ada", True), ("bob", False), ("bob", True), ("cyd", True),
    ]  # fmt: skip


def test_a_device_that_was_given_back_takes_its_low_battery_along():
    back = assigned("cgm1", None)  # type: ignore[arg-type]
    found = judge(log_of(*levels(8), (20, back), until_s=30))
    assert [f.present for f in found] == [True, False]


def test_a_patients_own_limit_of_the_battery():
    own = LimitsChanged(patient="ada", plan_version=1, limits={"battery_low_percent": 30.0})  # type: ignore[arg-type]
    assert judge(log_of(*levels(28), until_s=20)) == []
    assert [f.condition for f in judge(log_of(*levels(28), until_s=20, first=(CGM, own)))] == [Condition.BATTERY_LOW]


@pytest.mark.parametrize(
    ("offsets_s", "told"),
    [
        ([599.0], []),
        ([601.0, 2.0], [True, False]),
        # A cuff whose battery was out starts in 1970 again.
        ([-1.7e9, -1.7e9, 0.0], [True, False]),
    ],
)
def test_a_clock_that_is_off_is_told_until_it_is_set(offsets_s, told):
    rows = [(10.0 * n, status(n, 10.0 * n, clock_offset_s=one)) for n, one in enumerate(offsets_s, 1)]
    found = judge(log_of(*rows, until_s=60))
    assert [f.present for f in found if f.condition is Condition.CLOCK_OFF] == told


# --- Why a device is silent ---------------------------------------------------------------------------------------------


def quiet(cause: str) -> list[tuple[float, object]]:
    last_s = 15 * 60.0 + 1
    match cause:
        case "battery_empty":
            return [(last_s + 1, status(1, last_s + 1, battery_percent=3, link=LinkState.DOWN))]
        case "out_of_reach":
            return [(last_s + 1, status(1, last_s + 1, link=LinkState.DOWN, battery_percent=60))]
        case "device_silent":
            # The cuff behind the same gateway is heard later.
            return [(last_s + 300, status(1, last_s + 300, "cuff1", battery_percent=60))]
    return [(60.0, status(1, 60.0, link=LinkState.UP, battery_percent=60))]


@pytest.mark.parametrize("cause", ["battery_empty", "out_of_reach", "device_silent", "gateway_offline"])
def test_a_silence_says_why_likely_after_twenty_minutes(cause):
    both = (CGM, assigned("cuff1", "ada"))
    rows = [*sensor(15), *quiet(cause)]
    found = judge(log_of(*rows, until_s=15 * 60 + 1 + 1199, first=both))
    assert said(found, Condition.SENSOR_SIGNAL_LOSS) == []
    back = readings(every(5, [110], T0 + timedelta(seconds=2200)))[0]
    rows.append((2200, Reading(**{name: getattr(back, name) for name in back.__slots__} | {"seq": 5})))
    found = judge(log_of(*rows, until_s=2210, first=both))
    assert said(found, Condition.SENSOR_SIGNAL_LOSS) == [(True, cause), (False, cause)]


def test_the_cause_of_a_silence_gets_surer_and_never_goes_back():
    later = [
        (2300, status(1, 2300, "cuff1", battery_percent=60)),
        (2310, status(1, 2310, link=LinkState.DOWN)),
        (2320, status(2, 2320, link=LinkState.UP)),
    ]
    found = judge(log_of(*sensor(15), *later, until_s=2330, first=(CGM, assigned("cuff1", "ada"))))
    causes = [cause for _, cause in said(found, Condition.SENSOR_SIGNAL_LOSS)]
    assert causes == ["gateway_offline", "device_silent", "out_of_reach"]


@pytest.mark.parametrize("given_back_s", [1000, 2500])
def test_a_sensor_that_was_given_back_is_missed_by_nobody(given_back_s):
    """Swapped devices and discharged patients leave nothing that sounds for ever."""
    back = assigned("cgm1", None)  # type: ignore[arg-type]
    found = judge(log_of(*sensor(15), (given_back_s, back), until_s=4000))
    assert [f for f in {f.episode: f for f in found}.values() if f.present and not f.withdrawn] == []


# --- Never reported -----------------------------------------------------------------------------------------------------

SOON = LimitsChanged(patient="ada", plan_version=1, limits={"never_reported_s": 3600.0})  # type: ignore[arg-type]


def test_a_device_that_never_sent_a_measurement_is_told_and_over_with_its_first():
    (first,) = readings(every(5, [110], T0 + timedelta(seconds=4000)))
    log = log_of((10, status(1, 10, link=LinkState.UP)), (4000, first), until_s=4010, first=(CGM, SOON))
    found = [f for f in judge(log) if f.condition is Condition.NEVER_REPORTED]
    assert [(f.present, (f.at - T0).total_seconds()) for f in found] == [(True, 3600), (False, 4000)]
    assert found[0].evidence["device"] == "cgm1"


def test_who_reported_once_is_not_said_never_to_have():
    found = judge(log_of(*sensor(5), until_s=4000, first=(CGM, SOON)))
    assert said(found, Condition.NEVER_REPORTED) == []


def test_the_second_slot_of_a_shared_cuff_is_waited_for_by_itself():
    at = T0 + timedelta(seconds=5)
    one = Reading(
        device=DeviceId("cuff1"), stream=StreamName("bp"), seq=1, kind=ReadingKind.BLOOD_PRESSURE, at=at, slot=1,
        values=(120.0, 80.0, None, 70.0), device_time="x", received_at=at,
    )  # fmt: skip
    cuff = (assigned("cuff1", "ada", 1), assigned("cuff1", "bob", 2))
    own = LimitsChanged(patient="bob", plan_version=1, limits={"never_reported_s": 3600.0})  # type: ignore[arg-type]
    found = judge(log_of((5, one), until_s=3700, first=(*cuff, SOON, own)))
    assert [(f.subject, f.condition) for f in found] == [("bob", Condition.NEVER_REPORTED)]


def test_a_device_taken_away_is_not_waited_for():
    for at_s in (1000, 3800):
        taken = assigned("cgm1", None)  # type: ignore[arg-type]
        found = judge(log_of((at_s, taken), until_s=4000, first=(CGM, SOON)))
        assert [f.present for f in found] == ([] if at_s < 3600 else [True, False])


def test_the_time_that_the_server_was_away_is_nobodys_silence():
    log = log_of(until_s=60, first=(CGM, SOON))
    log.add(T0 + timedelta(hours=5))
    for second in range(1, 60):
        log.add(T0 + timedelta(hours=5, seconds=second))
    assert judge(log) == []


# --- Restarts and older charts ------------------------------------------------------------------------------------------


def test_restarts_at_any_moment_change_nothing():
    rows = [
        *sensor(15),
        *quiet("out_of_reach"),
        (300, status(1, 300, "cuff1", battery_percent=12, clock_offset_s=5000.0)),
        (2400, status(2, 2400, "cuff1", battery_percent=90, clock_offset_s=0.0)),
    ]
    log = log_of(*rows, until_s=4000, first=(CGM, assigned("cuff1", "ada"), SOON))
    undisturbed = judge(log)
    assert {f.condition for f in undisturbed} == {
        Condition.BATTERY_LOW, Condition.CLOCK_OFF, Condition.SENSOR_SIGNAL_LOSS, Condition.NEVER_REPORTED,
    }  # fmt: skip
    assert judge(log, restart_at={2, 200, 301, 902, 2101, 2102, 2399, 3600, 3601}) == undisturbed


def test_a_chart_of_an_older_version_still_loads():
    import msgspec

    old = {
        "name": "device/cgm1", "ecg_version": 1, "listening_us": 5,
        "lanes": [{"chart": {"key": ["gw1", "e1", "cgm1", "status"]}, "ecg": None}],
        "patients": [{"patient": "ada"}],
    }  # fmt: skip
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=SavedHousehold)
    assert (saved.lanes[0].chart.gear, saved.patients[0].enrolled, saved.patients[0].measuring) == (None, (), None)
