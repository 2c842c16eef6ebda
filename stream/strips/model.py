"""The learned part of the strip judge as data: four ensembles of trees, one a class, and the prior. Read only.

Written by benchmarks/training/train_strips.py; what it knows and does not stands in stream/ecg/models/strips.md.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from stream.ecg.trees import MODELS, Trees, log_odds

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE: Final = MODELS / "strips.npz"
CLASSES: Final = "NAO~"
"""Order of all that is by class."""
ABSENT: Final = np.float32(-1000.0)
"""Stands for a feature that cannot be measured: below all that can."""


class Model(NamedTuple):
    """What a judge needs."""

    names: tuple[str, ...]
    """Features, in the order in which the trees number them."""
    trees: tuple[Trees, ...]
    """By class: logarithm of its odds up to a constant that the classes share."""
    prior: tuple[float, ...]
    """By class: what its probability is multiplied by."""


@cache
def load() -> Model:
    """The model of this version of the product."""
    with np.load(FILE, allow_pickle=False) as data:
        ensembles = zip(data["feature"], data["threshold"], data["leaf"], data["bias"].tolist(), strict=True)
        return Model(
            tuple(str(name) for name in data["names"]),
            tuple(Trees(*one) for one in ensembles),
            tuple(data["prior"].tolist()),
        )


def save(model: Model) -> None:
    """Write the model: the same bytes for the same model."""
    np.savez_compressed(
        FILE,
        names=np.array(model.names),
        feature=np.stack([trees.feature for trees in model.trees]),
        threshold=np.stack([trees.threshold for trees in model.trees]),
        leaf=np.stack([trees.leaf for trees in model.trees]),
        bias=np.array([trees.bias for trees in model.trees]),
        prior=np.array(model.prior),
    )


def probabilities(
    model: Model, row: NDArray[np.float32], prior: tuple[float, ...] | None = None
) -> NDArray[np.float64]:
    """Probability of each class for a row of features (`model.names`; NaN where absent), shape (4,), sum 1."""
    row = np.where(np.isfinite(row), row, ABSENT).astype(np.float32)
    odds = np.array([log_odds(row, *trees) for trees in model.trees])
    p = np.exp(odds - odds.max()) * np.array(model.prior if prior is None else prior)
    return np.asarray(p / p.sum())
