"""The log runner: an exported log through the Ward again, in any number of partitions, handed over in the middle.

What it finds is what the embedded runner found: the contract between the two is a test. Households are judged apart, so
a partition is a set of households; a handover saves one and makes it anew, as a restart or a rebalance does.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.assignments import Assignments
from stream.clients import Clients
from stream.command import AssignmentChanged
from stream.instants import micros
from stream.log_history import LogHistory
from stream.ward import GROUPS, Ward, in_order, node_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.batch import Admitted, Batch
    from stream.finding import Finding
    from stream.log_file import Bench
    from stream.moment import History


@dataclass(slots=True)
class Partition:
    """Some households, and the Ward that judges them."""

    number: int
    ward: Ward


def run_log(
    batches: Sequence[Batch], benched: Sequence[Bench] = (), *, partitions: int = 1, handovers: int = 0
) -> Iterator[tuple[Batch, list[Finding]]]:
    """Each position with its findings, ordered as the embedded runner stores them."""
    history, clients = LogHistory(), Clients()
    home = Assignments()
    for batch in batches:
        for row in batch.rows:
            if isinstance(row.payload, AssignmentChanged):
                home.apply(row.payload)
    wards = [Partition(n, Ward(history)) for n in range(partitions)]
    every = max(len(batches) // (handovers + 1), 1)
    done = 0
    for batch in batches:
        history.add(batch)
        found = list(clients.observe(batch))
        for part in wards:
            found += part.ward.observe(mine_of(batch, home, partitions, part.number))
            for bench in benched:
                is_mine = zlib.crc32(home.household(f"patient/{bench.patient}").encode()) % partitions == part.number
                if bench.position == batch.position and is_mine and not part.ward.is_benched(bench.patient):
                    found += part.ward.bench(bench.patient, bench.why, micros(batch.tick), batch.position)
        yield batch, in_order(found)
        if done < handovers and batch.position - batches[0].position + 1 >= every * (done + 1):
            part = wards[done % partitions]
            own = [
                mine_of(b, home, partitions, part.number) for b in batches[: batch.position - batches[0].position + 1]
            ]
            part.ward = hand_over(part.ward, own, batch.position, history)
            done += 1


def mine_of(batch: Batch, home: Assignments, partitions: int, number: int) -> Batch:
    """The position as one partition sees it: its own households' rows, and the tick."""
    return replace(batch, rows=tuple(row for row in batch.rows if _partition(row, home, partitions) == number))


def hand_over(ward: Ward, so_far: Sequence[Batch], position: int, history: History) -> Ward:
    """Save a Ward as it is after `position` and make it anew, its holds rebuilt from the log: what a restart does."""
    saved = ward.save(position, range(GROUPS))
    first = min([chart.low_water for chart in saved] + [position + 1])
    new = Ward(history)
    for batch in so_far:
        if batch.position < first:
            new.listening.tick(micros(batch.tick))
            for row in batch.rows:
                if isinstance(row.payload, AssignmentChanged):
                    new.assignments.apply(row.payload)
    for chart in saved:
        new.load(chart.state, position)
    for batch in so_far:
        if batch.position >= first:
            new.observe(batch)
    return new


def _partition(row: Admitted, home: Assignments, partitions: int) -> int | None:
    node = node_of(row)
    return None if node is None else zlib.crc32(home.household(node).encode()) % partitions
