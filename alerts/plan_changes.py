"""What one version of a plan changed against the one before. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from alerts.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NOT_AGREED = frozenset({"patient", "version", "on_call", "reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that another version said otherwise."""

    what: str
    """A field of the plan, and the name within it: `limits.brady_bpm`, `team`."""
    before: Any
    """As JSON; None: it was not said, so the default held."""
    after: Any


def changes(before: Plan, after: Plan) -> list[Change]:
    """What `after` says otherwise than `before`, in the order of the plan's fields."""
    return list(_changes(before, after))


def of_each(newest_first: Sequence[Plan]) -> list[list[Change]]:
    """What each version changed against the one that is listed behind it; the last listed against the defaults."""
    first = Plan(patient="") if newest_first and newest_first[-1].version == 1 else None
    behind = [*newest_first, *([first] if first else [])]
    found = [changes(older, newer) for newer, older in pairwise(behind)]
    return found if first or not newest_first else [*found, []]


def _changes(before: Plan, after: Plan) -> Iterator[Change]:
    for one in fields(Plan):
        if one.name in _NOT_AGREED:
            continue
        was, now = (msgspec.to_builtins(getattr(plan, one.name)) for plan in (before, after))
        if was == now:
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            for name in sorted({*was, *now}):
                if was.get(name) != now.get(name):
                    yield Change(what=f"{one.name}.{name}", before=was.get(name), after=now.get(name))
        else:
            yield Change(what=one.name, before=was, after=now)
