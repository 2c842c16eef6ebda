"""Command line of the API's side: `tierwatch patient ...` and `tierwatch account ...`. A client of the running API.

It decides nothing. Must never take a password from an argument, where every process of the machine could read it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from api.asking import ask, fail
from api.audit_commands import audit
from api.key_commands import keys
from api.record_commands import record
from api.summary_commands import app as summary

patient = typer.Typer(no_args_is_help=True, help="Patients: who they are, whose a device is, and their limits.")
app = typer.Typer()
app.add_typer(patient, name="patient")
app.add_typer(record, name="record")
app.add_typer(keys, name="keys")
app.add_typer(summary)
app.add_typer(audit, name="audit")
account = typer.Typer(no_args_is_help=True, help="Accounts of people: who may sign in on the pages.")
app.add_typer(account, name="account")
_out = Console()

Listed = Annotated[list[str] | None, typer.Option(help="May be given several times.")]


@patient.command()
def add(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="PATIENT", help="A word of your own, as ada-1; never a name.")],
    name: Annotated[str | None, typer.Option()] = None,
    birth_date: Annotated[str | None, typer.Option(help="YYYY-MM-DD, or less of it.")] = None,
    sex: Annotated[str | None, typer.Option(help="female, male or other.")] = None,
    address: Annotated[str | None, typer.Option()] = None,
    door_code: Annotated[str | None, typer.Option()] = None,
    phone: Listed = None,
    problem: Listed = None,
    medication: Listed = None,
    allergy: Listed = None,
    implant: Listed = None,
    blood_group: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Enter a patient, or write all of one anew. What is left out stays "unknown" to whoever reads the record.

    Example: tierwatch patient add ada-1 --name "Ada Wong" --phone "+86 10 5555 0100" --allergy penicillin
    """
    known = {
        "name": name, "birth_date": birth_date, "sex": sex, "address": address, "door_code": door_code,
        "phones": phone, "problems": problem, "medication": medication, "allergies": allergy, "implants": implant,
        "blood_group": blood_group,
    }  # fmt: skip
    body = {key: value for key, value in known.items() if value is not None}
    ask(context, "PUT", f"/api/v1/patients/{identity}", body)
    _out.print(f"{identity}: entered")


@patient.command()
def assign(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="PATIENT", help="`-` for nobody: the device is given back.")],
    device: Annotated[str, typer.Argument(help="Serial number or identity address.")],
    slot: Annotated[int | None, typer.Option(help="User slot of a shared device. Left out: every slot.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="Left out: now.")] = None,
    until: Annotated[datetime | None, typer.Option("--to")] = None,
    *,
    correct: Annotated[bool, typer.Option("--correct", help="What was said before of this time was wrong.")] = False,
) -> None:
    """Say whose a device is. Its readings of that time are the patient's, also those that have come already.

    Example: tierwatch patient assign ada-1 H10-5A2B --from 2026-11-24T08:00
    """
    body: dict[str, Any] = {
        "device": device,
        "slot": slot,
        "patient": None if identity == "-" else identity,
        "from": since.astimezone().isoformat() if since else None,
        "to": until.astimezone().isoformat() if until else None,
        "correct": correct,
    }
    told = ask(context, "POST", "/api/v1/assignments", body)
    _out.print(f"{device} is {identity}'s from {told['from']}; it holds when the log has taken it: {told['command']}")


@patient.command()
def limits(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="PATIENT")],
    values: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="All of the patient's own limits.")],
    reason: Annotated[str, typer.Option(help="Why; must be given beyond what is advised.")] = "",
) -> None:
    """Give a patient limits of their own; a name that is left out falls back to the default.

    Example: tierwatch patient limits ada-1 tachy_bpm=140 no_data_s=120
    """
    try:
        wanted = {name: float(value) for name, value in (pair.split("=", 1) for pair in values)}
    except ValueError:
        fail(f"write limits as NAME=VALUE with a number, as tachy_bpm=140; not {' '.join(values)}")
    told = ask(context, "POST", "/api/v1/limits", {"patient": identity, "limits": wanted, "reason": reason})
    for warning in told["warnings"]:
        _out.print(f"note: {warning}")
    _out.print(f"{identity}: plan version {told['version']}")


@patient.command("list")
def list_(context: typer.Context) -> None:
    """Ids of all patients, and of those who have a device without being entered.

    Example: tierwatch patient list
    """
    told = ask(context, "GET", "/api/v1/patients?limit=1000")
    for row in told["patients"]:
        _out.print(row["patient"] + (f"  benched: {row['benched']}" if row["benched"] else ""))
    for identity in told["not_entered"]:
        _out.print(f"{identity}  (not entered: a record of unknowns)")


Asked = Annotated[bool, typer.Option("--ask", help="Ask for the password; otherwise one is made and shown once.")]


@account.command("add")
def add_account(
    context: typer.Context,
    login: Annotated[str, typer.Argument(help="What they sign in with, as an e-mail address.")],
    name: Annotated[str, typer.Option(help="How the pages call them.")],
    kind: Annotated[str, typer.Option(help="doctor, nurse, dispatcher, admin, patient or family.")] = "doctor",
    patient_id: Annotated[
        str | None, typer.Option("--patient", help="Of a patient's or their family's account: which patient.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="Id within care teams. Left out: the login.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    *,
    asked: Asked = False,
) -> None:
    """Let somebody sign in.

    Example: tierwatch account add lin@practice.example --name "Dr Lin" --person doctor --language zh
    """
    body = {"login": login, "name": name, "kind": kind, "patient": patient_id, "person": person, "language": language}
    told = ask(context, "POST", "/api/v1/accounts", body | _password(asked=asked))
    _out.print(f"{told['login']}: added as {told['person']}" + _shown(told))


@account.command("list")
def list_accounts(context: typer.Context) -> None:
    """Who may sign in: login, kind, person within care teams, and of a patient's account the patient.

    Example: tierwatch account list
    """
    for row in ask(context, "GET", "/api/v1/accounts")["accounts"]:
        _out.print("  ".join(filter(None, (row["login"], row["kind"], row["person"], row["patient"]))))


@account.command()
def passwd(context: typer.Context, login: str, *, asked: Asked = False) -> None:
    """Give an account a new password; whoever is signed in with it is signed out.

    Example: tierwatch account passwd lin@practice.example
    """
    told = ask(context, "PUT", f"/api/v1/accounts/{login}/password", _password(asked=asked))
    _out.print(f"{login}: changed" + _shown(told))


@account.command("remove")
def remove_account(context: typer.Context, login: str) -> None:
    """Let somebody sign in no more, and end their sessions.

    Example: tierwatch account remove lin@practice.example
    """
    ask(context, "DELETE", f"/api/v1/accounts/{login}")
    _out.print(f"{login}: removed")


def _password(*, asked: bool) -> dict[str, str]:
    return {"password": typer.prompt("Password", hide_input=True, confirmation_prompt=True)} if asked else {}


def _shown(told: dict[str, str]) -> str:
    return f"; password {told['password']}" if "password" in told else ""
