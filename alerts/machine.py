"""The life cycle of an alert as one literal table: what may follow on what. The table is the design.

Facts (what the condition does, what time does) are legal in every state, for a fact cannot be refused; only what
people ask for can be. Must never hold a clock, a tier or a database.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from alerts.alert import State

if TYPE_CHECKING:
    from collections.abc import Mapping


class Signal(StrEnum):
    """What moves an alert."""

    PRESENT = "present"
    """A finding says: it holds (still, or again)."""
    WORSENED = "worsened"
    """It deserves a higher tier than it has."""
    CLEARED = "cleared"
    """All its episodes are over; somebody must have seen it."""
    FADED = "faded"
    """All its episodes are over; nobody needs to see it (tips, most technical alerts)."""
    WITHDRAWN = "withdrawn"
    """All its episodes were another person's."""
    ACK_EXPIRED = "ack_expired"
    """An acknowledgement ran out."""
    ENDED = "ended"
    """The patient is no longer monitored."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has seen it and looks after it for a while."""
    ACCEPTED = "accepted"
    """Somebody says "I have it"."""
    CLOSED = "closed"
    """Somebody closes it, with an outcome."""
    REJECTED = "rejected"
    """Somebody says "not me": it stays as it is, and the next rung is due at once."""
    RETURNED = "returned"
    """Whoever looks after it, or has it, says "not me" after all: nobody has it, and the ladder starts again at once."""
    WELL = "well"
    """The patient, who was asked, says "I am all right": a doctor's alert, no longer an emergency."""
    HELP = "help"
    """The patient says "I need help": an emergency now, whatever it was."""
    SNOOZED = "snoozed"
    """Somebody who may asks not to hear of it for a bounded while: it answers nothing."""
    PAUSED = "paused"
    """The silence that it is about was planned: nobody is told before it ends."""
    UNMUTED = "unmuted"
    """A snooze or a planned pause is over, and it is still so: the ladder begins."""
    SPOKEN = "spoken"
    """The patient says how they are where that changes nothing: written down and passed on."""


FACTS = frozenset(
    {
        Signal.PRESENT,
        Signal.WORSENED,
        Signal.CLEARED,
        Signal.FADED,
        Signal.WITHDRAWN,
        Signal.ACK_EXPIRED,
        Signal.ENDED,
        Signal.PAUSED,
        Signal.UNMUTED,
    }
)
"""Signals that nobody can refuse."""

