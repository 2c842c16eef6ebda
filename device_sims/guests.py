"""Who may look into the demo: a doctor at the console, and patients at their own page. Accounts are made through the API.

Passwords are made by the product, shown once on the terminal, and kept nowhere; each start gives new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device_sims.registration import Api

_TIMEOUT_S = 30.0
_NOT_FOUND, _SERVER_ERRORS = 404, 500


class NoAccount(RuntimeError):
    """The API does not make an account of the demo: login and answer follow."""

    def __init__(self, guest: Guest, status: int, said: str) -> None:
        super().__init__(f"account {guest.login}: {status} {said[:300]}")
        self.is_final = status < _SERVER_ERRORS
        """Asking again would change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody who may sign in."""

    login: str
    name: str
    shows: str
    """What they will see, for the terminal."""
    patient: str | None = None
    """Of a patient's account: whose page; None: the console."""
    language: str = "en"

    @property
    def page(self) -> str:
        """Where signing in leads to."""
        return "/console" if self.patient is None else "/me"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A guest with the password of this start."""

    guest: Guest
    password: str = field(repr=False)


DOCTOR = Guest(login="doctor", name="Dr Amara Okoye", shows="every alert; take one: I have it")
ADA = Guest(login="ada", name="Ada Lindqvist", patient="ada", shows="her emergency, and that help has taken it")
SOFIA = Guest(login="sofia", name="Sofia Marin", patient="sofia", shows="a tip: her glucose is low")
LIN = Guest(login="lin", name="林晓", patient="lin-xiao", language="zh", shows="her patch has come off (Chinese)")
GUESTS = (DOCTOR, ADA, SOFIA, LIN)


def let_in(api: Api, guests: Iterable[Guest] = GUESTS) -> list[Pass]:
    """Make their accounts; one that is there already gets a new password.

    Raises:
        NoAccount: the API refuses.
        httpx2.TransportError: it cannot be reached.
    """
    headers = {"authorization": f"Bearer {api.token}"}
    with httpx2.Client(base_url=api.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client:
        return [Pass(guest=guest, password=_password(client, guest)) for guest in guests]


def shown(passes: Iterable[Pass], url: str) -> list[str]:
    """The table for the terminal: where to sign in, and as whom."""
    rows = [(one.guest.login, one.password, one.guest.page, one.guest.shows) for one in passes]
    heads = ("login", "password", "page", "shows")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return [
        f"Sign in at {url}/sign-in (these passwords are shown this once):",
        *(f"  {line}".rstrip() for line in lines),
    ]


def _password(client: httpx2.Client, guest: Guest) -> str:
    reply = client.put(f"/api/v1/accounts/{guest.login}/password", json={})
    if reply.status_code == _NOT_FOUND:
        account: dict[str, Any] = {"login": guest.login, "name": guest.name, "language": guest.language}
        account |= {"kind": "clinician"} if guest.patient is None else {"kind": "patient", "patient": guest.patient}
        reply = client.post("/api/v1/accounts", json=account)
    if not reply.is_success:
        raise NoAccount(guest, reply.status_code, reply.text)
    return str(reply.json()["password"])
