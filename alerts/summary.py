"""The week of a practice in figures: what was raised, how it ended, how long it took, what nobody answered.

Names and ids of patients are not in it: it may lie on a desk. Must never count what its reader may not see.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts.alert import Outcome, Tier
from stream.finding import Condition, FindingKind, SubjectKind
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alerts.panels import Sight
    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
WEEK = timedelta(days=7)


class NoSuchWeek(ValueError):
    """A week is written as ISO 8601 writes it, as 2026-W48."""


def span(week: str | None, now: datetime) -> tuple[str, datetime, datetime]:
    """A week's name, its beginning and its end (UTC, Monday to Monday); None: the last whole one.

    Raises:
        NoSuchWeek: it is no week.
    """
    if week is None:
        year, number, _ = (now - WEEK).isocalendar()
        week = f"{year}-W{number:02}"
    told = _WEEK.fullmatch(week)
    try:
        since = datetime.fromisocalendar(int(told[1]), int(told[2]), 1).replace(tzinfo=UTC) if told else None
        if since is None:
            raise NoSuchWeek(f"{week!r} is no week: write it as 2026-W48")
        return week, since, since + WEEK
    except (ValueError, OverflowError):
        raise NoSuchWeek(f"{week!r} is no week: write it as 2026-W48") from None


def rows(conn: Connection, since: datetime, until: datetime, sight: Sight) -> list[dict[str, Any]]:
    """The alerts of a time that somebody may see."""
    asked = {"since": since, "until": until}
    found = conn.cursor(row_factory=dict_row).execute(SQL["week"], asked).fetchall()
    return [row for row in found if sight.shows(row)]


def summarised(found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of these alerts. Pure. Times to acceptance are medians in seconds; None: nothing was taken over."""
    found = list(found)
    clinical = [row for row in found if row["kind"] != FindingKind.TECHNICAL]
    technical = [row for row in found if row["kind"] == FindingKind.TECHNICAL]
    false = [row for row in clinical if row["outcome"] == Outcome.FALSE_ALARM]
    unanswered = [
        row for row in clinical if row["tier"] != Tier.TIP and row["taken_at"] is None and row["closed_at"] is None
    ]
    return {
        "tiers": {str(tier): _of_tier([row for row in clinical if row["tier"] == tier]) for tier in Tier},
        "technical": len(technical),
        "false_alarms": [
            {"alert": row["alert"], "condition": row["condition"], "reason": row["note"] or ""} for row in false
        ],
        "unanswered": [{"alert": row["alert"], "condition": row["condition"], "tier": row["tier"]} for row in unanswered],
        "patients_without_data": len(
            {row["subject"] for row in technical
             if row["condition"] == Condition.NO_DATA and row["subject_kind"] == SubjectKind.PATIENT}
        ),
        "batteries": sum(row["condition"] == Condition.BATTERY_LOW for row in technical),
    }  # fmt: skip


def _of_tier(found: list[Mapping[str, Any]]) -> dict[str, Any]:
    waits = [(row["taken_at"] - row["raised_at"]).total_seconds() for row in found if row["taken_at"] is not None]
    ends = Counter(str(row["outcome"] or "open") for row in found)
    return {"raised": len(found), "outcomes": dict(sorted(ends.items())), "median_s": median(waits) if waits else None}
