"""What the verdict on ventricular tachycardia remembers of a lane. Part of the chart: plain numbers only."""

from typing import Any, Final

import numpy as np

from stream.ecg.classes_chart import BEAT_RING

SECONDS: Final = 16
"""How far the verdict looks back."""
FEATURES: Final = 17

VENTRICULAR: Final[np.dtype[Any]] = np.dtype(
    [
        ("logits", "f4", (BEAT_RING,)),  # of V, of each classed beat; the places of the lane's rings
        ("heights", "f4", (BEAT_RING,)),  # its QRS over the median one
        ("windows", "f4", (SECONDS,)),  # score of the window that ended with each second, by number
        ("features", "f4", (FEATURES,)),
        ("asked", "u1"),  # the features were measured this second
        ("score", "f4"),  # probability of VT in the last 16 s; 0 where nothing asked
        ("holds", "u1"),  # VT by this verdict, its run is fresh
        ("run_first", "i8"),  # R of the first and last of the five beats that are most like VT
        ("run_last", "i8"),
    ],
    align=True,
)
