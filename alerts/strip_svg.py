"""The strip of an alert as SVG: 30 s of one lead on paper, in rows of 10 s, small enough to travel in the alert. Pure.

One unit is a tenth of a millimetre, coordinates are integers. No style sheet is needed and no script is in it. Where the
signal needs more room than there is, points that lie nearly on the line go first; extremes and gaps never do.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from alerts import ecg_paper
from stream.recording import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray

LARGEST = 12_000
"""Bytes of a strip."""
SECONDS, ROW_S = 30, 10
_MM = 10
_PER_S, _PER_MV = 25 * _MM, 10 * _MM
_HEAD, _RAIL = 10 * _MM, 6 * _MM
_WIDTH = _HEAD + ROW_S * _PER_S
_LEVELS = ((1, 2), (1, 3), (3, 3), (5, 4), (10, 5), (20, 10), (40, 20), (80, 40))
"""(width of a column, slack of a line) in units, each tried until the strip is small enough. The first two keep every
sample within the width of the line; then a column keeps its extremes at least, and the last is where the signal was."""
_LEAST_OF_A_LINE, _COARSE = 9, 20
"""Bytes that the shortest line takes; the column from which on what lies between two gaps is left out."""
_SHOWN = 10
"""A gap is hatched at least a millimetre wide."""
_SAID_S = 1.5
"""A gap so long is also said in words."""
_GRAVE, _ATRIAL, _OTHER = "#b3122b", "#1553a1", "#7c1fa0"
SHADES = {
    **dict.fromkeys(("vf", "asystole", "vt", "vt_sustained", "nsvt", "extreme_brady", "extreme_tachy"), _GRAVE),
    **dict.fromkeys(("af", "af_possible", "aflutter", "svt", "strip_af"), _ATRIAL),
}
"""Colour of the stretch that a condition covers; the others are violet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """One lead around an onset."""

    samples: NDArray[np.int16]
    """`SECONDS` of microvolts from `from_at` on, `MISSING` where nothing was measured (or has not come yet)."""
    rate_hz: float
    from_at: datetime
    lead: str
    onset_s: float
    """Since `from_at`; before it: there is none to show."""
    end_s: float | None = None
    """Where the condition ended, if it did; only drawn with `is_of_lead`."""
    is_of_lead: bool = False
    """The condition was found in this lead: the stretch that it covers is shaded."""
    condition: str = ""
    words: str = ""
    """What it is, in all languages that are to stand beside the onset."""


def draw(tracing: Tracing, largest: int | None = LARGEST) -> str:
    """The strip, at most `largest` bytes; None: every sample within the width of the line, however large it becomes."""
    if largest is None:
        return _drawn(tracing, *_LEVELS[0])
    svg = ""
    lines = sum(1 for _ in ecg_paper.runs(tracing.samples != MISSING))
    is_torn = lines * _LEAST_OF_A_LINE > largest
    for column, slack in (level for level in _LEVELS if not is_torn or level[0] >= _COARSE):
        svg = _drawn(tracing, column, slack)
        if len(svg.encode()) <= largest:
            break
    return svg


def _drawn(tracing: Tracing, column: int, slack: float) -> str:
    known = tracing.samples[tracing.samples != MISSING].astype(float) / 1000
    low, high, middle = ecg_paper.extent(known)
    paper = round((high - low) * _PER_MV)
    seconds = tracing.samples.size / tracing.rate_hz
    rows = [
        f"<g transform='translate(0 {n * (_RAIL + paper)})'>{''.join(_row(tracing, n, (low, high, middle), column, slack))}</g>"
        for n in range(max(1, ceil(seconds / ROW_S)))
    ]
    height = len(rows) * (_RAIL + paper)
    at = _clock(tracing, max(tracing.onset_s, 0.0))
    title = escape(f"ECG, {tracing.lead[:20]}, {seconds:g} s, {tracing.words[:120]} {at} UTC", quote=True)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' class='ecg-strip' width='{_WIDTH // _MM}mm' height='{height / _MM:g}mm' "
        f"viewBox='0 0 {_WIDTH} {height}' role='img' aria-label='{title}' font-family='sans-serif' font-size='30'>"
        f"{ecg_paper.definitions(_MM)}{''.join(rows)}</svg>"
    )


