"""`tierwatch trace`: one reading or one alert, from the skin to the person."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.store.commands import DsnOption, carry_out

app = typer.Typer()


@app.command()
def trace(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="DEVICE/STREAM/SEQ of a reading or chunk, or the id (or its start) of an alert.")
    ],
    dsn: DsnOption = None,
) -> None:
    """Follow one reading or one alert from the skin to the person, with the time and the id of every hop.

    Example:  tierwatch trace H10-2A7C/ecg/I/512

    Example:  tierwatch trace 4bb3de3a
    """
    for line in carry_out(context, dsn, lambda where: _lines(where, name)):
        typer.echo(line)


def _lines(where: str, name: str) -> list[str]:
    from alerts.journey import NotFound
    from alerts.journey import trace as follow
    from stream.store.connect import connect

    with connect(where, "trace", patience_s=2.0) as conn:
        try:
            return follow(conn, name)
        except NotFound as error:
            typer.echo(f"tierwatch: {error}", err=True)
            raise typer.Exit(1) from error
