"""Learn the trees that judge windows of 5 s as fibrillation or VT: stream/ecg/models/fibrillation.npz.

    python -m benchmarks.training.train_windows [DATA] [--write]

Every suspect second of CUDB, VFDB, MIT-BIH DS1, NSRDB, LTAFDB and CPSC 2021, all leads, features by the kernels. A second
is positive where at least 3 of its last 5 s are annotated VF or VT, negative where none is, else left out. Folds are by
person. It prints cross-validated episodes found, by the rule of stream/ecg/fibrillation.py. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ecg_scoring import DS1, MARGIN_S, annotations, bracketed, fibrillation_spans
from benchmarks.training.export_trees import exported
from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK
from stream.ecg.trees import save
from stream.recording import open_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLLECTIONS = ("cudb", "vfdb", "mitdb", "nsrdb", "ltafdb_wave", "cpsc2021")
SPAN_S = 5
POSITIVE_S = 3
FOLDS = 6
ON, OFF, OFF_S = 0.65, 0.4, 6
LONG_S, IN_TIME_S = 5.0, 7.0

Spans = list[tuple[str, float, float]]


@dataclass(frozen=True)
class Strip:
    """One lead of a recording, second by second."""

    collection: str
    name: str
    lead: int
    features: NDArray[np.float32]
    """Of each second, shape (n, 23); stale where it was not suspect."""
    suspect: NDArray[np.bool_]
    spans: Spans
    """Annotated VF and VT, seconds."""
    noise: list[tuple[float, float]]

    @property
    def person(self) -> str:
        """What must not be on both sides of a fold."""
        return self.collection + self.name.split("_")[1 if self.collection == "cpsc2021" else 0]

    @property
    def inside(self) -> NDArray[np.float64]:
        """Seconds of each window that are VF or VT."""
        ends = np.arange(1, self.suspect.size + 1)
        total = np.zeros(ends.size)
        for _, a, b in self.spans:
            total += np.clip(np.minimum(ends, b) - np.maximum(ends - SPAN_S, a), 0, None)
        return total


def seconds_of(samples: NDArray[np.int16], rate: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Features of each second, and whether it was suspect."""
    step = round(rate)
    charts, work, marks = new_charts(1), np.zeros(1, WORK), np.zeros(mark_capacity(step, 1), MARK)
    work["rate_hz"], work["contact"], work["count"] = rate, 1, step
    state = charts["signal"]["fibrillation"][0]
    n = samples.size // step
    features, suspect = np.zeros((n, state["features"].size), np.float32), np.zeros(n, bool)
    for second in range(n):
        work["index"] = second * step
        advance(charts, work, samples[second * step : (second + 1) * step], marks)
        features[second], suspect[second] = state["features"], state["suspect"]
    return features, suspect


def spans_of(path: Path, collection: str) -> tuple[Spans, list[tuple[float, float]]]:
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


def collect(data: Path) -> list[Strip]:
    """All leads of all recordings."""
    strips = []
    for collection in COLLECTIONS:
        for path in sorted((data / collection).glob("*.hea")):
            if collection == "mitdb" and path.stem not in DS1:
                continue
            recording = open_record(path, "all")
            spans, noise = spans_of(path, collection)
            for number, lead in enumerate(recording.leads):
                features, suspect = seconds_of(lead.samples, recording.rate_hz)
                strips.append(Strip(collection, path.stem, number, features, suspect, spans, noise))
    return strips


def rows(strip: Strip) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Features, label and weight of the seconds with a clear label; a record's class weighs with the root of its size."""
    inside = strip.inside
    keep = strip.suspect & ((inside >= POSITIVE_S) | (inside == 0))
    positive = inside[keep] >= POSITIVE_S
    weight = np.ones(positive.size)
    for label, share, most in ((True, 1.5, 150.0), (False, 1.0, 600.0)):
        n = int((positive == label).sum())
        weight[positive == label] = share * min(1.0, (most / max(n, 1)) ** 0.5)
    if strip.collection == "cudb":
        weight[~positive] *= 0.5  # VT is not annotated there
    return strip.features[keep], positive, weight if strip.lead == 0 else 0.5 * weight


