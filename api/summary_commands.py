"""`tierwatch summary`: the week of the practice, as lines. A client of the running API."""

from __future__ import annotations

from typing import Annotated

import typer

from api.asking import ask

app = typer.Typer()


@app.command()
def summary(
    context: typer.Context,
    week: Annotated[str | None, typer.Option(help="As 2026-W48. Default: the last whole one.")] = None,
) -> None:
    """The week in figures: alerts by tier and outcome, false alarms, time to acceptance, what nobody answered.

    Example: tierwatch summary --week 2026-W48
    """
    told = ask(context, "GET", "/api/v1/summary" + (f"?week={week}" if week else ""))
    typer.echo(f"{told['week']}: {told['from']} to {told['until']}")
    for tier, one in told["tiers"].items():
        ends = ", ".join(f"{name} {many}" for name, many in one["outcomes"].items())
        median = "" if one["median_s"] is None else f"; taken after {one['median_s']:.0f} s (median)"
        typer.echo(f"{tier}: {one['raised']}" + (f" ({ends})" if ends else "") + median)
    typer.echo(f"technical: {told['technical']}; batteries {told['batteries']}")
    typer.echo(f"patients without data: {told['patients_without_data']}")
    for one in told["false_alarms"]:
        typer.echo(f"false alarm: {one['condition']} {one['reason']} ({one['alert']})")
    for one in told["unanswered"]:
        typer.echo(f"nobody answered: {one['condition']} ({one['alert']})")
