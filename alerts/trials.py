"""Trials of a way to somebody: `alert.test` is sent there, and when it was delivered is kept, so that plans can be proved.

What a trial proves ends when the address is set to something else. Must never send anything about a patient.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from psycopg.rows import dict_row

from alerts.alert import EventType, Tier
from alerts.delivery.console import CHANNEL
from alerts.delivery.outcome import Delivered, Message, Outcome, Refused
from alerts.delivery.signing import secrets_of
from alerts.reachability import Means
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alerts.delivery.outcome import Channel
    from alerts.register import Connection
    from alerts.settings import AlertsSettings

SQL = queries(Path(__file__).with_name("trials.sql"))
WEBHOOK = "webhook"


def trial(channel: Channel, address: str) -> Outcome:
    """Send `alert.test`: whether this way works, without anybody being ill."""
    notice, now = uuid4(), datetime.now(UTC)  # by the real clock: the receiver compares it with its own
    body = {"type": EventType.TEST, "timestamp": now.isoformat(), "data": {"notice_id": str(notice)}}
    return channel.deliver(
        Message(
            notice=notice,
            type=EventType.TEST,
            person="test",
            address=address,
            tier=Tier.TIP,
            body=json.dumps(body).encode(),
            at=now,
        )
    )


def send(channels: Mapping[str, Channel], way: tuple[str, str]) -> Outcome:
    """Try a way; nothing is kept yet."""
    name, address = way
    channel = channels.get(name)
    if channel is None:
        return Refused(f"there is no channel {name!r}; there are: {', '.join(sorted(channels))}")
    return trial(channel, address)


def keep(
    conn: Connection, settings: AlertsSettings, way: tuple[str, str], outcome: Outcome, by_whom: str, now: datetime
) -> None:
    """Keep what came of a trial; only what was delivered proves anything. The caller commits."""
    asked = {
        "channel": way[0],
        "address": way[1],
        "target": target_of(settings, way),
        "now": now,
        "by_whom": by_whom,
        "outcome": type(outcome).__name__.lower(),
        "detail": (outcome.detail if isinstance(outcome, Delivered) else outcome.reason)[:500],
    }
    conn.execute(SQL["save_trial"], asked)


def means(
    conn: Connection, settings: AlertsSettings, channels: Mapping[str, Channel], keys: Path, accounts: frozenset[str]
) -> Means:
    """What this installation can reach people by now. `accounts`: whom a console can stand for."""
    endpoints = frozenset(settings.endpoints)
    lacking = {
        (WEBHOOK, name): f"it has no secret: tierwatch alert secret {name}"
        for name in endpoints
        if not secrets_of(keys, name)
    }
    tried = {
        (row["channel"], row["address"]): row["at"]
        for row in conn.cursor(row_factory=dict_row).execute(SQL["delivered_trials"]).fetchall()
        if row["target"] == target_of(settings, (row["channel"], row["address"]))
    }
    closed = {WEBHOOK: endpoints, CHANNEL: accounts}
    return Means(addresses={name: closed.get(name) for name in channels}, lacking=lacking, tried=tried)


def signed_in(conn: Connection, settings: AlertsSettings, names: Iterable[str], now: datetime) -> None:
    """Somebody has come to their console: that way is tried. The caller commits."""
    for name in sorted(names):
        keep(conn, settings, (CHANNEL, name), Delivered("signed in"), name, now)


def newest(conn: Connection) -> list[dict[str, Any]]:
    """The newest trial of each way, whatever came of it."""
    rows: list[dict[str, Any]] = conn.cursor(row_factory=dict_row).execute(SQL["newest_trials"]).fetchall()
    return rows


def target_of(settings: AlertsSettings, way: tuple[str, str]) -> str:
    """What an address stood for, as a digest: an endpoint that leads elsewhere today was never tried."""
    channel, address = way
    place = settings.endpoints.get(address, "") if channel == WEBHOOK else address
    if template := settings.delivery.templates.get(channel):
        place = f"{template.url}|{address}"
    return hashlib.sha256(f"{channel}|{place}".encode()).hexdigest()