def fit(strips: list[Strip]) -> tuple[Any, NDArray[Any]]:
    """The trees, and the features that they were learned from."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    features, positive, weight = (np.concatenate(p) for p in zip(*map(rows, strips), strict=True))
    model = HistGradientBoostingClassifier(
        max_iter=66, learning_rate=0.13, max_depth=4, max_leaf_nodes=10, l2_regularization=5.0, min_samples_leaf=60,
        max_features=0.4, random_state=0,
    )  # fmt: skip
    return model.fit(features, positive, sample_weight=weight), features


def folds(strips: list[Strip]) -> dict[str, int]:
    """Fold of each person: those with most fibrillation are dealt out first."""
    amount: dict[str, float] = {}
    for strip in strips:
        amount[strip.person] = amount.get(strip.person, 0.0) + float(strip.inside.sum())
    return {
        person: i % FOLDS
        for collection in COLLECTIONS
        for i, person in enumerate(
            sorted((p for p in amount if p.startswith(collection)), key=lambda p: (-amount[p], p))
        )
    }


def episodes(score: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    """Onset, decision and end of the episodes that the rule makes of the scores of a lead's seconds."""
    now = score > ON
    found: list[list[float]] = []
    is_open, gone = False, 0
    for i in range(now.size):
        if now[i] and now[max(i - 2, 0) : i + 1].sum() >= 2:
            if not is_open:
                found.append([i + 1.0 - SPAN_S - 1, i + 1.0, 0.0])
            is_open = True
        gone = gone + 1 if score[i] < OFF else 0
        if is_open:
            found[-1][2] = i + 1.0 - gone
            is_open = gone < OFF_S
    return [(a, b, c) for a, b, c in found]


def report(strips: list[Strip], scores: list[NDArray[np.float64]]) -> None:
    """Print what was found of the first leads, and what is false on all."""
    delays: dict[str, list[float | None]] = {}
    lines, false = [], []
    for strip, score in zip(strips, scores, strict=True):
        found = episodes(score)
        for kind, a, b in strip.spans if strip.lead == 0 else []:
            hits = [d for onset, d, end in found if onset <= b and end >= a and d <= b + MARGIN_S]
            delay = max(0.0, min(hits) - a) if hits else None
            if b - a >= LONG_S:
                delays.setdefault(f"{strip.collection} {kind}", []).append(delay)
                if delay is None or delay > IN_TIME_S:
                    lines.append(f"{strip.name} {kind} {a:.0f}-{b:.0f} s: {'missed' if delay is None else delay}")
        for onset, d, end in found:
            near = any(onset <= b + MARGIN_S and end >= a - MARGIN_S for _, a, b in strip.spans)
            noisy = any(a <= onset < b or a <= d < b for a, b in strip.noise)
            if not near:
                false.append(f"{strip.collection}/{strip.name}/{strip.lead}@{d:.0f}{' in NOISE' if noisy else ''}")
    for kind, all_delays in delays.items():
        got = [d for d in all_delays if d is not None]
        in_time = sum(d <= IN_TIME_S for d in got)
        print(
            f"{kind} >= 5 s: {len(got)}/{len(all_delays)} found, {in_time} within 7 s, median {np.median(got or [np.nan]):.1f} s"
        )
    print("\n".join(lines))
    for lead, title in ((0, "first leads"), (1, "second leads")):
        mine = [f for f in false if f.split("@")[0].endswith(f"/{lead}")]
        print(f"false on {title}: {len(mine)}: {' '.join(mine)}")


def main() -> None:
    """Cross-validate, and write the trees learned from all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    strips = collect(options.data or Path(os.environ.get("TIERWATCH_DATA", shared)))
    fold = folds(strips)
    scores = [np.zeros(s.suspect.size) for s in strips]
    for number in range(FOLDS):
        model, _ = fit([s for s in strips if fold[s.person] != number])
        for strip, score in zip(strips, scores, strict=True):
            if fold[strip.person] == number and strip.suspect.any():
                score[strip.suspect] = model.predict_proba(strip.features[strip.suspect])[:, 1]
    report(strips, scores)
    if options.write:
        model, features = fit(strips)
        save("fibrillation", exported(model, features))
        print(f"learned from {len(features)} seconds of {len(fold)} people")


if __name__ == "__main__":
    main()