def _row(tracing: Tracing, number: int, extent: tuple[float, float, float], column: int, slack: float) -> Iterator[str]:
    low, high, middle = extent
    paper, start = round((high - low) * _PER_MV), number * ROW_S
    box = f"y='{_RAIL}' height='{paper}'"
    yield f"<rect class='paper' fill='#fffaf8' width='{_WIDTH}' {box}/><rect fill='url(#grid)' width='{_WIDTH}' {box}/>"
    yield from _span(tracing, start, box)
    first = round(start * tracing.rate_hz)
    part = tracing.samples[first : round((start + ROW_S) * tracing.rate_hz) + 1]
    x = _HEAD + (np.arange(first, first + part.size) / tracing.rate_hz - start) * _PER_S
    y = _RAIL + (high - np.clip(part.astype(float) / 1000 - middle, low, high)) * _PER_MV
    is_known = part != MISSING
    is_missing = ~is_known & (x < _WIDTH)  # the sample on the seam is the next row's
    gaps = _gaps(x, is_missing, max(column, _SHOWN), column)
    if gaps:
        hatched = "".join(f"M{a} {_RAIL}H{b}v{paper}H{a}z" for a, b in gaps)
        yield f"<path class='missing' fill='url(#hatch)' d='{hatched}'/>"
        yield from _said(gaps)
    over = "".join(
        f"M{round(x[a])} {edge}H{round(x[b - 1]) + 1}"
        for edge in (_RAIL, _RAIL + paper)
        for a, b in ecg_paper.beyond(y, is_known, edge)
        if x[b - 1] - x[a] >= column or column == 1
    )
    if over:
        yield f"<path class='clip' stroke='#b3122b' stroke-width='12' d='{over}'/>"
    foot = _RAIL + round(high * _PER_MV)
    line = ecg_paper.pulse(_MM, foot) + "".join(_trace(x, y, is_known, gaps, column, slack))
    yield f"<path class='trace' fill='none' stroke='#111827' stroke-width='3' stroke-linejoin='round' d='{line}'/>"
    yield from _texts(tracing, number, start)


def _gaps(x: NDArray[np.float64], missing: NDArray[np.bool_], least: int, column: int) -> list[tuple[int, int]]:
    """Where to hatch, in units: from the sample before to the one behind; what would touch is one."""
    step = x[1] - x[0] if x.size > 1 else 1.0
    merged: list[tuple[int, int]] = []
    for a, b in ecg_paper.runs(missing):
        left, right = round(x[a] - step / 2), round(x[b - 1] + step / 2)
        left, right = max(left, _HEAD), min(max(right, left + least), _WIDTH)
        if merged and left - merged[-1][1] <= column:
            merged[-1] = merged[-1][0], max(right, merged[-1][1])
        elif right > left:
            merged.append((left, right))
    return merged


def _said(gaps: list[tuple[int, int]]) -> Iterator[str]:
    for left, right in gaps:
        if right - left >= _SAID_S * _PER_S:
            words = f"no signal 无信号 {(right - left) / _PER_S:.1f} s"
            yield f"<text class='no-signal' x='{left + 10}' y='{_RAIL + 40}'>{words}</text>"


def _trace(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    is_known: NDArray[np.bool_],
    gaps: list[tuple[int, int]],
    column: int,
    slack: float,
) -> Iterator[str]:
    """The line, broken wherever samples are missing."""
    for a, b in ecg_paper.runs(is_known):
        behind = bisect_right(gaps, (x[a], _WIDTH)) - 1
        if column > 1 and behind >= 0 and x[b - 1] <= gaps[behind][1]:
            continue  # too little between two gaps to be seen at this width
        points = ecg_paper.thinned(x[a:b], y[a:b], column)
        spots = ecg_paper.straightened([(round(px), round(py)) for px, py in points], slack)
        moves = [(end[0] - begin[0], end[1] - begin[1]) for begin, end in pairwise(spots)] or [(1, 0)]
        steps = " ".join(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}" for dx, dy in moves)
        yield f"M{spots[0][0]} {spots[0][1]}l{steps}"


def _span(tracing: Tracing, start: int, box: str) -> Iterator[str]:
    """The shaded stretch of the condition, and the line of its onset."""
    colour = SHADES.get(tracing.condition, _OTHER)
    if tracing.is_of_lead:
        begin = max(tracing.onset_s, start)
        end = min(SECONDS if tracing.end_s is None else tracing.end_s, start + ROW_S)
        if end > begin:
            x, width = _HEAD + round((begin - start) * _PER_S), max(1, round((end - begin) * _PER_S))
            yield f"<rect class='span' fill='{colour}' fill-opacity='.1' x='{x}' width='{width}' {box}/>"
    if start <= tracing.onset_s < start + ROW_S:
        x = _HEAD + round((tracing.onset_s - start) * _PER_S)
        yield f"<rect class='onset' fill='{colour}' x='{x}' width='4' {box}/>"


def _texts(tracing: Tracing, number: int, start: int) -> Iterator[str]:
    """In the rail above the paper: clock of the row, lead and scale, and what began when."""
    onset = tracing.onset_s - start
    if not 0 <= onset < ROW_S or onset > 2:  # noqa: PLR2004 - seconds; else the label of the onset says the clock
        yield f"<text class='clock' x='{_HEAD}' y='{_RAIL - 15}'>{_clock(tracing, start)}</text>"
    if 0 <= onset < ROW_S:
        x = _HEAD + round(onset * _PER_S)
        words = escape(f"▼ {_clock(tracing, tracing.onset_s)} {tracing.words[:120]}")
        where = f"x='{x}'" if onset <= ROW_S / 2 else f"x='{x}' text-anchor='end'"
        yield f"<text class='onset-words' font-weight='700' {where} y='{_RAIL - 15}'>{words}</text>"
    if number == 0:
        scale = escape(f"{tracing.lead[:20]} · 25 mm/s · 10 mm/mV · UTC")
        yield f"<text class='scale' x='{_WIDTH}' y='{_RAIL - 15}' text-anchor='end'>{scale}</text>"


def _clock(tracing: Tracing, seconds: float) -> str:
    return f"{tracing.from_at + timedelta(seconds=seconds):%H:%M:%S}"
