"""Development figures of the ECG kernels: beats, fibrillation, false emergencies, arrest alarms, noise.

    python benchmarks/ecg_figures.py [DATA] [--records] [--only qrs,vf,calm,arrest,noise]

Scores the kernels directly, without the product around them. Thresholds were set with these numbers in sight, so they are
no proof: `tierwatch validate` and unseen recordings are.
"""

import argparse
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ecg_scoring import (
    BEATS,
    DS1,
    EMERGENCIES,
    LEARNING_S,
    MARGIN_S,
    Episode,
    annotations,
    beat_errors,
    beats_of,
    bracketed,
    delay_of,
    detect,
    episodes,
    fibrillation_spans,
)
from numpy.typing import NDArray

from stream.ecg.marks import EcgCondition, Mark, Quality
from stream.recording import Lead, open_record

LONG_S = 5.0
IN_TIME_S = 7.0
ALARM_S = 150.0  # in the recordings of Challenge 2015
NOISY = ("101", "112", "115", "118", "119", "122", "124", "220")  # clean records for the noise test
DECIBELS = (24, 18, 12, 6, 0)
ALARMS = {
    "Asystole": (EcgCondition.ASYSTOLE, EcgCondition.PAUSE),
    "Bradycardia": (EcgCondition.BRADY, EcgCondition.EXTREME_BRADY),
    "Tachycardia": (EcgCondition.TACHY, EcgCondition.EXTREME_TACHY),
    "Ventricular_Flutter_Fib": (EcgCondition.VF,),
}


@dataclass
class Totals:
    """Sums over a collection."""

    beats: NDArray[Any] = field(default_factory=lambda: np.zeros(3, int))
    """TP, FN, FP."""
    seconds: float = 0.0
    cpu_s: float = 0.0
    opened: Counter[str] = field(default_factory=Counter)

    def detect(self, lead: Lead, rate: float) -> NDArray[Any]:
        """Marks of a lead, timed."""
        begin = time.process_time()
        marks = detect(lead, rate)
        self.cpu_s += time.process_time() - begin
        self.seconds += lead.samples.size / rate
        self.opened.update(e.condition.name for e in episodes(marks, rate))
        return marks

    def speed(self) -> str:
        """Times real time."""
        return f"{self.seconds / self.cpu_s:,.0f} x real time"


def header(title: str) -> None:
    """Print a title."""
    print(f"\n{title}\n{'-' * len(title)}")


def line(name: str, beats: NDArray[Any]) -> str:
    """TP, FN, FP as a row."""
    tp, fn, fp = beats
    share = {"Se": tp / max(tp + fn, 1), "+P": tp / max(tp + fp, 1), "DER": (fn + fp) / max(tp + fn, 1)}
    figures = "  ".join(f"{what} {100 * value:7.3f}" for what, value in share.items())
    return f"{name:12s}{tp + fn:7d} beats  FN {fn:5d}  FP {fp:5d}  {figures}"


def emergencies(marks: NDArray[Any], rate: float) -> list[str]:
    """Emergencies with the second at which they were decided."""
    return [
        f"{e.condition.name}@{e.decided:.0f}s"
        for e in episodes(marks, rate)
        if e.condition in EMERGENCIES and e.sure < np.inf
    ]


def qrs(data: Path, verbose: bool) -> None:
    """Beats on DS1, first lead."""
    header("QRS, MIT-BIH DS1, first lead, from 5:00")
    totals, shifts, delays, rows = Totals(), [], [], []
    for name in DS1:
        recording = open_record(data / "mitdb" / name)
        rate, lead = recording.rate_hz, recording.leads[0]
        marks = totals.detect(lead, rate)
        sample, symbol, _ = annotations(data / "mitdb" / name)
        reference = sample[np.isin(symbol, list(BEATS))]
        beats = np.array(beat_errors(reference, beats_of(marks), rate, bracketed(sample, symbol, lead.samples.size)))
        totals.beats += beats
        rows.append((beats[1] + beats[2], line(name, beats)))
        found = marks[marks["kind"] == Mark.BEAT][::10]
        apart = found["index"][None, :] - reference[:, None]
        shifts.append(apart[np.abs(apart).argmin(0), np.arange(found.size)] / rate)
        delays.append((found["decided"] - found["index"]) / rate)
    for _, text in sorted(rows, reverse=True)[: None if verbose else 6]:
        print(text)
    print(line("gross", totals.beats))
    shift, delay = np.concatenate(shifts), np.concatenate(delays)
    middle = np.median(shift)
    print(f"offset {1e3 * middle:+.1f} ms, MAD {1e3 * np.median(np.abs(shift - middle)):.1f} ms")
    print("decided after " + ", ".join(f"p{p} {np.percentile(delay, p):.3f} s" for p in (50, 95, 99)))
    print(totals.speed())


