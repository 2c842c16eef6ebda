"""The learned weights of the beat classes, and how they are applied. Never changed by hand: see models/classes.md."""

import math
from typing import Final

import numpy as np

from stream.ecg import trees
from stream.ecg.classes_chart import HISTORY, INPUTS
from stream.ecg.kernel import Samples, kernel


def _weights(name: str) -> Samples:
    """One array of models/classes.npz."""
    with np.load(trees.MODELS / "classes.npz", allow_pickle=False) as data:
        return np.asarray(data[name], np.float32)


_FIRST: Final = _weights("first")
_SECOND: Final = _weights("second")
_R_FEATURE, _R_THRESHOLD, _R_LEAF, _R_BIAS = trees.load("classes_rhythm")
_V_FEATURE, _V_THRESHOLD, _V_LEAF, _V_BIAS = trees.load("classes_v")


@kernel
def first(inputs: Samples) -> float:
    """First verdict of V: log odds from the beat's own inputs."""
    total = float(_FIRST[INPUTS])
    for i in range(INPUTS):
        total += _FIRST[i] * inputs[i]
    return total


@kernel
def second(inputs: Samples) -> float:
    """Second verdict of V, with the history of first ones: mean log odds of a logistic model and of trees."""
    total = float(_SECOND[INPUTS + HISTORY])
    for i in range(INPUTS + HISTORY):
        total += _SECOND[i] * inputs[i]
    return 0.5 * total + 0.5 * trees.log_odds(inputs, _V_FEATURE, _V_THRESHOLD, _V_LEAF, _V_BIAS)


@kernel
def supraventricular(interval_features: Samples) -> float:
    """Log odds of S of a beat that is no V, by its intervals."""
    return trees.log_odds(interval_features, _R_FEATURE, _R_THRESHOLD, _R_LEAF, _R_BIAS)


@kernel
def probability(log_odds: float) -> float:
    """Of log odds."""
    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -30.0), 30.0)))
