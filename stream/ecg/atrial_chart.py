"""What is remembered of a lane's atria: intervals, P waves, and how far a judgement has come. Plain numbers only.

At most 3 kB. It is enough to be fed with beats alone: rhythm logic is trained and judged on annotated beats without a wave.
"""

from typing import Final

import numpy as np

INTERVALS: Final = 256
"""Beats: a judged beat lies 56 behind the newest, its widest window reaches 150 further back."""

SEGMENTS: Final = 64
"""P segments: of 24 beats on each side of a beat, and of those noted whose class is not known yet."""

POINTS: Final = 16
"""Of a P segment: R -200 ms to -80 ms at 125 Hz."""

GRID: Final = 8
"""Every so many beats one is judged."""

GRID_RING: Final = 16
WAVE_FEATURES: Final = 11
WAITING: Final = 8  # judgements of P waves that wait for the intervals after them
SIZES: Final = 32

COURSE: Final = np.dtype(
    [
        ("scores", "f4", (3,)),  # log odds of the last judged beats, the oldest first
        ("at", "i8", (3,)),  # their R, internal samples
        ("judged", "i4"),  # so far, at most 3
        ("rising", "i8"),  # where the mean score rose above 0; NEVER: it is not above
        ("onset", "i8"),  # of the stretch that is on, or was within the last gap; NEVER: none
        ("end", "i8"),  # where it was last above the lower threshold
        ("on", "u1"),  # the mean score is high (with hysteresis)
        ("told", "u1"),  # and has been for long enough to be told
    ],
    align=True,
)
"""How scores become an episode."""

ATRIAL: Final = np.dtype(
    [
        ("interval", "i2", (INTERVALS,)),  # internal samples before the beat; 0 = unknown
        ("flags", "u1", (INTERVALS,)),
        ("count", "i8"),  # beats heard, with their class
        ("grid", "i8", (GRID_RING,)),  # R of every GRID-th beat
        ("segments", "i1", (SEGMENTS, POINTS)),  # P segments, 127 = their usual energy
        ("seen", "u1", (SEGMENTS,)),  # the segment lies in the signal and no hole touches it
        ("share", "u1", (SEGMENTS,)),  # its size against the QRS, 255 = as large
        ("noted", "i8"),  # beats whose segment was taken
        ("sizes", "f4", (SIZES,)),  # energies of the last segments
        ("usual", "f4"),  # their median
        ("waves", "f4", (WAITING, WAVE_FEATURES)),  # P evidence of judged beats that wait
        ("course", COURSE),  # of AF
        ("proposed", COURSE),  # of AF_POSSIBLE
        ("flutter_for", "i4"),  # judgements in a row that show flutter
        ("flutter_gone", "i4"),  # and that do not
        ("doubt_onset", "i8"),  # of a proposal that ended and waits for its confirmation
        ("doubt_end", "i8"),  # NEVER: none
    ],
    align=True,
)
"""Starts afresh with the signal."""
