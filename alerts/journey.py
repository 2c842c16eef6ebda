"""One event or one alert from the skin to the person, as lines of text with times and ids. Read only; never guesses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts import hops
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))
WIDTH = 10


class NotFound(LookupError):
    """Nothing of that name is stored: a reading is DEVICE/STREAM/SEQ, an alert is its id or the start of it."""


def trace(conn: Connection, name: str) -> list[str]:
    """The way of a reading (`DEVICE/STREAM/SEQ`) or of an alert (its id, or the start of it).

    Raises:
        NotFound: neither is stored under that name.
    """
    head, _, seq = name.rpartition("/")
    device, _, stream = head.partition("/")
    if stream and seq.isdecimal():
        return list(_event(conn, device, stream, int(seq)))
    return list(_alert(conn, name))


def _event(conn: Connection, device: str, stream: str, seq: int) -> Iterator[str]:
    cursor = conn.cursor(row_factory=dict_row)
    rows = cursor.execute(SQL["event"], {"device": device, "stream": stream, "seq": seq}).fetchall()
    if not rows:
        raise NotFound(f"no event {seq} of {device}/{stream} is stored")
    for row in rows:
        yield f"{row['what']} {device}/{stream} seq {seq}, client {row['client']}, epoch {row['epoch']}"
        yield _line("device", row["at"], "the data's own time")
        yield _line("heard", row["received_at"], "by the gateway" if row["from_gateway"] else "by intake")
        yield _line("sent", row["sent_at"], "")
        yield _line("stored", row["stored_at"], f"position {row['position']} of shard {row['shard']}")
        yield _line("judged", None, row["judged"], known=True)
        if row["patient"] is None:
            yield _line("patient", None, "assigned to nobody: archived, not judged", known=True)
            continue
        yield _line("patient", None, row["patient"], known=True)
        span = {"subject": row["patient"], "from_at": row["at"], "to_at": row["ends_at"]}
        episodes = cursor.execute(SQL["episodes"], span).fetchall()
        for found in episodes:
            state = "present" if found["present"] else "over"
            yield _line("found", found["judged_at"], f"{found['condition']} ({state}), episode {found['episode']}")
        alerts = cursor.execute(SQL["alerts_of"], {"episodes": [e["episode"] for e in episodes]}).fetchall()
        for alert in alerts:
            yield ""
            yield from _alert(conn, str(alert["alert"]))


def _alert(conn: Connection, start: str) -> Iterator[str]:
    cursor = conn.cursor(row_factory=dict_row)
    rows = cursor.execute(SQL["alert"], {"start": start.lower()}).fetchall()
    if len(rows) != 1:
        raise NotFound(f"{len(rows) or 'no'} alerts begin with {start!r}")
    (alert,) = rows
    past = ", past" if alert["past"] else ""
    yield f"alert {alert['alert']}: {alert['condition']} of {alert['subject']}, {alert['tier'].upper()}, {alert['state']}{past}"
    way = hops.of(conn, alert["alert"])
    yield _line("device", way.device_at, f"{way.device}/{way.stream}")
    yield _line("heard", way.received_at, "")
    yield _line("sent", way.sent_at, "")
    yield _line("stored", way.stored_at, "")
    yield _line("judged", way.judged_at, f"position {way.position}, episode {way.episode}")
    asked = {"alert": alert["alert"]}
    steps: list[tuple[datetime, str]] = []
    for row in cursor.execute(SQL["history"], asked).fetchall():
        change = f"{row['before'] or 'new'} -> {row['after']}" if row["before"] != row["after"] else row["after"]
        steps.append((row["at"], _line("history", row["at"], f"{row['what']}: {change}, by {row['by_whom']}")))
    for row in cursor.execute(SQL["attempts"], asked).fetchall():
        steps += _attempt(row)
    yield from (line for _, line in sorted(steps, key=lambda step: step[0]))


def _attempt(row: dict[str, Any]) -> list[tuple[datetime, str]]:
    at = row["finished_at"] or row["started_at"]
    if at is None:
        return []
    place = f"generation {row['generation']}, cycle {row['cycle']}, rung {row['rung']}"
    text = f"{row['type']} to {row['person']} by {row['channel']} ({place}), attempt {row['attempt']}: {row['outcome']}"
    return [(at, _line("notice", at, f"{text}; id {row['notice']}"))]


def _line(hop: str, at: datetime | None, text: str, *, known: bool = False) -> str:
    when = at.isoformat(timespec="milliseconds") if at is not None else ("" if known else "not known")
    return "  ".join(part for part in (f"  {hop:<{WIDTH}}", when, text) if part.strip() or part == when).rstrip()
