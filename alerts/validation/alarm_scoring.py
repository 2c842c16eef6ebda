"""Alarms: arrest alarms of Challenge 2015 confirmed or refused, false emergencies in calm hours, alarms a day.

Pure. Calm is what the reference itself shows no danger in, with margins; must never give hours to a recording on which
the product was silent about beats as well, as silence proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.validation.judgement import PHYSIOLOGICAL
from alerts.validation.spans import length, merged, without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.validation.bootstrap import Counts
    from alerts.validation.judgement import Alarm, Judgement
    from alerts.validation.reference import Annotations
    from alerts.validation.spans import Span

# Challenge 2015 (Clifford et al., CinC 2015): the monitor's alarm stands at a known second; the event began within 10 s
# before it. A finding that was over earlier than 16 s before the alarm is another one.
BEFORE_ALARM_S = 16.0
ARRESTS: dict[str, tuple[str, ...]] = {
    "Asystole": ("asystole",),
    "Bradycardia": ("brady", "extreme_brady"),
    "Tachycardia": ("tachy", "extreme_tachy"),
    "Ventricular_Flutter_Fib": ("vf", "vt", "vt_sustained"),
    "Ventricular_Tachycardia": ("vt", "vt_sustained", "vf"),
}
"""Which findings confirm an alarm. VF and fast VT stand for each other: both are an emergency."""
SPARED = ("Asystole", "Bradycardia", "Tachycardia", "Ventricular_Flutter_Fib")
"""Alarms of which no true one may be lost (detection.md)."""
LOST_WEIGHS = 5

# What the reference shows of danger, and how far around it an emergency is not judged.
DANGER_BEFORE_S, DANGER_AFTER_S = 10.0, 30.0
DANGEROUS_RHYTHMS = ("VT", "VF", "VFL", "VFIB", "ASYS")
PAUSE_S = 3.0
RUN_OF_V = 3
SLOW_BEATS, SLOW_BPM = 5, 40.0
FAST_BEATS, FAST_BPM = 17, 140.0
_INSTANT_S = 1e-3
AWAKE = 0.8
"""The least share of the reference's beats that the product must have found for its silence to count."""
TIERS = ("EMERGENCY", "DOCTOR", "TIP")


def confirms(kind: str, said: Judgement, alarm_s: float) -> bool:
    """Whether the product confirms an alarm of this kind: a finding, or an alert of it, in time."""
    wanted = ARRESTS.get(kind, ())
    first = alarm_s - BEFORE_ALARM_S
    found = any(e.detected_s <= alarm_s and e.end_s >= first for e in said.of(*wanted))
    return found or any(
        a.condition in wanted and first <= a.raised_s <= alarm_s for a in said.alarms if a.tier in TIERS[:2]
    )


def arrest_counts(kind: str, is_true: bool, is_confirmed: bool) -> Counts:
    """One alarm, as a count of all and of its kind."""
    cell = ("tp" if is_confirmed else "fn") if is_true else ("fp" if is_confirmed else "tn")
    lost = {"spared_lost": 1.0} if cell == "fn" and kind in SPARED else {}
    return {cell: 1.0, f"{kind}_{cell}": 1.0, **lost}


def dangerous(reference: Annotations) -> list[Span]:
    """Where the reference shows VT, VF, a standstill or an extreme rate, with margins, in seconds."""
    at = reference.beats()[0] / reference.rate_hz
    spans = reference.in_rhythm(*DANGEROUS_RHYTHMS)
    spans += [(a / reference.rate_hz, b / reference.rate_hz) for a, b in reference.bracketed()]
    is_v = np.isin(reference.beat_symbols(), ["V", "E"])
    spans += [(at[a], at[b] + _INSTANT_S) for a, b in _runs(is_v, RUN_OF_V)]
    spans += [(at[k], at[k + 1]) for k in np.flatnonzero(np.diff(at) >= PAUSE_S)]
    spans += [(at[k], at[k + SLOW_BEATS - 1]) for k in np.flatnonzero(_rates(at, SLOW_BEATS) < SLOW_BPM)]
    spans += [(at[k], at[k + FAST_BEATS - 1]) for k in np.flatnonzero(_rates(at, FAST_BEATS) > FAST_BPM)]
    return merged((start - DANGER_BEFORE_S, end + DANGER_AFTER_S) for start, end in spans)


def _rates(at: NDArray[np.float64], beats: int) -> NDArray[np.float64]:
    """The rate over so many beats, from each that has as many after it."""
    n = beats - 1
    return np.asarray(60 * n / (at[n:] - at[:-n])) if at.size > n else np.zeros(0)


def _runs(flags: NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    """First and last index of every run of at least so many."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]


def is_awake(reference: Annotations, beats: int) -> bool:
    """Whether the product heard enough of the heart for its silence to mean something."""
    return beats >= AWAKE * reference.beats()[0].size


def false_emergencies(reference: Annotations, said: Judgement, *, is_calm: bool) -> tuple[Counts, tuple[Alarm, ...]]:
    """Hours, false alarms, findings of VF or VT; and which alarms. `is_calm`: the collection holds no danger, all counts."""
    if not is_awake(reference, said.beats.size):
        return {"asleep": 1.0}, ()
    calm = [(0.0, said.seconds)] if is_calm else without([(0.0, said.seconds)], dangerous(reference))
    raised = [a for a in said.alarms if a.tier == TIERS[0]]
    false = [a for a in raised if any(start <= a.raised_s <= end for start, end in calm)]
    seen = [e for e in said.of("vf", "vt") if any(start <= e.onset_s < end for start, end in calm)]
    counts = {
        "hours": length(calm) / 3600,
        "false": float(len(false)),
        "unjudged": float(len(raised) - len(false)),
        "arrhythmia": float(len(seen)),
    }
    return counts, tuple(false)


def alarms_a_day(said: Judgement) -> Counts:
    """Hours, and alarms by tier; those of the equipment by themselves; hours of which it says that it cannot judge."""
    counts: Counts = {"hours": said.seconds / 3600, "unjudged": length(said.cannot_judge()) / 3600}
    for alarm in said.alarms:
        name = alarm.tier if alarm.kind == PHYSIOLOGICAL else "TECHNICAL"
        counts[name] = counts.get(name, 0.0) + 1
    return counts
