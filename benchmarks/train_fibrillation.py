"""Learn the weights of the fibrillation score from the development halves: stream/ecg/fibrillation_weights.py.

    python benchmarks/train_fibrillation.py [DATA] [--write]

Every second of CUDB, VFDB, MIT-BIH DS1, NSRDB, LTAFDB and CPSC 2021, all leads, features by the kernels.
A second is positive where at least 3 of its last 5 s are annotated VF or VT, negative where none is, else left out. Folds
are by record. Without --write it prints the cross-validated figures only. Needs scikit-learn.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ecg_scoring import DS1, annotations, bracketed, fibrillation_spans
from numpy.typing import NDArray

from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK
from stream.recording import open_record

COLLECTIONS = ("cudb", "vfdb", "mitdb", "nsrdb", "ltafdb_wave", "cpsc2021")
SPAN_S = 5
POSITIVE_S = 3
FOLDS = 6
FARTHEST = 4.0
TARGET = Path(__file__).resolve().parents[1] / "stream" / "ecg" / "fibrillation_weights.py"


def seconds_of(samples: NDArray[np.int16], rate: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Features (n, 12) of each second that can be judged and their numbers (the second that they end)."""
    step = round(rate)
    charts, work, marks = new_charts(1), np.zeros(1, WORK), np.zeros(mark_capacity(step, 1), MARK)
    work["rate_hz"], work["contact"], work["count"] = rate, 1, step
    rows, numbers = [], []
    for second in range(samples.size // step):
        work["index"] = second * step
        advance(charts, work, samples[second * step : (second + 1) * step], marks)
        state = charts["signal"]["fibrillation"][0]
        if state["filled"] == state["ring"].size and np.ptp(state["ring"].astype(int)) > 150:
            rows.append(state["features"].copy())
            numbers.append(second + 1)
    return np.array(rows, np.float64).reshape(-1, 12), np.array(numbers)


def spans_of(path: Path, collection: str) -> tuple[list[tuple[str, float, float]], list[tuple[float, float]]]:
    """Annotated fibrillation and VT, and noise, in seconds."""
    recording = open_record(path)
    rate, length = recording.rate_hz, recording.leads[0].samples.size
    if collection in {"cudb", "vfdb"}:
        return fibrillation_spans(path.with_suffix(""), collection, length, rate)
    if collection != "mitdb":
        return [], []
    spans, _ = fibrillation_spans(path.with_suffix(""), "vfdb", length, rate)
    sample, symbol, _ = annotations(path.with_suffix(""))
    return spans + [("VF", a / rate, b / rate) for a, b in bracketed(sample, symbol, length)], []


def overlap(ends: NDArray[Any], spans: list[tuple[float, float]]) -> NDArray[Any]:
    """Seconds of [end - 5, end] that lie in the spans."""
    total = np.zeros(ends.size)
    for a, b in spans:
        total += np.clip(np.minimum(ends, b) - np.maximum(ends - SPAN_S, a), 0, None)
    return total


def labelled(
    seconds: tuple[NDArray[Any], NDArray[Any]],
    spans: list[tuple[str, float, float]],
    noise: list[tuple[float, float]],
    collection: str,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Features, label and weight of the seconds of a lead that have a clear label."""
    features, ends = seconds
    inside = overlap(ends, [(a, b) for _, a, b in spans])
    keep = ((inside >= POSITIVE_S) | (inside == 0)) & (overlap(ends, noise) == 0)
    positive = (inside >= POSITIVE_S)[keep]
    weight = np.ones(positive.size)
    for label, share, most in ((True, 1.5, 150.0), (False, 1.0, 600.0)):
        n = int((positive == label).sum())
        weight[positive == label] = share * min(1.0, (most / max(n, 1)) ** 0.5)
    if collection == "cudb":
        weight[~positive] *= 0.5  # VT is not annotated there
    return features[keep], positive, weight


def collect(data: Path) -> dict[str, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Per record: features, label, weight."""
    records = {}
    for collection in COLLECTIONS:
        for path in sorted((data / collection).glob("*.hea")):
            if collection == "mitdb" and path.stem not in DS1:
                continue
            recording = open_record(path, "all")
            spans, noise = spans_of(path, collection)
            parts = [
                labelled(seconds_of(x.samples, recording.rate_hz), spans, noise, collection) for x in recording.leads
            ]
            features, positive, weight = (np.concatenate(p) for p in zip(*parts, strict=True))
            records[f"{collection}/{path.stem}"] = features, positive, weight
    return records


def products(features: NDArray[Any], mean: NDArray[Any], spread: NDArray[Any]) -> NDArray[Any]:
    """Standardised features and their products (i <= j)."""
    z = np.clip((features - mean) / spread, -FARTHEST, FARTHEST)
    i, j = np.triu_indices(z.shape[1])
    return np.concatenate([z, z[:, i] * z[:, j]], axis=1)


def fit(records: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]) -> tuple[Any, Any, Any, Any]:
    """Mean, spread, bias and weights of the model."""
    from sklearn.linear_model import LogisticRegression

    features, positive, weight = (np.concatenate(part) for part in zip(*records, strict=True))
    mean, spread = features.mean(0), features.std(0)
    x = products(features, mean, spread)
    scale = x.std(0)
    model = LogisticRegression(C=0.1, max_iter=5000).fit(x / scale, positive, sample_weight=weight)
    return mean, spread, float(model.intercept_[0]), model.coef_[0] / scale


def write(mean: NDArray[Any], spread: NDArray[Any], bias: float, weights: NDArray[Any]) -> None:
    """Write the module of weights."""
    n = mean.size
    square = np.zeros((n, n))
    square[np.triu_indices(n)] = weights[n:]

    def row(values: NDArray[Any]) -> str:
        return "[" + ", ".join(f"{v:.4g}" for v in values) + "]"

    table = ",\n".join(f"        {row(r)}" for r in square)
    TARGET.write_text(
        '"""Weights of the fibrillation score, learned by benchmarks/train_fibrillation.py. Do not edit by hand."""\n\n'
        "import numpy as np\n\n"
        f"# fmt: off\nMEAN = np.array({row(mean)})\nSPREAD = np.array({row(spread)})\nBIAS = {bias:.5g}\n"
        f"LINEAR = np.array({row(weights[:n])})\nSQUARE = np.array(\n    [\n{table},\n    ]\n)\n"
    )


def main() -> None:
    """Cross-validate, and write the weights learned from all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    records = collect(options.data or Path(os.environ.get("TIERWATCH_DATA", shared)))
    names = sorted(records, key=lambda name: (name.split("/")[0], -records[name][1].sum()))
    hits = calls = calm = false = 0
    for fold in range(FOLDS):
        mean, spread, bias, weights = fit([records[n] for i, n in enumerate(names) if i % FOLDS != fold])
        for name in names[fold::FOLDS]:
            features, positive, _ = records[name]
            said = bias + products(features, mean, spread) @ weights > np.log(0.8 / 0.2)
            hits, calls = hits + int((said & positive).sum()), calls + int(positive.sum())
            false, calm = false + int((said & ~positive).sum()), calm + int((~positive).sum())
    print(f"cross-validated seconds above 0.8: {100 * hits / calls:.1f} % of {calls} positive,", end=" ")
    print(f"{100 * false / calm:.3f} % of {calm} negative")
    if options.write:
        write(*fit(list(records.values())))
        print(f"wrote {TARGET}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
