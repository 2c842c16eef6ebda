"""Range sets against sets of numbers: what receipts, holes and the ledger rest on."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ranges import add, contains, holes, normalise, size, subtract, union

pairs = st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda p: (p[0], p[0] + p[1]))
sets = st.lists(pairs, max_size=8)


def numbers(ranges) -> set[int]:
    return {n for first, last in ranges for n in range(first, last + 1)}


def is_normal(ranges) -> bool:
    return all(first <= last for first, last in ranges) and all(a[1] + 1 < b[0] for a, b in pairwise(ranges))


@given(sets, sets, pairs, st.integers(0, 80))
def test_range_sets_are_sets_of_numbers(a, b, pair, number):
    x, y = normalise(a), normalise(b)
    assert numbers(x) == numbers(a)
    assert numbers(union(x, y)) == numbers(a) | numbers(b)
    assert numbers(subtract(x, y)) == numbers(a) - numbers(b)
    assert numbers(add(x, *pair)) == numbers(a) | numbers([pair])
    assert contains(x, number) == (number in numbers(a))
    assert size(x) == len(numbers(a))
    assert all(is_normal(r) for r in (x, union(x, y), subtract(x, y), add(x, *pair), holes(x)))
    if x:
        assert numbers(holes(x)) == set(range(1, x[-1][1] + 1)) - numbers(a)


@pytest.mark.parametrize("call", [lambda: normalise([(3, 2)]), lambda: add((), 3, 2)])
def test_a_range_that_ends_before_it_starts_is_named(call):
    with pytest.raises(ValueError, match=r"3\.\.2"):
        call()
