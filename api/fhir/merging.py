"""What a Bundle says meets what the roster knows. Pure; the same Bundle again changes nothing.

Nothing known is removed because the Bundle does not speak of it: only what it says to be over, refuted or an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alerts.record import UNKNOWN, Contact, Record
from api.entries import LISTS, Entries, Entry
from api.fhir.checking import Broken, Fault
from api.fhir.told import NotTaken

if TYPE_CHECKING:
    from api.fhir.told import Reading

_FACTS = ("name", "birth_date", "sex", "language", "address", "blood_group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The record after an import, and what is new in it."""

    record: Record
    entries: Entries
    changes: tuple[dict[str, Any], ...]
    """A field that changes: `field`, and `before` and `after` as an alert carries them; of lists `added`, `removed`."""
    not_taken: tuple[NotTaken, ...]


def merge(record: Record, entries: Entries, reading: Reading) -> Merged:
    """The record with what the Bundle says.

    Raises:
        Broken: it is about somebody else.
    """
    told = dict(reading.told)
    if (born := told.get("birth_date")) and record.birth_date != UNKNOWN:
        if not (born.startswith(record.birth_date) or record.birth_date.startswith(born)):
            raise Broken([Fault(reading.places["birth_date"], "is not this patient's: is it another person's Bundle?")])
        told["birth_date"] = max(born, record.birth_date, key=len)
    if (group := told.get("blood_group")) and record.blood_group not in {UNKNOWN, group}:
        if not record.blood_group.startswith(group):
            raise Broken([Fault(reading.places["blood_group"], "is not the record's: correct one of them by hand")])
        del told["blood_group"]  # the record says it more exactly
    known: dict[str, Any] = {name: told[name] for name in _FACTS if name in told}
    if reading.phones:
        known["phones"] = _phones(record.phones, reading.phones)
    if reading.contacts:
        known["contacts"] = _contacts(record.contacts, reading.contacts)
    after, listed, not_taken = replace(record, **known), dict(entries), list(reading.not_taken)
    for name in LISTS:
        before = entries.get(name)
        if name in reading.none and before:
            why = f"the record holds {name}: remove them by hand if there are none"
            not_taken.append(NotTaken(reading.places[f"no {name}"], f"no {name}", why))
        listed[name] = _list(before, reading.entries[name], reading.over[name], is_none=name in reading.none)
    changes = (*_facts(record, after), *(_listed(name, entries.get(name), listed[name]) for name in LISTS))
    return Merged(record=after, entries=listed, changes=tuple(filter(None, changes)), not_taken=tuple(not_taken))


def _list(
    before: tuple[Entry, ...] | None, told: list[Entry], over: set[tuple[str, str]], *, is_none: bool
) -> tuple[Entry, ...] | None:
    """A list that nobody knew stays so until something is told."""
    if before is None and not told:
        return () if is_none else None
    new = {entry.same: entry for entry in told}
    # What was entered by hand as words becomes the coded one that says the same.
    words = {Entry(text=entry.text).same: entry.same for entry in told}
    kept = []
    for entry in before or ():
        same = words.get(entry.same, entry.same)
        if same in new:
            kept.append(new.pop(same))
        elif same not in over:
            kept.append(entry)
    return (*kept, *new.values())


def _phones(before: tuple[str, ...] | str, told: list[str]) -> tuple[str, ...]:
    kept = before if isinstance(before, tuple) else ()
    digits = {_digits(one) for one in kept}
    return (*kept, *(one for one in told if _digits(one) not in digits))


def _digits(number: str) -> str:
    return re.sub(r"[^+\d]", "", number)


def _contacts(before: tuple[Contact, ...] | str, told: list[Contact]) -> tuple[Contact, ...]:
    """By name; what the Bundle leaves unsaid of somebody stays as it was known."""
    new = {one.name.casefold(): one for one in told}
    kept = []
    for one in before if isinstance(before, tuple) else ():
        other = new.pop(one.name.casefold(), None)
        said = {name: value for name in ("relation", "phone", "language", "has_key")
                if other is not None and (value := getattr(other, name)) != UNKNOWN}  # fmt: skip
        kept.append(replace(one, **said))
    return (*kept, *new.values())


def _facts(before: Record, after: Record) -> list[dict[str, Any]]:
    names = (*_FACTS, "phones", "contacts")
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return [{"field": name, "before": old, "after": new} for name, old, new in pairs if old != new]


def _listed(name: str, before: tuple[Entry, ...] | None, after: tuple[Entry, ...] | None) -> dict[str, Any] | None:
    if before == after:
        return None
    old, new = [one.words for one in before or ()], [one.words for one in after or ()]
    return {
        "field": name,
        "before": UNKNOWN if before is None else old,
        "after": new,
        "added": [one for one in new if one not in old],
        "removed": [one for one in old if one not in new],
    }
