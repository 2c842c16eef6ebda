"""Ensembles of small decision trees, learned elsewhere and kept as data: the one way in which a kernel evaluates them.

Every tree is complete: `depth` levels, so that its evaluation is a fixed number of comparisons without a branch. Must
never see a feature that is not finite; the kernels that make features guarantee it.
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.ecg.kernel import Samples, kernel

MODELS: Final = Path(__file__).parent / "models"


class Trees(NamedTuple):
    """An ensemble. Kernels take its fields as constants of their module."""

    feature: NDArray[np.int16]
    """Feature that node n of tree t looks at, shape (trees, 2^depth - 1); children of n are 2n + 1 and 2n + 2."""
    threshold: NDArray[np.float32]
    """Greater goes right; same shape."""
    leaf: NDArray[np.float32]
    """What a tree adds to the log odds, shape (trees, 2^depth)."""
    bias: float
    """Log odds without any tree."""


def load(name: str) -> Trees:
    """The model `models/<name>.npz`. Raises FileNotFoundError where it was never trained."""
    with np.load(MODELS / f"{name}.npz", allow_pickle=False) as data:
        return Trees(data["feature"], data["threshold"], data["leaf"], float(data["bias"]))


def save(name: str, trees: Trees) -> None:
    """Write `models/<name>.npz`: the same bytes for the same trees."""
    feature, threshold, leaf, bias = trees
    np.savez_compressed(MODELS / f"{name}.npz", feature=feature, threshold=threshold, leaf=leaf, bias=np.float64(bias))


@kernel
def log_odds(features: Samples, feature: Samples, threshold: Samples, leaf: Samples, bias: float) -> float:
    """Sum of the leaves that a row of features, shape (n,) float32, reaches."""
    total = bias
    nodes = feature.shape[1]
    for t in range(feature.shape[0]):
        node = 0
        while node < nodes:
            node = 2 * node + 1 + (features[feature[t, node]] > threshold[t, node])
        total += leaf[t, node - nodes]
    return total
