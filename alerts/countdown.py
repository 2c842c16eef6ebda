"""What the patient's own word makes of an alert: "I am all right", "I need help". Pure.

Asked on the ladders of `urgency.ASKING`, answered at any time. Must never let an answer take back what dispatch was told:
that is for dispatch and the doctor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alerts.alert import Alert, AlertId, Change, EventType, Outcome, Reason, Tier
from alerts.course import acknowledged, begun, entered, updated
from alerts.ladder import LadderName
from alerts.machine import IllegalMove, Signal, move
from alerts.plan import TIER_OF_LADDER
from alerts.policy import Verdict
from alerts.urgency import after_well
from stream.finding import FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from alerts.ladder import Addressee


class NotAsked(ValueError):
    """It is no alert of the body: whether the patient is all right answers nothing. Acknowledge it instead."""


def well(alert: Alert, now: datetime, by_whom: str, cause: str, told: Sequence[Addressee] = ()) -> Change:
    """The patient says "I am all right": no emergency any more where they were asked; written down in any case.

    Raises:
        IllegalMove: it is closed.
        NotAsked: it is technical.
    """
    _body(alert)
    ladder = after_well(alert.ladder, alert.condition)
    if ladder is None or alert.state.is_taken or not alert.is_open:
        return _spoken(alert, now, by_whom, cause, told, Signal.WELL)
    if ladder is alert.ladder:
        return acknowledged(alert, now, by_whom, cause)
    before = alert.state
    verdict = Verdict(
        tier=TIER_OF_LADDER[ladder], ladder=ladder, reason=Reason.PATIENT_WELL, latches=True, past=alert.past
    )
    lowered = replace(begun(replace(alert, state=move(before, Signal.WELL)), verdict, now), well_at=now)
    detail: dict[str, float | int | str] = {"tier": lowered.tier, "was": alert.tier}
    lowered, entry = entered(lowered, before, cause=cause, what=Signal.WELL, now=now, by_whom=by_whom, detail=detail)
    change = Change(alert=lowered, entries=(entry,), moot=(EventType.RAISED,))
    first = lowered.running.rungs[0].to if lowered.running.rungs else ()
    others = [one for one in told if one not in first]
    return updated(change, now, others, cause=f"update:{cause}", why="the patient answers: I am all right")


def wants_help(alert: Alert, now: datetime, by_whom: str, cause: str, told: Sequence[Addressee] = ()) -> Change:
    """The patient says "I need help": dispatch at once, whatever the alert was and whoever had it.

    Raises:
        NotAsked: it is technical.
        IllegalMove: the patient is no longer monitored.
    """
    _body(alert)
    if alert.is_open and alert.ladder is LadderName.EMERGENCY:  # dispatch has been told already
        return _spoken(alert, now, by_whom, cause, told, Signal.HELP)
    before = alert.state
    if alert.outcome is Outcome.ENDED:
        raise IllegalMove(before, Signal.HELP)  # nobody watches any more: the page says whom to call
    verdict = Verdict(
        tier=Tier.EMERGENCY, ladder=LadderName.EMERGENCY, reason=Reason.PATIENT_ASKS, latches=True, past=False
    )
    raised = begun(replace(alert, state=move(before, Signal.HELP)), verdict, now)
    detail: dict[str, float | int | str] = {"tier": raised.tier, "was": alert.tier}
    raised, entry = entered(raised, before, cause=cause, what=Signal.HELP, now=now, by_whom=by_whom, detail=detail)
    return Change(alert=raised, entries=(entry,), moot=(EventType.RAISED,))


def _body(alert: Alert) -> None:
    if alert.kind is FindingKind.TECHNICAL:
        raise NotAsked(f"{alert.condition} is about the equipment: acknowledge it instead")


def _spoken(alert: Alert, now: datetime, by_whom: str, cause: str, told: Sequence[Addressee], says: Signal) -> Change:
    said = replace(alert, state=move(alert.state, Signal.SPOKEN))
    said, entry = entered(
        said, alert.state, cause=cause, what=Signal.SPOKEN, now=now, by_whom=by_whom, detail={"says": says}
    )
    why = "the patient answers: I am all right" if says is Signal.WELL else "the patient asks for help"
    return updated(Change(alert=said, entries=(entry,)), now, told, cause=f"update:{cause}", why=why)


def asked_with(alert: Alert, others: Iterable[Alert]) -> tuple[AlertId, ...]:
    """The alerts that one answer is for: a patient is asked once, whatever there is to ask about."""
    same = [
        one.alert
        for one in others
        if one.alert != alert.alert and one.is_open and not one.state.is_taken and one.ladder is LadderName.COUNTDOWN
    ]
    is_one_question = alert.is_open and alert.ladder is LadderName.COUNTDOWN
    return (alert.alert, *sorted(same)) if is_one_question else (alert.alert,)


def meant(alert: Alert, others: Mapping[AlertId, Alert]) -> AlertId:
    """Which alert a patient's word is for: one that is open now of the same condition, if theirs is closed."""
    if alert.is_open:
        return alert.alert
    return next((one.alert for one in others.values() if one.is_open and one.condition == alert.condition), alert.alert)


def one_question(alert: Alert, others: Iterable[Alert]) -> Alert:
    """An alert whose countdown begins, in the light of what the patient has been asked already.

    Who is being asked is not given more time; while dispatch is called for something else, nobody is asked any more.
    """
    if alert.ladder is not LadderName.COUNTDOWN or alert.inhibited_by is not None:
        return alert  # a louder one speaks: nothing begins
    same = [one for one in others if one.alert != alert.alert and one.subject == alert.subject and one.is_open]
    if any(one.ladder is LadderName.EMERGENCY and one.state.is_unanswered for one in same):
        return replace(alert, ladder=LadderName.EMERGENCY)
    asked_from = [one.unanswered_from for one in same if one.ladder is LadderName.COUNTDOWN and not one.state.is_taken]
    return replace(alert, unanswered_from=min([alert.unanswered_from, *asked_from]))
