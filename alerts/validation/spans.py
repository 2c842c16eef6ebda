"""Stretches of time as lists of (start, end) in seconds, and what scoring asks of them.

Pure. A stretch is half open: its end is not in it. Must never hand back overlapping stretches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Span: TypeAlias = tuple[float, float]


def in_force(changes: Sequence[tuple[int, str]], rate_hz: float, length: int) -> tuple[tuple[float, float, str], ...]:
    """(start, end, label) in seconds of labels that hold from their sample to the next; the last to the end."""
    ends = [at for at, _ in changes[1:]] + [length] * bool(changes)
    return tuple((at / rate_hz, end / rate_hz, label) for (at, label), end in zip(changes, ends, strict=True))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Their union, in order; those that touch become one, empty ones go."""
    union: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def common_to(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """Where both are."""
    others = merged(other)
    return merged((max(a, c), min(b, d)) for a, b in merged(one) for c, d in others)


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The spans where no hole is."""
    left: list[Span] = []
    gaps = merged(holes)
    for start, end in merged(spans):
        begin = start
        for a, b in gaps:
            if b <= begin or a >= end:
                continue
            left.append((begin, a))
            begin = b
        left.append((begin, end))
    return merged(left)


def length(spans: Iterable[Span]) -> float:
    """Seconds that they cover."""
    return sum(end - start for start, end in merged(spans))


def inside(times: NDArray[np.float64], spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which of the times lie in one of the spans."""
    union = merged(spans)
    if not union:
        return np.zeros(times.size, bool)
    starts, ends = np.array(union).T
    place = np.searchsorted(starts, times, side="right") - 1
    return np.asarray((place >= 0) & (times < ends[np.maximum(place, 0)]))
