"""The filter bank: every band that a detector looks at, as second-order sections run one sample at a time.

All are causal Butterworth filters at the internal rate; each section is in transposed direct form II.
"""

from typing import Final, Literal

import numpy as np
from scipy import signal

from stream.ecg.kernel import Samples, inlined_kernel

RATE: Final = 250
"""Internal samples a second."""


def _band(low_hz: float, high_hz: float, order: int = 2) -> Samples:
    return np.asarray(signal.butter(order, [low_hz, high_hz], "band", fs=RATE, output="sos"))


def _edge(hz: float, kind: Literal["low", "high"], order: int) -> Samples:
    return np.asarray(signal.butter(order, hz, kind, fs=RATE, output="sos"))


_BANK: Final = (
    _band(0.5, 40.0),  # WIDE
    _band(6.0, 20.0),  # QRS
    _band(10.0, 25.0),  # QRS_HIGH
    np.concatenate([_edge(1.0, "high", 1), _edge(20.0, "low", 4)]),  # FIBRILLATION
    _edge(1.0, "low", 2),  # DRIFT
    _band(5.0, 25.0),  # BODY
    _edge(25.0, "high", 2),  # MUSCLE
)
WIDE, QRS, QRS_HIGH, FIBRILLATION, DRIFT, BODY, MUSCLE = range(len(_BANK))

SECTIONS: Final = sum(len(band) for band in _BANK)
_COEFFICIENTS: Final = np.concatenate(_BANK)[:, [0, 1, 2, 4, 5]]
_FIRST: Final = np.cumsum([0] + [len(band) for band in _BANK])


@inlined_kernel
def run(sections: Samples, band: int, x: float) -> float:
    """Push one sample (uV) through a band; `sections` is the chart's (SECTIONS, 2) state."""
    for s in range(_FIRST[band], _FIRST[band + 1]):
        c = _COEFFICIENTS[s]
        y = c[0] * x + sections[s, 0]
        sections[s, 0] = c[1] * x - c[3] * y + sections[s, 1]
        sections[s, 1] = c[2] * x - c[4] * y
        x = y
    return x
