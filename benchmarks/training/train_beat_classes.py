"""Learn the beat classes V and S: stream/ecg/models/classes*.npz. Prints the cross-validated figures.

    python benchmarks/training/train_beat_classes.py [DATA] [--write] [--no-figures]

Development recordings only: MIT-BIH DS1 (first leads, and a noisy copy of each), the four paced records, NSRDB, Long-Term AF,
CPSC 2021, VFDB. Folds are by person; stacked models are nested. Scored as AAMI EC57: from 5:00, 150 ms, own beats, a missed
beat is a miss, F and Q called V are forgiven, Q called S is. Needs scikit-learn; deterministic on one thread.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from beat_class_data import DS1, Beats, annotated_only, collect
from beat_class_models import (
    V_FROM,
    LongRows,
    fit_first,
    fit_rhythm,
    fit_v,
    intervals_of,
    long_rows,
    second_inputs,
)
from export_trees import exported

from stream.ecg.trees import MODELS, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FOLDS = 6
OTHER_FOLDS = 4
HEALTHY_FOLDS = 3
BAD = 2
S_FROM = -1.5
"""Log odds from which a beat is called S."""


def folds(leads: Sequence[Beats]) -> list[set[str]]:
    """People of DS1 held out together, spread by the number of their V."""
    v = {b.person: b.reference["V"] for b in leads if b.kind == "first"}
    first = sorted(DS1, key=lambda person: -v[person])
    return [set(first[i::FOLDS]) for i in range(FOLDS)]


def out_of_fold_v(leads: Sequence[Beats]) -> dict[int, NDArray[Any]]:
    """Probability of V of each lead of DS1, by models that had not seen the person."""
    found: dict[int, NDArray[Any]] = {}
    for held in folds(leads):
        model = fit_v([b for b in leads if b.person not in held])
        found |= {i: model.probability(b) for i, b in enumerate(leads) if b.person in held}
    return found


def first_verdicts(leads: Sequence[Beats]) -> dict[int, NDArray[Any]]:
    """Probability of V of the others, by stage 1 alone: all that the judgement of S needs of them."""
    people = sorted({b.person for b in leads} - set(DS1))
    found: dict[int, NDArray[Any]] = {}
    for fold in range(OTHER_FOLDS):
        held = people[fold::OTHER_FOLDS]
        model = fit_first([b for b in leads if b.person not in held])
        for i, b in enumerate(leads):
            if b.person in held:
                found[i] = 1 / (1 + np.exp(-model.log_odds(b.seen["inputs"])))
    return found


def out_of_fold_s(leads: Sequence[Beats], p_v: dict[int, NDArray[Any]], long: LongRows) -> dict[int, NDArray[Any]]:
    """Whether S is called, of each lead with a verdict of V; of people that the model had not seen."""
    healthy = [i for i, b in enumerate(leads) if b.kind == "healthy"]
    people = sorted({leads[i].person for i in healthy})
    found: dict[int, NDArray[Any]] = {}
    for fold in range(HEALTHY_FOLDS):
        held = set(people[fold::HEALTHY_FOLDS])
        known = [i for i in healthy if leads[i].person not in held]
        model = fit_rhythm(long, [leads[i] for i in known], [p_v[i] > V_FROM for i in known])
        for i, p in p_v.items():
            if leads[i].person in held or (fold == 0 and leads[i].kind in {"first", "other"}):
                odds = model.decision_function(intervals_of(leads[i], p > V_FROM))
                found[i] = (odds > S_FROM) & (p <= V_FROM)
    return found


def counts(beats: Beats, called: NDArray[Any], group: str, forgiven: str) -> NDArray[np.int64]:
    """TP, FN, FP of a class."""
    hit = int(((beats.label == group) & called & beats.scored).sum())
    false = int((called & ~np.isin(beats.label, list(forgiven)) & beats.scored).sum())
    return np.array([hit, beats.reference[group] - hit, false])


def show(title: str, table: dict[str, NDArray[Any]]) -> None:
    """Gross figures and the worst records."""
    tp, fn, fp = np.sum(list(table.values()), axis=0)
    print(f"{title}: Se {100 * tp / (tp + fn):.1f} +P {100 * tp / max(tp + fp, 1):.1f} ({tp}/{fn}/{fp})")
    worst = sorted(table.items(), key=lambda item: -item[1][1] - item[1][2])[:8]
    print("   TP/FN/FP of the worst: " + ", ".join(f"{name} {a}/{b}/{c}" for name, (a, b, c) in worst), flush=True)


def figures_v(leads: Sequence[Beats], p_v: dict[int, NDArray[Any]]) -> None:
    """Tables of V."""
    for kind in ("first", "noisy"):
        for gated in (False, True):
            called = {i: (p > V_FROM) & ~(gated & (leads[i].seen["grade"] == BAD)) for i, p in p_v.items()}
            table = {
                leads[i].person: counts(leads[i], c, "V", "VFQ") for i, c in called.items() if leads[i].kind == kind
            }
            show(f"V, DS1 {kind}{', BAD signal is Q' if gated else ''}", table)


def figures_s(leads: Sequence[Beats], called: dict[int, NDArray[Any]]) -> None:
    """Tables of S."""
    show(
        "S, DS1 first",
        {leads[i].person: counts(leads[i], c, "S", "SQ") for i, c in called.items() if leads[i].kind == "first"},
    )
    for i, c in called.items():
        truth = leads[i].label == "S"
        if leads[i].kind == "other" and truth.any():
            print(
                f"S, {leads[i].person}: {int((c & truth).sum())} of {int(truth.sum())}, false {int((c & ~truth).sum())}"
            )
    calm = [c for i, c in called.items() if leads[i].kind == "healthy"]
    print(f"S in {sum(c.size for c in calm)} beats of healthy people: {sum(int(c.sum()) for c in calm)}")


def write(leads: Sequence[Beats], others: dict[int, NDArray[Any]], long: LongRows) -> None:
    """Learn from all, and write the models."""
    v = fit_v(leads)
    inputs = np.concatenate([second_inputs(b, v.first.log_odds(b.seen["inputs"])) for b in leads[::5]])
    save("classes_v", exported(v.trees, inputs[::50]))
    np.savez_compressed(MODELS / "classes.npz", first=v.first.packed(), second=v.second.packed())
    healthy = [i for i, b in enumerate(leads) if b.kind == "healthy"]
    rhythm = fit_rhythm(long, [leads[i] for i in healthy], [others[i] > V_FROM for i in healthy])
    trees = exported(rhythm, long.x[::200])
    save("classes_rhythm", trees._replace(bias=trees.bias - S_FROM))
    print(f"wrote {MODELS}", flush=True)


def main() -> None:
    """Write what was learned from all, and cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--no-figures", action="store_true", help="do not cross-validate")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    data = options.data or Path(os.environ.get("TIERWATCH_DATA", shared))
    leads = collect(data)
    others = first_verdicts(leads)
    long = long_rows(annotated_only(data))
    if options.write:
        write(leads, others, long)
    if not options.no_figures:
        p_v = out_of_fold_v(leads)
        figures_v(leads, p_v)
        figures_s(leads, out_of_fold_s(leads, p_v | others, long))


if __name__ == "__main__":
    main()
