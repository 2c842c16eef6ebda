"""Who asks: a machine with a bearer token (one file a caller in the data folder's `keys/`), or a person's session.

A route declares its right by its parameter, `Annotated[Asker, may(Right.SEE)]`, and asks `check` about each patient and
`check_alert` about each alert that it is given. Must never log a token or compare it openly.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from alerts import panels, reading
from alerts.ladder import Role
from alerts.panels import ANY_DOCTOR, EVERYTHING, Sight
from alerts.sealing import write_secret
from api import accounts, audit, sessions
from api.accounts import Kind
from api.audit import Entry
from api.bookkeeping import keep
from api.problem import Problem
from api.rights import OPENED, RIGHTS, UNSCOPED, Right

if TYPE_CHECKING:
    from pathlib import Path

    from api.accounts import Account, Connection
    from api.house import House

_FILE = re.compile(r"api-([a-z0-9_-]{1,40})\.token")
OPERATOR = "operator"
"""Whose token is made at the first start."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})

_BEARER = HTTPBearer(auto_error=False, description="A token from the data folder's keys/api-NAME.token")


_ROLES = {
    Kind.PATIENT: Role.PATIENT,
    Kind.FAMILY: Role.FAMILY,
    Kind.DOCTOR: Role.DOCTOR,
    Kind.NURSE: Role.PRACTICE,
    Kind.DISPATCHER: Role.DISPATCH,
    Kind.ADMIN: Role.OPERATOR,
}
MACHINE = "machine"
_NOT_THEIRS = "this is not yours to see: no care team of this patient names you, and you were told of nothing of theirs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and whose matters they may look into."""

    name: str
    """What histories say: the token's name, or the person's id within care teams."""
    account: Account | None = None
    """None: a machine, which may everything."""
    by: frozenset[Right] = frozenset()
    """The rights of theirs by which they came into the route."""
    what: str = ""
    """What they ask for: method and template of the route."""
    subject: str | None = None
    """Of whom the address speaks: looked at and written down before the route began."""
    house: House = field(repr=False, compare=False)

    @property
    def patient(self) -> str | None:
        """Whose account it is, or whose family's; None: neither."""
        return self.account.patient if self.account else None

    def own(self) -> str:
        """The patient whose own page asks; a machine (403) has none."""
        if self.patient is None:
            raise Problem(403, "this is a patient's own page")
        return self.patient

    def sight(self, conn: Connection, patient: str | None = None) -> Sight:
        """What they may see now: read once a request. `patient`: only this one is asked about."""
        if self.account is None or self.account.kind is Kind.NURSE:
            return EVERYTHING
        if self.account.kind is Kind.ADMIN:
            return Sight(is_clinical=False)
        if self.account.kind is Kind.DOCTOR:
            names = frozenset({self.account.person, self.account.login, ANY_DOCTOR})
            others = panels.others(conn, names, self.house.now(), patient)
            return Sight(names=names, others=others - self._opened(conn) if others else others)
        if self.account.kind is Kind.DISPATCHER:
            return Sight(only=self._opened(conn))
        return Sight(only=frozenset({self.account.patient} if self.account.patient else ()))

    def check(self, patient: str) -> None:
        """Refuse (403) a patient who is not in their scope. To be called before the route opens a transaction."""
        if patient == self.subject:
            return
        self._admit(patient, covers=self.covers(patient))

    def covers(self, patient: str) -> bool:
        """Whether a patient is in their scope just now; nothing is written down: for looking again at what is open."""
        with self.house.transaction() as conn:
            return not self.by.isdisjoint(UNSCOPED) or self.sight(conn, patient).covers(patient)

    def check_alert(self, alert: UUID) -> dict[str, Any]:
        """Refuse (403) an alert that is not theirs to see, or (404) that is not there; returns `alerts.reading.about`."""
        with self.house.transaction() as conn:
            found = reading.about(conn, alert)
            if found is None:
                raise Problem(404, f"there is no alert {alert}")
            shows = self.sight(conn, found["subject"]).shows(found)
        if found["subject"] != self.subject or not shows:
            self._admit(found["subject"], covers=shows)
        return found

    def note(self, subject: str | None, outcome: str = audit.BEGUN, reason: str = "") -> None:
        """Write down what they ask for. What cannot be written down is not done (503)."""
        role = self.account.kind if self.account else MACHINE
        keep(
            self.house,
            Entry(who=self.name, role=role, what=self.what, subject=subject, outcome=outcome, reason=reason),
        )

    def _opened(self, conn: Connection) -> frozenset[str]:
        """Patients whose records they have opened by break-glass, as far as it opens what they ask for."""
        if self.account is None or self.by.isdisjoint(OPENED[self.account.kind]):
            return frozenset()
        return accounts.opened_records(conn, self.account.login)

    def _admit(self, subject: str, *, covers: bool) -> None:
        if not covers:
            self.note(subject, audit.REFUSED, "not theirs")
            raise self._not_theirs(subject)
        self.note(subject)

    def _not_theirs(self, patient: str) -> Problem:
        opens = OPENED.get(self.account.kind, frozenset()) if self.account else frozenset()
        if opens.isdisjoint(self.by):
            return Problem(403, _NOT_THEIRS)
        how = "in an emergency open the record for an hour: break_glass, with a reason that the patient will see"
        return Problem(403, f"{_NOT_THEIRS}; {how}", break_glass=f"/api/v1/patients/{quote(patient)}/break-glass")

    def speaks_as(self, who: str | None) -> str:
        """In whose name an answer is given: a machine may hand on a person's word, a person speaks for themselves."""
        if self.account is not None and who not in {None, self.name}:
            raise Problem(403, "who is signed in answers in their own name")
        return who or self.name

    def role_as(self, role: Role | None) -> Role | None:
        """What they are to a patient: a machine may hand that on too, a person is what their account says."""
        return role if self.account is None else _ROLES[self.account.kind]


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


