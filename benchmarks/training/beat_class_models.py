"""The models of beat classes: how they are fitted, and how they are applied outside of the kernels.

V: a logistic model of each beat's inputs, then, with the patient's history of its verdicts, the mean of a logistic model and of
small trees. The second stage only ever learns from first verdicts of models that had not seen the person.
S: trees on intervals, learned from annotations of long recordings and from healthy people as ones without S.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from stream.ecg import classes_features as of
from stream.ecg import classes_history, classes_intervals
from stream.ecg.classes_chart import CLASSES, HISTORY, INPUTS, INTERVAL_FEATURES, RHYTHM_PAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beat_class_data import Annotated, Beats
    from numpy.typing import NDArray

NESTED = 4
SHARE_OF_N, SHARE_FOR_TREES = 0.12, 0.04
VT_WEIGHT = 0.3
WRONG = 0.03
HEALTHY = 0.5
LONGEST_S = 2.0
V_FROM = 0.5
BOUND = 9.2  # log odds of 0.9999


@dataclass
class Linear:
    """A logistic model: log odds = x @ weights + bias."""

    weights: NDArray[Any]
    bias: float

    def log_odds(self, x: NDArray[Any]) -> NDArray[Any]:
        """Shape (n,)."""
        return np.clip(x @ self.weights + self.bias, -BOUND, BOUND)

    def packed(self) -> NDArray[np.float32]:
        """Weights, then the bias, as the kernels read them."""
        return np.append(self.weights, self.bias).astype(np.float32)


@dataclass
class Ventricular:
    """Both stages of V."""

    first: Linear
    second: Linear
    trees: Any

    def probability(self, beats: Beats) -> NDArray[Any]:
        """Of V for each beat of a lead."""
        x = second_inputs(beats, self.first.log_odds(beats.seen["inputs"]))
        return 1 / (1 + np.exp(-0.5 * self.second.log_odds(x) - 0.5 * self.trees.decision_function(x)))


def logistic(c: float, x: NDArray[Any], y: NDArray[Any], weight: NDArray[Any]) -> Linear:
    """Fit on standardised columns."""
    from sklearn.linear_model import LogisticRegression

    x = x.astype(np.float64)
    mean, spread = x.mean(0), x.std(0) + 1e-9
    model = LogisticRegression(C=c, max_iter=300).fit((x - mean) / spread, y, sample_weight=weight)
    weights = model.coef_[0] / spread
    return Linear(weights, float(model.intercept_[0] - weights @ mean))


def boosted(x: NDArray[Any], y: NDArray[Any], weight: NDArray[Any], trees: int, least: int) -> Any:
    """Small trees of depth 3."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=trees,
        max_depth=3,
        max_leaf_nodes=8,
        learning_rate=0.1,
        l2_regularization=5,
        min_samples_leaf=least,
        max_features=0.4,
        early_stopping=False,
        random_state=0,
    ).fit(x, y, sample_weight=weight)


@numba.njit  # type: ignore[untyped-decorator]
def _history(state: Any, logits: Any, is_new: Any, nearest: Any, out: Any) -> None:
    classes = state[0]
    classes.templates_n = 8
    for i in range(logits.size):
        classes.is_new = is_new[i]
        classes.nearest = nearest[i]
        classes_history.fill(classes, logits[i])
        out[i] = classes.inputs[INPUTS:]
        classes_history.learn(classes, logits[i])


def second_inputs(beats: Beats, logits: NDArray[Any]) -> NDArray[np.float32]:
    """Inputs and history of first verdicts, by the product's kernels."""
    out = np.zeros((logits.size, INPUTS + HISTORY), np.float32)
    out[:, :INPUTS] = beats.seen["inputs"]
    _history(np.zeros(1, CLASSES), logits, beats.seen["is_new"], beats.seen["nearest"], out[:, INPUTS:])
    return out


def rows(leads: Sequence[Beats], inputs: Sequence[NDArray[Any]], share: float) -> tuple[Any, Any, Any]:
    """Rows to learn V from: all V and S, a share of N, more of the early and unlike ones; label; weight.

    A lead's class weighs with the square root of its number of beats.
    """
    xs, ys, ws = [], [], []
    for beats, x in zip(leads, inputs, strict=True):
        label, f = beats.label, beats.seen["inputs"]
        rng = np.random.default_rng(7)
        odd = (f[:, of.RP_M10] < np.log(0.88)) | (f[:, of.ALIKE] < np.arctanh(0.85))
        kept = (rng.random(label.size) < share) | (odd & (rng.random(label.size) < 0.5))
        use = beats.usable & np.isin(label, list("NSVPo")) & (np.isin(label, list("VS")) | kept)
        y = (label[use] == "V").astype(int)
        w = np.ones(y.size)
        for of_class, size in ((0, 4.0), (1, 2.0)):
            n = (y == of_class).sum()
            if n:
                w[y == of_class] = size * n**-0.5
        xs.append(x[use])
        ys.append(y)
        ws.append(w * (VT_WEIGHT if beats.kind == "vt" else 1.0))
    weight = np.concatenate(ws)
    return np.concatenate(xs), np.concatenate(ys), weight / weight.mean()


