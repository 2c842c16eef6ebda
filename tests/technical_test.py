"""Every technical condition of the stream, raised and cleared the whole way: bytes, admission, Ward, policy, who is told.

What the station and the auditor notice is tried in `tests/alerts`. Everything here is made: no recording has a flat battery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from alerts.alert import EventType, Tier
from alerts.ladder import Addressee, Role
from alerts.plan import DEFAULT_TEAM, Plan
from alerts.policy import SILENCES
from gateway.parcel import greeting
from gateway.reading import Abandoned, AbandonReason, DeviceId, DeviceStatus, EcgChunk, Flag, LinkState, StreamName
from stream.batch import Noticed, Quarantined, Reason, Trouble
from stream.command import AssignmentChanged, BenchLifted, LimitsChanged, Timetable
from stream.finding import Condition, Finding, PatientId
from stream.instants import micros
from stream.statement import TECHNICAL
from tests.alerts.desk import START
from tests.alerts.world import World
from tests.conditions_test import cuff
from tests.stream.cgm import every, readings
from tests.stream.ecg.rules_test import heart, regular
from tests.stream.shard import T0
from tests.stream.strips import drawn
from tests.whole_way import CLIENT, EPOCH, WholeWay

ADA = PatientId("ada")
MINUTE, HOUR, DAY = 60, 3600, 86_400
TEAM = (*DEFAULT_TEAM, Addressee(person="son", channel="log", address="son", role=Role.FAMILY))


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows a condition, and who is told of it when."""

    live: Callable[[WholeWay], None]
    told: dict[str, list[float]]
    """Person, seconds since it was raised, until the ladder begins again."""
    tier: Tier = Tier.TIP


def assigned(way: WholeWay, device: str) -> None:
    far_back = T0 - timedelta(days=365)
    way.tell(T0, AssignmentChanged(device=DeviceId(device), slot=None, patient=ADA, from_at=far_back))


def after(way: WholeWay, seconds: float) -> datetime:
    return way.now + timedelta(seconds=seconds)


def says(way: WholeWay, device: str, **said: object) -> None:
    at = after(way, 1)
    way.hear(
        at, DeviceStatus(device=DeviceId(device), stream=StreamName("status"), seq=0, at=at, received_at=at, **said)
    )  # type: ignore[arg-type]


def beats(seconds: float) -> np.ndarray:
    return heart(regular(0.5, seconds, 70), seconds)


def silent_ecg(way: WholeWay) -> None:
    assigned(way, "ecg1")
    way.ecg(beats(20), 250.0, "s1")
    says(way, "ecg1", link=LinkState.DOWN)
    way.wait(61)
    way.ecg(beats(20), 250.0, "s2")


def noisy(way: WholeWay) -> None:
    assigned(way, "ecg1")
    signal = beats(240).astype(float)
    signal[60 * 250 : 160 * 250] += np.random.default_rng(3).normal(0, 700, 100 * 250)
    way.ecg(np.clip(signal, -32767, 32767).astype(np.int16), 250.0, "s1")


def electrode(way: WholeWay) -> None:
    assigned(way, "ecg1")
    signal = beats(60)
    signal[20 * 250 : 40 * 250] = 32767
    way.ecg(signal, 250.0, "s1")


def strip(way: WholeWay) -> None:
    assigned(way, "ecg1")
    for session, samples in (("s1", np.zeros(9000, np.int16)), ("s2", drawn.drawn(drawn.sinus()))):
        way.ecg(samples, 300.0, session, "ecg/strip/I")
        way.wait(60)


def sensor(flag: Flag | None) -> Callable[[WholeWay], None]:
    def live(way: WholeWay) -> None:
        assigned(way, "cgm1")
        rows = readings(every(5, [110] * 4))
        for one in rows[:3]:
            way.hear(one.at, one)
        if flag is None:
            way.wait(20 * MINUTE + 1)
        else:
            at = after(way, 300)
            way.hear(at, replace(rows[3], at=at, received_at=at, flags=(flag,), device_time="flag"))  # fmt: skip
        for number in range(8):
            at = after(way, 300)
            way.hear(at, replace(rows[3], at=at, received_at=at, device_time=f"back{number}"))

    return live


def never(way: WholeWay) -> None:
    own = LimitsChanged(patient=ADA, plan_version=1, limits={"never_reported_s": float(HOUR)})
    way.tell(T0, own)
    assigned(way, "cuff1")
    way.wait(HOUR + 1)
    one = cuff((way.now - T0).total_seconds() / 60 + 1, 120, 80)
    way.hear(one.at, one)


