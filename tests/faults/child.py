"""A child of the supervisor with faults built in: it dies, raises or misreads where a file in the faults folder says so.

    python -m tests.faults.child FAULTS run intake --config ...

A file named after a crash point kills the process there, once: it is renamed to NAME.fired and says what was in flight.
The other faults last as long as their file. Without any file the child behaves as it always does.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import namedtuple
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

FAULTS = Path(sys.argv[1])


def die_at(point: str, **in_flight: object) -> None:
    """Die here if a test asks for it."""
    armed = FAULTS / point
    if armed.exists():
        armed.with_suffix(".facts").write_text(json.dumps(in_flight))
        armed.rename(armed.with_suffix(".fired"))
        os._exit(9)


def told(name: str) -> str | None:
    """What a lasting fault says; None: there is none."""
    try:
        return (FAULTS / name).read_text().strip()
    except FileNotFoundError:
        return None


def after(owner: Any, name: str, then: Any) -> None:
    """Have `then(result, *arguments)` called after a function."""
    real = getattr(owner, name)

    @wraps(real)
    def both(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        then(result, *arguments)
        return result

    setattr(owner, name, both)


def before(owner: Any, name: str, first: Any) -> None:
    """Have `first(*arguments)` called before a function."""
    real = getattr(owner, name)

    @wraps(real)
    def both(*arguments: Any, **named: Any) -> Any:
        first(*arguments, **named)
        return real(*arguments, **named)

    setattr(owner, name, both)


def hurt_intake() -> None:
    """The writer's crash points, and a detector, a disk and a clock that fail."""
    writer_dies()
    detector_fails()
    machine_misleads()


def writer_dies() -> None:
    """The places between two commits."""
    from stream import archive, intake

    def flushed(_: object, writing: Any) -> None:
        if events := sum(1 for row in writing.rows if row.client is not None):
            die_at("before_commit", events=events)

    def stored(found: Any, *_: object) -> None:
        if found.batch.rows:
            die_at("commit_ack", position=found.batch.position, events=len(found.batch.rows))

    def tells(_: object, found: Any, *__: object) -> None:
        if found.batch.rows:
            die_at("ack_receipt", position=found.batch.position, events=len(found.batch.rows))

    def judges(_: object, batch: Any) -> None:
        if batch.rows:
            die_at("before_judged", position=batch.position, events=len(batch.rows))

    after(archive._Writing, "flush", flushed)
    after(intake.Writer, "_store", stored)
    before(intake.Writer, "_tell", tells)
    before(intake.Writer, "judge", judges)


def detector_fails() -> None:
    """For one patient it raises, for another it ends the process, as native code does."""
    from stream import ecg_statements

    def detector(lane: Any, *_: object) -> None:
        if lane.chart.patient is None:
            return
        if lane.chart.patient == told("raises"):
            raise ZeroDivisionError("the detector fails on this patient")
        if lane.chart.patient == told("exits"):
            os._exit(139)

    before(ecg_statements, "silence", detector)


def machine_misleads() -> None:
    """A disk that is full, and a clock that was stepped."""
    from stream import embedded, place

    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    real_usage = shutil.disk_usage

    def disk(path: Any) -> Any:
        free = told("free_mb")
        return real_usage(path) if free is None else usage(10**12, 10**12, int(free) * 1_000_000)

    embedded.shutil.disk_usage = disk  # type: ignore[attr-defined]
    embedded.DISK_EVERY_S = 0.5
    real_now = place.Place.now

    def now(self: Any) -> datetime:
        return real_now(self) + timedelta(seconds=float(told("clock_step_s") or 0))

    place.Place.now = now  # type: ignore[method-assign]


def hurt_station() -> None:
    """The station's crash points."""
    from alerts import register, sending
    from alerts.delivery.outcome import Delivered

    def delivered(_: object, claimed: Any, outcome: Any, *__: object) -> None:
        if isinstance(outcome, Delivered) and claimed.notice.to.channel == "webhook":
            die_at("delivered_outcome", notice=str(claimed.notice.notice), attempt=claimed.attempt)

    def saved(_: object, __: object, changes: Any, *___: object) -> None:
        if changes:
            die_at("alert_commit", changes=len(changes))

    before(sending, "conclude", delivered)
    after(register, "save", saved)


def main() -> None:
    """Be the child."""
    import tierwatch

    sys.argv = ["tierwatch", *sys.argv[2:]]
    {"intake": hurt_intake, "station": hurt_station}[sys.argv[2]]()
    tierwatch.main()


if __name__ == "__main__":
    main()
