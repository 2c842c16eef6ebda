"""Accounts of people: who may sign in, as what, and the password's hash.

A wrong password, an unknown login and an account that waits after too many tries cost the same time and say the same.
Must never store, log or give back a password, nor write a name in the clear.
"""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row
from pwdlib import PasswordHash

from api.sealed import ACCOUNT
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_name("accounts.sql"))
Connection = psycopg.Connection[Any]

MOST_TRIES = 5
"""So many wrong passwords in a row, and the account waits (NIST SP 800-63B allows up to 100)."""
WAIT = timedelta(minutes=15)
"""How long it waits. What is tried meanwhile is neither looked at nor counted."""
SHORTEST = 10
"""Characters of a password; NIST SP 800-63B asks for 8."""
_LOGIN = re.compile(r"[a-z0-9][a-z0-9_.@+-]{0,79}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_AT_ONCE = threading.BoundedSemaphore(4)  # a hash takes 64 MB: a flood of tries must not take the memory of alerts


class Kind(StrEnum):
    """What somebody signs in as."""

    PATIENT = "patient"
    """Sees and answers the alerts of one patient: their own."""
    FAMILY = "family"
    """Sees what one patient allows."""
    DOCTOR = "doctor"
    """Sees, answers and treats the patients of their own panel."""
    NURSE = "nurse"
    """Sees and answers everybody's alerts, and enters patients."""
    DISPATCHER = "dispatcher"
    """Sees what an emergency gave the dispatch centre."""
    ADMIN = "admin"
    """Keeps it running; adds accounts. Nothing clinical."""


OF_A_PATIENT = frozenset({Kind.PATIENT, Kind.FAMILY})
"""Accounts that name their patient."""
AT_A_CONSOLE = frozenset({Kind.DOCTOR, Kind.NURSE, Kind.ADMIN})
"""Those who sit before a console, and are told by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in."""

    login: str
    kind: Kind
    name: str
    """How the pages call them."""
    person: str
    """Id within care teams: what histories and notices say, never a name."""
    patient: str | None = None
    """Of a patient's or a family's account: whose matters it sees, and no other's."""
    language: str = "en"


def console_names_of(account: Account) -> frozenset[str]:
    """Whom an open console stands for: care teams name the person, or the account."""
    return frozenset({account.person, account.login}) if account.kind in AT_A_CONSOLE else frozenset()


def console_names(conn: Connection) -> frozenset[str]:
    """Everybody whom a console can stand for."""
    found = conn.execute(SQL["console_names"], {"kinds": sorted(AT_A_CONSOLE)}).fetchall()
    return frozenset(name for row in found for name in row)


OPEN_FOR = timedelta(minutes=60)
"""How long break-glass opens a record."""


def open_record(conn: Connection, login: str, patient: str) -> datetime:
    """Break-glass: from now on this account may look into this patient's matters; returns until when. The caller commits."""
    row = conn.execute(SQL["open"], {"login": login, "patient": patient, "lasts": OPEN_FOR}).fetchone()
    assert row is not None
    until: datetime = row[0]
    return until


def opened_records(conn: Connection, login: str) -> frozenset[str]:
    """Patients whose records are open to this account just now."""
    return frozenset(row[0] for row in conn.execute(SQL["opened"], {"login": login}).fetchall())


class AccountRefused(ValueError):
    """An account cannot be as it was asked for; the message says why."""


def add(conn: Connection, account: Account, password: str, seal: Seal) -> None:
    """Add an account. The caller commits.

    Raises:
        AccountRefused: a bad or a taken login, a short password, a patient's account without a patient.
    """
    if not _LOGIN.fullmatch(account.login):
        raise AccountRefused(f"{account.login!r} cannot be a login: use a-z, 0-9 and _ . @ + -")
    if (account.kind in OF_A_PATIENT) != (account.patient is not None):
        raise AccountRefused("an account of a patient or of their family names its patient, and no other does")
    row = {
        "login": account.login, "kind": account.kind, "patient": account.patient, "person": account.person,
        "name": seal.seal(account.name.encode(), ACCOUNT.place("name", account.login)), "language": account.language,
        "password": hash_of(password),
    }  # fmt: skip
    if conn.execute(SQL["add_account"], row).fetchone() is None:
        raise AccountRefused(f"there is an account {account.login} already")


def everybody(conn: Connection, seal: Seal) -> list[Account]:
    """All accounts, by login."""
    return [account_of(row, seal) for row in conn.cursor(row_factory=dict_row).execute(SQL["accounts"]).fetchall()]


def set_password(conn: Connection, login: str, password: str) -> bool:
    """A new password; every session of the account ends. False: there is no such account. The caller commits."""
    found = conn.execute(SQL["set_password"], {"login": login, "password": hash_of(password)}).fetchone()
    end_sessions(conn, login)
    return found is not None


def end_sessions(conn: Connection, login: str) -> None:
    """End every session of an account. The caller commits."""
    conn.execute(SQL["end_sessions"], {"login": login})


def remove(conn: Connection, login: str) -> bool:
    """Remove an account with its sessions. False: there is no such account. The caller commits."""
    return conn.execute(SQL["remove_account"], {"login": login}).fetchone() is not None


def signed_in(conn: Connection, login: str, password: str, seal: Seal) -> Account | None:
    """Whose login and password these are; None: nobody's, or the account waits. The caller commits the count of tries."""
    asked = {"login": login.strip().lower(), "most": MOST_TRIES, "wait": WAIT}
    row = conn.cursor(row_factory=dict_row).execute(SQL["take_try"], asked).fetchone()
    known = row["password"] if row else _nobodys()
    with _AT_ONCE:
        fits = _hasher().verify(password, known)
    if row is None or not fits:
        return None
    conn.execute(SQL["forgive"], {"login": row["login"]})
    return account_of(row, seal)


def account_of(row: dict[str, Any], seal: Seal) -> Account:
    """An account from its row."""
    return Account(
        login=row["login"],
        kind=Kind(row["kind"]),
        name=seal.open(row["name"], ACCOUNT.place("name", row["login"])).decode(),
        person=row["person"],
        patient=row["patient"],
        language=row["language"],
    )


def hash_of(password: str) -> str:
    """The argon2id hash of a password.

    Raises:
        AccountRefused: it is too short.
    """
    if len(password) < SHORTEST:
        raise AccountRefused(f"a password has at least {SHORTEST} characters")
    return _hasher().hash(password)


def new_password() -> str:
    """A password to hand out: 16 letters and digits that nobody mistakes for one another, in fours (79 bits)."""
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(16))
    return "-".join(drawn[start : start + 4] for start in range(0, 16, 4))


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
