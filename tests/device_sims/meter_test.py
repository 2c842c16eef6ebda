"""The virtual glucose meter and oximeter: bytes as the services lay them down, and a memory that is whole."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sims.faults import LinkLossBefore, stalled
from device_sims.link import Busy
from device_sims.meter import MEASUREMENT, Meter, Strip, packet
from device_sims.notification import Notification
from device_sims.oximeter import CONTINUOUS, SPOT_CHECK, Finger, Oximeter, OximeterStatus, spot_check
from gateway.codecs import record_access
from gateway.codecs.record_access import OpCode, Operator, Request, Result

SHOWN = datetime(2020, 4, 13, 16, 38, 10)  # noqa: DTZ001 - a device has no zone


def test_a_record_is_laid_out_as_a_real_meter_sent_it() -> None:
    # Seen on the air for 120 mg/dL; the place of the sample was unknown there (F), here it is the finger.
    said = packet(Strip(seq=6, shown=SHOWN, glucose=120.0, offset_min=0))
    assert said.hex() == "030600e407040d10260a000078b0" + "11"


@pytest.mark.parametrize(
    ("strip", "mmol", "expected"),
    [
        # mmol/L: 6.7 is 670e-5 mol/L
        (Strip(seq=1, shown=SHOWN, glucose=6.7), True, "060100e407040d10260a9eb211"),
        # control solution is no blood
        (Strip(seq=1, shown=SHOWN, glucose=120.0, is_control=True), False, "020100e407040d10260a78b04a"),
        # a failed strip has no value, and says why: battery low, strip error
        (Strip(seq=65535, shown=SHOWN, glucose=None, status=0x11), False, "08ffffe407040d10260a1100"),
        # somebody set the display an hour back: base time and offset give the display again
        (Strip(seq=2, shown=SHOWN, glucose=90.0, offset_min=-60), False, "030200e407040d11260ac4ff5ab011"),
    ],
)
def test_units_kinds_states_and_clocks(strip: Strip, mmol: bool, expected: str) -> None:
    assert packet(strip, mmol=mmol).hex() == expected


def meter(count: int = 5, **more: Any) -> Meter:
    return Meter("BG-1", [Strip(seq=10 + n, shown=SHOWN, glucose=100.0 + n) for n in range(count)], SHOWN, **more)


def number_of(said: Notification) -> int:
    return int.from_bytes(said.data[1:3], "little")


def asked(it: Meter, request: Request) -> tuple[list[int], record_access.RecordAccess]:
    """The numbers that were told, and the answer."""
    answers = it.written(record_access.CONTROL, record_access.encode(request), 0.0)
    told: list[int] = []
    for said in [*answers, *(() if answers else islice(it.stream(0.0), 50))]:
        if said.characteristic == record_access.CONTROL:
            return told, record_access.decode(said.data)
        told.append(number_of(said))
    raise AssertionError("no answer")


@pytest.mark.parametrize(
    ("request_", "told", "answer"),
    [
        (record_access.ALL, [10, 11, 12, 13, 14], Result.SUCCESS),
        (record_access.from_number(13), [13, 14], Result.SUCCESS),
        (record_access.from_number(15), [], Result.NO_RECORDS),
        (Request(op=OpCode.REPORT, operator=Operator.LAST), [14], Result.SUCCESS),
        (Request(op=OpCode.REPORT, operator=Operator.UP_TO, operand=b"\1\0\0"), [], Result.OPERATOR_NOT_SUPPORTED),
        # Memory is never deleted, whoever asks.
        (Request(op=OpCode.DELETE, operator=Operator.ALL), [], Result.OP_CODE_NOT_SUPPORTED),
    ],
)
def test_a_meter_tells_what_is_asked_for(request_: Request, told: list[int], answer: Result) -> None:
    it = meter()
    assert asked(it, request_) == (told, record_access.Done(op=request_.op, result=answer))
    assert len(it.strips) == 5


def test_it_counts_and_it_tells_one_thing_at_a_time_until_it_is_stopped() -> None:
    it = meter()
    count = Request(op=OpCode.COUNT, operator=Operator.ALL)
    assert asked(it, count) == ([], record_access.Counted(records=5))
    it.written(record_access.CONTROL, record_access.encode(record_access.ALL), 0.0)
    list(islice(it.stream(0.0), 2))
    with pytest.raises(Busy):
        it.written(record_access.CONTROL, record_access.encode(record_access.ALL), 0.0)
    assert asked(it, record_access.STOP) == ([], record_access.Done(op=OpCode.ABORT, result=Result.SUCCESS))
    assert asked(it, record_access.from_number(14))[0] == [14]


@given(lost=st.sets(st.integers(0, 7)))
def test_a_link_that_is_lost_anywhere_costs_no_record(lost: set[int]) -> None:
    fault = LinkLossBefore(*lost)
    it = meter(faults=fault)
    heard: list[int] = []
    for _ in range(len(lost) + 1):
        it.connected(0.0)
        asks = record_access.from_number(heard[-1] + 1 if heard else 0)
        it.written(record_access.CONTROL, record_access.encode(asks), 0.0)
        said = list(islice(it.stream(0.0), 6))
        heard += [number_of(each) for each in said if each.characteristic == MEASUREMENT and not each.lost]
    assert heard == [10, 11, 12, 13, 14]


def test_a_meter_that_stalls_goes_on_later() -> None:
    it = meter(faults=lambda stream: stalled(stream, after=2, for_s=40.0))
    it.written(record_access.CONTROL, record_access.encode(record_access.ALL), 0.0)
    at_s = [said.at_s for said in islice(it.stream(0.0), 4)]
    assert at_s[1] < 1
    assert at_s[2] > 40


def test_an_oximeter_tells_each_second_and_leaves_with_a_spot_check() -> None:
    clip = Oximeter("PO-1", [Finger(spo2_percent=97, pulse_bpm=71), Finger(spo2_percent=None, pulse_bpm=None)], SHOWN)
    said = next(clip.stream(0.0))
    assert (said.characteristic, said.data.hex()) == (CONTINUOUS, "0461004700a000")
    once = Oximeter("PO-1", [Finger(spo2_percent=97, pulse_bpm=71)], SHOWN, loops=False)
    *_, last = once.stream(0.0)
    assert last.characteristic == SPOT_CHECK
    assert once.reachable_at(2.0) is None
    invalid = Finger(spo2_percent=None, pulse_bpm=71, status=OximeterStatus.INVALID)
    assert spot_check(invalid, SHOWN).hex() == "03ff074700e407040d10260a0080"
