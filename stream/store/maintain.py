"""What a store needs every day: room for the days to come, and no more of the past than was promised.

Safe while everything runs, as often as one likes. Must never delete what a restart would read, nor trust a clock that
runs ahead: what is deleted is measured by the earlier of the log's clock and the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from stream.store import partitions
from stream.store.connect import connect
from stream.store.migrate import FOLDERS
from stream.store.partitions import ECG, READING, Busy, Divided
from stream.store.sql import queries

if TYPE_CHECKING:
    from stream.store.connect import Connection

_SQL = queries(Path(__file__).with_name("maintain.sql"))

Told = Callable[[str], None]
"""Hears each step as it begins."""


class AlreadyRunning(RuntimeError):
    """Another maintenance is at work on this store: leave it to that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How long what is kept. Readings, findings, episodes and alerts are kept for good."""

    ecg: timedelta = timedelta(days=30)
    """Full waveform."""
    rates: timedelta = timedelta(days=35)
    """The course of heart rates, a row a minute: trends reach back 30 days."""
    log: timedelta = timedelta(hours=24)
    """Of the log before the oldest chart, whatever its age."""
    quarantine: timedelta = timedelta(days=90)
    """Since it was last seen."""
    unread: int = 1000
    """Of each client, type and version: what a newer sender said that we could not read."""
    uncompressed: timedelta = timedelta(days=3)
    """TimescaleDB only: days older than this are compressed."""
    days_ahead: int = 7
    rows_worth_a_part: int = 1000
    """A past day with fewer rows stays in the default partition: meters send memories of years, a row a day."""
    most_moved: int = 200_000
    """A day with more rows is not moved by itself: the last step would hold the writer up (a second for so many)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was done, or could not be."""

    what: str
    count: int
    note: str
    is_undone: bool = False
    """Something for a person, or for the next time."""


@dataclass(slots=True)
class Report:
    """What a maintenance did."""

    lines: list[Line] = field(default_factory=list)

    def add(self, what: str, count: int, note: str, *, is_undone: bool = False) -> None:
        """Write a line, unless nothing was done and there is nothing to tell."""
        if count or is_undone:
            self.lines.append(Line(what=what, count=count, note=note, is_undone=is_undone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """Where past and present are, as the log and the server see them."""

    now: datetime
    """The server's clock."""
    tick: datetime
    """The log's: ahead of the server's in a world that runs faster, behind it where intake stands still."""
    keep: dict[int, int]
    """For each shard the first position that the log must hold."""

    @property
    def past(self) -> datetime:
        """The earlier of the two clocks: ages are counted from here."""
        return min(self.now, self.tick)

    def days(self, ahead: int) -> list[date]:
        """Days that must have a part: around either clock."""
        around = {clock.astimezone(UTC).date() for clock in (self.now, self.tick)}
        return sorted({day + timedelta(days=n) for day in around for n in range(-1, ahead + 1)})


def maintain(dsn: str, rules: Rules | None = None, told: Told = lambda _: None, now: datetime | None = None) -> Report:
    """Do all of it; `now` stands for the server's clock in tests.

    Raises:
        AlreadyRunning: another one is at work.
    """
    rules = rules or Rules()
    report = Report()
    with connect(dsn, "maintain") as conn:
        _alone(conn)
        horizon = _horizon(conn, rules, now)
        _make_all_room(conn, rules, horizon, report, told)
        told("waveform over the limit")
        _drop_waveform(conn, rules, horizon, report)
        told("log, quarantine and unread over the limit")
        _delete(conn, rules, horizon, report)
        for schema, name in conn.execute(_SQL["tables"], {"schemas": list(FOLDERS)}).fetchall():
            told(f"statistics of {schema}.{name}")
            conn.execute(sql.SQL(_SQL["analyze"]).format(table=sql.Identifier(schema, name)))
    return report


def make_room(dsn: str, rules: Rules | None = None, now: datetime | None = None) -> Report:
    """Only the parts of the days around now and to come: quick, for every start, before intake.

    Raises:
        AlreadyRunning: a maintenance is at work, which does this too.
    """
    rules, report = rules or Rules(), Report()
    with connect(dsn, "maintain") as conn:
        _alone(conn)
        _make_all_room(conn, rules, _horizon(conn, rules, now), report, lambda _: None)
    return report


def _alone(conn: Connection) -> None:
    if conn.execute(_SQL["try_lock"]).fetchone() != (True,):
        raise AlreadyRunning("another maintenance of this store is at work")


def _make_all_room(conn: Connection, rules: Rules, horizon: Horizon, report: Report, told: Told) -> None:
    for table in (ECG, READING):
        if partitions.is_partitioned(conn, table):
            told(f"room for the days to come in {table.whole}")
            _make_room(conn, table, rules, horizon, report)


def _horizon(conn: Connection, rules: Rules, now: datetime | None) -> Horizon:
    server = now or _one(conn, sql.SQL("SELECT now()"))
    ticks, keep = [], {}
    for shard, tick, needed in conn.execute(_SQL["shards"]).fetchall():
        first = _one(conn, _SQL["keep_from"], shard=shard, needed=needed, log=rules.log)
        # Judged nothing yet: everything is needed.
        keep[shard] = 0 if first is None else min(first, needed)
        if tick is not None:
            ticks.append(tick)
    return Horizon(now=server, tick=max(ticks, default=server), keep=keep)


