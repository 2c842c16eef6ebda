"""What is done to a clean recording to see what the detector makes of it: polarity, gain, rate, hum, gaps, steps, noise.

Pure and without chance: the same recording is always strained alike. A strain says which stretches it spoils, since
those alone are scored (noise), or are left out of beats (gaps, lead off).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly

from stream.recording import MISSING, Lead, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from alerts.validation.reference import Annotations
    from alerts.validation.spans import Span

    Change: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
    """Microvolts and seconds in, microvolts out."""

_FULL = 32767
GAINS = (0.25, 4.0)
RATES = (125.0, 200.0, 250.0, 500.0)
HUM_UV = 200.0
"""Amplitude of the hum: five times what a decent amplifier lets through."""
STEP_UV, STEP_S = 2000.0, 30.0
NOISES = ("ma", "bw")
"""Of the MIT-BIH Noise Stress Test: muscle, and wandering of the base line."""
DECIBELS = (12, 6, 0)
CLEAN = frozenset({"101", "112", "115", "118", "119", "122", "124", "220", "100", "103", "113", "117", "121", "123"})
"""Recordings of MIT-BIH that are clean enough for the noise added to be the noise there is."""
_LEARNING_S, _NOISY_S = 300.0, 120.0
_QRS_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """A strained recording, its reference at the same rate, and where the strain is."""

    recording: Recording
    reference: Annotations
    spoilt: tuple[Span, ...] = ()
    """In seconds."""
    is_scored_there: bool = False
    """Beats are scored in the spoilt stretches alone; False: everywhere else."""


def names(noises: Sequence[str]) -> list[str]:
    """All strains in the order of the table; those of noise where the noise is at hand."""
    plain = ["as recorded", "upside down", *(f"gain x {gain:g}" for gain in GAINS), *(f"{rate:g} Hz" for rate in RATES)]
    plain += ["hum 50 Hz", "hum 60 Hz", "gaps", "steps of the base line", "lead off"]
    return plain + [f"{noise} {decibel} dB" for noise in NOISES if noise in noises for decibel in DECIBELS]


def spoil(name: str, recording: Recording, reference: Annotations, noises: Mapping[str, NDArray[np.float64]]) -> Spoilt:
    """The recording under the strain of that name; `noises` in any unit, at the recording's rate."""
    first, *rest = name.split()
    if first in noises:
        return _noisy(recording, reference, noises[first], float(rest[0]))
    if name == "gaps":
        return _lost(recording, reference, every_s=20.0, lasts_s=0.5, value=MISSING)
    if name == "lead off":
        return _lost(recording, reference, every_s=300.0, lasts_s=20.0, value=0)
    if rest == ["Hz"]:
        return _at_rate(recording, reference, float(first))
    return Spoilt(recording=_changed(recording, _change(first, rest)), reference=reference)


def _change(first: str, rest: list[str]) -> Change:
    """What is done to each sample, by the words of the strain's name."""
    if first == "upside":
        return lambda x, _: -x
    if first == "gain":
        return lambda x, _: float(rest[-1]) * x
    if first == "hum":
        return lambda x, t: x + HUM_UV * np.sin(2 * np.pi * float(rest[0]) * t)
    if first == "steps":
        return lambda x, t: x + STEP_UV * (t // STEP_S % 2)
    return lambda x, _: x


def _changed(recording: Recording, change: Change) -> Recording:
    """Each lead changed. What is missing stays missing."""
    leads = []
    for lead in recording.leads:
        seconds = np.arange(lead.samples.size) / recording.rate_hz
        leads.append(_lead(lead, change(lead.samples.astype(float), seconds), lead.samples == MISSING))
    return replace(recording, leads=tuple(leads))


def _lead(lead: Lead, microvolts: NDArray[np.float64], missing: NDArray[np.bool_]) -> Lead:
    samples = np.clip(np.round(microvolts), -_FULL, _FULL).astype(np.int16)
    samples[missing] = MISSING
    return replace(lead, samples=samples, clipped=int((np.abs(microvolts) > _FULL).sum()))


def _at_rate(recording: Recording, reference: Annotations, rate_hz: float) -> Spoilt:
    ratio = Fraction(rate_hz / recording.rate_hz).limit_denominator(1000)
    leads = []
    for lead in recording.leads:
        missing = lead.samples == MISSING
        filled = np.where(missing, 0, lead.samples).astype(float)
        slower = resample_poly(filled, ratio.numerator, ratio.denominator)
        nearest = np.minimum(np.round(np.arange(slower.size) / float(ratio)).astype(int), missing.size - 1)
        leads.append(_lead(lead, slower, missing[nearest]))
    rate = recording.rate_hz * float(ratio)
    scaled = replace(
        reference,
        rate_hz=rate,
        length=leads[0].samples.size,
        sample=np.round(reference.sample * float(ratio)).astype(np.int64),
    )
    return Spoilt(recording=replace(recording, leads=tuple(leads), rate_hz=rate), reference=scaled)


def _lost(recording: Recording, reference: Annotations, *, every_s: float, lasts_s: float, value: int) -> Spoilt:
    """Stretches after the learning time in which nothing is measured (missing), or a flat line (lead off)."""
    starts = np.arange(_LEARNING_S + 10.0, reference.seconds - lasts_s, every_s)
    spoilt = tuple((float(start), float(start + lasts_s)) for start in starts)
    leads = []
    for lead in recording.leads:
        samples = lead.samples.copy()
        for start, end in spoilt:
            samples[round(start * recording.rate_hz) : round(end * recording.rate_hz)] = value
        leads.append(replace(lead, samples=samples))
    return Spoilt(recording=replace(recording, leads=tuple(leads)), reference=reference, spoilt=spoilt)


def _noisy(recording: Recording, reference: Annotations, noise: NDArray[np.float64], decibel: float) -> Spoilt:
    """Noise in two of every four minutes after the fifth, as in the Noise Stress Test.

    Its strength by `nst`: the signal is the median height of QRS, squared, over 8; the noise its variance.
    """
    spoilt = tuple(
        (float(start), min(float(start) + _NOISY_S, reference.seconds))
        for start in np.arange(_LEARNING_S, reference.seconds, 2 * _NOISY_S)
    )
    beats = reference.beats()[0]
    half = round(_QRS_S * recording.rate_hz)

    def change(x: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
        heights = [np.ptp(x[at - half : at + half + 1]) for at in beats if half < at < x.size - half - 1]
        wave = np.resize(noise - noise.mean(), x.size)
        power = float(np.median(heights)) ** 2 / 8 if heights else 0.0
        where = (t >= _LEARNING_S) & ((t - _LEARNING_S) // _NOISY_S % 2 == 0)
        return np.asarray(x + where * wave * np.sqrt(power / wave.var() / 10 ** (decibel / 10)))

    return Spoilt(
        recording=_changed(recording, change), reference=reference, spoilt=spoilt, is_scored_there=True
    )  # fmt: skip
