"""The unit that is judged, saved and moved as one: patients who share devices, and the lanes of these devices.

Saved as one value at one position, so that order, charts and statements can never disagree after a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from gateway.reading import ReadingKind
from stream.command import Timetable
from stream.ecg.chart import CHART_VERSION, ECG_CHART, new_charts
from stream.finding import Finding
from stream.glucose_lane import GlucoseLane
from stream.lane import Hold, LaneChart, LaneKey
from stream.ring import Kept
from stream.symptoms import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Due:
    """Readings that were old when they came: judged together when no more of them come, so that their order cannot matter."""

    device: str
    stream: str
    kind: ReadingKind
    from_us: int
    to_us: int
    since_us: int
    """Listening time of the first of them."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that was given to a patient and has not sent a measurement yet."""

    device: str
    slot: int | None
    at_us: int
    """When it was said, or from when on it holds if that is later."""
    since_us: int
    """Listening time from which its silence counts."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a patient keeps to the times at which to measure."""

    timetable: Timetable
    next_us: int
    """The scheduled instant that is not decided yet."""
    overdue_us: int = -1
    """Listening time since which it is overdue; -1: it is not."""
    missed: tuple[int, ...] = ()
    """The scheduled instants since the newest measurement, all missed."""


@dataclass(slots=True)
class PatientChart:
    """What is remembered of a patient. Its fields are immutable values, so a shallow copy is a copy."""

    patient: str
    limits: dict[str, float] = field(default_factory=dict)
    plan_version: int = 0
    pressure: tuple[Kept, ...] = ()
    """Blood pressure of the last days, by `at`."""
    recent: tuple[Finding, ...] = ()
    """The newest statement of each episode that rests on readings."""
    benched: str = ""
    """Why this patient is not judged; empty: is judged."""
    pressure_from_us: int = -1
    """The newest reading of blood pressure that fell off the ring; -1: none did."""
    glucose: tuple[GlucoseLane, ...] = ()
    """A stream each, by device and stream."""
    symptoms: tuple[Report, ...] = ()
    """The last check-ins, by `at`."""
    due: tuple[Due, ...] = ()
    heard_us: int = -1
    """Listening time of the last reading of any kind."""
    enrolled: tuple[Enrolled, ...] = ()
    """Devices that are waited for."""
    measuring: Measuring | None = None
    """None: no times to measure at."""


@dataclass(slots=True)
class Lane:
    """A lane in the house: its chart, what it holds, its row among the ECG charts (-1: none), and what is not said yet."""

    chart: LaneChart
    hold: Hold = field(default_factory=Hold)
    slot: int = -1


@dataclass(slots=True)
class Household:
    """Patients tied together by devices, and these devices' lanes."""

    name: str
    lanes: dict[LaneKey, Lane] = field(default_factory=dict)
    patients: dict[str, PatientChart] = field(default_factory=dict)
    position: int = 0
    """Up to which position it was judged when it was read from the store; 0: from the start."""
    wake_us: int = 0
    """Listening time at which a tick may have something to say; never later than needed."""
    gear_is_due: bool = True
    """Something came by which what its devices say of themselves may mean something else (`stream.equipment`)."""
    hands_us: int = 0
    """The tick at which a device changes hands next, by what was said already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLane:
    """A lane as it is stored."""

    chart: LaneChart
    ecg: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedHousehold:
    """A household as it is stored."""

    name: str
    ecg_version: int
    listening_us: int
    lanes: tuple[SavedLane, ...]
    patients: tuple[PatientChart, ...]


@dataclass(slots=True)
class EcgCharts:
    """The ECG charts of all lanes: one array, rows handed out and taken back."""

    rows: NDArray[np.void] = field(default_factory=lambda: new_charts(64))
    free: list[int] = field(default_factory=lambda: list(range(63, -1, -1)))

    def take(self) -> int:
        """A fresh row."""
        if not self.free:
            size = len(self.rows)
            self.rows = np.concatenate([self.rows, new_charts(size)])
            self.free = list(range(2 * size - 1, size - 1, -1))
        slot = self.free.pop()
        self.rows[slot] = new_charts(1)[0]
        return slot

    def give_back(self, slot: int) -> None:
        """A row that nobody needs any more."""
        if slot >= 0:
            self.free.append(slot)

    def copies(self, slots: Sequence[int]) -> dict[int, NDArray[np.void]]:
        """Copies of rows by slot, shape (1,) each: one copy of memory for all, as it is paid for every batch."""
        rows = self.rows.take(slots)  # whole rows of bytes: an index would copy field by field, eight times slower
        return {slot: rows[n : n + 1] for n, slot in enumerate(slots)}


# A copy by constructor: `copy.copy` of a slotted class is ten times slower, and this is paid for every chunk.
_LANE_FIELDS = attrgetter(*LaneChart.__slots__)
_PATIENT_FIELDS = attrgetter(*PatientChart.__slots__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A household as it was, to go back to if judging fails."""

    lanes: dict[LaneKey, tuple[LaneChart, dict[int, object], int]]
    patients: dict[str, PatientChart]
    wake_us: int


