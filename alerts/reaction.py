"""What alerting makes of a finding, an answer or the passing of time, over all that it knows of one subject. Pure.

The station and the API gather a `Situation`, ask here, and save the changes in one transaction; the replay and the
tests ask the very same. Must never look beyond one subject: subjects are each other's failure domain.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid5

from alerts import countdown, course, escalation, snooze
from alerts.alert import Alert, AlertId, Change, Episode, Found, Occurrence, StationCondition
from alerts.delivery.console import CHANNEL as CONSOLE
from alerts.machine import Signal, move
from alerts.pauses import SILENCE, paused_until
from alerts.policy import agreed, is_quiet, tier_of, touched_by
from stream.finding import NAMESPACE, FindingKind, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from uuid import UUID

    from alerts.escalation import Reached
    from alerts.ladder import Addressee
    from alerts.pauses import Pause
    from alerts.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that alerting knows of one subject, locked while it is looked at."""

    alerts: Mapping[AlertId, Alert] = field(default_factory=dict)
    """The open ones, a closed one that is being asked about or holds the episode in question, and those whose condition
    was true so lately that a finding may agree with it."""
    episodes: Mapping[AlertId, Mapping[UUID, Episode]] = field(default_factory=dict)
    told: Mapping[AlertId, tuple[Addressee, ...]] = field(default_factory=dict)
    """Whom an attempt was made to tell."""
    undelivered: Mapping[AlertId, frozenset[Reached]] = field(default_factory=dict)
    """Whose last notice of the running generation is still on its way."""
    pauses: tuple[Pause, ...] = ()
    """Planned pauses of the patient, running or to come."""
    ended_at: datetime | None = None
    """Since when the patient is no longer monitored."""


class Answer(Protocol):
    """What somebody wants of an alert: `course.acknowledged` and its like, with everything but the alert filled in."""

    def __call__(self, alert: Alert, told: tuple[Addressee, ...]) -> Change: ...  # noqa: D102


def heard(situation: Situation, found: Found, plan: Plan, now: datetime) -> tuple[Change, ...]:
    """What a finding changes: one change an alert, none where it says nothing new.

    An episode belongs to the alert that first heard of it; a new one joins the open alert of its condition, and is an
    alert of its own where none is open.
    """
    if is_quiet(found):
        return ()
    if situation.ended_at is not None and found.condition != StationCondition.HEARD_AFTER_END:
        return ()  # see `after_end`
    holder = next((alert for alert, known in situation.episodes.items() if found.episode in known), None)
    if holder is None and found.withdrawn is not None:
        return ()  # nobody was told
    open_one = next((a.alert for a in situation.alerts.values() if a.is_open and a.condition == found.condition), None)
    target = holder
    if holder is None or (not situation.alerts[holder].is_open and open_one is not None and found.present):
        target = open_one
    verdict = agreed(found, tier_of(found, plan), (other for _, other in _known(situation)))
    if target is None:
        new = course.raised(found, verdict, plan, now)
        new = replace(new, alert=snooze.inherited(new.alert, situation.alerts.values(), now))
        return _rest(situation, (new, *_risen(situation, found, plan, now)), now)
    change = course.renewed(
        situation.alerts[target],
        situation.episodes.get(target, {}),
        found,
        verdict,
        now,
        situation.told.get(target, ()),
    )
    if change is None:
        return ()
    return _rest(situation, (change, *_risen(situation, found, plan, now)), now)


def _known(situation: Situation) -> Iterator[tuple[Alert, Occurrence]]:
    """What is known of a subject: the newest statement of each episode, and the alert that heard it."""
    for key, known in situation.episodes.items():
        alert = situation.alerts[key]
        for one in known.values():
            yield (
                alert,
                Occurrence(
                    subject=alert.subject,
                    subject_kind=alert.subject_kind,
                    condition=alert.condition,
                    kind=alert.kind,
                    episode=one.episode,
                    revision=one.revision,
                    present=one.present,
                    onset=one.onset,
                    end=one.end,
                    late=one.late,
                    withdrawn="withdrawn" if one.withdrawn else None,
                ),
            )


