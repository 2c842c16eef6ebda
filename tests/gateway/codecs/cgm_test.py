"""Glucose sensors: the specification's tables as bytes by hand, packets of real sensors, round trips, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs import cgm, cgm_sensor, date_time, e2e_crc, record_access
from gateway.codecs.cgm import Annunciation, CgmRecord
from gateway.codecs.cgm_sensor import ControlPoint, Features, Op, RunTime, SensorStatus, SessionStart
from gateway.codecs.date_time import DeviceTime
from gateway.codecs.e2e_crc import CrcVariant
from gateway.codecs.malformed import MalformedPacket
from gateway.codecs.record_access import Counted, Done, Request
from tests.gateway.codecs.codecs_test import vectors

variants = st.none() | st.sampled_from([CrcVariant.MCRF4XX, CrcVariant.CCITT_FALSE])
EVERYTHING = CgmRecord(
    mg_dl=65.0,
    offset_min=300,
    annunciation=Annunciation.BATTERY_LOW | Annunciation.CALIBRATION_REQUIRED | Annunciation.BELOW_HYPO,
    trend_mg_dl_min=-1.2,
    quality_percent=90.0,
)


def test_the_crcs_are_those_of_the_catalogue() -> None:
    assert e2e_crc.crc_of(b"123456789", CrcVariant.MCRF4XX) == 0x6F91
    assert e2e_crc.crc_of(b"123456789", CrcVariant.CCITT_FALSE) == 0x29B1


# Each field where the table of the specification has it; a row is what would be misread.
@pytest.mark.parametrize(
    ("hexed", "expected"),
    [
        ("06 00 7800 0500", CgmRecord(mg_dl=120.0, offset_min=5)),  # the smallest
        ("0d e3 4100 2c01 02 08 04 88ef 5a00", EVERYTHING),  # all fields: status, calibration, warning, trend, quality
        ("08 02 7800 0500 6400", CgmRecord(mg_dl=120.0, offset_min=5, quality_percent=100.0)),  # no trend is no quality
        ("07 20 7800 0500 40", CgmRecord(mg_dl=120.0, offset_min=5, annunciation=Annunciation.BELOW_RANGE)),  # bit 22
        (
            "07 80 7800 0500 01",
            CgmRecord(mg_dl=120.0, offset_min=5, annunciation=Annunciation.SESSION_STOPPED),
        ),  # bit 0
        ("06 00 ff07 ffff", CgmRecord(mg_dl=None, offset_min=65535)),  # NaN is no 2047 mg/dL
        ("06 1c 7800 0500", CgmRecord(mg_dl=120.0, offset_min=5)),  # reserved flags mean nothing
        (
            "08 01 7800 0500 ff7f",
            CgmRecord(mg_dl=120.0, offset_min=5),
        ),  # a sensor's "no trend" is no fall of ten million
    ],
)
def test_a_record_by_hand(hexed: str, expected: CgmRecord) -> None:
    assert cgm.decode(bytes.fromhex(hexed)) == (expected,)


def test_the_encoder_writes_the_bytes_of_the_table() -> None:
    assert cgm.encode(EVERYTHING).hex(" ") == "0d e3 41 00 2c 01 02 08 04 88 ef 5a 00"


def test_every_vector_of_a_real_sensor() -> None:
    for vector in vectors("cgm"):
        expected, got = vector["expected"], cgm.decode(bytes.fromhex(vector["hex"]))
        wanted = expected.get("records", [expected])
        assert len(got) == len(wanted)
        for record, values in zip(got, wanted, strict=True):
            assert record.mg_dl == values.get("glucose_mg_dL", values.get("glucose")), vector["hex"]
            assert record.offset_min == values["time_offset_min"]
            if "crc_algorithm" not in values:
                assert record.crc is None
                continue
            assert record.crc == (CrcVariant.MCRF4XX if "MCRF" in values["crc_algorithm"] else CrcVariant.CCITT_FALSE)
            assert record.trend_mg_dl_min == values["trend_mg_dL_min"]
            assert record.quality_percent == values["quality_pct"]
            octets = dict(values["annunciation_octets_in_order"])
            assert record.annunciation == octets.get("status", 0) | octets.get("cal_temp", 0) << 8


@pytest.mark.parametrize(
    ("hexed", "what"),
    [
        ("", "size"),  # nothing
        ("00", "the smallest has 6"),  # must not loop for ever
        ("05 00 7800 05", "the smallest has 6"),
        ("06 00 7800 05", "too short: a record of 6 bytes"),  # cut
        ("06 00 7800 0500 06 00", "too short: a record of 6 bytes"),  # the second cut
        ("07 00 7800 0500 01", "says 7 bytes, its flags 6"),  # a size that lies must not eat the next record
        ("06 01 7800 0500", "says 6 bytes, its flags 8"),
        ("08 00 7800 0500 0000", "fits neither variant"),  # a broken CRC
    ],
)
def test_a_malformed_record_is_named(hexed: str, what: str) -> None:
    with pytest.raises(MalformedPacket, match=what) as caught:
        cgm.decode(bytes.fromhex(hexed))
    assert caught.value.data == bytes.fromhex(hexed)


def same(got: Any, was: Any) -> None:
    """Equal; where both ways of counting come to the same, the decoder says that it cannot tell."""
    assert got.crc in (was.crc, CrcVariant.EITHER)
    assert (got.crc is None) == (was.crc is None)
    assert replace(got, crc=was.crc) == was


records = st.builds(
    CgmRecord,
    mg_dl=st.none() | st.integers(0, 2045).map(float),
    offset_min=st.integers(0, 0xFFFF),
    annunciation=st.integers(0, 0xFFFFFF).map(Annunciation),
    trend_mg_dl_min=st.none() | st.integers(-2000, 2000).map(lambda n: n / 100),
    quality_percent=st.none() | st.integers(0, 100).map(float),
    crc=variants,
)


@given(st.lists(records, min_size=1, max_size=5))
def test_records_round_trip(some: list[CgmRecord]) -> None:
    for got, was in zip(cgm.decode(cgm.encode(*some)), some, strict=True):
        same(got, was)


@given(records.filter(lambda record: record.crc is not None), st.data())
def test_a_bit_that_flips_is_never_a_reading(record: CgmRecord, data: st.DataObject) -> None:
    packet = bytearray(cgm.encode(record))
    # Size and flags decide what a CRC lies over: a flip there is found by them, or by it.
    bit = data.draw(st.integers(8 * 2, 8 * len(packet) - 1))
    packet[bit // 8] ^= 1 << bit % 8
    try:
        (got,) = cgm.decode(bytes(packet))
    except MalformedPacket:
        return
    assert got.crc is not record.crc, "a flip may fit the other variant, which the session then refuses"


def test_bytes_over_which_both_crcs_agree_teach_nothing() -> None:
    assert cgm_sensor.decode_run_time(bytes.fromhex("ffff 0000")).crc is CrcVariant.EITHER


def test_what_a_sensor_says_of_itself_by_hand() -> None:
    told = Features(features=0x8200, kind=9, location=5)
    assert cgm_sensor.decode_features(bytes.fromhex("008200 59 ffff")) == told
    assert cgm_sensor.encode_features(told).hex() == "00820059ffff"
    stands = SensorStatus(offset_min=300, annunciation=EVERYTHING.annunciation)
    assert cgm_sensor.decode_status(bytes.fromhex("2c01 020804")) == stands
    begun = SessionStart(
        time=DeviceTime(year=2026, month=11, day=24, hour=8, minute=0, second=0), zone_min=60, dst_min=0
    )
    assert cgm_sensor.decode_session_start(bytes.fromhex("ea070b18080000 04 00")) == begun
    assert begun.utc_offset() == timedelta(hours=1)
    assert cgm_sensor.decode_run_time(bytes.fromhex("5001")) == RunTime(hours=336)
    assert cgm_sensor.decode_control(bytes.fromhex("0305")) == ControlPoint(op=Op.INTERVAL, operand=b"\x05")
    assert cgm_sensor.decode_control(bytes.fromhex("1c0101")) == ControlPoint(op=Op.RESPONSE, operand=b"\x01\x01")


def test_a_zone_that_nobody_set_is_unknown() -> None:
    told = cgm_sensor.decode_session_start(bytes.fromhex("ea070b18080000 80 ff"))
    assert (told.zone_min, told.dst_min, told.utc_offset()) == (None, None, None)
    assert cgm_sensor.encode_session_start(told).hex() == "ea070b1808000080ff"


@pytest.mark.parametrize(
    ("uuid", "hexed"),
    [
        ("2AA8", "00820059"),  # always 6 bytes
        ("2AA8", "00900059ffff"),  # has CRCs, and this is none
        ("2AA9", "2c0102080400"),  # half a CRC
        ("2AA9", "2c010208040000"),
        ("2AAA", "ea070b180800"),
        ("2AAB", "50"),
        ("2AAC", "77"),  # no such op code
        ("2AAC", "1c01"),  # a response without its result
        ("2A52", "06000101ff"),
        ("2A52", "0701"),
        ("2A52", "01"),
    ],
)
def test_what_a_sensor_cannot_have_said(uuid: str, hexed: str) -> None:
    from gateway.codecs.characteristics import decoder_of

    with pytest.raises(MalformedPacket):
        decoder_of(uuid)(bytes.fromhex(hexed))


@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFF).map(Annunciation),
    st.integers(-56, 56).map(lambda quarters: 15 * quarters),
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - a sensor has no zone
    variants,
)
def test_the_others_round_trip(
    number: int, said: Annunciation, zone_min: int, local: datetime, crc: CrcVariant | None
) -> None:
    status = SensorStatus(offset_min=number, annunciation=said, crc=crc)
    same(cgm_sensor.decode_status(cgm_sensor.encode_status(status)), status)
    start = SessionStart(time=date_time.of(local), zone_min=zone_min, dst_min=60, crc=crc)
    same(cgm_sensor.decode_session_start(cgm_sensor.encode_session_start(start)), start)
    run_time = RunTime(hours=number, crc=crc)
    same(cgm_sensor.decode_run_time(cgm_sensor.encode_run_time(run_time)), run_time)
    features = cgm_sensor.Feature.E2E_CRC if crc else cgm_sensor.Feature.TREND
    told = Features(features=features, kind=9, location=5, crc=crc)
    same(cgm_sensor.decode_features(cgm_sensor.encode_features(told)), told)
    asked = ControlPoint(op=Op.SET_INTERVAL, operand=b"\x05", crc=crc)
    same(cgm_sensor.decode_control(cgm_sensor.encode_control(asked)), asked)


def test_access_to_the_memory_by_hand() -> None:
    assert record_access.encode(record_access.ALL).hex() == "0101"
    assert record_access.encode(record_access.from_number(300)).hex() == "0103012c01"
    assert record_access.encode(record_access.STOP).hex() == "0300"
    assert record_access.decode(bytes.fromhex("06000101")) == Done(op=1, result=record_access.Result.SUCCESS)
    assert record_access.decode(bytes.fromhex("06000106")) == Done(op=1, result=record_access.Result.NO_RECORDS)
    assert record_access.decode(bytes.fromhex("05002400")) == Counted(records=36)
    assert record_access.number_of(record_access.ALL) is None
    with pytest.raises(ValueError, match="70000"):
        record_access.from_number(70_000)


@given(st.integers(0, 0xFFFF))
def test_a_request_from_a_number_round_trips(number: int) -> None:
    asked = record_access.decode(record_access.encode(record_access.from_number(number)))
    assert isinstance(asked, Request)
    assert record_access.number_of(asked) == number
