"""Whether somebody's readings can be seen just now: the first condition of saying that they are fine. Pure.

What is not known is not seen. Must never call a device heard that was not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RECENT: Mapping[str, timedelta] = {"ecg": timedelta(minutes=2), "glucose": timedelta(minutes=20)}
"""So lately must what sends by itself have been measured: a little more than silence takes to become an alert."""
SPOT = timedelta(hours=48)
"""The same of what a person measures now and then: a cuff, a hand-held strip."""


class Sight(StrEnum):
    """What can be seen of somebody."""

    SEEN = "seen"
    """Every device was heard as lately as it should be."""
    UNSEEN = "unseen"
    """One of them was not."""
    NONE = "none"
    """There is no device, or none has measured anything yet."""


def is_seen(kinds: Sequence[str], measured_at: datetime | None, now: datetime) -> bool:
    """Whether a device that sends these kinds was heard lately."""
    if measured_at is None or not kinds:
        return False
    return now - measured_at <= min((RECENT[kind] for kind in kinds if kind in RECENT), default=SPOT)


def sight(devices: Sequence[tuple[Sequence[str], datetime | None]], now: datetime) -> Sight:
    """What can be seen of somebody who wears these: each with its kinds and when it last measured."""
    if not any(measured_at for _, measured_at in devices):
        return Sight.NONE
    return Sight.SEEN if all(is_seen(kinds, at, now) for kinds, at in devices) else Sight.UNSEEN
