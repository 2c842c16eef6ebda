"""The people that AF is learned from, as beats, and the rows that the product's kernels make of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stream.ecg import atrial, atrial_course, atrial_score, atrial_waves, atrial_windows
from stream.ecg.advance import advance, mark_capacity
from stream.ecg.atrial_chart import (
    ATRIAL,
    GRID,
    GRID_RING,
    INTERVALS,
    POINTS,
    SEGMENTS,
    WAITING,
    WAVE_FEATURES,
)
from stream.ecg.chart import new_charts
from stream.ecg.filters import RATE
from stream.ecg.kernel import kernel
from stream.ecg.marks import MARK, WORK, EcgCondition, Mark
from stream.recording import open_record

BEATS = list("NLRBAaJSVrFejnE/fQ?")
NOT_CONDUCTED = list("VEFQ")
WAVES = ("mitdb", "cpsc2021", "ltafdb_wave", "nsrdb")
WITHOUT_RHYTHM = {"nsrdb", "cpsc2021"}
"""Where a record without any rhythm label is sinus rhythm."""
MIRRORED_S = 9
"""A strip is preceded by its own mirrored beginning, so that what the detector must learn costs none of it."""


@dataclass(frozen=True)
class Beats:
    """Beats of a recording as the atria are told of them."""

    collection: str
    record: str
    person: str
    r: NDArray[np.int64]
    """Internal samples."""
    before: NDArray[np.int64]
    odd: NDArray[np.bool_]
    may: NDArray[np.bool_]
    """Nothing ventricular was found that forbids AF."""
    label: NDArray[np.str_]
    """Rhythm of the reference at each beat; empty: unknown."""
    segments: NDArray[np.int8]
    seen: NDArray[np.uint8]
    share: NDArray[np.uint8]

    def cut(self, keep: slice) -> Beats:
        """Some of the beats."""
        names = ("r", "before", "odd", "may", "label", "segments", "seen", "share")
        return replace(self, **{name: getattr(self, name)[keep] for name in names})


ROW = np.dtype(
    [
        ("at", "i8"),  # which beat
        ("r", "i8"),
        ("before", "i8"),  # R of the one judged before it
        ("steady", "?"),  # too steady to be looked at by trees
        ("held", "?"),  # nothing may begin here
        ("intervals", "f4", (atrial_windows.ROW,)),
        ("waves", "f4", (WAVE_FEATURES,)),
    ]
)
"""A judged beat."""

NOW = np.dtype([*ROW.descr[:5], ("intervals", "f4", (atrial_windows.NOW_ROW,))])
"""A beat judged for a proposal."""


def annotations(path: Path) -> tuple[NDArray[Any], NDArray[Any], list[tuple[int, str]]]:
    """Samples and symbols of the reference's beats, and (sample, rhythm) of its changes."""
    import wfdb

    ann: Any = wfdb.rdann(str(path), "atr")
    symbol = np.asarray(ann.symbol)
    keep = np.isin(symbol, BEATS)
    texts = [(text or "").strip("\0") for text in ann.aux_note]
    changes = [(int(s), text) for s, text in zip(ann.sample, texts, strict=True) if text.startswith("(")]
    return np.asarray(ann.sample)[keep], symbol[keep], changes


def labels(changes: list[tuple[int, str]], rate: float, seconds: NDArray[np.float64], default: str) -> NDArray[np.str_]:
    """Rhythm in force at each instant."""
    if not changes:
        return np.full(seconds.size, default, "U8")
    starts = np.array([s for s, _ in changes]) / rate
    names = np.array([name for _, name in changes], "U8")
    place = np.searchsorted(starts, seconds + 1e-6, side="right") - 1
    return np.where(place >= 0, names[np.maximum(place, 0)], "").astype("U8")


def _beats(
    collection: str, record: str, r: NDArray[np.int64], odd: NDArray[np.bool_], label: NDArray[np.str_]
) -> Beats:
    """Beats without a wave."""
    n = r.size
    return Beats(
        collection=collection, record=record, person=record, r=r, before=np.diff(r, prepend=r[:1]), odd=odd,
        may=np.ones(n, bool), label=label, segments=np.zeros((n, POINTS), np.int8), seen=np.zeros(n, np.uint8),
        share=np.zeros(n, np.uint8),
    )  # fmt: skip


