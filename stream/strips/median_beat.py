"""The strip's usual beat, how its beats resemble it, and what its waves measure. Pure.

A beat is cut from 400 ms before to 550 ms after R, its level taken before the QRS; the usual beat is the median of
those that resemble it, turned so that its largest QRS deflection points up: a strip held upside down reads the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import signal

from stream.ecg.filters import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.strips.tracing import Trace

FEWEST: Final = 4
"""Whole beats without which there is no usual beat."""
BEFORE: Final = round(0.40 * RATE)
AFTER: Final = round(0.55 * RATE)
QRS: Final = slice(BEFORE - round(0.08 * RATE), BEFORE + round(0.10 * RATE))
POINTS: Final = 24

_WIDE: Final = signal.butter(2, [0.6, 40.0], "band", fs=RATE, output="sos")
_LEVEL: Final = slice(BEFORE - round(0.26 * RATE), BEFORE - round(0.05 * RATE))
_BODY: Final = slice(BEFORE - round(0.12 * RATE), BEFORE + round(0.16 * RATE))
_SAME: Final = 0.85
_ONE_SHAPE: Final = 0.9
_ONE_RULES: Final = 0.7
_FEWEST_ALIKE: Final = 3


@dataclass(frozen=True, slots=True)
class Beats:
    """Whole beats of a strip, turned upright."""

    wave: NDArray[np.float64]
    """The strip's 0.6-40 Hz wave, upright; shape (n,)."""
    r: NDArray[np.int64]
    """R peaks of the whole beats."""
    cut: NDArray[np.float64]
    """The beats, shape (len(r), BEFORE + AFTER)."""
    usual: NDArray[np.float64]
    """Median beat."""
    match: NDArray[np.float64]
    """Correlation of each QRS with the usual one."""
    size: NDArray[np.float64]
    """Height of each QRS over the usual one's."""
    width: NDArray[np.float64]
    """Share of each QRS beyond 30 % of its largest deflection, over the median share."""
    usual_width: float
    """That median share."""
    height: float
    """Height of the usual QRS, microvolts."""

    @property
    def is_alike(self) -> NDArray[np.bool_]:
        """Which beats look like the usual one."""
        return self.match > _SAME


