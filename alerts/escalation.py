"""What time alone does to an alert: rungs, repeats, expired acknowledgements, unanswered ones that grow worse. Pure.

`due` gives every step that is due by now; taken late it gives the same ids as taken in time. Must never leave an open,
unanswered alert that nobody inhibits without a next step.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from alerts.alert import Alert, Change, EventType, Notice, Reason, notice_id
from alerts.course import again, begun, entered, unanswered_anew, voiced
from alerts.ladder import Addressee, LadderName, Role
from alerts.machine import Signal, move
from alerts.plan import TIER_OF_LADDER, told_at
from alerts.policy import Verdict
from alerts.urgency import ASKING, LOUD, URGENT

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

Reached = tuple[str, str]
"""(person, channel)."""

NOBODY: frozenset[Reached] = frozenset()
_MOST_STEPS = 100


class Step(StrEnum):
    """What time can do."""

    EXPIRY = "expiry"
    """An acknowledgement runs out."""
    ESCALATION = "escalation"
    """Nobody answered for too long."""
    RUNG = "rung"
    """The next people are told."""
    REPEAT = "repeat"
    """The ladder begins again."""
    UNMUTE = "unmute"
    """A snooze or a planned pause is over."""


_ORDER = (Step.EXPIRY, Step.ESCALATION, Step.UNMUTE, Step.RUNG, Step.REPEAT)


def next_step(alert: Alert) -> tuple[datetime, Step] | None:
    """The earliest step that time will take, and when; None for one that is closed, taken or inhibited."""
    if not alert.is_open or alert.inhibited_by is not None:
        return None
    steps: list[tuple[datetime, Step]] = []
    escalates_at = _escalates_at(alert)
    if escalates_at is not None:
        steps.append((escalates_at, Step.ESCALATION))
    if alert.state.is_acknowledged and alert.acknowledged_until is not None:
        steps.append((alert.acknowledged_until, Step.EXPIRY))
    elif alert.state.is_unanswered:
        muted = [until for until in (alert.snoozed_until, alert.paused_until) if until is not None]
        steps.append((max(muted), Step.UNMUTE) if muted else _telling(alert))
    return min(steps, key=lambda step: (step[0], _ORDER.index(step[1])), default=None)


def _telling(alert: Alert) -> tuple[datetime, Step]:
    """When the next people are told."""
    ladder = alert.running
    if alert.rung < len(ladder.rungs):
        after_s = 0.0 if alert.rung <= alert.hurried else ladder.rungs[alert.rung].after_s
        return _loud_at(alert, alert.cycle_from + timedelta(seconds=after_s)), Step.RUNG
    return alert.cycle_from + timedelta(seconds=ladder.repeat_s), Step.REPEAT


def _loud_at(alert: Alert, at: datetime) -> datetime:
    """When a rung that is due may be heard: quiet hours keep a tip that asks for nothing."""
    quiet = alert.running.quiet
    if quiet is None or alert.reason in LOUD:
        return at
    return quiet.ends_after(at) or at


def _escalates_at(alert: Alert) -> datetime | None:
    """When nobody's answer makes it worse; None where that cannot be."""
    ladder = alert.running
    if ladder.escalate_s is None or ladder.escalate_to is None or not _may_escalate(alert):
        return None
    return alert.unanswered_from + timedelta(seconds=ladder.escalate_s)


def _may_escalate(alert: Alert) -> bool:
    if (alert.cycle == 0 and alert.rung == 0) or alert.paused_until is not None:
        return False  # who has not been told cannot have failed to answer
    if alert.ladder is LadderName.COUNTDOWN:
        # The patient is asked: that a doctor has seen it is no answer; only that somebody has it.
        return not alert.state.is_taken
    if not alert.state.is_unanswered:
        return False
    if alert.ladder is LadderName.DOCTOR_URGENT:
        urgency = URGENT.get(alert.condition)
        return alert.state.is_present or urgency is None or urgency.is_over_too
    # A tip grows worse only while it persists; an emergency that was, also when it is over.
    return alert.state.is_present or alert.ladder is not LadderName.TIP


def timed(alert: Alert) -> Alert:
    """The alert with the time of its next step written on it, and until when the patient is asked."""
    step = next_step(alert)
    is_asked = step is not None and alert.ladder in ASKING
    return replace(alert, next_due_at=step[0] if step else None, asked_until=_escalates_at(alert) if is_asked else None)


def due(alert: Alert, now: datetime, undelivered: AbstractSet[Reached] = NOBODY) -> Change:
    """Everything that is due by `now`; without any, the alert with its next time.

    `undelivered`: whose last notice of this generation is still on its way. A repeat skips them: their retry goes on.
    """
    change = Change(alert=alert)
    waiting = set(undelivered)
    for _ in range(_MOST_STEPS):
        step = next_step(change.alert)
        if step is None or step[0] > now:
            break
        if step[1] is Step.ESCALATION:
            waiting.clear()  # they have not heard that it is worse
        told = len(change.notices)
        change = _taken(change, step[0], step[1], now, waiting)
        waiting |= {(notice.to.person, notice.to.channel) for notice in change.notices[told:]}
    return replace(change, alert=timed(change.alert))


