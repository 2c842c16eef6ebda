"""The words of alerts: what a finding means to people, and what is said to whom.

Four records, never one: the condition (a finding), the alert, the notice, and the responsibility (who has taken it).
Values only; what may follow on what is the table of `machine.py`, and nothing here reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NewType, Protocol
from uuid import UUID, uuid5

from alerts.ladder import Addressee, Ladder, LadderName, Ladders
from stream.finding import NAMESPACE, FindingKind, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

AlertId = NewType("AlertId", UUID)
NoticeId = NewType("NoticeId", UUID)


class Tier(StrEnum):
    """How urgent, and so: who is told."""

    TIP = "tip"
    """Worth knowing; the patient."""
    DOCTOR = "doctor"
    """Needs a medical decision; the family doctor."""
    EMERGENCY = "emergency"
    """Somebody may die; everybody, until a person has it."""

    @property
    def rank(self) -> int:
        """0, 1, 2: for comparing."""
        return _RANKS[self]


_RANKS = {Tier.TIP: 0, Tier.DOCTOR: 1, Tier.EMERGENCY: 2}


class State(StrEnum):
    """Present or cleared, times unanswered, acknowledged or accepted; and closed."""

    SOUNDING = "sounding"
    """Present, and nobody has answered."""
    HELD = "held"
    """Present, acknowledged for a while."""
    TAKEN = "taken"
    """Present, and somebody has it."""
    LATCHED = "latched"
    """Gone, but nobody has seen it."""
    SEEN = "seen"
    """Gone, acknowledged for a while."""
    SETTLED = "settled"
    """Gone, and somebody has it."""
    CLOSED = "closed"
    """Over: with an outcome, or a tip whose condition went away."""

    @property
    def is_present(self) -> bool:
        """Whether the condition holds."""
        return self in {State.SOUNDING, State.HELD, State.TAKEN}

    @property
    def is_unanswered(self) -> bool:
        """Whether the ladder runs."""
        return self in {State.SOUNDING, State.LATCHED}

    @property
    def is_acknowledged(self) -> bool:
        """Whether an acknowledgement runs, and will expire."""
        return self in {State.HELD, State.SEEN}

    @property
    def is_taken(self) -> bool:
        """Whether a person has it."""
        return self in {State.TAKEN, State.SETTLED}


class StationCondition(StrEnum):
    """What the station itself notices; beside `stream.finding.Condition`, always technical."""

    DELIVERY_FAILING = "delivery_failing"
    """Notices to one address do not get through."""
    CONSOLE_NOT_LISTENING = "console_not_listening"
    """A notice waits for a console at which nobody is signed in."""
    DEAD_LETTER = "dead_letter"
    """A notice was given up: refused, or not taken for a day. Somebody must send it again, or see to it otherwise."""
    UNREACHABLE = "unreachable"
    """A ladder needs a role for which the care team names nobody."""
    HEARD_AFTER_END = "heard_after_end"
    """Something was found of a patient whose monitoring has ended: their device is worn still, or by another."""
    FINDING_UNREADABLE = "finding_unreadable"
    """A finding could not be turned into an alert by its row: it was taken from the level of its episode."""
    WORKER_STALLED = "worker_stalled"
    """A process of the house does not live, or does not get on."""
    STEP_OVERDUE = "step_overdue"
    """A step of a ladder, or a notice, is due and nobody takes it."""
    CHARTS_STALE = "charts_stale"
    """What the detector remembers is not saved."""
    UNACCOUNTED = "unaccounted"
    """Events came and are nowhere."""


class Reason(StrEnum):
    """Why an alert has its tier. `catalogue.py` holds the sentence."""

    LIFE_THREATENING = "life_threatening"
    """A rhythm or rate that kills within minutes."""
    NEEDS_A_DOCTOR = "needs_a_doctor"
    """A medical decision is due, not an ambulance."""
    MEASURE_AGAIN = "measure_again"
    """One reading alone proves nothing: a second one is asked for."""
    RECORD_AGAIN = "record_again"
    """A strip that cannot be read says nothing: another one is asked for."""
    HAVE_IT_READ = "have_it_read"
    """The machine sees that it is not normal, not what it is: a person should look."""
    PAST_EMERGENCY = "past_emergency"
    """An emergency that is over, heard of late."""
    PAST = "past"
    """Over, heard of late."""
    CANNOT_JUDGE = "cannot_judge"
    """The equipment of the patient: something cannot be judged or is missing."""
    MEASURE_NOW = "measure_now"
    """A measurement that was agreed is overdue."""
    MEND_IT = "mend_it"
    """The equipment still works, and will not for long unless somebody does something."""
    PATIENT_UNWATCHED = "patient_unwatched"
    """A fault leaves somebody unwatched until a person acts."""
    SERVICE_FAULT = "service_fault"
    """The server or a gateway needs its operator."""
    UNANSWERED = "unanswered"
    """Nobody answered for so long that it has become more urgent."""
    UNKNOWN_CONDITION = "unknown_condition"
    """A condition that this version does not know: taken seriously, never dropped."""
    FINGER_STICK = "finger_stick"
    """A sensor may be wrong: a finger-stick decides."""
    ACT_NOW = "act_now"
    """The patient can prevent it by acting now."""
    WORTH_KNOWING = "worth_knowing"
    """Nothing is urgent; the patient does well to know."""
    TWO_SOURCES = "two_sources"
    """Another source says what fits: one tier more."""
    PATIENT_SILENT = "patient_silent"
    """The patient was asked, and did not answer in time."""
    PATIENT_WELL = "patient_well"
    """The patient was asked, and says "I am all right"."""
    PATIENT_ASKS = "patient_asks"
    """The patient says "I need help"."""


class Outcome(StrEnum):
    """How an alert was closed."""

    RESOLVED = "resolved"
    """Dealt with."""
    FALSE_ALARM = "false_alarm"
    """It was not so."""
    WRONG_PERSON = "wrong_person"
    """It was somebody else's reading."""
    FADED = "faded"
    """A tip or a technical alert whose condition went away."""
    ENDED = "monitoring_ended"
    """The patient is no longer monitored."""


