"""Command line of the simulators: `tierwatch sims ...`. Prints; the world that `tierwatch demo` shows is `world.py`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from device_sims.dispatch_behaviour import Behaviour

app = typer.Typer(no_args_is_help=True)
sims = typer.Typer(no_args_is_help=True, help="Virtual wearables and the dispatch centre, one by one.")
app.add_typer(sims, name="sims")


@sims.command()
def play(
    source: Annotated[
        str, typer.Argument(help="A WFDB record (path without suffix), or a plan as sinus:40,vf:60.", metavar="SOURCE")
    ],
    seconds: Annotated[float, typer.Option(help="How much of it.", min=0.1, max=86_400)] = 10.0,
    speed: Annotated[float, typer.Option(help="How many seconds pass in one; 0: as fast as it goes.", min=0)] = 0.0,
    seed: Annotated[int, typer.Option(help="Of a plan: the same seed, the same signal.", min=0)] = 1,
) -> None:
    """Print what a Polar H10 over this heart would say over the air: moment, characteristic, bytes.

    Each line can be read back with `tierwatch gateway decode UUID HEX`.

    Example: [bold]tierwatch sims play sinus:5,vf:10 --seconds 15[/bold]
    """
    from device_sims.h10 import H10, worn
    from device_sims.pace import Pace
    from device_sims.player import from_source
    from gateway.codecs import polar_pmd

    try:
        wave = from_source(source, seed=seed)
    except ValueError as error:
        typer.echo(f"tierwatch: {error}", err=True)
        raise typer.Exit(2) from error
    strap = H10(
        "H10-PLAYED", worn(wave, round((datetime.now(UTC) - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1e9))
    )
    strap.written(polar_pmd.CONTROL, polar_pmd.START_ECG, 0.0)

    async def print_all() -> None:
        pace, last_s = Pace(speed=speed or 1.0), 0.0
        for said in takewhile(lambda each: each.at_s <= seconds, strap.stream(0.0)):
            if speed:
                await pace.sleep(said.at_s - last_s)
            last_s = said.at_s
            typer.echo(f"{said.at_s:9.3f} s  {said.characteristic:<36}  {said.data.hex()}")

    asyncio.run(print_all())


@sims.command()
def dispatch(
    secret_file: Annotated[
        Path,
        typer.Argument(
            help="The file with the webhook's secret (keys/webhook-dispatch.secrets).", exists=True, dir_okay=False
        ),
    ],
    port: Annotated[int, typer.Option(help="Where it listens, on loopback.", min=1, max=65535)] = 8091,
    behaviour: Annotated[Behaviour, typer.Option(help="How it answers.")] = Behaviour.RECEIVE,
    log: Annotated[Path | None, typer.Option(help="A JSON line for each request goes here.")] = None,
    callback: Annotated[
        str | None, typer.Option(help="Where it answers, as http://127.0.0.1:8080/api/v1/callbacks/dispatch.")
    ] = None,
) -> None:
    """Be a dispatch centre: verify each emergency's signature and print the packet in words. Ctrl-C ends it.

    Point `[alerts.endpoints] dispatch` to http://127.0.0.1:PORT/emergencies.

    Example: [bold]tierwatch sims dispatch var/keys/webhook-dispatch.secrets --behaviour fail[/bold]
    """
    from device_sims.dispatch import DispatchCentre, serving
    from device_sims.packet import is_secret

    lines = secret_file.read_text(encoding="utf-8").split()
    if not lines or not is_secret(lines[0]):
        typer.echo(f"tierwatch: {secret_file} holds no webhook secret (whsec_ and base64 in its first line)", err=True)
        raise typer.Exit(2)

    async def serve() -> None:
        centre = DispatchCentre(lines[0], log=log, callback=callback, behaviour=behaviour, show=typer.echo)
        async with serving(centre, port=port):
            typer.echo(f"Dispatch centre on http://127.0.0.1:{port}/emergencies. Stop: Ctrl-C")
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except OSError as error:
        typer.echo(f"tierwatch: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("Stopped.")


@sims.command()
def radio(
    devices: Annotated[
        str, typer.Option(help="Which, as h10,cuff: h10, belt, cuff, cuff-passkey, meter, sensor, oximeter.")
    ] = "h10,cuff,meter",
    heart: Annotated[
        str, typer.Option(help="What lies under the straps: a WFDB record (path without suffix), or a plan.")
    ] = "sinus:300",
) -> None:
    """Put virtual Bluetooth devices on the air, behind a bluetoothd of our own on a private D-Bus. Ctrl-C ends it.

    No Bluetooth hardware and no root: the gateway (or anything that uses BlueZ) finds, pairs and hears them once the
    address that is printed first is exported. Needs `dbus-daemon` and the extra `radio`.

    Example: [bold]tierwatch sims radio --devices h10,cuff-passkey --heart sinus:40,vf:60[/bold]
    """
    from device_sims.player import from_source

    try:
        from device_sims.radio.bluez.bus import NoBusDaemonError
        from device_sims.radio.offered import OFFERED
        from device_sims.radio.stage import play
    except ModuleNotFoundError as error:
        typer.echo(f"tierwatch: {error.name} is not installed: pip install 'tierwatch[radio,gateway]'", err=True)
        raise typer.Exit(1) from error
    names = [name.strip() for name in devices.split(",")]
    if unknown := [name for name in names if name not in OFFERED]:
        typer.echo(f"tierwatch: no device {', '.join(unknown)!r}; there are: {', '.join(OFFERED)}", err=True)
        raise typer.Exit(2)
    try:
        wave = from_source(heart)
    except ValueError as error:
        typer.echo(f"tierwatch: {error}", err=True)
        raise typer.Exit(2) from error
    try:
        asyncio.run(play(names, wave, typer.echo))
    except (NoBusDaemonError, OSError) as error:
        typer.echo(f"tierwatch: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo("Stopped.")
