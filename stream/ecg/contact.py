"""Lead off: the device says so, or the line is flat or at the rail. It is looked for before any silence of the heart."""

from typing import Final

from stream.ecg import episodes
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, constant, kernel
from stream.ecg.marks import EcgCondition
from stream.ecg.resample import raw_index

RAIL: Final = 32767  # uV: a saturated sample
_LEAD_OFF: Final = constant(EcgCondition.LEAD_OFF)
_FLAT_UV: Final = 5.0  # range of a second; the quietest true asystole has more noise than this
_MOSTLY: Final = 0.5
_DEAD_AFTER_S: Final = 2
_ALIVE_AFTER_S: Final = 2


@kernel
def feed(contact: Record, x: float, missing: bool, railed: bool) -> None:
    """Take one internal sample (uV, bridged)."""
    if missing:
        return
    contact.low = x if contact.measured == 0 else min(contact.low, x)
    contact.high = x if contact.measured == 0 else max(contact.high, x)
    contact.measured += 1
    contact.railed += railed


@kernel
def bit(chart: Record, pen: Record, marks: Samples, off: bool, index: int) -> None:
    """Take the device's contact bit, which came with raw sample `index`."""
    contact = chart.signal.contact
    contact.off = off
    episode = chart.episodes[_LEAD_OFF]
    if off and not episode.open:
        row = episodes.open_episode(pen, marks, episode, _LEAD_OFF, index, index)
        episodes.tell(marks, row, episode, 1.0, 0.0, 1.0)


@kernel
def is_attached(chart: Record) -> bool:
    """Whether nothing speaks for a lost electrode."""
    return not chart.episodes[_LEAD_OFF].open and chart.signal.contact.dead_for == 0


@kernel
def is_dead(contact: Record) -> bool:
    """Whether this second was flat or at the rail; a second that is mostly missing is not judged."""
    flat = contact.high - contact.low < _FLAT_UV
    return bool(contact.measured > _MOSTLY * RATE and (flat or contact.railed > _MOSTLY * RATE))


@kernel
def each_second(chart: Record, pen: Record, marks: Samples, k: int) -> None:
    """Judge the second that ends with internal sample k."""
    contact = chart.signal.contact
    judged = contact.measured > _MOSTLY * RATE
    dead = is_dead(contact)
    contact.measured = 0
    contact.railed = 0
    if dead:
        contact.dead_for += 1
        contact.alive_for = 0
    elif judged:
        contact.dead_for = 0
        contact.alive_for += 1
    if contact.off:
        contact.alive_for = 0
    episode = chart.episodes[_LEAD_OFF]
    if not episode.open and contact.dead_for >= _DEAD_AFTER_S:
        first = raw_index(chart.clock, k - _DEAD_AFTER_S * RATE + 1)
        row = episodes.open_episode(pen, marks, episode, _LEAD_OFF, first, first)
        episodes.tell(marks, row, episode, 0.0, 0.0, 1.0)
    elif episode.open and contact.alive_for >= _ALIVE_AFTER_S:
        last = raw_index(chart.clock, k - _ALIVE_AFTER_S * RATE)
        row = episodes.close_episode(pen, marks, episode, _LEAD_OFF, last)
        episodes.tell(marks, row, episode, 0.0, 0.0, 1.0)
