"""Chunks on their way into the ECG kernels, and marks on their way out. Pure.

A feed gathers what is ready of any number of lanes, so that Python is paid once a batch; each row of work keeps the
session that it belongs to, so that a mark can be told in the time of its own session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stream.ecg.advance import advance, mark_capacity
from stream.ecg.marks import MARK, WORK, EcgCondition, Mark
from stream.finding import Condition
from stream.instants import SECOND, micros
from stream.lane import is_strip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.reading import EcgChunk
    from stream.lane import LaneChart

CONDITIONS: dict[int, tuple[Condition, str, str]] = {
    EcgCondition.VF: (Condition.VF, "tcsc_percent", "leakage"),
    EcgCondition.ASYSTOLE: (Condition.ASYSTOLE, "silence_s", ""),
    EcgCondition.PAUSE: (Condition.PAUSE, "pause_s", ""),
    EcgCondition.BRADY: (Condition.BRADY, "rate_bpm", ""),
    EcgCondition.EXTREME_BRADY: (Condition.EXTREME_BRADY, "rate_bpm", ""),
    EcgCondition.TACHY: (Condition.TACHY, "rate_bpm", ""),
    EcgCondition.EXTREME_TACHY: (Condition.EXTREME_TACHY, "rate_bpm", ""),
    EcgCondition.NOISE: (Condition.NOISE, "bad_s", ""),
    EcgCondition.LEAD_OFF: (Condition.LEAD_OFF, "off_s", ""),
    EcgCondition.VT: (Condition.VT, "rate_bpm", "beats"),
    EcgCondition.VT_SUSTAINED: (Condition.VT_SUSTAINED, "rate_bpm", "seconds"),
    EcgCondition.NSVT: (Condition.NSVT, "rate_bpm", "beats"),
    EcgCondition.COUPLET: (Condition.COUPLET, "rate_bpm", "beats"),
    EcgCondition.BIGEMINY: (Condition.BIGEMINY, "beats", ""),
    EcgCondition.TRIGEMINY: (Condition.TRIGEMINY, "beats", ""),
    EcgCondition.AF: (Condition.AF, "score", "rate_bpm"),
    EcgCondition.AF_POSSIBLE: (Condition.AF_POSSIBLE, "seconds", "rate_bpm"),
    EcgCondition.AFLUTTER: (Condition.AFLUTTER, "rate_bpm", "atrial_bpm"),
    EcgCondition.SVT: (Condition.SVT, "rate_bpm", ""),
    EcgCondition.V_BURDEN: (Condition.V_BURDEN, "v_percent", "beats"),
    EcgCondition.ECTOPY: (Condition.ECTOPY, "v_percent", "s_percent"),
    EcgCondition.PACED: (Condition.PACED, "paced_percent", ""),
}
"""What the kernel calls it, the condition, and the names of its two numbers ("" = none)."""

HEARD_IN_STRIPS = frozenset({EcgCondition.VF, EcgCondition.ASYSTOLE})
"""What may be said of a hand-held strip sample by sample; all else waits for the strip's own judge."""

ANCHOR_SLACK_US = 50_000
"""A device clock may drift this far from its stated rate before the session's instants are set anew."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of work needs to be told in words."""

    lane: LaneChart
    patient: str
    session: str
    rate_hz: float
    anchor_index: int
    anchor_us: int

    def time_of(self, index: int) -> int:
        """The instant of a sample, microseconds."""
        return self.anchor_us + round((index - self.anchor_index) * SECOND / self.rate_hz)


@dataclass(slots=True)
class Feed:
    """Work of one call of the kernels."""

    rows: list[Row] = field(default_factory=list)
    work: list[tuple[int, int, int, int, float, int, int, float, float]] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)
    count: int = 0

    def add(self, lane: LaneChart, slot: int, chunk: EcgChunk, patient: str, rates_bpm: tuple[float, float]) -> bool:
        """Append a chunk that is next in its lane; returns whether anything of it was new.

        `rates_bpm` are the patient's limits of a slow and a fast heart.

        What overlaps the samples before it (a device that sends some again) is cut off.
        """
        count, index, at_us = len(chunk.samples) // 2, chunk.index, micros(chunk.at)
        restart = chunk.session != lane.session or chunk.rate_hz != lane.rate_hz or patient != lane.patient
        skip = 0
        if restart:
            lane.session, lane.rate_hz, lane.patient = chunk.session, chunk.rate_hz, patient
            lane.anchor_index, lane.anchor_us = index, at_us
        else:
            skip = max(lane.next_index - index, 0)
            predicted = lane.anchor_us + round((index - lane.anchor_index) * SECOND / lane.rate_hz)
            if abs(predicted - at_us) > ANCHOR_SLACK_US:
                lane.anchor_index, lane.anchor_us = index, at_us
        if skip >= count:
            return False
        self.rows.append(Row(lane, patient, lane.session, lane.rate_hz, lane.anchor_index, lane.anchor_us))
        self.work.append(
            (slot, self.count, count - skip, index + skip, chunk.rate_hz, restart, chunk.contact, *rates_bpm)
        )
        self.samples.append(chunk.samples[2 * skip :] if skip else chunk.samples)
        self.count += count - skip
        lane.next_index = index + count
        return True

    def run(self, charts: NDArray[np.void]) -> NDArray[np.void]:
        """Advance the charts; returns the marks, in order of work row and decision."""
        if not self.work:
            return np.empty(0, MARK)
        work = np.array(self.work, WORK)
        samples = np.frombuffer(b"".join(self.samples), "<i2")
        marks = np.empty(mark_capacity(self.count, len(work)), MARK)
        return marks[: advance(charts, work, samples, marks)]


def is_heard(lane: LaneChart, kind: int, number: int) -> bool:
    """Whether a mark of this `Mark` kind and `EcgCondition` makes a statement about the lane."""
    return not is_strip(lane.key) or (number in HEARD_IN_STRIPS and kind != Mark.BURDEN)


def grade_of(charts: NDArray[np.void], slot: int) -> int:
    """The `Quality` of a lane's last seconds."""
    return int(charts[slot]["signal"]["quality"]["grade"])
