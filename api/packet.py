"""The packet of an emergency: who, where, what must be known, the last values, the strip; read once, shown in many ways.

The dispatcher's page, the FHIR document and the sheet of paper all say the same because they are made of this. Must never
be read for somebody who may not see the patient: that is the route's to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts import sending, strip
from alerts.overview import what
from alerts.reason import reason_of
from alerts.record import Record
from alerts.strip_svg import SECONDS
from api import roster
from stream.finding import SubjectKind

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alerts.alert import Alert, Episode
    from alerts.sealing import Seal
    from alerts.strip_svg import Tracing
    from alerts.words import Text
    from api.entries import Entries
    from api.roster import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The alert that the packet is about."""

    alert: Alert
    episode: Episode | None
    """What was found last."""
    what: Text
    """The condition's name, by language."""
    reason: Text
    """Why somebody was told, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """All that is handed out about a person at one moment."""

    at: datetime
    """The newest of what it holds: the same content says the same time, whenever it is asked for."""
    record: Record
    entries: Entries
    case: Case | None = None
    tracing: Tracing | None = None


def of_alert(conn: Connection, alert: UUID, seal: Seal) -> Packet | None:
    """The packet of one alert; None where there is none of this id, or it is not about a person."""
    found = sending.alert_with_episodes(conn, alert)
    if found is None or found[0].subject_kind is not SubjectKind.PATIENT:
        return None
    known, episodes = found
    latest = max((one for one in episodes if not one.withdrawn), key=lambda one: (one.present, one.onset), default=None)
    record, entries = roster.whole(conn, known.subject, seal)
    tracing = strip.tracing_of(conn, alert)
    times = [known.raised_at, known.onset, *(one for one in (known.answered_at, known.closed_at) if one)]
    times += [latest.end] if latest is not None and latest.end else []
    times += [tracing.from_at + timedelta(seconds=SECONDS)] if tracing is not None else []
    at = max(*times, *_measured(record))
    case = Case(
        alert=known, episode=latest, what=what(known.condition), reason=reason_of(known, known.tier, latest, at)
    )
    return Packet(at=at, record=record, entries=entries, case=case, tracing=tracing)


def of_patient(conn: Connection, patient: str, seal: Seal, now: datetime) -> Packet:
    """What is known of a person without any alert; where nothing has a time, as of now."""
    record, entries = roster.whole(conn, patient, seal)
    return Packet(at=max(_measured(record), default=now), record=record, entries=entries)


def _measured(record: Record) -> list[datetime]:
    return [] if isinstance(record.vitals, str) else [one.at for one in record.vitals]
