"""What the window detectors of fibrillation and ventricular tachycardia remember of a lane."""

from typing import Any, Final

import numpy as np

SECONDS: Final = 5
"""Length of a window."""
HZ: Final = 125
"""Samples a second of the window's wave."""
SPAN: Final = SECONDS * HZ
LAGS: Final = 101
"""Of the autocorrelation: 0 to 1.6 s, each 16 ms."""
BINS: Final = 40
"""Of the spectrum: 0.5 to 20 Hz, each 0.5 Hz."""
FEATURES: Final = 23

FIBRILLATION: Final[np.dtype[Any]] = np.dtype(
    [
        ("wave", "i2", (SPAN,)),  # 1-20 Hz, uV; the newest second last, in its place by number
        ("lows", "i2", (SECONDS,)),  # of each second of the wave
        ("highs", "i2", (SECONDS,)),
        ("seconds", "i4"),  # seconds that are whole, up to SECONDS
        ("ripple", "f4", (LAGS,)),  # autocorrelation of the window being measured
        ("spectrum", "f4", (BINS,)),
        ("features", "f4", (FEATURES,)),
        ("suspect", "u1"),  # the features were measured this second
        ("score", "f4"),  # probability that most of the window is VF or VT
        ("now", "u1"),  # seen in this second
        ("recent", "u1"),  # of the last seconds in which it was seen: bit 0 is this one
        ("in_a_row", "i4"),  # seconds in which it was seen
        ("since", "i8"),  # internal sample that ended the first of them
        ("gone_for", "i4"),
    ],
    align=True,
)