TRANSITIONS: Mapping[tuple[State, Signal], State] = {
    # Present and unanswered: the ladder runs. Only a person or the end of the condition moves it.
    (State.SOUNDING, Signal.PRESENT): State.SOUNDING,
    (State.SOUNDING, Signal.WORSENED): State.SOUNDING,
    (State.SOUNDING, Signal.CLEARED): State.LATCHED,  # gone, but nobody has seen it
    (State.SOUNDING, Signal.FADED): State.CLOSED,
    (State.SOUNDING, Signal.WITHDRAWN): State.CLOSED,
    (State.SOUNDING, Signal.ACK_EXPIRED): State.SOUNDING,
    (State.SOUNDING, Signal.ENDED): State.CLOSED,
    (State.SOUNDING, Signal.ACKNOWLEDGED): State.HELD,
    (State.SOUNDING, Signal.ACCEPTED): State.TAKEN,
    (State.SOUNDING, Signal.CLOSED): State.CLOSED,
    (State.SOUNDING, Signal.REJECTED): State.SOUNDING,
    (State.SOUNDING, Signal.WELL): State.SOUNDING,
    (State.SOUNDING, Signal.HELP): State.SOUNDING,
    (State.SOUNDING, Signal.SPOKEN): State.SOUNDING,
    (State.SOUNDING, Signal.SNOOZED): State.SOUNDING,
    (State.SOUNDING, Signal.PAUSED): State.SOUNDING,
    (State.SOUNDING, Signal.UNMUTED): State.SOUNDING,
    # Present, acknowledged for a while: the ladder waits, and starts again when that runs out.
    (State.HELD, Signal.PRESENT): State.HELD,
    (State.HELD, Signal.WORSENED): State.SOUNDING,  # what was acknowledged was less
    (State.HELD, Signal.CLEARED): State.SEEN,
    (State.HELD, Signal.FADED): State.CLOSED,
    (State.HELD, Signal.WITHDRAWN): State.CLOSED,
    (State.HELD, Signal.ACK_EXPIRED): State.SOUNDING,  # next cycle
    (State.HELD, Signal.ENDED): State.CLOSED,
    (State.HELD, Signal.ACKNOWLEDGED): State.HELD,  # for a while more
    (State.HELD, Signal.ACCEPTED): State.TAKEN,
    (State.HELD, Signal.CLOSED): State.CLOSED,
    (State.HELD, Signal.REJECTED): State.HELD,
    (State.HELD, Signal.RETURNED): State.SOUNDING,
    (State.HELD, Signal.WELL): State.SOUNDING,  # the doctor hears of the answer
    (State.HELD, Signal.HELP): State.SOUNDING,
    (State.HELD, Signal.SPOKEN): State.HELD,
    (State.HELD, Signal.SNOOZED): State.HELD,
    (State.HELD, Signal.PAUSED): State.HELD,
    (State.HELD, Signal.UNMUTED): State.HELD,
    # Present, and somebody has it: no ladder, until it gets worse.
    (State.TAKEN, Signal.PRESENT): State.TAKEN,
    (State.TAKEN, Signal.WORSENED): State.SOUNDING,
    (State.TAKEN, Signal.CLEARED): State.SETTLED,
    (State.TAKEN, Signal.FADED): State.CLOSED,
    (State.TAKEN, Signal.WITHDRAWN): State.CLOSED,
    (State.TAKEN, Signal.ACK_EXPIRED): State.TAKEN,
    (State.TAKEN, Signal.ENDED): State.CLOSED,
    (State.TAKEN, Signal.CLOSED): State.CLOSED,
    (State.TAKEN, Signal.RETURNED): State.SOUNDING,
    (State.TAKEN, Signal.HELP): State.SOUNDING,  # whoever has it is not there yet
    (State.TAKEN, Signal.SPOKEN): State.TAKEN,
    (State.TAKEN, Signal.PAUSED): State.TAKEN,
    (State.TAKEN, Signal.UNMUTED): State.TAKEN,
    # Gone, and nobody has seen it: the ladder goes on.
    (State.LATCHED, Signal.PRESENT): State.SOUNDING,  # it is back
    (State.LATCHED, Signal.WORSENED): State.LATCHED,  # unanswered for too long, or it was worse than thought
    (State.LATCHED, Signal.CLEARED): State.LATCHED,
    (State.LATCHED, Signal.FADED): State.LATCHED,  # what once latched is not let go unseen
    (State.LATCHED, Signal.WITHDRAWN): State.CLOSED,
    (State.LATCHED, Signal.ACK_EXPIRED): State.LATCHED,
    (State.LATCHED, Signal.ENDED): State.CLOSED,
    (State.LATCHED, Signal.ACKNOWLEDGED): State.SEEN,
    (State.LATCHED, Signal.ACCEPTED): State.SETTLED,
    (State.LATCHED, Signal.CLOSED): State.CLOSED,
    (State.LATCHED, Signal.REJECTED): State.LATCHED,
    (State.LATCHED, Signal.WELL): State.LATCHED,
    (State.LATCHED, Signal.HELP): State.LATCHED,
    (State.LATCHED, Signal.SPOKEN): State.LATCHED,
    (State.LATCHED, Signal.SNOOZED): State.LATCHED,
    (State.LATCHED, Signal.PAUSED): State.LATCHED,
    (State.LATCHED, Signal.UNMUTED): State.LATCHED,
    # Gone, acknowledged for a while: open until somebody takes it or says how it ended.
    (State.SEEN, Signal.PRESENT): State.SOUNDING,  # what was seen was its end
    (State.SEEN, Signal.WORSENED): State.LATCHED,
    (State.SEEN, Signal.CLEARED): State.SEEN,
    (State.SEEN, Signal.FADED): State.SEEN,
    (State.SEEN, Signal.WITHDRAWN): State.CLOSED,
    (State.SEEN, Signal.ACK_EXPIRED): State.LATCHED,
    (State.SEEN, Signal.ENDED): State.CLOSED,
    (State.SEEN, Signal.ACKNOWLEDGED): State.SEEN,
    (State.SEEN, Signal.ACCEPTED): State.SETTLED,
    (State.SEEN, Signal.CLOSED): State.CLOSED,
    (State.SEEN, Signal.REJECTED): State.SEEN,
    (State.SEEN, Signal.RETURNED): State.LATCHED,
    (State.SEEN, Signal.WELL): State.LATCHED,
    (State.SEEN, Signal.HELP): State.LATCHED,
    (State.SEEN, Signal.SPOKEN): State.SEEN,
    (State.SEEN, Signal.SNOOZED): State.SEEN,
    (State.SEEN, Signal.PAUSED): State.SEEN,
    (State.SEEN, Signal.UNMUTED): State.SEEN,
    # Gone, and somebody has it: waits for its outcome. If it comes back they still have it, and are told.
    (State.SETTLED, Signal.PRESENT): State.TAKEN,
    (State.SETTLED, Signal.WORSENED): State.LATCHED,
    (State.SETTLED, Signal.CLEARED): State.SETTLED,
    (State.SETTLED, Signal.FADED): State.SETTLED,
    (State.SETTLED, Signal.WITHDRAWN): State.CLOSED,
    (State.SETTLED, Signal.ACK_EXPIRED): State.SETTLED,
    (State.SETTLED, Signal.ENDED): State.CLOSED,
    (State.SETTLED, Signal.CLOSED): State.CLOSED,
    (State.SETTLED, Signal.RETURNED): State.LATCHED,
    (State.SETTLED, Signal.HELP): State.LATCHED,
    (State.SETTLED, Signal.SPOKEN): State.SETTLED,
    (State.SETTLED, Signal.PAUSED): State.SETTLED,
    (State.SETTLED, Signal.UNMUTED): State.SETTLED,
    # Closed: facts about its episodes are written down; only a worse one opens it again.
    (State.CLOSED, Signal.PRESENT): State.CLOSED,
    (State.CLOSED, Signal.WORSENED): State.SOUNDING,
    (State.CLOSED, Signal.CLEARED): State.CLOSED,
    (State.CLOSED, Signal.FADED): State.CLOSED,
    (State.CLOSED, Signal.WITHDRAWN): State.CLOSED,
    (State.CLOSED, Signal.ACK_EXPIRED): State.CLOSED,
    (State.CLOSED, Signal.ENDED): State.CLOSED,
    (State.CLOSED, Signal.PAUSED): State.CLOSED,
    (State.CLOSED, Signal.UNMUTED): State.CLOSED,
    (
        State.CLOSED,
        Signal.HELP,
    ): State.LATCHED,  # a cry for help is never too late; whether it is present, the next finding says
}


class IllegalMove(ValueError):
    """What was asked for is not possible in the alert's state."""

    def __init__(self, state: State, signal: Signal) -> None:
        """Name both."""
        self.state = state
        self.signal = signal
        super().__init__(f"an alert that is {state} cannot be {signal}")


def move(state: State, signal: Signal) -> State:
    """Where a signal leads.

    Raises:
        IllegalMove: the table has no such pair; both are named.
    """
    try:
        return TRANSITIONS[state, signal]
    except KeyError:
        raise IllegalMove(state, signal) from None


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs; moves that change nothing are left out."""
    moves: dict[tuple[State, State], list[str]] = {}
    for (state, signal), target in TRANSITIONS.items():
        if state is not target:
            moves.setdefault((state, target), []).append(signal.value)
    lines = ["stateDiagram-v2", "    [*] --> sounding: raised", "    [*] --> latched: raised when over"]
    lines += [f"    {state} --> {target}: {', '.join(signals)}" for (state, target), signals in moves.items()]
    return "\n".join(lines) + "\n"