def fit_first(leads: Sequence[Beats]) -> Linear:
    """Stage 1 alone."""
    return logistic(0.01, *rows(leads, [b.seen["inputs"] for b in leads], SHARE_OF_N))


def fit_v(leads: Sequence[Beats]) -> Ventricular:
    """Both stages; the second sees only first verdicts of models that had not seen the person."""
    people = sorted({b.person for b in leads})
    inputs: dict[int, NDArray[Any]] = {}
    for fold in range(NESTED):
        held = set(people[fold::NESTED])
        model = fit_first([b for b in leads if b.person not in held])
        for i, b in enumerate(leads):
            if b.person in held:
                inputs[i] = second_inputs(b, model.log_odds(b.seen["inputs"]))
    xs = [inputs[i] for i in range(len(leads))]
    second = logistic(0.03, *rows(leads, xs, SHARE_OF_N))
    trees = boosted(*rows(leads, xs, SHARE_FOR_TREES), trees=80, least=40)
    return Ventricular(fit_first(leads), second, trees)


@numba.njit
def _intervals(state: Any, before: Any, after: Any, known: Any, ventricular: Any, out: Any) -> None:
    past = state[0]
    for i in range(before.size):
        classes_intervals.fill(past, out[i], before[i], after[i])
        classes_intervals.learn(past, known[i], ventricular[i])


def interval_features(
    before: NDArray[Any], after: NDArray[Any], known: NDArray[Any], ventricular: NDArray[Any]
) -> NDArray[np.float32]:
    """What intervals say of S, by the product's kernels. Seconds; `known` is 0 where `before` is a guess."""
    out = np.zeros((before.size, INTERVAL_FEATURES), np.float32)
    _intervals(np.zeros(1, RHYTHM_PAST), before, after, known, ventricular, out)
    return out


def intervals_of(beats: Beats, v: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Of the beats of a lead, once their verdicts of V are known."""
    f = beats.seen["inputs"].astype(np.float64)
    return interval_features(np.exp(f[:, of.RP]), np.exp(f[:, of.RN]), beats.seen["before"].astype(np.float64), v)


@dataclass
class LongRows:
    """Beats of long recordings of which only annotations are used."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    weight: NDArray[Any]
    people: int


def long_rows(people: Sequence[Annotated]) -> LongRows:
    """Rows to learn intervals from: N and S of long recordings, with verdicts of V made 3 % wrong on purpose."""
    rng = np.random.default_rng(0)
    xs, ys, ws = [], [], []
    for person in people:
        size = person.label.size
        v = np.where(rng.random(size) < WRONG, False, person.label == "V") | (rng.random(size) < WRONG / 30)
        before = np.minimum(person.interval, 3.0)
        after = np.minimum(np.append(person.interval[1:], 0.8), LONGEST_S)
        x = interval_features(before, after, before, v)
        weight = []
        for label, most in (("N", 12000), ("S", 8000)):
            at = np.flatnonzero((person.label == label) & ~v)
            n = at.size
            at = rng.choice(at, most, replace=False) if n > most else at
            xs.append(x[at])
            ys.append(np.full(at.size, label == "S"))
            weight.append(np.full(at.size, (n / max(at.size, 1)) ** 0.5))
        s_weight = weight[1].sum()
        ws += [w / np.sqrt(s_weight + 200.0) for w in weight]
    w = np.concatenate(ws)
    return LongRows(np.concatenate(xs), np.concatenate(ys).astype(int), w / w.mean(), len(people))


def fit_rhythm(long: LongRows, healthy: Sequence[Beats], v: Sequence[NDArray[Any]]) -> Any:
    """S by intervals alone: long annotations, and healthy people as ones without S."""
    xs, ys, ws = [long.x], [long.y], [long.weight]
    each = long.weight.sum() / long.people
    for beats, is_v in zip(healthy, v, strict=True):
        use = beats.usable & np.isin(beats.label, list("NSo")) & ~is_v
        y = (beats.label[use] == "S").astype(int)
        xs.append(intervals_of(beats, is_v)[use])
        ys.append(y)
        ws.append(np.where(y == 0, HEALTHY * each / max((y == 0).sum(), 1), 0.5 * each / max(y.sum(), 200)))
    return boosted(np.concatenate(xs), np.concatenate(ys), np.concatenate(ws), trees=100, least=100)
