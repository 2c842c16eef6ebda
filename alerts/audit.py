"""What an auditor makes of one look at the house: which steps were not taken, which processes do not live. Pure.

Knows nothing of how steps are taken: it counts from outside. Must never take its own quiet for health: what it could not
look at is a trouble too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alerts.alert import StationCondition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AUDITED = (
    StationCondition.WORKER_STALLED,
    StationCondition.STEP_OVERDUE,
    StationCondition.CHARTS_STALE,
    StationCondition.UNACCOUNTED,
)
"""Conditions that the auditor alone raises and clears."""

# All in seconds of real time; choices of ours, 2026-11-24: the station looks four times a second, intake commits each
# second, charts are saved each half minute, a child is started again after 5 s at most.
STEP_S = 15.0
"""A step or notice that is due for longer was missed."""
SILENT_S = 15.0
"""A process that gave no sign of life for longer does not live."""
CHARTS_S = 180.0
STATION_STARTS_S = 20.0
"""Since the auditor's start: so long a house may take to come up."""
INTAKE_STARTS_S = 240.0
"""The detector is compiled after an upgrade."""
MOST_STARTS = 5
"""Of one child in a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The signs of life of one writer of the log; ages in seconds, None: never."""

    shard: int
    stored_age_s: float | None
    unjudged_age_s: float | None
    """Of the oldest batch that is stored and not judged; None: all are."""
    chart_age_s: float | None
    """How far the newest chart is behind the newest batch; None: there is no chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Things that should have been done: how many, and the oldest's lateness in seconds."""

    count: int = 0
    oldest_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look."""

    pulses: tuple[Pulse, ...] = ()
    station_age_s: float | None = None
    """Since the newest sign of life of any station; None: none ever."""
    unheard_s: float = 0.0
    """For how long the station has not heard findings that are judged."""
    steps: Late = Late()
    """Open alerts whose next step is due."""
    notices: Late = Late()
    """Notices that are due and that nobody tries."""
    unfinished: int = 0
    """Notices of several attempts of which none has an end."""
    forgotten: int = 0
    """Unanswered alerts for doctor or emergency without any next step."""
    unaccounted: int = 0
    """Events that came and are nowhere."""
    starts: Mapping[str, int] = field(default_factory=dict)
    """How often each child has started in the last minute."""
    mute: tuple[str, ...] = ()
    """Children that were asked and did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Trouble:
    """Something that a person must see to."""

    condition: StationCondition
    subject: str
    """Which part of the house."""
    why: str

    @property
    def key(self) -> tuple[str, str]:
        """The same trouble, however its numbers change."""
        return str(self.condition), self.subject


def troubles(seen: Seen, up_s: float) -> tuple[Trouble, ...]:
    """All that is wrong, one a condition and part of the house. `up_s`: for how long the auditor has been up."""
    found: dict[tuple[str, str], Trouble] = {}
    for one in (*_steps(seen, up_s), *_lives(seen, up_s), *_books(seen)):
        before = found.get(one.key)
        why = f"{before.why}; {one.why}" if before else one.why
        found[one.key] = Trouble(condition=one.condition, subject=one.subject, why=why)
    return tuple(sorted(found.values()))


def _steps(seen: Seen, up_s: float) -> Iterator[Trouble]:
    def missed(why: str) -> Trouble:
        return Trouble(condition=StationCondition.STEP_OVERDUE, subject="station", why=why)

    if seen.forgotten:
        yield missed(f"{seen.forgotten} unanswered alert(s) without a next step")
    if seen.unfinished:
        yield missed(f"{seen.unfinished} notice(s) whose attempts never end")
    if up_s < STATION_STARTS_S:
        return
    if seen.steps.count and seen.steps.oldest_s > STEP_S:
        yield missed(
            f"{seen.steps.count} step(s) of the ladder not taken, the oldest due {seen.steps.oldest_s:.0f} s ago"
        )
    if seen.notices.count and seen.notices.oldest_s > STEP_S:
        yield missed(f"{seen.notices.count} notice(s) not tried, the oldest due {seen.notices.oldest_s:.0f} s ago")
    if seen.unheard_s > STEP_S:
        yield missed(f"findings not heard for {seen.unheard_s:.0f} s")


def _lives(seen: Seen, up_s: float) -> Iterator[Trouble]:
    if up_s >= STATION_STARTS_S:
        if seen.station_age_s is None or seen.station_age_s > SILENT_S:
            yield _stalled("station", _since(seen.station_age_s))
        for child in seen.mute:
            yield _stalled(child, "it does not answer")
    for pulse in seen.pulses:
        yield from _writer(pulse, up_s)
    for child, count in sorted(seen.starts.items()):
        if count >= MOST_STARTS:
            yield _stalled(child, f"started {count} times in a minute")


def _writer(pulse: Pulse, up_s: float) -> Iterator[Trouble]:
    # One that has lived since we are up is awaited for less time than one that is still compiling.
    has_lived = pulse.stored_age_s is not None and pulse.stored_age_s < up_s
    if not has_lived and up_s < INTAKE_STARTS_S:
        return
    if pulse.stored_age_s is None or pulse.stored_age_s > SILENT_S:
        yield _stalled("intake", f"shard {pulse.shard}: {_since(pulse.stored_age_s)}")
    elif pulse.unjudged_age_s is not None and pulse.unjudged_age_s > SILENT_S:
        yield _stalled("intake", f"shard {pulse.shard}: what came {pulse.unjudged_age_s:.0f} s ago is not judged")
    if pulse.chart_age_s is not None and pulse.chart_age_s > CHARTS_S:
        why = f"shard {pulse.shard}: no chart saved for {pulse.chart_age_s:.0f} s"
        yield Trouble(condition=StationCondition.CHARTS_STALE, subject="intake", why=why)


def _stalled(child: str, why: str) -> Trouble:
    return Trouble(condition=StationCondition.WORKER_STALLED, subject=child, why=why)


def _books(seen: Seen) -> Iterator[Trouble]:
    if seen.unaccounted:
        why = f"{seen.unaccounted} event(s) came and are neither archived, quarantined nor given up"
        yield Trouble(condition=StationCondition.UNACCOUNTED, subject="ledger", why=why)


def _since(age_s: float | None) -> str:
    return "no sign of life yet" if age_s is None else f"no sign of life for {age_s:.0f} s"


def is_coming_up(seen: Seen) -> str | None:
    """What has not come up yet; the house is not well before, though nothing may be wrong."""
    if seen.station_age_s is None or seen.station_age_s > SILENT_S:
        return "station"
    if not seen.pulses or any(one.stored_age_s is None or one.stored_age_s > SILENT_S for one in seen.pulses):
        return "intake"
    return None
