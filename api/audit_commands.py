"""`tierwatch audit ...`: who looked at what, and whether the book is whole. A client of the running API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

import typer
from rich.console import Console

from api.asking import ask, fail

audit = typer.Typer(no_args_is_help=True, help="Who looked at what and asked for what: the append-only book.")
_out = Console(soft_wrap=True, highlight=False, markup=False)


@audit.command()
def verify(context: typer.Context) -> None:
    """Walk the whole chain; the first row that is missing or changed is named, and the exit status is 1.

    It cannot find rows cut off the end within a second of being written, nor what somebody did who may write both the
    database and the file keys/audit.head.

    Example: tierwatch audit verify
    """
    found = ask(context, "GET", "/api/v1/audit/verify")
    if not found["whole"]:
        fail(f"the book is cut at row {found['cut']}: {found['why']}")
    _out.print(f"whole: {found['rows']} rows")


@audit.command()
def show(
    context: typer.Context,
    patient: Annotated[str | None, typer.Option(help="Of one patient.")] = None,
    who: Annotated[str | None, typer.Option(help="Of one person or token.")] = None,
    since: Annotated[datetime | None, typer.Option("--from")] = None,
    until: Annotated[datetime | None, typer.Option("--to")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="So many rows at most.")] = 100,
) -> None:
    """Who asked for what of whom, newest first.

    Example: tierwatch audit show --patient ada-1 --from 2026-12-01
    """
    asked = {
        "patient": patient, "who": who, "limit": most,
        "from": since.astimezone().isoformat() if since else None,
        "to": until.astimezone().isoformat() if until else None,
    }  # fmt: skip
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    for row in ask(context, "GET", f"/api/v1/audit?{query}")["audit"]:
        parts = (row["at"], row["who"], row["role"], row["what"], row["subject"] or "-", row["outcome"], row["reason"])
        _out.print("  ".join(part for part in parts if part))
