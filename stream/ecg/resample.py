"""From the device's samples to the internal rate: missing stretches bridged, then a causal windowed sinc.

Where an internal sample lies is computed from its number alone, never summed up, so the way in which a recording was
cut into chunks cannot matter. At the internal rate samples pass unchanged. Latency: 4 sample intervals of the slower
of both rates (16 ms at 250 to 1000 Hz, 31 ms at 130 Hz).
"""

import math
from typing import Final

import numpy as np

from stream.ecg.chart import RAW_RING
from stream.ecg.filters import RATE
from stream.ecg.kernel import Record, Samples, kernel
from stream.ecg.marks import MISSING

LOBES: Final = 4  # zero crossings of the sinc on each side
_STEPS: Final = 512  # table points per crossing
_MASK: Final = RAW_RING - 1
_SHORT_GAP_S: Final = 0.02


def _table() -> Samples:
    """sinc(u) under a Kaiser window (beta 5) for u = 0 .. LOBES."""
    u = np.arange(LOBES * _STEPS + 2) / _STEPS
    inside = np.sqrt(np.maximum(0.0, 1.0 - (u / LOBES) ** 2))
    return np.sinc(u) * np.i0(5.0 * inside) / np.i0(5.0)


_SINC: Final = _table()


@kernel
def push(resampler: Record, x: float, missing: bool, rate_hz: float) -> None:
    """Take one raw sample (uV).

    A missing one repeats the last level. After more than 20 ms of them the signal goes on from that level, so that no
    gap ends in a step that looks like a beat; the offset stays (all bands but DC forget it).
    """
    if missing:
        resampler.run += 1
    else:
        if resampler.pushed == resampler.run:
            resampler.offset = x
        elif resampler.run > _SHORT_GAP_S * rate_hz:
            resampler.offset = x - resampler.level
        resampler.run = 0
        resampler.level = x - resampler.offset
    at = resampler.pushed & _MASK
    resampler.ring[at] = resampler.level
    resampler.missing[at] = missing
    resampler.pushed += 1


@kernel
def ready(resampler: Record, rate_hz: float) -> bool:
    """Whether the next internal sample can be made of what was pushed."""
    if rate_hz == RATE:
        return bool(resampler.made < resampler.pushed)
    reach = LOBES * max(1.0, rate_hz / RATE)
    return bool(resampler.made * rate_hz / RATE + reach < resampler.pushed)


@kernel
def is_missing(resampler: Record, rate_hz: float) -> bool:
    """Whether the raw sample nearest to the next internal one is missing."""
    nearest = resampler.made if rate_hz == RATE else int(resampler.made * rate_hz / RATE + 0.5)
    return bool(resampler.missing[nearest & _MASK])


@kernel
def pull(resampler: Record, rate_hz: float) -> float:
    """Make the next internal sample (uV)."""
    k = resampler.made
    resampler.made += 1
    if rate_hz == RATE:
        return float(resampler.ring[k & _MASK])
    position = k * rate_hz / RATE
    stretch = min(1.0, RATE / rate_hz)
    reach = LOBES / stretch
    total = 0.0
    weight = 0.0
    for j in range(math.ceil(position - reach), math.floor(position + reach) + 1):
        u = abs(j - position) * stretch * _STEPS
        step = int(u)
        w = _SINC[step] + (u - step) * (_SINC[step + 1] - _SINC[step])
        total += w * resampler.ring[max(j, 0) & _MASK]
        weight += w
    return float(total / weight)


@kernel
def whole(states: Record, samples: Samples, rate_hz: float, wave: Samples, missing: Samples) -> None:
    """Fill in the internal samples of a whole recording, and which of them are missing; behind its end the last one stays.

    `states` is one fresh RESAMPLER, shape (1,).
    """
    state = states[0]
    i = 0
    while state.made < wave.size:
        value = samples[min(i, samples.size - 1)]
        push(state, float(value), value == MISSING, rate_hz)
        i += 1
        while ready(state, rate_hz) and state.made < wave.size:
            k = state.made
            missing[k] = is_missing(state, rate_hz)
            wave[k] = pull(state, rate_hz)


@kernel
def raw_index(clock: Record, k: int) -> int:
    """The raw sample of the session nearest to internal sample k."""
    return int(clock.base + np.int64(math.floor(k * clock.rate_hz / RATE + 0.5)))