@dataclass
class Fibrillation:
    """What became of the annotated VF and VT of a collection."""

    delays: dict[str, list[float | None]] = field(default_factory=lambda: {"VF": [], "VT": []})
    first: list[float | None] = field(default_factory=list)
    onsets: list[float] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    in_noise: int = 0

    def add(self, name: str, found: list[Episode], spans: list[tuple[str, float, float]], verbose: bool) -> None:
        """Take the annotated episodes of a record."""
        named = [(kind, begin, end, delay_of(begin, end, found)) for kind, begin, end in spans]
        self.first += [delay for kind, _, _, delay in named if kind == "VF"][:1]
        for kind, begin, end, delay in named:
            if end - begin < LONG_S:
                continue
            self.delays[kind].append(delay)
            self.onsets += [e.onset - begin for e in found if begin <= e.decided <= end][:1]
            if verbose or delay is None or delay > IN_TIME_S:
                told = "missed" if delay is None else f"after {delay:.1f} s"
                print(f"  {name} {kind} {begin:.1f}-{end:.1f} s: {told}")

    def judge(self, name: str, found: list[Episode], spans: list[Any], noise: list[tuple[float, float]]) -> None:
        """Count findings away from every annotated episode."""
        for e in found:
            if any(e.onset <= end + MARGIN_S and e.end >= begin - MARGIN_S for _, begin, end in spans):
                continue
            if any(begin <= e.onset < end or begin <= e.decided < end for begin, end in noise):
                self.in_noise += 1
            else:
                self.false.append(f"{name}@{e.decided:.0f}s")


def summary(delays: list[float | None]) -> str:
    """Found, in time, median and p95."""
    got = np.array([d for d in delays if d is not None] or [np.nan])
    found = sum(d is not None for d in delays)
    spread = f"median {np.median(got):.1f} s, p95 {np.percentile(got, 95):.1f} s"
    return f"{found}/{len(delays)} found, {int((got <= IN_TIME_S).sum())} within {IN_TIME_S:.0f} s, {spread}"


def fibrillation(data: Path, verbose: bool) -> None:
    """VF and VT episodes found, their delays, and false findings."""
    header("VF and fast VT")
    for collection in ("cudb", "vfdb"):
        tally = Fibrillation()
        for path in sorted((data / collection).glob("*.hea")):
            recording = open_record(path)
            rate, lead = recording.rate_hz, recording.leads[0]
            found = [e for e in episodes(detect(lead, rate), rate) if e.condition == EcgCondition.VF]
            spans, noise = fibrillation_spans(path.with_suffix(""), collection, lead.samples.size, rate)
            tally.add(recording.name, found, spans, verbose)
            tally.judge(recording.name, found, spans, noise)
        for kind, delays in tally.delays.items():
            if delays:
                print(f"{collection} {kind} >= 5 s: {summary(delays)}")
        print(f"{collection} first VF of each record: {summary(tally.first)}")
        print(f"{collection} onset stated - annotated: median {np.median(tally.onsets):+.1f} s")
        print(f"{collection} false {len(tally.false)}: {', '.join(tally.false)}; in NOISE {tally.in_noise}")


def calm(data: Path, _: bool) -> None:
    """Hours without an emergency but 207's fibrillation, both leads."""
    header("Emergencies in calm hours")
    for collection in ("nsrdb", "mitdb", "cpsc2021", "ltafdb_wave"):
        totals, raised = Totals(), []
        for path in sorted((data / collection).glob("*.hea")):
            recording = open_record(path, "all")
            rate = recording.rate_hz
            sample, symbol, _texts = annotations(path.with_suffix(""))
            for lead in recording.leads:
                marks = totals.detect(lead, rate)
                raised += [f"{recording.name} {lead.name} {what}" for what in emergencies(marks, rate)]
                reference = sample[np.isin(symbol, list(BEATS)) & (sample < lead.samples.size)]
                left_out = bracketed(sample, symbol, lead.samples.size)
                totals.beats += beat_errors(reference, beats_of(marks), rate, left_out, 0.0)
        print(f"{collection}: {totals.seconds / 3600:.1f} lead hours, {totals.speed()}, all {dict(totals.opened)}")
        print(f"  emergencies {len(raised)}: {', '.join(raised)}")
        print(line(collection, totals.beats))


