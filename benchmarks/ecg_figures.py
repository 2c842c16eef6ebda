"""Development figures of the ECG kernels: beats, fibrillation, false emergencies, arrest alarms, on the annotated collections.

    python benchmarks/ecg_figures.py [DATA] [--records] [--only qrs,vf,calm,arrest,noise]

Scores kernels directly (no product around them), by the rules of AAMI EC57 for beats; thresholds were set with these
numbers in sight, so they are no proof. `tierwatch validate` and unseen recordings are.
"""

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stream.ecg.advance import advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.marks import MARK, WORK, EcgCondition, Mark
from stream.recording import Lead, open_record

DS1 = ["101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230"]
EMERGENCIES = (EcgCondition.VF, EcgCondition.ASYSTOLE, EcgCondition.EXTREME_BRADY, EcgCondition.EXTREME_TACHY)
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
LEARNING_S = 300.0
WITHIN_S = 0.150
MARGIN_S = 10.0
LONG_S = 5.0


@dataclass(frozen=True)
class Episode:
    """An episode of one lane, in seconds; one still open ends at infinity."""

    condition: EcgCondition
    onset: float
    decided: float
    end: float


def detect(lead: Lead, rate_hz: float) -> NDArray[Any]:
    """All marks of one lead, taken in chunks of a second."""
    step = round(rate_hz)
    starts = np.arange(0, lead.samples.size, step)
    work = np.zeros(starts.size, WORK)
    work["first"] = work["index"] = starts
    work["count"] = np.minimum(step, lead.samples.size - starts)
    work["rate_hz"], work["contact"] = rate_hz, 1
    marks = np.zeros(mark_capacity(lead.samples.size, work.size), MARK)
    return marks[: advance(new_charts(1), work, lead.samples, marks)]


def episodes(marks: NDArray[Any], rate_hz: float) -> list[Episode]:
    """Episodes in order of opening."""
    found: list[Episode] = []
    for mark in marks[np.isin(marks["kind"], [Mark.OPEN, Mark.CLOSE])]:
        condition = EcgCondition(int(mark["condition"]))
        if mark["kind"] == Mark.OPEN:
            found.append(Episode(condition, mark["onset"] / rate_hz, mark["decided"] / rate_hz, np.inf))
            continue
        last = max(i for i, e in enumerate(found) if e.condition == condition)
        before = found[last]
        found[last] = Episode(condition, before.onset, before.decided, mark["index"] / rate_hz)
    return found