def hurried(alert: Alert, rung: int) -> Alert:
    """The alert with the rung after `rung` due at once: that one does not get through."""
    return replace(alert, hurried=max(alert.hurried, rung + 1))


def _taken(change: Change, at: datetime, step: Step, now: datetime, waiting: AbstractSet[Reached]) -> Change:
    alert = change.alert
    notices: tuple[Notice, ...] = ()
    detail: dict[str, float | int | str] = {"due": at.isoformat()}
    what: str
    if step is Step.EXPIRY:
        what, cause = Signal.ACK_EXPIRED, f"expired:{alert.generation}:{alert.cycle}:{alert.entries}"
        changed = unanswered_anew(replace(alert, state=move(alert.state, Signal.ACK_EXPIRED)), at)
    elif step is Step.ESCALATION:
        what, cause = Signal.WORSENED, f"unanswered:{alert.generation}"
        changed = _escalated(alert, at)
        detail |= {"tier": changed.tier, "reason": changed.reason, "was": alert.tier}
    elif step is Step.UNMUTE:
        what, cause = Signal.UNMUTED, f"unmuted:{alert.generation}:{alert.cycle}:{alert.entries}"
        changed = _unmuted(alert, at)
    elif step is Step.REPEAT:
        # Slept through several cycles: go on with the one that would run now, under its own number.
        cycles = max(int((now - alert.cycle_from) / timedelta(seconds=alert.running.repeat_s)), 1)
        what, cause = "cycle", f"cycle:{alert.generation}:{alert.cycle + cycles}"
        changed = again(alert, alert.cycle_from + cycles * timedelta(seconds=alert.running.repeat_s), cycles)
    else:
        what, cause = "rung", f"rung:{alert.generation}:{alert.cycle}:{alert.rung}"
        # Pressed for by an answer or a failure, it is due at this very moment, whatever its place in the cycle.
        told = told_at(alert.running, alert.running.rungs[alert.rung], now if alert.rung <= alert.hurried else at)
        notices = _notices(alert, at, told.to, waiting)
        detail |= {"rung": alert.rung, "told": len(notices)}
        if told.missing:
            detail["missing"] = ", ".join(told.missing)
        if told.is_hour:
            detail["nobody_on_call_at"] = at.isoformat()
        is_first = alert.cycle == 0 and alert.rung == 0
        # The patient who was left to sleep has not been silent since the evening.
        since = max(at, alert.unanswered_from) if is_first and alert.running.quiet else alert.unanswered_from
        changed = replace(alert, rung=alert.rung + 1, unanswered_from=since)
    changed, entry = entered(changed, alert.state, cause=cause, what=what, now=now, detail=detail)
    return replace(change, alert=changed, entries=(*change.entries, entry), notices=change.notices + notices)


def _unmuted(alert: Alert, at: datetime) -> Alert:
    heard = replace(alert, state=move(alert.state, Signal.UNMUTED), snoozed_until=None, paused_until=None)
    if alert.paused_until is None and (alert.rung > 0 or alert.cycle > 0):
        return again(heard, at)  # a snooze answers nothing: silence counts from when it did
    return voiced(heard, at)


def _escalated(alert: Alert, at: datetime) -> Alert:
    ladder = alert.running.escalate_to
    assert ladder is not None
    reason = Reason.PATIENT_SILENT if alert.ladder is LadderName.COUNTDOWN else Reason.UNANSWERED
    verdict = Verdict(tier=TIER_OF_LADDER[ladder], ladder=ladder, reason=reason, latches=True, past=alert.past)
    return begun(replace(alert, state=move(alert.state, Signal.WORSENED)), verdict, at)


def _notices(
    alert: Alert, at: datetime, people: tuple[Addressee, ...], waiting: AbstractSet[Reached]
) -> tuple[Notice, ...]:
    return tuple(
        Notice(
            notice=notice_id(alert.alert, "raised", alert.generation, alert.cycle, alert.rung, to),
            alert=alert.alert,
            type=EventType.RAISED,
            event="raised",
            generation=alert.generation,
            cycle=alert.cycle,
            rung=alert.rung,
            to=to,
            tier=alert.tier,
            due_at=at,
        )
        for to in people
        if (alert.cycle == 0 and alert.rung == 0) or (to.person, to.channel) not in waiting
    )


def missing_roles(change: Change) -> tuple[Role, ...]:
    """Roles that the steps of a change needed and the care team lacks."""
    ladder = change.alert.running
    return tuple(sorted({role for rung in ladder.rungs for role in rung.missing}))