def wide_band(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """0.6-40 Hz without delay."""
    return np.asarray(signal.sosfiltfilt(_WIDE, wave, padlen=min(2 * RATE, wave.size - 1)))


def cut_beats(trace: Trace, wide: NDArray[np.float64]) -> Beats | None:
    """The whole beats of a strip (`wide` its wide band); None where there are fewer than four."""
    r = trace.beats[(trace.beats >= BEFORE) & (trace.beats + AFTER < wide.size)]
    if r.size < FEWEST:
        return None
    cut = np.array([wide[at - BEFORE : at + AFTER] for at in r])
    cut -= np.median(cut[:, _LEVEL], axis=1, keepdims=True)
    usual = np.median(cut, axis=0)
    if (correlation(cut[:, QRS], usual[QRS]) > _SAME).mean() < _ONE_RULES:
        # Two shapes share the strip, as in bigeminy: the median of all is neither's.
        usual = np.median(cut[max(_groups(cut[:, QRS]), key=len)], axis=0)
    sign = np.sign(usual[QRS][np.argmax(np.abs(usual[QRS]))]) or 1.0
    cut, usual = cut * sign, usual * sign
    match = correlation(cut[:, QRS], usual[QRS])
    if (match > _SAME).sum() >= _FEWEST_ALIKE:
        usual = np.median(cut[match > _SAME], axis=0)
        match = correlation(cut[:, QRS], usual[QRS])
    height = float(np.ptp(usual[QRS])) + 1e-3
    share = _width(cut[:, _BODY])
    usual_width = float(np.median(share))
    return Beats(
        wide * sign, r, cut, usual, match, np.ptp(cut[:, QRS], axis=1) / height, share / (usual_width + 1e-6),
        usual_width, height,
    )  # fmt: skip


def correlation(rows: NDArray[np.float64], shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each row with a shape."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    shape = shape - shape.mean()
    return np.asarray(rows @ shape / (np.linalg.norm(rows, axis=1) * np.linalg.norm(shape) + 1e-9))


def _width(bodies: NDArray[np.float64]) -> NDArray[np.float64]:
    off = np.abs(bodies - bodies.mean(axis=1, keepdims=True))
    return np.asarray((off > 0.3 * off.max(axis=1, keepdims=True)).mean(axis=1))


def likeness_features(beats: Beats) -> dict[str, float]:
    """How much the beats of the strip are alike."""
    low = np.percentile(beats.match, [5, 10, 25, 50])
    whole = np.percentile(correlation(beats.cut, beats.usual), [10, 50])
    shares = sorted((len(group) / len(beats.r) for group in _groups(beats.cut[:, QRS])), reverse=True)
    return {
        "alike": float(beats.is_alike.mean()),
        **{f"match{p}": float(v) for p, v in zip((5, 10, 25, 50), low, strict=True)},
        "match_least": float(beats.match.min()),
        "whole10": float(whole[0]),
        "whole50": float(whole[1]),
        "size_spread": float(beats.size.std() / beats.size.mean()),
        "size_most": float(beats.size.max()),
        "size_least": float(beats.size.min()),
        "width_most": float(beats.width.max()),
        "width90": float(np.percentile(beats.width, 90)),
        "width_usual": beats.usual_width,
        "shapes": float(len(shares)),
        "shape_first": shares[0],
        "shape_second": shares[1] if len(shares) > 1 else 0.0,
    }


def _groups(bodies: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Numbers of the beats that correlate by 0.9 with the first one of their group."""
    left, groups = np.arange(len(bodies)), []
    while left.size:
        is_same = correlation(bodies[left], bodies[left[0]]) > _ONE_SHAPE
        is_same[0] = True
        groups.append(left[is_same])
        left = left[~is_same]
    return groups


def wave_features(beats: Beats, rr_s: NDArray[np.float64]) -> dict[str, float]:
    """Measures of the usual beat, in parts of its QRS height and seconds."""
    level = np.median(beats.usual[BEFORE - round(0.10 * RATE) : BEFORE - round(0.05 * RATE)])
    beat = (beats.usual - level) / beats.height
    slope = np.abs(np.gradient(beat))
    first, last = BEFORE - round(0.10 * RATE), BEFORE + round(0.14 * RATE)
    active = np.flatnonzero(slope[first:last] > 0.1 * slope[QRS].max())
    body = np.abs(beat[first:last])
    t_wave = beat[BEFORE + round(0.14 * RATE) : BEFORE + round(0.50 * RATE)]
    t_at = int(np.argmax(np.abs(t_wave - np.median(t_wave))))
    found = {
        "qrs_s": float(active[-1] - active[0]) / RATE if active.size else np.nan,
        "qrs_third_s": float((body > 0.3 * body.max()).mean()) * (last - first) / RATE,
        "t_most": float(t_wave.max()),
        "t_least": float(t_wave.min()),
        "t_s": t_at / RATE,
        "t_height": float(t_wave[t_at]),
        "qt_c": (t_at / RATE + 0.14) / float(np.sqrt(np.median(rr_s))),
        "st": float(beat[BEFORE + round(0.10 * RATE)]),
        "r": float(beat[QRS].max()),
        "s": float(beat[BEFORE : BEFORE + round(0.10 * RATE)].min()),
        "q": float(beat[BEFORE - round(0.08 * RATE) : BEFORE].min()),
        "steepest": float(slope[QRS].max()),
        "notches": float((np.diff(np.sign(np.gradient(beat[first:last]))) != 0).sum()),
    }
    span = beats.usual[BEFORE - round(0.28 * RATE) : BEFORE + round(0.45 * RATE)] / beats.height
    points = signal.resample(span, POINTS)
    return found | {f"point{i:02d}": float(v) for i, v in enumerate(points)}
