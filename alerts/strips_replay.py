"""`tierwatch replay --strip`: hand-held recordings, each judged as a whole, into one table.

The judge is the one that a live strip meets. A record that cannot be read is named; the others go on.
"""

from __future__ import annotations

import csv
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from stream.recording import BadRecord, open_record
from stream.strips.judge import compile_judge, judge_strip
from stream.strips.tracing import BadStrip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stream.strips.judge import StripVerdict

COLUMNS = ("record", "class", "confidence")
FILE = "strips.csv"
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class StripReplay:
    """What one record came to."""

    record: str
    verdict: StripVerdict | None = None
    error: str = ""
    """Why it could not be judged; empty: it was."""


def judge_record(path: str, lead: str | None) -> StripReplay:
    """Judge one WFDB record. Never raises for a bad one."""
    name = name_of(path)
    try:
        recording = open_record(path, lead)
        return StripReplay(record=name, verdict=judge_strip(recording.leads[0].samples, recording.rate_hz))
    except (BadRecord, BadStrip) as error:
        return StripReplay(record=name, error=str(error))


def name_of(path: str) -> str:
    """The record's name, as its row has it."""
    return Path(path).with_suffix("").name if Path(path).suffix in {".hea", ".dat"} else Path(path).name


def judge_records(paths: Sequence[str], lead: str | None, jobs: int) -> Iterator[StripReplay]:
    """Judge records, in their order, whatever the number of processes."""
    # Once, before the processes start: they would all compile the same otherwise.
    compile_judge()
    judge = partial(judge_record, lead=lead)
    if jobs == 1:
        yield from map(judge, paths)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge, paths, chunksize=_AT_ONCE)


def write_table(results: Iterable[StripReplay], folder: Path) -> None:
    """Write `strips.csv`: a row a record that was judged."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("w", newline="", encoding="utf-8") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(COLUMNS)
        for result in results:
            if result.verdict is not None:
                table.writerow((result.record, result.verdict.strip_class, f"{result.verdict.confidence:.3f}"))
