"""Strips drawn by hand for tests: P, QRS and T waves at given times. No substitute for recordings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOISE_UV = 8.0


def drawn(
    rr_s: list[float], rate_hz: float = 300.0, *, has_p: bool = True, wide: frozenset[int] = frozenset(), seed: int = 0
) -> NDArray[np.int16]:
    """Microvolts of a strip whose beats are so far apart; beats in `wide` are broad and inverted, without P."""
    at = 0.4 + np.concatenate([[0.0], np.cumsum(rr_s)])
    t = np.arange(round((at[-1] + 0.6) * rate_hz)) / rate_hz
    wave = NOISE_UV * np.random.default_rng(seed).standard_normal(t.size)
    for beat, r in enumerate(at):
        bumps = [(0.0, 1000.0, 0.012), (0.03, -250.0, 0.012), (0.26, 250.0, 0.05)]
        if beat in wide:
            bumps = [(0.0, -1800.0, 0.032), (0.28, 500.0, 0.06)]
        elif has_p:
            bumps.append((-0.16, 140.0, 0.025))
        for offset, height, width in bumps:
            wave += height * np.exp(-0.5 * ((t - r - offset) / width) ** 2)
    if not has_p:
        wave += 45.0 * np.sin(2 * np.pi * (6.0 * t + 0.3 * np.sin(2 * np.pi * 0.7 * t)))
    return np.round(wave).astype(np.int16)


def sinus(seed: int = 0, beats: int = 34) -> list[float]:
    """Intervals around 0.85 s that swing with the breath."""
    rng = np.random.default_rng(seed)
    return [float(0.85 + 0.03 * np.sin(0.5 * i) + 0.008 * rng.standard_normal()) for i in range(beats)]


def fibrillating(seed: int = 0, beats: int = 44) -> list[float]:
    """Intervals without any order."""
    rng = np.random.default_rng(seed)
    return [float(x) for x in np.clip(rng.gamma(9.0, 0.075, beats), 0.34, 1.3)]
