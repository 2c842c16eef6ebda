"""Who may do what: the one table. A route names the right that it needs; here stands who has it.

Whose matters somebody may look into is another question: `api.access` asks it of each patient. Must never depend on a request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from api.accounts import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping


class Right(StrEnum):
    """Something that may be done."""

    SEE = "see"
    """A patient's record, readings, ECG, alerts and plan."""
    ANSWER = "answer"
    """Commands on alerts."""
    TREAT = "treat"
    """Plans, limits, devices, assignments, pauses, the end of monitoring."""
    ENTER = "enter"
    """Write the roster, by hand or by import."""
    OWN = "own"
    """A patient's own page: their own readings, devices, tips, pauses."""
    SHARED = "shared"
    """What a patient lets their family see."""
    DISPATCH = "dispatch"
    """What an emergency gave the dispatch centre."""
    KEEP = "keep"
    """Keep it running: the ledger, quarantine, deliveries, channels, schedules. Nothing clinical."""
    BREAK_GLASS = "break_glass"
    """Open the record of somebody who is not theirs for an hour, with a reason."""
    ACCOUNTS = "accounts"
    """Add and remove accounts, change passwords."""
    AUDIT = "audit"
    """Read who looked at what."""


RIGHTS: Mapping[Kind, frozenset[Right]] = {
    Kind.PATIENT: frozenset({Right.OWN}),
    Kind.FAMILY: frozenset({Right.SHARED}),
    Kind.DOCTOR: frozenset(
        {Right.SEE, Right.ANSWER, Right.TREAT, Right.ENTER, Right.BREAK_GLASS}
    ),  # of their own panel
    Kind.NURSE: frozenset({Right.SEE, Right.ANSWER, Right.ENTER}),  # of everybody
    Kind.DISPATCHER: frozenset({Right.DISPATCH, Right.BREAK_GLASS}),
    Kind.ADMIN: frozenset({Right.KEEP, Right.ACCOUNTS, Right.AUDIT}),
}
"""What each kind of account may do."""

UNSCOPED = frozenset({Right.KEEP, Right.ACCOUNTS, Right.AUDIT, Right.BREAK_GLASS})
"""Rights that do not ask whose patient it is: the others are about the equipment and the house."""
OPENED: Mapping[Kind, frozenset[Right]] = {
    Kind.DOCTOR: frozenset({Right.SEE, Right.ANSWER}),
    Kind.DISPATCHER: frozenset({Right.SEE}),
}
"""What break-glass opens of one patient."""
