"""One-time links to the packet of an emergency: made for a notice, bound to the first browser that opens them.

A notice's token is derived from its id, so that a retry says the same; the database knows hashes only. Fills the port
`alerts.record.LinkSource`. Must never log a token, nor open twice.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts.tokens import derived_token, hashed, new_token
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from alerts.record import LinkSource
    from api.roster import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))
UNOPENED, OPENED = timedelta(hours=24), timedelta(minutes=60)
"""How long a link waits to be opened, and how long it holds from then on."""
AT_LEAST = timedelta(minutes=15)
"""While the alert is open, whoever looks at the page has so long at least."""
_SECRET = "dispatch-link.key"  # noqa: S105 - the name of a file
_SECURE, _PLAIN = "__Host-dispatch", "dispatch"


class Why(StrEnum):
    """Why a link does not open."""

    UNKNOWN = "unknown"
    """There is no such link."""
    USED = "used"
    """Another browser has opened it."""
    OVER = "over"
    """Its time is over."""


class Gone(Exception):
    """A link that does not open, why, and when it was opened."""

    def __init__(self, why: Why, opened_at: datetime | None = None) -> None:
        """`opened_at`: by somebody else."""
        super().__init__(why)
        self.why = why
        self.opened_at = opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A link that opens."""

    alert: UUID
    is_first: bool


def link_source(connect: Callable[[], Any], keys: Path, public_url: str) -> LinkSource:
    """The port, over connections of its own: the station hands in how to get one."""

    def source(notice: UUID, alert: UUID) -> str | None:
        if not public_url:
            return None
        token = derived_token(keys / _SECRET, notice.bytes)
        with connect() as conn:
            _issue(conn, token, alert, f"notice:{notice}")
        return f"{public_url}/d/{token}"

    return source


def new_link(conn: Connection, alert: UUID, by_whom: str, public_url: str) -> str:
    """A new link, for a dispatcher who called for one. The caller commits."""
    token = new_token()
    _issue(conn, token, alert, by_whom)
    return f"{public_url}/d/{token}"


def open_link(conn: Connection, token: str, browser: str) -> Opening:
    """Bind a link to the browser that opens it first; the same browser may come again. The caller commits.

    Raises:
        Gone: it does not open for this browser.
    """
    known, by = hashed(token), hashed(browser)
    row = conn.cursor(row_factory=dict_row).execute(SQL["link"], {"token": known}).fetchone()
    if row is None:
        raise Gone(Why.UNKNOWN)
    if row["browser"] is not None and not hmac.compare_digest(row["browser"], by):
        raise Gone(Why.USED, row["opened_at"])
    if row["is_over"]:
        raise Gone(Why.OVER, row["opened_at"])
    is_first = row["browser"] is None
    if is_first:
        conn.execute(SQL["bind"], {"token": known, "browser": by, "opened": OPENED})
    return Opening(alert=row["alert"], is_first=is_first)


def held(conn: Connection, browser: str, alert: UUID, *, is_open: bool) -> timedelta:
    """How long this browser may still look at this alert; longer while it is open. The caller commits.

    Raises:
        Gone: it may not, or not any more.
    """
    asked = {"browser": hashed(browser), "alert": alert}
    row = conn.cursor(row_factory=dict_row).execute(SQL["held"], asked).fetchone()
    if row is None:
        raise Gone(Why.UNKNOWN)
    if row["is_over"] and not is_open:
        raise Gone(Why.OVER)
    if is_open:
        row |= (
            conn.cursor(row_factory=dict_row)
            .execute(SQL["prolong"], {"token": row["token"], "least": AT_LEAST})
            .fetchone()
            or {}
        )
    left: timedelta = row["ends_at"] - row["now"]
    return left


def browser_of(connection: HTTPConnection) -> str | None:
    """Which browser a request comes from; None: one that has opened nothing yet."""
    return connection.cookies.get(_name(connection))


def give(response: Response, connection: HTTPConnection, browser: str) -> None:
    """Let the browser be known again: not to scripts, and not to other sites' requests.

    `lax`, not `strict`: a link is followed from another site, and its redirection must bring the cookie along.
    """
    response.set_cookie(
        _name(connection), browser, path="/", secure=_is_secure(connection), httponly=True, samesite="lax"
    )


def _issue(conn: Connection, token: str, alert: UUID, made_by: str) -> None:
    conn.execute(SQL["issue"], {"token": hashed(token), "alert": alert, "made_by": made_by, "unopened": UNOPENED})


def _is_secure(connection: HTTPConnection) -> bool:
    return connection.url.scheme in {"https", "wss"}


def _name(connection: HTTPConnection) -> str:
    return _SECURE if _is_secure(connection) else _PLAIN
