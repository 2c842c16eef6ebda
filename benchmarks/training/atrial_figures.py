"""AF beat by beat against the reference: what scores come to through the product's own course of AF."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from atrial_people import annotations, labels

from stream.ecg import atrial_course as course
from stream.ecg import atrial_score
from stream.ecg.atrial_chart import COURSE
from stream.ecg.filters import RATE
from stream.ecg.kernel import kernel

UNMET = ("ltafdb_wave", "01")
"""Its first hour calls a regular 140 a minute AF, and chaotic atrial beats none: its AF teaches nothing."""
PACED = ("102", "104", "107", "217")


@dataclass
class Table:
    """Judged beats, one below the other."""

    rows: NDArray[Any]
    label: NDArray[np.str_]
    kind: NDArray[np.str_]
    record: NDArray[np.str_]
    person: NDArray[np.str_]
    may: NDArray[np.bool_]

    @property
    def is_af(self) -> NDArray[np.bool_]:
        """What the reference says."""
        return np.asarray(self.label == "(AFIB")

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether it may be learned from."""
        unmet = (self.record == "/".join(UNMET)) & self.is_af
        return np.asarray((self.label != "") & (self.label != "(AFL") & ~unmet)

    def part(self, keep: NDArray[Any]) -> Table:
        """Some of the rows."""
        return Table(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


@kernel
def _episodes(
    courses: Any, before: Any, r: Any, score: Any, may: Any, high: float, low: float, shortest: int, out: Any
) -> int:
    """Onsets and ends of what is told, (n, 2); one still open has no end."""
    state = courses[0]
    n = 0
    open_now = False
    for i in range(r.size):
        event = course.take(state, before[i], r[i], score[i], high, low, shortest, may[i])
        if event == course.OPENED:
            out[n, 0] = state.onset
            out[n, 1] = 1 << 60
            n += 1
            open_now = True
        elif event == course.CLOSED and open_now:
            out[n - 1, 1] = state.end
            open_now = False
    return n


def episodes(of: Table, score: NDArray[np.float64], now: bool = False) -> NDArray[np.int64]:
    """(n, 2) internal samples: what the product would tell of one record's scores, through its own course of AF."""
    state = np.zeros(1, COURSE)
    for field in ("rising", "onset", "end"):
        state[field] = course.NEVER
    out = np.zeros((score.size + 1, 2), np.int64)
    may = of.may & ~of.rows["held"]
    how = (atrial_score.PROPOSED_HIGH, atrial_score.PROPOSED_LOW, 0) if now else _CONFIRMED
    n = _episodes(state, of.rows["before"], of.rows["r"], score, may, *how, out)
    return out[:n]


_CONFIRMED = (atrial_score.HIGH, atrial_score.LOW, atrial_score.SHORTEST)


def confusion(data: Path, record: str, found: NDArray[np.int64]) -> NDArray[np.int64]:
    """TP FN FP TN of the reference's beats; those that it calls flutter are left out, as the scorer of AF does."""
    import wfdb

    path = data / record
    rate = float(wfdb.rdheader(str(path)).fs)
    sample, _, changes = annotations(path)
    label = labels(changes, rate, sample / rate, "(N")
    at = sample / rate * RATE
    says = np.zeros(at.size, bool)
    for onset, end in found:
        says |= (at >= onset) & (at < end)
    keep = label != "(AFL"
    af = label == "(AFIB"
    return np.array([int((keep & a & b).sum()) for a, b in ((af, says), (af, ~says), (~af, says), (~af, ~says))])


def line(name: str, c: NDArray[np.int64]) -> str:
    """A row of figures."""
    tp, fn, fp, tn = (int(x) for x in c)
    shares = (tp / max(tp + fn, 1), tn / max(tn + fp, 1), tp / max(tp + fp, 1), 2 * tp / max(2 * tp + fn + fp, 1))
    figures = "  ".join(f"{what} {100 * x:6.2f}" for what, x in zip(("Se", "Sp", "PPV", "F1"), shares, strict=True))
    return f"{name:34s}{tp + fn:8d} AF of {tp + fn + fp + tn:8d} beats  {figures}  FP {fp:6d}  FN {fn:6d}"


def report(data: Path, waves: Table, score: NDArray[np.float64], title: str, verbose: bool = True) -> None:
    """AF beat by beat, collection by collection."""
    print(f"\n{title}")
    sums: dict[str, NDArray[np.int64]] = {}
    told: dict[str, int] = {}
    for record in dict.fromkeys(waves.record):
        of = waves.record == record
        found = episodes(waves.part(of), score[of])
        c = confusion(data, record, found)
        collection, name = record.split("/")
        key = "mitdb, paced" if collection == "mitdb" and name in PACED else collection
        for total in (key, "DS1 + cpsc2021") if key in ("mitdb", "cpsc2021") else (key,):
            sums[total] = sums.get(total, np.zeros(4, np.int64)) + c
            told[total] = told.get(total, 0) + len(found)
        if verbose and c[1] + c[2] > 30:
            print(line(f"  {record}", c))
    for key, c in sums.items():
        print(line(key, c), f" episodes {told[key]}")


def report_annotated(data: Path, of: Table, score: NDArray[np.float64]) -> None:
    """LTAFDB by reference beats, without waves."""
    total = np.zeros(4, np.int64)
    for record in dict.fromkeys(of.record[of.kind == "exact"]):
        one = (of.record == record) & (of.kind == "exact")
        total += confusion(data, record, episodes(of.part(one), score[one]))
    print(line("LTAFDB 24 h, reference beats", total))
    for kind in ("flawed", "inserted"):
        keep = (of.kind == kind) & of.is_known
        y, says = of.is_af[keep], score[keep] > 0
        counts = [(y & says).sum(), (y & ~says).sum(), (~y & says).sum(), (~y & ~says).sum()]
        print(line(f"  {kind}, rows above 0", np.array(counts)))


def report_now(data: Path, of: Table, score: NDArray[np.float64]) -> None:
    """Proposals of the last 32 beats."""
    total = np.zeros(4, np.int64)
    told = 0
    for record in dict.fromkeys(of.record):
        one = of.record == record
        found = episodes(of.part(one), score[one], now=True)
        total += confusion(data, record, found)
        told += len(found)
    print(line("proposals, records with a wave", total), f" told {told}")
