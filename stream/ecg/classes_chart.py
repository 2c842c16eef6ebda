"""What is remembered of the classes of a lane's beats. Part of the chart: plain numbers only."""

from typing import Final

import numpy as np

BEAT_RING: Final = 32
"""Beats of the last 10 s at 180 a minute: the rings of a lane's beats have this many places, the same beat at the same place."""

DECIDED: Final = np.dtype(
    [
        ("r", "i8"),  # internal sample of its R peak
        ("before", "f4"),  # seconds since the beat before; 0: unknown
        ("after", "f4"),  # seconds to the next one, or how long it was waited for
        ("p_v", "f4"),  # probabilities
        ("p_s", "f4"),
        ("beat", "u1"),  # BeatClass
        ("grade", "u1"),  # Quality when it was decided
        ("place", "i4"),  # in the rings
    ],
    align=True,
)
"""The beat that was classed last: what runs, rhythm and burdens go by."""

CLASSES: Final = np.dtype(
    [
        ("decided", DECIDED),
        ("waiting", "u1"),  # a beat waits for the next one, or the time-out
        ("place", "i4"),  # its place in the rings
        ("p_v", "f4", (BEAT_RING,)),
        ("beat", "u1", (BEAT_RING,)),
    ],
    align=True,
)
