"""Stretches of time against the same on a grid of seconds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.validation.spans import common_to, in_force, inside, length, merged, without

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)
GRID = np.arange(60) + 0.5


def on_grid(some):
    return np.any([(a < GRID) & (b > GRID) for a, b in some] or [np.zeros(60, bool)], axis=0)


@given(spans, spans)
def test_as_sets(one, other):
    a, b = on_grid(one), on_grid(other)
    for found, expected in ((merged(one), a), (common_to(one, other), a & b), (without(one, other), a & ~b)):
        assert (on_grid(found) == expected).all()
        assert length(found) == expected.sum()
        assert all(x[1] < y[0] for x, y in pairwise(found))
    assert (inside(GRID, one) == a).all()


def test_the_end_is_not_inside():
    assert inside(np.array([1.0, 2.0]), [(1.0, 2.0)]).tolist() == [True, False]


def test_a_label_holds_to_the_next_one():
    assert in_force([(0, "N"), (50, "AFIB")], 10.0, 100) == ((0.0, 5.0, "N"), (5.0, 10.0, "AFIB"))
    assert in_force([], 10.0, 100) == ()