def missed(times: int) -> Callable[[WholeWay], None]:
    def live(way: WholeWay) -> None:
        table = Timetable(times=("08:30", "08:45", "09:00"), zone="UTC", tolerance_s=300.0)
        way.tell(T0, LimitsChanged(patient=ADA, plan_version=1, pressure_times=table))
        assigned(way, "cuff1")
        way.wait(38 * MINUTE + (times - 1) * 15 * MINUTE)
        one = cuff((way.now - T0).total_seconds() / 60 + 1, 120, 80)
        way.hear(one.at, one)

    return live


def device(*said: dict[str, object]) -> Callable[[WholeWay], None]:
    def live(way: WholeWay) -> None:
        assigned(way, "ecg1")
        for one in said:
            says(way, "ecg1", **one)

    return live


def benched(way: WholeWay) -> None:
    assigned(way, "ecg1")
    way.findings += way.ward.bench(ADA, "it raised", micros(way.now), way.position)
    way.tell(after(way, 60), BenchLifted(patient=ADA, by="lin"))


def gateway_gone(way: WholeWay) -> None:
    way.raw(after(way, 1), greeting(CLIENT, EPOCH, way.now))
    way.wait(61)
    way.raw(after(way, 1), greeting(CLIENT, EPOCH, way.now))


def outbox(way: WholeWay) -> None:
    for percent in (10, 60, 20):
        way.raw(after(way, 1), greeting(CLIENT, EPOCH, way.now, percent))


def rubbish(count: int, payload: bytes = b"\xc1rubbish", calm_s: int = 601) -> Callable[[WholeWay], None]:
    def live(way: WholeWay) -> None:
        for _ in range(count):
            way.raw(after(way, 1), payload)
        way.wait(calm_s)

    return live


def dated_ahead(way: WholeWay) -> None:
    at = T0 + timedelta(hours=3)
    assigned(way, "ecg1")
    chunk = EcgChunk(
        device=DeviceId("ecg1"), stream=StreamName("ecg/I"), seq=1, session="s", index=0, at=at, rate_hz=250.0, lead="I",  # type: ignore[arg-type]
        samples=b"\0\0" * 250, received_at=T0,
    )  # fmt: skip
    from gateway.reading import EventBatch
    from gateway.wire import encode_batch

    way.raw(after(way, 1), encode_batch(EventBatch(client=CLIENT, epoch=EPOCH, sent_at=T0, events=(chunk,))))
    way.wait(601)


def row(*rows: object, calm_s: int = 601) -> Callable[[WholeWay], None]:
    def live(way: WholeWay) -> None:
        for one in rows:
            way.notice(after(way, 1), one)
        way.wait(calm_s)

    return live


def trouble(kind: Trouble) -> Callable[[WholeWay], None]:
    return row(Noticed(trouble=kind, present=True), Noticed(trouble=kind, present=False), calm_s=0)


def quarantined(reason: Reason) -> Callable[[WholeWay], None]:
    return row(Quarantined(client=CLIENT, reason=reason, digest="00", at_fault="made"))


EQUIPMENT = {"patient": [0.0], "son": [0.0], "practice": [600.0], "operator": [600.0]}
CARE = {"patient": [0.0, 4.0 * HOUR], "son": [4.0 * HOUR], "practice": [float(DAY)]}
SERVICE = {"operator": [0.0, float(HOUR)], "practice": [float(HOUR)]}
LOST = Abandoned(
    device=DeviceId("ecg1"), stream=StreamName("ecg/I"), first=1, last=9, reason=AbandonReason.DISK_FULL
)  # fmt: skip

