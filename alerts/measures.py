"""What is measured in the strip of an alert: RR, PR, QRS, QT and QTc, each with what it rests on, or why it cannot be. Pure.

NeuroKit2 delineates (`ecg_delineate`, dwt); our own beats say where, and which beats count. It answers with numbers
for noise and for fibrillation too, so a number is shown only where enough sinus beats agree on it. Must never be waited
for by an alert, nor show a PR interval where no P wave repeats.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts import second_reading
from alerts.strip_beats import WARM_UP_S, Heard, UnfitRate, heard
from stream.recording import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alerts.strip_beats import Beat, Span
    from alerts.strip_svg import Tracing

    Floats = NDArray[np.float64]

REVISION = 1
"""Of the rules here: raised with them, all strips of which ECG is kept are measured again."""
LEAST_BEATS = 5
"""Sinus beats that must agree on an interval."""
LEAST_INTERVALS = 3
"""Of RR."""
RATE_HZ = 500
"""Delineated at this rate (AHA/ACC 2007, Kligfield: 500 samples a second for intervals)."""


class Bounds(NamedTuple):
    """What an interval of a living adult can be, and how far beats of one strip may differ, in ms."""

    least: float
    most: float
    spread: float
    """Greatest interquartile range at which a number is shown."""


BOUNDS = {
    # Shorter than any pre-excited PR (AHA/ACCF/HRS 2009, Surawicz: 120 and less), longer than a first degree block
    # that is still conducted 1:1; the beats may differ by twice the CSE tolerance of a reader (IEC 60601-2-51: 10 ms).
    "pr": Bounds(80.0, 400.0, 24.0),
    # Narrower than a child's, wider than any conducted beat (Surawicz 2009: 120 and more is a bundle branch block).
    "qrs": Bounds(50.0, 200.0, 24.0),
    # Shorter than short QT, longer than what is compatible with 1:1 conduction; CSE: 30 ms between readers.
    "qt": Bounds(220.0, 640.0, 40.0),
}
_STEADY = 0.2
"""Greatest spread of RR, as a share, at which a rate corrects QT (AHA/ACCF/HRS 2009, Rautaharju: not in AF)."""
_ALIKE, _LEAST_P_UV = 0.6, 20.0
"""What a P wave must be: each beat's window correlates with that of the others, and their mean is so high."""
_MOST_NOISE_UV = 35.0
"""Of what differs from beat to beat before the QRS complex: with more, edges of waves were seen to move by over 10 ms."""
_LONG_S = 3.0
"""So much noise, or so many missing samples, is named as the reason; else there were just too few beats."""
_TORN_S = 0.1
"""A hole so long between two beats hides whether there was another."""
LETHAL = ("vf", "asystole")
WIDE = ("vt", "vt_sustained", "nsvt")
FIBRILLATION = ("af", "af_possible", "aflutter", "strip_af")


