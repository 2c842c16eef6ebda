"""Beats to learn classes from: what the product's own kernels see of each beat of the recordings, and its annotated class."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ecg_scoring import BEATS, DS1, LEARNING_S, WITHIN_S, annotations, bracketed, match

from stream.ecg.advance import _PEN, _advance, mark_capacity
from stream.ecg.chart import new_charts
from stream.ecg.classes_chart import INPUTS
from stream.ecg.marks import MARK, WORK, Mark
from stream.recording import open_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACED = ("102", "104", "107", "217")
AAMI = {s: g for g, t in {"N": "NLRBejn", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"}.items() for s in t}
NO_BEAT = "o"
LTAF_HZ = 128.0
MISSED = 0.0005
_CLASS = int(Mark.CLASS)


@dataclass
class Beats:
    """The beats that the detector found on one lead of a recording."""

    person: str
    kind: str
    """first, second: of DS1; noisy: first with noise; paced; healthy; other; vt: only its VT is annotated."""
    seen: NDArray[Any]
    """Of SEEN."""
    label: NDArray[np.str_]
    """AAMI class, P (paced), or NO_BEAT."""
    usable: NDArray[np.bool_]
    scored: NDArray[np.bool_]
    """After the first five minutes and outside of fibrillation."""
    reference: dict[str, int]
    """Scored annotated beats of each class."""


def collect(data: Path) -> list[Beats]:
    """All development recordings of beats, in a fixed order."""
    noises = [[open_record(data / "nstdb" / name, f"noise{c}").leads[0] for c in (1, 2)] for name in ("ma", "bw")]
    found = []
    for name in DS1:
        path = data / "mitdb" / name
        found.append(_labelled(path, 0, name, "first"))
        found.append(_labelled(path, 0, name, "noisy", noises))
    found += [_labelled(data / "mitdb" / name, lead, name, "paced") for name in PACED for lead in (0, 1)]
    found += [_labelled(path, 0, path.stem, "healthy") for path in sorted((data / "nsrdb").glob("*.hea"))]
    found += [_labelled(path, lead, "lt01", "other") for path in (data / "ltafdb_wave" / "01",) for lead in (0, 1)]
    for path in sorted((data / "cpsc2021").glob("*.hea")):
        found.append(_labelled(path, 1, "cpsc" + path.stem.split("_")[1], "other"))
    found += [_tachycardia(path) for path in sorted((data / "vfdb").glob("*.hea"))]
    return found


SEEN = np.dtype(
    [
        ("index", "i8"),  # R peak, raw sample
        ("inputs", "f4", (INPUTS,)),
        ("before", "f4"),  # seconds; 0: unknown
        ("p_v", "f4"),
        ("beat", "u1"),
        ("grade", "u1"),
        ("is_new", "u1"),
        ("nearest", "u1"),  # its template
    ]
)
"""What the chart knew of a beat when it was classed."""


@numba.njit  # type: ignore[untyped-decorator]
def _trace(charts: Any, work: Any, samples: Any, marks: Any, pens: Any, fresh: Any, seen: Any) -> int:
    """Go sample by sample, so that no beat is overlooked; returns the number of beats."""
    n = 0
    for i in range(samples.size):
        work[0].first = work[0].index = i
        pens[0].written = 0
        for row in range(_advance(charts, work, samples, marks, pens, fresh)):
            if marks[row].kind == _CLASS:
                classes = charts[0].signal.classes
                seen[n].index = marks[row].index
                seen[n].inputs[:] = classes.inputs[:INPUTS]
                seen[n].before = classes.decided.before
                seen[n].p_v = classes.decided.p_v
                seen[n].beat = classes.decided.beat
                seen[n].grade = classes.decided.grade
                seen[n].is_new = classes.is_new
                seen[n].nearest = classes.nearest
                n += 1
    return n


@dataclass
class Annotated:
    """A long recording of which only the annotations are used."""

    person: str
    interval: NDArray[np.float64]
    """Seconds before each beat."""
    label: NDArray[np.str_]


def annotated_only(data: Path) -> list[Annotated]:
    """Long-Term AF: 24 hours of annotations a person, times blurred by 3 ms, one beat in 2000 missed."""
    found = []
    rng = np.random.default_rng(0)
    for path in sorted((data / "ltafdb").glob("*.atr")):
        sample, symbol, _ = annotations(path.with_suffix(""))
        is_beat = np.isin(symbol, list(BEATS))
        at, label = sample[is_beat] / LTAF_HZ, np.array([AAMI[s] for s in symbol[is_beat]])
        kept = rng.random(at.size) > MISSED
        at, label = at[kept], label[kept]
        interval = np.diff(at, prepend=at[0] - 0.8) + rng.normal(0, 0.003, at.size)
        found.append(Annotated(path.stem, np.maximum(interval, 0.2), label))
    return found


def watch(samples: NDArray[np.int16], rate_hz: float) -> NDArray[Any]:
    """The beats of one lead as the chart saw them, of SEEN."""
    work, pens = np.zeros(1, WORK), np.zeros(1, _PEN)
    work["rate_hz"], work["contact"], work["count"] = rate_hz, 1, 1
    seen = np.zeros(round(6 * samples.size / rate_hz) + 10, SEEN)
    marks = np.zeros(mark_capacity(1, 1), MARK)
    return seen[: _trace(new_charts(1), work, samples, marks, pens, new_charts(1), seen)].copy()


def _noisy(samples: NDArray[np.int16], noises: Any, seed: int) -> NDArray[np.int16]:
    """Muscle and baseline noise at 3 or 9 dB in every second two minutes (360 Hz)."""
    rng = np.random.default_rng(seed)
    total = np.zeros(samples.size)
    for leads, size in zip(noises, (1.0, 0.7), strict=True):
        noise = leads[rng.integers(2)].samples.astype(float)
        noise = np.roll(noise, rng.integers(10**5))[: samples.size]
        total += size * np.pad(noise, (0, samples.size - noise.size), "wrap") / noise.std()
    on = (np.arange(samples.size) // (360 * 120)) % 2 == 1
    level = np.percentile(np.abs(samples - np.median(samples)), 99)
    mixed = samples + on * total * level / 10 ** ((3, 9)[seed % 2] / 20) / 2
    return np.clip(np.round(mixed), -32767, 32767).astype(np.int16)


def _labelled(path: Path, lead: int, person: str, kind: str, noises: Any = None) -> Beats:
    recording = open_record(path, "all")
    rate, samples = recording.rate_hz, recording.leads[lead].samples
    if kind == "noisy":
        samples = _noisy(samples, noises, int(person))
    sample, symbol, _ = annotations(path.with_suffix(""))
    is_beat = np.isin(symbol, list(BEATS))
    at = sample[is_beat]
    named = {**AAMI, "/": "P", "f": "P"} if kind == "paced" else AAMI
    truth = np.array([named[s] for s in symbol[is_beat]])
    seen = watch(samples, rate)
    index = seen["index"]
    both = match(at, index, round(WITHIN_S * rate))
    hit, used = both[: at.size], both[at.size :]
    label = np.full(index.size, NO_BEAT)
    label[used] = truth[hit]
    fibrillation = bracketed(sample, symbol, samples.size)

    def outside(where: NDArray[Any]) -> NDArray[np.bool_]:
        keep = np.ones(where.size, bool)
        for begin, end in fibrillation:
            keep &= (where < begin) | (where > end)
        return keep

    late = at >= LEARNING_S * rate
    reference = {c: int(((truth == c) & late & outside(at)).sum()) for c in "NSVFQP"}
    usable = outside(index)
    scored = usable & (index >= LEARNING_S * rate)
    return Beats(person, kind, seen, label, usable, scored, reference)


def _tachycardia(path: Path) -> Beats:
    """VFDB: beats inside annotated VT are V, the others are not used (class F)."""
    recording = open_record(path)
    rate = recording.rate_hz
    seen = watch(recording.leads[0].samples, rate)
    index = seen["index"]
    sample, _, text = annotations(path.with_suffix(""))
    changes = [(s, t) for s, t in zip(sample, text, strict=True) if t.startswith("(")]
    ends = [s for s, _ in changes[1:]] + [recording.leads[0].samples.size]
    label = np.full(index.size, "F")
    for (begin, what), end in zip(changes, ends, strict=True):
        if what == "(VT":
            label[(index > begin + 0.5 * rate) & (index < end - 0.5 * rate)] = "V"
    every = np.ones(index.size, bool)
    return Beats(path.stem, "vt", seen, label, every, every, {})