def annotated(data: Path) -> Iterator[Beats]:
    """LTAFDB's reference beats with the reference's V."""
    for path in sorted((data / "ltafdb").glob("*.hea")):
        sample, symbol, changes = annotations(path.with_suffix(""))
        seconds = sample / 128.0
        r = np.round(seconds * RATE).astype(np.int64)
        yield _beats("ltafdb", path.stem, r, np.isin(symbol, NOT_CONDUCTED), labels(changes, 128.0, seconds, ""))


def flawed(beats: Beats, rng: np.random.Generator) -> Beats:
    """The same with a classifier that errs, in stretches of a thousand beats: misses V, flags others."""
    odd = beats.odd.copy()
    for begin in range(0, odd.size, 1000):
        part = slice(begin, min(begin + 1000, odd.size))
        missed, false = rng.choice([0.0, 0.05, 0.3, 1.0]), rng.choice([0.0, 0.005, 0.03])
        chance = rng.random(odd[part].size)
        odd[part] = np.where(odd[part], chance >= missed, chance < false)
    return replace(beats, odd=odd)


def stretches(beats: Beats, rng: np.random.Generator, each: int = 12, length: int = 800) -> Iterator[Beats]:
    """Stretches of one rhythm, AF or sinus, with few ectopic beats of their own."""
    got = {True: 0, False: 0}
    for _ in range(300):
        begin = int(rng.integers(0, beats.r.size - length))
        part = beats.cut(slice(begin, begin + length))
        af = bool(part.label[0] == "(AFIB")
        pure = bool((part.label == part.label[0]).all()) and part.label[0] in ("(AFIB", "(N")
        if pure and part.odd.mean() <= 0.02 and got[af] < each:
            got[af] += 1
            yield part


def ectopic(beats: Beats, rng: np.random.Generator) -> Beats:
    """A stretch of one rhythm with inserted ectopy.

    V (coupling 0.5-0.78, full pause) as bigeminy, trigeminy, couplets or at random, flagged with probability 0, 0.5 or 1;
    in sinus rhythm also atrial beats that reset it, never flagged.
    """
    af = bool(beats.label[0] == "(AFIB")
    rr = np.diff(beats.r).astype(float)
    kind = rng.choice(
        ["random", "couplet"] if af else ["bigeminy", "trigeminy", "random", "couplet", "atrial", "mixed"]
    )
    often, coupling = rng.uniform(0.05, 0.3 if af else 0.4), rng.uniform(0.5, 0.78)
    flagged = rng.choice([0.5, 1.0] if af else [0.0, 0.5, 1.0])
    steps: list[tuple[float, bool]] = []
    i, on = 0, True
    while i < rr.size - 3:
        on = on if rng.random() >= 0.01 else not on
        every = {"bigeminy": 2, "trigeminy": 3}.get(str(kind))
        hit = on and (len(steps) % every == 0 if every else rng.random() < often)
        if not hit:
            steps.append((rr[i], False))
            i += 1
            continue
        early = float(np.clip(coupling + rng.normal(0, 0.03), 0.45, 0.9))
        flag = bool(rng.random() < flagged)
        if kind == "atrial" or (kind == "mixed" and rng.random() < 0.5):
            steps += [(min(early + 0.1, 0.9) * rr[i], False), (rr[i] * rng.uniform(1.0, 1.15), False)]
            i += 2
        elif kind == "couplet" and rng.random() < 0.4:
            steps += [(early * rr[i], flag), (0.65 * rr[i], flag), ((2.6 - early) * rr[i], False)]
            i += 3
        else:
            steps += [(early * rr[i], flag), (max(75.0, rr[i] + rr[i + 1] - early * rr[i]), False)]
            i += 2
    r = np.round(np.cumsum([0.0] + [s for s, _ in steps])).astype(np.int64)
    odd = np.array([False] + [o for _, o in steps])
    return _beats("inserted", beats.record, r, odd, np.full(r.size, beats.label[0], "U8"))


