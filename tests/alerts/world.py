"""The station's work without a database: the same pure functions, the same rules of saving, on a simulated clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self
from uuid import uuid5

import msgspec

from alerts import countdown, course, reaction, snooze
from alerts.alert import Alert, AlertId, Change, Entry, EventType, Found, Notice, NoticeId, Outcome
from alerts.ladder import Role
from alerts.pauses import Pause, PauseKind, check_pause
from alerts.plan import Plan
from alerts.reaction import Situation
from stream.finding import NAMESPACE
from tests.alerts.desk import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alerts.ladder import Addressee


@dataclass
class World:
    """One subject, told as a story: `at` moves the clock, `says` is a finding, and so on."""

    plan: Plan = field(default_factory=lambda: Plan(patient="ada"))
    now: datetime = START
    situation: Situation = field(default_factory=Situation)
    history: dict[AlertId, list[Entry]] = field(default_factory=dict)
    notices: dict[NoticeId, Notice] = field(default_factory=dict)
    undelivered: set[NoticeId] = field(default_factory=set)
    moot: set[NoticeId] = field(default_factory=set)
    is_deaf: bool = False
    """Nothing gets through for now."""
    answers: int = 0

    def at(self, clock: str) -> Self:
        """Time passes; every step is taken when it is due, as a station that never sleeps does."""
        hour, minute, second = (int(part) for part in clock.split(":"))
        until = START.replace(hour=hour, minute=minute, second=second)
        assert until >= self.now, "a story goes forward"
        while (due := self._next()) is not None and due <= until:
            self.now = max(self.now, due)
            self.station()
        self.now = until
        return self

    def sleeps(self, seconds: float) -> None:
        """Time passes and no station runs."""
        self.now += timedelta(seconds=seconds)

    def station(self) -> None:
        """Every step that is due."""
        for alert in [a for a in self.situation.alerts.values() if a.next_due_at and a.next_due_at <= self.now]:
            self._save(reaction.passed(self._asked(), alert.alert, self.now))

    def says(self, found: Found) -> tuple[Change, ...]:
        if (stray := reaction.after_end(self.situation, found)) is not None:
            return self.says(stray)
        changes = reaction.heard(self._asked(), found, self.plan, self.now)
        self._save(changes)
        return changes

    def acknowledges(self, who: str, alert: Alert) -> None:
        self._answer(alert, lambda one, _, cause: course.acknowledged(one, self.now, who, cause))

    def accepts(self, who: str, alert: Alert) -> None:
        self._answer(alert, lambda one, _, cause: course.accepted(one, self.now, who, cause))

    def rejects(self, who: str, alert: Alert) -> None:
        self._answer(alert, lambda one, _, cause: course.rejected(one, self.now, who, cause))

    def closes(self, who: str, alert: Alert, outcome: Outcome = Outcome.RESOLVED) -> None:
        self._answer(alert, lambda one, told, cause: course.closed(one, outcome, self.now, who, cause, told))

    def is_well(self, alert: Alert, who: str = "patient") -> None:
        self._answer(alert, lambda one, told, cause: countdown.well(one, self.now, who, cause, told), of_wearer=True)

    def wants_help(self, alert: Alert, who: str = "patient") -> None:
        self._answer(
            alert, lambda one, told, cause: countdown.wants_help(one, self.now, who, cause, told), of_wearer=True
        )

    def snoozes(self, who: str, alert: Alert, minutes: float, role: Role = Role.PATIENT) -> None:
        self._answer(alert, lambda one, _, cause: snooze.snoozed(one, minutes, self.now, who, role, cause))

    def pauses(self, kind: PauseKind, minutes: float, *, ahead_s: float = 0.0, role: Role = Role.PATIENT) -> Pause:
        """A planned pause is set."""
        from_at = self.now + timedelta(seconds=ahead_s)
        until_at = from_at + timedelta(minutes=minutes)
        made = Pause(pause=uuid5(NAMESPACE, f"{kind}|{from_at}|{until_at}"), patient="ada", kind=kind, from_at=from_at,
                     until_at=until_at, by_whom=role, role=role)  # fmt: skip
        check_pause(made, self.plan.pauses, self.now)
        self.situation = replace(self.situation, pauses=(*self.situation.pauses, made))
        self._save(reaction.paused(self._asked(), self.now))
        return made

    def lifts(self, pause: Pause) -> None:
        """A pause is ended before its time."""
        others = tuple(one for one in self.situation.pauses if one.pause != pause.pause)
        self.situation = replace(self.situation, pauses=(*others, replace(pause, lifted_at=self.now)))
        self._save(reaction.paused(self._asked(), self.now))

    def ends(self, who: str = "doctor", why: str = "discharge") -> None:
        """Monitoring ends."""
        self.answers += 1
        self._save(reaction.ended(self._asked(), who, why, f"ended:{self.answers}", self.now))
        self.moot |= {key for key, one in self.notices.items() if one.to.role is not Role.DISPATCH}
        self.situation = replace(self.situation, ended_at=self.now)

    def begins(self) -> None:
        """Monitoring begins again: what is still so of what was over with the end is to be heard anew."""
        forgotten = {
            key: {
                episode: replace(one, revision=0)
                if one.present and self.situation.alerts[key].outcome is Outcome.ENDED
                else one
                for episode, one in known.items()
            }
            for key, known in self.situation.episodes.items()
        }
        self.situation = replace(self.situation, ended_at=None, episodes=forgotten)

    def dies(self) -> None:
        """The station is killed between thinking and saving, and starts again from the rows: nothing of it is kept."""
        for alert in [a for a in self.situation.alerts.values() if a.next_due_at and a.next_due_at <= self.now]:
            reaction.passed(self._asked(), alert.alert, self.now)
        alerts = {
            key: msgspec.convert(msgspec.json.decode(msgspec.json.encode(alert)), Alert, strict=False)
            for key, alert in self.situation.alerts.items()
        }
        assert alerts == self.situation.alerts, "what is saved is all that there is"
        self.situation = replace(self.situation, alerts=alerts)

    def hears_again(self) -> None:
        """Notices get through again."""
        self.is_deaf = False
        self.undelivered.clear()

    def alert(self, condition: str) -> Alert:
        return next(a for a in reversed(list(self.situation.alerts.values())) if a.condition == condition)

    def told(self, person: str, type_: EventType = EventType.RAISED) -> list[Notice]:
        """What a person was sent, in the order in which it was due."""
        return sorted(
            (n for n in self.notices.values() if n.to.person == person and n.type is type_), key=lambda n: n.due_at
        )

    def at_s(self, person: str) -> list[float]:
        """When, in seconds since the story began."""
        return [(notice.due_at - START).total_seconds() for notice in self.told(person)]

    def _answer(
        self, alert: Alert, make: Callable[[Alert, tuple[Addressee, ...], str], Change], *, of_wearer: bool = False
    ) -> None:
        self.answers += 1
        cause = f"answer:{self.answers}"
        take = reaction.wearer_answered if of_wearer else reaction.answered
        self._save(take(self._asked(), alert.alert, lambda alert, told: make(alert, told, cause), self.now))

    def _next(self) -> datetime | None:
        return min((a.next_due_at for a in self.situation.alerts.values() if a.next_due_at), default=None)

    def _told(self, alert: AlertId) -> tuple[Addressee, ...]:
        return tuple({n.to: None for n in self.notices.values() if n.alert == alert and n.type is EventType.RAISED})

    def _asked(self) -> Situation:
        undelivered: dict[AlertId, set[tuple[str, str]]] = {}
        for key in self.undelivered - self.moot:
            notice = self.notices[key]
            if notice.generation == self.situation.alerts[notice.alert].generation:
                undelivered.setdefault(notice.alert, set()).add((notice.to.person, notice.to.channel))
        return replace(
            self.situation,
            told={key: self._told(key) for key in self.situation.alerts},
            undelivered={key: frozenset(who) for key, who in undelivered.items()},
        )

    def _save(self, changes: Iterable[Change]) -> None:
        changes = list(changes)
        for change in changes:
            key = change.alert.alert
            kept = self.history.setdefault(key, [])
            assert change.alert.entries == len(kept) + len(change.entries), "history without holes"
            kept += change.entries
            causes = [entry.cause for entry in kept]
            assert len(causes) == len(set(causes)), "the same cause changes an alert once only"
            self.moot |= {n.notice for n in self.notices.values() if n.alert == key and n.type in change.moot}
            for notice in change.notices:
                assert notice.notice not in self.notices, "one id, one notice"
                self.notices[notice.notice] = notice
                if self.is_deaf:
                    self.undelivered.add(notice.notice)
        self.situation = reaction.applied(self.situation, changes)
