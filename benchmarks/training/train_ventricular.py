"""Learn the trees of the verdict on VT: stream/ecg/models/ventricular.npz.

    python -m benchmarks.training.train_ventricular [DATA] [--write]

The VT alarms of Challenge 2015 (171, 45 true), each ECG lead by itself up to the alarm at 150 s, features by the kernels in
each second from 134 s on. Of a true alarm the last two seconds are positive, of a false one four are negative; others are
left out. Folds are by recording. It prints what the verdict confirms in any second, alone and in any lead. Needs
scikit-learn.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.training.export_trees import exported
from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.filters import RATE
from stream.ecg.marks import MARK, WORK
from stream.ecg.trees import Trees, save
from stream.ecg.ventricular import LEAST_SURE, RUN
from stream.ecg.ventricular_chart import FEATURES
from stream.recording import open_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_S, ALARM_S = 134, 150
SECONDS = ALARM_S - FIRST_S + 1
POSITIVE, NEGATIVE = (15, 16), (4, 8, 12, 16)
FOLDS, SEEDS, BAGS = 8, 2, 2
FRESH_S = 6
THRESHOLDS = (0.3, 0.36, 0.42, 0.48, 0.54)


@dataclass(frozen=True)
class Alarm:
    """One VT alarm, and what its leads showed in each second before it."""

    name: str
    is_true: bool
    features: NDArray[np.float32]
    """(leads, seconds, features)."""
    asked: NDArray[np.bool_]
    """Whether the verdict was asked, of a run that may be one and is fresh; (leads, seconds)."""


def seconds_of(samples: NDArray[np.int16], rate: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Features of a lead in the seconds that matter, and whether they count."""
    step = round(rate)
    charts, work, marks = new_charts(1), np.zeros(1, WORK), np.zeros(mark_capacity(step, 1), MARK)
    work["rate_hz"], work["contact"], work["count"] = rate, 1, step
    state = charts["signal"]["ventricular"][0]
    features, asked = np.zeros((SECONDS, FEATURES), np.float32), np.zeros(SECONDS, bool)
    for second in range(1, min(samples.size // step, ALARM_S) + 1):
        work["index"] = (second - 1) * step
        advance(charts, work, samples[(second - 1) * step : second * step], marks)
        if second < FIRST_S:
            continue
        row = state["features"]
        features[second - FIRST_S] = row
        is_fresh = second * RATE - state["run_last"] <= FRESH_S * RATE
        asked[second - FIRST_S] = state["asked"] and is_fresh and (row[RUN] >= 3 or row[LEAST_SURE] > -1.0)
    return features, asked


def collect(data: Path) -> list[Alarm]:
    """All VT alarms."""
    alarms = []
    for line in (data / "challenge2015" / "ALARMS").read_text().split():
        name, kind, truth = line.split(",")
        if kind != "Ventricular_Tachycardia":
            continue
        recording = open_record(data / "challenge2015" / name, "all")
        parts = [seconds_of(lead.samples, recording.rate_hz) for lead in recording.leads]
        features, asked = (np.stack(part) for part in zip(*parts, strict=True))
        alarms.append(Alarm(name, truth == "1", features, asked))
    return alarms


def rows(alarm: Alarm) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Features, label and weight: each lead weighs one."""
    chosen = POSITIVE if alarm.is_true else NEGATIVE
    features = alarm.features[:, chosen].reshape(-1, FEATURES)
    return features, np.full(len(features), alarm.is_true), np.full(len(features), 1.0 / len(chosen))


def fit(alarms: list[Alarm]) -> tuple[list[Any], NDArray[Any]]:
    """Models that differ in what each of their trees may look at, and the features that they were learned from."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    features, positive, weight = (np.concatenate(p) for p in zip(*map(rows, alarms), strict=True))
    models = [
        HistGradientBoostingClassifier(
            max_iter=60, max_depth=2, learning_rate=0.1, min_samples_leaf=55, max_features=0.3, random_state=seed
        ).fit(features, positive, sample_weight=weight)
        for seed in range(BAGS)
    ]
    return models, features


def probability(models: list[Any], features: NDArray[np.float32]) -> NDArray[np.float64]:
    """By the mean of the log odds."""
    odds = np.mean([model.decision_function(features) for model in models], axis=0)
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def merged(parts: list[Trees]) -> Trees:
    """One ensemble whose log odds are the mean of the others'."""
    n = len(parts)
    return Trees(
        np.concatenate([p.feature for p in parts]),
        np.concatenate([p.threshold for p in parts]),
        np.concatenate([p.leaf for p in parts]) / np.float32(n),
        sum(p.bias for p in parts) / n,
    )


def cross_validated(alarms: list[Alarm]) -> NDArray[np.float64]:
    """The largest probability of any second and lead that count, of each alarm; mean over ways to fold."""
    highest = np.zeros(len(alarms))
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(alarms))
        for number in range(FOLDS):
            test = order[number::FOLDS]
            models, _ = fit([alarms[i] for i in sorted(set(order) - set(test))])
            for i in test:
                shown = alarms[i]
                p = probability(models, shown.features.reshape(-1, FEATURES)).reshape(shown.asked.shape)
                highest[i] += np.where(shown.asked, p, 0.0).max(initial=0.0) / SEEDS
    return highest


def report(alarms: list[Alarm], highest: NDArray[np.float64]) -> None:
    """Print the Challenge's score of the verdict alone at some thresholds, and what is lost."""
    truth = np.array([alarm.is_true for alarm in alarms])
    for threshold in THRESHOLDS:
        said = highest > threshold
        tp, fn = int((said & truth).sum()), int((~said & truth).sum())
        fp, tn = int((said & ~truth).sum()), int((~said & ~truth).sum())
        score = 100 * (tp + tn) / (tp + tn + fp + 5 * fn)
        print(f"above {threshold}: TP {tp} FN {fn} FP {fp} TN {tn}, score {score:.1f}")
    print("true, below 0.42:", *(a.name for a, p in zip(alarms, highest, strict=True) if a.is_true and p <= 0.5))


def main() -> None:
    """Cross-validate, and write the trees learned from all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    alarms = collect(options.data or Path(os.environ.get("TIERWATCH_DATA", shared)))
    report(alarms, cross_validated(alarms))
    if options.write:
        models, features = fit(alarms)
        save("ventricular", merged([exported(model, features) for model in models]))
        print(f"learned from {len(features)} seconds of {len(alarms)} alarms")


if __name__ == "__main__":
    main()
