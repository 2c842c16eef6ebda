"""The story as it happens, for the terminal of the demo: each alert with its hop times, each delivery, each answer.

Read only: it looks at what was written. Must never print a name or a reading.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from alerts import hops
from alerts.alert import Tier
from alerts.catalogue import CONDITIONS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from alerts.register import Connection

SQL = hops.SQL
_POLL_S = 0.5
_OVERLAP = timedelta(seconds=5)
"""Rows become visible in the order of commits, not of their times: look back so far, and skip what was told."""
_ANSWERS = {
    "acknowledged": "looked after by",
    "accepted": "TAKEN by",
    "closed": "closed by",
    "rejected": "rejected by",
    "returned": "GIVEN BACK by",
    "well": "no emergency, says",
    "help": "HELP WANTED by",
    "spoken": "heard from",
    "snoozed": "not now, says",
    "ended": "no longer monitored, says",
}


class Storyteller:
    """Turns what was written since into lines, each once."""

    def __init__(self, since: datetime) -> None:
        """Nothing before `since` is told."""
        self._since = since
        self._newest = since
        self._told: set[tuple[Any, ...]] = set()

    def news(self, conn: Connection, limit: int = 500) -> list[str]:
        """The lines that are new."""
        lines: list[str] = []
        asked = {"since": max(self._newest - _OVERLAP, self._since), "limit": limit}
        for row in conn.cursor(row_factory=dict_row).execute(SQL["news"], asked).fetchall():
            key = (row["alert"], row["notice"], row["what"], row["n"])
            if key in self._told:
                continue
            self._told.add(key)
            self._newest = max(self._newest, row["at"])
            if line := _line(conn, row):
                lines.append(line)
        return lines


def tell(dsn: str, since: datetime, say: Callable[[str], None], stop: threading.Event) -> None:
    """Say the story line by line until `stop`; a database that goes away is waited for."""
    teller = Storyteller(since)
    while not stop.is_set():
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="tierwatch story") as conn:
                while not stop.wait(_POLL_S):
                    for line in teller.news(conn):
                        say(line)
        except psycopg.OperationalError:
            stop.wait(1.0)


def _line(conn: Connection, row: dict[str, Any]) -> str:  # noqa: PLR0911 - a table of sentences
    at = row["at"].strftime("%H:%M:%S.%f")[:-3]
    what = CONDITIONS.get(row["condition"], {"en": row["condition"]})["en"]
    who = f"{row['subject']}: {what}"
    detail = row["detail"]
    match row["what"]:
        case "raised":
            found = hops.of(conn, row["alert"])
            tier = detail.get("tier", row["tier"])
            mark = "technical" if row["kind"] == "technical" else "EMERGENCY" if tier == Tier.EMERGENCY else tier
            return f"{at}  {mark:<9}  {who}  [{hop_line(found)}]  alert {row['alert']}"
        case "worsened":
            return f"{at}  worse      {who}: {detail.get('was')} -> {detail.get('tier')} ({detail.get('reason')})"
        case "attempt":
            kind = str(detail.get("type", "")).removeprefix("alert.")
            name = f"{row['person']} by {row['channel']}"
            how = f"({detail.get('detail')})  notice {row['notice']}"
            return f"{at}  {row['outcome']:<9}  {kind} to {name}: {who} {how}"
        case answer if answer in _ANSWERS:
            return f"{at}  answered   {who}: {_ANSWERS[answer]} {row['by_whom']}"
        case "response":
            return f"{at}  answered   {who}: {row['by_whom']} says {str(detail.get('kind')).replace('_', ' ')}"
        case "cleared" | "faded":
            return f"{at}  over       {who}"
        case "inhibited":
            return f"{at}  silent     {who}: {detail.get('by')} speaks instead"
        case _:
            return ""


def hop_line(found: hops.Hops) -> str:
    """`device 12:00:01.200  sent +0.130  stored +0.250 ...`: each hop after the one before, in seconds."""
    parts: list[str] = []
    before: datetime | None = None
    named = (
        ("device", found.device_at),
        ("sent", found.sent_at),
        ("stored", found.stored_at),
        ("judged", found.judged_at),
        ("alerted", found.alerted_at),
        ("delivered", found.delivered_at),
    )
    for name, at in named:
        if at is None:
            continue
        shown = at.strftime("%H:%M:%S.%f")[:-3] if before is None else f"{(at - before).total_seconds():+.3f}"
        parts.append(f"{name} {shown}")
        before = at
    return "  ".join(parts)
