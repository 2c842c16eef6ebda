"""What a notice carries beside its own words: the record and the strip, asked for at once and never waited for long.

Each has its own status, for the one may come without the other. Must never keep an alert from going out.
"""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from alerts.alert import EventType
from alerts.faults import where
from alerts.record import PATIENCE_S, Audience, Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future
    from uuid import UUID

    from alerts.record import RecordSource, StripSource

UPDATE_PATIENCE_S = 10.0
"""An update is about what it carries: it may wait for it."""
_LOG: Any = structlog.get_logger(__name__)
_Part = TypeVar("_Part")


class Status(StrEnum):
    """How a part of the payload got there."""

    COMPLETE = "complete"
    SHORTENED = "shortened: the whole does not fit into one message"
    LATE = "missing: it follows in an update"
    FAILED = "failed: it could not be made, and somebody is told in the log"
    NONE = "none: there is no ECG of this patient around the onset"
    NO_ADDRESS = "none: this service has no public address; ask it for the packet, or call back"
    NO_LINK = "missing: it could not be made in time; call back for one"
    LEFT_OUT = "left out: the message would be too large; ask for the alert's strip.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came in time."""

    record: Record | None = None
    record_status: Status = Status.LATE
    strip: str | None = None
    strip_status: Status = Status.NONE
    link: str | None = None
    """To the whole packet, for a dispatcher."""
    link_status: Status = Status.NO_ADDRESS

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left that an update should bring."""
        return self.record is not None and self.strip_status is not Status.LATE


def carried(
    alert: UUID,
    subject: str,
    audience: Audience,
    records: RecordSource,
    strips: StripSource,
    waiting: Executor,
    type_: EventType,
    link: Callable[[], str | None] = lambda: None,
) -> Carried:
    """Ask all sources, and wait for what they have: half a second in all, for an update a while longer."""
    until = time.monotonic() + (PATIENCE_S if type_ is EventType.RAISED else UPDATE_PATIENCE_S)
    asked: Future[Record | None] = waiting.submit(records, subject, audience)
    drawn = waiting.submit(strips, alert)
    linked = waiting.submit(link)
    record, record_status = _result(asked, until, "record", alert)
    strip, strip_status = _result(drawn, until, "strip", alert)
    url, link_status = _result(linked, until, "link", alert)
    if strip_status is Status.COMPLETE and strip is None:
        strip_status = Status.NONE
    # A record that could not be read is asked for again; a strip that cannot be drawn would fail again.
    record_status = Status.LATE if record is None else record_status
    if link_status is not Status.COMPLETE:
        link_status = Status.NO_LINK
    return Carried(record=record, record_status=record_status, strip=strip, strip_status=strip_status, link=url,
                   link_status=link_status if url or link_status is Status.NO_LINK else Status.NO_ADDRESS)  # fmt: skip


def _result(asked: Future[_Part | None], until: float, what: str, alert: UUID) -> tuple[_Part | None, Status]:
    try:
        return asked.result(timeout=max(0.0, until - time.monotonic())), Status.COMPLETE
    except TooSlow:
        asked.cancel()
        _LOG.warning(f"{what}_late", alert=str(alert))
        return None, Status.LATE
    except Exception as error:  # noqa: BLE001 - whatever the source does, the alert goes
        _LOG.error(f"{what}_failed", alert=str(alert), **where(error))
        return None, Status.FAILED
