"""The virtual glucose sensor, heard by the gateway's own session: its memory comes whole, once, whatever the link does."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims.cast import SOFIA
from device_sims.cgm import INTERVAL_MIN, Cgm
from device_sims.faults import duplicated, garbage, link_loss
from device_sims.notification import Notification
from gateway.codecs import cgm, cgm_sensor, record_access
from gateway.codecs.cgm import Annunciation
from gateway.codecs.e2e_crc import CrcVariant
from gateway.codecs.malformed import MalformedPacket
from gateway.codecs.record_access import Counted, Done, OpCode, Operator, Request, Result
from gateway.link import LinkLost
from gateway.reading import DeviceId, Flag, Reading
from gateway.sessions.cgm import CgmSession
from gateway.sessions.session import Moment, Step
from tests.gateway.made import SECOND, START, packet

MEMORY = [100.0 + number for number in range(24)]
"""Two hours."""


def sensor(**more: object) -> Cgm:
    return Cgm("CGM-1", MEMORY, START, **more)  # type: ignore[arg-type]


class Gateway:
    """A session that is spoken to as a link does it: what is written is answered, then the stream is asked anew."""

    def __init__(self, worn: Cgm) -> None:
        self.worn = worn
        self.session = CgmSession(DeviceId("CGM-1"))
        self.readings: list[Reading] = []
        self.malformed = 0

    def hear(self, from_s: float, packets: int, until_s: float = 1e9) -> float:
        """One connection that lasts for so many packets of the sensor's stream; gives the moment of the last."""
        moment = Moment(at=START + timedelta(seconds=from_s), monotonic_ns=round((1000 + from_s) * SECOND))
        steps = [self.session.start(moment, f"c{from_s}")]
        now_s, left = from_s, packets
        waiting = self.worn.connected(from_s)
        while left > 0 and (waiting or steps):
            steps += [self._took(said) for said in waiting]
            waiting = [
                answer
                for step in steps
                for write in step.writes
                for answer in self.worn.written(write.characteristic, write.data, now_s)
            ]
            steps = []
            if waiting:
                continue
            for said in self.worn.stream(now_s):
                if said.at_s > until_s or left <= 0:
                    left = 0
                    break
                now_s, left = said.at_s, left - 1
                step = self._took(said)
                if step.writes:
                    steps = [step]
                    break
        self.session.lost(Moment(at=START, monotonic_ns=round((1000 + now_s) * SECOND)))
        return now_s

    def _took(self, said: Notification) -> Step:
        try:
            step = self.session.packet(packet(said.characteristic, said.data, said.at_s))
        except MalformedPacket:
            self.malformed += 1
            return Step()
        self.readings += [draft.event for draft in step.drafts if isinstance(draft.event, Reading)]
        return step


