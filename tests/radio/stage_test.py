"""`tierwatch sims radio` as a process: an unmodified bleak hears its strap, and nothing stays behind, however it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bleak import BleakClient, BleakScanner
from typer.testing import CliRunner

from device_sims.commands import app
from device_sims.radio.bluez.bus import DAEMON, is_installed
from gateway.codecs import heart_rate, polar_pmd
from tests.radio.devices_test import Heard
from tests.radio.stacks import WAIT_S, forget_bus, until

if TYPE_CHECKING:
    from asyncio.subprocess import Process
ADDRESS = "export DBUS_SYSTEM_BUS_ADDRESS="


async def started(*options: str) -> tuple[Process, str, list[str]]:
    """The process, the bus address and its lines."""
    if not is_installed():
        pytest.skip("dbus-daemon is not installed")
    command = [sys.executable, "-m", "tierwatch", "sims", "radio", *options]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(2 * WAIT_S):
        while not lines or not lines[-1].startswith("Stop"):
            line = (await process.stdout.readline()).decode().strip()
            assert line, f"it ended: {lines}"
            lines.append(line)
    return process, lines[0].removeprefix(ADDRESS), lines


async def test_a_strap_is_found_and_streams_and_ctrl_c_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    process, bus, lines = await started("--devices", "h10", "--heart", "sinus:20")
    try:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus)
        service = "0000180d-0000-1000-8000-00805f9b34fb"
        found = await BleakScanner.find_device_by_filter(lambda *_: True, WAIT_S, service_uuids=[service])
        assert found is not None
        assert found.address in lines[1]
        async with BleakClient(found) as client:
            frames, rates = await Heard.on(client, polar_pmd.DATA), await Heard.on(client, heart_rate.MEASUREMENT)
            await Heard.on(client, polar_pmd.CONTROL)
            await client.write_gatt_char(polar_pmd.CONTROL.lower(), polar_pmd.START_ECG, response=True)
            await until(lambda: len(frames) >= 2 and bool(rates))
            assert polar_pmd.decode(frames[0]).microvolts
    finally:
        forget_bus()
        process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), WAIT_S)
    assert code == 0
    await until(lambda: not listens(bus))
    assert not is_there(path_of(bus))


async def test_killed_it_takes_its_bus_along() -> None:
    process, bus, _ = await started("--devices", "cuff")
    assert listens(bus)
    process.kill()
    await asyncio.wait_for(process.wait(), WAIT_S)
    await until(lambda: not listens(bus))


def path_of(bus: str) -> str:
    return bus.removeprefix("unix:path=")


def is_there(path: str) -> bool:
    return Path(path).parent.exists()


def listens(bus: str) -> bool:
    """Whether a process serves this socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path_of(bus)) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--devices", "h10,toaster"], "toaster"), (["--heart", "nonsense"], "nonsense")],
)
def test_what_is_wrong_is_said_in_one_line(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["sims", "radio", *options])
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_machine_without_dbus_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["sims", "radio"])
    assert result.exit_code == 1
    assert DAEMON in result.stderr
