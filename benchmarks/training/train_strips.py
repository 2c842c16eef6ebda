"""Learn the judge of hand-held strips; prints cross-validated figures, and writes the model with --write.

    python benchmarks/training/train_strips.py [DATA] [--write]

Challenge 2017 strips, features by the product's own kernels (stream/strips). Ten folds by record, three seeds: the
collection names no patients. With --write the same is fitted to all strips. The card is stream/ecg/models/strips.md.
Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.training.export_trees import exported
from stream.ecg.trees import Trees
from stream.recording import open_record
from stream.strips import model as learned
from stream.strips.features import row_of, strip_features
from stream.strips.tracing import trace_of

CLASSES = np.array(list(learned.CLASSES))
PUBLISHED = np.array([5076.0, 758.0, 2415.0, 279.0])
"""Strips of each class among the 8,528 of the Challenge's training set: what people record."""
HALFWAY = 0.5
"""The prior is (PUBLISHED / the training strips) to this power: see the card."""
FOLDS = 10
SEEDS = (0, 1, 2)
MEMBERS = 3
"""So many sets of trees, which differ by the features that they are offered, are averaged (as log odds)."""


def table(folder: Path) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[Any]]:
    """Names of the features, a row of them for each strip, and the strips' classes."""
    with (folder / "REFERENCE.csv").open(newline="") as handle:
        truth = {row[0]: row[1].strip() for row in csv.reader(handle)}
    found = []
    for number, name in enumerate(sorted(truth)):
        recording = open_record(folder / name)
        found.append(strip_features(trace_of(recording.leads[0].samples, recording.rate_hz)))
        if number % 200 == 0:
            print(f"  {number} of {len(truth)} strips", file=sys.stderr, flush=True)
    names = tuple(sorted({name for one in found for name in one}))
    rows = np.array([row_of(one, names) for one in found])
    return names, np.where(np.isfinite(rows), rows, learned.ABSENT), np.array([truth[name] for name in sorted(truth)])


def fitted(seed: int, rows: NDArray[Any], truth: NDArray[Any]) -> list[Any]:
    """Boosted trees of the four classes; a tenth of the features at each split keeps them apart from one another."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    members = [
        HistGradientBoostingClassifier(
            max_iter=100, learning_rate=0.07, max_depth=4, max_leaf_nodes=16, min_samples_leaf=15, l2_regularization=3.0,
            max_features=0.1, random_state=MEMBERS * seed + member, early_stopping=False,
        )
        for member in range(MEMBERS)
    ]  # fmt: skip
    return [member.fit(rows, truth) for member in members]


def probabilities(members: list[Any], rows: NDArray[Any]) -> NDArray[np.float64]:
    """Of each strip, in the order of CLASSES."""
    order = [list(members[0].classes_).index(letter) for letter in CLASSES]
    odds = np.mean([member.decision_function(rows)[:, order] for member in members], axis=0)
    p = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def cross_validated(rows: NDArray[Any], truth: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Probabilities of each strip by a model that never saw it, once a seed."""
    from sklearn.model_selection import StratifiedKFold

    answers = []
    for seed in SEEDS:
        p = np.zeros((len(truth), len(CLASSES)))
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, truth):
            p[test] = probabilities(fitted(seed, rows[train], truth[train]), rows[test])
        answers.append(p)
    return answers


def f1(truth: NDArray[Any], answer: NDArray[Any], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of each class as the Challenge scores it, with strips weighed."""
    return np.array(
        [
            2 * weight[(truth == c) & (answer == c)].sum() / (weight[truth == c].sum() + weight[answer == c].sum())
            for c in CLASSES
        ]
    )


def report(truth: NDArray[Any], answers: list[NDArray[np.float64]]) -> None:
    """Print F1 in the mix of the data and in that of 2017, by how far the prior goes towards the latter."""
    counts = np.array([(truth == c).sum() for c in CLASSES])
    by_class = dict(zip(CLASSES.tolist(), PUBLISHED / counts, strict=True))
    weight = np.array([by_class[c] for c in truth])
    print(f"{len(truth)} strips: " + ", ".join(f"{c} {n}" for c, n in zip(CLASSES, counts, strict=True)))
    print("prior  mean(N,A,O)   N      A      O      ~    | as in 2017: mean    N      A      O      ~    | by seed")
    for power in (0.0, HALFWAY, 1.0):
        here, there = [], []
        for p in answers:
            answer = CLASSES[(p * (PUBLISHED / counts) ** power).argmax(axis=1)]
            here.append(f1(truth, answer, np.ones(len(truth))))
            there.append(f1(truth, answer, weight))
        row = [np.mean(here, 0)[:3].mean(), *np.mean(here, 0), np.mean(there, 0)[:3].mean(), *np.mean(there, 0)]
        seeds = " ".join(f"{one[:3].mean():.3f}/{two[:3].mean():.3f}" for one, two in zip(here, there, strict=True))
        print(f"{power:4.1f}   " + "  ".join(f"{v:.4f}" for v in row) + f"   {seeds}")
    print("is \\ called (prior halfway, first seed)")
    answer = CLASSES[(answers[0] * (PUBLISHED / counts) ** HALFWAY).argmax(axis=1)]
    for c in CLASSES:
        print(f"  {c} " + " ".join(f"{int(((truth == c) & (answer == d)).sum()):4d}" for d in CLASSES))


def whole(names: tuple[str, ...], rows: NDArray[np.float32], truth: NDArray[Any]) -> learned.Model:
    """The model of the product: fitted to all strips, one ensemble a class with the trees of all members."""
    counts = np.array([(truth == c).sum() for c in CLASSES])
    members = fitted(SEEDS[0], rows, truth)
    ensembles = []
    for letter in CLASSES:
        parts = [exported(member, rows, list(member.classes_).index(letter)) for member in members]
        ensembles.append(
            Trees(
                np.concatenate([part.feature for part in parts]),
                np.concatenate([part.threshold for part in parts]),
                np.concatenate([part.leaf for part in parts]) / np.float32(MEMBERS),
                float(np.mean([part.bias for part in parts])),
            )
        )
    return learned.Model(names, tuple(ensembles), tuple(((PUBLISHED / counts) ** HALFWAY).tolist()))


def main() -> None:
    """Train and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("TIERWATCH_DATA", "../shared/data"))
    parser.add_argument("--write", action="store_true", help="fit to all strips and write stream/ecg/models/strips.npz")
    options = parser.parse_args()
    names, rows, truth = table(Path(options.data) / "challenge2017")
    report(truth, cross_validated(rows, truth))
    if options.write:
        learned.save(whole(names, rows, truth))
        print(f"wrote {learned.FILE} ({learned.FILE.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
