"""Writing into the book from a request: in a transaction of its own, and never in the way of an answer to an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from api import audit
from api.problem import Problem

if TYPE_CHECKING:
    from api.house import House

NEVER_KEPT_BACK = frozenset(
    {
        "POST /alerts/{alert}/accept", "POST /alerts/{alert}/acknowledge", "POST /alerts/{alert}/answer",
        "POST /linked/{verb}",
    }
)  # fmt: skip
"""Somebody who takes an alert, or calls for help, is never kept from it by a book that cannot be written."""
_LOG: Any = structlog.get_logger(__name__)


def keep(house: House, entry: audit.Entry) -> None:
    """Write down what is about to be done. What cannot be written down is not done (503).

    To be called before the route opens a transaction: this takes one of its own.
    """
    try:
        with house.transaction() as conn:
            head = audit.write(conn, entry)
        if house.head.note(head):
            with house.transaction() as conn:
                house.head.save(conn)
    except (psycopg.Error, PoolTimeout, OSError) as error:
        _LOG.error("audit_unwritten", what=entry.what, error=type(error).__name__)
        if entry.what not in NEVER_KEPT_BACK:
            raise Problem(503, "this cannot be written down just now, so it is not done: try again") from None
