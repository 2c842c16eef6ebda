"""A station on a simulated clock over the real database, fed with findings as the stream writes them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from alerts import listening, sending
from alerts.delivery.outcome import Delivered, Message, Outcome
from alerts.ladder import Addressee, Role
from alerts.reachability import Means
from alerts.record import no_strip
from alerts.sealing import Seal
from alerts.settings import AlertsSettings
from alerts.station import Station, escalate
from stream.finding import Condition, Finding, FindingKind, SubjectKind, episode_id
from stream.statement import TECHNICAL

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.record import RecordSource, StripSource

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Anything(dict[Any, Any]):
    """Any way to anybody, tried a moment ago."""

    def __contains__(self, way: object) -> bool:
        return True

    def __missing__(self, way: object) -> datetime:
        return START


ALL_TRIED = Means(addresses={"webhook": None, "log": None}, tried=Anything())
"""Whatever a plan names was tried: for tests of other things."""
TEAM = tuple(
    Addressee(person=role.value, channel="webhook", address=role.value, role=role)
    for role in (Role.DISPATCH, Role.DOCTOR, Role.PRACTICE, Role.PATIENT, Role.OPERATOR)
)
"""A care team of webhooks."""


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Recorder:
    """A channel that keeps what it was given and answers as it is told."""

    answers: list[Outcome] = field(default_factory=list)
    """Used up in order; then everything is delivered."""
    got: list[Message] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, message: Message) -> Outcome:
        with self.lock:
            self.got.append(message)
            return self.answers.pop(0) if self.answers else Delivered("kept")


def finding(
    condition: Condition,
    *,
    subject: str = "ada",
    present: bool = True,
    revision: int = 1,
    opened: str = "s|1",
    late: bool = False,
    withdrawn: str | None = None,
    at: datetime = START,
    subject_kind: SubjectKind = SubjectKind.PATIENT,
) -> Finding:
    """A finding as the Ward states it."""
    return Finding(
        subject=subject,
        subject_kind=subject_kind,
        condition=condition,
        kind=FindingKind.TECHNICAL if condition in TECHNICAL else FindingKind.PHYSIOLOGICAL,
        episode=episode_id(subject, condition, "ecg/I", opened),
        revision=revision,
        present=present,
        opened=opened,
        onset=at,
        at=at,
        end=None if present else at,
        late=late,
        withdrawn=withdrawn,
        evidence={"device": "h10", "stream": "ecg/I", "rate_bpm": 250.0},
    )


class Stream:
    """Writes findings into the tables of the stream as T2 does, one position each."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.position = 0

    def says(self, *findings: Finding, body: bytes | None = None, with_rows: bool = True) -> None:
        self.position += 1
        with psycopg.connect(self.dsn) as conn:
            conn.execute(
                "INSERT INTO stream.batch (shard, position, tick_at, rows) VALUES (0, %s, %s, 0)",
                (self.position, START),
            )
            for ord_, one in enumerate(findings):
                if with_rows:
                    conn.execute(
                        "INSERT INTO stream.finding (shard, position, ord, episode, revision, subject, condition, body)"
                        " VALUES (0, %s, %s, %s, %s, %s, %s, %s)",
                        (self.position, ord_, one.episode, one.revision, one.subject, one.condition.value,
                         body or msgspec.msgpack.encode(one)),
                    )  # fmt: skip
                conn.execute(
                    "INSERT INTO stream.episode VALUES (%s, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (episode) DO UPDATE SET present = EXCLUDED.present, late = EXCLUDED.late,"
                    " revision = EXCLUDED.revision, position = EXCLUDED.position, ended = EXCLUDED.ended,"
                    " withdrawn = EXCLUDED.withdrawn WHERE EXCLUDED.revision > stream.episode.revision",
                    (one.episode, one.subject, one.subject_kind.value, one.condition.value, one.kind.value, one.opened,
                     one.onset, one.end, one.present, one.late, one.withdrawn, one.revision, self.position,
                     one.confidence, Jsonb(one.evidence)),
                )  # fmt: skip
            conn.execute("UPDATE stream.cursor SET judged_position = %s", (self.position,))


class Desk:
    """One station taken step by step, and what can be read of its work."""

    def __init__(
        self,
        dsn: str,
        clock: HandClock,
        keys: Path,
        channels: dict[str, Any],
        records: RecordSource,
        strips: StripSource = no_strip,
    ) -> None:
        self.dsn = dsn
        self.clock = clock
        self.settings = AlertsSettings(workers=4)
        self.station = Station(self.settings, dsn, records, channels, clock, Seal(keys), strips)
        self.station._pool.open()
        self.conn = psycopg.connect(dsn, autocommit=True)

    def hear(self) -> int:
        return listening.hear(self.conn, self.clock.now())

    def escalate(self) -> int:
        return escalate(self.conn, self.clock.now())

    def claim(self, limit: int = 10) -> list[sending.Claimed]:
        return sending.claim(self.conn, self.clock.now(), limit=limit, lease_s=30)

    def work(self) -> None:
        """Everything that is due now, to the end."""
        while self.hear() or self.escalate() or self._send_all():
            pass

    def _send_all(self) -> int:
        claimed = self.claim()
        for one in claimed:
            self.station.send(one)
        return len(claimed)

    def close(self) -> None:
        self.conn.close()
        self.station.close()

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as conn:
            return conn.execute(query, parameters).fetchall()

    def alerts(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM alerts.alert ORDER BY raised_at, condition")

    def notices(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM alerts.notice ORDER BY first_due_at, made_at, person")


def later(found: Finding, **changes: Any) -> Finding:
    """The next revision of a finding."""
    return replace(found, revision=found.revision + 1, **changes)
