"""The course of one alert: raised by a finding, renewed, worsened, cleared, answered, closed, inhibited. Pure.

Each function takes an alert and gives a `Change`, which the station saves in one transaction. Must never read a clock:
`now` is handed in. What time alone does (rungs, expiries) is `escalation.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts.alert import (
    Alert,
    AlertId,
    Change,
    Entry,
    Episode,
    EventType,
    Found,
    Notice,
    Outcome,
    State,
    Tier,
    alert_id,
    notice_id,
)
from alerts.ladder import LadderName, Role
from alerts.machine import Signal, move
from alerts.plan import frozen
from alerts.policy import Verdict, inhibitor, latches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from alerts.ladder import Addressee
    from alerts.plan import Plan

Detail = dict[str, float | int | str]


def entered(alert: Alert, before: State, *, cause: str, what: str, now: datetime, by_whom: str = "system",
            detail: Detail | None = None) -> tuple[Alert, Entry]:  # fmt: skip
    """The alert with one more row of history, and that row."""
    entry = Entry(
        cause=cause,
        what=what,
        before=before,
        after=alert.state,
        generation=alert.generation,
        cycle=alert.cycle,
        at=now,
        by_whom=by_whom,
        detail=detail or {},
    )
    return replace(alert, entries=alert.entries + 1), entry


def heard(found: Found) -> Episode:
    """What an alert keeps of a statement about one of its episodes."""
    return Episode(
        episode=found.episode,
        revision=found.revision,
        present=found.present,
        late=found.late,
        withdrawn=found.withdrawn is not None,
        onset=found.onset,
        end=found.end,
        evidence=dict(found.evidence),
    )


def raised(found: Found, verdict: Verdict, plan: Plan, now: datetime) -> Change:
    """A new alert. One that is over already is raised all the same: somebody must have seen it."""
    state = State.SOUNDING if found.present else State.LATCHED
    alert = Alert(
        alert=alert_id(found.subject, found.condition, found.episode),
        subject=found.subject,
        subject_kind=found.subject_kind,
        condition=str(found.condition),
        kind=found.kind,
        state=state,
        tier=verdict.tier,
        reason=verdict.reason,
        past=verdict.past,
        onset=found.onset,
        raised_at=now,
        ladder=verdict.ladder,
        ladders=frozen(plan),
        plan_version=plan.version,
        cycle_from=now,
        unanswered_from=now,
    )
    detail: Detail = {"tier": verdict.tier, "reason": verdict.reason, "plan_version": plan.version}
    alert, entry = entered(alert, state, cause=_cause(found), what="raised", now=now, detail=detail)
    return Change(alert=alert, entries=(entry,), episode=heard(found))


def renewed(alert: Alert, episodes: Mapping[UUID, Episode], found: Found, verdict: Verdict, now: datetime,
            told: Sequence[Addressee] = ()) -> Change | None:  # fmt: skip
    """What another statement makes of an alert; None when it has heard that, or a later one, of the same episode.

    `episodes` is all that the alert has heard so far, `told` everybody who has had a notice of it.
    """
    known = episodes.get(found.episode)
    if known is not None and known.revision >= found.revision:
        return None
    latest = {**episodes, found.episode: heard(found)}
    before = alert.state
    # Monitored again, the very statement is heard once more (its revision was forgotten): that is another cause.
    cause = _cause(found) + (f":begun:{alert.entries}" if known is not None and known.revision == 0 else "")
    signal = _signal(alert, latest, known, found, verdict)
    alert = replace(alert, state=move(before, signal), onset=_onset(alert, latest))
    detail: Detail = {"episode": str(found.episode), "revision": found.revision}
    if signal is Signal.WORSENED:
        if before is State.CLOSED and not found.present:
            alert = replace(alert, state=move(alert.state, Signal.CLEARED))
        detail |= {"tier": verdict.tier, "reason": verdict.reason, "was": alert.tier}
        alert = begun(alert, verdict, now)
    elif before is State.SEEN and alert.state is State.SOUNDING:
        alert = unanswered_anew(alert, now)
    elif before is State.LATCHED and alert.state is State.SOUNDING and _is_quiet(alert, now):
        alert = again(alert, now)
    alert, entry = entered(alert, before, cause=cause, what=signal, now=now, detail=detail)
    change = Change(alert=alert, entries=(entry,), episode=heard(found))
    if before is not State.CLOSED and alert.state is State.CLOSED:
        outcome = Outcome.WRONG_PERSON if signal is Signal.WITHDRAWN else Outcome.FADED
        return _closing(change, outcome, now, told)
    if before is State.SETTLED and alert.state is State.TAKEN:
        return updated(change, now, told, cause=f"update:back:{found.episode}:{found.revision}", why="present again")
    return change


def worsened(alert: Alert, verdict: Verdict, because: Found, now: datetime) -> Change:
    """Another finding makes this one graver: its next generation, whoever has answered before."""
    before = alert.state
    alert = begun(replace(alert, state=move(before, Signal.WORSENED)), verdict, now)
    detail: Detail = {"tier": verdict.tier, "reason": verdict.reason, "with": str(because.condition)}
    cause = f"agreed:{because.episode}:{because.revision}"
    alert, entry = entered(alert, before, cause=cause, what=Signal.WORSENED, now=now, detail=detail)
    return Change(alert=alert, entries=(entry,))


def _cause(found: Found) -> str:
    return f"finding:{found.episode}:{found.revision}"


def is_news(known: Episode | None, found: Found) -> bool:
    """Whether a statement says more than that what was known goes on: a new episode, or one that is back."""
    return known is None or (found.present and not known.present)


def _signal(
    alert: Alert, latest: Mapping[UUID, Episode], known: Episode | None, found: Found, verdict: Verdict
) -> Signal:
    theirs = [episode for episode in latest.values() if not episode.withdrawn]
    if not theirs:
        return Signal.WITHDRAWN
    is_heard = found.withdrawn is None
    is_worse = verdict.tier.rank > alert.tier.rank and (alert.well_at is None or is_news(known, found))
    if alert.outcome is Outcome.ENDED and is_heard and found.present:
        return Signal.WORSENED  # monitored again, and it is still so
    if is_heard and (is_worse or (found.present and alert.past and not verdict.past)):
        return Signal.WORSENED
    if any(episode.present for episode in theirs):
        return Signal.PRESENT
    return Signal.CLEARED if latches(alert) else Signal.FADED


def _onset(alert: Alert, latest: Mapping[UUID, Episode]) -> datetime:
    return min((episode.onset for episode in latest.values() if not episode.withdrawn), default=alert.onset)


def begun(alert: Alert, verdict: Verdict, at: datetime) -> Alert:
    """The next generation: another tier, its ladder from the beginning, every answer void."""
    # An alert that was raised before there was such a ladder runs the plain one of its tier.
    ladder = verdict.ladder if verdict.ladder in alert.ladders else LadderName(verdict.tier.value)
    return replace(
        alert,
        tier=verdict.tier,
        reason=verdict.reason,
        past=verdict.past,
        ladder=ladder,
        generation=alert.generation + 1,
        unanswered_from=at,
        cycle=0,
        cycle_from=at,
        rung=0,
        hurried=-1,
        acknowledged_until=None,
        well_at=None,
        snoozed_until=None,
        answered_by=None,
        answered_at=None,
        outcome=None,
        closed_at=None,
    )


def again(alert: Alert, at: datetime, cycles: int = 1) -> Alert:
    """The next cycle: the same ladder from the beginning."""
    return replace(
        alert, cycle=alert.cycle + cycles, cycle_from=at, rung=0, hurried=-1, acknowledged_until=None,
    )  # fmt: skip


def unanswered_anew(alert: Alert, at: datetime) -> Alert:
    """The next cycle, after an answer that holds no longer: waiting for one counts from here."""
    return replace(again(alert, at), unanswered_from=at)


def voiced(alert: Alert, at: datetime) -> Alert:
    """One that was silent: the next cycle, or the first where it has never spoken."""
    if alert.rung > 0 or alert.cycle > 0:
        return unanswered_anew(alert, at)
    return replace(alert, cycle_from=at, unanswered_from=at)


RESTING = {Tier.TIP: timedelta(days=1), Tier.DOCTOR: timedelta(minutes=15), Tier.EMERGENCY: timedelta(minutes=1)}
"""A latched alert whose condition comes back sounds again at once, but no more often than this: a flickering
condition must not bury the person who is to answer. (An unanswered EMERGENCY repeats each minute anyway.)"""


def _is_quiet(alert: Alert, now: datetime) -> bool:
    return now - alert.cycle_from >= RESTING[alert.tier]


def acknowledged(alert: Alert, now: datetime, by_whom: str, cause: str) -> Change:
    """Somebody has seen it and looks after it for a while.

    Raises:
        IllegalMove: it is closed, or somebody has it.
    """
    before = alert.state
    until = now + timedelta(seconds=alert.running.acknowledgement_s)
    alert = replace(
        alert,
        state=move(before, Signal.ACKNOWLEDGED),
        acknowledged_until=until,
        answered_by=by_whom,
        answered_at=now,
    )
    detail: Detail = {"until": until.isoformat()}
    alert, entry = entered(
        alert, before, cause=cause, what=Signal.ACKNOWLEDGED, now=now, by_whom=by_whom, detail=detail
    )
    return Change(alert=alert, entries=(entry,))


def accepted(alert: Alert, now: datetime, by_whom: str, cause: str) -> Change:
    """Somebody says "I have it": the ladder stops, and so do the retries.

    Raises:
        IllegalMove: it is closed, or somebody else has it.
    """
    before = alert.state
    alert = replace(
        alert, state=move(before, Signal.ACCEPTED), acknowledged_until=None, answered_by=by_whom, answered_at=now,
    )  # fmt: skip
    alert, entry = entered(alert, before, cause=cause, what=Signal.ACCEPTED, now=now, by_whom=by_whom)
    return Change(alert=alert, entries=(entry,), moot=(EventType.RAISED,))


def rejected(alert: Alert, now: datetime, by_whom: str, cause: str, note: str = "") -> Change:
    """Somebody says "not me": the next rung is due at once, and nothing stops. Said by who has it, nobody has it.

    Raises:
        IllegalMove: it is closed, or somebody else has it.
    """
    detail: Detail = {"note": note} if note else {}
    is_theirs = alert.answered_by == by_whom and (alert.state.is_taken or alert.state.is_acknowledged)
    signal = Signal.RETURNED if is_theirs else Signal.REJECTED
    pressed = replace(alert, state=move(alert.state, signal))
    if is_theirs:
        pressed = replace(unanswered_anew(pressed, now), answered_by=None, answered_at=None)
    else:
        pressed = replace(pressed, hurried=max(alert.hurried, alert.rung))
    pressed, entry = entered(pressed, alert.state, cause=cause, what=signal, now=now, by_whom=by_whom, detail=detail)
    return Change(alert=pressed, entries=(entry,))


def closed(alert: Alert, outcome: Outcome, now: datetime, by_whom: str, cause: str, told: Sequence[Addressee],
           note: str = "") -> Change:  # fmt: skip
    """Somebody closes it, and says how it ended; everybody who was told is stood down.

    Raises:
        IllegalMove: it is closed already.
    """
    before = alert.state
    alert = replace(alert, state=move(before, Signal.CLOSED), answered_by=by_whom, answered_at=now)
    detail: Detail = {"outcome": outcome, "note": note} if note else {"outcome": outcome}
    alert, entry = entered(alert, before, cause=cause, what=Signal.CLOSED, now=now, by_whom=by_whom, detail=detail)
    return _closing(Change(alert=alert, entries=(entry,)), outcome, now, told)


def ended(alert: Alert, now: datetime, by_whom: str, cause: str, told: Sequence[Addressee], why: str) -> Change:
    """The patient is no longer monitored: over at once. Dispatch is stood down; nobody else hears of it any more."""
    before = alert.state
    alert = replace(alert, state=move(before, Signal.ENDED), answered_by=by_whom, answered_at=now)
    alert, entry = entered(alert, before, cause=cause, what=Signal.ENDED, now=now, by_whom=by_whom, detail={"why": why})
    dispatch = [one for one in told if one.role is Role.DISPATCH]
    return _closing(Change(alert=alert, entries=(entry,)), Outcome.ENDED, now, dispatch)


def _closing(change: Change, outcome: Outcome, now: datetime, told: Sequence[Addressee]) -> Change:
    alert = replace(
        change.alert,
        outcome=outcome,
        closed_at=now,
        acknowledged_until=None,
        inhibited_by=None,
        next_due_at=None,
    )
    # A generation is stood down once; if it was opened again since, that is the next one.
    notices = tuple(_notice(alert, EventType.STOOD_DOWN, "stood_down", one, now) for one in told)
    return replace(change, alert=alert, notices=change.notices + notices, moot=(EventType.RAISED, EventType.UPDATED))


def updated(change: Change, now: datetime, told: Iterable[Addressee], *, cause: str, why: str) -> Change:
    """The change with one more `updated` event to everybody who was told."""
    alert = replace(change.alert, updates=change.alert.updates + 1)
    alert, entry = entered(alert, alert.state, cause=cause, what="update", now=now, detail={"why": why})
    event = f"updated:{alert.updates}"
    notices = tuple(_notice(alert, EventType.UPDATED, event, one, now) for one in told)
    return replace(change, alert=alert, entries=(*change.entries, entry), notices=change.notices + notices)


def _notice(alert: Alert, type_: EventType, event: str, to: Addressee, now: datetime) -> Notice:
    return Notice(
        notice=notice_id(alert.alert, event, alert.generation, alert.cycle, 0, to),
        alert=alert.alert,
        type=type_,
        event=event,
        generation=alert.generation,
        cycle=alert.cycle,
        rung=0,
        to=to,
        tier=alert.tier,
        due_at=now,
    )


def weighed(alerts: Iterable[Alert], now: datetime) -> list[Change]:
    """Of one patient only the loudest speaks: a change for each open alert that falls silent or speaks again."""
    open_ones = [alert for alert in alerts if alert.is_open]
    changes = []
    for alert in open_ones:
        louder = inhibitor(alert, open_ones)
        speaks: AlertId | None = louder.alert if louder else None
        if speaks == alert.inhibited_by:
            continue
        if louder is not None:
            what, detail = "inhibited", {"by": louder.condition, "alert": str(louder.alert)}
            changed = replace(alert, inhibited_by=speaks, next_due_at=None)
        else:
            what, detail = "released", {}
            changed = replace(alert, inhibited_by=None)
            if changed.state.is_unanswered:
                has_spoken = changed.rung > 0 or changed.cycle > 0
                changed = voiced(changed, now)
                if not has_spoken and not changed.state.is_present and changed.tier is Tier.EMERGENCY:
                    # It came and went while a louder one spoke: no siren for what is over, but somebody must see it.
                    changed = replace(changed, past=True, ladder=LadderName.PAST_EMERGENCY)
        cause = f"{what}:{alert.entries}"
        changed, entry = entered(changed, alert.state, cause=cause, what=what, now=now, detail=dict(detail))
        changes.append(Change(alert=changed, entries=(entry,)))
    return changes
