"""What tests of alerting may ask for: a clock moved by hand, a stream to speak, a desk (one station, step by step)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alerts.record import no_record
from tests.alerts.desk import Desk, HandClock, Recorder, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def webhook() -> Recorder:
    return Recorder()


@pytest.fixture
def logged() -> Recorder:
    return Recorder()


@pytest.fixture
def stream(dsn: str) -> Stream:
    return Stream(dsn)


@pytest.fixture
def desk(dsn: str, clock: HandClock, tmp_path: Path, webhook: Recorder, logged: Recorder) -> Iterator[Desk]:
    made = Desk(dsn, clock, tmp_path / "keys", {"webhook": webhook, "log": logged}, no_record)
    yield made
    made.close()


@pytest.fixture
def second_desk(
    dsn: str, clock: HandClock, tmp_path: Path, desk: Desk, webhook: Recorder, logged: Recorder
) -> Iterator[Desk]:
    """Another station over the same database and keys."""
    made = Desk(dsn, clock, tmp_path / "keys", {"webhook": webhook, "log": logged}, no_record)
    yield made
    made.close()
