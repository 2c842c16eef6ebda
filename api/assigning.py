"""Whether an assignment contradicts what was said before: two people on one user slot at one time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """One assignment as it was said; a later one overrides an earlier one where they meet."""

    slot: int | None
    patient: str | None
    from_at: datetime
    to_at: datetime | None


def holder_before(said: list[Assigned], wanted: Assigned) -> str | None:
    """Who else holds the slot in any part of the wanted time, by what was said so far (in order); None: nobody."""
    free = [(wanted.from_at, wanted.to_at or FOREVER)]
    for one in reversed(said):
        if one.slot != wanted.slot:
            continue
        first, last = one.from_at, one.to_at or FOREVER
        is_other = one.patient is not None and one.patient != wanted.patient
        left = []
        for start, end in free:
            if first >= end or last <= start:
                left.append((start, end))
                continue
            if is_other:
                return one.patient
            # This part is spoken for: what was said earlier of it is void.
            left += [(a, b) for a, b in ((start, first), (last, end)) if a < b]
        free = left
    return None