def snapshot(household: Household) -> Snapshot:
    """What `restore` needs, but for the ECG charts (`slots_of`). Values are shared, containers copied."""
    return Snapshot(
        {
            key: (LaneChart(*_LANE_FIELDS(lane.chart)), dict(lane.hold.events), lane.slot)
            for key, lane in household.lanes.items()
        },
        {name: PatientChart(*_PATIENT_FIELDS(chart)) for name, chart in household.patients.items()},
        household.wake_us,
    )


def slots_of(household: Household) -> list[int]:
    """The rows of its ECG charts."""
    return [lane.slot for lane in household.lanes.values() if lane.slot >= 0]


def _row(ecg: EcgCharts, slot: int) -> bytes:
    return bytes(ecg.rows[slot].tobytes()) if slot >= 0 else b""


def restore(household: Household, was: Snapshot, ecg: EcgCharts, rows: Mapping[int, NDArray[np.void]]) -> None:
    """Put a household back to `was`, its ECG charts to `rows`; rows taken since are given back."""
    for key, lane in household.lanes.items():
        if key not in was.lanes or was.lanes[key][2] < 0:
            ecg.give_back(lane.slot)
    household.lanes = {}
    for key, (chart, held, slot) in was.lanes.items():
        household.lanes[key] = Lane(LaneChart(*_LANE_FIELDS(chart)), Hold(dict(held)), slot)  # type: ignore[arg-type]
        if slot >= 0:
            ecg.rows[slot] = rows[slot][0]
    household.patients = {name: PatientChart(*_PATIENT_FIELDS(chart)) for name, chart in was.patients.items()}
    household.wake_us, household.gear_is_due = was.wake_us, True


def low_water(household: Household, position: int) -> int:
    """First position that must be read again to rebuild this household's holds, given that it was judged up to `position`."""
    held = [low for lane in household.lanes.values() if (low := lane.hold.low_water()) is not None]
    return min(held, default=position + 1)


def pack(household: Household, ecg: EcgCharts, listening_us: int) -> bytes:
    """A household as bytes, without its holds (they are rows of the log)."""
    return msgspec.msgpack.encode(
        SavedHousehold(
            name=household.name,
            ecg_version=CHART_VERSION,
            listening_us=listening_us,
            lanes=tuple(
                SavedLane(chart=lane.chart, ecg=_row(ecg, lane.slot) or None)
                for _, lane in sorted(household.lanes.items())
            ),
            patients=tuple(chart for _, chart in sorted(household.patients.items())),
        )
    )


def unpack(state: bytes, position: int, ecg: EcgCharts) -> tuple[Household, int]:
    """A household from `pack`, and the listening time at which it was saved.

    ECG charts of another version than this code's start afresh: what was open stays open until new signal ends it.
    """
    saved = msgspec.msgpack.decode(state, type=SavedHousehold)
    household = Household(saved.name, position=position)
    for lane in saved.lanes:
        slot = -1
        if lane.ecg is not None:
            slot = ecg.take()
            if saved.ecg_version == CHART_VERSION and len(lane.ecg) == ECG_CHART.itemsize:
                ecg.rows[slot] = np.frombuffer(lane.ecg, ECG_CHART)[0]
            else:
                lane.chart.session = ""
                lane.chart.unseen = tuple(f.episode for f in lane.chart.recent if f.present)
        household.lanes[lane.chart.key] = Lane(lane.chart, slot=slot)
    household.patients = {chart.patient: chart for chart in saved.patients}
    return household, saved.listening_us


def merge(into: Household, others: Iterable[Household]) -> None:
    """Make one household of several that an assignment has tied together."""
    for other in others:
        into.lanes.update(other.lanes)
        into.patients.update(other.patients)
        into.wake_us = min(into.wake_us, other.wake_us)
    into.gear_is_due = True
