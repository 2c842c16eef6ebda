"""Codecs: right on packets of real devices, round trips, and any bytes give a value or `MalformedPacket`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.codecs import battery, blood_pressure, characteristics, date_time, heart_rate, polar_pmd, sfloat
from gateway.codecs.blood_pressure import BloodPressure
from gateway.codecs.date_time import DeviceTime
from gateway.codecs.heart_rate import HeartRate
from gateway.codecs.malformed import MalformedPacket

DATA = Path(os.environ.get("TIERWATCH_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))


def vectors(*kinds: str) -> list[dict[str, Any]]:
    """Packets of real devices with the values that they must give."""
    path = DATA / "ble" / "vectors.json"
    if not path.exists():
        pytest.skip("ble/vectors.json is neither in $TIERWATCH_DATA nor in ../shared/data")
    found = [vector for vector in json.loads(path.read_text(encoding="utf-8")) if vector["kind"] in kinds]
    assert found
    return found


def test_every_blood_pressure_vector() -> None:
    for vector in vectors("blood_pressure"):
        expected = vector["expected"]
        data = bytes.fromhex(vector["hex"])
        if "error" in expected:
            with pytest.raises(MalformedPacket):
                blood_pressure.decode(data)
            continue
        got = blood_pressure.decode(data)
        assert (got.systolic, got.diastolic, got.mean_arterial) == (
            expected["systolic"],
            expected["diastolic"],
            expected["map"],
        ), vector["hex"]
        assert got.kpa == (expected["unit"] == "kPa")
        assert got.pulse_bpm == expected.get("pulse")
        assert got.user == expected.get("user_id")
        assert got.status == expected.get("status")
        stamp = expected.get("timestamp")
        assert (got.time.text if got.time else None) == (stamp[:19] if stamp else None)


def test_cuffs_that_break_the_profile_are_refused_not_misread() -> None:
    # Read by the profile, these give a pulse of 2,560,000: the byte too many is what shows that the flags lie.
    for vector in vectors("blood_pressure_quirk"):
        with pytest.raises(MalformedPacket, match="1 bytes more"):
            blood_pressure.decode(bytes.fromhex(vector["hex"]))


def test_every_heart_rate_vector() -> None:
    for vector in vectors("heart_rate"):
        expected = vector["expected"]
        data = bytes.fromhex(vector["hex"])
        if "error" in expected:
            with pytest.raises(MalformedPacket):
                heart_rate.decode(data)
            continue
        got = heart_rate.decode(data)
        assert got.rate_bpm == expected["hr"], vector["hex"]
        assert got.energy_kj == expected.get("energy_kJ")
        assert list(got.rr_1024) == expected.get("rr_1024", [])
        if "contact_supported" in expected:
            assert (got.contact is not None) == expected["contact_supported"]
        if "contact" in expected:
            assert got.contact == expected["contact"]


def test_every_polar_vector() -> None:
    for vector in vectors("pmd_ecg"):
        got = polar_pmd.decode(bytes.fromhex(vector["hex"]))
        assert got.last_sample_ns == vector["expected"]["timestamp_ns_of_last_sample"]
        assert list(got.microvolts) == vector["expected"]["samples_uV"]
        assert polar_pmd.encode(got.last_sample_ns, got.microvolts).hex() == vector["hex"]
    for vector in vectors("pmd_acc"):
        with pytest.raises(MalformedPacket, match="no ECG"):
            polar_pmd.decode(bytes.fromhex(vector["hex"]))
    settings, refused, features = (
        polar_pmd.decode_control(bytes.fromhex(v["hex"])) for v in vectors("pmd_control_point")
    )
    assert settings == polar_pmd.ControlAnswer(
        op=1, measurement=0, status=0, more=False, settings=((0, (130,)), (1, (14,)))
    )
    assert isinstance(refused, polar_pmd.ControlAnswer)
    assert refused.status == polar_pmd.ControlStatus.INVALID_PARAMETER
    assert isinstance(features, polar_pmd.Features)
    offered = [kind.name for kind in polar_pmd.MeasurementType if features.offers(kind)]
    assert offered == ["ECG", "ACCELERATION"]


@given(st.sampled_from(sorted(characteristics.DECODERS)), st.binary(max_size=300))
@example("2A35", b"\xff" * 19)
@example(polar_pmd.CONTROL, b"\xf0\x01\x00\x00\x00\x00\xff")
def test_any_bytes_give_a_value_or_malformed_packet(uuid: str, data: bytes) -> None:
    try:
        characteristics.decoder_of(uuid)(data)
    except MalformedPacket as error:
        assert error.data == data  # noqa: PT017 - malformed or not is both right


@given(st.sampled_from(["2A35", "2A37", "2A2B", polar_pmd.DATA, polar_pmd.CONTROL]), st.data())
def test_a_good_packet_cut_short_or_garbled_is_no_crash(uuid: str, data: st.DataObject) -> None:
    good = {
        "2A35": "de88f420f3ff07e4070113163700bcf2014401",
        "2A37": "1f0101320101000201ffff",
        "2A2B": "ea070b18080000020001",
        polar_pmd.DATA: "0091f770aa30495208007a0000670000",
        polar_pmd.CONTROL: "f0010000000001820001010e00",
    }[uuid]
    packet = bytearray.fromhex(good)
    for _ in range(data.draw(st.integers(0, 3))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(packet[: data.draw(st.integers(0, len(packet)))])
    try:
        characteristics.decoder_of(uuid)(cut)
    except MalformedPacket as error:
        assert error.data == cut  # noqa: PT017 - as above


@given(st.integers(0, 0xFFFF))
def test_sfloat_round_trip(word: int) -> None:
    value = sfloat.decode(word)
    if value is None:
        assert word & 0xFFF in sfloat.NO_VALUE
        return
    exponent = word >> 12
    exponent -= 16 if exponent >= 8 else 0
    assert sfloat.encode(value, exponent) == word


# What real devices send for "no value": each would be a dangerous number if it were read as one.
@pytest.mark.parametrize("word", [0x07FF, 0x0800, 0x07FE, 0x0802, 0x0801, 0xF7FF])
def test_reserved_sfloats_are_no_value(word: int) -> None:
    assert sfloat.decode(word) is None


def test_sfloat_says_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"99999.*exponent 0"):
        sfloat.encode(99999.0)


times = st.builds(
    DeviceTime,
    year=st.integers(0, 0xFFFF),
    month=st.integers(0, 255),
    day=st.integers(0, 255),
    hour=st.integers(0, 255),
    minute=st.integers(0, 255),
    second=st.integers(0, 255),
)


@given(times)
def test_date_time_round_trip(time: DeviceTime) -> None:
    assert date_time.decode_date_time(date_time.encode(time)) == time
    if time.known is not None:
        assert date_time.of(time.known) == time


mantissas = st.integers(-0x7FD, 0x7FD)


@given(
    st.builds(
        BloodPressure,
        systolic=st.none() | mantissas.map(float),
        diastolic=st.none() | mantissas.map(float),
        mean_arterial=st.none() | mantissas.map(float),
        time=st.none() | times,
        pulse_bpm=st.none() | mantissas.map(float),
        user=st.none() | st.integers(0, 254),
        status=st.none() | st.integers(0, 0xFFFF),
    ),
    st.booleans(),
)
def test_blood_pressure_round_trip(pressure: BloodPressure, kpa: bool) -> None:
    data = blood_pressure.encode(pressure, 0)
    assert blood_pressure.decode(data) == pressure
    # Reserved flag bits, which real cuffs set, change nothing.
    assert blood_pressure.decode(bytes((data[0] | 0xE0,)) + data[1:]) == pressure
    if kpa:
        assert blood_pressure.decode(bytes((data[0] | 1,)) + data[1:]).kpa


def test_the_deflating_pressure_is_of_another_type() -> None:
    got = blood_pressure.decode_intermediate(bytes.fromhex("008200ff07ff07"))
    assert got == blood_pressure.CuffPressure(pressure=130.0)


words = st.integers(0, 0xFFFF)


@given(
    st.builds(
        HeartRate,
        rate_bpm=words,
        contact=st.none() | st.booleans(),
        energy_kj=st.none() | words,
        rr_1024=st.lists(words, max_size=9).map(tuple),
    )
)
def test_heart_rate_round_trip(heart: HeartRate) -> None:
    assert heart_rate.decode(heart_rate.encode(heart)) == heart


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=80))
def test_polar_frame_round_trip(last_ns: int, samples: list[int]) -> None:
    got = polar_pmd.decode(polar_pmd.encode(last_ns, samples))
    assert (got.last_sample_ns, list(got.microvolts)) == (last_ns, samples)


def test_battery() -> None:
    assert battery.decode(battery.encode(87)) == 87
    for data in (b"", b"\x65", b"\x01\x02"):
        with pytest.raises(MalformedPacket):
            battery.decode(data)


def test_uuids_have_one_form() -> None:
    assert characteristics.short_uuid("00002a35-0000-1000-8000-00805f9b34fb") == "2A35"
    assert characteristics.short_uuid(polar_pmd.DATA.lower()) == polar_pmd.DATA
    with pytest.raises(KeyError, match=r"2A18.*known: 2A35"):
        characteristics.decoder_of("2a18")
