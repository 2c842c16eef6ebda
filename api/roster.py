"""Who a patient is: the only part that knows a name. Fills the port `alerts.record.RecordSource`.

What is not known says "unknown", and is never left out. Must never log a name, and never write one in the clear.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from alerts.record import UNKNOWN, Audience, Contact, Record, RecordSource, Vital, for_audience
from api.entries import LISTS, Entries, of_rows, to_rows, words
from api.sealed import PERSON
from gateway.reading import VALUE_NAMES, ReadingKind
from stream.store.sql import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from alerts.sealing import Seal

SQL = queries(Path(__file__).with_name("roster.sql"))
_COLUMNS = tuple(one.name for one in fields(Record) if one.name not in {"patient", "position", "vitals"})

Connection = psycopg.Connection[Any]


def save(conn: Connection, record: Record, seal: Seal, now: datetime, entries: Entries | None = None) -> None:
    """Add a person, or write all of one anew (without the vitals, which are the archive's). The caller commits.

    `entries`: the lists with their codes, instead of the record's words.
    """
    row: dict[str, Any] = {"patient": record.patient, "now": now}
    for name in _COLUMNS:
        value = getattr(record, name)
        if entries is not None and name in LISTS:
            listed = entries.get(name)
            value = UNKNOWN if listed is None else to_rows(listed)
        if value == UNKNOWN:
            row[name] = None
        elif name in PERSON.columns:
            row[name] = seal.seal(msgspec.json.encode(value), PERSON.place(name, record.patient))
        else:
            row[name] = value
    conn.execute(SQL["save_person"], row)


def read(conn: Connection, patient: str, seal: Seal) -> Record:
    """All that is known of a patient; one whom nobody entered is all "unknown", with the vitals that there are."""
    return whole(conn, patient, seal)[0]


def entries(conn: Connection, patient: str, seal: Seal) -> Entries:
    """The lists of a record with their codes; None: not known, empty: none."""
    return _entries(_opened(conn, patient, seal))


def lock(conn: Connection, patient: str) -> None:
    """Until the end of the transaction nobody else writes this record who asked for it so, one that is not there yet too."""
    conn.execute(SQL["lock_person"], {"patient": patient})


def etag(conn: Connection, patient: str) -> str:
    """Which state of the record there is: another after every write."""
    row = conn.execute(SQL["version"], {"patient": patient}).fetchone()
    return f'"{row[0]}"' if row else '"0"'


def whole(conn: Connection, patient: str, seal: Seal) -> tuple[Record, Entries]:
    """Both, of one reading."""
    known = _opened(conn, patient, seal)
    return replace(_record(patient, known), vitals=vitals(conn, patient) or UNKNOWN), _entries(known)


def _entries(known: dict[str, Any]) -> Entries:
    return {name: None if known.get(name) is None else of_rows(known[name]) for name in LISTS}


def _record(patient: str, known: dict[str, Any]) -> Record:
    told = known | {name: words(listed) for name, listed in _entries(known).items() if listed is not None}
    if isinstance(told.get("contacts"), list):
        told["contacts"] = tuple(msgspec.convert(one, Contact) for one in told["contacts"])
    told = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Record(patient=patient, **told)


def _opened(conn: Connection, patient: str, seal: Seal) -> dict[str, Any]:
    """The row as it was saved, unsealed; what is not known is left out."""
    row = conn.cursor(row_factory=dict_row).execute(SQL["person"], {"patient": patient}).fetchone()
    known: dict[str, Any] = {}
    for name in _COLUMNS if row else ():
        value = row[name] if row else None
        if value is not None:
            known[name] = (
                msgspec.json.decode(seal.open(value, PERSON.place(name, patient))) if name in PERSON.columns else value
            )
    return known


def vitals(conn: Connection, patient: str) -> tuple[Vital, ...]:
    """The newest reading of each kind, with its time; as heart rate the detector's own, where that is newer."""
    found = {one.kind: one for one in readings_of(conn, [patient]).get(patient, ())}
    rate = conn.cursor(row_factory=dict_row).execute(SQL["last_rate"], {"patient": patient}).fetchone()
    counted = found.get(ReadingKind.HEART_RATE)
    if rate is not None and (counted is None or counted.at < rate["at"]):
        values = {"rate_bpm": round(rate["rate_bpm"], 1)}
        found[ReadingKind.HEART_RATE] = Vital(
            kind=str(ReadingKind.HEART_RATE),
            values=values,
            at=rate["at"],
            flags=("detector", *filter(None, [rate["condition"]])),
        )
    return tuple(found[kind] for kind in sorted(found))


def readings_of(conn: Connection, patients: Sequence[str]) -> dict[str, list[Vital]]:
    """The newest reading of each kind of each patient, as devices measured it."""
    asked = {"patients": list(patients), "kinds": [str(kind) for kind in ReadingKind]}
    found: dict[str, list[Vital]] = {patient: [] for patient in patients}
    for row in conn.cursor(row_factory=dict_row).execute(SQL["last_vitals"], asked).fetchall():
        values = named(row["kind"], row["readings"])
        found[row["patient"]].append(Vital(kind=row["kind"], values=values, at=row["at"], flags=tuple(row["flags"])))
    return found


def named(kind: str, values: list[float | None]) -> dict[str, float | None]:
    """A reading's values by their names."""
    names = VALUE_NAMES.get(ReadingKind(kind)) if kind in set(ReadingKind) else None
    return dict(zip(names or tuple(f"value_{n}" for n in range(len(values))), values, strict=False))


def people(conn: Connection, after: str, limit: int, others: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Who is entered, by id, but for `others`: no names."""
    asked = {"after": after, "limit": limit, "others": sorted(others)}
    return conn.cursor(row_factory=dict_row).execute(SQL["people"], asked).fetchall()


def record_source(connect: Callable[[], Connection], seal: Seal) -> RecordSource:
    """The port, over connections of its own: the station hands in how to get one."""

    def source(patient: str, audience: Audience) -> Record:
        with connect() as conn:
            record = read(conn, patient, seal)
        return for_audience(record, audience) or Record(patient=patient)

    return source