SHOWN: dict[Condition, Shown] = {
    # alerting.md, "Defaults of silence": 60 s patient and family, 10 min practice; 20 min patient, 60 min family and
    # practice; one missed patient, two practice.
    Condition.NO_DATA: Shown(silent_ecg, {"patient": [0], "son": [0], "practice": [540]}),
    Condition.SENSOR_SIGNAL_LOSS: Shown(sensor(None), {"patient": [0], "son": [2400], "practice": [2400]}),
    Condition.BP_MISSED: Shown(missed(1), {"patient": [0]}),
    Condition.BP_MISSED_REPEATED: Shown(missed(2), {"practice": [0]}),
    Condition.NEVER_REPORTED: Shown(never, {"patient": [0], "practice": [0, DAY], "son": [DAY]}),
    Condition.NOISE: Shown(noisy, EQUIPMENT),
    Condition.LEAD_OFF: Shown(electrode, EQUIPMENT),
    Condition.STRIP_UNREADABLE: Shown(strip, CARE),
    Condition.SENSOR_WARM_UP: Shown(sensor(Flag.SENSOR_WARM_UP), CARE),
    Condition.SENSOR_EXPIRED: Shown(sensor(Flag.SENSOR_EXPIRED), CARE),
    Condition.BATTERY_LOW: Shown(device({"battery_percent": 15}, {"battery_percent": 95}), CARE),
    Condition.CLOCK_OFF: Shown(device({"clock_offset_s": -4000.0}, {"clock_offset_s": 1.0}), CARE),
    Condition.DETECTOR_FAILED: Shown(
        benched, {"doctor": [0], "operator": [0, 15 * MINUTE], "practice": [15 * MINUTE]}, Tier.DOCTOR
    ),
    Condition.LINK_SILENT: Shown(gateway_gone, SERVICE),
    Condition.OUTBOX_FILLING: Shown(outbox, SERVICE),
    Condition.DATA_ABANDONED: Shown(row(LOST), SERVICE),
    Condition.CLOCK_AHEAD: Shown(dated_ahead, SERVICE),
    Condition.MALFORMED: Shown(rubbish(1), SERVICE),
    Condition.QUARANTINE_GROWING: Shown(rubbish(100, calm_s=HOUR + MINUTE), SERVICE),
    Condition.OVERSIZED: Shown(rubbish(1, b"\0" * 1_000_001), SERVICE),
    # Whether a number came before, whose a device is and how much was kept is the archive's to know (`stream/intake_test.py`).
    Condition.SEQ_CONFLICT: Shown(quarantined(Reason.SEQ_CONFLICT), SERVICE),
    Condition.UNKNOWN_DEVICE: Shown(quarantined(Reason.UNKNOWN_DEVICE), SERVICE),
    Condition.QUARANTINE_FULL: Shown(quarantined(Reason.QUARANTINE_FULL), SERVICE),
    Condition.CLOCK_STEP: Shown(trouble(Trouble.CLOCK_STEP), SERVICE),
    Condition.INTAKE_OVERLOADED: Shown(trouble(Trouble.OVERLOADED), SERVICE),
    Condition.STORE_FULL: Shown(trouble(Trouble.STORE_FULL), SERVICE),
    Condition.BROKER_COMPLAINS: Shown(row(Noticed(trouble=Trouble.BROKER, present=True)), SERVICE),
    Condition.DETERMINISM_FAULT: Shown(trouble(Trouble.DETERMINISM), SERVICE),
}


def told_of(raised: Finding) -> tuple[World, dict[str, list[float]]]:
    """Who is told within a cycle of the ladder, if nobody answers."""
    world = World(plan=Plan(patient=raised.subject, team=TEAM), now=START)
    world.says(replace(raised, onset=START, at=START))
    first: dict[str, list[float]] = {}
    for _ in range(40):
        due = world._next()
        if due is None or any(notice.cycle for notice in world.notices.values()):
            break
        world.now = due
        world.station()
    for notice in sorted(world.notices.values(), key=lambda one: one.due_at):
        if notice.cycle == 0 and notice.type is EventType.RAISED:
            first.setdefault(notice.to.person, []).append((notice.due_at - START).total_seconds())
    return world, first


@pytest.mark.parametrize("condition", SHOWN)
def test_raised_and_cleared_the_whole_way_and_told_to_who_can_mend_it(condition: Condition) -> None:
    way, shown = WholeWay(), SHOWN[condition]
    shown.live(way)
    told = way.of(condition)
    assert [found for found in told if found.present], "never raised"
    newest = {found.episode: found for found in told}
    assert all(not found.present and found.end is not None for found in newest.values()), "never cleared"
    raised = told[0]
    assert {alert.tier for alert in way.alerts() if alert.finding.condition is condition} == {shown.tier}
    world, first = told_of(raised)
    assert first == shown.told
    # And again, without an end, as long as nobody answers.
    assert any(notice.cycle == 1 for notice in world.notices.values())
    assert all(notice.to.role is not Role.DISPATCH for notice in world.notices.values())


def test_no_technical_condition_is_left_out() -> None:
    assert set(SHOWN) == TECHNICAL


def test_a_silence_is_told_with_its_likely_cause() -> None:
    way = WholeWay()
    silent_ecg(way)
    assert [(f.present, f.evidence["cause"]) for f in way.of(Condition.NO_DATA)] == [
        (True, "out_of_reach"),
        (False, "out_of_reach"),
    ]


def test_a_strap_that_was_given_back_is_missed_by_nobody() -> None:
    for before_s, told in ((20, []), (70, [True, False])):
        way = WholeWay()
        assigned(way, "ecg1")
        way.ecg(beats(20), 250.0, "s1")
        way.wait(before_s)
        way.tell(after(way, 1), AssignmentChanged(device=DeviceId("ecg1"), slot=None, patient=None, from_at=way.now))
        way.wait(120)
        assert [found.present for found in way.of(Condition.NO_DATA)] == told


def test_what_a_planned_pause_may_mute_is_silence_and_nothing_else() -> None:
    assert SILENCES < TECHNICAL
    assert not SILENCES & {Condition.BATTERY_LOW, Condition.LEAD_OFF, Condition.DETECTOR_FAILED, Condition.LINK_SILENT}