def test_the_memory_comes_whole_in_order_and_rightly_dated() -> None:
    gateway = Gateway(sensor())
    gateway.hear(0.0, 100, until_s=10.0)
    assert [reading.values[0] for reading in gateway.readings] == MEMORY
    assert [reading.at for reading in gateway.readings] == [
        START - timedelta(minutes=INTERVAL_MIN * (len(MEMORY) - number)) for number in range(1, len(MEMORY) + 1)
    ]
    assert not any(reading.flags for reading in gateway.readings)


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.floats(0, 4000), st.integers(1, 20)), max_size=8),
    crc=st.sampled_from([None, CrcVariant.MCRF4XX, CrcVariant.CCITT_FALSE]),
    seed=st.integers(0, 2**16),
    knows_time=st.booleans(),
)
def test_whatever_the_link_does_each_record_is_one_reading(
    cuts: list[tuple[float, int]], crc: CrcVariant | None, seed: int, *, knows_time: bool
) -> None:
    gateway = Gateway(sensor(crc=crc, knows_time=knows_time, faults=lambda said: duplicated(said, 0.3, seed)))
    now_s = 0.0
    for after_s, packets in cuts:
        now_s = gateway.hear(now_s + after_s, packets, until_s=now_s + after_s + 900.0)
    now_s = gateway.hear(now_s + 60.0, 10**6, until_s=now_s + 120.0)
    minutes = [round((reading.at - START).total_seconds() / 60 / INTERVAL_MIN) for reading in gateway.readings]
    there = range(1 - len(MEMORY), int(now_s // (60 * INTERVAL_MIN)) + 1)
    assert sorted(minutes) == list(there), "a record is missing, or came as two readings"
    assert len({(reading.device_time, reading.values) for reading in gateway.readings}) == len(gateway.readings)


def test_garbage_and_holes_in_the_air_lose_nothing_for_good() -> None:
    gateway = Gateway(sensor(faults=lambda said: garbage(said, 0.5, 7)))
    gateway.hear(0.0, 10**6, until_s=60.0)
    assert gateway.malformed > 3
    assert {reading.values[0] for reading in gateway.readings} == set(MEMORY)
    deaf = Gateway(sensor(faults=lambda said: link_loss(said, 0.1, 0.2)))
    deaf.hear(0.0, 10**6, until_s=60.0)
    assert len(deaf.readings) < len(MEMORY), "what nobody heard is missing"
    fresh = CgmSession(
        DeviceId("CGM-1")
    )  # as after a restart of the gateway: all is asked for, the server knows what it has
    deaf.session, deaf.worn = fresh, sensor()
    deaf.hear(120.0, 10**6, until_s=180.0)
    assert {reading.values[0] for reading in deaf.readings} == set(MEMORY)


def test_what_it_says_of_itself_becomes_flags() -> None:
    worn = Cgm(
        "CGM-1", [0.0, None, 110.0, 108.0, None], START,
        states=[(20, Annunciation.CALIBRATION_REQUIRED), (25, Annunciation.SESSION_STOPPED)],
    )  # fmt: skip
    gateway = Gateway(worn)
    gateway.hear(0.0, 100, until_s=10.0)
    expired = (Flag.SENSOR_EXPIRED,)
    assert sorted((r.device_time or "", r.values[0], r.flags) for r in gateway.readings) == [
        ("2026-11-24T07:40:00", 0.0, (Flag.SENSOR_WARM_UP,)),
        ("2026-11-24T07:45:00", 0.0, (Flag.SENSOR_WARM_UP,)),
        ("2026-11-24T07:50:00", 110.0, ()),
        ("2026-11-24T07:55:00", 108.0, (Flag.QUESTIONABLE,)),
        ("2026-11-24T08:00:00", 0.0, expired),
        ("2026-11-24T08:00:00", 0.0, expired),  # by its status, and by its record: one reading for the server
    ]


def test_it_measures_on_every_five_minutes_of_its_session() -> None:
    worn = sensor(future=[90.0, 80.0])
    live = list(islice(worn.stream(1.0), 3))
    assert [said.at_s for said in live] == [300.0, 600.0, 900.0]
    records = [cgm.decode(said.data)[0] for said in live]
    assert [(record.mg_dl, record.offset_min) for record in records] == [(90.0, 125), (80.0, 130), (80.0, 135)]
    assert records[1].trend_mg_dl_min == -2.0


def test_it_is_reached_when_its_wearer_is_near() -> None:
    worn = sensor(near_from_s=10.0)
    assert (worn.reachable_at(0.0), worn.reachable_at(70.0)) == (10.0, 70.0)


def answer(worn: Cgm, asked: Request) -> record_access.RecordAccess:
    (said,) = worn.written(record_access.CONTROL, record_access.encode(asked), 1.0)
    return record_access.decode(said.data)


def test_its_memory_answers_as_the_profile_says() -> None:
    worn = sensor()
    worn.connected(0.0)
    count = Request(op=OpCode.COUNT, operator=Operator.ALL)
    assert answer(worn, count) == Counted(records=len(MEMORY))
    assert answer(worn, record_access.from_number(121)) == Done(op=OpCode.REPORT, result=Result.NO_RECORDS)
    delete = Request(op=OpCode.DELETE, operator=Operator.ALL)
    assert answer(worn, delete) == Done(op=OpCode.DELETE, result=Result.OP_CODE_NOT_SUPPORTED)
    last = Request(op=OpCode.REPORT, operator=Operator.LAST)
    assert answer(worn, last) == Done(op=OpCode.REPORT, result=Result.OPERATOR_NOT_SUPPORTED)
    assert worn.written(record_access.CONTROL, record_access.encode(record_access.from_number(115)), 1.0) == []
    told = list(islice(worn.stream(1.0), 2))
    assert [record.offset_min for record in cgm.decode(told[0].data)] == [115, 120]
    assert record_access.decode(told[1].data) == Done(op=OpCode.REPORT, result=Result.SUCCESS)
    worn.written(record_access.CONTROL, record_access.encode(record_access.ALL), 1.0)
    assert answer(worn, record_access.STOP) == Done(op=OpCode.ABORT, result=Result.SUCCESS)
    assert next(worn.stream(1.0)).at_s == 300.0, "nothing of the memory comes after it was stopped"


def test_it_refuses_what_is_not_its_to_take() -> None:
    for uuid, data in (("2A2B", b""), ("2A52", b"\x06\x00\x01\x01"), ("2AAC", b"\x77"), ("2AAA", bytes(9))):
        with pytest.raises(LinkLost):
            sensor().written(uuid, data, 1.0)
    with pytest.raises(LinkLost):
        sensor(knows_time=False).written(cgm_sensor.SESSION_START, bytes(8) + b"\x80", 1.0)


def test_sofias_sensor_ends_low_but_not_in_danger() -> None:
    told = SOFIA.sensors[0].glucose_mg_dl
    assert told[-1] == 65
    assert all(value is not None and 60 < value < 180 for value in told)
    assert sum(1 for value in told if value is not None and value < 70) * INTERVAL_MIN >= 15
