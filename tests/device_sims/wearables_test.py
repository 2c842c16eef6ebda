"""What the virtual strap and cuff say decodes, by the gateway's codecs, to what was on the skin."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims.cuff import CURRENT_TIME, Cuff, Measurement
from device_sims.h10 import H10, RAIL_UV, SAMPLES_A_FRAME, Strap, ecg_frames, worn
from device_sims.player import Wave, from_plan
from device_sims.synthetic import Rhythm, synthesise
from gateway.codecs import blood_pressure, date_time, heart_rate, polar_pmd
from gateway.codecs.blood_pressure import CuffStatus
from gateway.link import LinkLost
from gateway.reading import MISSING_SAMPLE

PLAN = ((Rhythm.SINUS, 20.0), (Rhythm.LEAD_OFF, 3.0), (Rhythm.AF, 20.0))
CLOCK_NS = 800_000_000 * 10**9
SHOWN = datetime(2026, 11, 24, 8, 0, 0)  # noqa: DTZ001 - a device has no zone


def strap(*, loops: bool = False) -> Strap:
    return worn(from_plan(PLAN, 250.0, seed=9), CLOCK_NS, loops=loops)


def test_frames_decode_to_the_samples_on_the_skin() -> None:
    on = strap()
    frames = [polar_pmd.decode(said.data) for said in ecg_frames(on)]
    assert len(frames) == len(on.wave.samples) // SAMPLES_A_FRAME
    heard = np.array([value for frame in frames for value in frame.microvolts])
    expected = on.wave.samples[: len(heard)].astype(int)
    expected[expected == MISSING_SAMPLE] = RAIL_UV
    assert np.array_equal(heard, expected)
    assert (heard == RAIL_UV).sum() == pytest.approx(3 * 130.17, abs=2)


@pytest.mark.parametrize("rate_hz", [129.9, 130.0, 130.17, 130.4])
def test_a_frame_is_dated_by_its_last_sample_and_said_when_that_was_measured(rate_hz: float) -> None:
    on = worn(from_plan(PLAN, 250.0, seed=9), CLOCK_NS, rate_hz=rate_hz)
    stream = list(islice(ecg_frames(on), 200))
    clock_ns = np.array([polar_pmd.decode(said.data).last_sample_ns for said in stream])
    last = np.arange(1, 201) * SAMPLES_A_FRAME - 1
    assert np.abs(clock_ns - CLOCK_NS - last / rate_hz * 1e9).max() <= 1
    assert [said.at_s for said in stream] == pytest.approx(last / rate_hz)


@given(from_s=st.floats(0, 100))
@settings(deadline=None, max_examples=30)
def test_a_strap_that_reconnects_goes_on_with_the_present(from_s: float) -> None:
    on = strap(loops=True)
    said = next(ecg_frames(on, from_s))
    first = round(said.at_s * on.wave.rate_hz) - SAMPLES_A_FRAME + 1
    assert first - 1 < from_s * on.wave.rate_hz <= first
    assert polar_pmd.decode(said.data).microvolts[5] in {
        int(on.wave.samples[(first + 5) % len(on.wave.samples)]),
        RAIL_UV,
    }


def test_the_strap_counts_the_beats_of_the_truth() -> None:
    plan = ((Rhythm.SINUS, 60.0),)
    made = synthesise(plan, 250.0, seed=9)
    device = H10("H1", worn(Wave(name="", lead="I", rate_hz=250.0, samples=made.samples), CLOCK_NS, loops=False))
    rates = [
        heart_rate.decode(said.data) for said in device.stream(0.0) if said.characteristic == heart_rate.MEASUREMENT
    ]
    assert len(rates) == 59
    intervals = np.array([tick / 1024 for rate in rates for tick in rate.rr_1024])
    true = np.diff([beat.at_s for beat in made.beats])
    assert len(intervals) == pytest.approx(len(true), abs=1)
    assert intervals[5:50] == pytest.approx(true[5:50], abs=0.02)
    assert all(62 <= rate.rate_bpm <= 78 for rate in rates[5:])


def test_no_contact_is_said_while_the_electrode_is_off() -> None:
    device = H10("H1", strap())
    contacts = {
        round(said.at_s): heart_rate.decode(said.data).contact
        for said in device.stream(0.0)
        if said.characteristic == heart_rate.MEASUREMENT
    }
    assert [second for second, contact in contacts.items() if not contact] == [21, 22, 23]


def test_ecg_flows_only_when_asked_for() -> None:
    device = H10("H1", strap(loops=True))
    device.connected(0.0)

    def flows() -> bool:
        return any(said.characteristic == polar_pmd.DATA for said in islice(device.stream(1.0), 5))

    def status(command: bytes) -> int:
        answer = polar_pmd.decode_control(device.written(polar_pmd.CONTROL, command, 1.0)[0].data)
        assert isinstance(answer, polar_pmd.ControlAnswer)
        return answer.status

    assert not flows()
    assert status(polar_pmd.START_ECG) == polar_pmd.ControlStatus.SUCCESS
    assert flows()
    assert status(polar_pmd.START_ECG) == polar_pmd.ControlStatus.ALREADY_IN_STATE
    assert status(b"\x02\x02") == polar_pmd.ControlStatus.NOT_SUPPORTED
    assert status(polar_pmd.STOP_ECG) == polar_pmd.ControlStatus.SUCCESS
    assert not flows()
    status(polar_pmd.START_ECG)
    device.connected(9.0)
    assert not flows(), "a strap forgets its stream with the link"
    with pytest.raises(LinkLost):
        device.written("2A2B", b"", 1.0)


MEASURED = (
    Measurement(at_s=10, slot=1, systolic_mmhg=151, diastolic_mmhg=92, pulse_bpm=71, status=CuffStatus.BODY_MOVEMENT),
    Measurement(at_s=20, slot=2, systolic_mmhg=118, diastolic_mmhg=74),
    Measurement(at_s=90, slot=None, systolic_mmhg=182, diastolic_mmhg=121, status=CuffStatus.IRREGULAR_PULSE),
)


@pytest.mark.parametrize("kpa", [False, True])
def test_the_cuff_says_each_measurement_once_with_its_slot_and_its_own_time(*, kpa: bool) -> None:
    cuff = Cuff("C1", MEASURED, SHOWN, kpa=kpa)
    assert cuff.reachable_at(0.0) == 10
    heard = [blood_pressure.decode(said.data) for said in cuff.stream(30.0)]
    assert cuff.reachable_at(31.0) == 90
    heard += [blood_pressure.decode(said.data) for said in cuff.stream(95.0)]
    assert cuff.reachable_at(96.0) is None
    assert [value.user for value in heard] == [1, 2, None]
    assert [value.time and value.time.known for value in heard] == [SHOWN + timedelta(seconds=m.at_s) for m in MEASURED]
    unit = blood_pressure.MMHG_PER_KPA if value_is_kpa(heard, expected=kpa) else 1.0
    for value, measured in zip(heard, MEASURED, strict=True):
        assert (value.systolic or 0) * unit == pytest.approx(measured.systolic_mmhg, abs=0.4)
        assert (value.diastolic or 0) * unit == pytest.approx(measured.diastolic_mmhg, abs=0.4)
        assert value.mean_arterial is None
        assert value.pulse_bpm == measured.pulse_bpm
        assert value.status == measured.status


def value_is_kpa(heard: list[blood_pressure.BloodPressure], *, expected: bool) -> bool:
    assert {value.kpa for value in heard} == {expected}
    return expected


def test_a_measurement_that_was_not_taken_stays_in_the_cuff() -> None:
    cuff = Cuff("C1", MEASURED, SHOWN)
    lost = cuff.stream(30.0)
    next(lost)
    next(lost)  # the second is on the air when the link falls
    del lost
    assert [blood_pressure.decode(said.data).user for said in cuff.stream(40.0)] == [2]


def test_a_clock_that_is_set_dates_what_is_measured_afterwards() -> None:
    cuff = Cuff("C1", MEASURED, SHOWN - timedelta(days=4000))
    right = date_time.encode_current_time(date_time.current_time_of(SHOWN + timedelta(seconds=15)))
    cuff.written(CURRENT_TIME, right, 15.0)
    times = [blood_pressure.decode(said.data).time for said in cuff.stream(100.0)]
    assert [time and time.known for time in times] == [
        SHOWN - timedelta(days=4000) + timedelta(seconds=10),
        SHOWN + timedelta(seconds=20),
        SHOWN + timedelta(seconds=90),
    ]
    with pytest.raises(LinkLost):
        cuff.written(CURRENT_TIME, b"\x00", 16.0)
    with pytest.raises(LinkLost):
        Cuff("C2", (), SHOWN, takes_clock=False).written(CURRENT_TIME, right, 1.0)
