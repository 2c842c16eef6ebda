"""Synthetic ECG for when no recording is at hand: rhythms by plan, beats of Gaussian waves, the truth beside them.

Deterministic: the same plan, rate and seed give the same samples on every machine, and the seed's streams are apart, so
that more noise moves no beat. It exercises the chain and shows a demo; detectors are never scored on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gateway.reading import MISSING_SAMPLE, SATURATED_SAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Rhythm(StrEnum):
    """What a stretch of a plan shows."""

    SINUS = "sinus"
    """70 a minute with breathing and slow variability."""
    BRADY = "brady"
    """Sinus at 34 a minute."""
    TACHY = "tachy"
    """Sinus at 150 a minute."""
    AF = "af"
    """Atrial fibrillation: no P waves, no pattern in the intervals, fibrillatory waves."""
    VT = "vt"
    """Ventricular tachycardia at 185 a minute: broad, regular."""
    VF = "vf"
    """Ventricular fibrillation: coarse, then decaying; no beats."""
    ASYSTOLE = "asystole"
    """No beat: baseline only."""
    PAUSE = "pause"
    """As asystole, meant short, between two stretches with beats."""
    NOISE = "noise"
    """Sinus under muscle noise and electrode motion that cannot be judged."""
    LEAD_OFF = "lead_off"
    """The electrode is off: samples are missing."""


Plan = tuple[tuple[Rhythm, float], ...]
"""(rhythm, seconds), one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One heart beat of the truth."""

    at_s: float
    """R peak, seconds from the first sample."""
    ventricular: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One stretch of the truth."""

    rhythm: Rhythm
    onset_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """A synthetic signal and what is true of it."""

    rate_hz: float
    samples: NDArray[np.int16]
    """Microvolts; -32768 = missing."""
    beats: tuple[Beat, ...]
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timing:
    """How the beats of a rhythm follow each other."""

    interval_s: float
    spread: float
    """Standard deviation of the interval, as a share of it."""
    has_p: bool = True
    ventricular: bool = False


_TIMINGS: dict[Rhythm, _Timing] = {
    Rhythm.SINUS: _Timing(interval_s=60 / 70, spread=0.02),
    Rhythm.BRADY: _Timing(interval_s=60 / 34, spread=0.02),
    Rhythm.TACHY: _Timing(interval_s=60 / 150, spread=0.01),
    Rhythm.AF: _Timing(interval_s=60 / 95, spread=0.24, has_p=False),
    Rhythm.VT: _Timing(interval_s=60 / 185, spread=0.01, has_p=False, ventricular=True),
    Rhythm.NOISE: _Timing(interval_s=60 / 70, spread=0.02),
}

# (microvolts, centre in s from the R peak, standard deviation in s); centres of P and T move with the interval.
_P = (120.0, -0.16, 0.022)
_QRS = ((-90.0, -0.027, 0.008), (1150.0, 0.0, 0.0105), (-230.0, 0.028, 0.010))
_T = (290.0, 0.30, 0.048)
_BROAD = ((1350.0, 0.0, 0.040), (-900.0, 0.135, 0.052))

_SHORTEST_INTERVAL_S = 0.28


def plan_from_text(text: str) -> Plan:
    """A plan from `sinus:40,vf:60`: rhythm and seconds, joined by commas.

    Raises:
        ValueError: an unknown rhythm or no positive number of seconds; the part is named.
    """
    stretches: list[tuple[Rhythm, float]] = []
    for part in text.split(","):
        name, _, seconds = part.strip().partition(":")
        try:
            stretch = (Rhythm(name), float(seconds))
        except ValueError:
            known = ", ".join(Rhythm)
            msg = f"{part.strip()!r} is no stretch of a plan: write rhythm:seconds, as sinus:40; rhythms: {known}"
            raise ValueError(msg) from None
        if not 0 < stretch[1] < float("inf"):
            msg = f"{part.strip()!r}: the seconds of a stretch must be a positive number"
            raise ValueError(msg)
        stretches.append(stretch)
    return tuple(stretches)


def synthesise(
    plan: Sequence[tuple[Rhythm, float]],
    rate_hz: float,
    seed: int,
    *,
    noise_uv: float = 10.0,
    wander_uv: float = 70.0,
) -> Synthesis:
    """The plan as int16 microvolts, with its beats and episodes.

    `noise_uv` is the standard deviation of the ever-present muscle noise, `wander_uv` the swing of the baseline.
    """
    of_beats, of_waves, of_noise = (np.random.default_rng((seed, stream)) for stream in range(3))
    episodes = tuple(_episodes(plan))
    count = round(episodes[-1].end_s * rate_hz) if episodes else 0
    signal = np.zeros(count)
    time_s = np.arange(count) / rate_hz
    beats = tuple(_beats(episodes, of_beats))
    _draw_beats(signal, rate_hz, beats, episodes)
    missing = np.zeros(count, dtype=np.bool_)
    for episode in episodes:
        here = slice(round(episode.onset_s * rate_hz), round(episode.end_s * rate_hz))
        length = here.stop - here.start
        if episode.rhythm is Rhythm.VF:
            signal[here] += _fibrillation(length, rate_hz, of_waves)
        elif episode.rhythm is Rhythm.AF:
            signal[here] += 45.0 * np.sin(_drifting_phase(length, rate_hz, 6.2, 0.5, of_waves))
        elif episode.rhythm is Rhythm.NOISE:
            signal[here] += _artefact(length, rate_hz, of_waves)
        elif episode.rhythm is Rhythm.LEAD_OFF:
            missing[here] = True
    signal += noise_uv * of_noise.standard_normal(count)
    phases = of_noise.uniform(0, 2 * np.pi, 2)
    breath, drift = np.sin(2 * np.pi * 0.23 * time_s + phases[0]), np.sin(0.29 * time_s + phases[1])
    signal += wander_uv * (0.7 * breath + 0.3 * drift)
    samples = np.clip(np.rint(signal), -SATURATED_SAMPLE, SATURATED_SAMPLE).astype(np.int16)
    samples[missing] = MISSING_SAMPLE
    return Synthesis(rate_hz=rate_hz, samples=samples, beats=beats, episodes=episodes)