def _risen(situation: Situation, found: Found, plan: Plan, now: datetime) -> list[Change]:
    """The open alerts that deserve a higher tier because of this finding: two sources agree, whichever came first."""
    touched = touched_by(found.condition)
    risen: dict[AlertId, Change] = {}
    heard_of = next((known[found.episode] for known in situation.episodes.values() if found.episode in known), None)
    is_news = course.is_news(heard_of, found)
    for alert, other in _known(situation) if touched and found.withdrawn is None else ():
        if other.condition not in touched or not alert.is_open or other.withdrawn is not None:
            continue
        if alert.well_at is not None and not is_news:
            continue  # the patient knew of it when they said that they are all right
        verdict = agreed(other, tier_of(other, plan), [found])
        if verdict.tier.rank > alert.tier.rank:
            risen.setdefault(alert.alert, course.worsened(alert, verdict, found, now))
    return list(risen.values())


def answered(situation: Situation, alert: AlertId, answer: Answer, now: datetime) -> tuple[Change, ...]:
    """What somebody's answer changes.

    Raises:
        IllegalMove: not in the alert's state.
    """
    return _rest(situation, (answer(situation.alerts[alert], situation.told.get(alert, ())),), now)


def wearer_answered(situation: Situation, alert: AlertId, answer: Answer, now: datetime) -> tuple[Change, ...]:
    """What the patient's word changes: one answer for all that they are being asked about.

    Raises:
        IllegalMove: not in the alert's state.
        NotAsked: it is not about the body.
    """
    meant = situation.alerts[countdown.meant(situation.alerts[alert], situation.alerts)]
    keys = countdown.asked_with(meant, situation.alerts.values())
    return _rest(situation, [answer(situation.alerts[key], situation.told.get(key, ())) for key in keys], now)


def passed(situation: Situation, alert: AlertId, now: datetime) -> tuple[Change, ...]:
    """What time alone changes of an alert that is due."""
    before = situation.alerts[alert]
    change = _planned(Change(alert=before), situation, now)
    change = joined(change, escalation.due(change.alert, now, situation.undelivered.get(alert, escalation.NOBODY)))
    if change.alert.tier is before.tier:
        return (change,)
    return _rest(situation, (change,), now)


def _rest(situation: Situation, made: Iterable[Change], now: datetime) -> tuple[Change, ...]:
    """The changes, who else falls silent or speaks because of them, and what of them all is due at once."""
    changes = {change.alert.alert: change for change in made}
    alerts = {**situation.alerts, **{key: change.alert for key, change in changes.items()}}
    for weighed in course.weighed(alerts.values(), now):
        key = weighed.alert.alert
        changes[key] = joined(changes[key], weighed) if key in changes else weighed
    for key, change in changes.items():
        before = situation.alerts.get(key)
        if before is None or before.generation != change.alert.generation or before.inhibited_by is not None:
            others = [changes[one].alert if one in changes else known for one, known in alerts.items()]
            changes[key] = replace(change, alert=countdown.one_question(change.alert, others))
    changes = {key: _planned(change, situation, now) for key, change in changes.items()}
    return tuple(
        joined(one, escalation.due(one.alert, now, situation.undelivered.get(key, escalation.NOBODY)))
        for key, one in changes.items()
    )


def ended(situation: Situation, by_whom: str, why: str, cause: str, now: datetime) -> tuple[Change, ...]:
    """The end of monitoring: every open alert of the patient is over."""
    over = [
        course.ended(alert, now, by_whom, cause, situation.told.get(key, ()), why)
        for key, alert in situation.alerts.items()
        if alert.is_open
    ]
    return _rest(situation, over, now)


def paused(situation: Situation, now: datetime) -> tuple[Change, ...]:
    """What a pause that was set or lifted changes of the open alerts."""
    every = [Change(alert=alert) for alert in situation.alerts.values() if alert.is_open]
    changed = [_planned(change, situation, now) for change in every]
    return _rest(situation, [new for new, old in zip(changed, every, strict=True) if new != old], now)


