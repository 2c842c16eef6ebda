"""Logs for tests: the same admitted events in any chunking, batching, order and duplication, and the Ward run over them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from gateway.reading import EcgChunk
from stream.batch import Admitted, Batch
from stream.command import AssignmentChanged
from stream.finding import Finding
from stream.log_history import LogHistory
from stream.log_runner import hand_over
from stream.ward import Ward
from tests.stream.shard import T0


@dataclass
class Log:
    """Positions, made row by row."""

    batches: list[Batch] = field(default_factory=list)

    def add(self, tick: datetime, *payloads: object, client: str = "gw1", epoch: str = "e1") -> None:
        rows = tuple(
            Admitted(ord=n, client=client, epoch=epoch, received_at=getattr(p, "received_at", None) or tick, payload=p)
            for n, p in enumerate(payloads)
        )
        self.batches.append(Batch(shard=0, position=len(self.batches) + 1, tick=tick, rows=rows))


def assigned(device: str = "ecg1", patient: str = "ada", slot: int | None = None, **kept) -> AssignmentChanged:
    return AssignmentChanged(device=device, slot=slot, patient=patient, from_at=T0 - timedelta(days=365), **kept)


def split(
    samples: np.ndarray, rate_hz: float, sizes: list[int], device: str = "ecg1", session: str = "s1"
) -> list[EcgChunk]:
    """Samples as chunks of these sizes, again and again."""
    chunks, index, seq = [], 0, 0
    while index < len(samples):
        size = sizes[seq % len(sizes)]
        piece = samples[index : index + size]
        seq += 1
        at = T0 + timedelta(microseconds=round(index * 1e6 / rate_hz))
        end = T0 + timedelta(microseconds=round((index + len(piece)) * 1e6 / rate_hz))
        chunks.append(
            EcgChunk(
                device=device,
                stream="ecg/I",
                seq=seq,
                session=session,
                index=index,
                at=at,
                rate_hz=rate_hz,
                lead="I",
                samples=piece.astype("<i2").tobytes(),
                received_at=end,
            )
        )
        index += size
    return chunks


def in_time(chunks: list[EcgChunk], until_s: float, step_s: float = 1.0, first: tuple = ()) -> Log:
    """One position a step; each chunk goes into the first one whose tick is not before its arrival."""
    log, waiting = Log(), sorted(chunks, key=lambda c: (c.received_at, c.seq))
    tick = T0
    log.add(tick, *first)
    while tick < T0 + timedelta(seconds=until_s):
        tick += timedelta(seconds=step_s)
        now = [c for c in waiting if c.received_at <= tick]
        waiting = waiting[len(now) :]
        log.add(tick, *now)
    assert not waiting
    return log


def judge(log: Log, restart_at: set[int] | None = None, ward: Ward | None = None) -> list[Finding]:
    """Findings of a whole log. After each position of `restart_at` the Ward is saved and made anew from what was saved."""
    history, found = LogHistory(), []
    ward = ward or Ward(history)
    ward.history = history
    for batch in log.batches:
        history.add(batch)
        found += ward.observe(batch)
        if restart_at and batch.position in restart_at:
            ward = hand_over(ward, log.batches[: batch.position], batch.position, history)
    return found


def story(findings: list[Finding]) -> list[tuple]:
    """The newest statement of each episode: what must not depend on how the data came."""
    newest = {f.episode: f for f in findings}
    return sorted(
        (f.subject, f.condition, f.opened, f.onset, f.end, f.present, f.withdrawn, str(f.episode))
        for f in newest.values()
    )


def judged_set(findings: list[Finding], slack_s: float = 0.0) -> list[tuple]:
    """Condition, onset and end of each episode, without ids."""
    newest = {f.episode: f for f in findings}
    return sorted((f.subject, f.condition, f.onset, f.end) for f in newest.values() if f.withdrawn is None)


def later(chunk: EcgChunk, seconds: float) -> EcgChunk:
    """The same chunk, heard later."""
    return replace(chunk, received_at=chunk.received_at + timedelta(seconds=seconds))