@dataclass(slots=True)
class Measures:
    """What one strip came to."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    cannot: dict[str, str] = field(default_factory=dict)
    """Name of the interval, and a word of `measure.why.*`."""


def installed() -> str | None:
    """The version of NeuroKit2; None: it is not here (extra `ecg`)."""
    try:
        return version("neurokit2")
    except PackageNotFoundError:
        return None


def current() -> str:
    """The version of all that decides a measure."""
    return f"{REVISION}/{installed() or 'beats only'}"


def measured(tracing: Tracing, around: NDArray[np.int16]) -> dict[str, Any]:
    """Measures and beats of a strip as the API shows them; `around` begins `WARM_UP_S` before it, same lead and rate.

    {rr_ms, pr_ms, qrs_ms, qt_ms, qtc_ms: {value, low, high, spread, beats} or None, cannot: {name: why},
    beats: [{at_s, class}]}; QTc is Fridericia's, with Bazett's as `bazett`.
    """
    seconds = tracing.samples.size / tracing.rate_hz
    try:
        found = heard(around, tracing.rate_hz, WARM_UP_S, seconds)
    except UnfitRate:
        found = Heard(beats=(), bad=(), spans={})
        result = Measures(cannot=dict.fromkeys(("rr", "pr", "qrs", "qtc"), "rate"))
    else:
        result = intervals(tracing.samples, tracing.rate_hz, found, tracing.condition)
    shown = [one for one in found.beats if not _inside(one.at_s, _lethal(found))]  # what fibrillates does not beat
    return {
        "lead": tracing.lead,
        "from_at": tracing.from_at.isoformat(),
        **{f"{name}_ms": result.values.get(name) for name in ("rr", "pr", "qrs", "qt", "qtc")},
        "cannot": result.cannot,
        "beats": [{"at_s": round(one.at_s, 3), "class": one.kind} for one in shown],
    }


def intervals(samples: NDArray[np.int16], rate_hz: float, found: Heard, condition: str = "") -> Measures:
    """The intervals of a strip whose beats were heard; `condition` is what the alert is about."""
    result = Measures()
    clear = [one for one in found.beats if not _inside(one.at_s, (*_lethal(found), *found.bad))]
    rr = _rr(samples, rate_hz, [one if one in clear else None for one in found.beats])
    why_few = _why_few(samples, rate_hz, found, condition)
    if rr.size < LEAST_INTERVALS:
        result.cannot["rr"] = why_few if why_few != "wide" else "few_beats"
    else:
        result.values["rr"] = {**_said(rr), "value": round(float(rr.mean()), 1)}
    sinus = _sinus(clear)
    if len(sinus) < LEAST_BEATS or rr.size < LEAST_INTERVALS:
        result.cannot |= dict.fromkeys(("pr", "qrs", "qtc"), why_few)
    elif installed() is None:
        result.cannot |= dict.fromkeys(("pr", "qrs", "qtc"), "not_installed")
    else:
        _delineated(result, samples, rate_hz, clear, sinus, float(np.median(rr)) / 1000)
        if condition in FIBRILLATION or found.has(*FIBRILLATION):
            result.values.pop("pr", None)
            result.cannot["pr"] = "af"
        _corrected(result, rr)
    return result


def _delineated(
    result: Measures,
    samples: NDArray[np.int16],
    rate_hz: float,
    beats: Sequence[Beat],
    sinus: Sequence[int],
    beat_s: float,
) -> None:
    """PR, QRS and QT of the sinus beats, or why not."""
    signal = _filled(samples, rate_hz)
    peaks = np.array([min(max(round(one.at_s * RATE_HZ), 0), signal.size - 1) for one in beats])
    windows = _before(signal, peaks[list(sinus)])
    noise_uv = float(np.median(np.std(windows - np.median(windows, axis=0), axis=1))) * 1000 if len(windows) else np.inf
    if noise_uv > _MOST_NOISE_UV:
        result.cannot |= dict.fromkeys(("pr", "qrs", "qtc"), "noise")
        return
    points = _points(signal, peaks)
    own = second_reading.read(signal, peaks[list(sinus)], RATE_HZ, beat_s)
    for name, (start, end) in {"pr": ("P_Onsets", "R_Onsets"), "qrs": ("R_Onsets", "R_Offsets"),
                               "qt": ("R_Onsets", "T_Offsets")}.items():  # fmt: skip
        key = "qtc" if name == "qt" else name
        if points is None:
            result.cannot[key] = "not_delineated"
            continue
        each = (points[end] - points[start])[list(sinus)] * 1000 / RATE_HZ
        if name == "qt":
            each = each[_in_order(points)[list(sinus)]]
        least, most, spread = BOUNDS[name]
        good = each[(each >= least) & (each <= most)]  # NaN is none of them
        if name == "pr" and not _has_p(windows):
            result.cannot[key] = "no_p"
        elif good.size < max(LEAST_BEATS, len(sinus) / 2):
            result.cannot[key] = "implausible"
        elif (said := _said(good))["spread"] > spread:
            result.cannot[key] = "beats_differ"
        elif not _agrees(name, points, peaks, sinus, own):
            result.cannot[key] = "readings_differ"
        else:
            result.values[name] = said


def _agrees(
    name: str, points: dict[str, Floats], peaks: NDArray[np.int64], sinus: Sequence[int], own: second_reading.Reading
) -> bool:
    """Whether the simple reading of the median beat sees the same edges.

    The bounds were chosen on mitdb DS1, without reference intervals.
    """
    for edge, mine, most_ms in (
        ("R_Onsets", own.qrs_on, 30.0),
        ("R_Offsets", own.qrs_off, 16.0),
        ("T_Offsets", own.t_off, 36.0),
    ):
        if (edge, name) in {("R_Offsets", "pr"), ("R_Offsets", "qt"), ("T_Offsets", "pr"), ("T_Offsets", "qrs")}:
            continue
        theirs = float(np.nanmedian((points[edge] - peaks)[list(sinus)])) / RATE_HZ
        if mine is None or not abs(theirs - mine) * 1000 <= most_ms:
            return False
    return True


def _corrected(result: Measures, rr: Floats) -> None:
    """QTc by Fridericia and Bazett, where there is one rate to correct by."""
    if "qt" not in result.values:
        return
    if rr.size < LEAST_INTERVALS or _spread(rr) > _STEADY * float(np.median(rr)):
        result.cannot["qtc"] = "irregular"
        return
    qt, beat_s = result.values["qt"], float(rr.mean()) / 1000
    cube = {name: round(qt[name] / beat_s ** (1 / 3), 1) for name in ("value", "low", "high", "spread")}
    bazett = round(qt["value"] / beat_s**0.5, 1)
    result.values["qtc"] = {**cube, "beats": qt["beats"], "by": "fridericia", "bazett": bazett}


def _points(signal: Floats, peaks: NDArray[np.int64]) -> dict[str, Floats] | None:
    """Where NeuroKit2 sees each wave of each beat, in samples, NaN where it does not; None: it could not at all."""
    import neurokit2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of means over nothing, for each beat without a wave
        try:
            _, found = neurokit2.ecg_delineate(signal, peaks, sampling_rate=RATE_HZ, method="dwt")
        except Exception:  # noqa: BLE001 - it raises what it likes on odd signals: nothing was delineated then
            return None
    told = {name.removeprefix("ECG_"): np.asarray(where, float) for name, where in found.items()}
    if any(told[name].shape != peaks.shape for name in ("P_Onsets", "R_Onsets", "R_Offsets", "T_Offsets", "T_Peaks")):
        return None
    return told


def _in_order(points: dict[str, Floats]) -> NDArray[np.bool_]:
    """Beats whose waves come in the order of a heart beat."""
    order = [points[name] for name in ("R_Onsets", "R_Offsets", "T_Peaks", "T_Offsets")]
    right: NDArray[np.bool_] = np.all([a < b for a, b in pairwise(order)], axis=0)
    return right


def _before(signal: Floats, peaks: NDArray[np.int64]) -> Floats:
    """What comes before each beat, where P waves are, its wander taken away: (beats, samples), millivolts."""
    first, last = round(0.26 * RATE_HZ), round(0.06 * RATE_HZ)
    windows = np.array([signal[peak - first : peak - last] for peak in peaks if peak >= first])
    if len(windows) < LEAST_BEATS:
        return np.empty((0, first - last))
    ramp = np.linspace(-0.5, 0.5, windows.shape[1])
    windows -= windows.mean(axis=1, keepdims=True)
    level: Floats = windows - (windows @ ramp / (ramp @ ramp))[:, None] * ramp
    return level


def _has_p(windows: Floats) -> bool:
    """Whether the same wave comes before each beat: fibrillation, and noise, never repeat."""
    others = (windows.sum(axis=0) - windows) / (len(windows) - 1)
    size = np.linalg.norm(windows, axis=1) * np.linalg.norm(others, axis=1)
    alike = (windows * others).sum(axis=1) / np.where(size > 0, size, np.inf)
    return bool(np.median(alike) >= _ALIKE and np.ptp(windows.mean(axis=0)) * 1000 >= _LEAST_P_UV)


def _filled(samples: NDArray[np.int16], rate_hz: float) -> Floats:
    """Millivolts at `RATE_HZ`, gaps bridged by lines (no beat beside one counts), wander and mains taken away."""
    import neurokit2
    from scipy.signal import resample_poly

    known = np.flatnonzero(samples != MISSING)
    whole = np.interp(np.arange(samples.size), known, samples[known] / 1000)
    ratio = Fraction(RATE_HZ / rate_hz).limit_denominator(1000)
    raised = resample_poly(whole, ratio.numerator, ratio.denominator, padtype="line")
    clean: Floats = np.asarray(neurokit2.ecg_clean(raised, sampling_rate=RATE_HZ, method="neurokit"), float)
    return clean


def _rr(samples: NDArray[np.int16], rate_hz: float, beats: Sequence[Beat | None]) -> Floats:
    """Intervals between neighbours, in ms, without those across a gap or a beat that is not clear (None)."""
    missing = np.concatenate([[0], np.cumsum(samples == MISSING)])

    def lost(a: float, b: float) -> float:
        return float(missing[round(b * rate_hz)] - missing[round(a * rate_hz)]) / rate_hz

    pairs = ((a, b) for a, b in pairwise(beats) if a is not None and b is not None)
    return np.array([(b.at_s - a.at_s) * 1000 for a, b in pairs if lost(a.at_s, b.at_s) < _TORN_S])


def _sinus(beats: Sequence[Beat]) -> list[int]:
    """Normal beats between normal beats, by their place: their waves are not another beat's."""
    return [n for n in range(1, len(beats) - 1) if all(one.kind == "N" for one in beats[n - 1 : n + 2])]


