"""Signing in and out, and the accounts themselves, over HTTP.

Must never say whether it was the login or the password that was wrong, or that an account waits.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerts import trials
from api import accounts, sessions
from api.access import Anyone, Asker, may
from api.accounts import Account, AccountRefused, Kind
from api.described import problems
from api.house import Here
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1", tags=["accounts"])

Login = Annotated[str, Field(min_length=1, max_length=80)]
Password = Annotated[str, Field(min_length=1, max_length=200)]
Keeper = Annotated[Asker, may(Right.ACCOUNTS)]
HOME = {
    Kind.PATIENT: "/me",
    Kind.FAMILY: "/family",
    Kind.DOCTOR: "/console",
    Kind.NURSE: "/console",
    Kind.DISPATCHER: "/dispatch",
    Kind.ADMIN: "/console",
}
"""Where somebody comes to after signing in."""


class SignIn(BaseModel):
    """Who it is."""

    model_config = ConfigDict(extra="forbid")

    login: Login
    password: Password


class NewPassword(BaseModel):
    """Left out: one is made, and shown this once."""

    model_config = ConfigDict(extra="forbid")

    password: Password | None = None


class NewAccount(NewPassword):
    """Somebody who may sign in."""

    login: Login
    kind: Kind
    name: Annotated[str, Field(min_length=1, max_length=80)]
    person: Annotated[
        Id | None, Field(description="Id within care teams. Left out: the login; of a patient: patient.")
    ] = None
    patient: Id | None = None
    language: Annotated[str, Field(pattern=r"^(en|zh)$")] = "en"


@router.post("/session", responses=problems(401, 403))
def sign_in(said: SignIn, request: Request, response: Response, house: Here) -> dict[str, Any]:
    """Sign in: a cookie, and where to go."""
    if not sessions.is_ours(request):
        raise Problem(403, "signing in is done on our page")
    with house.transaction() as conn:
        account = accounts.signed_in(conn, said.login, said.password, house.seal)
        token = sessions.begin(conn, account) if account else None
        if account is not None:
            trials.signed_in(conn, house.alerts, accounts.console_names_of(account), house.now())
    if account is None or token is None:
        raise Problem(401, "login and password do not match, or this account waits after too many tries")
    sessions.give(response, request, token, account.kind)
    return {"page": HOME[account.kind]}


@router.get("/session")
def who_am_i(asker: Anyone) -> dict[str, Any]:
    """Whose session or token this is."""
    if asker.account is None:
        return {"kind": "machine", "person": asker.name}
    one = asker.account
    return {"kind": one.kind, "person": one.person, "name": one.name, "patient": one.patient, "language": one.language}


@router.delete("/session", status_code=204)
def sign_out(request: Request, house: Here, asker: Anyone) -> Response:
    """End this session."""
    del asker
    response = Response(status_code=204)
    if (token := sessions.token_of(request)) is not None:
        with house.transaction() as conn:
            sessions.end(conn, token)
        sessions.forget(response, request)
    return response


@router.delete("/sessions", status_code=204)
def sign_out_everywhere(request: Request, house: Here, asker: Anyone) -> Response:
    """End every session of the account, on every device; a machine has none."""
    response = Response(status_code=204)
    if asker.account is not None:
        with house.transaction() as conn:
            accounts.end_sessions(conn, asker.account.login)
        sessions.forget(response, request)
    return response


@router.get("/accounts")
def list_accounts(house: Here, keeper: Keeper) -> dict[str, Any]:
    """Who may sign in."""
    del keeper
    with house.transaction() as conn:
        return {"accounts": accounts.everybody(conn, house.seal)}


@router.post("/accounts", status_code=201)
def add_account(said: NewAccount, house: Here, keeper: Keeper) -> dict[str, Any]:
    """Let somebody in. The password is shown once where it was made here."""
    del keeper
    account = Account(
        login=said.login.strip().lower(),
        kind=said.kind,
        name=said.name,
        person=said.person or ("patient" if said.kind is Kind.PATIENT else said.login.strip().lower()),
        patient=said.patient,
        language=said.language,
    )
    password = said.password or accounts.new_password()
    try:
        with house.transaction() as conn:
            accounts.add(conn, account, password, house.seal)
    except AccountRefused as error:
        raise Problem(422, str(error)) from error
    return {"login": account.login, "person": account.person} | _shown(said, password)


@router.put("/accounts/{login}/password")
def change_password(login: Login, said: NewPassword, house: Here, keeper: Keeper) -> dict[str, Any]:
    """Give a new password; every session of the account ends."""
    del keeper
    password = said.password or accounts.new_password()
    try:
        with house.transaction() as conn:
            found = accounts.set_password(conn, login, password)
    except AccountRefused as error:
        raise Problem(422, str(error)) from error
    if not found:
        raise Problem(404, f"there is no account {login}")
    return {"login": login} | _shown(said, password)


@router.delete("/accounts/{login}", status_code=204)
def remove_account(login: Login, house: Here, keeper: Keeper) -> Response:
    """Let somebody in no more; their sessions end at once."""
    del keeper
    with house.transaction() as conn:
        if not accounts.remove(conn, login):
            raise Problem(404, f"there is no account {login}")
    return Response(status_code=204)


def _shown(said: NewPassword, password: str) -> dict[str, str]:
    return {} if said.password else {"password": password}
