"""From scikit-learn's boosted trees to the product's own form (stream/ecg/trees.py), checked against it row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.ecg.trees import Trees, log_odds


def exported(model: Any, rows: NDArray[np.float32], number: int = 0) -> Trees:
    """A fitted HistGradientBoostingClassifier as `Trees`; of more than two classes, the ensemble of class `number`.

    rows: (n, features) float32 on which both must agree. Raises ValueError where they do not: features that are not
    finite, or more than 2^depth leaves.
    """
    grown = [predictor[number].nodes for predictor in model._predictors]  # noqa: SLF001 - the only place that has them
    depth = max(int(nodes["depth"].max()) for nodes in grown)
    shape = (len(grown), 2**depth - 1)
    feature, threshold = np.zeros(shape, np.int16), np.full(shape, np.inf, np.float32)
    leaf = np.zeros((len(grown), 2**depth), np.float32)
    for tree, nodes in enumerate(grown):
        _lay_out(nodes, 0, 0, feature[tree], threshold[tree], leaf[tree])
    trees = Trees(feature, threshold, leaf, float(np.ravel(model._baseline_prediction)[number]))  # noqa: SLF001
    ours = np.array([log_odds(row, *trees) for row in rows[:2000]])
    theirs = model.decision_function(rows[:2000]).reshape(len(ours), -1)[:, number]
    if not np.allclose(ours, theirs, atol=1e-3):
        message = f"exported trees differ from scikit-learn's by up to {np.abs(ours - theirs).max():.4f}"
        raise ValueError(message)
    return trees


def _lay_out(nodes: Any, at: int, place: int, feature: Any, threshold: Any, leaf: Any) -> None:
    """Put node `at` of a grown tree at `place` of the complete one; a leaf fills all the places below it."""
    node = nodes[at]
    if place >= feature.size:
        leaf[place - feature.size] = node["value"]
        return
    if node["is_leaf"]:
        _lay_out(nodes, at, 2 * place + 1, feature, threshold, leaf)
        _lay_out(nodes, at, 2 * place + 2, feature, threshold, leaf)
        return
    feature[place] = node["feature_idx"]
    # scikit-learn compares in float64: the float32 next below keeps "greater goes right" true for float32 features.
    limit = np.float32(node["num_threshold"])
    threshold[place] = limit if limit <= node["num_threshold"] else np.nextafter(limit, np.float32(-np.inf))
    _lay_out(nodes, int(node["left"]), 2 * place + 1, feature, threshold, leaf)
    _lay_out(nodes, int(node["right"]), 2 * place + 2, feature, threshold, leaf)