def _planned(change: Change, situation: Situation, now: datetime) -> Change:
    """The change under the pauses that are planned: silence that was announced tells nobody."""
    alert = change.alert
    if alert.condition not in SILENCE or not alert.is_open:
        return change
    until = paused_until(situation.pauses, now)
    if until == alert.paused_until or (until is None and alert.paused_until is not None and alert.paused_until <= now):
        return change
    before = alert.state
    alert = replace(alert, state=move(before, Signal.PAUSED), paused_until=until or now)
    if until is None:  # lifted: it is unmuted now
        return replace(change, alert=alert)
    cause, detail = f"paused:{alert.entries}", {"until": until.isoformat()}
    alert, entry = course.entered(alert, before, cause=cause, what=Signal.PAUSED, now=now, detail=dict(detail))
    return replace(change, alert=alert, entries=(*change.entries, entry))


def joined(first: Change, second: Change) -> Change:
    """Two changes of one alert, the second made of the first's alert, as one."""
    return Change(
        alert=second.alert,
        entries=first.entries + second.entries,
        notices=first.notices + second.notices,
        episode=second.episode or first.episode,
        moot=first.moot + second.moot,
    )


def applied(situation: Situation, changes: Iterable[Change]) -> Situation:
    """The situation as it is when the changes are saved (without what delivery makes of it)."""
    alerts, episodes = dict(situation.alerts), dict(situation.episodes)
    for change in changes:
        key = change.alert.alert
        alerts[key] = change.alert
        if change.episode is not None:
            moved = change.episode.episode
            others = {k: {e: s for e, s in known.items() if e != moved} for k, known in episodes.items()}
            episodes = {**others, key: {**others.get(key, {}), moved: change.episode}}
    return replace(situation, alerts=alerts, episodes=episodes)


def unreachable(changes: Iterable[Change]) -> list[Occurrence]:
    """For each rung that was due and lacked a role: a technical occurrence, for a missing contact is not silence."""
    found = []
    for change in changes:
        alert = change.alert
        roles = sorted({str(entry.detail["missing"]) for entry in change.entries if "missing" in entry.detail})
        # Nobody at this hour may be nobody again at another, when somebody has long seen to the first.
        hours = {str(e.detail["nobody_on_call_at"])[:10] for e in change.entries if "nobody_on_call_at" in e.detail}
        if roles and alert.condition != StationCondition.UNREACHABLE:
            identity = "|".join(["unreachable", alert.subject, str(alert.plan_version), *sorted(hours)])
            why = f"nobody is {'on call at this hour' if hours else 'named'} for: {', '.join(roles)}"
            found.append(
                Occurrence(
                    subject=alert.subject,
                    subject_kind=alert.subject_kind,
                    condition=StationCondition.UNREACHABLE,
                    kind=FindingKind.TECHNICAL,
                    episode=uuid5(NAMESPACE, identity),
                    revision=1,
                    present=True,
                    onset=change.entries[-1].at,
                    evidence={"reason": why, "alert": str(alert.alert)},
                )
            )
    return found


def after_end(situation: Situation, found: Found) -> Occurrence | None:
    """What is found of somebody who is no longer monitored: one alert for each end, to the operator, of their device."""
    ended_at = situation.ended_at
    is_body = found.kind is FindingKind.PHYSIOLOGICAL and found.withdrawn is None
    if ended_at is None or not is_body or is_quiet(found):
        return None
    return Occurrence(
        subject=found.subject,
        subject_kind=found.subject_kind,
        condition=StationCondition.HEARD_AFTER_END,
        kind=FindingKind.TECHNICAL,
        episode=uuid5(NAMESPACE, f"after_end|{found.subject}|{ended_at.isoformat()}"),
        revision=1,
        present=True,
        onset=ended_at,
        evidence={"reason": "take the device back, or begin monitoring again", "condition": str(found.condition)},
    )


def delivery_failing(channel: str, address: str, notice: UUID, why: str, now: datetime) -> Occurrence:
    """Notices to one address do not get through; to a console: nobody is there to see them."""
    subject = f"{channel}:{address}"
    is_console = channel == CONSOLE
    return Occurrence(
        subject=subject,
        subject_kind=SubjectKind.COMPONENT,
        condition=StationCondition.CONSOLE_NOT_LISTENING if is_console else StationCondition.DELIVERY_FAILING,
        kind=FindingKind.TECHNICAL,
        episode=uuid5(NAMESPACE, f"delivery|{subject}|{notice}"),
        revision=1,
        present=True,
        onset=now,
        evidence={"reason": why, "notice": str(notice)},
    )
