"""What the detector makes of strained recordings: beats, V and S, alarms for nothing, and how much it cannot judge.

Each strain is a line: all recordings under it, summed. In noise "cannot judge" is the right answer, an alarm is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly

from alerts.validation import ec57
from alerts.validation.alarm_scoring import false_emergencies
from alerts.validation.bootstrap import summed
from alerts.validation.collection import Collection
from alerts.validation.judgement import judge
from alerts.validation.reference import read
from alerts.validation.spans import common_to, length, without
from alerts.validation.strains import CLEAN, NOISES, names, spoil
from stream.recording import BadRecord, open_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from alerts.validation.bootstrap import Counts
    from alerts.validation.collection import Source
    from alerts.validation.judgement import Judgement
    from alerts.validation.strains import Spoilt

EDGE_S = 1.0
"""Around a stretch without signal beats are left out so far: what remains of a beat at its edge is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrainTask:
    """One recording under one strain."""

    strain: str
    path: Path
    noises: tuple[Path, ...]
    """Where the noise of `strain` is to be read from."""


@dataclass(slots=True, kw_only=True)
class Strained:
    """One line of the table."""

    name: str
    records: list[Counts] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """The line's numbers by heading, percentages in percent."""
        total = summed(self.records)
        sums = {name: np.array([n]) for name, n in total.items() if len(name) == 2}  # noqa: PLR2004 - pairs of classes
        v = {name: float(n[0]) for name, n in ec57.class_counts(sums, "V").items()} if sums else {}
        s = {name: float(n[0]) for name, n in ec57.class_counts(sums, "S").items()} if sums else {}
        return {
            "recordings": float(len(self.records)),
            "QRS Se": _percent(total["tp"], total["tp"] + total["fn"]),
            "QRS +P": _percent(total["tp"], total["tp"] + total["fp"]),
            "QRS DER": _percent(total["fn"] + total["fp"], total["tp"] + total["fn"]),
            "V found": v.get("tp", 0.0),
            "V missed": v.get("fn", 0.0),
            "V false": v.get("fp", 0.0),
            "S found": s.get("tp", 0.0),
            "S missed": s.get("fn", 0.0),
            "S false": s.get("fp", 0.0),
            "false emergencies": total.get("false", 0.0),
            "VF, VT for nothing": total.get("arrhythmia", 0.0),
            "cannot judge %": _percent(total["unjudged_s"], total["looked_at_s"]),
        }


def tasks_of(sources: Sequence[Source]) -> list[StrainTask]:
    """Every strain on every recording with classes of beats; noise on the clean ones of them."""
    noises = {path.name: path for one in sources if one.collection is Collection.NSTDB for path in one.records}
    kept = {name: path for name, path in noises.items() if name in NOISES}
    records = [
        path
        for one in sources
        if one.collection in {Collection.MITDB, Collection.OTHER}
        for path in one.records
        if path.name not in ec57.PACED
    ]
    return [
        StrainTask(strain=name, path=path, noises=tuple(kept[n] for n in [name.split()[0]] if n in kept))
        for name in names(list(kept))
        for path in records
        if path.name in CLEAN or name.split()[0] not in NOISES
    ]


def strained(task: StrainTask) -> Counts | None:
    """The counts of one recording under one strain; None: it could not be read, or nobody annotated it."""
    try:
        recording = open_record(task.path)
        noises = {path.name: _noise(path, recording.rate_hz) for path in task.noises}
        reference = read(task.path, recording.rate_hz, recording.leads[0].samples.size)
    except (BadRecord, ValueError, OSError):
        return None
    if reference is None:
        return None
    worse = spoil(task.strain, recording, reference, noises)
    return _counts(worse, judge(worse.recording))


def _noise(path: Path, rate_hz: float) -> NDArray[np.float64]:
    """The first signal of a recording of noise, at this rate. It has no name of an ECG lead: it is asked for by its own."""
    import wfdb

    name = wfdb.rdheader(str(path)).sig_name[0]
    found = open_record(path, name)
    ratio = Fraction(rate_hz / found.rate_hz).limit_denominator(1000)
    return np.asarray(resample_poly(found.leads[0].samples.astype(float), ratio.numerator, ratio.denominator))


def _counts(worse: Spoilt, said: Judgement) -> Counts:
    reference = worse.reference
    whole = [(0.0, reference.seconds)]
    looked_at = list(worse.spoilt) or whole
    if worse.is_scored_there:
        holes = without(whole, worse.spoilt)
    else:
        holes = [(start - EDGE_S, end + EDGE_S) for start, end in worse.spoilt]
    left_out = [(round(a * said.rate_hz), round(b * said.rate_hz) - 1) for a, b in holes] + reference.bracketed()
    beats = ec57.beat_counts(reference, said.beats, left_out)
    calm, _ = false_emergencies(reference, said, is_calm=False)
    return {
        **beats,
        **ec57.class_pairs(reference, said.beats, said.classes, left_out),
        "false": calm.get("false", math.nan),
        "arrhythmia": calm.get("arrhythmia", math.nan),
        "unjudged_s": length(common_to(said.cannot_judge(), looked_at)),
        "looked_at_s": length(looked_at),
    }


def by_strain(tasks: Sequence[StrainTask], counts: Sequence[Counts | None]) -> list[Strained]:
    """The lines of the table, in the order of the strains."""
    lines: dict[str, Strained] = {}
    for task, one in zip(tasks, counts, strict=True):
        if one is not None:
            lines.setdefault(task.strain, Strained(name=task.strain)).records.append(one)
    return list(lines.values())


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else math.nan
