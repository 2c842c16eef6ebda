"""All open alerts at one moment, as a page shows them: who has each, and what comes next if nobody answers. Read only.

Words come from the one catalogue. Must never leave an open alert out: what is shown to whom is the API's business.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from alerts import words_clinic, words_patient
from alerts.alert import Reason, State, Tier
from alerts.catalogue import CONDITIONS, REASONS
from alerts.ladder import LadderName
from alerts.words import LANGUAGES
from alerts.words_clinic import CLINIC
from alerts.words_patient import PATIENT
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from alerts.reading import Before
    from alerts.register import Connection

SQL = queries(Path(__file__).with_suffix(".sql"))
Row = dict[str, Any]

_SHOWN = (
    "alert", "subject", "subject_kind", "condition", "kind", "state",
    "tier", "past", "onset", "raised_at", "unanswered_from", "generation",
    "cycle", "acknowledged_until", "answered_by", "answered_at", "inhibited_by", "next_due_at",
    "asked_until", "well_at", "snoozed_until", "paused_until", "evidence", "episode_onset",
    "episode_end", "told", "persons", "response_kind", "response_at",
)  # fmt: skip


def open_alerts(conn: Connection) -> list[Row]:
    """Every open alert, the most urgent first, then the oldest."""
    rows = conn.cursor(row_factory=dict_row).execute(SQL["open_alerts"]).fetchall()
    return sorted((_shown(row) for row in rows), key=lambda row: (-Tier(row["tier"]).rank, row["raised_at"]))


def closed(conn: Connection, since: datetime, limit: int, before: Before | None = None) -> list[Row]:
    """What was closed since then, newest first, as it was when it was open, with its end; `before`: the page's before."""
    at, last = before or (None, None)
    asked = {"since": since, "limit": limit, "before_at": at, "before": last}
    rows = conn.cursor(row_factory=dict_row).execute(SQL["closed"], asked).fetchall()
    return [_shown(row) | {name: row[name] for name in ("outcome", "closed_at", "note")} for row in rows]


def escalated_tips(conn: Connection, alerts: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these alerts were tips that nobody answered."""
    return frozenset(row[0] for row in conn.execute(SQL["escalated_tips"], {"alerts": list(alerts)}).fetchall())


def tips_since(conn: Connection, patient: str, since: datetime, limit: int = 100) -> list[Row]:
    """A patient's own tips, newest first: those that are open, and those raised since; in plain words."""
    asked = {"patient": patient, "since": since, "limit": limit}
    rows = conn.cursor(row_factory=dict_row).execute(SQL["told_since"], asked).fetchall()
    return [row | _plain(row["condition"]) for row in rows]


def what(condition: str) -> dict[str, str]:
    """The words for a condition, in each language; of one that this version does not know its code."""
    return dict(CONDITIONS.get(condition, dict.fromkeys(LANGUAGES, condition)))


def _shown(row: Row) -> Row:
    shown: Row = {name: row.get(name) for name in _SHOWN}
    shown["next"] = _next_roles(row)
    shown["what"] = what(row["condition"])
    shown["why"] = dict(REASONS[Reason(row["reason"])])
    shown["do"] = CLINIC.get(row["condition"], words_clinic.UNKNOWN).steps()
    shown["doctor_at"] = _doctor_at(row)
    return shown | _plain(row["condition"])


def _plain(condition: str) -> Row:
    words = PATIENT.get(condition, words_patient.UNKNOWN)
    return {"plain": words.what, "plain_do": words.steps()}


def _doctor_at(row: Row) -> datetime | None:
    """When a tip that nobody answers is told to a doctor (`escalation`); None: it is none, or is not waiting."""
    wait_s = row["ladders"][row["ladder"]]["escalate_s"]
    if row["ladder"] != LadderName.TIP or row["state"] != State.SOUNDING or row["paused_until"] or wait_s is None:
        return None
    at: datetime = row["unanswered_from"] + timedelta(seconds=wait_s)
    return at


def _next_roles(row: Row) -> list[str]:
    """Who is told at the next step: the coming rung, or the first again once the ladder is through."""
    rungs = row["ladders"][row["ladder"]]["rungs"]
    if not rungs or row["next_due_at"] is None:
        return []
    coming = rungs[row["rung"]] if row["rung"] < len(rungs) else rungs[0]
    return sorted({to["role"] for to in coming["to"]})
