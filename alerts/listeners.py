"""Who looks at a console just now: each live session says so again and again, and is gone when it stops saying it.

The port between pages and delivery: a WebSocket calls `refresh`, the channel `console` asks `is_listening`. Must never
count a session that has not been heard of.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stream.store.connect import connect
from stream.store.sql import queries

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("listeners.sql"))
REFRESH_EVERY_S = 10.0
"""How often a live session should say that it is there, real seconds."""
FOR_S = 25.0
"""How long it counts: two refreshes may be lost, a third may not."""


def refresh(conn: Connection, person: str, session: str, now: datetime, for_s: float = FOR_S) -> bool:
    """A session of this person is live; True where it is the only one, and what waited for it is due at once.

    `person`: the account, as the care team's address on the channel `console` names it. The caller commits.
    """
    row = conn.execute(SQL["refresh"], {"person": person, "session": session, "for_s": for_s}).fetchone()
    is_first = bool(row and row[0])
    if is_first:
        conn.execute(SQL["shown_now"], {"person": person, "now": now})
        conn.execute(SQL["wake"], {"person": person})
    return is_first


def leave(conn: Connection, person: str, session: str) -> None:
    """A session has ended. The caller commits."""
    conn.execute(SQL["leave"], {"person": person, "session": session})


def is_listening(dsn: str, person: str) -> bool:
    """Whether any session of this person is live."""
    with connect(dsn, "console", patience_s=0.0) as conn:
        row = conn.execute(SQL["listening"], {"person": person}).fetchone()
    return bool(row and row[0])
