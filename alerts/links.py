"""A link in a letter to a doctor: to one alert, once, for a day. It carries nothing but a token.

The token is made of the notice and a secret of ours, so that a letter that is sent again is the same letter; the database
knows its hash only. Must never keep a letter from going out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg.rows import dict_row

from alerts.faults import where
from alerts.ladder import Role
from alerts.tokens import derived_token, hashed, new_token
from stream.store.sql import queries

if TYPE_CHECKING:
    from uuid import UUID

SQL = queries(Path(__file__).with_suffix(".sql"))
_LOG: Any = structlog.get_logger(__name__)
Connection = psycopg.Connection[Any]

LASTS = timedelta(hours=24)
"""A link that nobody opens, and then the session that it begins."""
FILE = "link.secret"
PATIENCE_S = 2
"""For the database: a letter does not wait for its link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a session that a link began may see and answer: this alert, as this person."""

    notice: UUID
    alert: UUID
    person: str
    role: Role


class Links:
    """Makes the links of letters."""

    def __init__(self, public_url: str, keys: Path, dsn: str) -> None:
        """`public_url`: where the pages are seen from outside; empty: there are no links."""
        self._base = public_url.rstrip("/")
        self._file = keys / FILE
        self._dsn = dsn

    def of(self, notice: UUID) -> str | None:
        """The link of a notice; None: there is none, and the letter says where to sign in."""
        if not self._base:
            return None
        try:
            token = derived_token(self._file, b"link|" + notice.bytes)
            with psycopg.connect(self._dsn, autocommit=True, connect_timeout=PATIENCE_S) as conn:
                conn.execute(f"SET statement_timeout = '{PATIENCE_S}s'")
                conn.execute(SQL["add_link"], {"token": hashed(token), "notice": notice, "lasts": LASTS})
        except (psycopg.Error, OSError) as error:
            _LOG.error("no_link", notice=str(notice), **where(error))
            return None
        return f"{self._base}/a/{token}"


def use(conn: Connection, token: str) -> tuple[str, UUID] | None:
    """Use a link up: the token of the session that begins, and the notice. None: it was used, or is over. The caller commits."""
    session = new_token()
    asked = {"token": hashed(token), "session": hashed(session), "lasts": LASTS}
    row = conn.execute(SQL["use_link"], asked).fetchone()
    return (session, row[0]) if row else None


def linked(conn: Connection, session: str) -> Linked | None:
    """Whose session this is, and of which alert; None: of nobody any more."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["linked"], {"session": hashed(session)}).fetchone()
    return Linked(**row | {"role": Role(row["role"])}) if row else None
