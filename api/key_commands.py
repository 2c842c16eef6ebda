"""Command line of the keys that seal what names people: `tierwatch keys ...`. Works while `tierwatch up` runs.

Must never show a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from alerts import resealing
from alerts.sealing import RETIRED, Seal
from api.asking import fail
from api.sealed import TABLES
from stream.store.commands import DsnOption, carry_out
from stream.store.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

keys = typer.Typer(no_args_is_help=True, help="Keys that seal what names people in the database.")


@keys.command()
def show(context: typer.Context, dsn: DsnOption = None) -> None:
    """Which key seals, and how many rows another one still opens.

    Example: tierwatch keys show
    """
    _done(context, dsn, _told)


@keys.command()
def rotate(context: typer.Context, dsn: DsnOption = None) -> None:
    """A new key seals from now on, and all that lies sealed is written anew with it, while everything runs.

    Interrupted, say it again: it goes on with what is left, and no further key is made. The old key stays, to read with,
    until `tierwatch keys retire`. Copy the folder `keys` to another place again afterwards.

    Example: tierwatch keys rotate
    """

    def work(conn: psycopg.Connection[Any], seal: Seal) -> None:
        open_ = resealing.left(conn, TABLES, seal.newest)
        if any(open_.values()):
            typer.echo(f"going on: {sum(open_.values())} rows are not sealed with key {seal.newest} yet")
        else:
            typer.echo(f"key {seal.add_key()} seals from now on")
            open_ = resealing.left(conn, TABLES, seal.newest)
        for table in TABLES:
            done = 0
            for many in resealing.rewrite(conn, table, seal):
                done += many
                typer.echo(f"{table.name}: {done} of {open_[table.name]}")
        _told(conn, seal)

    _done(context, dsn, work)


@keys.command()
def retire(context: typer.Context, dsn: DsnOption = None) -> None:
    """Put the old keys aside, into `keys/retired`; refused while anything is still sealed with one of them.

    They open backups of before: keep them as long as you keep those.

    Example: tierwatch keys retire
    """

    def work(conn: psycopg.Connection[Any], seal: Seal) -> None:
        if any(resealing.left(conn, TABLES, seal.newest).values()):
            _told(conn, seal)
            fail("old keys are still needed: say `tierwatch keys rotate` first")
        old = seal.retire_old()
        typer.echo(f"key {', '.join(map(str, old))}: now in keys/{RETIRED}" if old else "there is no old key")

    _done(context, dsn, work)


def _told(conn: psycopg.Connection[Any], seal: Seal) -> None:
    typer.echo(f"key {seal.newest} seals")
    for name, many in resealing.left(conn, TABLES, seal.newest).items():
        typer.echo(f"{name}: {many} rows need another key" if many else f"{name}: all rows")


def _done(context: typer.Context, dsn: str | None, work: Callable[[psycopg.Connection[Any], Seal], None]) -> None:
    seal = Seal(context.obj().folder.keys)

    def connected(where: str) -> None:
        with connect(where, "keys") as conn:
            work(conn, seal)

    carry_out(context, dsn, connected)
