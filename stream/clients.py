"""Findings about gateways and about the server itself: silence, bad messages, data given up. Pure, like the Ward.

One for the whole shard, beside the Ward, so that households can be judged apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from gateway.reading import Abandoned
from stream.batch import Admitted, Batch, Greeted, Noticed, Quarantined, Reason, Trouble
from stream.finding import Condition, Finding, SubjectKind
from stream.instants import SECOND, micros
from stream.lane import Listening
from stream.statement import Evidence, cleared, is_open, opened, revised

LINK_SILENT_US = 60 * SECOND
"""A client that was heard and is not heard for so long is silent (its events come about once a second)."""
CALM_US = 600 * SECOND
"""So long without another bad message ends the finding about them."""
COMPONENT = "server"
FILLING_PERCENT, EMPTIED_PERCENT = 50, 40
"""An outbox as full as the first fills; as empty as the second, it does no longer (`gateway.gateway` tells from 50 on)."""
MINUTE_US, HOUR_MINUTES = 60 * SECOND, 60
GROWING, SHRUNK = 100, 50
"""Into quarantine within an hour, from whomever: with the first it grows, with the second it does no longer."""

QUARANTINE: dict[Reason, Condition] = {
    Reason.MALFORMED: Condition.MALFORMED,
    Reason.WRONG_UNIT: Condition.MALFORMED,
    Reason.IMPOSSIBLE: Condition.MALFORMED,
    Reason.WRONG_CLIENT: Condition.MALFORMED,
    Reason.UNSTORABLE: Condition.MALFORMED,
    Reason.CLOCK_AHEAD: Condition.CLOCK_AHEAD,
    Reason.SEQ_CONFLICT: Condition.SEQ_CONFLICT,
    Reason.UNKNOWN_DEVICE: Condition.UNKNOWN_DEVICE,
    Reason.OVERSIZED: Condition.OVERSIZED,
    Reason.QUARANTINE_FULL: Condition.QUARANTINE_FULL,
}
"""Why something lies in quarantine, and the finding that says so."""

TROUBLES: dict[Trouble, Condition] = {
    Trouble.CLOCK_STEP: Condition.CLOCK_STEP,
    Trouble.OVERLOADED: Condition.INTAKE_OVERLOADED,
    Trouble.STORE_FULL: Condition.STORE_FULL,
    Trouble.BROKER: Condition.BROKER_COMPLAINS,
    Trouble.DETERMINISM: Condition.DETERMINISM_FAULT,
}


@dataclass(slots=True)
class Clients:
    """What is remembered of every client: when it was heard, and what is said of it."""

    listening: Listening = field(default_factory=Listening)
    heard_us: dict[str, int] = field(default_factory=dict)
    """Listening time at which a client was last heard."""
    told: dict[str, Finding] = field(default_factory=dict)
    """The newest statement by `subject/condition`, of those that are open."""
    renewed_us: dict[str, int] = field(default_factory=dict)
    """Listening time at which it was last renewed."""
    position: int = 0
    quarantined: dict[int, int] = field(default_factory=dict)
    """How many came into quarantine in each minute of listening of the last hour."""

    def observe(self, batch: Batch) -> list[Finding]:
        """Findings of one position, in order of (subject, condition)."""
        listening_us = self.listening.tick(micros(batch.tick))
        said: list[Finding] = []
        for row in batch.rows:
            said += self._row(row, batch, listening_us)
        said += self._tick(batch, listening_us)
        newest = {f.episode: f for f in said}
        return sorted(newest.values(), key=lambda f: (f.subject, f.condition, f.opened))

    def _row(self, row: Admitted, batch: Batch, listening_us: int) -> list[Finding]:
        said: list[Finding] = []
        if row.client is not None:
            self.heard_us[row.client] = listening_us
        at_us, mark = micros(row.received_at), f"{batch.position}:{row.ord}"
        match row.payload:
            case Greeted(outbox_percent=int(percent)):
                said += self._outbox(f"{row.client}/{Condition.OUTBOX_FILLING}", percent, mark, at_us, listening_us)
            case Quarantined() as bad:
                minute = listening_us // MINUTE_US
                self.quarantined[minute] = self.quarantined.get(minute, 0) + 1
                key = f"{bad.client}/{QUARANTINE[bad.reason]}"
                evidence: Evidence = {"reason": bad.reason, "at_fault": bad.at_fault, "device": bad.device or ""}
                said.append(self._renew(key, SubjectKind.CLIENT, mark, at_us, listening_us, evidence))
            case Abandoned() as lost:
                key = f"{row.client}/{Condition.DATA_ABANDONED}"
                evidence = {"reason": lost.reason, "device": lost.device, "stream": lost.stream}
                events = lost.last - lost.first + 1
                said.append(self._renew(key, SubjectKind.CLIENT, mark, at_us, listening_us, evidence, events))
            case Noticed() as trouble:
                key = f"{COMPONENT}/{TROUBLES[trouble.trouble]}"
                if trouble.present:
                    evidence = {"detail": trouble.detail}
                    said.append(self._renew(key, SubjectKind.COMPONENT, mark, at_us, listening_us, evidence))
                elif key in self.told:
                    said.append(self._end(key, at_us))
        return said

    def _tick(self, batch: Batch, listening_us: int) -> list[Finding]:
        said: list[Finding] = []
        tick_us = micros(batch.tick)
        for client, heard_us in self.heard_us.items():
            key = f"{client}/{Condition.LINK_SILENT}"
            if listening_us - heard_us >= LINK_SILENT_US and key not in self.told:
                mark = f"{heard_us}"
                silent: Evidence = {"silent_s": LINK_SILENT_US // SECOND}
                said.append(self._renew(key, SubjectKind.CLIENT, mark, tick_us, listening_us, silent))
            elif listening_us - heard_us < LINK_SILENT_US and key in self.told:
                said.append(self._end(key, tick_us))
        said += self._quarantine(f"{batch.position}", tick_us, listening_us) if self.quarantined else []
        for key, renewed_us in list(self.renewed_us.items()):
            is_over = listening_us - renewed_us >= CALM_US and not key.endswith(_STANDING)
            if is_over:
                said.append(self._end(key, tick_us))
        return said

    def _outbox(self, key: str, percent: int, mark: str, at_us: int, listening_us: int) -> list[Finding]:
        before = self.told.get(key)
        if percent <= EMPTIED_PERCENT:
            return [] if before is None else [self._end(key, at_us)]
        is_news = percent >= FILLING_PERCENT if before is None else percent // 10 != before.evidence["tenth"]
        if not is_news:
            return []
        evidence: Evidence = {"outbox_percent": percent, "tenth": percent // 10}
        return [self._renew(key, SubjectKind.CLIENT, mark, at_us, listening_us, evidence)]

    def _quarantine(self, mark: str, tick_us: int, listening_us: int) -> list[Finding]:
        """Whether much came into quarantine within the last hour; told anew each time that it has doubled."""
        oldest = listening_us // MINUTE_US - HOUR_MINUTES
        self.quarantined = {minute: n for minute, n in self.quarantined.items() if minute > oldest}
        within_hour = sum(self.quarantined.values())
        key = f"{COMPONENT}/{Condition.QUARANTINE_GROWING}"
        before = self.told.get(key)
        if before is not None and within_hour <= SHRUNK:
            return [self._end(key, tick_us)]
        enough = GROWING if before is None else 2 * int(before.evidence["within_hour"])
        if within_hour < enough:
            return []
        evidence: Evidence = {"within_hour": within_hour}
        return [self._renew(key, SubjectKind.COMPONENT, mark, tick_us, listening_us, evidence)]

    def _renew(
        self,
        key: str,
        kind: SubjectKind,
        mark: str,
        at_us: int,
        listening_us: int,
        evidence: Evidence,
        count: int = 1,
    ) -> Finding:
        subject, condition = key.rsplit("/", 1)
        self.renewed_us[key] = listening_us
        before = self.told.get(key)
        if before is None or not is_open(before):
            found = opened(
                subject, Condition(condition), stream="", opened_at=mark, onset_us=at_us, at_us=at_us,
                evidence={**evidence, "count": count}, subject_kind=kind,
            )  # fmt: skip
        else:
            total = int(before.evidence.get("count", 0)) + count
            found = revised(before, at_us=max(at_us, micros(before.at)), evidence={**evidence, "count": total})
        self.told[key] = found
        return found

    def _end(self, key: str, at_us: int) -> Finding:
        before = self.told.pop(key)
        self.renewed_us.pop(key, None)
        return cleared(before, at_us=at_us, end_us=at_us)


_STANDING = tuple(
    f"/{condition}"
    for condition in (
        Condition.LINK_SILENT,
        Condition.INTAKE_OVERLOADED,
        Condition.STORE_FULL,
        Condition.OUTBOX_FILLING,
        Condition.QUARANTINE_GROWING,
    )
)
"""These end when the cause does, not by calm alone."""


def pack(clients: Clients) -> bytes:
    """The book as bytes."""
    return msgspec.msgpack.encode(clients)


def unpack(state: bytes) -> Clients:
    """The book from `pack`."""
    return msgspec.msgpack.decode(state, type=Clients)
