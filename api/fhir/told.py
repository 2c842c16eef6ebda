"""What was read of a Bundle, before it meets what the roster knows already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.entries import LISTS, Entry

if TYPE_CHECKING:
    from datetime import date

    from alerts.record import Contact
    from api.fhir.checking import Found


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Something of the Bundle that the record does not show, and why."""

    at: str
    what: str
    why: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a Bundle says of a person. What it does not speak of is not in here."""

    told: dict[str, str] = field(default_factory=dict)
    """name, birth_date, sex, language, address, blood_group."""
    phones: list[str] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=lambda: {name: [] for name in LISTS})
    """What holds, by list."""
    over: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: {name: set() for name in LISTS})
    """What does not hold (any more), by `Entry.same`."""
    none: set[str] = field(default_factory=set)
    """Lists of which it says that there is none."""
    contacts: list[Contact] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    """Where something stands in the Bundle, by name."""
    today: date
    """The day of the import: what ended before it does not hold."""

    def skip(self, one: Found, what: str | None, why: str) -> None:
        """Note what is not taken."""
        self.not_taken.append(NotTaken(one.at, what or one.kind, why))
