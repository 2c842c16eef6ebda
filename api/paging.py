"""Lists page by page: the cursor of a page is the last row of the one before, so that nothing new moves it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from api.problem import Problem

if TYPE_CHECKING:
    from api.house import Row


def cursor(text: str | None) -> tuple[datetime, UUID] | None:
    """What a client took from `next`; 422 where it is none of ours."""
    if text is None:
        return None
    at, _, last = text.partition("|")
    try:
        return datetime.fromisoformat(at), UUID(last)
    except ValueError:
        raise Problem(422, "before is no cursor of ours: take it from `next` of the page before") from None


def following(found: list[Row], most: int, at: str, key: str) -> str | None:
    """The cursor of the page behind; None: there is none. `at`, `key`: what the list is ordered by."""
    if len(found) < most:
        return None
    return f"{found[-1][at].isoformat()}|{found[-1][key]}"
