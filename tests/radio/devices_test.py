"""Virtual devices as bleak meets them, in both ways: found by their service, paired with, heard, lost, found again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from bleak import BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError

from device_sims.cgm import Cgm
from device_sims.cuff import CURRENT_TIME, Cuff, Measurement
from device_sims.faults import LinkLossBefore, duplicated, garbage
from device_sims.h10 import H10, SAMPLES_A_FRAME, Strap, worn
from device_sims.meter import MEASUREMENT, Meter, Strip
from device_sims.oximeter import CONTINUOUS, Finger, Oximeter, continuous
from device_sims.player import from_plan
from device_sims.radio import gatt_profile
from device_sims.radio.pairing import Pairing
from device_sims.synthetic import Rhythm
from gateway.codecs import battery, blood_pressure, cgm, date_time, heart_rate, polar_pmd, record_access
from gateway.codecs.malformed import MalformedPacket
from tests.radio.stacks import SHOWN, WAIT_S, until

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

from tests.radio.stacks import Stack

TAIL = "-0000-1000-8000-00805f9b34fb"
HELD = (
    Measurement(at_s=0.0, slot=1, systolic_mmhg=128, diastolic_mmhg=81, pulse_bpm=70),
    Measurement(at_s=0.0, slot=2, systolic_mmhg=141, diastolic_mmhg=90, pulse_bpm=66),
)


def long(uuid: str) -> str:
    return f"0000{uuid.lower()}{TAIL}" if len(uuid) == 4 else uuid.lower()


def strap(name: str = "H10-0A1B2C3D") -> H10:
    wave = from_plan(((Rhythm.SINUS, 30.0),), 250.0, seed=9)
    return H10(name, worn(wave, 800_000_000 * 10**9))


def cuff(name: str = "BP-7001", held: tuple[Measurement, ...] = HELD) -> Cuff:
    return Cuff(name, held, SHOWN)


class Heard(list[bytes]):
    """What one characteristic said."""

    @classmethod
    async def on(cls, client: BleakClient, uuid: str) -> Heard:
        found = cls()

        def heard(_: BleakGATTCharacteristic, data: bytearray) -> None:
            found.append(bytes(data))

        await client.start_notify(long(uuid), heard)
        return found


async def test_a_scan_finds_by_service_and_tells_the_name(stack: Stack) -> None:
    belt, monitor = await stack.put(strap(), gatt_profile.H10), await stack.put(cuff(), gatt_profile.CUFF)
    for device, service in ((belt, "180D"), (monitor, "1810")):
        found = await BleakScanner.find_device_by_filter(
            lambda *_: True, timeout=WAIT_S, service_uuids=[long(service)], **stack.scanner
        )
        assert found is not None
        assert (found.address, found.name) == (device.address, device.name)
    assert belt.name == "Polar H10 0A1B2C3D"


async def test_a_strap_streams_the_wave_under_it_and_begins_anew_after_a_lost_link(stack: Stack) -> None:
    on = strap()
    belt = await stack.put(on, gatt_profile.H10)
    found = await stack.find(belt)
    gone = asyncio.Event()
    for _ in range(2):
        client = stack.client(found, disconnected_callback=lambda _: gone.set())
        await client.connect()
        answers = await Heard.on(client, polar_pmd.CONTROL)
        frames, rates = await Heard.on(client, polar_pmd.DATA), await Heard.on(client, heart_rate.MEASUREMENT)
        assert await client.read_gatt_char(long(battery.LEVEL)) == battery.encode(87)
        await client.write_gatt_char(polar_pmd.CONTROL.lower(), polar_pmd.START_ECG, response=True)
        await until(lambda frames=frames, rates=rates: len(frames) >= 3 and bool(rates))
        assert polar_pmd.decode_control(answers[0]).status == polar_pmd.ControlStatus.SUCCESS  # type: ignore[union-attr]
        follows_the_wave(on._strap, frames)
        belt.out_of_range()
        await asyncio.wait_for(gone.wait(), WAIT_S)
        gone.clear()
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.write_gatt_char(polar_pmd.CONTROL.lower(), polar_pmd.STOP_ECG, response=True)


def follows_the_wave(on: Strap, frames: list[bytes]) -> None:
    """Whole frames, one after the other, of what lies under the electrode at that time."""
    first = None
    for data in frames:
        frame = polar_pmd.decode(data)
        last = round((frame.last_sample_ns - on.clock_ns) / 1e9 * on.wave.rate_hz)
        begins = last - SAMPLES_A_FRAME + 1
        assert first in (None, begins)
        first = last + 1
        wave = on.wave.samples
        assert list(frame.microvolts) == [int(wave[place % len(wave)]) for place in range(begins, last + 1)]


async def test_a_cuff_pairs_takes_its_clock_tells_each_measurement_once_and_hangs_up(stack: Stack) -> None:
    monitor = await stack.put(cuff(), gatt_profile.CUFF)
    found = await stack.find(monitor)
    gone = asyncio.Event()
    client = stack.client(found, disconnected_callback=lambda _: gone.set())
    await client.connect()
    now = date_time.encode_current_time(date_time.current_time_of(SHOWN))
    await client.write_gatt_char(long(CURRENT_TIME), now, response=True)
    told = await Heard.on(client, blood_pressure.MEASUREMENT)
    await asyncio.wait_for(gone.wait(), WAIT_S)
    users = [blood_pressure.decode(data).user for data in told]
    assert (users, monitor.pairings) == ([1, 2], 1)
    assert monitor.wearable.reachable_at(1e9) is None


async def test_a_cuff_keeps_what_was_not_confirmed(stack: Stack) -> None:
    later = Measurement(at_s=3.0, slot=1, systolic_mmhg=119, diastolic_mmhg=77)
    monitor = await stack.put(cuff(held=(*HELD, later)), gatt_profile.CUFF)
    found = await stack.find(monitor)
    told: list[bytes] = []
    for _ in range(2):
        gone = asyncio.Event()
        client = stack.client(found, disconnected_callback=lambda _, gone=gone: gone.set())
        await client.connect()
        told += (heard := await Heard.on(client, blood_pressure.MEASUREMENT))
        await asyncio.wait_for(gone.wait(), WAIT_S)
        told += heard
    assert [blood_pressure.decode(data).systolic for data in told] == [128, 141, 119]
    assert monitor.pairings == 1, "a bond is kept: nobody pairs twice"


async def test_a_cuff_that_has_told_all_is_found_again_when_it_measures_or_its_button_is_held(stack: Stack) -> None:
    on = cuff()
    monitor = await stack.put(on, gatt_profile.CUFF)
    found = await stack.find(monitor)

    async def visit() -> list[int | None]:
        gone = asyncio.Event()
        client = stack.client(found, disconnected_callback=lambda _: gone.set())
        await client.connect()
        told = await Heard.on(client, blood_pressure.MEASUREMENT)
        await asyncio.wait_for(gone.wait(), WAIT_S)
        return [blood_pressure.decode(data).user for data in told]

    assert await visit() == [1, 2]
    on.measure(Measurement(at_s=0.1, slot=2, systolic_mmhg=125, diastolic_mmhg=79))
    monitor.wake()
    assert await visit() == [2]
    monitor.hold_button()
    assert await visit() == []


@pytest.mark.parametrize("pairing", [Pairing.PASSKEY, Pairing.COMPARISON])
async def test_a_number_is_typed_or_compared(stack: Stack, pairing: Pairing) -> None:
    shown: list[int] = []
    monitor = await stack.put(cuff(), gatt_profile.CUFF, pairing=pairing, passkey=271_828, show=shown.append)
    found = await stack.find(monitor)
    stack.types(271_828)
    client = stack.client(found, pair=True)
    await client.connect()
    assert await client.read_gatt_char(long(CURRENT_TIME))
    assert shown
    if stack.agent:
        expected = "RequestPasskey" if pairing is Pairing.PASSKEY else "RequestConfirmation"
        assert stack.agent.asked == [expected]
    await client.disconnect()


@pytest.mark.parametrize("typed", [314_159, None])
async def test_a_wrong_number_pairs_nothing(stack: Stack, typed: int | None) -> None:
    monitor = await stack.put(cuff(), gatt_profile.CUFF, pairing=Pairing.PASSKEY, passkey=271_828)
    found = await stack.find(monitor)
    stack.types(typed)
    with pytest.raises(BleakError, match="Authentication"):
        await stack.client(found, pair=True).connect()
    assert not await monitor.is_bonded()


async def test_a_bond_lost_by_the_device_is_made_again_once_ours_is_forgotten(stack: Stack) -> None:
    monitor = await stack.put(cuff(), gatt_profile.CUFF)
    found = await stack.find(monitor)
    client = stack.client(found, pair=True)
    await client.connect()
    await client.disconnect()
    await monitor.forget_bonds()
    with pytest.raises(BleakError):
        await stack.client(found).connect()
    await stack.client(found).unpair()
    client = stack.client(await stack.find(monitor), pair=True)
    await client.connect()
    assert await client.read_gatt_char(long(CURRENT_TIME))
    assert monitor.pairings == 2
    await client.disconnect()


async def test_a_sensor_tells_its_memory_and_refuses_what_nobody_listens_to(stack: Stack) -> None:
    sensor = await stack.put(Cgm("CGM-31", [100.0, 104.0, 110.0], SHOWN), gatt_profile.CGM)
    client = stack.client(await stack.find(sensor))
    await client.connect()
    asks = record_access.encode(record_access.from_number(10))
    with pytest.raises(BleakGATTProtocolError) as refused:
        await client.write_gatt_char(long(record_access.CONTROL), asks, response=True)
    assert refused.value.code == 0xFD
    records = await Heard.on(client, cgm.MEASUREMENT)
    answers = await Heard.on(client, record_access.CONTROL)
    await client.write_gatt_char(long(record_access.CONTROL), asks, response=True)
    await until(lambda: bool(answers))
    assert [record.mg_dl for data in records for record in cgm.decode(data)] == [104.0, 110.0]
    done: Any = record_access.decode(answers[0])
    assert done.result == record_access.Result.SUCCESS
    await client.disconnect()


async def test_a_meter_tells_its_records_counts_is_busy_and_is_stopped(stack: Stack) -> None:
    shown = SHOWN.replace(tzinfo=None)
    strips = [Strip(seq=seq, shown=shown, glucose=90.0 + seq) for seq in range(1, 41)]
    device = await stack.put(Meter("BG-5001", strips, SHOWN), gatt_profile.METER)
    client = stack.client(await stack.find(device))
    await client.connect()
    answers = await Heard.on(client, record_access.CONTROL)
    records = await Heard.on(client, MEASUREMENT)

    async def ask(request: record_access.Request) -> None:
        await client.write_gatt_char(long(record_access.CONTROL), record_access.encode(request), response=True)

    await ask(record_access.Request(op=record_access.OpCode.COUNT, operator=record_access.Operator.ALL))
    await until(lambda: len(answers) == 1)
    assert record_access.decode(answers[0]) == record_access.Counted(records=40)
    await ask(record_access.ALL)
    await until(lambda: bool(records))
    with pytest.raises(BleakGATTProtocolError) as busy:
        await ask(record_access.ALL)
    assert busy.value.code == 0xFE
    await ask(record_access.STOP)
    await until(lambda: len(answers) == 2)
    assert 0 < len(records) < 40
    records.clear()
    await ask(record_access.from_number(41))
    await until(lambda: len(answers) == 3)
    done: Any = record_access.decode(answers[2])
    assert (done.result, records) == (record_access.Result.NO_RECORDS, [])
    await client.disconnect()


async def test_record_access_goes_on_wherever_the_link_was_lost(stack: Stack) -> None:
    count = 4
    strips = [Strip(seq=seq, shown=SHOWN.replace(tzinfo=None), glucose=90.0 + seq) for seq in range(count)]
    # Before each record, and before the answer that all were told.
    fault = LinkLossBefore(*range(count + 1))
    device = await stack.put(Meter("BG-5002", strips, SHOWN, faults=fault), gatt_profile.METER)
    found = await stack.find(device)
    told: list[int] = []
    for _ in range(count + 1):
        gone = asyncio.Event()
        client = stack.client(found, disconnected_callback=lambda _, gone=gone: gone.set())
        await client.connect()
        await Heard.on(client, record_access.CONTROL)
        records = await Heard.on(client, MEASUREMENT)
        asks = record_access.encode(record_access.from_number(len(told)))
        await client.write_gatt_char(long(record_access.CONTROL), asks, response=True)
        await asyncio.wait_for(gone.wait(), WAIT_S)
        told += [int.from_bytes(data[1:3], "little") for data in records]
    assert told == list(range(count))
    assert device.pairings == 1


async def test_a_belt_and_an_oximeter_need_no_pairing(stack: Stack) -> None:
    belt = await stack.put(strap("HRB-1001"), gatt_profile.HEART_RATE)
    clip = Oximeter("PO-1001", [Finger(spo2_percent=97, pulse_bpm=71)], SHOWN)
    finger = await stack.put(clip, gatt_profile.OXIMETER)
    clients = [stack.client(await stack.find(device)) for device in (belt, finger)]
    for client in clients:
        await client.connect()
    # Two devices at a time on one adapter.
    rates, values = await Heard.on(clients[0], heart_rate.MEASUREMENT), await Heard.on(clients[1], CONTINUOUS)
    await until(lambda: bool(rates) and bool(values))
    assert heart_rate.decode(rates[0]).contact
    assert values[0] == continuous(Finger(spo2_percent=97, pulse_bpm=71))
    assert belt.pairings == finger.pairings == 0
    for client in clients:
        await client.disconnect()


async def test_doubled_and_broken_packets_come_over_the_air_as_they_are(stack: Stack) -> None:
    wave = from_plan(((Rhythm.SINUS, 30.0),), 250.0, seed=9)
    on = H10("H10-0000FFFF", worn(wave, 0), lambda said: duplicated(garbage(said, 0.5, seed=3), 1.0, seed=4))
    device = await stack.put(on, gatt_profile.H10)
    client = stack.client(await stack.find(device))
    await client.connect()
    rates = await Heard.on(client, heart_rate.MEASUREMENT)
    await until(lambda: len(rates) >= 6)
    assert rates[0::2][:3] == rates[1::2][:3], "each comes twice"
    assert any(is_broken(data) for data in rates) or len(set(rates)) > 1
    await client.disconnect()


def is_broken(data: bytes) -> bool:
    try:
        heart_rate.decode(data)
    except MalformedPacket:
        return True
    return False


async def test_a_strap_on_a_narrow_connection_refuses_to_stream() -> None:
    on = strap()
    on.att_mtu = 69
    (answer,) = on.written(polar_pmd.CONTROL, polar_pmd.START_ECG, 0.0)
    said: Any = polar_pmd.decode_control(answer.data)
    assert said.status == polar_pmd.ControlStatus.INVALID_MTU
    on.att_mtu = 100
    on.written(polar_pmd.CONTROL, polar_pmd.START_ECG, 0.0)
    frame = next(each for each in on.stream(0.0) if each.characteristic == polar_pmd.DATA)
    assert len(frame.data) + 3 <= 100
