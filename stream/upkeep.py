"""The upkeep process: what `tierwatch store maintain` does, once a day by itself. Never in the way of intake.

A run that fails is logged and tried again within the hour; nobody's data waits for it, since partitions have a DEFAULT.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import structlog

from stream.store.connect import StoreUnreachable
from stream.store.maintain import AlreadyRunning, Rules, maintain

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

DAY_S = 86_400.0
HOUR_S = 3_600.0
SETTLE_S = 60.0
"""The first run waits until the house has started."""

_log = structlog.get_logger("stream.upkeep")


def run(dsn: str, ecg_days: int, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Maintain the store shortly after the start and then each day, until `stop`."""
    ready()
    rules = Rules(ecg=timedelta(days=ecg_days))
    wait_s = SETTLE_S
    while not stop.wait(wait_s):
        try:
            maintain(dsn, rules)
            wait_s = DAY_S
        except (psycopg.Error, StoreUnreachable, AlreadyRunning) as error:
            _log.warning("upkeep_failed", error=str(error).splitlines()[0])
            wait_s = HOUR_S
