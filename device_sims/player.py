"""A recording, or a synthetic plan, as the skin under an electrode: one lead of microvolts at the rate of the wearable.

It reads WFDB through `stream.recording` (the product's own way), cuts and resamples. It knows no device, clock or link.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from device_sims.synthetic import Plan, plan_from_text, synthesise
from gateway.reading import MISSING_SAMPLE, SATURATED_SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


_FIBRILLATIONS = frozenset({"(VF", "(VFIB", "(VFL"})
_ATRIAL = frozenset({"(AFIB"})
_BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
_VENTRICULAR = frozenset("VFE!r")
_CALM = frozenset({"(N", "(SBR", "(NSR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One lead, ready to be worn."""

    name: str
    """Of the record or the plan."""
    lead: str
    rate_hz: float
    samples: NDArray[np.int16]
    """Microvolts; -32768 = missing."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate_hz


def from_plan(plan: Plan, rate_hz: float, seed: int, name: str = "synthetic") -> Wave:
    """A synthetic wave."""
    return Wave(name=name, lead="I", rate_hz=rate_hz, samples=synthesise(plan, rate_hz, seed).samples)


def from_record(path: Path, lead: str | None = None, from_s: float = 0.0, seconds: float | None = None) -> Wave:
    """A lead of a WFDB record (default: its first ECG signal), or `seconds` of it from `from_s` on.

    Raises:
        ValueError: the record holds no such lead, or nothing lies in the excerpt; both are named.
    """
    from stream.recording import open_record

    recording = open_record(path, lead)
    name, samples = recording.leads[0].name, recording.leads[0].samples
    first = max(round(from_s * recording.rate_hz), 0)
    last = len(samples) if seconds is None else first + round(seconds * recording.rate_hz)
    cut = samples[first:last]
    if not len(cut):
        msg = f"{path}: nothing lies from {from_s} s on; the record lasts {len(samples) / recording.rate_hz:.0f} s"
        raise ValueError(msg)
    return Wave(name=recording.name, lead=name, rate_hz=recording.rate_hz, samples=cut)


def from_source(source: str, rate_hz: float = 250.0, seed: int = 1) -> Wave:
    """A path to a WFDB record, or a plan as `sinus:40,vf:60`: what a person writes on the command line."""
    from pathlib import Path

    path = Path(source)
    if path.with_suffix(".hea").exists() or path.with_name(path.name + ".hea").exists():
        return from_record(path)
    if ":" not in source:
        msg = f"{source!r} is neither a WFDB record (no {source}.hea lies there) nor a plan such as sinus:40,vf:60"
        raise ValueError(msg)
    return from_plan(plan_from_text(source), rate_hz, seed, name=source)


def fibrillation(path: Path) -> tuple[float, float] | None:
    """From and to, in s, of a record's longest ventricular fibrillation by its annotations, if they say of any."""
    return _longest(_spans(path, lambda symbol, rhythm: symbol == "[" or rhythm in _FIBRILLATIONS))


def atrial_fibrillation(path: Path) -> tuple[float, float] | None:
    """The same of atrial fibrillation."""
    return _longest(_spans(path, lambda _, rhythm: rhythm in _ATRIAL))


def beats_between(path: Path, from_s: float, to_s: float) -> tuple[int, int]:
    """How many beats, and how many ventricular ones among them, the annotations have there."""
    import wfdb

    header: Any = wfdb.rdheader(str(path))
    marks: Any = wfdb.rdann(str(path), "atr", sampfrom=round(from_s * header.fs), sampto=round(to_s * header.fs))
    beats = [symbol for symbol in marks.symbol if symbol in _BEATS]
    return len(beats), sum(1 for symbol in beats if symbol in _VENTRICULAR)


def is_calm(path: Path) -> bool:
    """Whether the annotations say of no rhythm but the sinus node's."""
    return not _spans(path, lambda symbol, rhythm: symbol == "[" or (rhythm.startswith("(") and rhythm not in _CALM))


def _spans(path: Path, begins: Callable[[str, str], bool]) -> list[tuple[float, float]]:
    """From and to, in s, of every stretch that begins with such a mark (symbol, rhythm) and ends with any other."""
    import wfdb

    header: Any = wfdb.rdheader(str(path))
    marks: Any = wfdb.rdann(str(path), "atr")
    spans: list[tuple[float, float]] = []
    onset_s: float | None = None
    for sample, symbol, note in zip(marks.sample, marks.symbol, marks.aux_note, strict=True):
        rhythm = note.rstrip("\0").strip()
        is_beginning = begins(symbol, rhythm)
        ends = symbol == "]" or (rhythm.startswith("(") and not is_beginning)
        if is_beginning and onset_s is None:
            onset_s = float(sample) / header.fs
        elif ends and onset_s is not None:
            spans.append((onset_s, float(sample) / header.fs))
            onset_s = None
    if onset_s is not None:
        spans.append((onset_s, float(header.sig_len) / header.fs))
    return spans


def _longest(spans: list[tuple[float, float]]) -> tuple[float, float] | None:
    return max(spans, key=lambda span: span[1] - span[0], default=None)


def looped(wave: Wave, seconds: float) -> Wave:
    """`wave` again and again until it lasts `seconds`; the seams are hard, as when a strap is put on anew."""
    count = round(seconds * wave.rate_hz)
    return replace(wave, samples=np.resize(wave.samples, count))


def resampled(wave: Wave, rate_hz: float) -> Wave:
    """The wave at the wearable's own rate; missing samples stay missing, and their neighbourhood is not smeared."""
    if rate_hz == wave.rate_hz:
        return wave
    from scipy.signal import resample_poly

    ratio = Fraction(rate_hz).limit_denominator(1000) / Fraction(wave.rate_hz).limit_denominator(1000)
    missing = wave.samples == MISSING_SAMPLE
    filled = wave.samples.astype(np.float64)
    if missing.any() and not missing.all():
        known = np.flatnonzero(~missing)
        filled[missing] = np.interp(np.flatnonzero(missing), known, filled[known])
    # The signal's own ends are held, so that the filter rings at neither.
    scaled = resample_poly(filled, ratio.numerator, ratio.denominator, padtype="edge")
    # Where sample k of the result lies among the source's samples.
    at = np.minimum(np.rint(np.arange(len(scaled)) / float(ratio)).astype(np.int64), len(filled) - 1)
    samples = np.clip(np.rint(scaled), -SATURATED_SAMPLE, SATURATED_SAMPLE).astype(np.int16)
    samples[missing[at]] = MISSING_SAMPLE
    return replace(wave, rate_hz=rate_hz, samples=samples)