def annotations(path: Path) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Samples, symbols and texts, in order of time."""
    import wfdb

    ann: Any = wfdb.rdann(str(path), "atr")
    order = np.argsort(ann.sample, kind="stable")
    return np.asarray(ann.sample)[order], np.asarray(ann.symbol)[order], [ann.aux_note[i].strip("\x00") for i in order]


def bracketed(sample: NDArray[Any], symbol: NDArray[Any], end: int) -> list[tuple[int, int]]:
    """`[` to `]`; one left open runs to the end."""
    spans, start = [], None
    for at, what in zip(sample, symbol, strict=True):
        if what == "[" and start is None:
            start = int(at)
        elif what == "]" and start is not None:
            spans.append((start, int(at)))
            start = None
    return spans + ([(start, end)] if start is not None else [])


def match(reference: NDArray[Any], found: NDArray[Any], within: int) -> NDArray[np.bool_]:
    """Which reference beats and which found ones have a partner, one to one, nearest first in time order."""
    hit, used = np.zeros(reference.size, bool), np.zeros(found.size, bool)
    i = j = 0
    while i < reference.size and j < found.size:
        apart = found[j] - reference[i]
        if abs(apart) > within:
            i, j = (i + 1, j) if apart > 0 else (i, j + 1)
        elif j + 1 < found.size and abs(found[j + 1] - reference[i]) < abs(apart):
            j += 1
        elif i + 1 < reference.size and abs(reference[i + 1] - found[j]) < abs(apart):
            i += 1
        else:
            hit[i] = used[j] = True
            i, j = i + 1, j + 1
    return np.concatenate([hit, used])


def beat_errors(
    reference: NDArray[Any],
    found: NDArray[Any],
    rate_hz: float,
    left_out: list[tuple[int, int]],
    start_s: float = LEARNING_S,
) -> tuple[int, int, int]:
    """TP, FN, FP by AAMI EC57."""
    both = match(reference, found, round(WITHIN_S * rate_hz))
    hit, used = both[: reference.size], both[reference.size :]

    def counts(at: NDArray[Any]) -> NDArray[np.bool_]:
        keep = at >= start_s * rate_hz
        for a, b in left_out:
            keep &= ~((at >= a) & (at <= b))
        return np.asarray(keep)

    return (
        int((hit & counts(reference)).sum()),
        int((~hit & counts(reference)).sum()),
        int((~used & counts(found)).sum()),
    )


def header(title: str) -> None:
    print(f"\n{title}\n{'-' * len(title)}")


def line(name: str, tp: int, fn: int, fp: int) -> str:
    se, ppv = 100 * tp / max(tp + fn, 1), 100 * tp / max(tp + fp, 1)
    return f"{name:10s} {tp + fn:7d} beats  FN {fn:5d}  FP {fp:5d}  Se {se:6.2f}  +P {ppv:6.2f}  DER {100 * (fn + fp) / max(tp + fn, 1):6.3f}"


def beats_of(marks: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(marks["index"][marks["kind"] == Mark.BEAT])


@dataclass
class Figures:
    """Totals over a collection."""

    tp: int = 0
    fn: int = 0
    fp: int = 0
    samples: float = 0.0
    kernel_s: float = 0.0
    false: Counter[str] = field(default_factory=Counter)


def timed(lead: Lead, rate_hz: float, figures: Figures) -> NDArray[Any]:
    begin = time.process_time()
    marks = detect(lead, rate_hz)
    figures.kernel_s += time.process_time() - begin
    figures.samples += lead.samples.size / rate_hz
    return marks


def qrs(data: Path, verbose: bool) -> None:
    """Beats on DS1, first lead, and what each record raises beside them."""
    header("QRS, MIT-BIH DS1, first lead, from 5:00")
    figures = Figures()
    shifts, delays, rows = [], [], []
    for name in DS1:
        recording = open_record(data / "mitdb" / name)
        rate, lead = recording.rate_hz, recording.leads[0]
        marks = timed(lead, rate, figures)
        sample, symbol, _ = annotations(data / "mitdb" / name)
        reference = sample[np.isin(symbol, list(BEATS))]
        tp, fn, fp = beat_errors(reference, beats_of(marks), rate, bracketed(sample, symbol, lead.samples.size))
        rows.append((fn + fp, line(name, tp, fn, fp)))
        figures.tp, figures.fn, figures.fp = figures.tp + tp, figures.fn + fn, figures.fp + fp
        found = marks[marks["kind"] == Mark.BEAT]
        nearest = reference[np.abs(reference[:, None] - found["index"][None, ::10]).argmin(0)]
        shifts.append((found["index"][::10] - nearest) / rate)
        delays.append((found["decided"] - found["index"]) / rate)
        emergencies = [
            f"{e.condition.name}@{e.decided:.0f}s" for e in episodes(marks, rate) if e.condition in EMERGENCIES
        ]
        if emergencies:
            print(f"  {name} raised {', '.join(emergencies)}")
    for _, text in sorted(rows, reverse=True)[: None if verbose else 6]:
        print(text)
    print(line("gross", figures.tp, figures.fn, figures.fp))
    shift, delay = np.concatenate(shifts), np.concatenate(delays)
    middle = np.median(shift)
    print(
        f"offset {1e3 * middle:+.1f} ms, MAD {1e3 * np.median(np.abs(shift - middle)):.1f} ms; decided after {np.median(delay):.3f} s, p95 {np.percentile(delay, 95):.3f}, p99 {np.percentile(delay, 99):.3f}"
    )
    print(f"{figures.samples / figures.kernel_s:,.0f} x real time")


def fibrillation_spans(
    path: Path, collection: str, length: int, rate: float
) -> tuple[list[tuple[str, float, float]], list[tuple[float, float]]]:
    """Annotated VF and VT, and stretches called NOISE, in seconds."""
    sample, symbol, text = annotations(path)
    if collection == "cudb":
        return [("VF", a / rate, b / rate) for a, b in bracketed(sample, symbol, length)], []
    changes = [(int(s), t.strip()[1:]) for s, t in zip(sample, text, strict=True) if t.startswith("(")]
    spans = [(w, a / rate, b / rate) for (a, w), b in zip(changes, [c[0] for c in changes[1:]] + [length], strict=True)]
    named = {"VF": "VF", "VFIB": "VF", "VFL": "VF", "VT": "VT"}
    return [(named[w], a, b) for w, a, b in spans if w in named], [(a, b) for w, a, b in spans if w == "NOISE"]


def fibrillation(data: Path, verbose: bool) -> None:
    """VF and VT episodes found, their delays, and false findings."""
    header("VF and fast VT")
    for collection in ("cudb", "vfdb"):
        delays: dict[str, list[float | None]] = {"VF": [], "VT": []}
        false, noise_hits, firsts = [], 0, []
        for path in sorted((data / collection).glob("*.hea")):
            recording = open_record(path)
            rate, lead = recording.rate_hz, recording.leads[0]
            found = [e for e in episodes(detect(lead, rate), rate)]
            vf = [e for e in found if e.condition == EcgCondition.VF]
            spans, noise = fibrillation_spans(path.with_suffix(""), collection, lead.samples.size, rate)
            seen = []
            for kind, a, b in spans:
                hits = [e.decided for e in vf if e.onset <= b and e.end >= a and e.decided <= b + MARGIN_S]
                delay = max(0.0, min(hits) - a) if hits else None
                if kind == "VF" and not seen:
                    firsts.append((recording.name, delay))
                if kind == "VF":
                    seen.append(delay)
                if b - a >= LONG_S:
                    delays[kind].append(delay)
                    if delay is None or verbose or delay > 7:
                        print(
                            f"  {recording.name} {kind} {a:.1f}-{b:.1f} s: {'missed' if delay is None else f'after {delay:.1f} s'}"
                        )
            for e in vf:
                if any(e.onset <= b + MARGIN_S and min(e.end, 1e9) >= a - MARGIN_S for _, a, b in spans):
                    continue
                if any(a <= e.onset < b or a <= e.decided < b for a, b in noise):
                    noise_hits += 1
                else:
                    false.append(f"{recording.name}@{e.decided:.0f}s")
            other = [f"{e.condition.name}@{e.decided:.0f}" for e in found if e.condition in EMERGENCIES[1:]]
            if verbose and other:
                print(f"  {recording.name} also {', '.join(other)}")
        for kind, all_delays in delays.items():
            got = np.array([d for d in all_delays if d is not None])
            if all_delays:
                print(
                    f"{collection} {kind} >= 5 s: {got.size}/{len(all_delays)} found, {int((got <= 7).sum())} within 7 s, median {np.median(got) if got.size else np.nan:.1f}, p95 {np.percentile(got, 95) if got.size else np.nan:.1f} s"
                )
        print(f"{collection} false {len(false)}: {', '.join(false)}; in NOISE {noise_hits}")
        if collection == "cudb":
            got = [d for _, d in firsts if d is not None]
            print(
                f"cudb first VF of each record: {len(got)}/{len(firsts)} found, median {np.median(got):.1f} s; missed {[n for n, d in firsts if d is None]}"
            )


def calm(data: Path, _: bool) -> None:
    """Hours without an emergency: every emergency is false. Paced and AF records too."""
    header("Emergencies in calm hours")
    groups = {"nsrdb": None, "mitdb": None, "cpsc2021": None, "ltafdb_wave": None}
    for collection in groups:
        figures = Figures()
        names = []
        for path in sorted((data / collection).glob("*.hea")):
            recording = open_record(path)
            rate = recording.rate_hz
            for lead in recording.leads:
                marks = timed(lead, rate, figures)
                if path.with_suffix(".atr").is_file() and collection != "mitdb":
                    sample, symbol, _ = annotations(path.with_suffix(""))
                    reference = sample[np.isin(symbol, list(BEATS)) & (sample < lead.samples.size)]
                    tp, fn, fp = beat_errors(reference, beats_of(marks), rate, [], 0.0)
                    figures.tp, figures.fn, figures.fp = figures.tp + tp, figures.fn + fn, figures.fp + fp
                for e in episodes(marks, rate):
                    figures.false[e.condition.name] += 1
                    if e.condition in EMERGENCIES:
                        names.append(f"{recording.name} {e.condition.name}@{e.decided:.0f}s")
        print(
            f"{collection}: {figures.samples / 3600:.1f} h, emergencies {len(names)}: {', '.join(names)}; all {dict(figures.false)}; {figures.samples / figures.kernel_s:,.0f} x real time"
        )
        if figures.tp:
            print(line(collection, figures.tp, figures.fn, figures.fp))


def arrest(data: Path, verbose: bool) -> None:
    """Challenge 2015: the monitor's alarm is confirmed where every judgeable lead shows it in the 16 s before 150 s."""
    header("Arrest alarms, Challenge 2015 (ECG leads, before the alarm)")
    wanted = {
        "Asystole": (EcgCondition.ASYSTOLE, EcgCondition.PAUSE),
        "Bradycardia": (EcgCondition.BRADY, EcgCondition.EXTREME_BRADY),
        "Tachycardia": (EcgCondition.TACHY, EcgCondition.EXTREME_TACHY),
        "Ventricular_Flutter_Fib": (EcgCondition.VF,),
    }
    table: dict[tuple[str, str], Counter[tuple[bool, bool]]] = {}
    for row in (data / "challenge2015" / "ALARMS").read_text().split():
        name, kind, truth = row.split(",")
        if kind not in wanted:
            continue
        recording = open_record(data / "challenge2015" / name, "all")
        rate = recording.rate_hz
        shown = {c: [] for c in wanted[kind]}
        off = []
        for lead in recording.leads:
            cut = Lead(name=lead.name, samples=lead.samples[: round(150 * rate)], clipped=0)
            found = episodes(detect(cut, rate), rate)
            for c in wanted[kind]:
                shown[c].append(any(e.condition == c and e.end > 134 for e in found))
            off.append(any(e.condition in {EcgCondition.LEAD_OFF, EcgCondition.NOISE} and e.end > 140 for e in found))
        for c in wanted[kind]:
            says_all = all(s or o for s, o in zip(shown[c], off, strict=True)) and any(shown[c])
            for how, says in (("every lead", says_all), ("any lead", any(shown[c])), ("first lead", shown[c][0])):
                table.setdefault((c.name, how), Counter())[truth == "1", says] += 1
                if verbose and how == "every lead" and (truth == "1") != says:
                    print(f"  {name} {kind} true={truth} {c.name} says {says} shown {shown[c]} off {off}")
    for (condition, how), counts in table.items():
        print(
            f"{condition:14s} {how:10s} true {counts[True, True]}/{counts[True, True] + counts[True, False]} kept; false {counts[False, False]}/{counts[False, False] + counts[False, True]} refused"
        )


