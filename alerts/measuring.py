"""The times at which a patient is to measure, as a plan may set them. Pure.

Refused is what the stream could not judge by: no time at all, a zone that is none, windows that overlap. Must never take
a timetable of which one measurement would count twice.
"""

from __future__ import annotations

from datetime import time
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.plan import PlanRefused

if TYPE_CHECKING:
    from stream.command import Timetable

DAY_S = 86_400.0
TOLERANCES_S = (300.0, 14_400.0)
"""How far from its time a measurement may be and still count for it, at least and at most."""


def check_timetable(times: Timetable | None) -> None:
    """See that each scheduled measurement can be told from the next.

    Raises:
        PlanRefused: no time at all, one that is none, an unknown zone, a tolerance beyond bounds, or times that overlap.
    """
    if times is None:
        return
    try:
        of_day = sorted(time.fromisoformat(one) for one in times.times)
        ZoneInfo(times.zone)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise PlanRefused(f"times to measure at: {error}; write times as 07:00 and a zone as Europe/Berlin") from error
    if not of_day or any(one.tzinfo is not None for one in of_day):
        raise PlanRefused("times to measure at: give at least one time of day, local, as 07:00")
    least, most = TOLERANCES_S
    if not least <= times.tolerance_s <= most:
        raise PlanRefused(
            f"times to measure at: a tolerance of {times.tolerance_s:g} s is beyond {least:g} to {most:g}"
        )
    seconds = [one.hour * 3600.0 + one.minute * 60 + one.second for one in of_day]
    apart = [b - a for a, b in pairwise([*seconds, seconds[0] + DAY_S])]
    if min(apart) <= 2 * times.tolerance_s:
        raise PlanRefused(
            "times to measure at: two of them lie within one tolerance, so one measurement would count for both"
        )
