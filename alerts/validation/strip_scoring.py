"""Hand-held strips of Challenge 2017: F1 of normal, AF, other and noisy, and the mean of the first three.

Pure. The common classes of a thinned set flatter AF; so the figure is told for the Challenge's own mix of classes too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from alerts.validation.bootstrap import Counts

CLASSES = "NAO~"
NONE = "-"
"""A strip that got no answer: wrong for its own class, and added to no other."""
PUBLISHED = {"N": 5076, "A": 758, "O": 2415, "~": 279}
"""Strips of each class in the Challenge's training set (REFERENCE-v3)."""


def answer(truth: str, said: str) -> Counts:
    """One strip: key `NA` is a normal one called AF."""
    return {truth + (said if said in tuple(CLASSES) else NONE): 1.0}


def f1(sums: Mapping[str, NDArray[np.float64]], group: str, *, as_published: bool = False) -> NDArray[np.float64]:
    """F1 of a class in percent: twice the agreed over those that are and those that are called so."""
    some = next(iter(sums.values()))

    def cell(is_: str, called: str) -> NDArray[np.float64]:
        number = sums.get(is_ + called, np.zeros_like(some))
        if not as_published:
            return number
        whole = sum((sums.get(is_ + c, np.zeros_like(some)) for c in CLASSES + NONE), np.zeros_like(some))
        return number * PUBLISHED[is_] / np.maximum(whole, 1)

    are = sum((cell(group, called) for called in CLASSES + NONE), np.zeros_like(some))
    called = sum((cell(is_, group) for is_ in CLASSES), np.zeros_like(some))
    return np.asarray(np.where(are + called > 0, 200 * cell(group, group) / np.maximum(are + called, 1e-9), 0.0))


def mean_f1(sums: Mapping[str, NDArray[np.float64]], *, as_published: bool = False) -> NDArray[np.float64]:
    """The Challenge's figure: the mean of N, A and O."""
    return np.asarray(np.mean([f1(sums, group, as_published=as_published) for group in "NAO"], axis=0))
