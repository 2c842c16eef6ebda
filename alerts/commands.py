"""Command line of alerting: `tierwatch alert ...`. Reads the database, runs the same answers as the API; decides nothing."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from uuid import UUID, uuid4

import typer
from rich.console import Console
from rich.table import Table

from alerts import replay_commands, trace_commands
from alerts.alert import Outcome, Tier
from alerts.answers import Verb
from alerts.validation import validate_commands
from stream.store.commands import DsnOption, carry_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from alerts.alert import Alert
    from alerts.register import Connection

Result = TypeVar("Result")

alert = typer.Typer(no_args_is_help=True, help="Alerts: see them, answer them, and the secrets of webhooks.")
app = typer.Typer()
app.add_typer(alert, name="alert")
app.add_typer(replay_commands.app)
app.add_typer(validate_commands.app)
app.add_typer(trace_commands.app)
WIDE = 200
# Piped, an id must come out whole, whatever width the shell had.
_out = Console(width=None if sys.stdout.isatty() else WIDE)

WhoOption = Annotated[str, typer.Option("--who", help="Who says so. Default: your login name.")]


@alert.command("list")
def list_(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    tier: Annotated[Tier | None, typer.Option(help="Only this tier.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this patient, client or component.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    dsn: DsnOption = None,
) -> None:
    """Open alerts, newest first.

    Example: tierwatch alert list --tier emergency
    """
    from alerts.reading import list_alerts

    is_open = None if everything else True
    found = _done(
        context, dsn, lambda conn: list_alerts(conn, limit=limit, is_open=is_open, tier=tier, subject=subject)
    )
    table = Table("raised", "tier", "whose", "condition", "state", "who has it", "next step", "alert", box=None)
    for row in found:
        kind = "technical" if row["kind"] == "technical" else row["tier"]
        table.add_row(
            _clock(row["raised_at"]), kind, row["subject"], row["condition"] + (" (past)" if row["past"] else ""),
            row["state"], row["answered_by"] or "", _clock(row["next_due_at"]), str(row["alert"]),
        )  # fmt: skip
    _out.print(table if found else "No alert.")


@alert.command()
def show(
    context: typer.Context, alert_id: Annotated[UUID, typer.Argument(metavar="ALERT")], dsn: DsnOption = None
) -> None:
    """One alert: its way from the skin to the person, its history, and every attempt to tell somebody.

    Example: tierwatch alert show 5f0c6c8e-8d0f-5a0e-9b8e-2f6f0c0f7a11
    """
    from alerts import hops
    from alerts.reading import one_alert
    from alerts.story import hop_line

    found, way = _done(context, dsn, lambda conn: (one_alert(conn, alert_id), hop_line(hops.of(conn, alert_id))))
    if found is None:
        _fail(f"there is no alert {alert_id}")
    _out.print(f"{found['tier']}  {found['subject']}: {found['condition']}  [{found['state']}]  {found['reason']}")
    _out.print(f"onset {found['onset'].isoformat()}   {way}", soft_wrap=True)
    history = Table(
        "at", "what", "by", "state", "gen", "cycle", "detail", box=None, title="History", title_justify="left"
    )
    for row in found["history"]:
        history.add_row(
            _clock(row["at"]), row["what"], row["by_whom"], row["after"], str(row["generation"]), str(row["cycle"]),
            _short(row["detail"]),
        )  # fmt: skip
    _out.print(history)
    sent = Table("due", "what", "to", "status", "attempts", "notice", box=None, title="Notices", title_justify="left")
    for row in reversed(found["notices"]):
        tries = ", ".join(
            f"{one['n']}: {one['outcome'] or 'unknown'} {one['detail']}".strip() for one in row["attempts"]
        )
        who = f"{row['person']} by {row['channel']}"
        sent.add_row(_clock(row["first_due_at"]), row["event"], who, row["status"], tries, str(row["notice"]))
    _out.print(sent)
    if found["responses"]:
        came = Table("at", "what", "from", "said", box=None, title="Responses", title_justify="left")
        for row in found["responses"]:
            said = {name: value for name, value in row["body"].items() if not name.endswith("_id")}
            came.add_row(_clock(row["at"]), row["kind"], f"{row['person']} ({row['endpoint']})", _short(said))
        _out.print(came)


@alert.command()
def answer(
    context: typer.Context,
    alert_id: Annotated[UUID, typer.Argument(metavar="ALERT")],
    verb: Annotated[Verb, typer.Argument(help="What you say to it.")],
    who: WhoOption = "",
    outcome: Annotated[Outcome, typer.Option(help="How it ended, for close.")] = Outcome.RESOLVED,
    note: Annotated[str, typer.Option(help="What should stand beside it.")] = "",
    minutes: Annotated[float, typer.Option(help="For how long, for snooze.")] = 15.0,
    dsn: DsnOption = None,
) -> None:
    """Acknowledge, accept, reject, close or snooze an alert, or give the patient's word. Exit code 1 if refused.

    Example: tierwatch alert answer 5f0c6c8e-8d0f-5a0e-9b8e-2f6f0c0f7a11 accept --who "Dr Lin"
    """
    from alerts import answers
    from alerts.countdown import NotAsked
    from alerts.snooze import SnoozeRefused

    said = answers.Said(
        verb=verb, by_whom=who or getpass.getuser(), key=f"cli:{uuid4()}", outcome=outcome, note=note, minutes=minutes
    )

    def say(conn: Connection) -> Alert:
        with conn.transaction():
            return answers.answer(conn, alert_id, said, context.obj().now())[0]

    try:
        now = _done(context, dsn, say)
    except (answers.NoSuchAlert, answers.Conflict, NotAsked, SnoozeRefused) as error:
        _fail(str(error))
    _out.print(f"{now.alert}: {now.state}")


@alert.command()
def secret(
    context: typer.Context,
    endpoint: Annotated[str, typer.Argument(help="Name of an endpoint in [alerts.endpoints], or of a template.")],
    *,
    change: Annotated[bool, typer.Option("--rotate", help="Put a new secret first; the old ones stay good.")] = False,
    retire_old: Annotated[bool, typer.Option("--retire", help="Keep the newest only; the old ones end.")] = False,
) -> None:
    """Where the secret of a webhook lies; it is made if there is none. The receiver verifies with the same.

    To change it: --rotate, give the receiver the first line of the file, and --retire when it has it. Between the two
    both sign what goes out, and both are good for what comes back.

    Example: tierwatch alert secret dispatch --rotate
    """
    from alerts.delivery.signing import NoSecret, ensure_secret, retire, rotate

    keys = context.obj().folder.keys
    if change and retire_old:
        _fail("first --rotate; --retire when the receiver has the new secret")
    try:
        if change:
            typer.echo(f"{rotate(keys, endpoint)} secrets are good now; the first line is the new one", err=True)
        elif retire_old:
            typer.echo(f"{retire(keys, endpoint)} old secrets are good for nothing any more", err=True)
        else:
            ensure_secret(keys, endpoint)
    except (NoSecret, ValueError) as error:
        _fail(str(error))
    _out.print(str(keys / f"webhook-{endpoint}.secrets"), soft_wrap=True)


@alert.command()
def dead(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of each kind.")] = 50,
    dsn: DsnOption = None,
) -> None:
    """Notices that were given up: refused, or not taken for a day. `alert again` sends one again.

    Example: tierwatch alert dead
    """
    from alerts.dead_letters import GIVEN_UP
    from alerts.reading import list_deliveries

    def read(conn: Connection) -> list[dict[str, Any]]:
        return [row for status in GIVEN_UP for row in list_deliveries(conn, limit=limit, status=status)]

    found = _done(context, dsn, read)
    table = Table("due", "what", "to", "status", "attempts", "why", "notice", box=None)
    for row in found:
        why = row["attempts"][-1]["detail"] if row["attempts"] else ""
        who = f"{row['person']} by {row['channel']}"
        table.add_row(
            _clock(row["first_due_at"]), row["type"], who, row["status"], str(len(row["attempts"])), why,
            str(row["notice"]),
        )  # fmt: skip
    _out.print(table if found else "No notice was given up.")


@alert.command()
def again(
    context: typer.Context,
    notice: Annotated[UUID, typer.Argument(metavar="NOTICE", help="Its id, from `tierwatch alert dead`.")],
    who: WhoOption = "",
    dsn: DsnOption = None,
) -> None:
    """Send a notice again that was given up: the same one, under its id.

    Example: tierwatch alert again 5f0c6c8e-8d0f-5a0e-9b8e-2f6f0c0f7a11
    """
    from alerts.dead_letters import CannotSendAgain, NoSuchNotice, send_again

    def send(conn: Connection) -> None:
        with conn.transaction():
            send_again(conn, notice, who or getpass.getuser(), context.obj().now())

    try:
        _done(context, dsn, send)
    except (CannotSendAgain, NoSuchNotice) as error:
        _fail(str(error))
    _out.print(f"{notice}: it is in the queue again")


@alert.command("test")
def try_way(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="As a care team names it: webhook.")],
    address: Annotated[str, typer.Argument(help="For a webhook the name of an endpoint in [alerts.endpoints].")],
    dsn: DsnOption = None,
) -> None:
    """Send `alert.test` there, and keep what came of it: a plan is in force only over ways that were tried.

    Exit code 1 if it was not delivered.

    Example: tierwatch alert test webhook dispatch
    """
    from alerts import trials
    from alerts.delivery.channels import channels
    from alerts.delivery.outcome import Delivered

    place, way = context.obj(), (channel, address)
    outcome = trials.send(channels(place.alerts, place.folder.keys, dsn or place.dsn), way)

    def keep(conn: Connection) -> None:
        with conn.transaction():
            trials.keep(conn, place.alerts, way, outcome, getpass.getuser(), place.now())

    _done(context, dsn, keep)
    if not isinstance(outcome, Delivered):
        _fail(f"not delivered: {outcome.reason}")
    _out.print(f"{channel} {address}: delivered, {outcome.detail}")


def _done(context: typer.Context, dsn: str | None, work: Callable[[Connection], Result]) -> Result:
    from stream.store.connect import connect

    def with_connection(where: str) -> Result:
        with connect(where, "alert", patience_s=2.0) as conn:
            return work(conn)

    return carry_out(context, dsn, with_connection)


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"tierwatch: {sentence}", err=True)
    raise typer.Exit(1)


def _clock(at: datetime | None) -> str:
    return at.astimezone().strftime("%m-%d %H:%M:%S") if at else ""


def _short(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items())
