"""The state of the log over HTTP: quarantine, ledger, health, metrics. Read only.

`/livez`, `/readyz` and `/metrics` need no token: they hold counts, never ids of people.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from psycopg_pool import PoolTimeout

from alerts import reading
from api.access import Asker, may
from api.house import Here, House, Row, ranges, rows, size
from api.problem import Problem
from api.rights import Right

router = APIRouter()
Keeper = Annotated[Asker, may(Right.KEEP)]
_RANGES = ("received", "archived", "excused", "judged_live", "judged_past", "unjudged", "unaccounted")


@router.get("/livez", tags=["health"])
def livez() -> Row:
    """The process answers."""
    return {"alive": True}


@router.get(
    "/readyz", tags=["health"], responses={503: {"description": "Not so; `why` says what.", "model": dict[str, Any]}}
)
def readyz(house: Here) -> Response:
    """Whether data is taken in and judged: 503 with the reason where it is not."""
    try:
        with house.transaction() as conn:
            lag = rows(conn, "lag")
            found = [_unready(house, row) for row in lag]
    except (psycopg.OperationalError, PoolTimeout):
        found = ["the database is not there"]
    troubles = [one for one in found if one]
    return JSONResponse({"ready": not troubles, "why": troubles}, status_code=503 if troubles else 200)


def _unready(house: House, row: Row) -> str | None:
    if row["stored_at"] is None:
        return f"shard {row['shard']}: intake has not stored anything yet"
    # Both times are real ones, whatever speed the injected clock runs at.
    age_s = (datetime.now(UTC) - row["stored_at"]).total_seconds()
    if age_s > house.settings.ready_lag_s:
        return f"shard {row['shard']}: intake stored nothing for {age_s:.0f} s; it should, each second"
    return None


@router.get("/metrics", tags=["health"], response_class=PlainTextResponse)
def metrics(house: Here) -> Response:
    """Prometheus."""
    registry = CollectorRegistry()
    with house.transaction() as conn:
        lag, quarantine = rows(conn, "lag"), rows(conn, "quarantine_count")
        counts, behind = reading.counts(conn), reading.behind(conn, house.now())
        unaccounted, unjudged = house.books.sums(conn)
        benched = rows(conn, "benched")
    stored = _gauge(registry, "stored_position", "newest position of the log", "shard")
    judged = _gauge(registry, "judged_position", "newest position that is judged for good", "shard")
    positions = _gauge(registry, "judged_lag_positions", "positions stored and not judged yet", "shard")
    age = _gauge(registry, "tick_age_seconds", "since the newest position was stored", "shard")
    for row in lag:
        shard = str(row["shard"])
        stored.labels(shard).set(row["stored_position"])
        judged.labels(shard).set(row["judged_position"])
        positions.labels(shard).set(row["stored_position"] - row["judged_position"])
        if row["stored_at"] is not None:
            age.labels(shard).set((datetime.now(UTC) - row["stored_at"]).total_seconds())
    bad = _gauge(registry, "quarantined", "messages and events in quarantine, repeats counted", "reason")
    for row in quarantine:
        bad.labels(row["reason"]).set(row["count"])
    alerts = _gauge(registry, "alerts_open", "open alerts", "tier", "state")
    notices = _gauge(registry, "notices_undelivered", "notices that nobody has", "tier", "status")
    for row in counts:
        (alerts if row["what"] == "open" else notices).labels(row["tier"], row["state"]).set(row["count"])
    _gauge(registry, "heard_position", "newest position whose findings are alerts").set(behind["heard_position"])
    for name, at in (("step", behind["oldest_step"]), ("notice", behind["oldest_notice"])):
        overdue = (house.now() - at).total_seconds() if at else 0.0
        _gauge(registry, f"oldest_{name}_overdue_seconds", f"how late the oldest due {name} is").set(overdue)
    _gauge(registry, "unaccounted", "events received that are neither archived, quarantined nor given up").set(
        unaccounted
    )
    _gauge(registry, "unjudged", "events archived and not judged yet").set(unjudged)
    _gauge(registry, "benched", "patients archived and not judged").set(len(benched))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"tierwatch_{name}", text, labels, registry=registry)


@router.get("/api/v1/quarantine", tags=["log"])
def quarantine(
    house: Here,
    keeper: Keeper,
    client: str | None = None,
    reason: str | None = None,
    before: datetime | None = None,
    with_body: Annotated[bool, Query(alias="body", description="Also the bytes, as hex.")] = False,
    limit: Annotated[int | None, Query(ge=1)] = None,
) -> Row:
    """What could not be admitted: by name, with who sent it and what was wrong, newest first."""
    del keeper
    most = min(limit or house.settings.page, house.settings.page)
    with house.transaction() as conn:
        found = rows(conn, "quarantined", client=client, reason=reason, before_at=before, limit=most)
        for row in found:
            row["sha256"] = row["sha256"].hex()
            if with_body:
                row["body"] = _body(conn, row["id"])
    return {"quarantine": found, "next": found[-1]["last_at"] if len(found) == most else None}


@router.get("/api/v1/quarantine/{entry}", tags=["log"])
def quarantined_body(entry: UUID, house: Here, keeper: Keeper) -> Row:
    """The bytes of one entry, as hex."""
    del keeper
    with house.transaction() as conn:
        body = _body(conn, entry)
    if body is None:
        raise Problem(404, f"no bytes are kept under {entry}")
    return {"id": entry, "body": body}


def _body(conn: psycopg.Connection[Any], entry: UUID) -> str | None:
    body = rows(conn, "quarantined_body", id=entry)[0]["body"]
    return None if body is None else bytes(body).hex()


@router.get("/api/v1/ledger", tags=["log"])
def ledger(house: Here, keeper: Keeper) -> Row:
    """The books: for every lane what came, what is archived, what was judged live and past, and what is neither.

    `unaccounted` must be 0. `unjudged` waits: it is held behind a hole, is due for a past pass, or has no patient.
    """
    del keeper
    with house.transaction() as conn:
        found = rows(conn, "ledger")
        (lag, *_) = rows(conn, "lag")
    lanes = [row | {name: ranges(row[name]) for name in _RANGES} for row in found]
    return {
        "lanes": lanes,
        "archived": sum(size(row["archived"]) for row in found),
        "unaccounted": sum(size(row["unaccounted"]) for row in found),
        "unjudged": sum(size(row["unjudged"]) for row in found),
        "stored_position": lag["stored_position"],
        "judged_position": lag["judged_position"],
    }


@router.get("/api/v1/health", tags=["health"])
def health(house: Here, asker: Annotated[Asker, may(Right.SEE, Right.KEEP, figures=True)]) -> Row:
    """The figures of the clinicians' bar; `quarantined` counts entries of the last 24 h (at most a page of them)."""
    del asker
    # Quarantine is dated by real clocks, whatever speed the injected one runs at.
    since = datetime.now(UTC) - timedelta(days=1)
    with house.transaction() as conn:
        unaccounted, unjudged = house.books.sums(conn)
        bad = rows(conn, "quarantined", client=None, reason=None, before_at=None, limit=house.settings.page)
        benched, known = rows(conn, "benched"), rows(conn, "known_patients")
    return {
        "unaccounted": unaccounted,
        "unjudged": unjudged,
        "quarantined": sum(row["last_at"] > since for row in bad),
        "benched": len(benched),
        "watched": len(known) - len(benched),
    }
