"""Command line of the gateway: `tierwatch gateway ...` and `tierwatch ingest ...`. Prints; decides nothing."""

from __future__ import annotations

import dataclasses
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway import json_check
from gateway.codecs import characteristics
from gateway.codecs.malformed import MalformedPacket
from gateway.outbox import Outbox

app = typer.Typer(no_args_is_help=True, help="What runs beside the patient: devices, outbox, the way to the server.")
ingest = typer.Typer(no_args_is_help=True, help="The JSON that wearables send by themselves.")

_out = Console()


@app.callback()
def _gateway() -> None:
    """Keeps `gateway` a group of commands, however few they are."""


@ingest.callback()
def _ingest() -> None:
    """Keeps `ingest` a group of commands, however few they are."""


@app.command()
def decode(
    uuid: Annotated[str, typer.Argument(help="Characteristic, as 2A35 or a whole UUID.", metavar="UUID")],
    packets: Annotated[
        list[str], typer.Argument(help="Packets in hex; blanks and colons do not matter.", metavar="HEX...")
    ],
) -> None:
    """Show what the bytes of a Bluetooth characteristic mean.

    One block a packet, one line a field. Exit code 1 if a packet is malformed, 2 if there is no codec.

    Example: tierwatch gateway decode 2A35 1e8a00580078000000041114293b3c00012700
    """
    try:
        decoder = characteristics.decoder_of(uuid)
    except KeyError as error:
        typer.echo(error.args[0], err=True)
        raise typer.Exit(2) from error
    bad = False
    for packet in packets:
        try:
            data = bytes.fromhex(packet.replace(":", " "))
        except ValueError as error:
            typer.echo(f"{packet!r} is no hex: {error}", err=True)
            raise typer.Exit(2) from error
        try:
            _show(decoder(data))
        except MalformedPacket as error:
            typer.echo(f"malformed: {error}", err=True)
            bad = True
    raise typer.Exit(1 if bad else 0)


def _show(value: object) -> None:
    if isinstance(value, tuple):
        for each in value:
            _show(each)
        return
    if not dataclasses.is_dataclass(value):
        typer.echo(str(value))
        return
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    width = max(map(len, fields))
    typer.echo(type(value).__name__)
    for name, held in fields.items():
        text = held.text if hasattr(held, "text") else str(held)
        typer.echo(f"  {name:<{width}}  {'no value' if held is None else text}")


@app.command()
def status(
    outbox: Annotated[Path, typer.Option(help="The outbox's file.", exists=True, dir_okay=False)],
) -> None:
    """Show what the outbox holds: by lane, what was committed, what waits and since when, what was given up.

    The last line says "all is sent", or how much waits. Exit code 0 if all is sent, else 1. A gateway may be running.

    Example: tierwatch gateway status --outbox data/gateway/outbox.db
    """
    try:
        box = Outbox(outbox, boot="status", read_only=True)
    except sqlite3.DatabaseError as error:
        typer.echo(f"{outbox}: {error}. Start the gateway: it saves what can be read.", err=True)
        raise typer.Exit(2) from error
    with closing(box):
        counts, gaps, dead = box.counts(), box.gaps(), box.dead_letters()
        broken = [line for device in {row[0].device for row in counts} for line in box.chain_problems(device)]
    table = Table(box=None, pad_edge=False)
    for title in ("device", "stream"):
        table.add_column(title)
    for title in ("committed", "waiting", "bytes", "undated", "oldest"):
        table.add_column(title, justify="right")
    for lane, highest, held, size, since_s, undated in counts:
        since = "" if since_s is None else datetime.fromtimestamp(since_s, UTC).isoformat(sep=" ", timespec="seconds")
        table.add_row(lane.device, lane.stream, str(highest), str(held), str(size), str(undated), since)
    _out.print(table)
    for gap in gaps:
        typer.echo(f"given up: {gap.lane.device} {gap.lane.stream} {gap.first}..{gap.last} ({gap.reason})")
    for lane, seq, reason, _ in dead:
        typer.echo(f"refused by the server, kept here: {lane.device} {lane.stream} {seq} ({reason})")
    for line in broken:
        typer.echo(f"chain of readings broken: {line}")
    waiting = sum(row[2] for row in counts)
    all_sent = not waiting and not gaps
    typer.echo("all is sent" if all_sent else f"{waiting} events and {len(gaps)} reports wait for the server")
    raise typer.Exit(0 if all_sent else 1)


@ingest.command()
def check(
    file: Annotated[
        str, typer.Argument(help="JSON, a JSON list, or JSON lines; - reads standard input.", metavar="FILE")
    ],
) -> None:
    """Check messages of a wearable before it is let in: schema, units, dates, and whether the numbers can be.

    A line a problem: FILE:LINE PATH: reason: what is wrong. Exit code 0 if all are good, 2 if not.

    Example: tierwatch ingest check messages.jsonl
    """
    try:
        text = sys.stdin.read() if file == "-" else _text(file)
    except (OSError, UnicodeDecodeError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(2) from error
    found: Any = json_check.check(text)
    for line, problem in found.problems:
        typer.echo(f"{file}:{line} {problem.path}: {problem.reason}: {problem.sentence}")
    bad = len({line for line, _ in found.problems})
    typer.echo(f"{found.messages} messages, {found.messages - bad} good, {bad} with problems")
    raise typer.Exit(2 if bad or not found.messages else 0)


def _text(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")
