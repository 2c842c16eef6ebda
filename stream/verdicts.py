"""T2 and T3: what a position was judged to be, and the charts that are due, in one transaction. And reading both back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec
from psycopg.types.json import Jsonb

from gateway.ranges import Ranges
from stream import clients as client_book
from stream.archive import SQL, check_fence
from stream.books import multirange
from stream.ecg.chart import CHART_VERSION
from stream.finding import Condition, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from stream.books import Books
    from stream.clients import Clients
    from stream.rates import Rate
    from stream.ward import SavedChart, Ward


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Charts that go with this position."""

    charts: Sequence[SavedChart] = ()
    absorbed: Sequence[str] = ()
    clients: bytes | None = None


def judge_done(
    conn: Connection,
    *,
    shard: int,
    fence: int,
    position: int,
    findings: Sequence[Finding],
    saving: Saving,
    ward: Ward,
    books: Books,
    rates: Sequence[Rate] = (),
) -> None:
    """T2 with T3: findings, episodes, rates, charts and the cursor of one position, all or nothing."""
    with conn.transaction():
        check_fence(conn, shard, fence)
        put_findings(conn, shard, position, findings)
        if rates:
            conn.cursor().executemany(SQL["put_rate"], [asdict(rate) for rate in rates])
        save_charts(conn, shard, position, saving, ward, books)
        conn.execute(SQL["judged"], {"shard": shard, "position": position})
        if findings:
            conn.execute("SELECT pg_notify('stream_finding', '')")


def put_findings(
    conn: Connection, shard: int, position: int, findings: Sequence[Finding], *, first_ord: int = 0
) -> None:
    """Rows of findings (each once) and the level that they leave behind."""
    rows = [
        {
            "shard": shard, "position": position, "ord": number, "episode": f.episode, "revision": f.revision,
            "subject": f.subject, "subject_kind": f.subject_kind, "condition": f.condition, "kind": f.kind, "opened": f.opened,
            "onset": f.onset, "ended": f.end, "present": f.present, "late": f.late, "withdrawn": f.withdrawn,
            "confidence": f.confidence, "evidence": Jsonb(f.evidence), "body": encode(f),
        }
        for number, f in enumerate(findings, first_ord)
    ]  # fmt: skip
    if not rows:
        return
    with conn.cursor() as cursor:
        cursor.executemany(SQL["add_finding"], rows)
        cursor.executemany(SQL["put_episode"], rows)
        benched = [f for f in findings if f.condition is Condition.DETECTOR_FAILED]
        for finding in benched:
            if finding.present:
                why = str(finding.evidence.get("why", ""))
                cursor.execute(SQL["put_bench"], {"patient": finding.subject, "position": position, "why": why})
            else:
                cursor.execute(SQL["lift_bench"], {"patients": [finding.subject]})


def save_charts(conn: Connection, shard: int, position: int, saving: Saving, ward: Ward, books: Books) -> None:
    """Charts as they are after this position, and the ledgers of their lanes."""
    if saving.absorbed:
        conn.execute(SQL["drop_charts"], {"shard": shard, "owners": list(saving.absorbed)})
    rows = [
        {
            "kind": "household", "owner": c.household, "shard": shard, "version": CHART_VERSION, "position": position,
            "low_water": c.low_water, "state": c.state,
        }
        for c in saving.charts
    ]  # fmt: skip
    if saving.clients is not None:
        rows.append(
            {
                "kind": "clients", "owner": "all", "shard": shard, "version": CHART_VERSION, "position": position,
                "low_water": position + 1, "state": saving.clients,
            }
        )  # fmt: skip
    with conn.cursor() as cursor:
        if rows:
            cursor.executemany(SQL["put_chart"], rows)
        ledgers = list(_ledgers(saving, ward, books, position))
        if ledgers:
            cursor.executemany(SQL["checkpoint_lane"], ledgers)


def encode(finding: Finding) -> bytes:
    """A finding as it is stored."""
    return msgspec.msgpack.encode(finding)


def decode(body: bytes) -> Finding:
    """A finding from `encode`."""
    return msgspec.msgpack.decode(body, type=Finding)


def pack_clients(book: Clients, position: int) -> bytes:
    """The book of clients as it is after `position`."""
    book.position = position
    return client_book.pack(book)


def _ledgers(saving: Saving, ward: Ward, books: Books, position: int) -> Iterable[dict[str, object]]:
    for chart in saving.charts:
        for key, lane in ward.households[chart.household].lanes.items():
            number = books.lanes.get(key)
            if number is None:
                continue
            received: Ranges = books.received.get(number, ())
            yield {
                "lane": number, "received": multirange(received), "judged_live": multirange(lane.chart.judged_live),
                "judged_past": multirange(lane.chart.judged_past), "position": position,
            }  # fmt: skip
