"""Which points a line on paper must go through."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.ecg_paper import runs, straightened, thinned


@given(ys=st.lists(st.integers(0, 450), min_size=1, max_size=200), slack=st.floats(0, 20), steps=st.integers(0, 3))
def test_whatever_is_left_out_lies_on_the_line(ys: list[int], slack: float, steps: int) -> None:
    rng = np.random.default_rng(len(ys))
    xs = np.cumsum(rng.integers(0, steps + 1, len(ys))).tolist()  # steps of 0: straight up and down
    points = list(zip(xs, ys, strict=True))
    kept = straightened(points, slack)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    at = 0
    for begin, end in pairwise(kept):
        to = next(k for k in range(at + 1, len(points)) if points[k] == end and _fits(points[at : k + 1], slack))
        assert points[at] == begin
        at = to
    assert at == len(points) - 1 or all(one == points[-1] for one in points[at:])


def _fits(between: list[tuple[int, int]], slack: float) -> bool:
    (x0, y0), (x1, y1) = between[0], between[-1]
    if x1 == x0:
        return len(between) == 2 or all(one in (between[0], between[-1]) for one in between)
    return all(abs(y - (y0 + (y1 - y0) * (x - x0) / (x1 - x0))) <= slack + 1e-9 for x, y in between)


@given(ys=st.lists(st.floats(-100, 100), min_size=1, max_size=300), column=st.integers(1, 40))
def test_no_spike_is_thinned_away(ys: list[float], column: int) -> None:
    x, y = np.arange(len(ys), dtype=float), np.array(ys)
    points = thinned(x, y, column)
    assert max(py for _, py in points) == y.max()
    assert min(py for _, py in points) == y.min()
    assert [px for px, _ in points] == sorted(px for px, _ in points)


@given(mask=st.lists(st.booleans(), max_size=60))
def test_runs_are_where_it_holds(mask: list[bool]) -> None:
    held = np.zeros(len(mask), bool)
    for first, behind in runs(np.array(mask, bool)):
        assert first < behind
        held[first:behind] = True
    assert held.tolist() == mask
