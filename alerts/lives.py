"""Signs of life of our own processes: a row for each life, touched every few seconds, by the database's clock.

Whoever looks at them must be another process. Must never keep the work itself waiting.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from stream.store.sql import queries

if TYPE_CHECKING:
    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("lives.sql"))
EVERY_S = 2.0


class Life:
    """One life of one process."""

    def __init__(self, child: str) -> None:
        """`child`: its name with the supervisor."""
        self._asked = {"life": uuid4(), "child": child}
        self._beaten = float("-inf")

    def beat(self, conn: Connection) -> None:
        """Say that we live, if that was not said just now. A connection in autocommit."""
        if time.monotonic() - self._beaten < EVERY_S:
            return
        is_first = self._beaten == float("-inf")
        conn.execute(SQL["beat"], self._asked)
        if is_first:
            conn.execute(SQL["forget_old"])
        self._beaten = time.monotonic()