class Found(Protocol):
    """What alerting reads of a finding: `stream.finding.Finding` and `Occurrence` both fit."""

    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def subject_kind(self) -> SubjectKind: ...  # noqa: D102
    @property
    def condition(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> FindingKind: ...  # noqa: D102
    @property
    def episode(self) -> UUID: ...  # noqa: D102
    @property
    def revision(self) -> int: ...  # noqa: D102
    @property
    def present(self) -> bool: ...  # noqa: D102
    @property
    def onset(self) -> datetime: ...  # noqa: D102
    @property
    def end(self) -> datetime | None: ...  # noqa: D102
    @property
    def late(self) -> bool: ...  # noqa: D102
    @property
    def withdrawn(self) -> str | None: ...  # noqa: D102
    @property
    def evidence(self) -> Mapping[str, float | int | str]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A finding as alerting reads it: any condition, also one of a newer stream or of the station itself."""

    subject: str
    subject_kind: SubjectKind
    condition: str
    kind: FindingKind
    episode: UUID
    revision: int
    present: bool
    onset: datetime
    at: datetime | None = None
    end: datetime | None = None
    late: bool = False
    withdrawn: str | None = None
    evidence: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What one alert knows of one of its episodes: the newest statement it has heard."""

    episode: UUID
    revision: int
    present: bool
    late: bool
    withdrawn: bool
    onset: datetime
    end: datetime | None = None
    evidence: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one condition of one subject means to people, from its raising to its closing."""

    alert: AlertId
    subject: str
    subject_kind: SubjectKind
    condition: str
    kind: FindingKind
    state: State
    tier: Tier
    reason: Reason
    past: bool
    """Over, and heard of late; it never inhibits, and is not inhibited."""
    onset: datetime
    raised_at: datetime
    ladder: LadderName
    """Which of the frozen ladders runs."""
    ladders: Ladders
    """Frozen when the alert was raised."""
    plan_version: int
    cycle_from: datetime
    """When the running cycle of the ladder began."""
    unanswered_from: datetime
    """Since when nobody has answered, though somebody should."""
    generation: int = 0
    """Grows when it gets worse, or the patient's answer makes another tier of it."""
    cycle: int = 0
    """Grows when the ladder begins again."""
    rung: int = 0
    """The next rung of this cycle."""
    hurried: int = -1
    """Rungs up to this one are due at once: the one before did not get through."""
    acknowledged_until: datetime | None = None
    asked_until: datetime | None = None
    """Until when the patient is asked how they are; no answer by then makes it worse."""
    well_at: datetime | None = None
    """When the patient said that they are all right: what was known then makes no emergency of it again."""
    snoozed_until: datetime | None = None
    """Nobody is told before, unless it gets worse: somebody who may asked for it."""
    paused_until: datetime | None = None
    """Nobody is told before: the silence that it is about was planned."""
    answered_by: str | None = None
    """Who acknowledged or accepted it last."""
    answered_at: datetime | None = None
    inhibited_by: AlertId | None = None
    """The alert of the same patient that speaks instead."""
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    next_due_at: datetime | None = None
    updates: int = 0
    """How many `updated` events it has sent."""
    entries: int = 0
    """How many rows of history it has."""

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed."""
        return self.state is not State.CLOSED

    @property
    def running(self) -> Ladder:
        """The ladder that runs."""
        return self.ladders[self.ladder]


class EventType(StrEnum):
    """What a notice is for; the `type` of its payload."""

    RAISED = "alert.raised"
    """It sounds: a rung of the ladder."""
    UPDATED = "alert.updated"
    """Something is new: the record arrived, the condition came back."""
    STOOD_DOWN = "alert.stood_down"
    """Closed, false alarm, or another person's."""
    TEST = "alert.test"
    """Somebody tries whether this way works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one person on one channel. A retry keeps its id; a repeat is a new cycle."""

    notice: NoticeId
    alert: AlertId
    type: EventType
    event: str
    """`raised`, `updated:N` or `stood_down`: part of the identity."""
    generation: int
    cycle: int
    rung: int
    to: Addressee
    tier: Tier
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What comes back from people about a notice (a *receipt* is the transport's). Kept as said, by their own id."""

    notice: NoticeId
    endpoint: str
    """Who signed it."""
    kind: str
    """`accepted`, `rejected`, `on_the_way`, `arrived`."""
    external_id: str
    at: datetime
    body: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of an alert's history: what changed, who did it, why."""

    cause: str
    """Unique in its alert: the same cause changes it once only."""
    what: str
    """The signal of the table, or `rung`, `cycle`, `inhibited`, `released`, `update`, `response`, `sent_again`,
    `opened`."""
    before: State
    after: State
    generation: int
    cycle: int
    at: datetime
    by_whom: str = "system"
    detail: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a step makes of an alert: saved in one transaction, or not at all."""

    alert: Alert
    entries: tuple[Entry, ...] = ()
    notices: tuple[Notice, ...] = ()
    episode: Episode | None = None
    """The statement that the alert has now heard."""
    moot: tuple[EventType, ...] = ()
    """Waiting notices of these types are pointless from now on."""


def alert_id(subject: str, condition: str, first_episode: UUID) -> AlertId:
    """Identity of an alert, from its first episode."""
    return AlertId(uuid5(NAMESPACE, f"alert|{subject}|{condition}|{first_episode}"))


def notice_id(alert: AlertId, event: str, generation: int, cycle: int, rung: int, to: Addressee) -> NoticeId:
    """Identity of a notice: the same step makes the same notice, however often it is taken."""
    return NoticeId(uuid5(alert, f"{event}|{generation}|{cycle}|{rung}|{to.person}|{to.channel}"))
