"""A hand-held strip at the internal rate: its wave, its holes, its beats. Pure.

The beats are the product's own: the kernels run over the strip with its first 9 s mirrored before it, so that their
learning costs nothing. Must never move a beat for the sake of a rhythm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import signal

from stream.ecg import resample
from stream.ecg.advance import FASTEST_HZ, SLOWEST_HZ, advance, mark_capacity
from stream.ecg.chart import RESAMPLER, new_charts
from stream.ecg.classes_chart import BEAT_RING
from stream.ecg.filters import RATE
from stream.ecg.marks import MARK, WORK, Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST_S: Final = 8.0
"""Less holds too few beats for any rhythm."""
LONGEST_S: Final = 120.0
"""More is a recording, not a strip: the continuous detectors judge it."""

_LEAD_IN_S: Final = 9.0  # the kernels learn for 8 s
_PIECE_S: Final = 4.0  # fewer beats than the ring holds, at any rate
_SNAP: Final = round(0.06 * RATE)
_BRIDGED: Final = round(0.06 * RATE)  # so many missing samples hide no beat
_NEAREST: Final = 0.18 * RATE  # two snapped beats closer than this are one
_QRS: Final = signal.butter(2, [5.0, 20.0], "band", fs=RATE, output="sos")


class BadStrip(ValueError):
    """The samples are no hand-held strip; the message says why."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One strip, 250 samples a second."""

    wave: NDArray[np.float64]
    """Microvolts, holes bridged, median taken off; shape (n,)."""
    missing: NDArray[np.bool_]
    """Where nothing was measured, shape (n,)."""
    beats: NDArray[np.int64]
    """R peaks: extremum of 5-20 Hz with the sign that most of them have."""
    witness: NDArray[np.int64]
    """Beats that the second band (10-25 Hz) found by itself."""

    @property
    def intervals_s(self) -> NDArray[np.float64]:
        """Seconds from beat to beat, shape (len(beats) - 1,); NaN across a hole, which may hide a beat."""
        rr_s = np.diff(self.beats) / RATE
        gone = np.concatenate([[0], np.cumsum(self.missing)])[self.beats]
        return np.where(np.diff(gone) > _BRIDGED, np.nan, rr_s)

    @property
    def seconds(self) -> float:
        """Length."""
        return self.wave.size / RATE


def trace_of(samples_uv: NDArray[np.int16], rate_hz: float) -> Trace:
    """Bring a strip (int16 microvolts, -32768 = missing) to the internal rate and find its beats.

    Raises BadStrip for a rate outside 100-1000 Hz or a length outside 8-120 s.
    """
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        raise BadStrip(f"{rate_hz:g} samples a second: a strip has {SLOWEST_HZ} to {FASTEST_HZ}")
    seconds = samples_uv.size / rate_hz
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadStrip(f"{seconds:.1f} s long: a strip has {SHORTEST_S:g} to {LONGEST_S:g} s")
    wave, missing = _at_internal_rate(samples_uv, rate_hz)
    wave -= np.median(wave)
    beats, witness = _beats(samples_uv, rate_hz, wave.size)
    return Trace(wave, missing, _snapped(wave, beats), witness)


def _at_internal_rate(samples_uv: NDArray[np.int16], rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    n = int(samples_uv.size * RATE / rate_hz)
    wave, missing = np.zeros(n), np.zeros(n, np.bool_)
    resample.whole(np.zeros(1, RESAMPLER), samples_uv, float(rate_hz), wave, missing)
    return wave, missing


def _beats(samples_uv: NDArray[np.int16], rate_hz: float, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Beats of both bands, as internal samples of the strip."""
    lead_in = min(round(_LEAD_IN_S * rate_hz), samples_uv.size - 1)
    whole = np.concatenate([samples_uv[lead_in:0:-1], samples_uv])
    charts = new_charts(1)
    found: list[NDArray[Any]] = []
    witness: list[int] = []
    step = round(_PIECE_S * rate_hz)
    for index in range(0, whole.size, step):
        piece = whole[index : index + step]
        work = np.zeros(1, WORK)
        work["count"], work["index"], work["rate_hz"], work["contact"] = piece.size, index, rate_hz, 1
        seen = int(charts["signal"]["other"]["count"][0])
        marks = np.zeros(mark_capacity(piece.size, 1), MARK)
        found.append(marks[: advance(charts, work, piece, marks)])
        other = charts["signal"]["other"][0]
        witness += [int(other["beats"][i % BEAT_RING]) for i in range(seen, int(other["count"]))]
    marks = np.concatenate(found)
    r = marks["index"][marks["kind"] == Mark.BEAT] - lead_in
    beats = np.round(r * (RATE / rate_hz)).astype(np.int64)
    others = np.sort(np.array(witness, np.int64)) - round(lead_in * RATE / rate_hz)
    return tuple(np.unique(b[(b >= 0) & (b < length)]) for b in (beats, others))  # type: ignore[return-value]


def _snapped(wave: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Beats at the extremum of the QRS band whose sign most beats share, 60 ms around at most."""
    if not beats.size:
        return beats
    band = signal.sosfiltfilt(_QRS, wave, padlen=min(2 * RATE, wave.size - 1))
    spans = [band[max(0, r - _SNAP) : r + _SNAP + 1] for r in beats]
    sign = np.sign(sum(span[np.argmax(np.abs(span))] for span in spans)) or 1.0
    at = np.array([max(0, r - _SNAP) + np.argmax(sign * s) for r, s in zip(beats, spans, strict=True)], np.int64)
    at = np.unique(at)
    return np.asarray(at[np.concatenate([[True], np.diff(at) > _NEAREST])])
