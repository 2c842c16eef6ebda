"""Sessions of people who signed in: a random token in a cookie, of which the database knows the hash only.

A command that comes with a cookie must come from a page of ours (`is_ours`). Must never take a token from anywhere but
its cookie, nor keep one alive past its end.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from psycopg.rows import dict_row

from alerts.tokens import hashed, new_token
from api.accounts import OF_A_PATIENT, SQL, Account, Kind, account_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from alerts.sealing import Seal
    from api.accounts import Connection

LASTS: Mapping[Kind, tuple[timedelta, timedelta]] = {
    **dict.fromkeys(Kind, (timedelta(hours=1), timedelta(hours=12))),
    **dict.fromkeys(OF_A_PATIENT, (timedelta(days=30), timedelta(days=180))),
}
"""How long a session may go unseen, and how long it lasts at most. An open console is seen all the time; the phone of a
patient or their family must not have forgotten its owner when it is needed."""
_SECURE = "__Host-tierwatch"
_PLAIN = "tierwatch"
"""On plain http, which is served on loopback only: browsers take the prefix over https alone."""


def begin(conn: Connection, account: Account) -> str:
    """A new session; returns its token, which is stored nowhere. The caller commits."""
    token = new_token()
    idle, longest = LASTS[account.kind]
    conn.execute(
        SQL["begin_session"], {"token": hashed(token), "login": account.login, "idle": idle, "longest": longest}
    )
    return token


def whose(conn: Connection, token: str, seal: Seal) -> Account | None:
    """Whose session this is, if it has not ended; it counts as seen."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["session"], {"token": hashed(token)}).fetchone()
    if row is None:
        return None
    if row["unseen"]:
        conn.execute(SQL["touch_session"], {"token": hashed(token)})
    return account_of(row, seal)


def end(conn: Connection, token: str) -> None:
    """Sign out. The caller commits."""
    conn.execute(SQL["end_session"], {"token": hashed(token)})


def token_of(connection: HTTPConnection) -> str | None:
    """The token that a request or a socket brings."""
    return connection.cookies.get(_name(connection))


def give(response: Response, connection: HTTPConnection, token: str, kind: Kind) -> None:
    """Put the token into the browser: not for scripts, not for other sites."""
    response.set_cookie(
        _name(connection),
        token,
        max_age=int(LASTS[kind][1].total_seconds()),
        path="/",
        secure=_is_secure(connection),
        httponly=True,
        samesite="strict",
    )


def forget(response: Response, connection: HTTPConnection) -> None:
    """Take it out again."""
    response.delete_cookie(_name(connection), path="/", secure=_is_secure(connection), httponly=True, samesite="strict")


def is_ours(connection: HTTPConnection) -> bool:
    """Whether a page of ours sent this, by what the browser says and no script can change (Fetch Metadata; Origin)."""
    if site := connection.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = connection.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == connection.headers.get("host")


def _is_secure(connection: HTTPConnection) -> bool:
    return connection.url.scheme in {"https", "wss"}


def _name(connection: HTTPConnection) -> str:
    return _SECURE if _is_secure(connection) else _PLAIN
