"""Who may look into the demo: one of a kind. Accounts are made through the API.

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


PAGES = {
    "patient": "/me", "family": "/family", "doctor": "/console", "nurse": "/console", "dispatcher": "/dispatch",
    "admin": "/console",
}  # fmt: skip
FOLLOWED = frozenset({"patient", "doctor"})
"""Kinds of guests whose pages the witness looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody who may sign in."""

    login: str
    name: str
    shows: str
    """What they will see, for the terminal."""
    kind: str = "patient"
    patient: str | None = None
    """Of the account of a patient or their family: whose page."""
    language: str = "en"

    @property
    def page(self) -> str:
        """Where signing in leads to."""
        return PAGES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A guest with the password of this start."""

    guest: Guest
    password: str = field(repr=False)


DOCTOR = Guest(login="doctor", name="Dr Amara Okoye", kind="doctor", shows="every alert; take one: I have it")
"""The demo's patients have no plan of their own: they are every doctor's."""
NURSE = Guest(login="nurse", name="Rafael Santos", kind="nurse", shows="the same, without plans")
DISPATCHER = Guest(
    login="dispatcher", name="Control room", kind="dispatcher", shows="emergencies that were sent to dispatch"
)
ADMIN = Guest(login="admin", name="Nadia Haddad", kind="admin", shows="alerts of the equipment alone")
ADA = Guest(login="ada", name="Ada Lindqvist", patient="ada", shows="her emergency, and that help has taken it")
ERIK = Guest(login="erik", name="Erik Lindqvist", kind="family", patient="ada", shows="what his mother lets him see")
SOFIA = Guest(login="sofia", name="Sofia Marin", patient="sofia", shows="a tip: her glucose is low")
LIN = Guest(login="lin", name="林晓", patient="lin-xiao", language="zh", shows="her patch has come off (Chinese)")
GUESTS = (DOCTOR, NURSE, DISPATCHER, ADMIN, ADA, ERIK, SOFIA, LIN)


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
        account |= {"kind": guest.kind, "patient": guest.patient}
        reply = client.post("/api/v1/accounts", json=account)
    if not reply.is_success:
        raise NoAccount(guest, reply.status_code, reply.text)
    return str(reply.json()["password"])