def arrest(data: Path, verbose: bool) -> None:
    """Challenge 2015: an alarm is confirmed where every judgeable lead shows it in the 16 s before 150 s."""
    header("Arrest alarms, Challenge 2015 (ECG leads, before the alarm)")
    table: dict[tuple[str, str], Counter[tuple[bool, bool]]] = {}
    for row in (data / "challenge2015" / "ALARMS").read_text().split():
        name, kind, truth = row.split(",")
        recording = open_record(data / "challenge2015" / name, "all")
        rate = recording.rate_hz
        cuts = [Lead(name=x.name, samples=x.samples[: round(ALARM_S * rate)], clipped=0) for x in recording.leads]
        found = [episodes(detect(lead, rate), rate) if kind in ALARMS else [] for lead in cuts]
        lost = {EcgCondition.LEAD_OFF, EcgCondition.NOISE}
        off = [any(e.condition in lost and e.end > ALARM_S - 10 for e in lead) for lead in found]
        for condition in ALARMS.get(kind, ()):
            shown = [any(e.condition == condition and e.end > ALARM_S - 16 for e in lead) for lead in found]
            every = any(shown) and all(s or o for s, o in zip(shown, off, strict=True))
            for how, says in (("every lead", every), ("any lead", any(shown)), ("first lead", shown[0])):
                table.setdefault((condition.name, how), Counter())[truth == "1", says] += 1
            if verbose and (truth == "1") != every:
                print(f"  {name} {condition.name} true={truth}: leads {shown}, off {off}")
    for (condition_name, how), n in table.items():
        true, false = n[True, True] + n[True, False], n[False, True] + n[False, False]
        print(
            f"{condition_name:14s}{how:11s} true {n[True, True]}/{true} kept, false {n[False, False]}/{false} refused"
        )


def mixed(
    lead: Lead, reference: NDArray[Any], noise: NDArray[Any], decibel: float, rate: float
) -> tuple[Lead, NDArray[Any]]:
    """A lead with noise in 2 of every 4 minutes after the fifth, and where it is (bool per sample)."""
    x = lead.samples.astype(float)
    heights = [np.ptp(x[r - 18 : r + 19]) for r in reference if 18 < r < x.size - 19]
    late = np.arange(x.size) / rate - LEARNING_S
    noisy = (late >= 0) & (late // 120 % 2 == 0)
    wave = noise[: x.size] - noise[: x.size].mean()
    x += noisy * wave * np.sqrt(np.median(heights) ** 2 / 8 / wave.var() / 10 ** (decibel / 10))
    return Lead(name=lead.name, samples=np.clip(np.round(x), -32767, 32767).astype(np.int16), clipped=0), noisy


def noise(data: Path, _: bool) -> None:
    """Clean DS1 records with muscle noise mixed in."""
    header("QRS in muscle noise (8 records of DS1)")
    muscle = open_record(data / "nstdb" / "ma", "noise1").leads[0].samples.astype(float)
    for decibel in DECIBELS:
        totals, grades = Totals(), np.zeros(len(Quality))
        for name in NOISY:
            recording = open_record(data / "mitdb" / name)
            rate = recording.rate_hz
            sample, symbol, _texts = annotations(data / "mitdb" / name)
            reference = sample[np.isin(symbol, list(BEATS))]
            lead, noisy = mixed(recording.leads[0], reference, muscle, decibel, rate)
            marks = totals.detect(lead, rate)
            edges = np.flatnonzero(np.diff(np.concatenate([[0], ~noisy, [0]]).astype(int)))
            totals.beats += beat_errors(
                reference, beats_of(marks), rate, list(zip(edges[::2], edges[1::2], strict=True))
            )
            told = marks[marks["kind"] == Mark.QUALITY]
            at = np.searchsorted(told["index"], np.flatnonzero(noisy)[:: round(rate)], side="right") - 1
            grades += np.bincount(told["value"][at].astype(int), minlength=len(Quality))
        shares = ", ".join(f"{g.name} {100 * grades[g] / grades.sum():.0f} %" for g in Quality)
        print(f"{line(f'{decibel} dB', totals.beats)}  {shares}  {dict(totals.opened)}")


PARTS = {"qrs": qrs, "vf": fibrillation, "calm": calm, "arrest": arrest, "noise": noise}


def main() -> None:
    """Print the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--records", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    for name in options.only.split(","):
        PARTS[name](options.data or Path(os.environ.get("TIERWATCH_DATA", shared)), options.records)


if __name__ == "__main__":
    main()
