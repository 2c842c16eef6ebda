"""`tierwatch log export`: the log of record as a file, for the log runner and for looking closely at what went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.store.commands import DsnOption, carry_out

app = typer.Typer(no_args_is_help=True)


@app.callback()
def log() -> None:
    """The log of record: everything that was ever judged, in its order."""


@app.command("export")
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The file to write; it appears under its name only when it is whole.")],
    dsn: DsnOption = None,
    first: Annotated[int, typer.Option("--from", min=1, help="First position.")] = 1,
) -> None:
    """Write all positions that were judged so far to a file.

    Example:  tierwatch log export tonight.twlog && tierwatch replay --log tonight.twlog --partitions 4
    """
    last = carry_out(context, dsn, lambda where: _export(where, out, first))
    typer.echo(f"{out}: positions {first} to {last}, {out.stat().st_size:,} bytes")


def _export(where: str, out: Path, first: int) -> int:
    from rich.progress import Progress

    from stream.log_file import Bench, writing
    from stream.log_rows import read_batches
    from stream.store.connect import connect

    with connect(where, "log export", patience_s=2.0) as conn, Progress(transient=True) as progress:
        row = conn.execute("SELECT judged_position FROM stream.cursor WHERE shard = 0").fetchone()
        last = int(row[0]) if row else 0
        benched = [
            Bench(position=position, patient=patient, why=why)
            for position, patient, why in conn.execute(
                "SELECT position, patient, why FROM stream.bench ORDER BY patient"
            )
        ]
        task = progress.add_task("positions", total=max(last - first + 1, 1))
        with writing(out, benched) as put:
            for batch in read_batches(conn, 0, first, last):
                put(batch)
                progress.advance(task)
    return last
