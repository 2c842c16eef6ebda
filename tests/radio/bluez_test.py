"""The fake bluetoothd in trouble, as bleak's BlueZ backend meets it: each is a story of the field (devices.md)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bleak import BleakScanner
from bleak.backends.bluezdbus import manager
from bleak.exc import BleakDBusError, BleakError
from dbus_fast import BusType, Message
from dbus_fast.aio import MessageBus

from device_sims.cuff import CURRENT_TIME
from device_sims.radio import gatt_profile
from device_sims.radio.bluez.daemon import HANG, Habits
from device_sims.radio.bluez.errors import BluezError
from gateway.codecs import battery, heart_rate
from tests.radio.devices_test import Heard, cuff, long, strap
from tests.radio.stacks import WAIT_S, fakebluez, until

if TYPE_CHECKING:
    from bleak import BleakClient

    from device_sims.radio.bluez.daemon import FakeBluez
    from tests.radio.stacks import Stack

SHORT_S = 0.5
"""Our own patience with a call that never answers."""


def bluez(fake: Stack) -> FakeBluez:
    assert fake.bluez is not None
    return fake.bluez


async def streaming(fake: Stack) -> tuple[BleakClient, Heard, asyncio.Event]:
    """A strap whose heart rate is heard; the event is set when bleak says that it is gone."""
    device = await fake.put(strap(), gatt_profile.H10)
    gone = asyncio.Event()
    client = fake.client(await fake.find(device), disconnected_callback=lambda _: gone.set())
    await client.connect()
    rates = await Heard.on(client, heart_rate.MEASUREMENT)
    await until(lambda: bool(rates))
    return client, rates, gone


async def test_an_error_has_the_name_that_bluez_gives_it(fake: Stack) -> None:
    found = await fake.find(await fake.put(strap(), gatt_profile.H10))
    bluez(fake).troubles["Connect"].append(BluezError("Failed", "Software caused connection abort"))
    with pytest.raises(BleakDBusError, match="Software caused") as failed:
        await fake.client(found).connect()
    assert failed.value.dbus_error == "org.bluez.Error.Failed"


async def test_in_progress_is_tried_again(fake: Stack) -> None:
    client, *_ = await streaming(fake)
    bluez(fake).troubles["ReadValue"] += [BluezError("InProgress", "In Progress")] * 2
    assert await client.read_gatt_char(long(battery.LEVEL)) == battery.encode(87)
    assert [member for member, _ in bluez(fake).calls].count("ReadValue") == 3
    await client.disconnect()


async def test_a_device_that_does_not_answer_is_given_up_and_the_next_one_is_reached(fake: Stack) -> None:
    away, here = await fake.put(strap(), gatt_profile.H10), await fake.put(cuff(), gatt_profile.CUFF)
    found, other = await fake.find(away), await fake.find(here)
    await away.stop()
    fake.devices.remove(away)
    # bleak takes this error for a passing one, and waits for a link that was never made: our own timeout ends it.
    with pytest.raises((BleakError, TimeoutError)):
        async with asyncio.timeout(5):
            await fake.client(found).connect()
    client = fake.client(other)
    await client.connect()
    await client.disconnect()


async def test_a_connection_that_hangs_is_ended_by_our_own_timeout(fake: Stack) -> None:
    found = await fake.find(await fake.put(strap(), gatt_profile.H10))
    bluez(fake).troubles["Connect"].append(HANG)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            await fake.client(found).connect()
    client = fake.client(found)
    await client.connect()
    await client.disconnect()


async def test_a_call_that_hangs_is_ended_by_our_own_timeout_and_the_client_goes_on(fake: Stack) -> None:
    client, *_ = await streaming(fake)
    bluez(fake).troubles["ReadValue"].append(HANG)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            await client.read_gatt_char(long(battery.LEVEL))
    assert await client.read_gatt_char(long(battery.LEVEL)) == battery.encode(87)
    await client.disconnect()


async def test_a_lost_link_that_is_not_told_leaves_is_connected_lying(fake: Stack) -> None:
    client, rates, gone = await streaming(fake)
    bluez(fake).connections.hides_losses = True
    fake.devices[0].out_of_range()
    await until(lambda: not fake.devices[0].is_connected)
    rates.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            await client.read_gatt_char(long(battery.LEVEL))
    assert (client.is_connected, gone.is_set(), rates) == (True, False, [])
    # What a watchdog does then: end it on our side, and come again.
    bluez(fake).connections.hides_losses = False
    await client.disconnect()
    again = fake.client(await fake.find(fake.devices[0]))
    await again.connect()
    await again.disconnect()


async def test_a_daemon_that_goes_is_told_by_the_bus_and_comes_back(fake: Stack) -> None:
    _, _, gone = await streaming(fake)
    assert fake.bus is not None
    owners: list[str] = []
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bus.add_message_handler(lambda said: owners.append(said.body[2]) if said.member == "NameOwnerChanged" else None)
    rule = "type='signal',member='NameOwnerChanged',arg0='org.bluez'"
    await bus.call(
        Message(
            destination="org.freedesktop.DBus",
            path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus",
            member="AddMatch",
            signature="s",
            body=[rule],
        )
    )
    bluez(fake).vanish()
    await until(lambda: "" in owners)
    assert not gone.is_set(), "bleak says nothing: who streams has to watch the name"
    await bluez(fake).appear(fake.bus.address)
    await until(lambda: any(owners))
    bus.disconnect()


async def test_a_bus_that_dies_takes_every_connection_along_and_can_be_started_again(fake: Stack) -> None:
    _, _, gone = await streaming(fake)
    assert fake.bus is not None
    fake.bus.die()
    await asyncio.wait_for(gone.wait(), WAIT_S)
    bluez(fake).vanish()
    fake.bus.start()
    await bluez(fake).appear(fake.bus.address)
    other = await fake.put(cuff(), gatt_profile.CUFF)
    client = fake.client(await fake.find(other))
    await client.connect()
    await client.disconnect()


async def test_an_adapter_that_is_switched_off_ends_links_and_answers_nobody(fake: Stack) -> None:
    client, _, gone = await streaming(fake)
    await bluez(fake).power(on=False)
    await asyncio.wait_for(gone.wait(), WAIT_S)
    assert not client.is_connected
    with pytest.raises(BleakError):
        await BleakScanner.discover(0.1)
    await bluez(fake).power(on=True)
    await until(bleak_sees_an_adapter)
    assert await fake.find(fake.devices[0])


def bleak_sees_an_adapter() -> bool:
    (known,) = manager._global_instances.values()
    try:
        return bool(known.get_default_adapter())
    except BleakError:
        return False


async def test_without_an_agent_nothing_is_paired(fake: Stack) -> None:
    assert fake.agent is not None
    found = await fake.find(await fake.put(cuff(), gatt_profile.CUFF))
    await fake.agent.call("UnregisterAgent", "o", "/org/tests/agent")
    with pytest.raises(BleakDBusError, match="AuthenticationFailed"):
        await fake.client(found, pair=True).connect()
    client = fake.client(found)
    await client.connect()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            await client.read_gatt_char(long(CURRENT_TIME))
    await client.disconnect()


async def test_a_number_that_differs_is_refused_by_the_person(fake: Stack) -> None:
    from device_sims.radio.pairing import Pairing

    assert fake.agent is not None
    fake.agent.agrees = False
    monitor = await fake.put(cuff(), gatt_profile.CUFF, pairing=Pairing.COMPARISON)
    with pytest.raises(BleakError, match="Authentication"):
        await fake.client(await fake.find(monitor), pair=True).connect()
    assert fake.agent.asked == ["RequestConfirmation"]


async def test_a_device_that_nobody_wants_is_forgotten() -> None:
    async with fakebluez(Habits(temporary_s=0.2)) as fake:
        found = await fake.find(await fake.put(strap(), gatt_profile.H10))
        path = found.details["path"]
        await until(lambda: path not in bluez(fake).tree)
        with pytest.raises(BleakError, match="not found"):
            await fake.client(found).connect()


@pytest.mark.parametrize("acquires", [True, False])
async def test_either_way_of_listening_hears_each_packet_once(fake: Stack, acquires: bool) -> None:
    device = await fake.put(strap(), gatt_profile.H10)
    client = fake.client(await fake.find(device))
    await client.connect()
    heard: list[bytes] = []
    how = {"use_start_notify": not acquires}
    await client.start_notify(long(heart_rate.MEASUREMENT), lambda _, data: heard.append(bytes(data)), bluez=how)
    await until(lambda: len(heard) >= 2)
    await client.stop_notify(long(heart_rate.MEASUREMENT))
    assert len(heard) <= device.said
    members = {member for member, _ in bluez(fake).calls}
    assert ("AcquireNotify" if acquires else "StartNotify") in members
    await client.disconnect()
