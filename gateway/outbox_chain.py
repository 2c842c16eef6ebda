"""Each day's readings of a device, chained by hash: a reading changed or taken out later breaks every link after it.

Pure arithmetic over rows; the outbox gives the connection's `run`. A link is sha256(link before, digest of the reading
as it is sent); a day goes on from the last link of the day before, a device's first link from its name.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from gateway.reading import DeviceId, Reading

KEPT_DAYS = 35


class Run(Protocol):
    """Runs a named statement."""

    def __call__(self, name: str, /, **values: Any) -> sqlite3.Cursor:
        """Its rows."""
        ...


def first_link(device: str) -> bytes:
    """Where a device's chain starts."""
    return sha256(f"tierwatch chain of {device}".encode()).digest()


def add(run: Run, device: DeviceId, reading: Reading, lane: int, body: bytes) -> None:
    """One more reading, in the transaction that commits it. Its day is the day on which it was heard."""
    heard = (reading.received_at or reading.at).astimezone(UTC)
    before = run("last_link", device=device).fetchone()
    # A gateway's day never goes back: after a clock step the old day simply goes on.
    day, n, link = before or ("", 0, first_link(device))
    today = max(day, heard.date().isoformat())
    digest = sha256(body).digest()
    run(
        "add_link",
        device=device,
        day=today,
        n=n + 1 if today == day else 1,
        lane=lane,
        seq=reading.seq,
        digest=digest,
        link=sha256(link + digest).digest(),
    )
    if today != day:
        run("forget_chain", day=(heard.date() - timedelta(days=KEPT_DAYS)).isoformat())


def problems(rows: Iterable[tuple[str, int, int, int, bytes, bytes, bytes | None]]) -> list[str]:
    """What does not hold, a line each; the first link that is kept is taken as it is."""
    found: list[str] = []
    before: tuple[str, int, bytes] | None = None
    for day, n, _, seq, digest, link, body in rows:
        if body is not None and sha256(body).digest() != digest:
            found.append(f"{day} reading {n} (seq {seq}): its bytes are not those that were chained")
        if before is not None:
            if n != (before[1] + 1 if day == before[0] else 1):
                found.append(f"{day} reading {n}: the one before it is missing")
            elif sha256(before[2] + digest).digest() != link:
                found.append(f"{day} reading {n} (seq {seq}): its link does not follow from the one before")
        before = (day, n, link)
    return found
