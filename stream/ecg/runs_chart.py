"""What is remembered of V beats in a row and of patterns of them. Part of the chart: plain numbers only."""

from typing import Final

import numpy as np

BACK: Final = 12
"""Beats that runs and patterns look back on."""

RUNS: Final = np.dtype(
    [
        ("r", "i8", (BACK,)),  # R of the beats that were classed last, the newest first
        ("known", "i4"),  # how many in a row are known: none is missing or unclassed between them
        ("history", "i4"),  # which of the last 16 are V, bit 0 the newest
        ("narrow", "i4"),  # and which are like the template
        ("twos", "i4"),  # where the class alternates, as in bigeminy
        ("threes", "i4"),  # where one of the last three is V, as in trigeminy
        ("run", "i4"),  # V beats in a row up to now
        ("first", "i8"),  # R of the first of them
        ("last_v", "i8"),  # R of the last V beat; 0: none in this signal
        ("others", "i4"),  # beats since then
        ("trust", "f4"),  # sum of the probabilities of V over the run
        ("vt_first", "i8"),  # R where VT began
        ("since", "i8"),  # R where a time of mostly V beats began in which VT was found; 0: there is none
        ("beats", "i4"),  # since then
        ("fast_since", "i8"),  # R from which VT is at 150 or faster; 0: it is not
        ("paired", "i8"),  # R of the last V of a couplet or a slow run
        ("longest", "i4"),  # V beats in the longest of them
        ("pattern", "i4", (2,)),  # beats so far of bigeminy, trigeminy
        ("pattern_last", "i8", (2,)),  # R of the last beat that keeps to it
        ("paced", "i4"),  # which of the last 16 a pacemaker made
        ("paced_last", "i8"),  # R of the last of them
        ("unsure", "i8"),  # internal sample up to which the end of VT could not be judged
    ],
    align=True,
)

BURDEN: Final = np.dtype(
    [
        ("first", "i8"),  # raw sample where this stretch began
        ("seconds", "i4"),  # of signal in it
        ("beats", "i4"),  # that were classed, and how many of them are
        ("v", "i4"),
        ("s", "i4"),
        ("af_s", "f4"),  # seconds of atrial fibrillation
        ("in_af", "u1"),
    ],
    align=True,
)
