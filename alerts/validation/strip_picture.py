"""A stretch of ECG on paper as inline SVG: 25 mm/s, 10 mm/mV, the annotators' marks above, ours beneath them.

Pure; colours are classes of the page's style sheet. The scale never changes to fit: a long stretch is cut into pieces
that stand side by side, or one under the other on a phone. Missing samples are hatched; must never draw a line there.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from alerts import ecg_paper
from stream.recording import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MM = 3.0
"""CSS pixels a millimetre."""
PIECE_S = 3.6
"""18 large squares: what fits a phone."""
_PER_S = 25 * MM
_PER_MV = 10 * MM
_HEAD = 10 * MM
"""Before the first piece: the calibration pulse, 5 mm wide and 10 mm high. Whole large squares, as is each rail."""
_RAIL = 15.0
_BAR = 15.0

DEFINITIONS = f'<svg class="definitions" width="0" height="0" aria-hidden="true">{ecg_paper.definitions(MM)}</svg>'
"""Paper and hatching, once a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A mark of a beat."""

    at_s: float
    group: str
    """AAMI class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of a named rhythm."""

    start_s: float
    end_s: float
    name: str
    kind: str
    """`vt` or `af`: how it is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is drawn; all times in seconds of the recording."""

    samples: NDArray[np.int16]
    """Of the whole lead, microvolts, `MISSING` where nothing was measured."""
    rate_hz: float
    start_s: float
    seconds: float
    lead: str
    theirs: Sequence[Beat]
    ours: Sequence[Beat]
    their_bars: Sequence[Bar] = ()
    our_bars: Sequence[Bar] = ()
    wrong_s: Sequence[float] = ()
    label: str = ""
    """The picture in a sentence, for who cannot see it."""


def strip(picture: Picture) -> str:
    """The picture as pieces of SVG in a block of their own."""
    low, high, middle = _range(picture)
    pieces = []
    number = max(1, round(picture.seconds / PIECE_S))
    for n in range(number):
        start = picture.start_s + n * PIECE_S
        pieces.append(_piece(picture, start, n == 0, low, high, middle))
    return f'<div class="strip" role="img" aria-label="{escape(picture.label)}">{"".join(pieces)}</div>'


def _range(picture: Picture) -> tuple[float, float, float]:
    """Lowest and highest millivolt of the paper, in steps of half a one, and the middle of the signal."""
    first = max(0, round(picture.start_s * picture.rate_hz))
    part = picture.samples[first : first + round(picture.seconds * picture.rate_hz)]
    return ecg_paper.extent(part[part != MISSING].astype(float) / 1000)


def _piece(picture: Picture, start: float, is_first: bool, low: float, high: float, middle: float) -> str:
    head = _HEAD if is_first else 0.0
    width, paper = PIECE_S * _PER_S, (high - low) * _PER_MV
    top = 2 * _RAIL
    has_bars = bool(picture.their_bars or picture.our_bars)
    height = top + paper + (2 * _BAR if has_bars else 0.0)
    inner = [f'<rect class="paper" x="0" y="{top:g}" width="{head + width:g}" height="{paper:g}"/>']
    inner.append(f'<rect fill="url(#grid)" x="0" y="{top:g}" width="{head + width:g}" height="{paper:g}"/>')
    inner += _wrong(picture, start, head, top + paper)
    if is_first:
        inner.append(f'<path class="pulse" d="{ecg_paper.pulse(MM, top + high * _PER_MV)}"/>')
    inner += _trace(picture, start, head, top, low, high, middle)
    inner += _beats(picture.theirs, start, head, _RAIL / 2)
    inner += _beats(picture.ours, start, head, _RAIL * 1.5)
    inner += _bars(picture.their_bars, start, head, top + paper)
    inner += _bars(picture.our_bars, start, head, top + paper + _BAR)
    inner.append(f'<text class="clock" x="{head + 2:g}" y="{top + paper - 3:g}">{_clock(start)}</text>')
    if is_first:
        inner.append(f'<text class="clock" x="2" y="{top + 11:g}">{escape(picture.lead)}</text>')
        inner.append(f'<text class="whose" x="0" y="{_RAIL / 2 + 4:g}">ref</text>')
        inner.append(f'<text class="whose" x="0" y="{_RAIL * 1.5 + 4:g}">ours</text>')
    size = f'width="{head + width:g}" height="{height:g}" viewBox="0 0 {head + width:g} {height:g}"'
    return f'<svg {size} aria-hidden="true">{"".join(inner)}</svg>'


def _trace(
    picture: Picture, start: float, head: float, top: float, low: float, high: float, middle: float
) -> Iterable[str]:
    """The line, lowest and highest of each pixel, broken where samples are missing; hatching there."""
    rate = picture.rate_hz
    first, last = round(start * rate), round((start + PIECE_S) * rate) + 1
    first = max(first, 0)
    part = picture.samples[first:last]
    if not part.size:
        return
    x = head + (np.arange(first, first + part.size) / rate - start) * _PER_S
    y = top + (high - np.clip(part.astype(float) / 1000 - middle, low, high)) * _PER_MV
    is_known = part != MISSING
    for a, b in ecg_paper.runs(~is_known):
        yield (
            f'<rect class="missing" fill="url(#hatch)" x="{x[a]:.1f}" y="{top:g}" '
            f'width="{max(1.0, x[b - 1] - x[a]):.1f}" height="{(high - low) * _PER_MV:g}"/>'
        )
    yield from _clipped(x, y, is_known, top, top + (high - low) * _PER_MV)
    path = " ".join(
        "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in ecg_paper.thinned(x[a:b], y[a:b]))
        for a, b in ecg_paper.runs(is_known)
    )
    yield f'<path class="trace" d="{path}"/>'


def _clipped(
    x: NDArray[np.float64], y: NDArray[np.float64], is_known: NDArray[np.bool_], top: float, foot: float
) -> Iterable[str]:
    """A thick edge wherever the signal leaves the paper."""
    for edge in (top, foot):
        for a, b in ecg_paper.beyond(y, is_known, edge):
            yield f'<path class="clip" d="M{x[a] - 1:.1f} {edge:g}H{x[b - 1] + 1:.1f}"/>'


def _beats(beats: Sequence[Beat], start: float, head: float, y: float) -> Iterable[str]:
    for beat in beats:
        if not start <= beat.at_s < start + PIECE_S:
            continue
        x = head + (beat.at_s - start) * _PER_S
        if beat.group == "V":
            yield f'<path class="v" d="M{x:.1f} {y - 7.5:g}l7.5 7.5l-7.5 7.5l-7.5 -7.5z"/>'
        elif beat.group == "S":
            yield f'<circle class="s" cx="{x:.1f}" cy="{y:g}" r="7"/>'
        yield f'<text class="beat {beat.group.lower()}" x="{x:.1f}" y="{y + 3.8:g}">{escape(beat.group)}</text>'


def _bars(bars: Sequence[Bar], start: float, head: float, y: float) -> Iterable[str]:
    for bar in bars:
        begin, end = max(bar.start_s, start), min(bar.end_s, start + PIECE_S)
        if end <= begin:
            continue
        x, width = head + (begin - start) * _PER_S, (end - begin) * _PER_S
        yield f'<rect class="bar {bar.kind}" x="{x:.1f}" y="{y + 2:g}" width="{width:.1f}" height="{_BAR - 3:g}"/>'
        if width > 8 * len(bar.name):
            yield f'<text class="bar-name" x="{x + 4:.1f}" y="{y + _BAR - 4:g}">{escape(bar.name)}</text>'


def _wrong(picture: Picture, start: float, head: float, height: float) -> Iterable[str]:
    for at in picture.wrong_s:
        if start <= at < start + PIECE_S:
            x = head + (at - start) * _PER_S
            yield f'<rect class="wrong" x="{x - 9:.1f}" y="0" width="18" height="{height:g}"/>'


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
