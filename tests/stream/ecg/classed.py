"""Classed beats through the real rules of runs, rhythms and burdens, without a signal: the truth is known to the sample."""

from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from stream.ecg import burden, runs, sequence
from stream.ecg.advance import _PEN
from stream.ecg.chart import new_charts
from stream.ecg.filters import RATE
from stream.ecg.marks import MARK, BeatClass, EcgCondition, Mark, Quality

CLASSES = {"N": BeatClass.N, "S": BeatClass.S, "V": BeatClass.V, "Q": BeatClass.Q, "/": BeatClass.PACED}
BEAT = np.dtype(
    [("r", "i8"), ("known", "i8"), ("before", "f4"), ("p_v", "f4"), ("match", "f4"), ("beat", "u1"), ("grade", "u1")]
)
LATE_S = 0.44
"""After the R of the next beat, at earliest, a beat has its class."""
WAIT_S = 1.5
"""And so long after its own R where no other beat comes."""


@dataclass
class Heart:
    """Beats one after another; times in seconds."""

    beats: list[tuple[float, float, str, float, Quality]] = field(default_factory=list)
    """R, interval before it (0: unknown), class, match with the template, grade."""
    at: float = 0.4

    def beat(self, symbols: str, interval: float, match: float | None = None, grade: Quality = Quality.GOOD) -> "Heart":
        """Beats of these classes, each so long after the one before."""
        for symbol in symbols:
            known = interval if self.beats else 0.0
            self.at += interval
            like = match if match is not None else (0.2 if symbol == "V" else 0.98)
            self.beats.append((self.at, known, symbol, like, grade))
        return self

    def silent(self, seconds: float) -> "Heart":
        """No beat for so long."""
        self.at += seconds
        return self

    def hole(self, seconds: float, symbol: str = "N") -> "Heart":
        """Signal is missing: the interval before the next beat is not known."""
        self.at += seconds
        self.beats.append((self.at, 0.0, symbol, 0.2 if symbol == "V" else 0.98, Quality.GOOD))
        return self

    def rows(self) -> NDArray[Any]:
        """As the rules hear of them: each when the next one is known, or after the wait."""
        nexts = [*(beat[0] for beat in self.beats[1:]), np.inf]
        rows = [
            (
                round(r * RATE),
                round(min(after + LATE_S, r + WAIT_S) * RATE),
                before,
                0.9 if symbol == "V" else 0.05,
                match,
                CLASSES[symbol],
                grade,
            )
            for (r, before, symbol, match, grade), after in zip(self.beats, nexts, strict=True)
        ]
        return np.array(rows, BEAT)


@numba.njit
def _drive(charts: Any, beats: Any, pens: Any, marks: Any, first: int, last: int, end: int) -> int:
    """Beats `first` up to `last`, and each second of signal up to the sample `end`."""
    pen = pens[0]
    chart = charts[0]
    k = pen.now
    for i in range(first, last + 1):
        until = beats[i].known if i < last else end
        while k < until:
            k += 1
            pen.now = k
            chart.clock.next_index = k + 1
            if (k + 1) % RATE == 0:
                runs.each_second(chart, pen, marks, k)
                burden.each_second(chart, pen, marks)
        if i < last:
            place = i % 32
            chart.signal.rhythm.match[place] = beats[i].match
            chart.signal.quality.grade = beats[i].grade
            decided = chart.signal.classes.decided
            decided.r = beats[i].r
            decided.before = beats[i].before
            decided.p_v = beats[i].p_v
            decided.beat = beats[i].beat
            decided.grade = beats[i].grade
            decided.place = place
            sequence.on_class(chart, pen, marks)
    return int(pen.written)


def fresh() -> tuple[NDArray[Any], NDArray[Any]]:
    """A chart whose signal has begun, and a pen."""
    charts = new_charts(1)
    charts["clock"]["started"], charts["clock"]["rate_hz"] = 1, RATE
    charts["signal"]["quality"]["grade"] = Quality.GOOD
    return charts, np.zeros(1, _PEN)


def judged(
    heart: Heart, after_s: float = 10.0, restart_at: tuple[int, ...] = (), charts: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Marks of a heart, and of so many seconds after its last beat; saved and restored after these beats.

    `charts`: one that the heart is told to, instead of a fresh one.
    """
    rows = heart.rows()
    new, pens = fresh()
    charts = new if charts is None else charts
    marks = np.zeros(10 * rows.size + 1000, MARK)
    begin = 0
    for cut in [*restart_at, len(rows)]:
        end = round((heart.at + after_s) * RATE) if cut == len(rows) else int(rows["known"][cut - 1])
        _drive(charts, rows, pens, marks, begin, cut, end)
        begin = cut
        charts = np.frombuffer(bytearray(charts.tobytes()), charts.dtype)
    return marks[: pens[0]["written"]]


def told(marks: NDArray[Any], condition: EcgCondition) -> list[tuple[float, float, float | None]]:
    """(first, decided, last) of each episode, in seconds."""
    mine = marks[marks["condition"] == condition]
    opened, closed = mine[mine["kind"] == Mark.OPEN], mine[mine["kind"] == Mark.CLOSE]
    ends = [*(closed["index"] / RATE), *([None] * (opened.size - closed.size))]
    return [(one["index"] / RATE, one["decided"] / RATE, end) for one, end in zip(opened, ends, strict=True)]


def conditions(marks: NDArray[Any]) -> set[EcgCondition]:
    """All that opened."""
    return {EcgCondition(int(c)) for c in marks["condition"][marks["kind"] == Mark.OPEN]}
