"""Devices as people see them: what each is, its battery, when it was last heard, what is still to come, whose it was.

Read from the stream by its functions. Must never say that all is sent while its gateway cannot be heard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from api.house import Row, rows
from api.watching import is_seen
from gateway.reading import STRIP_STREAMS, DeviceId, DeviceStatus
from stream.assignments import FOREVER, Assignments
from stream.command import AssignmentChanged
from stream.finding import PatientId
from stream.instants import instant
from stream.limits import DEFAULTS
from stream.log_words import decode_payload

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

LATELY = timedelta(minutes=5)
"""A gateway that was not heard for so long may hold what nobody here knows of. It greets each half minute."""
_KINDS = {"cgm": "glucose"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """From when until when a device's user slot is somebody's, as everything that was said comes out."""

    slot: int | None
    """None: every slot without an assignment of its own."""
    patient: str
    from_at: datetime
    to_at: datetime | None
    """None: until something else is said."""


@dataclass(slots=True, kw_only=True)
class Shown:
    """One device."""

    device: str
    """By its own serial number or address."""
    kinds: list[str] = field(default_factory=list)
    """What it has sent: `ecg`, `ecg_strip`, `blood_pressure`, `glucose`, `heart_rate`, ..."""
    last_at: datetime | None = None
    """When what came last was measured."""
    heard_at: datetime | None = None
    """When it was last heard by a gateway; None: never."""
    missing: int = 0
    """Events that its gateway has numbered and that have not come."""
    is_all_sent: bool | None = None
    """None: not known, its gateway cannot be heard just now (or it never sent anything)."""
    battery_percent: int | None = None
    contact: bool | None = None
    link: str | None = None
    firmware: str | None = None
    clock_offset_s: float | None = None
    note: str | None = None
    told_at: datetime | None = None
    """When it last said how it is."""
    holdings: list[Holding] = field(default_factory=list)


def kind_of(stream: str) -> str | None:
    """What a stream of this name carries; None: nothing that is measured."""
    if stream.startswith(STRIP_STREAMS):
        return "ecg_strip"
    if stream.startswith("ecg/"):
        return "ecg"
    return None if stream == "status" else _KINDS.get(stream, stream)


def listed(conn: psycopg.Connection[Any], patient: str | None, now: datetime) -> list[Shown]:
    """The devices that are or were one patient's; None: every device."""
    found = [_summed(name, list(lanes)) for name, lanes in groupby(
        rows(conn, "devices", patient=patient, heard_since=now - LATELY), itemgetter("device"))]  # fmt: skip
    names = [one.device for one in found]
    said = _by_device(rows(conn, "said_of", devices=names))
    told = _by_device(rows(conn, "statuses", devices=names))
    for one in found:
        one.holdings = holdings(one.device, said.get(one.device, []))
        _tell(one, told.get(one.device, []))
    return found


def holdings(device: str, said: Iterable[Row]) -> list[Holding]:
    """Who holds a device's slots when, newest first: a later statement overrides an earlier one where they meet."""
    assignments = Assignments()
    for row in said:
        assignments.apply(
            AssignmentChanged(
                device=DeviceId(device),
                slot=row["slot"],
                patient=PatientId(row["patient"]) if row["patient"] else None,
                from_at=row["from_at"],
                to_at=row["to_at"],
            )
        )
    found = [
        Holding(slot=slot, patient=span.patient, from_at=instant(span.first), to_at=_until(span.end))
        for slot, span in assignments.spans(DeviceId(device))
        if span.patient is not None
    ]
    return sorted(found, key=lambda one: one.from_at, reverse=True)


def holds(held: Holding, at: datetime, patient: str | None = None) -> bool:
    """Whether it holds at an instant, and for this patient (None: whoever)."""
    is_theirs = patient is None or held.patient == patient
    return is_theirs and held.from_at <= at and (held.to_at is None or at < held.to_at)


def worn_by(conn: psycopg.Connection[Any], patient: str, now: datetime) -> list[Shown]:
    """The devices that are a patient's now."""
    return [one for one in listed(conn, patient, now) if any(holds(held, now, patient) for held in one.holdings)]


def to_wearer(one: Shown, now: datetime) -> Row:
    """A device as its wearer, and their family, are told of it."""
    battery = one.battery_percent
    return {
        "device": one.device,
        "kinds": one.kinds,
        "battery_percent": battery,
        "is_low": battery is not None and battery <= DEFAULTS["battery_low_percent"],
        "heard_at": one.heard_at,
        "measured_at": one.last_at,
        "is_seen": is_seen(one.kinds, one.last_at, now),
        "link": one.link,
        "missing": one.missing,
        "is_all_sent": one.is_all_sent,
    }


def _until(us: int) -> datetime | None:
    return None if us == FOREVER else instant(us)


def _summed(device: str, lanes: list[Row]) -> Shown:
    one = Shown(device=device)
    streams = [row["lane_stream"] for row in lanes if row["lane_stream"]]
    one.kinds = sorted({kind for stream in streams if (kind := kind_of(stream))})
    one.last_at = max((row["at"] for row in lanes if row["at"]), default=None)
    one.heard_at = max((row["received_at"] for row in lanes if row["received_at"]), default=None)
    one.missing = sum(row["missing"] for row in lanes)
    if one.missing:
        one.is_all_sent = False
    elif any(row["client_heard"] for row in lanes):
        one.is_all_sent = True
    return one


def _tell(one: Shown, told: list[Row]) -> None:
    """Of each thing that a device says of itself the newest word."""
    for row in told:
        status = decode_payload(bytes(row["body"]))
        if not isinstance(status, DeviceStatus):
            continue
        one.told_at = one.told_at or row["received_at"]
        for name in ("battery_percent", "contact", "link", "firmware", "clock_offset_s", "note"):
            if getattr(one, name) is None:
                setattr(one, name, getattr(status, name))


def _by_device(found: list[Row]) -> dict[str, list[Row]]:
    return {name: list(mine) for name, mine in groupby(found, itemgetter("device"))}