def rights_of(name: str, account: Account | None) -> frozenset[Right]:
    """What somebody may do. Machines everything, but only the operator's keeps accounts."""
    if account is not None:
        return RIGHTS[account.kind]
    return frozenset(Right) - (frozenset() if name == OPERATOR else {Right.ACCOUNTS})


def rights_over_one(name: str, account: Account | None) -> frozenset[Right]:
    """And what they may do of one patient, if they have opened the record by break-glass."""
    return rights_of(name, account) | (OPENED.get(account.kind, frozenset()) if account else frozenset())


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
"""What a machine brings."""


def signed_in(request: Request, given: Bearer) -> Asker:
    """Who asks; 401: nobody whom we know."""
    house = request.app.state.house
    if given is not None:
        machine = caller_of(house.keys, given.credentials)
        if machine is not None:
            return Asker(name=machine, house=house)
    elif (token := sessions.token_of(request)) is not None:
        with house.transaction() as conn:
            account = sessions.whose(conn, token, house.seal)
        if account is not None:
            if request.method not in READS and not sessions.is_ours(request):
                raise Problem(403, "a command with a session must come from a page of ours")
            return Asker(name=account.person, account=account, house=house)
    raise Problem(401, "sign in, or bring a bearer token: it lies in the data folder, keys/api-operator.token")


Anyone = Annotated[Asker, Depends(signed_in)]
"""Everybody who is signed in, for what is about nobody but themselves."""


class Need:
    """The rights that a route asks for: one of them is enough."""

    def __init__(self, rights: frozenset[Right], *, figures: bool = False) -> None:
        """Any of these. `figures`: the route gives counts of everybody, which are nobody's."""
        self.rights, self.figures = rights, figures

    def __call__(self, request: Request, asker: Anyone) -> Asker:
        """Whoever has one of them, and a patient, an alert or an account of the address that is theirs; or 403.

        It is written down first, refused or not: each command, and each reading of what is clinical or of an account. Not
        what patients read on their own page.
        """
        told = request.scope["route"].path.removeprefix("/api/v1")
        is_about_one = not {"patient", "alert"}.isdisjoint(request.path_params)
        has = (rights_over_one if is_about_one else rights_of)(asker.name, asker.account)
        known = replace(asker, what=f"{request.method} {told}", by=self.rights & has)
        if not known.by:
            known.note(_of_address(request), audit.REFUSED, "not for this kind of account")
            raise Problem(403, "your account is not for this")
        if "patient" in request.path_params:
            known.check(request.path_params["patient"])
        elif alert := _uuid(request.path_params.get("alert")):
            return replace(known, subject=known.check_alert(alert)["subject"])
        elif request.method not in READS or not (self.figures or known.by <= {Right.KEEP} or known.by <= {Right.OWN}):
            known.note(_of_address(request) or known.patient)
        return replace(known, subject=request.path_params.get("patient"))


def may(*rights: Right, figures: bool = False) -> Any:
    """For a route's parameter: who has one of these rights comes in."""
    return Depends(Need(frozenset(rights), figures=figures))


def _of_address(request: Request) -> str | None:
    """What the address is about, as the book has it."""
    login, patient = (request.path_params.get(name) for name in ("login", "patient"))
    return f"account {login}" if login else patient


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None  # the route refuses it by itself