def heard(collection: str, record: str, samples: NDArray[np.int16], rate: float) -> Beats:
    """What the product's atria were told while it heard a lead."""
    step = round(rate)
    charts, work, marks = new_charts(1), np.zeros(1, WORK), np.zeros(mark_capacity(step, 1), MARK)
    work["rate_hz"], work["contact"] = rate, 1
    parts: dict[str, list[Any]] = {name: [] for name in ("r", "before", "flags", "may", "segments", "seen", "share")}
    told = 0
    for begin in range(0, samples.size, step):
        work["index"], work["count"] = begin, min(step, samples.size - begin)
        n = advance(charts, work, samples[begin : begin + step], marks)
        classed = marks["index"][:n][marks["kind"][:n] == Mark.CLASS]
        parts["r"] += np.round(classed * (RATE / rate)).astype(np.int64).tolist()
        atrial, episodes = charts["signal"]["atrial"][0], charts["episodes"][0]
        forbid = (EcgCondition.VF, EcgCondition.ASYSTOLE, EcgCondition.VT)
        may = not any(episodes[int(condition)]["open"] for condition in forbid)
        for beat in range(told, int(atrial["count"])):
            parts["before"].append(int(atrial["interval"][beat % INTERVALS]))
            parts["flags"].append(int(atrial["flags"][beat % INTERVALS]))
            parts["may"].append(may)
            for name in ("segments", "seen", "share"):
                parts[name].append(atrial[name][beat % SEGMENTS].copy())
        told = int(atrial["count"])
    n = len(parts["before"])
    return Beats(
        collection=collection, record=record, person=record.split("_")[1] if collection == "cpsc2021" else record,
        r=np.array(parts["r"][:n]), before=np.array(parts["before"]),
        odd=(np.array(parts["flags"], int) & atrial_windows.ODD) != 0, may=np.array(parts["may"], bool),
        label=np.full(n, "", "U8"), segments=np.array(parts["segments"], np.int8).reshape(n, POINTS),
        seen=np.array(parts["seen"], np.uint8), share=np.array(parts["share"], np.uint8),
    )  # fmt: skip


def recorded(data: Path) -> Iterator[Beats]:
    """The records with a wave and a reference, first lead, as the product hears them."""
    for collection in WAVES:
        for path in sorted((data / collection).glob("*.hea")):
            recording = open_record(path)
            beats = heard(collection, path.stem, recording.leads[0].samples, recording.rate_hz)
            changes = annotations(path.with_suffix(""))[2]
            default = "(N" if collection in WITHOUT_RHYTHM else ""
            yield replace(beats, label=labels(changes, recording.rate_hz, beats.r / RATE, default))


