"""T4: findings become alerts, each exactly once; and the comparison of all open episodes with all open alerts.

A shell: it gathers, asks `reaction`, saves. Must never skip a finding in silence: one that cannot be read is written
down, raises an alert of its own, and its episode is taken from the level instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec
import psycopg
import structlog
from psycopg.rows import dict_row

from alerts import plans, reaction, register
from alerts.alert import Found, Occurrence, StationCondition
from alerts.faults import where
from alerts.policy import LONGEST_PAIR
from alerts.register import Place
from stream.finding import NAMESPACE, FindingKind, SubjectKind
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from alerts.register import Connection

SQL = queries(Path(__file__).with_name("listening.sql"))
WHOLE_POSITION = 2**31 - 1
"""`ord` of a cursor that has read its position to the end."""
_LOG: Any = structlog.get_logger(__name__)


def hear(conn: Connection, now: datetime, *, shard: int = 0, at_most: int = 50) -> int:
    """T4: the findings after the cursor, in the order of the log, up to what is judged for good; returns how many.

    One transaction for all of them; where one of them fails, one transaction for each.
    """
    try:
        with conn.transaction():
            return _hear(conn, now, shard, at_most)
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise  # the database went: nothing was taken in, all will be
    except Exception as error:  # noqa: BLE001 - one bad finding must not keep the others from people
        _LOG.error("findings_one_by_one", **where(error))
    return _hear_singly(conn, now, shard)


def _hear(conn: Connection, now: datetime, shard: int, at_most: int) -> int:
    found = _after_cursor(conn, shard, at_most)
    if found is None:
        return 0
    rows, up_to, start = found
    for row in rows:
        taken(conn, msgspec.msgpack.decode(row["body"], type=Occurrence), now, _place(row))
    end = (rows[-1]["position"], rows[-1]["ord"]) if len(rows) == at_most else (up_to, WHOLE_POSITION)
    if end > start:
        conn.execute(SQL["save_cursor"], {"shard": shard, "position": end[0], "ord": end[1]})
    return len(rows)


def _hear_singly(conn: Connection, now: datetime, shard: int) -> int:
    done = 0
    while True:
        try:
            with conn.transaction():
                heard = _hear(conn, now, shard, 1)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - the same
            heard = _written_off(conn, now, shard, error)
        if not heard:
            return done
        done += heard


def _written_off(conn: Connection, now: datetime, shard: int, error: Exception) -> int:
    """Write down a finding that cannot be taken in, say so, and take its episode from the level."""
    with conn.transaction():
        found = _after_cursor(conn, shard, 1)
        if found is None or not found[0]:
            return 0
        row = found[0][0]
        why = f"{type(error).__name__}: {error}"[:500]
        place = {"shard": row["shard"], "position": row["position"], "ord": row["ord"]}
        conn.execute(SQL["save_unreadable"], {**place, "episode": row["episode"], "why": why, "now": now})
        conn.execute(SQL["save_cursor"], place)
        _try(conn, lambda: taken(conn, _unreadable(row, type(error).__name__, now), now), row)
    _LOG.error("finding_unreadable", position=row["position"], ord=row["ord"], **where(error))
    _try(conn, lambda: _take_level(conn, [row["episode"]], row["position"], now), row)
    return 1


def _try(conn: Connection, work: Callable[[], object], row: dict[str, Any]) -> None:
    """Do it whole or not at all, and go on: the finding is written down, and the comparison will try again."""
    try:
        with conn.transaction():
            work()
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - said in the log; the others must not wait for it
        _LOG.error("finding_untaken", position=row["position"], ord=row["ord"], **where(error))


def _unreadable(row: dict[str, Any], why: str, now: datetime) -> Occurrence:
    return Occurrence(
        subject="station",  # not the patient: it may be what we hold of that one that cannot be read
        subject_kind=SubjectKind.COMPONENT,
        condition=StationCondition.FINDING_UNREADABLE,
        kind=FindingKind.TECHNICAL,
        episode=uuid5(NAMESPACE, f"unreadable|{row['shard']}|{row['position']}|{row['ord']}"),
        revision=1,
        present=True,
        onset=now,
        evidence={"reason": why} | {name: row[name] for name in ("subject", "condition", "position", "ord")},
    )


def _after_cursor(
    conn: Connection, shard: int, at_most: int
) -> tuple[list[dict[str, Any]], int, tuple[int, int]] | None:
    cursor = _rows(conn).execute(SQL["lock_cursor"], {"shard": shard}).fetchone()
    judged = _rows(conn).execute(SQL["judged_position"], {"shard": shard}).fetchone()
    if cursor is None or judged is None or judged["judged"] is None:
        return None  # another station is at it
    after = {"shard": shard, "position": cursor["position"], "ord": cursor["ord"]}
    rows = _rows(conn).execute(SQL["findings"], {**after, "up_to": judged["judged"], "at_most": at_most}).fetchall()
    return rows, judged["judged"], (cursor["position"], cursor["ord"])


def taken(conn: Connection, found: Found, now: datetime, place: Place | None = None) -> bool:
    """Make of one occurrence what it means to people; False where it says nothing new. Within a transaction."""
    register.lock(conn, found.subject)
    situation = register.situation(conn, found.subject, episode=found.episode, since=found.onset - LONGEST_PAIR)
    if (stray := reaction.after_end(situation, found)) is not None:
        return taken(conn, stray, now)
    plan = plans.current(conn, found.subject)
    changes = reaction.heard(situation, found, plan, now)
    register.save(conn, changes, place)
    for missing in reaction.unreachable(changes):
        taken(conn, missing, now)
    return bool(changes)


def reconcile(conn: Connection, now: datetime, *, shard: int = 0) -> int:
    """Compare every open episode with what alerts believe, up to the cursor; returns how many had been lost.

    None is, as long as nothing is broken: this is what heals it when something was.
    """
    with conn.transaction():
        cursor = _rows(conn).execute(SQL["cursor"], {"shard": shard}).fetchone()
        if cursor is None:
            return 0
        up_to = cursor["position"] if cursor["ord"] == WHOLE_POSITION else cursor["position"] - 1
        followed = [row["episode"] for row in _rows(conn).execute(SQL["followed_episodes"]).fetchall()]
    healed = 0
    for episode in _behind(conn, followed, up_to):
        try:
            with conn.transaction():
                healed += _take_level(conn, [episode], up_to, now)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - said in the log; the others must not wait for it
            _LOG.error("level_untaken", episode=str(episode), **where(error))
    if healed:
        _LOG.warning("alerts_healed", count=healed)
    return healed


def _behind(conn: Connection, followed: Sequence[UUID], up_to: int) -> list[UUID]:
    levels = _rows(conn).execute(SQL["levels"], {"also": list(followed), "up_to": up_to}).fetchall()
    asked = {"episodes": [row["episode"] for row in levels]}
    known = {row["episode"]: row["revision"] for row in _rows(conn).execute(SQL["known_revisions"], asked).fetchall()}
    return [row["episode"] for row in levels if row["revision"] > known.get(row["episode"], 0)]


def _take_level(conn: Connection, episodes: list[UUID], up_to: int, now: datetime) -> int:
    healed = 0
    for row in _rows(conn).execute(SQL["levels"], {"also": episodes, "up_to": up_to}).fetchall():
        if row["episode"] in episodes:
            healed += taken(conn, msgspec.convert({**row, "end": row["ended"]}, Occurrence), now)
    return healed


def delivered_again(conn: Connection, channel: str, address: str, now: datetime) -> None:
    """A notice got through: an alert that said otherwise of this address is over."""
    subject = f"{channel}:{address}"
    for row in _rows(conn).execute(SQL["still_failing"], {"subject": subject}).fetchall():
        over = Occurrence(
            subject=subject,
            subject_kind=SubjectKind.COMPONENT,
            condition=row["condition"],
            kind=FindingKind.TECHNICAL,
            episode=row["episode"],
            revision=row["revision"] + 1,
            present=False,
            onset=row["onset"],
            end=now,
        )
        with conn.transaction():
            taken(conn, over, now)


def _place(row: dict[str, Any]) -> Place:
    return Place(shard=row["shard"], position=row["position"], ord=row["ord"])


def _rows(conn: Connection) -> psycopg.Cursor[dict[str, Any]]:
    cursor: psycopg.Cursor[dict[str, Any]] = conn.cursor(row_factory=dict_row)
    return cursor
