"""ECG on paper: the grid, the calibration pulse, and which points of a signal a line must go through. Pure.

What the strip of an alert (`strip_svg.py`) and the strips of the report (`validation/strip_picture.py`) have in common.
The scale never changes to fit; must never draw a line where nothing was measured.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

LEAST_MV, LOWEST_MV, HIGHEST_MV = 2.0, -2.0, 2.5
"""How much paper there is at least, and where a signal leaves it."""
_EDGE = 0.05
"""So near to the paper's edge a sample lies on it."""


def definitions(mm: float) -> str:
    """`<defs>` with the patterns `grid` (1 mm and 5 mm) and `hatch` (nothing was measured); `mm` in user units.

    Colours are attributes, so that a style sheet may change them and a strict CSP has nothing to refuse.
    """
    minor = "".join(f"M{n * mm:g} 0V{5 * mm:g}M0 {n * mm:g}H{5 * mm:g}" for n in range(1, 5))
    size = f"width='{5 * mm:g}' height='{5 * mm:g}' patternUnits='userSpaceOnUse'"
    return (
        f"<defs><pattern id='grid' {size}>"
        f"<path class='minor' stroke='#f6e2de' stroke-width='{mm / 8:g}' d='{minor}'/>"
        f"<path class='major' stroke='#e8bcb3' stroke-width='{mm / 6:g}' d='M0 0V{5 * mm:g}M0 0H{5 * mm:g}'/></pattern>"
        f"<pattern id='hatch' width='{2 * mm:g}' height='{2 * mm:g}' patternUnits='userSpaceOnUse'"
        " patternTransform='rotate(45)'>"
        f"<path class='gap' stroke='#7b869a' stroke-width='{mm / 2:g}' d='M0 0V{2 * mm:g}'/></pattern></defs>"
    )


def pulse(mm: float, foot: float) -> str:
    """Path of the calibration pulse, 5 mm wide and 10 mm (1 mV) high, standing on `foot`; it begins 1 mm from the edge."""
    return f"M{mm:g} {foot:g}h{mm:g}v{-10 * mm:g}h{5 * mm:g}v{10 * mm:g}h{mm:g}"


def extent(known_mv: NDArray[np.float64]) -> tuple[float, float, float]:
    """Lowest and highest millivolt of the paper, in steps of half a one, and the middle of the signal.

    `known_mv`: what was measured; the first two are relative to the middle.
    """
    if not known_mv.size:
        return -1.0, 1.0, 0.0
    middle = float(np.median(known_mv))
    low = max(LOWEST_MV, np.floor((known_mv.min() - middle) * 2) / 2)
    high = min(HIGHEST_MV, np.ceil((known_mv.max() - middle) * 2) / 2)
    while high - low < LEAST_MV:
        high, low = (high + 0.5, low) if high <= -low else (high, low - 0.5)
    return float(low), float(high), middle


def runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where a mask holds without a break: first, and behind the last."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True)


def beyond(y: NDArray[np.float64], is_known: NDArray[np.bool_], edge: float) -> Iterator[tuple[int, int]]:
    """Where the signal, clipped to the paper, lies on its edge: it went on out there, and that must be said."""
    yield from runs(is_known & (np.abs(y - edge) < _EDGE))


def thinned(x: NDArray[np.float64], y: NDArray[np.float64], column: float = 1.0) -> list[tuple[float, float]]:
    """At most the lowest and the highest point of each column, in their order: no spike is ever skipped."""
    if x.size <= 2:  # noqa: PLR2004 - each is the lowest or the highest
        return list(zip(x.tolist(), y.tolist(), strict=True))
    columns, order = np.floor(x / column).astype(int), np.arange(x.size)
    starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    # The first of the lowest and of the highest: sorted within their columns, they stand where the columns begin.
    lowest, highest = (np.lexsort((order, sign * y, columns))[starts] for sign in (1, -1))
    pairs = np.sort(np.stack([lowest, highest], axis=1), axis=1)
    ends = pairs.ravel()[np.stack([np.ones(starts.size, bool), pairs[:, 0] != pairs[:, 1]], axis=1).ravel()]
    return list(zip(x[ends].tolist(), y[ends].tolist(), strict=True))


def straightened(points: list[tuple[int, int]], slack: float) -> list[tuple[int, int]]:
    """As few of the points as will do: every one left out lies at most `slack` above or below the line."""
    kept = points[:1]
    anchor_x, anchor_y = points[0]
    low, high = -np.inf, np.inf
    for before, (x, y) in pairwise(points):
        dx = x - anchor_x
        if dx <= 0 or not low <= (y - anchor_y) / dx <= high:
            if before != kept[-1]:
                kept.append(before)
            anchor_x, anchor_y = before
            low, high, dx = -np.inf, np.inf, x - before[0]
        if dx <= 0:  # straight up or down: the next line begins here
            kept.append((x, y))
            anchor_x, anchor_y = x, y
        else:
            low = max(low, (y - slack - anchor_y) / dx)
            high = min(high, (y + slack - anchor_y) / dx)
    if kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept
