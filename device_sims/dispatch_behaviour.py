"""The ways in which a dispatch centre answers: for its server, the settings and the command line. Nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class Behaviour(StrEnum):
    """How the centre answers."""

    ACCEPT = "accept"
    """Verifies, shows, and accepts the alert by a signed callback."""
    COME = "come"
    """Accepts, says that an ambulance is on the way, and when it has arrived."""
    RECEIVE = "receive"
    """Verifies and shows; nobody accepts."""
    REJECT = "reject"
    """Verifies and shows, and rejects the alert by a signed callback: not our district."""
    SLOW = "slow"
    """Takes longer to answer than any sender waits."""
    FAIL = "fail"
    """Answers 500."""
    REDIRECT = "redirect"
    """Answers 307 to another address: no sender may follow with a patient's record."""
    DOWN = "down"
    """Does not listen."""
