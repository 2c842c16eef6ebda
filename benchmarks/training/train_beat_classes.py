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
from beat_class_data import DS1, Beats, collect
from beat_class_models import fit_v, second_inputs
from export_trees import exported

from stream.ecg.trees import MODELS, save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FOLDS = 6
OTHER_FOLDS = 4


def folds(leads: Sequence[Beats]) -> list[set[str]]:
    """People held out together: DS1 spread by the number of their V, then the others."""
    v = {b.person: b.reference["V"] for b in leads if b.kind == "first"}
    first = sorted(DS1, key=lambda person: -v[person])
    others = sorted({b.person for b in leads} - set(DS1))
    return [set(first[i::FOLDS]) for i in range(FOLDS)] + [set(others[i::OTHER_FOLDS]) for i in range(OTHER_FOLDS)]


def out_of_fold_v(leads: Sequence[Beats]) -> list[NDArray[Any]]:
    """Probability of V of each lead's beats, by models that had not seen the person."""
    found: dict[int, NDArray[Any]] = {}
    for held in folds(leads):
        model = fit_v([b for b in leads if b.person not in held])
        found |= {i: model.probability(b) for i, b in enumerate(leads) if b.person in held}
    return [found[i] for i in range(len(leads))]


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


def figures_v(leads: Sequence[Beats], p_v: Sequence[NDArray[Any]]) -> None:
    """Tables of V."""
    for kind in ("first", "noisy"):
        for gated in (False, True):
            table = {
                b.person: counts(b, (p > 0.5) & ~(gated & (b.seen["grade"] == 2)), "V", "VFQ")
                for b, p in zip(leads, p_v, strict=True)
                if b.kind == kind
            }
            show(f"V, DS1 {kind}{', BAD signal is Q' if gated else ''}", table)
    calm = [(b, p) for b, p in zip(leads, p_v, strict=True) if b.kind == "healthy"]
    print(f"V in {sum(p.size for _, p in calm)} beats of healthy people: {sum(int((p > 0.5).sum()) for _, p in calm)}")


def main() -> None:
    """Cross-validate, and write what was learned from all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--no-figures", action="store_true")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    leads = collect(options.data or Path(os.environ.get("TIERWATCH_DATA", shared)))
    if not options.no_figures:
        figures_v(leads, out_of_fold_v(leads))
    if not options.write:
        return
    v = fit_v(leads)
    inputs = np.concatenate([second_inputs(b, v.first.log_odds(b.seen["inputs"])) for b in leads[::5]])
    save("classes_v", exported(v.trees, inputs[::50]))
    np.savez_compressed(MODELS / "classes.npz", first=v.first.packed(), second=v.second.packed())


if __name__ == "__main__":
    main()
