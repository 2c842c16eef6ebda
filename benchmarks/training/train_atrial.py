"""Learn the trees of AF, print their figures cross-validated by patient, and score the rhythm logic on annotated beats.

    python benchmarks/training/train_atrial.py [DATA] [--write] [--annotated OUT]

Intervals: LTAFDB's 24-h annotations (as annotated, with wrong flags, with inserted ectopy) and the product's own beats of
the records with a wave; P waves: these and the strips of Challenge 2017. Every row is made by the product's kernels.
`--write` fits on all people and writes stream/ecg/models; `--annotated` feeds LTAFDB's reference beats through the kernels
and writes OUT/ltafdb/*.tw. Deterministic. Set OMP_NUM_THREADS=1 on a machine that is shared. Needs scikit-learn, wfdb.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from atrial_figures import Table, report, report_annotated, report_now
from atrial_people import (
    Beats,
    annotated,
    ectopic,
    flawed,
    middle_row,
    recorded,
    rows_of,
    stretches,
    strips,
)
from export_trees import exported

from stream.ecg import atrial_score, trees

FOLDS = 4
LEARNED_A_KIND = {"exact": 1800, "flawed": 900, "inserted": 900}
"""Rows of each person of LTAFDB that are learned from, at most."""
RECORD_WEIGHT = 60.0


def table(of: Iterable[tuple[str, Beats]], now: bool = False) -> Table:
    """Measure beats; each comes with its kind."""
    parts: list[tuple[Any, ...]] = []
    for kind, beats in of:
        rows = rows_of(beats)[int(now)]
        name = f"{beats.collection}/{beats.record}"
        person = beats.person if beats.collection in ("ltafdb", "inserted") else f"{beats.collection}/{beats.person}"
        n = rows.size
        parts.append(
            (
                rows,
                beats.label[rows["at"]],
                np.full(n, kind),
                np.full(n, name),
                np.full(n, person),
                beats.may[rows["at"]],
            )
        )
    return Table(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def variants(people: list[Beats]) -> Iterable[tuple[str, Beats]]:
    """LTAFDB's beats as annotated, with wrong flags, and with inserted ectopy."""
    for number, beats in enumerate(people):
        rng = np.random.default_rng(number)
        yield "exact", beats
        yield "flawed", flawed(beats, rng)
        for part in stretches(beats, rng):
            yield "inserted", ectopic(part, rng)


def to_learn(of: Table) -> NDArray[np.bool_]:
    """A few rows of each person and kind, none of them steady."""
    rng = np.random.default_rng(0)
    keep = np.zeros(of.label.size, bool)
    for person in np.unique(of.person):
        for kind, most in LEARNED_A_KIND.items():
            able = np.flatnonzero((of.person == person) & (of.kind == kind) & of.is_known & ~of.rows["steady"])
            keep[rng.permutation(able)[:most]] = True
    return keep


def folds_of(person: NDArray[np.str_], folds: int, seed: int) -> NDArray[np.int64]:
    """Which fold each row belongs to: people are dealt round."""
    people = np.random.default_rng(seed).permutation(np.unique(person))
    fold = {name: i % folds for i, name in enumerate(people)}
    return np.array([fold[name] for name in person])


def boosted(rounds: int, depth: int, least: int, rate: float, features: float) -> Any:
    """Untrained trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=rate, max_depth=depth, max_leaf_nodes=2**depth, min_samples_leaf=least,
        l2_regularization=5.0, max_features=features, early_stopping=False, random_state=0,
    )  # fmt: skip


def odds(model: Any, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log odds within +-8."""
    return np.asarray(np.clip(model.decision_function(x), -atrial_score.FAR, atrial_score.FAR))


def fit_intervals(plain: Table, waves: Table) -> Any:
    """The model of intervals: from all rows of `plain` and every row of `waves` that may be learned from."""
    keep = waves.is_known & ~waves.rows["steady"]
    x = np.concatenate([plain.rows["intervals"], waves.rows["intervals"][keep]])
    y = np.concatenate([plain.is_af, waves.is_af[keep]])
    return boosted(100, 4, 80, 0.1, 0.4).fit(x, y)


def beside(first: NDArray[np.float64], rows: NDArray[Any]) -> NDArray[np.float32]:
    """What the second model sees, as `atrial_score.beside` fills it in."""
    chosen = rows["intervals"][:, atrial_score.CHOSEN_AT]
    return np.concatenate([first[:, None], rows["waves"], chosen], axis=1).astype(np.float32)


