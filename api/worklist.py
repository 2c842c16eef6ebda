"""The morning's worklist: what needs a decision today and is not urgent. Pure.

An emergency that goes on is the console's, a tip the patient's. Must never leave out anything else that nobody has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from alerts.alert import State, StationCondition, Tier
from stream.finding import FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from uuid import UUID

SILENT = timedelta(hours=24)
"""Without data for so long, a patient is on the list, whatever their alerts say."""
_OVER = frozenset({State.LATCHED, State.SEEN, State.SETTLED})
_UNANSWERED = frozenset({State.SOUNDING, State.LATCHED})

Row = dict[str, Any]


class Group(StrEnum):
    """Why something is on the list, in the order of the page."""

    REVIEW = "review"
    """An emergency that is over, or was found in stored data: what happened, and how did it end."""
    ESCALATED = "escalated"
    """A tip that the patient did not answer."""
    DECIDE = "decide"
    """A doctor's alert that nobody has, or that you have."""
    SILENT = "silent"
    """No data for a day."""
    UNDELIVERED = "undelivered"
    """A message that was given up."""
    TECHNICAL = "technical"
    """Something about the equipment that waits for the practice: missed measurements, batteries."""


class Step(StrEnum):
    """What is to be done next."""

    DECIDE = "decide"
    """Look at it, and take it or close it."""
    FINISH = "finish"
    """You have it: say how it ended."""
    ASK = "ask"
    """Call the patient."""
    SEND = "send"
    """Send it again, or reach them otherwise."""
    MEND = "mend"
    """See to the device."""


_STEPS = {Group.ESCALATED: Step.ASK, Group.UNDELIVERED: Step.SEND, Group.TECHNICAL: Step.MEND}


def of_alerts(alerts: Iterable[Row], me: AbstractSet[str], escalated: AbstractSet[UUID]) -> list[Row]:
    """The list's part of the open alerts (rows of the board), for one person: {"group", "step", "alert": row, "notice"}.

    `me`: how alerts call the person; `escalated`: which alerts were tips that nobody answered.
    """
    found = []
    for row in alerts:
        mine = row["answered_by"] in me
        if row["inhibited_by"] is not None or not (mine or row["state"] in _UNANSWERED):
            continue
        group = _group(row, escalated)
        if group is None:
            continue
        step = Step.FINISH if mine else _STEPS.get(group, Step.DECIDE)
        notice = (row["evidence"] or {}).get("notice") if group is Group.UNDELIVERED else None
        found.append({"group": group, "step": step, "alert": row, "notice": notice})
    return found


def is_going_on(row: Row) -> bool:
    """An emergency that is not over: not of this list."""
    return bool(row["tier"] == Tier.EMERGENCY and row["state"] not in _OVER and row["kind"] != FindingKind.TECHNICAL)


def _group(row: Row, escalated: AbstractSet[UUID]) -> Group | None:
    if row["condition"] == StationCondition.DEAD_LETTER:
        return Group.UNDELIVERED
    if row["kind"] == FindingKind.TECHNICAL:
        return Group.TECHNICAL
    if row["tier"] == Tier.EMERGENCY:
        return Group.REVIEW if row["state"] in _OVER else None
    if row["tier"] == Tier.DOCTOR:
        if row["past"]:
            return Group.REVIEW
        return Group.ESCALATED if row["alert"] in escalated else Group.DECIDE
    return None  # a tip is the patient's to answer


def of_silence(last: Mapping[str, datetime | None], expected_not: AbstractSet[str], now: datetime) -> list[Row]:
    """Patients without data for a day, the longest first: {"group", "step", "patient", "since"}; since null: never any."""
    silent = {
        patient: at for patient, at in last.items() if patient not in expected_not and (at is None or now - at > SILENT)
    }
    longest = sorted(silent, key=lambda patient: (silent[patient] is not None, silent[patient] or now, patient))
    return [{"group": Group.SILENT, "step": Step.ASK, "patient": one, "since": silent[one]} for one in longest]
