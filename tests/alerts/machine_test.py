"""The table of the life cycle: whole, and safe where it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.alert import State
from alerts.machine import FACTS, TRANSITIONS, IllegalMove, Signal, diagram, move


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("fact", sorted(FACTS))
def test_a_fact_is_legal_in_every_state(state: State, fact: Signal) -> None:
    move(state, fact)


# One row a rule: state, signal, where it leads; and what would go wrong in the field otherwise.
@pytest.mark.parametrize(
    ("state", "signal", "target"),
    [
        # A VF that went away before anybody looked would vanish from the console.
        (State.SOUNDING, Signal.CLEARED, State.LATCHED),
        # A tip whose condition went away would stay for ever.
        (State.SOUNDING, Signal.FADED, State.CLOSED),
        # Somebody acknowledges and forgets: the ladder must start again.
        (State.HELD, Signal.ACK_EXPIRED, State.SOUNDING),
        (State.SEEN, Signal.ACK_EXPIRED, State.LATCHED),
        # What was acknowledged was less than what it has become.
        (State.HELD, Signal.WORSENED, State.SOUNDING),
        (State.TAKEN, Signal.WORSENED, State.SOUNDING),
        # It comes back after its end was seen: that end was none.
        (State.SEEN, Signal.PRESENT, State.SOUNDING),
        (State.LATCHED, Signal.PRESENT, State.SOUNDING),
        # It comes back while somebody has it: they have it still, a second team need not be sent.
        (State.SETTLED, Signal.PRESENT, State.TAKEN),
        # Silence or an end of the condition must never let an unanswered one go.
        (State.LATCHED, Signal.CLEARED, State.LATCHED),
        (State.LATCHED, Signal.FADED, State.LATCHED),
        # Dispatch accepted and then cannot come: nobody is on the way, and nobody would look.
        (State.TAKEN, Signal.RETURNED, State.SOUNDING),
        (State.SETTLED, Signal.RETURNED, State.LATCHED),
        # Another person's reading: over, whatever the state.
        (State.TAKEN, Signal.WITHDRAWN, State.CLOSED),
        # Closed as a false alarm, and then it gets worse.
        (State.CLOSED, Signal.WORSENED, State.SOUNDING),
    ],
)
def test_rules(state: State, signal: Signal, target: State) -> None:
    assert move(state, signal) is target


@pytest.mark.parametrize(
    ("state", "signal"),
    [
        (State.TAKEN, Signal.ACCEPTED),  # two teams would set out
        (State.TAKEN, Signal.ACKNOWLEDGED),
        (State.TAKEN, Signal.REJECTED),
        (State.SOUNDING, Signal.RETURNED),  # there is nothing to give back
        (State.CLOSED, Signal.ACCEPTED),
        (State.CLOSED, Signal.CLOSED),
    ],
)
def test_an_illegal_pair_is_an_error_that_names_both(state: State, signal: Signal) -> None:
    with pytest.raises(IllegalMove, match=rf"{state}.*{signal}"):
        move(state, signal)


def test_no_fact_but_its_end_closes_an_alert_that_nobody_has_answered() -> None:
    may_close = {Signal.FADED, Signal.WITHDRAWN, Signal.ENDED}
    for (state, signal), target in TRANSITIONS.items():
        if state.is_unanswered and signal in FACTS and target is State.CLOSED:
            assert signal in may_close, (state, signal)


def test_the_diagram_shows_every_move() -> None:
    drawn = diagram()
    for (state, signal), target in TRANSITIONS.items():
        line = next((line for line in drawn.splitlines() if line.strip().startswith(f"{state} --> {target}:")), "")
        assert (state is target) or signal.value in line


def test_the_picture_in_the_docs_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "life_cycle.md"
    drawn = page.read_text(encoding="utf-8").partition("```mermaid\n")[2].partition("```")[0]
    assert drawn == diagram(), "write alerts.machine.diagram() into docs/life_cycle.md"
