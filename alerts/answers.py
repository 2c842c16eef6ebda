"""What people say to an alert: each one transaction, each once, however often sent.

The API and the command line run alerts' own transitions through here, the subject locked. Decides nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from alerts import countdown, course, listening, reaction, register, snooze
from alerts.alert import Alert, AlertId, Change, Outcome, State
from alerts.ladder import Role
from alerts.machine import IllegalMove

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alerts.ladder import Addressee
    from alerts.register import Connection


class Verb(StrEnum):
    """What somebody can do to an alert."""

    ACKNOWLEDGE = "acknowledge"
    """"I have seen it and look after it for a while"."""
    ACCEPT = "accept"
    """"I have it"."""
    REJECT = "reject"
    """"Not me": the next rung at once."""
    CLOSE = "close"
    """It is over, with an outcome."""
    WELL = "well"
    """The patient: "I am all right"."""
    HELP = "help"
    """The patient: "I need help"."""
    SNOOZE = "snooze"
    """"Not now": for a bounded while nobody is told, unless it gets worse."""


OF_THE_WEARER = frozenset({Verb.WELL, Verb.HELP})


class NoSuchAlert(LookupError):
    """There is no alert of this id."""


class Conflict(Exception):
    """The alert's state does not allow it; the message says who has it, or how it was closed."""

    def __init__(self, alert: Alert, verb: Verb) -> None:
        """Name the person where there is one."""
        self.alert = alert
        self.verb = verb
        if alert.state.is_taken:
            said = f"taken by {alert.answered_by}"
        elif alert.state is State.CLOSED:
            said = f"closed ({alert.outcome}) by {alert.answered_by or 'the system'}"
        else:
            said = f"the alert is {alert.state}"
        super().__init__(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says, and under which key: the same key again changes nothing."""

    verb: Verb
    by_whom: str
    key: str
    outcome: Outcome = Outcome.RESOLVED
    note: str = ""
    minutes: float = 0.0
    """For how long, of a snooze."""
    role: Role | None = None
    """What they are to the patient; None: what the care team says of them, else the operator."""


def answer(conn: Connection, alert: UUID, said: Said, now: datetime) -> tuple[Alert, bool]:
    """Take an answer; returns the alert as it is now, and whether this changed it. The caller's transaction.

    Raises:
        NoSuchAlert: no such id.
        Conflict: not in its state; names who has it.
        NotAsked: the patient's word about a technical alert.
        SnoozeRefused: beyond what its tier allows.
    """
    subject = register.subject_of(conn, alert)
    if subject is None:
        raise NoSuchAlert(f"there is no alert {alert}")
    register.lock(conn, subject)
    situation = register.situation(conn, subject, alert=alert)
    key = AlertId(alert)
    known = situation.alerts[key]
    cause = f"answer:{said.verb}:{said.key}"
    is_mine = said.verb is Verb.ACCEPT and known.state.is_taken and known.answered_by == said.by_whom
    if is_mine or register.has_cause(conn, alert, cause):
        return known, False

    said_so = partial(_taken, said=said, cause=cause, now=now)
    take = reaction.wearer_answered if said.verb in OF_THE_WEARER else reaction.answered
    try:
        changes = take(situation, key, said_so, now)
    except IllegalMove as error:
        raise Conflict(known, said.verb) from error
    register.save(conn, changes)
    for missing in reaction.unreachable(changes):
        listening.taken(conn, missing, now)
    return next((change.alert for change in changes if change.alert.alert == key), changes[0].alert), True


def _taken(  # noqa: PLR0911 - a table of verbs
    alert: Alert, told: tuple[Addressee, ...], *, said: Said, cause: str, now: datetime
) -> Change:
    match said.verb:
        case Verb.ACKNOWLEDGE:
            return course.acknowledged(alert, now, said.by_whom, cause)
        case Verb.ACCEPT:
            return course.accepted(alert, now, said.by_whom, cause)
        case Verb.REJECT:
            return course.rejected(alert, now, said.by_whom, cause, said.note)
        case Verb.CLOSE:
            return course.closed(alert, said.outcome, now, said.by_whom, cause, told, said.note)
        case Verb.WELL:
            return countdown.well(alert, now, said.by_whom, cause, told)
        case Verb.HELP:
            return countdown.wants_help(alert, now, said.by_whom, cause, told)
        case Verb.SNOOZE:
            return snooze.snoozed(alert, said.minutes, now, said.by_whom, said.role or _role(alert, said), cause)


def _role(alert: Alert, said: Said) -> Role:
    team = [one for ladder in alert.ladders.values() for rung in ladder.rungs for one in rung.to]
    return next((one.role for one in team if one.person == said.by_whom), Role.OPERATOR)