def seen(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether there are enough P segments to speak of."""
    return np.asarray(rows["waves"][:, atrial_score.waves.SEEN48] >= atrial_score.SEEN_LEAST)


def fit_waves(plain: Table, waves: Table, short: Table) -> Any:
    """The model of P waves, from scores of the first model that never saw the person."""
    fold = folds_of(waves.person, FOLDS, 2)
    first, first_short = np.zeros(waves.label.size), np.zeros(short.label.size)
    for k in range(FOLDS):
        model = fit_intervals(plain, waves.part(fold != k))
        first[fold == k] = odds(model, waves.rows["intervals"][fold == k])
        first_short += odds(model, short.rows["intervals"]) / FOLDS
    keep = waves.is_known & ~waves.rows["steady"] & seen(waves.rows)
    keep_short = ~short.rows["steady"] & seen(short.rows)
    weight = np.zeros(waves.label.size)
    for record in np.unique(waves.record):
        of = keep & (waves.record == record)
        weight[of] = RECORD_WEIGHT / max(int(of.sum()), 8)
    x = np.concatenate([beside(first, waves.rows)[keep], beside(first_short, short.rows)[keep_short]])
    y = np.concatenate([waves.is_af[keep], short.is_af[keep_short]])
    w = np.concatenate([weight[keep], np.ones(int(keep_short.sum()))])
    return boosted(80, 3, 40, 0.08, 0.5).fit(x, y, sample_weight=w)


def fit_now(plain: Table, waves: Table) -> Any:
    """The model of proposals."""
    keep = waves.is_known & ~waves.rows["steady"]
    x = np.concatenate([plain.rows["intervals"], waves.rows["intervals"][keep]])
    y = np.concatenate([plain.is_af, waves.is_af[keep]])
    return boosted(40, 3, 80, 0.15, 0.5).fit(x, y)


def scores(rows: NDArray[Any], intervals: Any, waves: Any | None) -> NDArray[np.float64]:
    """As `atrial_score.log_odds` has them."""
    first = odds(intervals, rows["intervals"])
    total = first
    if waves is not None:
        same = (rows["waves"][:, atrial_score.LATE] > atrial_score.SAME_P).all(axis=1)
        both = 0.5 * (first + odds(waves, beside(first, rows))) - atrial_score.P_PENALTY * same
        total = np.where(seen(rows), both, first)
    return np.where(rows["steady"], atrial_score.STEADY, total)


@dataclass
class People:
    """All that is learned from."""

    plain: Table
    waves: Table
    blind: Table
    short: Table
    plain_now: Table
    waves_now: Table


def people(data: Path) -> People:
    """Hear everybody; a few minutes."""
    ltafdb = list(annotated(data))
    own = [("own", beats) for beats in recorded(data)]
    unflagged = [("blind", replace(beats, odd=np.zeros(beats.odd.size, bool))) for _, beats in own]
    pairs = [(beats, kind) for beats, kind in strips(data) if kind != "~" and beats.r.size >= 8]
    rows = np.concatenate([middle_row(beats) for beats, _ in pairs])
    names = np.array([f"challenge2017/{beats.record}" for beats, _ in pairs])
    label = np.where(np.array([kind for _, kind in pairs]) == "A", "(AFIB", "(N")
    short = Table(rows, label, np.full(label.size, "strip"), names, names, np.ones(label.size, bool))
    told = list(variants(ltafdb))
    return People(
        plain=table(told), waves=table(own), blind=table(unflagged), short=short,
        plain_now=table(told, now=True), waves_now=table(own, now=True),
    )  # fmt: skip


def cross_validate(of: People, data: Path) -> None:
    """Print what people that a model never saw come to."""
    fold, fold_plain = folds_of(of.waves.person, FOLDS, 0), folds_of(of.plain.person, FOLDS, 1)
    fold_now, fold_plain_now = folds_of(of.waves_now.person, FOLDS, 0), folds_of(of.plain_now.person, FOLDS, 1)
    learn, learn_now = to_learn(of.plain), to_learn(of.plain_now)
    score, blind = np.zeros(of.waves.label.size), np.zeros(of.blind.label.size)
    plain, now = np.zeros(of.plain.label.size), np.zeros(of.waves_now.label.size)
    for k in range(FOLDS):
        some = of.plain.part(learn & (fold_plain != k))
        intervals = fit_intervals(some, of.waves.part(fold != k))
        second = fit_waves(some, of.waves.part(fold != k), of.short)
        score[fold == k] = scores(of.waves.rows[fold == k], intervals, second)
        blind[fold == k] = scores(of.blind.rows[fold == k], intervals, second)
        plain[fold_plain == k] = scores(of.plain.rows[fold_plain == k], intervals, None)
        few = of.plain_now.part(learn_now & (fold_plain_now != k))
        proposes = fit_now(few, of.waves_now.part(fold_now != k))
        seen = fold_now == k
        now[seen] = np.where(
            of.waves_now.rows["steady"][seen], atrial_score.STEADY, odds(proposes, of.waves_now.rows["intervals"][seen])
        )
    report(data, of.waves, score, "AF, the product's own beats, cross-validated by patient")
    report(data, of.blind, blind, "the same, no beat flagged: the classifier fails entirely")
    report_annotated(data, of.plain, plain)
    report_now(data, of.waves_now, now)


def write(of: People) -> None:
    """Fit on all people and write the models."""
    learn, learn_now = to_learn(of.plain), to_learn(of.plain_now)
    some = of.plain.part(learn)
    intervals = fit_intervals(some, of.waves)
    trees.save("atrial_intervals", exported(intervals, some.rows["intervals"]))
    first = odds(intervals, of.waves.rows["intervals"])
    trees.save("atrial_waves", exported(fit_waves(some, of.waves, of.short), beside(first, of.waves.rows)))
    few = of.plain_now.part(learn_now)
    trees.save("atrial_now", exported(fit_now(few, of.waves_now), few.rows["intervals"]))
    print("written: atrial_intervals, atrial_waves, atrial_now")


def main() -> None:
    """Print the figures; write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--annotated", type=Path, metavar="OUT")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    data = options.data or Path(os.environ.get("TIERWATCH_DATA", shared))
    if options.annotated:
        from atrial_people import annotate

        annotate(data, options.annotated)
        return
    of = people(data)
    cross_validate(of, data)
    if options.write:
        write(of)


if __name__ == "__main__":
    main()