def _make_room(conn: Connection, table: Divided, rules: Rules, horizon: Horizon, report: Report) -> None:
    waiting = partitions.days_in_default(conn, table)
    there = set(partitions.days(conn, table))
    oldest = (horizon.past - rules.ecg).astimezone(UTC).date() if table is ECG else date.min
    ahead = {day for day in horizon.days(rules.days_ahead) if day not in there and day >= oldest}
    worth = {day for day, rows in waiting.items() if rows >= rules.rows_worth_a_part and day >= oldest}
    made, moved = 0, 0
    for day in sorted(ahead | worth):
        rows = waiting.get(day, 0)
        if rows > rules.most_moved:
            continue
        try:
            moved += partitions.make(conn, table, day, holds_rows=rows > 0)
        except Busy as busy:
            report.add(table.whole, rows, f"no part for {day}: {busy}", is_undone=True)
        else:
            made += 1
            waiting.pop(day, None)
    report.add(table.whole, made, "days given a part of their own")
    report.add(table.whole, moved, "rows moved out of the default partition")
    for day, rows in waiting.items():
        if day >= oldest:
            why = "too many to move while running" if rows > rules.most_moved else "few: they stay"
            report.add(table.default, rows, f"rows of {day}: {why}", is_undone=rows > rules.most_moved)


def _drop_waveform(conn: Connection, rules: Rules, horizon: Horizon, report: Report) -> None:
    limit = horizon.past - rules.ecg
    if not partitions.is_partitioned(conn, ECG):
        _drop_chunks(conn, rules, horizon, report)
        return
    dropped = 0
    for day in partitions.days(conn, ECG):
        if partitions.bounds(day)[1] > limit:
            break
        if partitions.holds_log(conn, ECG, day, horizon.keep):
            report.add(ECG.whole, 1, f"{day} is over the limit, but still part of the log: kept", is_undone=True)
            continue
        try:
            partitions.drop(conn, ECG, day)
        except Busy as busy:
            report.add(ECG.whole, 1, f"{day} not dropped: {busy}", is_undone=True)
        else:
            dropped += 1
    report.add(ECG.whole, dropped, f"days of waveform before {limit:%Y-%m-%d} dropped")
    gone = partitions.delete_from_default(conn, ECG, limit, horizon.keep)
    report.add(ECG.default, gone, f"rows before {limit:%Y-%m-%d} deleted")


def _drop_chunks(conn: Connection, rules: Rules, horizon: Horizon, report: Report) -> None:
    """TimescaleDB's own procedures, called by us: its scheduler is not relied upon."""
    limit = horizon.past - rules.ecg
    if any(_one(conn, _SQL["hyper_holds_log"], limit=limit, shard=s, keep=p) for s, p in horizon.keep.items()):
        report.add(ECG.whole, 1, "waveform over the limit is still part of the log: kept", is_undone=True)
    else:
        report.add(ECG.whole, _one(conn, _SQL["drop_chunks"], limit=limit), "chunks over the limit dropped")
    for table in (ECG, READING):
        older = horizon.past - rules.uncompressed
        count = _one(conn, _SQL["compress_chunks"], table=table.whole, limit=older)
        report.add(table.whole, count, f"chunks before {older:%Y-%m-%d} are compressed")


def _delete(conn: Connection, rules: Rules, horizon: Horizon, report: Report) -> None:
    limit = horizon.past - rules.ecg
    for shard, keep in horizon.keep.items():
        values = {"shard": shard, "keep": keep, "limit": limit}
        report.add("stream.batch", _some(conn, "delete_batches", values), "ticks over the limit deleted")
        report.add("stream.other", _some(conn, "delete_other", values), "equipment's rows over the limit deleted")
    oldest = {"keep": min(horizon.keep.values(), default=0), "limit": limit}
    report.add("stream.inbox", _some(conn, "delete_inbox", oldest), "commands over the limit deleted, the log has them")
    starts = conn.execute(_SQL["delete_starts"], {"limit": limit}).rowcount
    report.add("stream.start", starts, "starts over the limit deleted")
    minutes = _some(conn, "delete_rates", {"limit": horizon.past - rules.rates})
    report.add("stream.rate", minutes, "minutes over the limit deleted")
    late = {"limit": horizon.past - rules.quarantine}
    report.add(
        "stream.quarantine",
        _some(conn, "delete_quarantine", late),
        f"not seen for {rules.quarantine.days} days: deleted",
    )
    unread = _some(conn, "delete_unread", {"kept": rules.unread})
    report.add("stream.unread", unread, f"beyond the newest {rules.unread} of their kind: deleted")


def _some(conn: Connection, query: str, values: dict[str, Any]) -> int:
    """Delete in batches, so that nobody waits long and little is lost when we are stopped."""
    gone = 0
    while (some := conn.execute(_SQL[query], {**values, "most": partitions.ROWS_A_BATCH}).rowcount) > 0:
        gone += some
    return gone


def _one(conn: Connection, query: str | sql.SQL, **values: object) -> Any:
    row = conn.execute(query, values).fetchone()
    return None if row is None else row[0]
