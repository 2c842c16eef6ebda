"""Who asks: a machine with a bearer token (one file a caller in the data folder's `keys/`), or a person's session.

`Caller` and `Staff` are those who look after patients: a route that takes them is closed to a patient. One that a patient
may use takes `Anyone`, and asks it about each subject. Must never log a token or compare it openly.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from alerts.ladder import Role
from alerts.sealing import write_secret
from api import sessions
from api.accounts import Kind
from api.problem import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from api.accounts import Account

_FILE = re.compile(r"api-([a-z0-9_-]{1,40})\.token")
OPERATOR = "operator"
"""Whose token is made at the first start."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})

_BEARER = HTTPBearer(auto_error=False, description="A token from the data folder's keys/api-NAME.token")


_ROLES = {Kind.PATIENT: Role.PATIENT, Kind.CLINICIAN: Role.DOCTOR, Kind.OPERATOR: Role.OPERATOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and whose matters they may see."""

    name: str
    """What histories say: the token's name, or the person's id within care teams."""
    account: Account | None = None
    """None: a machine."""

    @property
    def patient(self) -> str | None:
        """The only patient whom they may see; None: not a patient."""
        return self.account.patient if self.account else None

    def may_see(self, subject: str) -> bool:
        """Whether this subject's alerts are theirs to see."""
        if self.account is not None and self.account.kind is Kind.PATIENT:
            return subject == self.account.patient
        return True

    def check(self, subject: str | None) -> None:
        """Refuse what is another's; None: of everybody."""
        if self.account is None or self.account.kind is not Kind.PATIENT:
            return
        if subject is None or not self.may_see(subject):
            raise Problem(403, "this is not yours to see")

    def speaks_as(self, who: str | None) -> str:
        """In whose name an answer is given: a machine may hand on a person's word, a person speaks for themselves."""
        if self.account is not None and who not in {None, self.name}:
            raise Problem(403, "who is signed in answers in their own name")
        return who or self.name

    def role_as(self, role: Role | None) -> Role | None:
        """What they are to a patient: a machine may hand that on too, a person is what their account says."""
        return role if self.account is None else _ROLES[self.account.kind]

    @property
    def keeps_accounts(self) -> bool:
        """Whether they may add accounts and change passwords."""
        return self.name == OPERATOR if self.account is None else self.account.kind is Kind.OPERATOR


def ensure_token(keys: Path, name: str = OPERATOR) -> str:
    """The token of a caller, made where there is none."""
    path = keys / f"api-{name}.token"
    if not _FILE.fullmatch(path.name):
        raise ValueError(f"{name!r} cannot be a caller's name: use a-z, 0-9, _ and -")
    if not path.is_file():
        with suppress(FileExistsError):  # another process was first
            write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text(encoding="ascii").strip()


def caller_of(keys: Path, token: str) -> str | None:
    """Whose token this is."""
    given = hashlib.sha256(token.encode()).digest()
    found = None
    for path in sorted(keys.glob("api-*.token")):
        named = _FILE.fullmatch(path.name)
        known = path.read_text(encoding="ascii").strip()
        # Every file is compared, so that time tells nothing.
        if named and known and hmac.compare_digest(hashlib.sha256(known.encode()).digest(), given):
            found = named[1]
    return found


def _anyone(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Asker:
    house = request.app.state.house
    if given is not None:
        machine = caller_of(house.keys, given.credentials)
        if machine is not None:
            return Asker(name=machine)
    elif (token := sessions.token_of(request)) is not None:
        with house.transaction() as conn:
            account = sessions.whose(conn, token, house.seal)
        if account is not None:
            if request.method not in READS and not sessions.is_ours(request):
                raise Problem(403, "a command with a session must come from a page of ours")
            return Asker(name=account.person, account=account)
    raise Problem(401, "sign in, or bring a bearer token: it lies in the data folder, keys/api-operator.token")


Anyone = Annotated[Asker, Depends(_anyone)]
"""Whoever asks, a patient too: the route asks `check` about the subject."""


def _staff(asker: Anyone) -> Asker:
    asker.check(None)
    return asker


Staff = Annotated[Asker, Depends(_staff)]
"""Who looks after patients: a clinician, an operator, a machine."""


def _caller(asker: Staff) -> str:
    return asker.name


Caller = Annotated[str, Depends(_caller)]
"""The name of one of them."""


def _keeper(asker: Anyone) -> Asker:
    if not asker.keeps_accounts:
        raise Problem(403, "accounts are the operator's business")
    return asker


Keeper = Annotated[Asker, Depends(_keeper)]
"""Who may add accounts."""
