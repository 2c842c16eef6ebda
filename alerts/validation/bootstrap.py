"""How sure a figure is: 95 % intervals by drawing whole records again, and Poisson's bound for what was not seen.

Pure and seeded: the same records give the same interval. Must never draw beats of one record apart, as they go together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.stats import beta, chi2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

Counts: TypeAlias = dict[str, float]
"""What was counted on one record, by name."""
Interval: TypeAlias = tuple[float, float]

DRAWS = 1000
SEED = 20261124
LEVEL = 0.95
UNKNOWN: Interval = (math.nan, math.nan)


def summed(records: Sequence[Counts]) -> Counts:
    """All records together."""
    names = sorted({name for one in records for name in one})
    return {name: math.fsum(one.get(name, 0.0) for one in records) for name in names}


def draws(records: int) -> NDArray[np.float64]:
    """How often each record is in each draw, shape (DRAWS, records)."""
    generator = np.random.default_rng(SEED)
    return generator.multinomial(records, np.full(records, 1 / records), size=DRAWS).astype(float)


def interval(
    records: Sequence[Counts], figure: Callable[[Mapping[str, NDArray[np.float64]]], NDArray[np.float64]]
) -> Interval:
    """Where a figure of summed counts lies in 95 of 100 draws of the records (percentile bootstrap).

    `figure` takes the sums by name, each of shape (draws,). NaN where fewer than two records bear on it.
    """
    bearing = [one for one in records if any(one.values())]
    if len(bearing) < 2:  # noqa: PLR2004 - one record says nothing of another
        return UNKNOWN
    weights = draws(len(bearing))
    names = sorted({name for one in bearing for name in one})
    sums = {name: weights @ np.array([one.get(name, 0.0) for one in bearing]) for name in names}
    return _percentiles(figure(sums))


def interval_of_quantile(records: Sequence[Sequence[float]], percent: float) -> Interval:
    """The same for a percentile of values that come several from a record."""
    bearing = [one for one in records if len(one)]
    if len(bearing) < 2:  # noqa: PLR2004
        return UNKNOWN
    values = np.concatenate([np.asarray(one, float) for one in bearing])
    owner = np.repeat(np.arange(len(bearing)), [len(one) for one in bearing])
    times = draws(len(bearing))[:, owner].astype(int)
    return _percentiles(np.array([np.percentile(np.repeat(values, row), percent) for row in times]))


def rate_bound(events: int) -> float:
    """The largest mean that would still give so few events in 5 of 100 cases (Poisson, exact, one-sided).

    By the chi-square law: 3.0 for none (the "rule of three").
    """
    return float(chi2.ppf(LEVEL, 2 * (events + 1)) / 2)


def share_bounds(part: float, whole: float) -> Interval:
    """The 95 % interval of a share in percent, exact (Clopper and Pearson).

    For where all or none were found: drawing records again would then show no doubt at all.
    """
    tail = (1 - LEVEL) / 2
    low = float(beta.ppf(tail, part, whole - part + 1)) if part > 0 else 0.0
    high = float(beta.ppf(1 - tail, part + 1, whole - part)) if part < whole else 1.0
    return 100 * low, 100 * high


def _percentiles(values: NDArray[np.float64]) -> Interval:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return UNKNOWN
    low, high = np.percentile(known, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)
