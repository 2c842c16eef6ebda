"""Learn the weights of signal quality: does the detector err in such a window? Prints what stream/ecg/quality.py states.

    python benchmarks/train_quality.py [DATA]

MIT-BIH DS1 (first leads) clean and with the noise of the MIT-BIH Noise Stress Test mixed in, -6 to 24 dB, changing every
minute. A second is bad where the beats of its last 8 s have an F1 below 0.9, good where they have no error; others are
left out. Folds by record. Needs scikit-learn.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
from ecg_scoring import BEATS, DS1, annotations, match
from numpy.typing import NDArray

from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK, Mark
from stream.recording import open_record

RATE = 360
SPAN_S = 8
DECIBELS = (24.0, 12.0, 6.0, 0.0, -6.0)
WAVE = 3  # features of the wave itself come first
LEFT_OUT = {"207", "203"}  # fibrillation, and beats that nobody agrees on


def noisy(samples: NDArray[Any], reference: NDArray[Any], noise: NDArray[Any], shift: int) -> NDArray[np.int16]:
    """Samples with noise whose level changes every minute; each fifth minute stays clean."""
    heights = [np.ptp(samples[r - 18 : r + 19].astype(float)) for r in reference if 18 < r < samples.size - 19]
    power = np.median(heights) ** 2 / 8
    mixed = samples.astype(float)
    noise = np.roll(noise, 7000 * shift)[: samples.size] / noise.std()
    for minute in range(samples.size // (60 * RATE)):
        level = (*DECIBELS, None)[(minute * 7 + shift) % (len(DECIBELS) + 1)]
        if level is not None:
            span = slice(minute * 60 * RATE, (minute + 1) * 60 * RATE)
            mixed[span] += noise[span] * np.sqrt(power / 10 ** (level / 10))
    return np.clip(np.round(mixed), -32767, 32767).astype(np.int16)


def seconds_of(samples: NDArray[np.int16]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Features of each second, and the R peaks found."""
    charts, work, marks = new_charts(1), np.zeros(1, WORK), np.zeros(mark_capacity(RATE, 1), MARK)
    work["rate_hz"], work["contact"], work["count"] = RATE, 1, RATE
    rows, beats = [], []
    for second in range(samples.size // RATE):
        work["index"] = second * RATE
        n = advance(charts, work, samples[second * RATE : (second + 1) * RATE], marks)
        beats += marks["index"][:n][marks["kind"][:n] == Mark.BEAT].tolist()
        rows.append(charts["signal"]["quality"]["features"][0].copy())
    return np.array(rows), np.array(beats)


def labels(reference: NDArray[Any], found: NDArray[Any], seconds: int) -> NDArray[np.int8]:
    """1 bad, 0 good, -1 left out, for each second."""
    both = match(reference, found, round(0.15 * RATE))
    hit, used = both[: reference.size], both[reference.size :]
    out = np.full(seconds, -1, np.int8)
    for second in range(20, seconds):
        end = (second + 0.5) * RATE
        ref = (reference >= end - SPAN_S * RATE) & (reference < end)
        fnd = (found >= end - SPAN_S * RATE) & (found < end)
        errors = (ref & ~hit).sum() + (fnd & ~used).sum()
        total = ref.sum() + fnd.sum()
        if total:
            out[second] = 0 if errors == 0 else 1 if errors / total > 0.1 else -1
    return out


def collect(data: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Features, label and record number of the seconds."""
    parts = []
    noises = [
        open_record(data / "nstdb" / n, f"noise{c}").leads[0].samples.astype(float)
        for n in ("ma", "bw")
        for c in (1, 2)
    ]
    for number, name in enumerate(sorted(set(DS1) - LEFT_OUT)):
        samples = open_record(data / "mitdb" / name).leads[0].samples
        sample, symbol, _ = annotations(data / "mitdb" / name)
        reference = sample[np.isin(symbol, list(BEATS))]
        for kind in (0, 1):
            noise = noises[kind] + (noises[2] * 0.5 if number % 2 else 0.0)
            features, found = seconds_of(noisy(samples, reference, noise, number + kind))
            y = labels(reference, found, len(features))
            keep = y >= 0
            parts.append((features[keep], y[keep], np.full(keep.sum(), number)))
    x, y, group = (np.concatenate(p) for p in zip(*parts, strict=True))
    return x, y, group


def main() -> None:
    """Cross-validate and print weights."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    x, y, group = collect(parser.parse_args().data or Path(os.environ.get("TIERWATCH_DATA", shared)))
    for title, columns in (("wave", slice(0, WAVE)), ("all", slice(None))):
        p = np.zeros(y.size)
        for fold in range(5):
            train = group % 5 != fold
            model = LogisticRegression(C=0.1, max_iter=3000).fit(x[train][:, columns], y[train])
            p[~train] = model.predict_proba(x[~train][:, columns])[:, 1]
        model = LogisticRegression(C=0.1, max_iter=3000).fit(x[:, columns], y)
        print(f"{title}: AUC {roc_auc_score(y, p):.3f} over {y.size} seconds, {100 * y.mean():.0f} % bad")
        print(
            f"  bad at p >= 0.5: {100 * (p[y == 1] >= 0.5).mean():.0f} %, good {100 * (p[y == 0] >= 0.5).mean():.1f} %"
        )
        print(
            f"  good at p < 0.05: {100 * (p[y == 0] < 0.05).mean():.0f} %, bad {100 * (p[y == 1] < 0.05).mean():.1f} %"
        )
        print("  weights", np.round(model.coef_[0], 3).tolist(), "bias", round(float(model.intercept_[0]), 3))


if __name__ == "__main__":
    main()
