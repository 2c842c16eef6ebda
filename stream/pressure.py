"""Blood pressure: which readings count, and when a crisis is repeated. Pure: from a list of readings to episodes.

The whole list is judged anew with every reading, so that a memory uploaded out of order gives what order would have given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.reading import Flag
from stream.finding import Condition
from stream.instants import SECOND
from stream.limits import limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.household import Kept

SYSTOLIC_MMHG = (50.0, 260.0)
DIASTOLIC_MMHG = (30.0, 160.0)
PULSE_PRESSURE_MMHG = (15.0, 130.0)
"""Outside of these a cuff has not measured a person (detection.md, "Blood pressure")."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """An episode that readings show."""

    condition: Condition
    opened: str
    onset_us: int
    last_us: int
    """The newest reading that supports it."""
    end_us: int | None
    systolic_mmhg: float
    diastolic_mmhg: float
    """The worst of it."""
    device: str


def is_valid(kept: Kept) -> bool:
    """Whether the reading is one of a person: never a test, never outside of what can be."""
    systolic, diastolic = kept.reading.values[:2]
    if systolic is None or diastolic is None or Flag.TEST in kept.reading.flags:
        return False
    return (
        SYSTOLIC_MMHG[0] <= systolic <= SYSTOLIC_MMHG[1]
        and DIASTOLIC_MMHG[0] <= diastolic <= DIASTOLIC_MMHG[1]
        and PULSE_PRESSURE_MMHG[0] <= systolic - diastolic <= PULSE_PRESSURE_MMHG[1]
    )


def crises(readings: Sequence[Kept], limits: Mapping[str, float], now_us: int) -> list[Stretch]:
    """Crisis pressure in readings sorted by `at`.

    A first one asks for a second (`BP_CRISIS_UNCONFIRMED`, open until the next valid reading, or 15 min have gone by);
    a crisis reading that follows another after 1 to 15 min is `BP_CRISIS`, open until a valid reading lies below.
    """
    high = limit(limits, "bp_crisis_systolic_mmhg"), limit(limits, "bp_crisis_diastolic_mmhg")
    soonest, latest = (round(limit(limits, f"bp_repeat_{name}_s") * SECOND) for name in ("min", "max"))
    found: list[Stretch] = []
    first: Kept | None = None
    crisis: Stretch | None = None
    for kept in readings:
        if not is_valid(kept):
            continue
        is_high = kept.reading.values[0] >= high[0] or kept.reading.values[1] >= high[1]  # type: ignore[operator]
        if crisis is not None:
            crisis = _worse(crisis, kept) if is_high else _ended(crisis, kept.at_us)
            found[-1] = crisis
            crisis = crisis if is_high else None
        elif first is not None and is_high and kept.at_us - first.at_us < soonest:
            continue
        elif first is not None:
            end_us = min(kept.at_us, first.at_us + latest)
            found.append(_ended(_stretch(Condition.BP_CRISIS_UNCONFIRMED, first), end_us))
            if is_high and kept.at_us - first.at_us <= latest:
                crisis = _worse(_stretch(Condition.BP_CRISIS, first), kept)
                found.append(crisis)
                first = None
            else:
                first = kept if is_high else None
        elif is_high:
            first = kept
    if first is not None:
        waiting = _stretch(Condition.BP_CRISIS_UNCONFIRMED, first)
        expires_us = first.at_us + latest
        found.append(waiting if now_us < expires_us else _ended(waiting, expires_us))
    return found


def identity(kept: Kept) -> str:
    """Raw device time, or the connection of a cuff without a clock: never `at`."""
    reading = kept.reading
    return f"{reading.device_time or reading.connection}:{reading.values[0]:g}/{reading.values[1]:g}"


def _stretch(condition: Condition, kept: Kept) -> Stretch:
    systolic, diastolic = kept.reading.values[:2]
    return Stretch(
        condition, identity(kept), kept.at_us, kept.at_us, None, systolic or 0.0, diastolic or 0.0, kept.reading.device
    )


def _worse(stretch: Stretch, kept: Kept) -> Stretch:
    systolic, diastolic = kept.reading.values[:2]
    return replace(
        stretch,
        last_us=kept.at_us,
        systolic_mmhg=max(stretch.systolic_mmhg, systolic or 0.0),
        diastolic_mmhg=max(stretch.diastolic_mmhg, diastolic or 0.0),
    )


def _ended(stretch: Stretch, end_us: int) -> Stretch:
    return replace(stretch, end_us=end_us)
