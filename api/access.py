"""Who may ask: a bearer token, one file a caller in the data folder's `keys/`. Roles and sessions come later.

Every caller may do everything for now, so it listens on loopback only. Must never log or compare a token in the open.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from alerts.sealing import write_secret
from api.problem import Problem

if TYPE_CHECKING:
    from pathlib import Path

_FILE = re.compile(r"api-([a-z0-9_-]{1,40})\.token")
OPERATOR = "operator"
"""Whose token is made at the first start."""

_BEARER = HTTPBearer(auto_error=False, description="A token from the data folder's keys/api-NAME.token")


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


def _caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
    who = caller_of(request.app.state.house.keys, given.credentials) if given else None
    if who is None:
        raise Problem(401, "a bearer token is needed: it lies in the data folder, keys/api-operator.token")
    return who


Caller = Annotated[str, Depends(_caller)]
"""Name of who asks, from the token."""
