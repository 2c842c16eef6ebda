"""The Ward: one position of the log in, findings out, in a fixed order. This is the whole detector.

It reads nothing but its batches and the `History` port, so replaying the log replays everything. A failure inside is
laid to one patient, who is benched; everybody else goes on.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.reading import Abandoned, Deferred, DeviceStatus, EcgChunk, Reading
from stream import judge
from stream.assignments import Assignments, device_node, patient_node
from stream.batch import Quarantined, Repeated
from stream.command import AssignmentChanged, BenchLifted, LimitsChanged, SymptomReport
from stream.ecg_feed import Feed
from stream.household import EcgCharts, Household, low_water, merge, pack, restore, slots_of, snapshot, unpack
from stream.instants import SECOND, micros
from stream.lane import ATTENTION_STEP_US, Listening
from stream.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stream.batch import Admitted, Batch
    from stream.finding import Finding
    from stream.moment import History

GROUPS = 30
"""Charts are saved in so many groups, one a second: each household once in half a minute."""


@dataclass(frozen=True, slots=True)
class SavedChart:
    """A household as it goes to the store."""

    household: str
    low_water: int
    state: bytes


@dataclass(slots=True)
class Ward:
    """All households of a shard (or of a partition of it)."""

    history: History
    assignments: Assignments = field(default_factory=Assignments)
    households: dict[str, Household] = field(default_factory=dict)
    ecg: EcgCharts = field(default_factory=EcgCharts)
    listening: Listening = field(default_factory=Listening)
    on_marks: Callable[[Feed, NDArray[np.void]], None] | None = None
    """Told of every mark of the kernels (beats, grades): for replay and for people to look at, never for judging."""
    on_past_marks: Callable[[Feed, NDArray[np.void]], None] | None = None
    """The same of each pass over what came late."""
    before_patient: Callable[[str], None] | None = None
    """Called before each household is judged by itself, after the process has died here (`stream.embedded`)."""
    merged: set[str] = field(default_factory=set)
    """Households that absorbed others since they were last saved: they are saved at once."""
    absorbed: set[str] = field(default_factory=set)
    """Households that are no more since the last save."""
    _loaded: dict[str, str] = field(default_factory=dict)
    """Node -> household as it was saved: while positions are replayed in which it was still several."""

    def observe(self, batch: Batch) -> list[Finding]:
        """Judge one position; findings in order of (subject, condition, at, opened, episode, revision).

        A household that was read from the store as it was after this position takes in again only what it may still hold.
        """
        moment = self._moment(batch)
        rows = self._sort(batch, moment)
        for name in [n for n, h in self.households.items() if h.wake_us <= moment.listening_us]:
            rows.setdefault(name, [])
        ahead = [name for name in rows if self.households[name].position >= batch.position]
        for name in ahead:
            judge.hold_again(self.households[name], rows.pop(name), batch.position)
        names = sorted(rows)
        if self.before_patient is not None:
            said = [f for name in names for f in self._apart(name, rows[name], moment)]
            self.before_patient("")  # whatever ends the process from here on is no patient's fault
        else:
            said = self._together(names, rows, moment)
        return in_order(said)

    def save(self, position: int, groups: Collection[int]) -> list[SavedChart]:
        """The charts of these groups as they are after `position`, and those of households that were merged."""
        due = [h for name, h in sorted(self.households.items()) if name in self.merged or group_of(name) in groups]
        self.merged.clear()
        return [SavedChart(h.name, low_water(h, position), pack(h, self.ecg, self.listening.us)) for h in due]

    def load(self, state: bytes, position: int) -> int:
        """Take a saved household in; returns the listening time at which it was saved."""
        household, listening_us = unpack(state, position, self.ecg)
        self.households[household.name] = household
        nodes = [patient_node(name) for name in household.patients]
        nodes += [device_node(key[2]) for key in household.lanes]
        self._loaded.update(dict.fromkeys(nodes, household.name))
        return listening_us

    def bench(self, patient: str, why: str, moment_us: int, position: int) -> list[Finding]:
        """Judge this patient no more, and say so."""
        return judge.bench(self._household(patient_node(patient)), patient, why, moment_us, position)

    def is_benched(self, patient: str) -> bool:
        """Whether this patient is not judged at present."""
        chart = self._household(patient_node(patient)).patients.get(patient)
        return chart is not None and bool(chart.benched)

    def _moment(self, batch: Batch) -> Moment:
        tick_us = micros(batch.tick)
        if tick_us - self.listening.last_tick_us > ATTENTION_STEP_US:
            # Listening time stood still and the day went on: what waits for an hour of the day may be due.
            for household in self.households.values():
                household.wake_us = 0
        listening_us = self.listening.tick(tick_us)
        second_us = tick_us // SECOND * SECOND
        kept = self.assignments, self.history, self.ecg, self.on_past_marks
        return Moment(batch.position, tick_us, second_us, listening_us, *kept)

    def _sort(self, batch: Batch, moment: Moment) -> dict[str, list[Admitted]]:
        """Rows by household. Assignments count from the start of their batch, since households follow from them."""
        for row in batch.rows:
            if isinstance(row.payload, AssignmentChanged):
                self._assign(row.payload, row.ord, moment)
        rows: dict[str, list[Admitted]] = defaultdict(list)
        for row in batch.rows:
            node = node_of(row)
            if node is not None:
                rows[self._household(node).name].append(row)
        return rows

    def _assign(self, change: AssignmentChanged, number: int, moment: Moment) -> None:
        nodes = [device_node(change.device), *([patient_node(change.patient)] if change.patient else [])]
        before = {self._household(node).name for node in nodes}
        moment.spans[number] = self.assignments.apply(change)
        root = self.assignments.household(nodes[0])
        if before == {root} or any(self.households[name].position >= moment.position for name in before):
            return
        house = self.households.setdefault(root, Household(root))
        others = [self.households.pop(name) for name in sorted(before - {root})]
        merge(house, others)
        self.merged.add(root)
        self.absorbed.update(before - {root})

    def _together(self, names: Sequence[str], rows: dict[str, list[Admitted]], moment: Moment) -> list[Finding]:
        before = {name: snapshot(self.households[name]) for name in names}
        charts = self.ecg.copies([slot for name in names for slot in slots_of(self.households[name])])
        try:
            return self._judge(names, rows, moment)
        except Exception:  # noqa: BLE001 - whatever it was, it must cost one patient at most
            for name in names:
                restore(self.households[name], before[name], self.ecg, charts)
            return [f for name in names for f in self._apart(name, rows[name], moment)]

    def _apart(self, name: str, rows: list[Admitted], moment: Moment) -> list[Finding]:
        household = self.households[name]
        said: list[Finding] = []
        before, charts = snapshot(household), self.ecg.copies(slots_of(household))
        while True:
            moment.patient = next((p for p in sorted(household.patients) if not household.patients[p].benched), "")
            if self.before_patient is not None:
                self.before_patient(moment.patient)
            try:
                return [*said, *self._judge([name], {name: rows}, moment)]
            except Exception as error:
                restore(household, before, self.ecg, charts)
                patient = household.patients.get(moment.patient)
                if patient is None or patient.benched:
                    raise
                why = f"{type(error).__name__}: {error}"[:200]
                said += judge.bench(household, patient.patient, why, moment.tick_us, moment.position)
                before = snapshot(household)

    def _judge(self, names: Sequence[str], rows: dict[str, list[Admitted]], moment: Moment) -> list[Finding]:
        feed = Feed()
        owners: list[Household] = []
        said: list[Finding] = []
        for name in names:
            household = self.households[name]
            said += judge.take(household, rows[name], feed, moment)
            said += judge.expired(household, feed, moment)
            owners += [household] * (len(feed.rows) - len(owners))
        marks = feed.run(self.ecg.rows)
        said += judge.hear(feed, marks, owners, moment)
        for name in names:
            said += judge.conclude(self.households[name], moment)
        if self.on_marks is not None:
            self.on_marks(feed, marks)
        return said

    def _household(self, node: str) -> Household:
        name = self.assignments.household(node)
        if name not in self.households:
            name = self._loaded.get(node, name)
        if name not in self.households:
            self.households[name] = Household(name)
        return self.households[name]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Those of one position as they are told: of one condition in the order in which they were decided.

    An alert has its id of the first episode that it hears of: that must not depend on how the data was cut.
    """
    return sorted(findings, key=lambda f: (f.subject, f.condition, f.at, f.opened, f.episode, f.revision))


def group_of(household: str) -> int:
    """Which of the `GROUPS` a household is saved with."""
    return zlib.crc32(household.encode()) % GROUPS


def node_of(row: Admitted) -> str | None:
    """The device or patient that a row is about; None: it is about no household (`stream.clients`)."""
    payload = row.payload
    if isinstance(payload, (EcgChunk, Reading, DeviceStatus, Abandoned, Deferred, Repeated, AssignmentChanged)):
        return device_node(payload.device)
    if isinstance(payload, (LimitsChanged, SymptomReport, BenchLifted)):
        return patient_node(payload.patient)
    if isinstance(payload, Quarantined) and payload.device is not None:
        return device_node(payload.device)
    return None
