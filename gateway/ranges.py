"""Sets of whole numbers kept as ranges, as in TCP selective acknowledgement: receipts, holes, the ledger.

A range set is a tuple of (first, last), both included, ascending, never touching: a value, so it is compared by `==`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]

EMPTY: Ranges = ()


def normalise(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Any (first, last) pairs, in any order, as a range set.

    Raises:
        ValueError: a pair whose last lies before its first; the pair is named.
    """
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if last < first:
            msg = f"range {first}..{last} ends before it starts"
            raise ValueError(msg)
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def add(ranges: Ranges, first: int, last: int) -> Ranges:
    """`ranges` with first..last; appending at the end, the everyday case, touches only the last range."""
    if last < first:
        msg = f"range {first}..{last} ends before it starts"
        raise ValueError(msg)
    if not ranges or first > ranges[-1][1] + 1:
        return (*ranges, (first, last))
    if first >= ranges[-1][0]:
        return (*ranges[:-1], (ranges[-1][0], max(ranges[-1][1], last)))
    return normalise((*ranges, (first, last)))


def union(a: Ranges, b: Ranges) -> Ranges:
    """Everything in either."""
    return normalise((*a, *b))


def subtract(a: Ranges, b: Ranges) -> Ranges:
    """Everything in `a` that is not in `b`."""
    left: list[tuple[int, int]] = []
    for start, last in a:
        first = start
        for cut_first, cut_last in b:
            if cut_last < first:
                continue
            if cut_first > last:
                break
            if cut_first > first:
                left.append((first, cut_first - 1))
            first = cut_last + 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def contains(ranges: Ranges, number: int) -> bool:
    """Whether `number` lies in one of the ranges."""
    at = bisect_right(ranges, (number, float("inf"))) - 1
    return at >= 0 and ranges[at][1] >= number


def holes(ranges: Ranges, first: int = 1) -> Ranges:
    """What is missing between `first` and the last number of the set."""
    return subtract(((first, ranges[-1][1]),), ranges) if ranges and ranges[-1][1] >= first else EMPTY


def size(ranges: Ranges) -> int:
    """How many numbers the set holds."""
    return sum(last - first + 1 for first, last in ranges)
