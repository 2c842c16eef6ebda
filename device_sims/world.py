"""The demo's world: invented patients with virtual wearables, each home with a real gateway, and the dispatch centre.

It reaches the product as the outside does: MQTT and HTTP. It has no database address, and nothing imports it.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from device_sims.cast import Home, homes
from device_sims.cgm import Cgm
from device_sims.cuff import Cuff
from device_sims.dispatch import DispatchCentre, serving
from device_sims.faults import lead_off
from device_sims.h10 import H10, TRUE_RATE_HZ, worn
from device_sims.link import VirtualLink
from device_sims.player import from_plan
from device_sims.records import Records, find_records
from device_sims.registration import Api, register
from device_sims.wifi import Patch, run_patch
from gateway.gateway import Broker, run_gateway
from gateway.reading import ClientId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from device_sims.faults import Faults
    from device_sims.link import Radio
    from device_sims.pace import Pace
    from device_sims.player import Wave
    from device_sims.settings import DeviceSimsSettings
    from gateway.gateway import Gateway

_PATCH_RATE_HZ = 250.0
_STRAP_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_OUTBOX_THREADS = 4
_LOG: Any = structlog.get_logger("world")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that is handed in; nothing is looked up by itself."""

    folder: Path
    """The gateways' outboxes and the dispatch centre's log lie here."""
    broker: Broker
    """Without user and password: each client has its own."""
    passwords: Mapping[str, str]
    """By client id."""
    pace: Pace
    settings: DeviceSimsSettings
    webhook_secret: str
    api: Api | None
    """None: nobody is registered, and the dispatch centre answers nobody."""
    records: Path | None = None
    shard: int = 0
    outages: Mapping[str, tuple[tuple[float, float], ...]] | None = None
    """By device: when its link is lost."""
    faults: Mapping[str, Faults] | None = None
    """By Bluetooth device: what goes wrong with what it says (see `device_sims.faults`)."""
    show: Callable[[str], None] = print
    """Where the dispatch centre's screen is."""


def run(world: World, ready: Callable[[], None]) -> None:
    """The world as a process of its own: until SIGTERM or SIGINT."""
    asyncio.run(_until_told(world, ready))


async def _until_told(world: World, ready: Callable[[], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for word in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(word, stop.set)
    await live(world, stop, ready)


async def live(
    world: World,
    stop: asyncio.Event,
    ready: Callable[[], None] = lambda: None,
    on_gateway: Callable[[Gateway], None] = lambda _: None,
) -> None:
    """Everything until `stop`. `ready` is called when all are registered and every wearable is worn.

    Raises:
        OSError: the dispatch centre's port is taken.
        RegistrationError: the API does not take a patient or a device.
    """
    await asyncio.to_thread(world.folder.mkdir, parents=True, exist_ok=True)
    everybody = list(homes(world.settings.quiet_patients))
    centre = DispatchCentre(
        world.webhook_secret,
        log=world.folder / "dispatch.jsonl",
        callback=None if world.api is None else world.api.callback_url,
        behaviour=world.settings.dispatch,
        show=world.show,
        now=world.pace.now,
    )
    records = await asyncio.to_thread(find_records, world.records)
    # Before the first moment counts: reading and resampling take longer than a heart beats.
    waves = await asyncio.to_thread(_waves, everybody, records, world.settings.seed)
    with ThreadPoolExecutor(_OUTBOX_THREADS, thread_name_prefix="outbox") as pool:
        async with serving(centre, port=world.settings.dispatch_port), asyncio.TaskGroup() as tasks:
            world.show("Worn: " + ", ".join(f"{device} plays {wave.name}" for device, wave in waves.items()))
            if world.api is not None:
                await register(world.api, everybody, world.pace.now())
            for home in everybody:
                tasks.create_task(_home(world, home, waves, stop, pool, on_gateway))
            ready()
            await stop.wait()


def radios(
    home: Home, waves: Mapping[str, Wave], pace: Pace, faults: Mapping[str, Faults] | None = None
) -> list[Radio]:
    """A home's Bluetooth devices, switched on now."""
    wrong = faults or {}
    clock_ns = round((pace.now() - _STRAP_EPOCH).total_seconds() * 1e9)
    found: list[Radio] = [
        H10(each.device, worn(waves[each.device], clock_ns), wrong.get(each.device, iter)) for each in home.straps
    ]
    found += [
        Cuff(each.device, each.measurements, pace.now(), faults=wrong.get(each.device, iter)) for each in home.cuffs
    ]
    found += [
        Cgm(
            each.device,
            each.glucose_mg_dl,
            pace.now(),
            near_from_s=each.near_from_s,
            faults=wrong.get(each.device, iter),
        )
        for each in home.sensors
    ]
    return found


def clients(settings: DeviceSimsSettings) -> list[str]:
    """Whom the broker has to let in."""
    return [home.client for home in homes(settings.quiet_patients)]


async def _home(
    world: World,
    home: Home,
    waves: Mapping[str, Wave],
    stop: asyncio.Event,
    pool: ThreadPoolExecutor,
    on_gateway: Callable[[Gateway], None],
) -> None:
    broker = Broker(
        host=world.broker.host,
        port=world.broker.port,
        user=home.client,
        password=world.passwords[home.client],
        protocol=world.broker.protocol,
    )
    if home.patches:
        wave = waves[home.patches[0].device]
        patch = Patch(home.client, wave, secrets.token_hex(8), world.pace.now())
        await run_patch(patch, broker, world.pace, stop, world.shard)
        return
    outages = world.outages or {}
    # Making a strap's wave its own takes a moment: not in the loop that paces the others.
    devices = await asyncio.to_thread(radios, home, waves, world.pace, world.faults)
    await run_gateway(
        client=ClientId(home.client),
        broker=broker,
        outbox_path=world.folder / f"{home.client}.outbox",
        links=[VirtualLink(device, world.pace, outages.get(device.device, ())) for device in devices],
        stop=stop,
        shard=world.shard,
        clocks=world.pace.clocks(),
        pool=pool,
        send_every_s=world.pace.real_s(1.0),
        on_ready=on_gateway,
    )


def _waves(everybody: list[Home], records: Records, seed: int) -> dict[str, Wave]:
    """What lies under each electrode, by device; what is synthetic is made at the wearable's own rate."""
    wearers = [(each, TRUE_RATE_HZ) for home in everybody for each in home.straps]
    wearers += [(each, _PATCH_RATE_HZ) for home in everybody for each in home.patches]
    found: dict[str, Wave] = {}
    for turn, (each, rate_hz) in enumerate(wearers):
        wave = records.wave(each, turn) or from_plan(each.plan, rate_hz, seed + turn)
        found[each.device] = wave if each.off_s is None else lead_off(wave, *each.off_s)
        _LOG.info("worn", device=each.device, plays=found[each.device].name)
    return found
