"""`tierwatch store ...`: look after the database: room for the days to come, backup, restore.

Imports nothing heavy before a command runs. Must say in words what a person has to know afterwards.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

    from stream.store.backup import Manifest
    from stream.store.maintain import Report
    from stream.store.restore import Restored

app = typer.Typer(no_args_is_help=True)

Result = TypeVar("Result")

DsnOption = Annotated[
    str | None,
    typer.Option(
        "--dsn", help="The database, without a password (use a passfile). Default: the one of tierwatch.toml."
    ),
]
FileArgument = Annotated[Path, typer.Argument(help="The backup: one file.", dir_okay=False)]


@app.command()
def maintain(
    context: typer.Context,
    dsn: DsnOption = None,
    ecg_days: Annotated[
        int | None, typer.Option("--ecg-days", min=1, help="How many days of waveform are kept. Default: the setting.")
    ] = None,
) -> None:
    """Make room for the days to come, and drop waveform over the limit.

    Wanted once a day; safe at any time, also while `tierwatch up` runs.
    Kept for good: readings, findings, alerts. Kept as [stream] ecg_days
    says (30): waveform, and never less than what a restart needs. Kept 90
    days: quarantine.
    Ends with 1 where something is left for the next time or for a person.

    Example:  tierwatch store maintain --ecg-days 60
    """
    from stream.store.maintain import Rules
    from stream.store.maintain import maintain as run

    if ecg_days is None and context.obj is not None:
        ecg_days = context.obj().stream.ecg_days
    rules = Rules() if ecg_days is None else Rules(ecg=timedelta(days=ecg_days))

    def work(where: str) -> Report:
        with _bar() as bar:
            task = bar.add_task("", total=None)
            return run(where, rules, lambda what: bar.update(task, description=what))

    report = carry_out(context, dsn, work)
    _print_report(report)
    if any(line.is_undone for line in report.lines):
        raise typer.Exit(1)


@app.command()
def backup(context: typer.Context, file: FileArgument, dsn: DsnOption = None) -> None:
    """Write the whole store, as it is at one moment, into one file; everything goes on meanwhile.

    The file holds health data in the clear and can be read by you alone
    (mode 0600): keep it encrypted elsewhere. The keys are not in it: copy
    the folder `keys` of the data folder to another place.

    Example:  tierwatch store backup /backups/tierwatch-2026-11-24.zip
    """
    from stream.store.backup import back_up

    def work(where: str) -> Manifest:
        with _bar() as bar:
            return back_up(where, file, _told(bar))

    manifest = carry_out(context, dsn, work)
    size = file.stat().st_size
    what = f"{manifest.rows} rows of {len(manifest.tables)} tables, {size / 1e6:.1f} MB"
    typer.echo(f"{file}: {what}, judged up to position {manifest.judged_position}.")


@app.command()
def verify(file: FileArgument) -> None:
    """Read a whole backup and compare its checksums; needs no database.

    Example:  tierwatch store verify /backups/tierwatch-2026-11-24.zip
    """
    from stream.store.backup import verify as run

    def work() -> Manifest:
        with _bar() as bar:
            return run(file, _told(bar))

    manifest = _or_exit(work)
    what = f"{manifest.rows} rows of {len(manifest.tables)} tables"
    typer.echo(f"{file}: whole; {what}, made {manifest.made_at:%Y-%m-%d %H:%M %Z}.")


@app.command()
def restore(
    context: typer.Context,
    file: FileArgument,
    dsn: DsnOption = None,
    lanes: Annotated[
        Path | None,
        typer.Option("--lanes", help="Write how far each lane is stored into this file, a JSON object a line."),
    ] = None,
) -> None:
    """Load a backup into an empty store: a new data folder, or an empty database. All of it, or nothing.

    Stop `tierwatch up` first. What came after the backup is not in it.
    Gateways send again what they still have; what they deleted, because the
    lost store had confirmed it, they give up by name ("store_lost"), and
    each such hole becomes a technical finding. How far each of them is
    stored is listed.

    Example:  tierwatch store restore /backups/tierwatch-2026-11-24.zip
    """
    from stream.store.restore import restore as run

    def work(where: str) -> Restored:
        with _bar() as bar:
            return run(where, file, _told(bar))

    restored = carry_out(context, dsn, work, alone=True)
    _print_restored(restored)
    if lanes is not None:
        lines = (
            {
                "client": lane.client,
                "epoch": lane.epoch,
                "device": lane.device,
                "stream": lane.stream,
                "stored": lane.stored,
            }
            for lane in restored.lanes
        )
        lanes.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def carry_out(context: typer.Context, dsn: str | None, work: Callable[[str], Result], *, alone: bool = False) -> Result:
    """Run `work` on the database given, or else on the one that the settings name."""
    if dsn is not None:
        return _or_exit(lambda: work(dsn))
    if context.obj is None:
        sys.exit("tierwatch: give --dsn")
    from stream.store.place import with_store

    return _or_exit(lambda: with_store(context.obj(), work, alone=alone))


def _or_exit(work: Callable[[], Result]) -> Result:
    import psycopg

    from stream.servers.data_folder import FolderInUse, FolderUnusable
    from stream.store.backup import BackupError
    from stream.store.connect import StoreUnreachable
    from stream.store.maintain import AlreadyRunning
    from stream.store.migrate import MigrationError

    try:
        return work()
    except (AlreadyRunning, BackupError, FolderInUse, FolderUnusable, MigrationError, StoreUnreachable) as error:
        sys.exit(f"tierwatch: {error}")
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        sys.exit(
            "tierwatch: there is no store in this database yet: `tierwatch up` makes one, `store restore` fills one"
        )


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _told(bar: Progress) -> Callable[[str, int, int], None]:
    task = bar.add_task("", total=None)

    def told(what: str, done: int, total: int) -> None:
        bar.update(task, description=what, completed=min(done, total), total=total)

    return told


def _print_report(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    if not report.lines:
        typer.echo("Nothing to do.")
        return
    table = Table("table", "count", "what was done", box=None, header_style="bold")
    table.columns[1].justify = "right"
    for line in report.lines:
        table.add_row(line.what, str(line.count), line.note, style="yellow" if line.is_undone else None)
    Console().print(table)


def _print_restored(restored: Restored) -> None:
    from rich.console import Console
    from rich.table import Table

    manifest = restored.manifest
    fences = ", ".join(f"shard {shard}: {fence}" for shard, fence in restored.fences.items())
    made_at = f"{manifest.made_at:%Y-%m-%d %H:%M:%S %Z}"
    typer.echo(f"Restored {manifest.rows} rows of {len(manifest.tables)} tables: the store of {made_at}.")
    typer.echo(f"Fence raised ({fences}): a writer of the lost store ends at its next commit.")
    if restored.later:
        typer.echo(f"Brought up to this version: {', '.join(restored.later)}.")
    typer.echo(
        "\nWhat each outbox has stored here. What it deleted beyond that is lost, and will be told as store_lost:"
    )
    table = Table("client", "epoch", "device", "stream", "stored up to", "holes below", box=None, header_style="bold")
    table.columns[4].justify = table.columns[5].justify = "right"
    for lane in restored.lanes:
        last = lane.stored[-1][1] if lane.stored else 0
        holes = last - sum(end - start + 1 for start, end in lane.stored)
        table.add_row(lane.client, lane.epoch[:12], lane.device, lane.stream, str(last), str(holes))
    Console().print(table)
    typer.echo(
        "\nNotices that were waiting at the time of the backup go out again, under the ids they had: receivers know them."
    )
    typer.echo("Next: tierwatch up")