def strips(data: Path) -> Iterator[tuple[Beats, str]]:
    """The strips of Challenge 2017 and their class; only beats of the strip itself, without its mirrored beginning."""
    folder = data / "challenge2017"
    for line in (folder / "REFERENCE.csv").read_text().split():
        name, kind = line.split(",")
        recording = open_record(folder / name)
        samples, rate = recording.leads[0].samples, recording.rate_hz
        k = min(round(MIRRORED_S * rate), samples.size - 1)
        beats = heard("challenge2017", name, np.concatenate([samples[k:0:-1], samples]), rate)
        own = int(np.searchsorted(beats.r, k / rate * RATE + RATE // 4))
        yield beats.cut(slice(own, beats.r.size)), kind


@kernel
def _hear(atrial: Any, beats: Any, beat: int) -> None:
    """Tell the atria of one beat."""
    place = beat % SEGMENTS
    atrial.segments[place] = beats[beat].segments
    atrial.seen[place] = beats[beat].seen
    atrial.share[place] = beats[beat].share
    atrial.noted += 1
    atrial_windows.hear(atrial, beats[beat].before, beats[beat].odd)
    if beat % GRID == 0:
        atrial.grid[(beat // GRID) % GRID_RING] = beats[beat].r


@kernel
def _measure(atrial: Any, judged: int, row: Any) -> None:
    atrial_windows.measure(atrial, judged, 0.0, row.intervals)
    row.at = judged
    row.steady = 0.0 <= row.intervals[atrial_windows.MEAN_RELATIVE] < atrial_score.STEADY_BELOW
    row.held = atrial_score.is_held(atrial, judged, True)


@kernel
def _listen(atrials: Any, beats: Any, rows: Any, nows: Any) -> tuple[int, int]:
    """Judge every beat of the grid; returns how many rows were filled in."""
    atrial = atrials[0]
    n = m = 0
    for beat in range(beats.size):
        _hear(atrial, beats, beat)
        if beat % GRID:
            continue
        if beat >= atrial_waves.LOOK:
            seen = beat - atrial_waves.LOOK
            atrial_waves.measure(atrial, seen, atrial.waves[(seen // GRID) % WAITING])
        if beat >= 2 * atrial_score.NOW:
            judged = beat - atrial_score.NOW
            row = nows[m]
            atrial_windows.measure_now(atrial, judged, 0.0, row.intervals)
            row.at = judged
            row.steady = 0.0 <= row.intervals[atrial_windows.MEAN_RELATIVE] < atrial_score.STEADY_BELOW
            row.held = atrial_score.is_held_now(atrial, judged)
            m += 1
        if beat >= atrial_windows.LOOK + GRID:
            judged = beat - atrial_windows.LOOK
            _measure(atrial, judged, rows[n])
            rows[n].waves[:] = atrial.waves[(judged // GRID) % WAITING]
            n += 1
    return n, m


@kernel
def _middle(atrials: Any, beats: Any, rows: Any) -> None:
    """Judge the middle one of all the beats."""
    atrial = atrials[0]
    for beat in range(beats.size):
        _hear(atrial, beats, beat)
    judged = beats.size // 2
    atrial_waves.measure(atrial, judged, atrial.waves[(judged // GRID) % WAITING])
    _measure(atrial, judged, rows[0])
    rows[0].waves[:] = atrial.waves[(judged // GRID) % WAITING]


_TOLD = np.dtype(
    [("r", "i8"), ("before", "i8"), ("odd", "?"), ("seen", "u1"), ("share", "u1"), ("segments", "i1", (POINTS,))]
)


def _told(beats: Beats) -> NDArray[Any]:
    rows = np.zeros(beats.r.size, _TOLD)
    for name in _TOLD.names or ():
        rows[name] = getattr(beats, name)
    return rows


def fresh() -> NDArray[Any]:
    """One ATRIAL that has heard nothing."""
    atrial = np.zeros(1, ATRIAL)
    atrial_course.begin(atrial)
    return atrial


def rows_of(beats: Beats) -> tuple[NDArray[Any], NDArray[Any]]:
    """ROW and NOW of all judged beats."""
    size = beats.r.size // GRID + 1
    rows, nows = np.zeros(size, ROW), np.zeros(size, NOW)
    n, m = _listen(fresh(), _told(beats), rows, nows)
    for part in (rows[:n], nows[:m]):
        part["r"] = beats.r[part["at"]]
        part["before"] = beats.r[part["at"] - GRID]
    return rows[:n], nows[:m]


def middle_row(beats: Beats) -> NDArray[Any]:
    """ROW of the middle beat, shape (1,)."""
    rows = np.zeros(1, ROW)
    _middle(fresh(), _told(beats), rows)
    return rows


@kernel
def _follow(atrials: Any, beats: Any, out: Any) -> int:
    """Tell beats without a wave to the product's own judgement; onsets and ends of AF, (n, 2)."""
    n = 0
    is_open = False
    for beat in range(beats.size):
        row = beats[beat]
        event = atrial.hear(atrials[0], row.r, row.before, row.odd, True, False)
        if event == atrial_course.OPENED:
            out[n, 0] = atrials[0].course.onset
            out[n, 1] = 1 << 60
            n += 1
            is_open = True
        elif event == atrial_course.CLOSED and is_open:
            out[n - 1, 1] = atrials[0].course.end
            is_open = False
    return n


def annotate(data: Path, out: Path) -> None:
    """Write out/ltafdb/*.tw: AF as the product's kernels find it in the reference's beats."""
    import wfdb

    folder = out / "ltafdb"
    folder.mkdir(parents=True, exist_ok=True)
    for beats in annotated(data):
        found = np.zeros((beats.r.size // GRID + 1, 2), np.int64)
        n = _follow(fresh(), _told(beats), found)
        header = wfdb.rdheader(str(data / "ltafdb" / beats.record))
        last = int(header.sig_len or beats.r[-1] * header.fs / RATE)
        edges = [(0, "(N")]
        for onset, end in found[:n]:
            edges.append((round(onset * header.fs / RATE), "(AFIB"))
            if end < 1 << 60:
                edges.append((round(end * header.fs / RATE), "(N"))
        edges = [(min(max(at, 0), last), name) for at, name in edges]
        wfdb.wrann(
            beats.record, "tw", np.array([at for at, _ in edges]), symbol=["+"] * len(edges),
            aux_note=[name for _, name in edges], fs=header.fs, write_dir=str(folder),
        )  # fmt: skip