def noise(data: Path, _: bool) -> None:
    """Clean DS1 records with muscle noise and baseline wander mixed in, from 5:00 in turns of 2 minutes."""
    header("QRS in noise (DS1, ma + bw mixed, 2 of every 4 min)")
    rng_rate = 360.0
    parts = {
        n: np.concatenate([lead.samples for lead in open_record(data / "nstdb" / n, "noise1").leads]).astype(float)
        for n in ("ma", "bw")
    }
    for decibel in (24, 18, 12, 6, 0):
        figures = Figures()
        grades = Counter()
        for name in ("118", "119", "101", "112", "115", "122", "124", "220"):
            recording = open_record(data / "mitdb" / name)
            lead = recording.leads[0]
            sample, symbol, _ = annotations(data / "mitdb" / name)
            reference = sample[np.isin(symbol, list(BEATS))]
            x = lead.samples.astype(float)
            heights = [np.ptp(x[r - 18 : r + 19]) for r in reference if 18 < r < x.size - 19]
            power = np.median(heights) ** 2 / 8
            mix = x.copy()
            on = (np.arange(x.size) / rng_rate >= LEARNING_S) & (
                (np.arange(x.size) / rng_rate - LEARNING_S) // 120 % 2 == 0
            )
            wave = (parts["ma"] - parts["ma"].mean())[: x.size]
            wave = wave * np.sqrt(power / wave.var() / 10 ** (decibel / 10))
            mix[on] += wave[on]
            noisy = Lead(name=lead.name, samples=np.clip(np.round(mix), -32767, 32767).astype(np.int16), clipped=0)
            marks = detect(noisy, recording.rate_hz)
            left_out = [
                (int(a), int(b))
                for a, b in zip(
                    np.flatnonzero(np.diff(on.astype(int)) == -1),
                    [*np.flatnonzero(np.diff(on.astype(int)) == 1)[1:], x.size],
                    strict=False,
                )
            ]
            tp, fn, fp = beat_errors(reference, beats_of(marks), recording.rate_hz, left_out)
            figures.tp, figures.fn, figures.fp = figures.tp + tp, figures.fn + fn, figures.fp + fp
            told = marks[marks["kind"] == Mark.QUALITY]
            seconds = np.flatnonzero(on[::360])
            at = np.searchsorted(told["index"] / rng_rate, seconds, side="right") - 1
            grades.update(told["value"][at].astype(int).tolist())
            for e in episodes(marks, recording.rate_hz):
                if e.condition in EMERGENCIES:
                    figures.false[e.condition.name] += 1
        total = sum(grades.values())
        print(
            line(f"{decibel} dB", figures.tp, figures.fn, figures.fp),
            " GOOD/FAIR/BAD %",
            [round(100 * grades[g] / total) for g in range(3)],
            dict(figures.false),
        )


PARTS = {"qrs": qrs, "vf": fibrillation, "calm": calm, "arrest": arrest, "noise": noise}


def main() -> None:
    """Print the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--records", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    data = options.data or Path(os.environ.get("TIERWATCH_DATA", root.parent / "shared" / "data"))
    for name in options.only.split(","):
        PARTS[name](data, options.records)


if __name__ == "__main__":
    main()
