"""What is remembered of one glucose stream between two readings: plain values, small enough to be saved for everybody.

All named tuples: they cost a few bytes in a saved chart, and an earlier state stays valid when a later one is made.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.reading import Flag, Reading
from stream.instants import micros

QUESTIONABLE, WARM_UP, EXPIRED, LOST = 1, 2, 4, 8
_MARKS = {
    Flag.QUESTIONABLE: QUESTIONABLE,
    Flag.SENSOR_WARM_UP: WARM_UP,
    Flag.SENSOR_EXPIRED: EXPIRED,
    Flag.SIGNAL_LOST: LOST,
    Flag.NO_CONTACT: LOST,
}
NO_PERSON = frozenset({Flag.TEST, Flag.CONTROL_SOLUTION})
"""Never a reading of a person."""
CAN_BE_MG_DL = (10.0, 1000.0)
"""Outside of this no meter has measured a person."""


class Sample(NamedTuple):
    """One reading, as much of it as glucose is judged by."""

    at_us: int
    seq: int
    mg_dl: float
    """0: the sensor had none to give (see `marks`)."""
    opened: str
    """Raw device time (or connection) and value: what an episode that begins here is named by."""
    marks: int = 0

    @property
    def can_be_judged(self) -> bool:
        """Whether it is a measurement, not only a word about the sensor."""
        return not self.marks & (WARM_UP | EXPIRED | LOST)


class Level(NamedTuple):
    """One level of glucose: the run of readings on one side of it, and the event that stands."""

    run_us: int = -1
    """First reading of the run; -1: none since the last gap."""
    run_is_beyond: bool = False
    run_opened: str = ""
    run_worst: float = 0.0
    run_is_sure: bool = False
    event_us: int = -1
    """Onset of the event; -1: none stands."""
    event_opened: str = ""
    worst: float = 0.0
    support_us: int = 0
    """The newest reading beyond."""
    is_sure: bool = False
    """At least one reading beyond that its device does not doubt."""
    is_long: bool = False
    before_us: int = -1
    """Onset of the event before; -1: none."""


class Span(NamedTuple):
    """Any other condition of the stream while it stands; `onset_us` -1: it does not."""

    onset_us: int = -1
    opened: str = ""
    worst: float = 0.0
    support_us: int = 0
    back_us: int = -1
    """First reading that no longer shows it."""
    before: float = 0.0
    """What it was before it began, where that matters."""


class Point(NamedTuple):
    """A reading of the last hour and its trend."""

    at_us: int
    mg_dl: float
    rate: float | None
    """mg/dL a minute over the quarter of an hour before; None: too little to say."""


class Model(NamedTuple):
    """The patient's own linear model of the next 20 min: weights, and how sure they are (upper half of a matrix)."""

    weights: tuple[float, float, float] = (0.6, -0.05, 0.0)
    spread: tuple[float, float, float, float, float, float] = (9e-4, 0.0, 0.0, 1e-4, 0.0, 0.02)


class Course(NamedTuple):
    """Where one stream of glucose stands after its newest reading."""

    last_us: int = -1
    """The newest reading that could be judged."""
    gaps: tuple[int, ...] = ()
    """Between the last readings, microseconds."""
    tail: tuple[Point, ...] = ()
    levels: tuple[Level, ...] = (Level(), Level(), Level(), Level())
    """Very low, low, high, very high."""
    critical: Span = Span()
    fall: Span = Span()
    rise: Span = Span()
    predicted: Span = Span()
    compression: Span = Span()
    sensor: Span = Span()
    sensor_marks: int = 0
    """Which state of the sensor stands: one of the marks."""
    model: Model = Model()


def sample_of(reading: Reading) -> Sample | None:
    """What glucose is judged by; None: not of a person, or nothing that can be."""
    if NO_PERSON & set(reading.flags):
        return None
    marks = 0
    for flag in reading.flags:
        marks |= _MARKS.get(flag, 0)
    value = reading.values[0] if reading.values else None
    mg_dl = 0.0 if value is None else round(value, 1)
    at_us = micros(reading.at)
    # Raw device time, or the connection of a meter without a clock: never `at`.
    opened = f"{reading.device_time or reading.connection or f'#{reading.seq}'}:{mg_dl:g}"
    sample = Sample(at_us, reading.seq, mg_dl, opened, marks)
    if sample.can_be_judged and not CAN_BE_MG_DL[0] <= mg_dl <= CAN_BE_MG_DL[1]:
        return None
    return sample
