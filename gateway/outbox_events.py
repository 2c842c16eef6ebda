"""Events as the outbox holds them: read from a row with its checksum, and dated once when the time is known. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zlib import crc32

from gateway import wire
from gateway.reading import AtSource, DeviceStatus, EcgChunk, Reading, Sequenced

if TYPE_CHECKING:
    from datetime import datetime

_SAME_TIME = timedelta(milliseconds=50)


def sound_event(body: bytes, crc: int) -> Sequenced | None:
    """The event of a row, or None where the row is damaged."""
    if not isinstance(body, bytes) or crc32(body) != crc:
        return None
    try:
        return event_of(body)
    except wire.MalformedMessage:
        return None


def event_of(body: bytes) -> Sequenced:
    """The event of a row.

    Raises:
        MalformedMessage: the row is damaged.
    """
    event, _ = wire.decode_event(body)
    assert isinstance(event, EcgChunk | Reading | DeviceStatus)
    return event


def moved(event: Sequenced, received_at: datetime) -> Sequenced:
    """The event as it would have been, had the clock been right when it was heard."""
    by = received_at - (event.received_at or event.at)
    if abs(by) < _SAME_TIME:
        return event
    return replace(event, at=event.at + by, received_at=received_at)


def estimated(event: Sequenced) -> Sequenced:
    """The event with the mark that its time was never known (a status has no such mark)."""
    if isinstance(event, DeviceStatus):
        return event
    return replace(event, at_source=AtSource.ESTIMATED)