def _why_few(samples: NDArray[np.int16], rate_hz: float, found: Heard, condition: str) -> str:
    """Why a strip has too few beats to measure by; what kills comes first."""
    kinds = [one.kind for one in found.beats]
    for name in LETHAL:
        if condition == name or found.has(name):
            return name
    if kinds.count("P") * 2 > len(kinds) or condition == "paced" or found.has("paced"):
        return "paced"
    if kinds.count("V") * 2 > len(kinds) or condition in WIDE or found.has(*WIDE):
        return "wide"
    if sum(b - a for a, b in found.bad) >= _LONG_S:
        return "noise"
    if np.count_nonzero(samples == MISSING) / rate_hz >= _LONG_S:
        return "gaps"
    return "few_beats"


def _lethal(found: Heard) -> list[Span]:
    return [span for one in LETHAL for span in found.spans.get(one, ())]


def _inside(at_s: float, spans: Sequence[Span]) -> bool:
    return any(a <= at_s < b for a, b in spans)


def _spread(each: Floats) -> float:
    low, high = np.percentile(each, (25, 75))
    return float(high - low)


def _said(each: Floats) -> dict[str, Any]:
    """The median with what it rests on, in ms."""
    return {
        "value": round(float(np.median(each)), 1),
        "low": round(float(each.min()), 1),
        "high": round(float(each.max()), 1),
        "spread": round(_spread(each), 1),
        "beats": int(each.size),
    }