def _episodes(plan: Sequence[tuple[Rhythm, float]]) -> Iterator[Episode]:
    onset_s = 0.0
    for rhythm, seconds in plan:
        yield Episode(rhythm=rhythm, onset_s=onset_s, end_s=onset_s + seconds)
        onset_s += seconds


def _beats(episodes: Sequence[Episode], random: Generator) -> Iterator[Beat]:
    """Beats of all stretches; none under LEAD_OFF, where nothing could be seen of them."""
    last_s = -1.0
    for episode in episodes:
        timing = _TIMINGS.get(episode.rhythm)
        if timing is None:
            continue
        at_s = max(episode.onset_s + 0.45 * timing.interval_s, last_s + _SHORTEST_INTERVAL_S)
        slow = 0.0
        while at_s < episode.end_s:
            yield Beat(at_s=at_s, ventricular=timing.ventricular)
            last_s = at_s
            slow = 0.9 * slow + 0.1 * float(random.standard_normal())
            breath = 1.5 * timing.spread * np.sin(2 * np.pi * 0.23 * at_s) if timing.has_p else 0.0
            factor = 1 + timing.spread * (0.6 * float(random.standard_normal()) + slow) + float(breath)
            at_s += max(timing.interval_s * factor, _SHORTEST_INTERVAL_S)


def _draw_beats(signal: Floats, rate_hz: float, beats: Sequence[Beat], episodes: Sequence[Episode]) -> None:
    without_p = [(e.onset_s, e.end_s) for e in episodes if e.rhythm is Rhythm.AF]
    previous_s = -1.0
    for beat in beats:
        if beat.ventricular:
            waves: tuple[tuple[float, float, float], ...] = _BROAD
        else:
            # Bazett: the T wave (and, less, the P wave) comes nearer when the heart is fast.
            shrink = float(np.sqrt(np.clip(beat.at_s - previous_s, 0.3, 1.4)))
            waves = (*_QRS, (_T[0], _T[1] * shrink, _T[2] * shrink))
            if not any(onset <= beat.at_s < end for onset, end in without_p):
                waves = (*waves, (_P[0], _P[1] * min(shrink, 1.0), _P[2]))
        for height, offset, width in waves:
            _add_gaussian(signal, rate_hz, beat.at_s + offset, height, width)
        previous_s = beat.at_s


def _add_gaussian(signal: Floats, rate_hz: float, centre_s: float, height: float, width_s: float) -> None:
    first = max(int((centre_s - 5 * width_s) * rate_hz), 0)
    last = min(int((centre_s + 5 * width_s) * rate_hz) + 1, len(signal))
    if first >= last:
        return
    time_s = np.arange(first, last) / rate_hz - centre_s
    signal[first:last] += height * np.exp(-0.5 * (time_s / width_s) ** 2)


def _drifting_phase(count: int, rate_hz: float, centre_hz: float, swing_hz: float, random: Generator) -> Floats:
    """Phase of an oscillation whose frequency wanders around `centre_hz`, a new aim every half second."""
    aims = random.uniform(-1, 1, int(count / rate_hz * 2) + 2)
    frequency = centre_hz + swing_hz * np.interp(np.arange(count) / rate_hz * 2, np.arange(len(aims)), aims)
    phase: Floats = 2 * np.pi * (np.cumsum(frequency) / rate_hz + random.uniform())
    return phase


def _fibrillation(count: int, rate_hz: float, random: Generator) -> Floats:
    time_s = np.arange(count) / rate_hz
    swell = 1 + 0.35 * np.sin(_drifting_phase(count, rate_hz, 0.6, 0.4, random))
    main = np.sin(_drifting_phase(count, rate_hz, 4.9, 0.7, random))
    beside = 0.35 * np.sin(_drifting_phase(count, rate_hz, 3.8, 0.6, random))
    coarse = 520.0 * np.exp(-time_s / 150.0) + 60.0
    shape: Floats = np.minimum(time_s / 0.5, 1.0) * coarse * swell * (main + beside)
    return shape


def _artefact(count: int, rate_hz: float, random: Generator) -> Floats:
    """Muscle noise in bursts over electrode motion that wanders far."""
    bursts = 0.5 + np.abs(np.sin(_drifting_phase(count, rate_hz, 0.4, 0.3, random)))
    steps = np.cumsum(random.standard_normal(count)) / np.sqrt(rate_hz)
    noise: Floats = 450.0 * bursts * random.standard_normal(count) + 700.0 * (steps - steps.mean())
    return noise
