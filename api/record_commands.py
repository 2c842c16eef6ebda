"""Command line of the record: `tierwatch record ...`. A client of the running API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from api.asking import ask, fail

record = typer.Typer(no_args_is_help=True, help="Records of patients: take one from a hospital, show it.")
_out = Console()

Identity = Annotated[str, typer.Argument(metavar="PATIENT")]


@record.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A FHIR R4 Bundle of one person, JSON.", exists=True, dir_okay=False)],
    patient: Annotated[str, typer.Option(help="Whose record it goes into.")],
    *,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what would change.")] = False,
) -> None:
    """Take a hospital's record. A Bundle that cannot be read is refused whole, each fault with its place.

    Example: tierwatch record import discharge.json --patient ada-1 --dry
    """
    try:
        bundle = json.loads(file.read_bytes())
    except ValueError as error:
        fail(f"{file} is not JSON: {error}")
    told = ask(context, "POST", f"/api/v1/patients/{patient}/import?dry={str(dry).lower()}", bundle)
    for change in told["changes"]:
        _out.print(f"{change['field']}: {_line(change['before'])} -> {_line(change['after'])}", markup=False)
    for left in told["not_taken"]:
        _out.print(f"not taken: {left['what']} {left['why']} ({left['at']})", markup=False)
    _out.print(f"{patient}: {'would be changed' if dry and told['changes'] else _said(told)}")


@record.command()
def show(context: typer.Context, patient: Identity) -> None:
    """The record as an alert carries it, with the last vitals.

    Example: tierwatch record show ada-1
    """
    for name, value in ask(context, "GET", f"/api/v1/patients/{patient}").items():
        _out.print(f"{name}: {_line(value)}", markup=False)


@record.command()
def export(context: typer.Context, patient: Identity) -> None:
    """The record as it was entered, with its codes, as JSON: what `PUT /api/v1/patients/PATIENT` takes.

    Example: tierwatch record export ada-1 > ada-1.json
    """
    typer.echo(json.dumps(ask(context, "GET", f"/api/v1/patients/{patient}/entered"), indent=2, ensure_ascii=False))


def _said(told: dict[str, Any]) -> str:
    return "taken" if told["changes"] else "nothing is new"


def _line(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_line, value)) or "none"
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part not in (None, "unknown"))
    return str(value)
